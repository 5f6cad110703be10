"""What a memory takes against its bounds, and how it keeps them: clips leave first, then old recordings, then old audio of lines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stages.memory.bounds import LEAVING, Bounds, Excess, Use
from stages.memory.disk.disk_use import DiskUse, database_bytes, stores_bytes
from stages.memory.disk.leaving import LeavingClips, LeavingLineAudio, LeavingStore
from stages.memory.disk.leaving_recordings import LeavingSegments
from stages.memory.tables.database import Database

_log = logging.getLogger("echoic.memory")
_WAYS_OUT = {
    "recordings": "what has not been heard yet stays, and the newest 40 seconds; look whether hearing keeps up (`lag_s` of /healthz)",
    "index": "take an index with fewer bytes a line (ivf_sq8, ivf_pq)",
    "index_ram": "take an index with fewer bytes a line (ivf_sq8, ivf_pq)",
    "line_audio": "`echoic doctor` removes audio that no line names",
    "database": "let old vectors take less or leave (`recompress_after_days`, `pq_after_days`, `fade_vectors_below` of the Sleeper),"
    " or erase what is not wanted (`echoic forget`)",
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

    def stores(self) -> dict[str, LeavingStore]:
        """The stores whose oldest may leave, in the order in which they do; a memory in RAM has none."""
        if self._root is None:
            return {}
        database, root = self._database, self._root
        return {
            "clips": LeavingClips(database, root),
            "recordings": LeavingSegments(database, root),
            "line_audio": LeavingLineAudio(database, root),
        }

    def dropped(self, folders: Iterable[str]) -> None:
        """Files in these folders of the memory were removed."""
        if self._disk is not None:
            for folder in folders:
                self._disk.changed(folder)

    def tell_over(self, found: Excess) -> None:
        """Log, once, what is over its bound as it was last measured and cannot leave; the memory goes on, and no words leave for it."""
        use = self._measured
        stays = {store if 0 < self.bounds.of(store) < use.of(store) else "disk" for store in LEAVING if found.of(store)}
        over = {*found.over, *stays}
        for name in sorted(over):
            if name not in self._told:
                used, bound = self._measured.of(name), self.bounds.of(name)
                _log.warning(
                    "memory %s: %s takes %d bytes and may take %d; nothing that was said is dropped for it: %s, or raise %s_bytes",
                    self._database.where, name, used, bound, _WAYS_OUT.get(name, _WAYS_OUT["disk"]), name,
                )  # fmt: skip
        self._told = over
