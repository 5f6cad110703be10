"""Which lines a question allows: its time, speaker and bearing against the sessions that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from stages.memory.rows import LineRow, SessionRow
from stages.recall.answers import speaker_of
from stages.recall.question import Question
from stages.recall.sides import BEARING_TOLERANCE_DEG, NEAR_DEG
from stages.recall.time_phrase import Window

Span = tuple[int, int]


@dataclass(frozen=True)
class Scope:
    """The lines that a question allows.

    `spans` are the session times to look at, by session; a session that is not there is not asked about. `window` is the asked
    time, if there is one.
    `tracks` are those of one conversation, where only that one is meant; `without` are lines, by id, that were told already;
    `talkers` (in lower case) are the only ones who are meant. `near` are the sessions in which somebody was heard so near to the bearing
    that nobody farther from it is meant.
    `notes` say which reading was taken where the question left one open.
    """

    spans: Mapping[str, Span]
    sessions: Mapping[str, SessionRow]
    window: Window | None = None
    speaker: str | None = None
    azimuth_deg: float | None = None
    azimuth_tolerance_deg: float = BEARING_TOLERANCE_DEG
    notes: tuple[str, ...] = field(default=())
    tracks: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    talkers: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()

    @property
    def is_narrow(self) -> bool:
        """Whether only some of the lines of its sessions are allowed."""
        return self.window is not None or self.speaker is not None or self.azimuth_deg is not None or bool(self.talkers)

    def allows(self, line: LineRow) -> bool:
        """Whether a line fits all constraints."""
        span = self.spans.get(line.session)
        if span is None or line.end_ns <= span[0] or line.start_ns >= span[1]:
            return False
        if (self.tracks is not None and line.track not in self.tracks) or line.id in self.without:
            return False
        if self.talkers and speaker_of(line).lower() not in self.talkers:
            return False
        if self.speaker is not None and self.speaker.lower() != speaker_of(line).lower():
            return False
        tolerance_deg = NEAR_DEG if line.session in self.near else self.azimuth_tolerance_deg
        return self.azimuth_deg is None or is_near(line.azimuth_deg, self.azimuth_deg, tolerance_deg)


def is_near(azimuth_deg: float | None, asked_deg: float, tolerance_deg: float = BEARING_TOLERANCE_DEG) -> bool:
    """Whether a bearing is about the asked one; False where there is no bearing."""
    return azimuth_deg is not None and abs((azimuth_deg - asked_deg + 180.0) % 360.0 - 180.0) <= tolerance_deg


def scope_of(question: Question, sessions: Iterable[SessionRow], ends_ns: Mapping[str, int]) -> Scope:
    """The scope of a question. `ends_ns` says how far each session was heard.

    "The last five minutes" of a room in which nothing has been heard since are the last five minutes that were heard.
    """
    by_id = {session.id: session for session in sessions}
    window = question.window
    notes = tuple(note for note in (question.note, window.note if window is not None else "") if note)
    if window is not None and window.rolling_s is not None and not _spans(window, by_id, ends_ns):
        latest = max((session.moment(ends_ns[name]) for name, session in by_id.items()), default=None)
        if latest is not None:
            notes += (f"Nothing has been heard since {latest:%H:%M:%S on %d %B %Y}; this is about the time before that.",)
            window = replace(window, start=latest - timedelta(seconds=window.rolling_s), end=latest)
    return Scope(
        spans=_spans(window, by_id, ends_ns),
        sessions=by_id,
        window=window,
        speaker=question.speaker,
        azimuth_deg=question.azimuth_deg,
        azimuth_tolerance_deg=question.azimuth_tolerance_deg or BEARING_TOLERANCE_DEG,
        notes=notes,
        talkers=frozenset(name.lower() for name in question.talkers),
    )


def _spans(window: Window | None, sessions: Mapping[str, SessionRow], ends_ns: Mapping[str, int]) -> dict[str, Span]:
    spans: dict[str, Span] = {}
    for name, session in sessions.items():
        start_ns = 0 if window is None or window.start is None else _session_ns(session, window.start)
        end_ns = ends_ns[name] + 1 if window is None or window.end is None else _session_ns(session, window.end)
        if start_ns < ends_ns[name] and end_ns > 0:
            spans[name] = (max(0, start_ns), min(end_ns, ends_ns[name] + 1))
    return spans


def _session_ns(session: SessionRow, moment: datetime) -> int:
    return round((moment - session.started_at) / timedelta(microseconds=1)) * 1000
