"""What may leave a memory's directory, store by store, the oldest first: clips, segments of recordings, the audio of lines."""

from __future__ import annotations

import contextlib
import heapq
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stages.memory import line_audio
from stages.memory.disk.disk_use import CLIPS
from stages.memory.forgetting.strength_curve import N_CLASSES
from stages.memory.tables.database import Database, translated
from stages.memory.vectors.vector_tables import SALIENCE_CLASS

_LISTED = 4096
_OLDEST = f"""
    SELECT ended_at_ns, n, clip FROM lines WHERE {SALIENCE_CLASS} = ? AND clip IS NOT NULL
    ORDER BY ended_at_ns, n LIMIT ?
"""


@dataclass(frozen=True)
class Item:
    """Something that may leave: since when it is there (nanoseconds since 1970 in UTC), its bytes, its folder in the memory, its name.

    `number` is what else its store knows it by.
    """

    since_ns: int
    n_bytes: int
    folder: str
    name: str
    number: int = 0


class LeavingStore(Protocol):
    """A store whose oldest may leave. Made anew for each sleep, so that it may list its files once and go through them."""

    def oldest(self, n_items: int) -> Sequence[Item]:
        """The oldest that may leave now, at most so many, in the order of time."""

    def drop(self, items: Sequence[Item]) -> None:
        """Remove what `oldest` gave, from its first on. Killed within, the memory is whole, and the rest goes with the next sleep."""


class LeavingClips:
    """Cuts for answers, since they were made: they can be made again. At most 4,096 are listed at a time."""

    def __init__(self, database: Database, root: Path) -> None:
        self._where = database.where
        self._root = root
        self._listed: list[Item] = []

    def oldest(self, n_items: int) -> Sequence[Item]:
        """See `LeavingStore`."""
        if not self._listed and (self._root / CLIPS).is_dir():
            found = heapq.nsmallest(_LISTED, self._files())
            self._listed = [Item(since_ns, size, CLIPS, name) for since_ns, name, size in found]
        return self._listed[:n_items]

    def drop(self, items: Sequence[Item]) -> None:
        """See `LeavingStore`."""
        with translated(self._where):
            for item in items:
                (self._root / CLIPS / item.name).unlink(missing_ok=True)
        del self._listed[: len(items)]

    def _files(self) -> Iterator[tuple[int, str, int]]:
        with os.scandir(self._root / CLIPS) as entries:
            for entry in entries:
                # Who asks may put a cut in its place while this looks.
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        yield status.st_mtime_ns, entry.name, status.st_size


class LeavingLineAudio:
    """The audio of lines, since their ends, found by an index; the lines keep their words."""

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root

    def oldest(self, n_items: int) -> Sequence[Item]:
        """See `LeavingStore`."""
        with self._database.reading() as connection:
            rows = [row for class_ in range(N_CLASSES) for row in connection.execute(_OLDEST, (class_, n_items))]
        return [self._item(*row) for row in heapq.nsmallest(n_items, rows)]

    def drop(self, items: Sequence[Item]) -> None:
        """See `LeavingStore`."""
        # A line that points to no audio is whole; audio that no line names is removed when the memory is next examined.
        with self._database.writing() as connection:
            connection.executemany("UPDATE lines SET clip = NULL WHERE n = ?", [(item.number,) for item in items])
        line_audio.remove(self._root, [f"{item.folder}/{item.name}" for item in items])

    def _item(self, ended_at_ns: int, n: int, clip: str) -> Item:
        folder, _, name = clip.rpartition("/")
        try:
            size = (self._root / clip).stat().st_size
        except FileNotFoundError:
            size = 0
        return Item(ended_at_ns, size, folder, name, n)
