"""Makers of lines and memories that the tests of this folder share."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from pipeline.packets import NS_PER_S, Event, Line, Track, Transcript, Utterance, Word, nanoseconds
from stages.memory.hashed_words import HashedWords
from stages.memory.rows import SessionRow

ENCODER = HashedWords()
STARTED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def session_row(name: str = "s1", *, complete: bool = False) -> SessionRow:
    return SessionRow(name, "room.flac", STARTED_AT, 0, "uma8", complete)


def line(
    text: str,
    start_s: float = 1.0,
    duration_s: float = 1.0,
    track: str = "t1",
    azimuth_deg: float | None = 10.0,
    copy_of: str | None = None,
    audio_s: float = 0.1,
) -> Line:
    start, duration = nanoseconds(start_s), nanoseconds(duration_s)
    samples = (0.1 * np.sin(np.arange(round(audio_s * 16000)) * 0.2)).astype(np.float32)
    utterance = Utterance(
        pts_ns=start, duration_ns=duration, samples=samples, sample_rate_hz=16000, track=Track(name=track, azimuth_deg=azimuth_deg)
    )
    spoken = text.split()
    borders = [start + place * duration // max(len(spoken), 1) for place in range(len(spoken) + 1)]
    words = tuple(Word(word, borders[place], borders[place + 1], 0.9) for place, word in enumerate(spoken))
    transcript = Transcript(
        pts_ns=start, duration_ns=duration, utterance=utterance, text=text, words=words, language="en", confidence=0.9, copy_of=copy_of
    )
    return Line(pts_ns=start, duration_ns=duration, transcript=transcript, embedding=ENCODER.encode([text])[0].copy())


def event(name: str, lines: list[Line], *, closed_s: float | None = None) -> Event:
    start, end = min(entry.pts_ns for entry in lines), max(entry.end_ns for entry in lines)
    closed = end if closed_s is None else round(closed_s * NS_PER_S)
    return Event(
        pts_ns=start,
        duration_ns=closed - start,
        name=name,
        lines=tuple(entry.transcript.key for entry in lines),
        tracks=tuple(sorted({entry.transcript.utterance.track.name for entry in lines})),
        reason="topic changed",
        surprise=2.5,
        summary=lines[0].transcript.text,
        embedding=lines[0].embedding.copy(),
        extra={"end_ns": end},
    )
