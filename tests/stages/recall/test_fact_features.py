"""What is told of a line to judge whether it holds a fact, with likeness given by hand."""

from __future__ import annotations

import numpy as np

from stages.memory.rows import LineRow
from stages.recall.fact_features import NAMES, features
from stages.recall.question import parse
from stages.recall.search import Ranked
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_scope import MOMENTS

LEAD = line_row("When does it leave?", 0.0, speaker="speaker-9", event="e1")
BUS = line_row("The bus leaves at half past eight.", 2.0, event="e1")
SEATS = line_row("It has forty seats and two doors.", 6.0, event="e1")
RAIN = line_row("It was a lovely place in Lisbon.", 60.0, track="t2", event="e2")
LINES = (LEAD, BUS, SEATS, RAIN)


def ranked(cosines: dict[str, float] | None = None) -> Ranked:
    likeness = dict(zip((line.id for line in LINES), (0.5, 0.7, 0.3, 0.1), strict=True)) if cosines is None else cosines
    return Ranked(
        lines=LINES,
        scores={line.id: 10.0 * likeness.get(line.id, 0.0) for line in LINES},
        cosines=likeness,
        centres={line.id: 0.4 for line in LINES[:3]},
        chains=((LEAD, BUS, SEATS), (RAIN,)),
    )


def told(question: str, line: LineRow) -> dict[str, float]:
    rows = features(parse(question, MOMENTS), ranked(), LINES)
    return dict(zip(NAMES, rows[LINES.index(line)].tolist(), strict=True))


def test_likeness_is_that_of_the_line_of_what_was_asked_before_and_of_its_stretch() -> None:
    of = told("When does the bus leave?", BUS)
    assert (of["cosine"], of["cosine of the question before"], of["centre of the stretch"], of["best of the stretch"]) == (
        0.7,
        0.5,
        0.4,
        0.5,
    )
    assert (of["below the best cosine"], of["below the best score"]) == (0.0, 0.0)
    other = told("When does the bus leave?", SEATS)
    assert np.isclose(other["below the best cosine"], -0.4)
    assert np.isclose(other["below the best score"], -4.0)
    assert told("When does the bus leave?", RAIN)["alone"] == 1.0


def test_words_count_in_the_line_beside_it_and_around_it_the_rare_ones_more() -> None:
    assert told("When does the bus leave?", BUS)["words"] == 1.0
    beside = told("When does the bus leave?", SEATS)
    assert beside["words"] == 0.0
    assert beside["words beside"] == beside["words around"] == 1.0
    partly = told("Which bus goes to Lisbon?", BUS)["words"]
    assert 0.0 < partly < 1.0


def test_the_kind_and_the_measure_that_are_asked_for_are_looked_for() -> None:
    of = told("When does the bus leave?", BUS)
    assert (of["holds the kind"], of["lacks the kind"]) == (1.0, 0.0)
    lacking = told("When does the bus leave?", RAIN)
    assert (lacking["holds the kind"], lacking["lacks the kind"]) == (0.0, 1.0)
    fits, differs = told("How many seats does it have?", SEATS), told("How many wheels does it have?", SEATS)
    assert (fits["measure fits"], fits["measure differs"]) == (1.0, 0.0)
    assert (differs["measure fits"], differs["measure differs"]) == (0.0, 1.0)


def test_when_somebody_said_something_asks_for_what_was_said() -> None:
    of = told("When did speaker-1 say where the bus stops?", RAIN)
    assert (of["holds the kind"], of["lacks the kind"]) == (1.0, 0.0)


def test_questions_names_and_numbers_are_known() -> None:
    assert told("When does the bus leave?", LEAD)["is a question"] == 1.0
    assert told("When does the bus leave?", RAIN)["names"] == 1.0
    assert told("When does the bus leave?", SEATS)["numbers"] == 1.0


def test_no_lines_have_no_features() -> None:
    assert features(parse("When does the bus leave?", MOMENTS), ranked({}), ()).shape == (0, len(NAMES))
