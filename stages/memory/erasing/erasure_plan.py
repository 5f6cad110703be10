"""What an erasure is to reach: a selection by time, direction, person and session, resolved to rows and spans."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path

from pipeline.packets import NS_PER_S
from pipeline.session import SessionReader
from pipeline.session_info import has_session
from stages.memory.attention import attention_erasure
from stages.memory.disk.disk_use import RECORDINGS
from stages.memory.memory_errors import MemoryError_
from stages.memory.people import speaker_rows

Span = tuple[int, int]
MARGIN_NS = NS_PER_S // 4
"""How far around a line its sound is erased at least: words begin before and end after their times."""
_MOST_SESSION_NS = 2**62


class ErasureError(MemoryError_):
    """What is to be erased cannot be told from what was given; the message says what can be given."""

    exit_code = 2


@dataclass(frozen=True)
class Selection:
    """What to erase: everything that fits all that is given, and something must be given.

    Times are nanoseconds since 1970 in UTC. `sector_deg` runs counterclockwise from the first bearing to the second, across 0 where the
    first is greater. `speaker` is an id or a name as `SpeakerRow` has them.
    """

    from_ns: int | None = None
    to_ns: int | None = None
    sector_deg: tuple[float, float] | None = None
    speaker: speaker_rows.SpeakerRow | None = None
    session: str | None = None

    def __post_init__(self) -> None:
        if all(value is None for value in (self.from_ns, self.to_ns, self.sector_deg, self.speaker, self.session)):
            raise ErasureError("nothing says what to erase; give at least one of --from, --to, --sector, --speaker, --session")
        if self.from_ns is not None and self.to_ns is not None and self.from_ns >= self.to_ns:
            raise ErasureError("--from must be before --to")
        if self.sector_deg is not None and not all(-360 <= bearing <= 360 for bearing in self.sector_deg):
            raise ErasureError(f"--sector: bearings must be -360 to 360 degrees, found {self.sector_deg[0]:g}..{self.sector_deg[1]:g}")


@dataclass(frozen=True)
class Plan:
    """Rows and spans that are to go.

    `sessions` go wholly. `spans` (session time, by session) are erased from the recordings, and every sound and the audio of every line in
    them. `lines` are row numbers. `everywhere` says that all tracks lose what is known of them in the spans, otherwise those of `tracks`
    (session, track) do, and `talkers` (session, track, number) lose their turns. `people` go wholly, with the names of `names`;
    `attentions` are numbers of declarations of what was followed.
    """

    sessions: tuple[str, ...] = ()
    spans: dict[str, list[Span]] = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    everywhere: bool = False
    tracks: tuple[tuple[str, str], ...] = ()
    talkers: tuple[tuple[str, str, int], ...] = ()
    people: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    attentions: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to erase."""
        return not (self.sessions or self.spans or self.lines or self.people or self.attentions)

    @property
    def duration_ns(self) -> int:
        """How much session time is erased."""
        return sum(end - start for spans in self.spans.values() for start, end in spans)

    def to_json(self) -> str:
        """As it stands in the table of erasures."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """What `to_json` made."""
        row = json.loads(text)
        return cls(
            sessions=tuple(row["sessions"]),
            spans={session: [(int(start), int(end)) for start, end in spans] for session, spans in row["spans"].items()},
            lines=tuple(row["lines"]),
            everywhere=bool(row["everywhere"]),
            tracks=tuple((str(session), str(track)) for session, track in row["tracks"]),
            talkers=tuple((str(session), str(track), int(talker)) for session, track, talker in row["talkers"]),
            people=tuple(row["people"]),
            names=tuple((str(session), str(track)) for session, track in row["names"]),
            attentions=tuple(row.get("attentions", ())),
        )


def in_sector(azimuth_deg: float, sector_deg: tuple[float, float]) -> bool:
    """Whether a bearing lies in a sector, which may run across 0."""
    first, last = sector_deg
    if last - first >= 360:
        return True
    return (azimuth_deg - first) % 360.0 <= (last - first) % 360.0


def resolve(connection: sqlite3.Connection, root: Path | None, selection: Selection) -> Plan:
    """The rows and spans that a selection means. Lines that reach into a span go wholly, and so do their leaks into other beams."""
    sessions = connection.execute("SELECT id, started_at_ns, duration_ns, complete FROM sessions ORDER BY started_at_ns, id").fetchall()
    chosen = [row for row in sessions if selection.session in (None, row[0])]
    by_place = selection.sector_deg is not None or selection.speaker is not None
    theirs = None if selection.speaker is None else _lines_of(connection, selection.speaker)
    whole: list[str] = []
    spans: dict[str, list[Span]] = {}
    lines: list[int] = []
    tracks: set[tuple[str, str]] = set()
    for session, started_ns, duration_ns, complete in chosen:
        begin = 0 if selection.from_ns is None else max(0, selection.from_ns - started_ns)
        end = _MOST_SESSION_NS if selection.to_ns is None else selection.to_ns - started_ns
        (last_ns,) = connection.execute("SELECT max(end_ns) FROM lines WHERE session = ?", (session,)).fetchone()
        length_ns = max(duration_ns, last_ns or 0, 0 if complete else _recorded_ns(root, session))
        if end <= 0 or (complete and begin >= max(length_ns, 1)):
            continue
        if not by_place and begin == 0 and end >= length_ns and (complete or end == _MOST_SESSION_NS):
            whole.append(session)
            spans[session] = [(0, max(length_ns, 0))]
            continue
        found = _lines_in(connection, session, (begin, end), selection, theirs)
        found += _copies(connection, session, found)
        lines += [row[0] for row in found]
        tracks |= {(session, row[1]) for row in found}
        parts = [_span_of(root, row) for row in found] + _sound_spans(connection, session, (begin, end), selection)
        if not by_place:
            parts.append((begin, min(end, max(length_ns, begin))) if complete else (begin, end if end < _MOST_SESSION_NS else length_ns))
        merged = joined(parts)
        if merged:
            spans[session] = merged
    talkers = _talkers_of(connection, selection, [row[0] for row in chosen])
    for session, track, talker in talkers:
        started_ns = next(row[1] for row in sessions if row[0] == session)
        spans_of_turns = _turns(connection, (session, track, talker), selection, started_ns)
        if spans_of_turns:
            spans[session] = joined([*spans.get(session, []), *spans_of_turns])
    gone = selection.speaker is not None and selection == Selection(speaker=selection.speaker)
    attentions = attention_erasure.naming(connection, selection.speaker) if gone and selection.speaker is not None else []
    if not by_place:
        everything = {session: [(0, _MOST_SESSION_NS)] for session in whole}
        attentions += attention_erasure.inside(connection, spans | everything)
    return Plan(
        sessions=tuple(whole),
        spans=spans,
        lines=tuple(sorted(set(lines))),
        everywhere=not by_place,
        tracks=tuple(sorted(tracks)),
        talkers=tuple(talkers),
        people=_ids_of(connection, selection.speaker) if gone and selection.speaker is not None else (),
        names=_names_of(connection, selection.speaker) if gone and selection.speaker is not None else (),
        attentions=tuple(attentions),
    )


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans by start, with those that touch or overlap made one; empty ones are left out."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def overlaps(spans: Sequence[Span], start_ns: int, end_ns: int) -> bool:
    """Whether a stretch reaches into any of the spans."""
    return any(start < end_ns and start_ns < end for start, end in spans)


_Found = tuple[int, str, int, int, str | None, int, str]
_COLUMNS = "l.n, l.track, l.start_ns, l.end_ns, l.clip, l.clip_start_ns, l.id"


def _lines_in(connection: sqlite3.Connection, session: str, span: Span, selection: Selection, theirs: set[str] | None) -> list[_Found]:
    query = f"SELECT {_COLUMNS}, l.azimuth_deg FROM lines l WHERE l.session = ? AND l.start_ns < ? AND l.end_ns > ? ORDER BY l.n"
    found = connection.execute(query, (session, span[1], span[0])).fetchall()
    return [
        row[:7]
        for row in found
        if (theirs is None or row[6] in theirs)
        and (selection.sector_deg is None or (row[7] is not None and in_sector(row[7], selection.sector_deg)))
    ]


def _copies(connection: sqlite3.Connection, session: str, found: Sequence[_Found]) -> list[_Found]:
    """Lines of other tracks that are leaks of those found: marked as copies of their track, at the same time."""
    query = f"SELECT {_COLUMNS}, l.copy_of FROM lines l WHERE l.session = ? AND l.copy_of IS NOT NULL ORDER BY l.n"
    had = {row[0] for row in found}
    spans: dict[str, list[Span]] = {}
    for row in found:
        spans.setdefault(row[1], []).append((row[2], row[3]))
    over = {track: _Overlapped(those) for track, those in spans.items()}
    rows = connection.execute(query, (session,)) if found else ()
    return [row[:7] for row in rows if row[0] not in had and row[7] in over and over[row[7]].reaches(row[2], row[3])]


class _Overlapped:
    """Whether stretches overlap any of many, each told by one binary search."""

    def __init__(self, spans: Iterable[Span]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._latest_ends = list(accumulate((end for _, end in ordered), max))

    def reaches(self, start_ns: int, end_ns: int) -> bool:
        """Whether one of the many begins before the stretch ends, and ends after it begins."""
        before = bisect_left(self._starts, end_ns)
        return before > 0 and self._latest_ends[before - 1] > start_ns


def _span_of(root: Path | None, row: _Found) -> Span:
    """Where a line's sound lies, as far as its audio reaches."""
    _, _, start_ns, end_ns, clip, clip_start_ns, _ = row
    begin, end = start_ns - MARGIN_NS, end_ns + MARGIN_NS
    if root is not None and clip is not None and (root / clip).is_file():
        import soundfile

        try:
            found = soundfile.info(root / clip)
            begin, end = min(begin, clip_start_ns), max(end, clip_start_ns + found.frames * NS_PER_S // found.samplerate)
        except RuntimeError:  # what soundfile raises for audio that it cannot read
            pass
    return max(0, begin), end


def _sound_spans(connection: sqlite3.Connection, session: str, span: Span, selection: Selection) -> list[Span]:
    """Sounds in a sector; who made a sound is not known."""
    if selection.sector_deg is None or selection.speaker is not None:
        return []
    query = "SELECT start_ns, end_ns, azimuth_deg FROM sounds WHERE session = ? AND start_ns < ? AND end_ns > ?"
    rows = connection.execute(query, (session, span[1], span[0])).fetchall()
    return [(start, end) for start, end, azimuth in rows if azimuth is not None and in_sector(azimuth, selection.sector_deg)]


def _recorded_ns(root: Path | None, session: str) -> int:
    """How long the recording of a session is that has not been heard to its end."""
    if root is None or not has_session(root / RECORDINGS / session):
        return 0
    with SessionReader(root / RECORDINGS / session) as reader:
        return reader.duration_ns


def _lines_of(connection: sqlite3.Connection, speaker: speaker_rows.SpeakerRow) -> set[str]:
    own = {row[0] for row in connection.execute("SELECT line FROM line_speakers WHERE speaker = ?", (speaker.id,))}
    return own | set(speaker_rows.imported_lines(connection, speaker) if speaker.imported or speaker.given else [])


def _ids_of(connection: sqlite3.Connection, speaker: speaker_rows.SpeakerRow) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute("SELECT id FROM speakers WHERE id = ?", (speaker.id,)))


