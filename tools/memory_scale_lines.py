"""Lines for measuring a memory's size: texts of real meetings with fresh ids, and real vectors slightly moved.

QMSum (Zhong et al. 2021, MIT): its lines are the texts, its questions are what is asked. Every text is embedded once; a line's
vector is that of its text, moved towards another text's and a little at random, so that no two lines have the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.rows import LineRow, WordRow
from stages.memory.text_encoder import TextEncoder

LINES_PER_HOUR = 1000
"""Of one busy room: AMI's meetings of four people have 800 to 1,200 utterances an hour."""
_SPEAKERS = ("Ann", "Ben", "Cleo", "Dan")
_STARTED_AT = datetime(2025, 1, 1, tzinfo=UTC)
_TOWARDS = 0.35
_AT_RANDOM = 0.15


class ScaleError(Exception):
    """The data for the measurement are not where they were said to be."""


@dataclass(frozen=True)
class Texts:
    """Lines and questions with their vectors, float32, shape (n, dimension), of unit length, by the encoder of that name."""

    lines: tuple[str, ...]
    line_vectors: Float32Array
    questions: tuple[str, ...]
    question_vectors: Float32Array
    encoder: str


def read_texts(folder: Path, n_lines: int) -> tuple[list[str], list[str]]:
    """Lines of 3 to 40 words spread over all meetings, and 200 questions about them. Raises ScaleError."""
    lines: list[str] = []
    questions: list[str] = []
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        for entry in told["meeting_transcripts"]:
            text = " ".join(re.sub(r"\{[^}]*\}", " ", entry["content"]).split())
            if 3 <= len(text.split()) <= 40:
                lines.append(text)
        questions += [entry["query"] for entry in told["specific_query_list"]]
    lines, questions = list(dict.fromkeys(lines)), list(dict.fromkeys(questions))
    if len(lines) < n_lines or len(questions) < 200:
        raise ScaleError(f"{folder}: {len(lines)} lines and {len(questions)} questions, needed {n_lines} and 200; give QMSum's meetings")
    places = np.linspace(0, len(lines) - 1, n_lines).astype(int)
    asked = np.linspace(0, len(questions) - 1, 200).astype(int)
    return [lines[place] for place in places], [questions[place] for place in asked]


def embedded(folder: Path, cache: Path, encoder: TextEncoder, n_lines: int = 6000) -> Texts:
    """The texts of a folder with their vectors, computed once and kept in `cache`. `encoder` is started here when needed."""
    lines, questions = read_texts(folder, n_lines)
    kept = cache / f"scale-{encoder.name}-{n_lines}.npz"
    if not kept.is_file():
        encoder.start()
        try:
            vectors = encoder.encode([*lines, *questions])
        finally:
            encoder.stop()
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, vectors=vectors)
    vectors = np.load(kept)["vectors"]
    return Texts(tuple(lines), vectors[: len(lines)], tuple(questions), vectors[len(lines) :], encoder.name)


def session_lines(texts: Texts, number: int, n_lines: int = LINES_PER_HOUR) -> tuple[str, list[LineRow], Float32Array]:
    """One hour: its id, its lines by start, and their vectors. The same number gives the same hour."""
    generator = np.random.default_rng((20261123, number))
    session = f"hour-{number:05d}"
    n_texts = len(texts.lines)
    # A meeting keeps to its subject: half of its lines are neighbours in the original, the others come from anywhere.
    first = int(generator.integers(n_texts))
    follows = generator.random(n_lines) < 0.5
    places = np.where(follows, (first + np.arange(n_lines)) % n_texts, generator.integers(n_texts, size=n_lines))
    others = generator.integers(n_texts, size=n_lines)
    vectors: Float32Array = texts.line_vectors[places] + _TOWARDS * texts.line_vectors[others]
    noise = generator.standard_normal(vectors.shape).astype(np.float32)
    vectors += np.float32(_AT_RANDOM) * noise / _lengths(noise)
    vectors /= _lengths(vectors)
    spacing_ns = 3600 * NS_PER_S // n_lines
    tracks = generator.integers(len(_SPEAKERS), size=n_lines)
    rows = [
        _row(session, texts.lines[place], place_in_hour * spacing_ns, spacing_ns, int(track))
        for place_in_hour, (place, track) in enumerate(zip(places.tolist(), tracks.tolist(), strict=True))
    ]
    return session, rows, vectors


def begun(number: int) -> datetime:
    """When an hour of the made recordings began: one every two hours."""
    return _STARTED_AT + timedelta(hours=2 * number)


def hours(texts: Texts, first: int, n_hours: int) -> Iterator[tuple[str, list[LineRow], Float32Array]]:
    """`session_lines` of so many hours."""
    for number in range(first, first + n_hours):
        yield session_lines(texts, number)


def _lengths(vectors: Float32Array) -> Float32Array:
    lengths: Float32Array = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True, dtype=np.float32))
    return lengths


def _row(session: str, text: str, start_ns: int, span_ns: int, track: int) -> LineRow:
    said = text.split()
    borders = [start_ns + place * span_ns // len(said) for place in range(len(said) + 1)]
    return LineRow(
        id=f"{session}-t{track + 1}-{start_ns // 10**6:08d}",
        session=session,
        track=f"t{track + 1}",
        start_ns=start_ns,
        end_ns=start_ns + span_ns,
        azimuth_deg=90.0 * track + 10.0,
        elevation_deg=None,
        speaker=_SPEAKERS[track],
        text=text,
        words=tuple(WordRow(word, borders[place], borders[place + 1], 0.9) for place, word in enumerate(said)),
        confidence=0.9,
        language="en",
    )
