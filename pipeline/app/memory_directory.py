"""A memory directory as it lies on disk, and what may be asked of it before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.app.failures import CallerError

CONTENTS = (
    "sessions",
    "lines",
    "clips",
    "index",
    "recalled",
    "second_looks",
    "graph.yaml",
    "memory.yaml",
    "memory.sqlite",
    "daemon.json",
)
"""What a memory consists of; SQLite's own files beside `memory.sqlite` begin with its name and a dash."""
_LOCK = "writer.lock"


@dataclass(frozen=True)
class MemoryDirectory:
    """Where everything of one memory lies.

    `memory.yaml`, `memory.sqlite` and `index/` are the long-term memory, `graph.yaml` the graph that it was made with,
    `sessions/` the recordings, `lines/` and `clips/` audio to play back, `daemon.json` where the daemon listens while one runs.
    """

    path: Path

    @property
    def graph_file(self) -> Path:
        """The resolved graph that the memory was made with."""
        return self.path / "graph.yaml"

    @property
    def daemon_file(self) -> Path:
        """Says where the running daemon listens."""
        return self.path / "daemon.json"

    @property
    def is_memory(self) -> bool:
        """Whether a long-term memory was ever made here."""
        return (self.path / "memory.sqlite").is_file() or (self.path / "memory.yaml").is_file()

    @property
    def is_empty(self) -> bool:
        """Whether the directory is there and has nothing in it, or only the graph of a memory that was never made."""
        return self.path.is_dir() and all(entry == self.graph_file for entry in self.path.iterdir())

    @property
    def contents(self) -> list[Path]:
        """Everything that the memory consists of, but for the lock that keeps two writers apart."""
        return sorted(entry for entry in self.path.iterdir() if entry.name.split("-")[0] in CONTENTS)

    def recording(self, session: str) -> Path:
        """Where the recording of a session lies."""
        return self.path / "sessions" / session

    def recordings(self) -> list[Path]:
        """Every recorded session, by name."""
        folder = self.path / "sessions"
        return sorted(entry for entry in folder.iterdir() if (entry / "session.json").is_file()) if folder.is_dir() else []


def directory_to_read(path: Path) -> MemoryDirectory:
    """A memory that must be there already (an empty directory is a memory in which nothing was heard). Raises CallerError."""
    memory = MemoryDirectory(path)
    if memory.is_memory or memory.is_empty:
        return memory
    if not path.exists():
        found = "there is no such directory"
    elif not path.is_dir():
        found = "it is a file"
    else:
        found = "there is no memory.yaml in it, so it is no memory"
    raise CallerError(
        f"--memory {path}: {found}; make a memory with `echoic replay SOURCE --memory {path}`, `echoic run` or `echoic import`"
    )


def directory_to_write(path: Path) -> MemoryDirectory:
    """A memory that may be made. Refuses a directory with other things in it. Raises CallerError."""
    memory = MemoryDirectory(path)
    if path.exists() and not path.is_dir():
        raise CallerError(f"--memory {path}: it is a file; give a directory, which is made where there is none")
    if path.is_dir() and not memory.is_memory:
        strange = sorted(
            entry.name for entry in path.iterdir() if entry.name.split("-")[0] not in (*CONTENTS, _LOCK) and not entry.name.startswith(".")
        )
        if strange:
            raise CallerError(
                f"--memory {path}: it is no memory and has other things in it ({', '.join(strange[:3])}); give a new or an empty directory"
            )
    return memory