def _names_of(connection: sqlite3.Connection, speaker: speaker_rows.SpeakerRow) -> tuple[tuple[str, str], ...]:
    """Tracks that bear the name of somebody."""
    if not (speaker.imported or speaker.given):
        return ()
    query = "SELECT session, track FROM tracks WHERE speaker = ? ORDER BY session, track"
    rows = connection.execute(query, (speaker.name,)).fetchall()
    return tuple((session, track) for session, track in rows if speaker.given or session in speaker.sessions)


def _talkers_of(connection: sqlite3.Connection, selection: Selection, sessions: Sequence[str]) -> list[tuple[str, str, int]]:
    if selection.speaker is None or selection.sector_deg is not None:
        return []
    query = "SELECT session, track, talker FROM talkers WHERE speaker = ? ORDER BY session, track, talker"
    return [row for row in connection.execute(query, (selection.speaker.id,)).fetchall() if row[0] in sessions]


def _turns(connection: sqlite3.Connection, talker: tuple[str, str, int], selection: Selection, started_ns: int) -> list[Span]:
    """When somebody spoke, words or not, as far as the selection reaches."""
    begin = 0 if selection.from_ns is None else max(0, selection.from_ns - started_ns)
    end = _MOST_SESSION_NS if selection.to_ns is None else selection.to_ns - started_ns
    query = "SELECT start_ns, end_ns FROM talker_turns WHERE session = ? AND track = ? AND talker = ? AND start_ns < ? AND end_ns > ?"
    return [(max(start, begin), min(stop, end)) for start, stop in connection.execute(query, (*talker, end, begin))]
