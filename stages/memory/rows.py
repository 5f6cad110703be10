"""What a memory gives back: plain rows, with times in nanoseconds on their session's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


class WordRow(NamedTuple):
    """A word of a line. A tuple, because a question reads thousands of them."""

    text: str
    start_ns: int
    end_ns: int
    probability: float = 1.0


@dataclass(frozen=True)
class SessionRow:
    """One recording or imported transcript. `started_at` carries its UTC offset; `graph` is the YAML it ran through."""

    id: str
    source: str
    started_at: datetime
    duration_ns: int
    array: str
    complete: bool
    graph: str = ""

    def moment(self, time_ns: int) -> datetime:
        """The wall-clock time of a session time, for display."""
        return self.started_at + timedelta(microseconds=time_ns / 1000)


@dataclass(frozen=True)
class LineRow:
    """One line of transcript as it stands in the memory. `id` is unique in the memory: session, track and start.

    `clip` is the path of the line's own beam audio relative to the memory directory (None for imported text); its first
    sample is at `clip_start_ns`. `heard_ns` is when it had been heard, where that was later than `end_ns`, the end of its last word.
    """

    id: str
    session: str
    track: str
    start_ns: int
    end_ns: int
    azimuth_deg: float | None
    elevation_deg: float | None
    speaker: str | None
    text: str
    words: tuple[WordRow, ...]
    confidence: float
    language: str
    event: str | None = None
    copy_of: str | None = None
    clip: str | None = None
    clip_start_ns: int = 0
    heard_ns: int | None = None


@dataclass(frozen=True)
class EventRow:
    """One event. `level` is event, episode or day; `reason` says why it began where it did.

    `made_by` is the stage (or what else) that made it, with the version of Echoic; both are empty where an older version did.
    """

    id: str
    session: str
    level: str
    start_ns: int
    end_ns: int
    surprise: float
    reason: str
    tracks: tuple[str, ...]
    summary: str
    made_by: str = ""
    version: str = ""


@dataclass(frozen=True)
class TrackRow:
    """One track over a whole session: where it mostly was, and how long it spoke. `positions` are (time_ns, azimuth_deg)."""

    session: str
    track: str
    speaker: str | None
    azimuth_deg: float | None
    elevation_deg: float | None
    first_ns: int
    last_ns: int
    speech_ns: int
    n_lines: int
    positions: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class PositionRow:
    """Where a track was from a moment on, until its next position."""

    session: str
    track: str
    time_ns: int
    azimuth_deg: float
    elevation_deg: float | None


@dataclass(frozen=True)
class GapRow:
    """A stretch of a session that was lost, and why."""

    session: str
    start_ns: int
    end_ns: int
    reason: str


@dataclass(frozen=True)
class Hit:
    """A line found by a search, best first; `score` grows with likeness (cosine for dense, -bm25 for words)."""

    line: str
    score: float
