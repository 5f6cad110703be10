"""Doctor on every memory that a test made: the invariants of a memory hold after whatever a test did with it."""

from __future__ import annotations

import functools
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.packets import Float32Array
from stages.memory import memory_settings
from stages.memory.long_term_memory import LongTermMemory, MemoryError_, MemoryInUse
from stages.memory.tables.database import WriterLock
from stages.memory.text_encoder import TextEncoder

_MOST_BYTES = 4 * 2**20
_MOST_LINES = 500
_MOST_IN_RAM = 4
_MOST_DIRECTORIES = 8
"""A test of many examples makes hundreds of memories: only some of them are examined."""


class MemoryWatch:
    """Notes the memories that are opened for writing, and what doctor finds in them: in RAM as they are stopped, on the disk at the end.

    Large ones are left out, so that the tests take no longer.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._directories: dict[Path, None] = {}
        self._n_in_ram = 0
        self._in_ram: weakref.WeakSet[LongTermMemory] = weakref.WeakSet()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note what is opened in this block."""
        start, stop = LongTermMemory.start, LongTermMemory.stop

        @functools.wraps(start)
        def noted_start(memory: LongTermMemory) -> None:
            start(memory)
            if not memory.read_only and memory.directory:
                self._directories.setdefault(Path(memory.directory).absolute())
            elif not memory.read_only:
                self._in_ram.add(memory)

        @functools.wraps(stop)
        def noted_stop(memory: LongTermMemory) -> None:
            self._examine_in_ram(memory)
            stop(memory)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LongTermMemory, "start", noted_start)
            patch.setattr(LongTermMemory, "stop", noted_stop)
            yield

    def examine(self, folder: Path | None) -> None:
        """Examine the memories that are still open in RAM, and those in directories; also those that other processes made in a folder."""
        for memory in list(self._in_ram):
            self._examine_in_ram(memory)
        if folder is not None:
            for path in sorted([*folder.glob("memory.sqlite"), *folder.glob("*/memory.sqlite")]):
                self._directories.setdefault(path.parent)
        for directory in list(self._directories)[-_MOST_DIRECTORIES:]:
            if (directory / "memory.sqlite").is_file() and _bytes_of(directory) <= _MOST_BYTES and not _is_held(directory):
                self._examine_copy(directory)

    def _examine_in_ram(self, memory: LongTermMemory) -> None:
        if memory not in self._in_ram:
            return
        self._in_ram.discard(memory)
        if self._n_in_ram < _MOST_IN_RAM and len(memory.lines(words=False)) <= _MOST_LINES:
            self._n_in_ram += 1
            self._note(memory, "a memory in RAM")

    def _examine_copy(self, directory: Path) -> None:
        """A copy, since opening and examining put things in order."""
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place) / "memory"
            try:
                shutil.copytree(directory, copy, symlinks=True)
                found = memory_settings.load(copy)
                if found is None:
                    return
                memory = LongTermMemory(_Unasked(found.encoder, found.dimension), str(copy), found.index)  # type: ignore[arg-type] # as stored
                memory.start()
            except (MemoryError_, OSError, shutil.Error) as error:
                self.faults.append(f"{directory}: {error}")
                return
            try:
                self._note(memory, str(directory))
            finally:
                memory.stop()

    def _note(self, memory: LongTermMemory, where: str) -> None:
        try:
            found = memory.examine()
        except MemoryError_ as error:
            self.faults.append(f"{where}: {error}")
            return
        self.faults += [f"{where}: {text}" for text in (*found.faults, *found.repairs)]


class _Unasked(TextEncoder):
    """Stands for the encoder of a memory of which nothing is asked."""

    def __init__(self, name: str, dimension: int) -> None:
        self.name, self.dimension = name, dimension

    def encode(self, texts: Sequence[str]) -> Float32Array:
        raise NotImplementedError(f"an examination encodes nothing, but was to encode {texts[:2]}")


def _is_held(directory: Path) -> bool:
    """Whether a process, this one or another, writes to a memory."""
    lock = WriterLock(directory)
    try:
        lock.take()
    except (MemoryInUse, OSError):
        return True
    lock.release()
    return False


def _bytes_of(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
