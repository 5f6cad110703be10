"""Support of lines for facts, by the trees that are kept; that they fit the encoder is shown by the rooms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from stages.memory.rows import LineRow
from stages.recall.fact_features import Features
from stages.recall.fact_support import fact_support, judged_lines
from stages.recall.question import parse
from stages.recall.search import Ranked
from stages.recall.support import THRESHOLD
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_scope import MOMENTS

BUS = line_row("The bus leaves at half past eight.", 2.0, event="e1")
DRIVER = line_row("It is the new driver again.", 6.0, event="e1")
RAIN = line_row("It was a lovely place.", 60.0, track="t2", event="e2")


def ranked(*likeness: tuple[LineRow, float]) -> Ranked:
    lines = tuple(line for line, _ in likeness)
    chains = tuple(tuple(line for line in lines if line.track == track) for track in ("t1", "t2"))
    cosines = {line.id: cosine for line, cosine in likeness}
    scores = {name: 8.0 * cosine for name, cosine in cosines.items()}
    return Ranked(lines, scores, cosines, cosines, {}, tuple(chain for chain in chains if chain))


def supports(question: str, found: Ranked) -> list[float]:
    return fact_support(parse(question, MOMENTS), found, found.lines)


def test_a_line_that_has_the_words_and_the_kind_is_supported_others_are_not() -> None:
    bus, driver, rain = supports("When does the bus leave?", ranked((BUS, 0.65), (DRIVER, 0.3), (RAIN, 0.1)))
    assert bus >= THRESHOLD
    assert max(driver, rain) < THRESHOLD


def test_more_likeness_never_takes_support_away() -> None:
    found = [supports("Who drives the bus?", ranked((BUS, 0.4), (DRIVER, cosine / 20), (RAIN, 0.1)))[1] for cosine in range(20)]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_a_name_must_have_been_said_around_the_line() -> None:
    assert supports("When does the bus leave for Lisbon?", ranked((BUS, 0.9), (RAIN, 0.1))) == [0.0, 0.0]
    lisbon = line_row("To Lisbon, then.", 0.0, event="e1")
    assert supports("When does the bus leave for Lisbon?", ranked((BUS, 0.9), (lisbon, 0.5), (RAIN, 0.1)))[0] > THRESHOLD


def test_a_line_that_says_every_word_answers_whatever_kind_of_thing_it_is() -> None:
    ball = line_row("A young dog needs a toy. My dog loves his red ball.", 2.0, event="e1")
    (said,) = supports("Who loves his red ball?", ranked((ball, 0.58)))
    assert said >= THRESHOLD
    (unlike,) = supports("Who loves his red ball?", ranked((ball, 0.3)))
    (unsaid,) = supports("When did the dog love his red ball?", ranked((ball, 0.58)))
    assert max(unlike, unsaid) < THRESHOLD


def test_nothing_found_supports_nothing_and_lines_without_words_are_not_judged() -> None:
    assert fact_support(parse("When does the bus leave?", MOMENTS), ranked(), ()) == []
    silent = line_row("[speech]", 3.0, confidence=0.0)
    assert judged_lines(ranked((BUS, 0.5), (silent, 0.6))) == (BUS,)


def test_a_line_that_counts_something_else_is_no_answer_however_like_it_is() -> None:
    weight = line_row("Biscuit weighs nine kilos by now.", 2.0, event="e1")
    age = line_row("Biscuit is nine years old by now.", 2.0, event="e1")
    assert supports("How old is Biscuit by now?", ranked((weight, 0.8))) == [0.0]
    assert supports("How old is Biscuit by now?", ranked((age, 0.8)))[0] > THRESHOLD


def test_a_line_of_another_bed_is_no_answer_however_like_it_is() -> None:
    seven = line_row("Bed seven is Lindqvist, no penicillin.", 2.0, event="e1")
    assert supports("Who is in bed six?", ranked((seven, 0.8))) == [0.0]
    assert supports("Who is in bed 7?", ranked((seven, 0.8)))[0] > THRESHOLD


def test_a_number_that_was_corrected_can_be_asked_for() -> None:
    four = line_row("The train leaves from platform four.", 2.0, event="e1")
    nine = line_row("No, it leaves from platform nine.", 6.0, event="e1")
    asked = "Does the train leave from platform nine?"
    assert supports(asked, ranked((four, 0.8), (nine, 0.6)))[0] > THRESHOLD
    assert supports(asked, ranked((nine, 0.6), (four, 0.8)))[1] == 0.0


def test_a_line_of_somebody_else_is_no_answer_however_like_it_is() -> None:
    his = line_row("He had his tablets at twelve, the next tablets are due at six.", 2.0, event="e1")
    assert supports("When are my aunt's tablets due?", ranked((his, 0.8))) == [0.0]
    assert supports("When are my uncle's tablets due?", ranked((his, 0.8)))[0] > THRESHOLD
    cat, ruined = line_row("The cat.", 1.0, speaker="Colin", event="e1"), line_row("She ruined the green armchair, yes.", 2.0, event="e1")
    assert supports("Did Mrs Bell ruin the armchair?", ranked((cat, 0.3), (ruined, 0.8)))[1] == 0.0
    assert supports("Did the cat ruin the armchair?", ranked((cat, 0.3), (ruined, 0.8)))[1] > THRESHOLD


def test_what_a_talker_says_that_others_said_is_what_the_talker_said() -> None:
    vet = line_row("The vet says that he ate a candle.", 2.0, speaker="Ruth", event="e1")
    assert supports("When did Ruth say what the vet says he ate?", ranked((vet, 0.8)))[0] > THRESHOLD
    away = line_row("My sister moved to Canada in May.", 2.0, speaker="Ruth", event="e1")
    assert supports("When did Ruth move to Canada?", ranked((away, 0.8))) == [0.0]


def test_an_encoder_is_judged_by_its_own_trees() -> None:
    found = ranked((BUS, 0.45), (DRIVER, 0.3), (RAIN, 0.1))
    mine, other = (supports("Who drives the bus?", replace(found, encoder=name)) for name in ("all-MiniLM-L6-v2", "all-mpnet-base-v2"))
    assert mine != other
    assert supports("Who drives the bus?", found) == mine


class _Doubtful:
    def log_odds(self, rows: Features) -> npt.NDArray[np.float64]:
        return np.full(len(rows), -3.0)


def test_saying_every_word_is_no_answer_to_why_how_or_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.recall.fact_support._trees", lambda _: _Doubtful())
    found = ranked((line_row("The boiler is broken again.", 2.0, event="e1"), 0.7))
    for text in ("Why is the boiler broken?", "How is the boiler broken?", "Where is the boiler broken?"):
        assert supports(text, found)[0] < THRESHOLD, text
    for text in ("Is the boiler broken?", "What is broken?"):
        assert supports(text, found)[0] >= THRESHOLD, text
