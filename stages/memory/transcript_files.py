"""Transcripts into a memory and out of it: import and export."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array, seconds
from pipeline.safe_json import safe_json
from stages.events.event_stream import event_of
from stages.events.room_segmenter import RoomSegmenter
from stages.events.spoken_line import SpokenLine
from stages.events.surprise_segmenter import SurpriseSegmenter, SurpriseSettings
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.people.talker_store import TurnRow
from stages.memory.rows import LineRow, SessionRow
from stages.memory.text_encoder import TextEncoder
from stages.memory.transcript_parser import SpokenText, TranscriptFileError, read_transcript

__all__ = ["ExportFormat", "ImportReport", "TranscriptFileError", "export_session", "import_transcript"]

ExportFormat = Literal["jsonl", "vtt", "rttm", "tracks"]
_AT_ONCE = 512
_NO_ARRAY = "none"
_PAUSE_IN_TURN_NS = NS_PER_S
_PAUSE_OF_BREATH_NS = NS_PER_S // 5


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `n_added` is 0 when the memory had the transcript already."""

    session: str
    n_lines: int
    n_added: int
    n_events: int


def import_transcript(
    path: Path,
    memory: LongTermMemory,
    encoder: TextEncoder,
    started_at: datetime,
    progress: Callable[[int, int], None] | None = None,
    settings: SurpriseSettings | None = None,
    spoken: Sequence[SpokenText] | None = None,
) -> ImportReport:
    """Make a session of a .jsonl, .vtt or .srt file, with events and embeddings like any other, times kept exactly.

    The same content is the same session: importing it again adds nothing, and goes on where an import was cut short. `progress`
    is told how many lines are in, of how many. The whole file is checked before anything is written; `spoken` is what
    `read_transcript` gave of it, where it has been read already. Raises TranscriptFileError.
    """
    spoken = read_transcript(path) if spoken is None else spoken
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    known = {row.id: row for row in memory.sessions()}
    session = next((name for name in sorted(known) if name.endswith(f"-{digest}")), f"{_slug(path.stem)}-{digest}")
    is_new = session not in known
    if session in known and known[session].complete:
        return ImportReport(session, len(spoken), 0, len(memory.events(session)))
    duration_ns = max(entry.end_ns for entry in spoken)
    memory.begin_session(SessionRow(session, str(path), started_at, duration_ns, _NO_ARRAY, complete=False))
    rows = _rows(session, spoken)
    surprise = settings or SurpriseSettings()
    room = RoomSegmenter(lambda reason: SurpriseSegmenter(surprise, reason))
    n_added = n_events = 0
    for first in range(0, len(rows), _AT_ONCE):
        part = rows[first : first + _AT_ONCE]
        there = set() if is_new else {row.id for row in memory.lines(session, ids=[row.id for row in part])}
        vectors = _vectors(part, there, memory, encoder)
        memory.add_rows(session, part, vectors, part[-1].end_ns)
        ended = [stretch for row, vector in zip(part, vectors, strict=True) for stretch in room.take(_spoken(session, row, vector))]
        if first + _AT_ONCE >= len(rows):
            ended += room.end()
        memory.add_events(session, [event_of(stretch, "import") for stretch in ended])
        n_added += len(part) - len(there)
        n_events += len(ended)
        if progress is not None:
            progress(first + len(part), len(rows))
    memory.finish_session(session, duration_ns)
    return ImportReport(session, len(rows), n_added, n_events)


def export_session(
    memory: LongTermMemory, session: str, format: ExportFormat, copies: bool = False, *, at: datetime | None = None
) -> Iterator[str]:
    """A session line by line, without line ends: JSON lines (the form that import reads), WebVTT, or RTTM. By start.

    With "tracks", where each track was instead: JSON lines by time, one whenever a track had moved by four degrees.
    As of `at`, what had been said by then.

    Raises MemoryError_ when there is no such session.
    """
    memory.session_row(session)
    if format == "tracks":
        return _positions(memory, session, at)
    rows = memory.lines(session, copies=copies, at=at)
    if format == "rttm":
        return _rttm(session, rows, memory.talkers.turns(session, at=at))
    writers: dict[str, Callable[[Sequence[LineRow]], Iterator[str]]] = {"jsonl": _json_lines, "vtt": _vtt}
    if format not in writers:
        raise TranscriptFileError(f"export format {format!r} is not known; allowed are {', '.join(get_args(ExportFormat))}")
    return writers[format](rows)


def line_json(row: LineRow) -> dict[str, Any]:
    """One line of a memory in the form of `export --format jsonl`."""
    return {
        "id": row.id,
        "session": row.session,
        "start_s": seconds(row.start_ns),
        "end_s": seconds(row.end_ns),
        "track": row.track,
        "azimuth_deg": row.azimuth_deg,
        "speaker": row.speaker,
        "text": row.text,
        "words": [{"text": word.text, "start_s": seconds(word.start_ns), "end_s": seconds(word.end_ns)} for word in row.words],
        "event": row.event,
        "copy_of": row.copy_of,
    }


