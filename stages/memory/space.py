"""What a memory takes against its bounds, and how it keeps them: clips leave first, then old recordings, then old audio of lines."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.memory import line_audio
from stages.memory.bounds import Bounds, Use, excess
from stages.memory.database import Database, translated
from stages.memory.disk_use import CLIPS, RECORDINGS, DiskUse, database_bytes, stores_bytes

_log = logging.getLogger("echoic.memory")
_AUDIO, _LEAVING = "audio", "audio.leaving"
_WAYS_OUT = {
    "index": "take an index with fewer bytes a line (ivf_sq8, ivf_pq)",
    "index_ram": "take an index with fewer bytes a line (ivf_sq8, ivf_pq)",
    "database": "recompress old vectors, or erase what is not wanted (`echoic forget`)",
    "disk": "erase what is not wanted (`echoic forget`), or move the memory to a larger disk",
}


@dataclass(frozen=True)
class StoreUse:
    """One store of a memory: where it is ("disk", "ram"), its bytes, and its bound (0: none)."""

    store: str
    where: str
    used_bytes: int
    bound_bytes: int

    @property
    def is_over(self) -> bool:
        """Whether it takes more than it may."""
        return 0 < self.bound_bytes < self.used_bytes


class Space:
    """The bytes of a memory's stores; `LongTermMemory.space` is one. `index_ram_bytes` tells what the index takes in RAM.

    Nothing is counted when something is written: `used` looks at the folders that changed since it was last called.
    """

    def __init__(self, database: Database, root: Path | None, bounds: Bounds | None, index_ram_bytes: Callable[[], int]) -> None:
        self.bounds = bounds or Bounds()
        self._database = database
        self._root = root
        self._index_ram_bytes = index_ram_bytes
        self._disk = DiskUse(root) if root is not None else None
        self._told: set[str] = set()
        self._measured = Use()

    def used(self) -> Use:
        """What each store takes now."""
        with self._database.reading() as connection:
            pages = database_bytes(connection)
        files = stores_bytes(self._disk) if self._disk is not None else {}
        ram_bytes = self._index_ram_bytes()
        if self._root is None:
            self._measured = Use(index_ram=ram_bytes + pages)
        else:
            self._measured = Use(database=pages, index_ram=ram_bytes, **files)
        return self._measured

    def figures(self) -> list[StoreUse]:
        """The stores with their bounds as they were last measured, for metrics; no file is looked at."""
        use = self._measured
        names = ("clips", "recordings", "line_audio", "index", "database", "disk")
        rows = [StoreUse(name, "disk", use.of(name), self.bounds.of(name)) for name in names]
        return [*rows, StoreUse("index_ram", "ram", use.index_ram, self.bounds.index_ram_bytes)]

    def keep(self, limit: int) -> int:
        """Remove at most `limit` files (or recordings) so that the bounds are kept; how many went, 0 when there is nothing (more) to do.

        What is broken by words, vectors or the index alone is told once, and the memory goes on: nothing verbatim leaves for it.
        """
        if self._root is None:
            return 0
        found = excess(self.used(), self.bounds)
        n_gone = 0
        ways = (
            (self._drop_clips, found.clips),
            (self._drop_recordings, found.recordings),
            (self._drop_line_audio, found.line_audio),
        )
        for remove, n_bytes in ways:
            if n_bytes and n_gone < limit:
                n_gone += remove(self._root, n_bytes, limit - n_gone)
        stays = [store for store in ("clips", "recordings", "line_audio") if found.of(store) and not n_gone]
        self._tell({*found.over, *stays})
        return n_gone

    def _tell(self, over: set[str]) -> None:
        for name in sorted(over):
            if name not in self._told:
                used, bound = self._measured.of(name), self.bounds.of(name)
                _log.warning(
                    "memory %s: %s takes %d bytes and may take %d; nothing that was said is dropped for it: %s, or raise %s_bytes",
                    self._database.where, name, used, bound, _WAYS_OUT.get(name, _WAYS_OUT["disk"]), name,
                )  # fmt: skip
        self._told = over

    def _drop_clips(self, root: Path, n_bytes: int, limit: int) -> int:
        """Cuts for answers, those that were made first: they can be made again."""
        clips = []
        with os.scandir(root / CLIPS) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    clips.append((status.st_mtime_ns, entry.name, status.st_size))
        n_gone = 0
        for _, name, size in sorted(clips)[:limit]:
            if n_bytes <= 0:
                break
            with translated(self._database.where):
                (root / CLIPS / name).unlink(missing_ok=True)
            n_bytes -= size
            n_gone += 1
        return n_gone

    def _drop_recordings(self, root: Path, n_bytes: int, limit: int) -> int:
        """The raw audio of sessions that were heard to their ends, the earliest first; what is told of them (session.json) stays.

        A recording leaves in one step, so that no reader finds half of one.
        """
        with self._database.reading() as connection:
            sessions = [row[0] for row in connection.execute("SELECT id FROM sessions WHERE complete = 1 ORDER BY started_at_ns, id")]
        n_gone = 0
        for session in sessions:
            folder = root / RECORDINGS / session
            audio, leaving = folder / _AUDIO, folder / _LEAVING
            if leaving.is_dir() or (audio.is_dir() and n_bytes > 0 and n_gone < limit):
                with translated(self._database.where):
                    if not leaving.is_dir():
                        n_bytes -= sum(path.stat().st_size for path in audio.iterdir())
                        audio.rename(leaving)
                    shutil.rmtree(leaving)
                n_gone += 1
        return n_gone

    def _drop_line_audio(self, root: Path, n_bytes: int, limit: int) -> int:
        """The audio of the lines of the earliest sessions, in the order of their starts; the lines keep their words."""
        chosen: list[tuple[str, str]] = []
        for session, name, size in self._line_files(root):
            if n_bytes <= 0 or len(chosen) >= limit:
                break
            chosen.append((session, name))
            n_bytes -= size
        # A line that points to no audio is whole; audio that no line names is removed when the memory is next examined.
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE lines SET clip = NULL WHERE id = ?", [(f"{session}-{name.removesuffix('.flac')}",) for session, name in chosen]
            )
        line_audio.remove(root, [f"{line_audio.FOLDER}/{session}/{name}" for session, name in chosen])
        return len(chosen)

    def _line_files(self, root: Path) -> Iterator[tuple[str, str, int]]:
        with self._database.reading() as connection:
            sessions = [row[0] for row in connection.execute("SELECT id FROM sessions ORDER BY started_at_ns, id")]
        for session in sessions:
            folder = root / line_audio.FOLDER / session
            if not folder.is_dir():
                continue
            with os.scandir(folder) as entries:
                files = [(_start_of(entry.name), entry.name, entry.stat().st_size) for entry in entries if entry.name.endswith(".flac")]
            for _, name, size in sorted(files):
                yield session, name, size


def _start_of(name: str) -> int:
    """When a line began, from the name of its audio: track and start in milliseconds."""
    digits = name.removesuffix(".flac").rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0
