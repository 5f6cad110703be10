"""Small materials: what recall would have found in a room with two conversations."""

from __future__ import annotations

from datetime import UTC, datetime

from stages.memory.rows import LineRow, SessionRow
from stages.recall.answers import Stretch
from stages.recall.material import Found, Material
from stages.recall.question import Question, parse
from stages.recall.time_phrase import Moments
from tests.stages.recall.line_rows import line_row

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SESSIONS = {"s": SessionRow("s", "x", START, 60 * 10**9, "uma8", True)}

DOGS = (
    line_row("My dog ran away in the park yesterday", 1.0, track="t1", azimuth_deg=30.0, event="s-dogs"),
    line_row("Did you find him?", 5.0, track="t2", azimuth_deg=75.0, event="s-dogs"),
)
FERRY = (
    line_row("When does the ferry leave?", 2.0, track="t3", azimuth_deg=200.0, event="s-ferry"),
    line_row("The ferry leaves on Saturday at half past nine", 4.5, track="t4", azimuth_deg=260.0, event="s-ferry"),
    line_row("A ticket is eighteen dollars", 9.0, track="t4", azimuth_deg=260.0, event="s-ferry"),
)


def question(text: str) -> Question:
    return parse(text, Moments(START))


def stretch(lines: tuple[LineRow, ...]) -> Stretch:
    return Stretch("s", lines[0].start_ns, lines[-1].end_ns, lines[0].event, lines[0].text, lines, 1.0)


def missed_material() -> Material:
    return Material(attended=(stretch(DOGS),), missed=(stretch(FERRY),), sessions=SESSIONS)


def found_material(*lines: LineRow, context: tuple[LineRow, ...] = FERRY) -> Material:
    return Material(
        found=tuple(Found(line, 1.0 - 0.01 * n, 0.9 - 0.01 * n, 1.0, context) for n, line in enumerate(lines)), sessions=SESSIONS
    )