def _rows(session: str, spoken: Sequence[SpokenText]) -> list[LineRow]:
    """Lines with ids of their own, in the order given; each speaker gets a track."""
    tracks: dict[str | None, str] = {}
    given = {entry.track for entry in spoken if entry.track}
    keys: dict[str, int] = {}
    rows = []
    for entry in spoken:
        if entry.track is None and entry.speaker not in tracks:
            number = len(tracks) + 1
            while f"t{number}" in given or f"t{number}" in tracks.values():
                number += 1
            tracks[entry.speaker] = f"t{number}"
        track = entry.track or tracks[entry.speaker]
        key = f"{track}-{entry.start_ns // 10**6:08d}"
        keys[key] = keys.get(key, 0) + 1
        rows.append(
            LineRow(
                id=f"{session}-{key}" if keys[key] == 1 else f"{session}-{key}-{keys[key]}",
                session=session,
                track=track,
                start_ns=entry.start_ns,
                end_ns=entry.end_ns,
                azimuth_deg=entry.azimuth_deg,
                elevation_deg=None,
                speaker=entry.speaker,
                text=entry.text,
                words=entry.words,
                confidence=1.0,
                language="",
            )
        )
    return rows


def _spoken(session: str, row: LineRow, vector: Float32Array) -> SpokenLine:
    """What a segmenter sees of a line."""
    key = row.id.removeprefix(f"{session}-")
    return SpokenLine(key, row.track, row.start_ns, row.end_ns, row.text, vector, row.azimuth_deg, row.confidence)


def _vectors(rows: Sequence[LineRow], there: set[str], memory: LongTermMemory, encoder: TextEncoder) -> Float32Array:
    """Vectors of lines, from the memory where it has them already."""
    vectors = np.zeros((len(rows), encoder.dimension), dtype=np.float32)
    old = [place for place, row in enumerate(rows) if row.id in there]
    new = [place for place, row in enumerate(rows) if row.id not in there]
    if old:
        vectors[old] = memory.vectors([rows[place].id for place in old])
    if new:
        vectors[new] = encoder.encode([rows[place].text for place in new])
    return vectors


def _json_lines(rows: Sequence[LineRow]) -> Iterator[str]:
    for row in rows:
        yield safe_json(line_json(row))


def _positions(memory: LongTermMemory, session: str, at: datetime | None) -> Iterator[str]:
    for place in memory.positions(session, at=at):
        entry = {
            "session": place.session,
            "track": place.track,
            "time_s": seconds(place.time_ns),
            "azimuth_deg": place.azimuth_deg,
            "elevation_deg": place.elevation_deg,
        }
        yield safe_json(entry)


def _vtt(rows: Sequence[LineRow]) -> Iterator[str]:
    yield "WEBVTT"
    for row in rows:
        text = " ".join(row.text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("-->", "--&gt;")
        speaker = (row.speaker or row.track).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield ""
        yield f"{_clock(row.start_ns)} --> {_clock(row.end_ns)}"
        yield f"<v {speaker}>{text}</v>"


def _rttm(session: str, rows: Sequence[LineRow], turns: Sequence[TurnRow]) -> Iterator[str]:
    """NIST's Rich Transcription Time Marked: one SPEAKER line a turn, by start.

    Where talkers of a track were told apart the turns are theirs, words or not, also of talkers whom nobody can name. Elsewhere they
    come from lines: what one speaker says until somebody else does, or until a pause of more than a second; shorter ones count as
    theirs, as the reference transcripts of meetings have it.
    """
    # Until a session has ended nobody is known for its turns.
    told = _Covered(turns if any(turn.speaker is not None for turn in turns) else [])
    found = _joined([(turn.speaker or f"unknown-{turn.talker}", turn.start_ns, turn.end_ns) for turn in told.turns])
    lines: list[tuple[str, int, int]] = []
    for row in rows:
        who = row.speaker or row.track
        if told.covers(row):
            continue
        if lines and lines[-1][0] == who and row.start_ns - lines[-1][2] <= _PAUSE_IN_TURN_NS:
            lines[-1] = (who, lines[-1][1], max(lines[-1][2], row.end_ns))
        else:
            lines.append((who, row.start_ns, row.end_ns))
    for who, start_ns, end_ns in sorted(found + lines, key=lambda turn: (turn[1], turn[0])):
        name = re.sub(r"\s+", "_", who)
        yield f"SPEAKER {session} 1 {seconds(start_ns):.3f} {seconds(end_ns - start_ns):.3f} <NA> <NA> {name} <NA> <NA>"


class _Covered:
    """Which lines lie on turns: their speech is told already."""

    def __init__(self, turns: Sequence[TurnRow]) -> None:
        self.turns = turns
        self._starts: dict[str, list[int]] = {}
        self._latest_ends: dict[str, list[int]] = {}
        for turn in turns:
            ends = self._latest_ends.setdefault(turn.track, [])
            ends.append(max(turn.end_ns, ends[-1] if ends else 0))
            self._starts.setdefault(turn.track, []).append(turn.start_ns)

    def covers(self, row: LineRow) -> bool:
        """Whether a turn of the line's track overlaps it."""
        before = bisect_left(self._starts.get(row.track, []), row.end_ns)
        return before > 0 and self._latest_ends[row.track][before - 1] > row.start_ns


def _joined(spoken: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """What each speaker says, over the pauses of a breath; `spoken` is by start."""
    latest: dict[str, tuple[str, int, int]] = {}
    done = []
    for who, start_ns, end_ns in spoken:
        before = latest.get(who)
        if before is not None and start_ns - before[2] <= _PAUSE_OF_BREATH_NS:
            latest[who] = (who, before[1], max(before[2], end_ns))
            continue
        if before is not None:
            done.append(before)
        latest[who] = (who, start_ns, end_ns)
    return done + list(latest.values())


def _clock(time_ns: int) -> str:
    thousandths = round(time_ns / 10**6)
    whole_s = thousandths // 1000
    return f"{whole_s // 3600:02d}:{whole_s // 60 % 60:02d}:{whole_s % 60:02d}.{thousandths % 1000:03d}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "transcript"
