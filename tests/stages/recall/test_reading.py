"""A reader beside the trees: which lines it is given, what its word counts for, and that questions are answered by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.text_model import TextModelError
from pipeline.packets import Float32Array
from stages.answer.extractive import Extractive
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow
from stages.recall.encoder_fits import ReadingFit, reading_fit
from stages.recall.fact_features import NAMES
from stages.recall.fact_support import fact_support
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.memory_recall import RecallSettingsError
from stages.recall.mpnet_reader import MpnetReader
from stages.recall.question import parse
from stages.recall.reader import Reader
from stages.recall.reading import MOST_READ, MOST_WORDS, WEIGHED, asked_before, last_question, read_again, reading_features
from stages.recall.search import Ranked
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_scope import MOMENTS

MPNET = "all-mpnet-base-v2"


class Told(Reader):
    """A reader that says what it was told to say, and keeps what it was given."""

    name = "mpnet"

    def __init__(self, **scores: float) -> None:
        self._scores = scores
        self.read: list[tuple[str, str]] = []
        self.asked: list[str] = []

    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        assert question
        self.asked.append(question)
        self.read += lines
        return np.array([self._scores.get(line.split()[0].lower(), -8.0) for _, line in lines], dtype=np.float32)


@pytest.fixture(scope="module")
def reader(weights: Path) -> Iterator[MpnetReader]:
    assert weights.is_dir()
    made = MpnetReader()
    made.start()
    yield made
    made.stop()


def ranked(*lines: LineRow) -> Ranked:
    cosines = {line.id: 0.4 for line in lines}
    return Ranked(lines, {line.id: 3.0 for line in lines}, cosines, cosines, {}, (lines,), MPNET)


def test_the_likeliest_lines_are_read_with_what_was_asked_before_them() -> None:
    said = [f"Line{n} is what was said." if n != 14 else "Line14 is what was said. And was it" for n in range(20)]
    lines = tuple(line_row(f"{text}?" if n == 14 else text, 3.0 * n, event="e1") for n, text in enumerate(said))
    found, log_odds = ranked(*lines), np.linspace(-1.0, 0.5, 20)
    told, rows = Told(line15=6.0), np.full((20, len(NAMES)), 0.4)
    after = read_again(parse("What was said?", MOMENTS), found, lines, rows, log_odds, told)
    assert {text for _, text in told.read} == {line.text for line in lines[-MOST_READ:]}
    before = {text: before for before, text in told.read}
    assert before["Line15 is what was said."] == "And was it?"
    assert before["Line16 is what was said."] == ""
    assert int(after.argmax()) == 15
    assert after[15] > 0.0
    assert (after[: 20 - MOST_READ] < -10.0).all()
    assert asked_before(found, lines[0]) == ""


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("", ""), ("Fourteen.", ""), ("How many?", "How many?"), ("I see. How many of them? ", "How many of them?"),
        ("Why? I know.", ""), ("So. Is it 3.5 or 4?", "Is it 3.5 or 4?"), ("?", "?"), ("Really?!", ""), ("What?? Why??", "Why??"),
        ('He said: "Where to?"', 'He said: "Where to?'), ("(Is it?)", "(Is it?"), ("seven of us", ""),
        ("how many of us are coming", "how many of us are coming"), ("so what did it cost ", "so what did it cost"),
        ("when I came home it was dark.", ""),
    ],
)  # fmt: skip
def test_the_last_question_of_a_text(text: str, question: str) -> None:
    assert last_question(text) == question


def test_of_long_lines_fewer_are_read() -> None:
    lines = tuple(line_row(f"Line{n} " + "and so on " * 30, 3.0 * n, event="e1") for n in range(20))
    told, rows = Told(line18=6.0), np.full((20, len(NAMES)), 0.4)
    after = read_again(parse("What was said?", MOMENTS), ranked(*lines), lines, rows, np.linspace(-1.0, 0.5, 20), told)
    assert len(told.read) < MOST_READ
    assert 50 * len(told.read) <= MOST_WORDS < 50 * (len(told.read) + 1)
    assert (after[: 20 - len(told.read)] < -10.0).all()
    assert after[18] > 0.0


def test_a_line_that_is_not_like_the_question_is_never_raised() -> None:
    lines = (line_row("Brakes cost me four hundred euros.", 1.0), line_row("It rains.", 4.0))
    rows, question = np.zeros((2, len(NAMES))), parse("How much does the pool cost?", MOMENTS)
    (far, _) = read_again(question, ranked(*lines), lines, rows, np.array([-0.5, -2.0]), Told(brakes=9.0))
    rows[0, NAMES.index("cosine")] = 0.4
    (near, _) = read_again(question, ranked(*lines), lines, rows, np.array([-0.5, -2.0]), Told(brakes=9.0))
    assert far == -0.5
    assert near > 0.0


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("When did Ruth say she would sell the car?", False),
        ("When will Ruth sell the car?", True),
        ("When did Ruth say on which day it was?", True),
    ],
)
def test_what_somebody_said_is_spoken_of_near_it(text: str, least: bool) -> None:
    lines = (line_row("Friday? They told me Thursday.", 1.0), line_row("It rains.", 4.0))
    rows, question = np.zeros((2, len(NAMES))), parse(text, MOMENTS)
    rows[:, NAMES.index("cosine")] = 0.4
    (alone, _) = read_again(question, ranked(*lines), lines, rows, np.array([-0.5, -2.0]), Told(**{"friday?": 9.0}))
    assert (alone > 0.0) == least
    rows[0, NAMES.index("words beside")] = 0.5
    (near, _) = read_again(question, ranked(*lines), lines, rows, np.array([-0.5, -2.0]), Told(**{"friday?": 9.0}))
    assert near > 0.0


def test_a_line_that_only_asks_is_no_answer() -> None:
    asking = ["Who shows us round?", "Well, what would lunch cost?", "And where shall we eat?"]
    telling = ["Shall we eat by the fountain?", "Who knows? By the fountain.", "How about the fountain?", "Where the grass is dry, right?"]
    lines = tuple(line_row(text, 3.0 * n, event="e1") for n, text in enumerate([*asking, *telling]))
    told = Told(**{line.text.split()[0].lower(): 6.0 for line in lines})
    rows, log_odds = np.full((len(lines), len(NAMES)), 0.4), np.zeros(len(lines))
    after = read_again(parse("Where do the pupils eat?", MOMENTS), ranked(*lines), lines, rows, log_odds, told)
    assert (after >= 0.0).tolist() == [False] * len(asking) + [True] * len(telling)
    assert [text for _, text in told.read] == telling
    only = lines[: len(asking)]
    assert (read_again(parse("Where do the pupils eat?", MOMENTS), ranked(*only), only, rows[:3], log_odds[:3], told) < 0.0).all()


def test_where_the_trees_are_sure_nothing_is_read() -> None:
    lines = (line_row("The bus leaves at nine.", 1.0), line_row("It rains.", 4.0))
    fit = reading_fit(MPNET, "mpnet")
    for best in (fit.doubt[0] - 0.1, fit.doubt[1] + 0.1):
        told, log_odds, rows = Told(), np.array([best, best - 1.0]), np.zeros((2, len(NAMES)))
        assert (read_again(parse("When does the bus leave?", MOMENTS), ranked(*lines), lines, rows, log_odds, told) == log_odds).all()
        assert told.read == []


def test_more_of_either_never_counts_against_a_line() -> None:
    for encoder in (MPNET, "all-MiniLM-L6-v2"):
        fit = reading_fit(encoder, "mpnet")
        assert fit.names == WEIGHED
        assert min(fit.weights[:3]) >= 0.0
        assert reading_features(np.zeros((2, len(NAMES))), np.zeros(2), np.zeros(2)).shape == (2, len(WEIGHED))


def test_a_fit_says_what_it_weighs() -> None:
    fit = ReadingFit((-1.0, 2.0), ("trees", "reader", "gap"), (1.0, 0.5, 0.25), -3.0)
    assert fit.in_doubt(-1.0)
    assert not fit.in_doubt(2.1)
    assert fit.log_odds(np.array([[1.0, 4.0, 0.0], [1.0, 0.0, -4.0]])) == pytest.approx([0.0, -3.0])


def test_an_encoder_of_ones_own_gets_the_weights_of_the_first_and_an_unknown_reader_none() -> None:
    assert reading_fit("my-encoder", "mpnet") == reading_fit("all-MiniLM-L6-v2", "mpnet")
    unknown = Told()
    unknown.name = "my-reader"
    with pytest.raises(RecallSettingsError, match=r"my-reader.*tools/fit_reader.py"):
        HybridRecall(LongTermMemory(HashedWords()), HashedWords(), Extractive(), reader=unknown)


@pytest.mark.parametrize(
    ("question", "answers", "others"),
    [
        (
            "Which animal was in the shed?",
            "We found a hedgehog asleep under the lawn mower.",
            ("The shed needs a new roof.", "I like the garden in autumn."),
        ),
        (
            "What was the price of the repair?",
            "It came to ninety-five dollars with the parts.",
            ("They repaired it on Tuesday.", "The mechanic was a nice lady."),
        ),
    ],
)
def test_the_reader_tells_what_answers_in_other_words(reader: MpnetReader, question: str, answers: str, others: tuple[str, ...]) -> None:
    scores = reader.scores(question, [("", text) for text in (answers, *others)])
    assert int(scores.argmax()) == 0
    assert scores[0] - scores[1:].max() > 1.0


def test_lines_with_a_question_each_are_read_together(reader: MpnetReader) -> None:
    asked = [("How old is the dog?", "", "She is four."), ("What did it cost?", "The repair?", "Ninety-five dollars with the parts.")]
    together = reader.scores_of_each(asked)
    alone = [reader.scores(question, [(before, line)])[0] for question, before, line in asked]
    assert together.shape == (2,)
    assert np.abs(together - alone).max() < 0.3
    assert reader.scores_of_each([]).shape == (0,)
    with pytest.raises(TextModelError, match="start"):
        MpnetReader().scores_of_each(asked)


def test_support_changes_with_what_is_read(reader: MpnetReader) -> None:
    lines = (
        line_row("I took my bicycle to the shop on the corner.", 1.0, event="e1"),
        line_row("It came to ninety-five dollars with the parts.", 5.0, event="e1"),
        line_row("The weather was lovely.", 9.0, event="e1"),
    )
    question = parse("What did the repair of the bicycle cost?", MOMENTS)
    alone = fact_support(question, ranked(*lines), lines)
    read = fact_support(question, ranked(*lines), lines, reader)
    assert read != alone
    assert int(np.argmax(read)) == 1


def test_what_is_asked_of_a_talker_is_read_as_they_would_ask_it() -> None:
    lines = (line_row("I leave at five.", event="e1"), line_row("The ferry was late.", 3.0, event="e1"))
    told, rows = Told(leave=6.0), np.full((2, len(NAMES)), 0.4)
    question = replace(parse("When will Anna leave?", MOMENTS), own_words="When will I leave?")
    read_again(question, ranked(*lines), lines, rows, np.zeros(2), told)
    read_again(replace(question, own_words=""), ranked(*lines), lines, rows, np.zeros(2), told)
    assert told.asked == ["When will I leave?", "When will Anna leave?"]
