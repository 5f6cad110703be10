"""The fit of the weights by which search tells which lines a question asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.memory.hashed_words import HashedWords
from stages.recall import encoder_fits
from stages.recall.encoder_fits import FIRST, RelevanceFit, relevance_file, relevance_fit
from stages.recall.relevance import FEATURES
from stages.recall.search import Searcher
from tests.stages.recall.line_rows import line_row
from tools.fit_relevance import Example, examples_of, fitted, folds, report
from tools.recall_meetings import heard, read
from tools.recall_meetings_data import Meeting, MeetingQuestion, MeetingTurn

TELLS, MISLEADS = FEATURES.index("words"), FEATURES.index("named")


def _examples(n: int = 60) -> list[Example]:
    """Of right lines one feature is high and one low, with noise; the rest is noise, and a session's features say nothing in a meeting."""
    generator = np.random.default_rng(3)
    found = []
    for number in range(n):
        meeting = Meeting(f"ES{number % 12:02d}a", (), ())
        lines = tuple(line_row(f"line {place}", 100.0 * place) for place in range(20))
        right = {int(place) for place in generator.choice(20, 3, replace=False)}
        rows = generator.normal(0.0, 1.0, (20, len(FEATURES)))
        rows[:, FEATURES.index("meaning of session")] = generator.normal(0.0, 100.0)
        rows[sorted(right), TELLS] += 4.0
        rows[sorted(right), MISLEADS] -= 4.0
        turns = {line.id: (meeting.name, place) for place, line in enumerate(lines)}
        found.append(Example(meeting, MeetingQuestion("?", frozenset(right)), lines, turns, dict.fromkeys(turns, 0), rows))
    return found


def test_the_fit_finds_the_feature_that_tells_and_takes_none_below_nothing() -> None:
    weights = fitted(_examples())
    assert weights[TELLS] > 4 * np.delete(weights, TELLS).max()
    assert weights[MISLEADS] == 0.0
    assert weights.min() >= 0.0


def test_a_question_without_a_right_line_among_the_candidates_is_no_evidence() -> None:
    examples = _examples()
    elsewhere = [
        Example(one.meeting, MeetingQuestion("?", frozenset({99})), one.lines, one.turns, one.talks, one.features) for one in examples
    ]
    assert np.array_equal(fitted(examples + elsewhere), fitted(examples))
    assert elsewhere[0].scores(fitted(examples)).mrr == 0.0


def test_a_series_is_in_one_group_alone() -> None:
    meetings = [Meeting(f"ES{number}{part}", (), ()) for number in range(10, 20) for part in "abcd"]
    groups = folds(meetings, 8)
    assert len(groups) == 8
    assert sorted(name for group in groups for name in group) == sorted({meeting.series for meeting in meetings})


def test_the_report_tries_weights_on_series_that_they_were_not_fitted_on() -> None:
    examples = _examples()
    now = relevance_fit(FIRST).weights.astype(np.float64)
    told = report({"per meeting": examples}, now).splitlines()
    now_row, new_row = (row.split(" | ") for row in told[2:])
    assert (now_row[1], new_row[1]) == ("as they are", "of other series")
    assert float(new_row[4]) > float(now_row[4])


def test_search_ranks_by_what_was_fitted_to_its_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class OwnEncoder(HashedWords):
        name = "fitted for length"

    texts = ["the budget", "lunch was late and cold and nobody came to eat it", "it rains again"]
    turns = tuple(MeetingTurn(place, 5.0 * place, 5.0 * place + 3.0, "A", text) for place, text in enumerate(texts))
    meeting = Meeting("ES1a", turns, (MeetingQuestion("What about the budget?", frozenset({0})),))
    weights = np.array([name == "length" for name in FEATURES], dtype=np.float32)
    monkeypatch.setattr(encoder_fits, "FOLDER", tmp_path)
    relevance_file(OwnEncoder.name).parent.mkdir()
    relevance_file(OwnEncoder.name).write_text(RelevanceFit(FEATURES, weights).to_json(), encoding="utf-8")
    with heard([meeting], OwnEncoder()) as (memory, _):
        ranked = Searcher(memory, OwnEncoder(), None).search(*read(meeting.questions[0].text, memory))
    assert [line.text for line in ranked.nearest] == [texts[1], texts[2], texts[0]]


def test_candidates_of_a_question_are_labelled_by_turn_and_scored_as_search_ranks_them() -> None:
    texts = ["the budget is tight", "lunch was late", "who opens the window", "it rains again", "we sell remotes"]
    turns = tuple(MeetingTurn(2 * place, 5.0 * place, 5.0 * place + 3.0, "A", text) for place, text in enumerate(texts))
    meeting = Meeting("ES1a", turns, (MeetingQuestion("What about the budget?", frozenset({0, 1})),))
    (example,) = examples_of([meeting], HashedWords())
    assert [line.text for line in np.array(example.lines, dtype=object)[example.right]] == texts[:1]
    assert example.scores(relevance_fit(FIRST).weights.astype(np.float64)).mrr == 1.0
