"""How many bytes each store of a memory may take and how long it keeps them, and what leaves first."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields

from pipeline.packets import NS_PER_S
from pipeline.stage import Resource

DISK_STORES = ("clips", "recordings", "line_audio", "index", "database")
"""What lies in a memory's directory; words never leave."""
LEAVING = ("clips", "recordings", "line_audio")
"""The stores whose oldest may leave, in this order."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kMGT]?)B")
_DAY_S = 86_400
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class Bounds(Resource):
    """The bytes that each store of a memory may take, and the days that it keeps what may leave; 0 is no bound.

    Bytes are a number, or text like "50 GB". On disk: `clips_bytes` cuts made for answers, `recordings_bytes` the raw sessions,
    `line_audio_bytes` the audio of each line, `index_bytes` the index of vectors, `database_bytes` words, vectors and everything else
    in SQLite, `disk_bytes` all of these together. In RAM: `index_ram_bytes` the index of vectors. `recordings_days` and
    `line_audio_days` count from when it was heard in the room, `clips_days` from when the cut was made. They are kept in sleep
    (`KeepBounds`): what can be made again leaves first, then the oldest raw audio; words never leave for a bound. Raises ValueError for
    what is no size and no number of days.
    """

    def __init__(
        self,
        disk_bytes: int | str = 0,
        clips_bytes: int | str = 0,
        recordings_bytes: int | str = 0,
        line_audio_bytes: int | str = 0,
        index_bytes: int | str = 0,
        database_bytes: int | str = 0,
        index_ram_bytes: int | str = 0,
        clips_days: float = 0,
        recordings_days: float = 0,
        line_audio_days: float = 0,
    ) -> None:
        self.disk_bytes = _size("disk_bytes", disk_bytes)
        self.clips_bytes = _size("clips_bytes", clips_bytes)
        self.recordings_bytes = _size("recordings_bytes", recordings_bytes)
        self.line_audio_bytes = _size("line_audio_bytes", line_audio_bytes)
        self.index_bytes = _size("index_bytes", index_bytes)
        self.database_bytes = _size("database_bytes", database_bytes)
        self.index_ram_bytes = _size("index_ram_bytes", index_ram_bytes)
        self.clips_days = _days("clips_days", clips_days)
        self.recordings_days = _days("recordings_days", recordings_days)
        self.line_audio_days = _days("line_audio_days", line_audio_days)

    def of(self, store: str) -> int:
        """The bound of a store by its name, such as "line_audio"; 0 where there is none."""
        return int(getattr(self, f"{store}_bytes"))

    def kept_ns(self, store: str) -> int:
        """How long a store keeps what may leave, in nanoseconds; 0 where that is for ever."""
        return math.ceil(float(getattr(self, f"{store}_days")) * _DAY_S * NS_PER_S)


@dataclass(frozen=True)
class Use:
    """The bytes that each store takes now. `database` counts pages in use; SQLite keeps the others for what comes."""

    clips: int = 0
    recordings: int = 0
    line_audio: int = 0
    index: int = 0
    database: int = 0
    index_ram: int = 0

    @property
    def disk(self) -> int:
        """Everything in the memory's directory."""
        return sum(getattr(self, name) for name in DISK_STORES)

    def of(self, store: str) -> int:
        """The bytes of a store by its name."""
        return int(getattr(self, store))


@dataclass(frozen=True)
class Excess:
    """What must leave: bytes of clips, recordings and line audio, the oldest first.

    `over` are the bounds that are broken by what may not leave by itself: vectors (they are recompressed and go with strength)
    and words.
    """

    clips: int = 0
    recordings: int = 0
    line_audio: int = 0
    over: tuple[str, ...] = ()

    def of(self, store: str) -> int:
        """The bytes that must leave a store, by its name."""
        return int(getattr(self, store))

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def excess(use: Use, bounds: Bounds) -> Excess:
    """What must leave so that every bound is kept. A pure function.

    Each store keeps its own bound; what all of them together are over the bound of the disk is taken from the clips, then from the
    recordings, then from the audio of lines.
    """
    leaves = {store: max(0, use.of(store) - bounds.of(store)) if bounds.of(store) else 0 for store in LEAVING}
    over = [store for store in ("index", "database", "index_ram") if 0 < bounds.of(store) < use.of(store)]
    rest = use.disk - bounds.disk_bytes - sum(leaves.values()) if bounds.disk_bytes else 0
    for store in LEAVING:
        more = min(max(rest, 0), use.of(store) - leaves[store])
        leaves[store] += more
        rest -= more
    if rest > 0:
        over.append("disk")
    return Excess(**leaves, over=tuple(over))


def _size(name: str, value: int | str) -> int:
    """Bytes as a number, from a number or from text with a unit in steps of a thousand. Raises ValueError."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    n_bytes = round(float(found[1]) * _FACTORS[found[2]]) if found else value
    if isinstance(n_bytes, str) or n_bytes < 0:
        raise ValueError(f"Bounds: {name} must be bytes, at least 0 (0: no bound), such as 2000000 or 50 GB; found {value!r}")
    return n_bytes


def _days(name: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"Bounds: {name} must be a number of days, at least 0 (0: for ever), such as 30 or 0.5; found {value!r}")
    return value
