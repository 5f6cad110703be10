"""A reader tells what was taken back: which lines it is asked about, what comes of its word, and how often it is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.packets import Float32Array
from stages.memory.hashed_words import HashedWords
from stages.memory.mpnet import Mpnet
from stages.memory.rows import LineRow
from stages.recall.material import Found
from stages.recall.mpnet_reader import MpnetReader
from stages.recall.reader import Reader
from stages.recall.taken_back import LEAST_LOG_ODDS, with_corrections
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.small_rooms import asking

EVERY_S = 4.0


class Told(Reader):
    """A reader for which some lines take back what was said, and that keeps what it was asked."""

    name = "told"
    knows_corrections = True

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = pairs
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        self.asked.append((question, tuple(line for _, line in lines)))
        backs = [any(line == later and question.endswith(said) for said, later in self._pairs) for _, line in lines]
        return np.array([LEAST_LOG_ODDS if back else LEAST_LOG_ODDS - 0.1 for back in backs], dtype=np.float32)


def judged(talk: Sequence[LineRow], reader: Reader, question: str = "When does the train leave?") -> Found:
    """What is found for a question, whose answer is the first line of a talk."""
    encoder = HashedWords()
    rows = dict(zip((line.id for line in talk), encoder.encode([line.text for line in talk]), strict=True))
    (found,) = with_corrections([Found(talk[0], 1.0, 0.9, talk=tuple(talk))], encoder.encode([question]), lambda _: rows, reader)
    return found


def talk_of(*texts: str, every_s: float = EVERY_S) -> list[LineRow]:
    return [line_row(text, 1.0 + every_s * place, track=f"t{1 + place % 2}") for place, text in enumerate(texts)]


@pytest.mark.parametrize(
    "texts",
    [
        ("We haven't decided on the colour. Yellow or light blue.", "I'd say the colour blue. It's calmer."),
        ("The train leaves on Monday.", "Sunday? No, I am at a wedding then, there is no train."),
        ("The train leaves on Monday.", "Can you work on Sunday?", "No, on Sunday I am away."),
    ],
)
def test_what_answers_another_question_or_chooses_what_was_offered_is_not_read(texts: tuple[str, ...]) -> None:
    said = talk_of(*texts)
    assert judged(said, Told((said[0].text, said[-1].text)), said[-1].text).taken_back is None


def test_what_is_said_later_and_like_the_question_is_read_and_no_question() -> None:
    said = talk_of("The train leaves at nine.", "My cat sleeps all day.", "Is the train late?", "The train leaves at ten, they say.")
    reader = Told((said[0].text, said[3].text))
    found = judged(said, reader)
    assert found.taken_back == said[3]
    question, lines = reader.asked[0]
    assert said[0].text in question
    assert lines == (said[3].text,)


def test_the_lines_most_like_the_question_are_read_and_no_others() -> None:
    other = [f"Train number {place} goes north." for place in range(12)]
    said = talk_of("The train leaves at nine.", *other, "The train leaves at ten, they say.")
    reader = Told((said[0].text, said[-1].text))
    assert judged(said, reader).taken_back == said[-1]
    assert len(reader.asked[0][1]) == 2


def test_a_correction_that_is_taken_back_leads_on_to_what_holds() -> None:
    said = talk_of("The train leaves at nine.", "The train leaves at ten.", "The train leaves at eleven after all.")
    assert judged(said, Told((said[0].text, said[1].text), (said[1].text, said[2].text))).taken_back == said[2]
    assert judged(said, Told((said[1].text, said[2].text))).taken_back is None


def test_a_correction_belongs_to_the_line_that_it_fits_best() -> None:
    said = talk_of("There are six hundred euros left.", "A band wants two hundred.", "The band wrote, it wants three hundred euros.")

    class Weighs(Told):
        """A reader that is surer of the second pair."""

        def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
            return super().scores(question, lines) + np.float32(question.endswith(self._pairs[-1][0]))

    band, euros = (said[1].text, said[2].text), (said[0].text, said[2].text)
    assert judged(said, Weighs(euros, band), "How many euros are left?").taken_back is None
    assert judged(said, Weighs(band, euros), "How many euros are left?").taken_back == said[2]
    # Rules know whose it is where the reader sees only one.
    said[2] = replace(said[2], text="Wait, the band wants three hundred.")
    assert judged(said, Told((said[0].text, said[2].text)), "How many euros are left?").taken_back is None


def test_what_is_said_again_takes_nothing_back() -> None:
    said = talk_of("The train leaves at nine.", "Yes, at nine, I looked it up again.")
    reader = Told((said[0].text, said[1].text))
    assert judged(said, reader).taken_back is None
    assert reader.asked == []
    said = talk_of("The train leaves at nine.", "No, at ten.", "No, nine was right, it leaves at nine.")
    assert judged(said, Told((said[0].text, said[1].text), (said[1].text, said[2].text))).taken_back is None
    said = talk_of("My brother has the key.", "Our neighbour keeps it now.", "My brother has the key after all, he says.")
    assert judged(said, Told((said[0].text, said[1].text), (said[1].text, said[2].text))).taken_back is None
    said = talk_of("The train leaves at nine.", "Not nine, ten.")
    assert judged(said, Told((said[0].text, said[1].text))).taken_back == said[1]


def test_what_is_said_more_than_five_minutes_later_or_before_takes_nothing_back() -> None:
    said = talk_of("The train leaves at nine.", "The train leaves at ten.", every_s=302.0)
    assert judged(said, Told((said[0].text, said[1].text))).taken_back is None
    early = line_row("The train leaves at ten.", 0.0, track="t2")
    assert judged([line_row("The train leaves at nine.", 5.0), early], Told(("The train leaves at nine.", early.text))).taken_back is None


def test_a_question_is_not_taken_back() -> None:
    said = talk_of("Does the train leave at nine?", "It leaves at ten.")
    reader = Told((said[0].text, said[1].text))
    assert judged(said, reader).taken_back is None
    assert reader.asked == []


@pytest.fixture(scope="module")
def models(weights: Path) -> Iterator[tuple[Mpnet, MpnetReader]]:
    assert weights.is_dir()
    encoder, reader = Mpnet(), MpnetReader()
    encoder.start()
    reader.start()
    yield encoder, reader
    encoder.stop()
    reader.stop()


def test_talks_that_nothing_was_fitted_on(models: tuple[Mpnet, MpnetReader]) -> None:
    encoder, reader = models
    right: list[tuple[str, str]] = []
    missed: list[tuple[str, str]] = []
    false, n_back = [], 0
    for room in yaml.safe_load(Path(__file__).with_name("taken_back.yaml").read_text(encoding="utf-8")):
        rows = [line_row(text, 1.0 + EVERY_S * place, track=track, event="e1") for place, (track, text) in enumerate(room["said"])]
        with asking(encoder, {"s": rows}, reader) as ask:
            answer = ask(room["ask"])
        cited = {evidence.text for claim in answer.claims for evidence in claim.evidence}
        back = None if room["back"] is None else room["said"][room["back"]][1]
        n_back += back is not None
        if back is None and "taken back" in answer.text:
            false.append((room["name"], answer.text))
        elif back is not None:
            (right if back in cited and "taken back" in answer.text else missed).append((room["name"], answer.text))
    assert n_back == 28
    # "The fridge can be delivered on Tuesday" is taken for what became of the washing machine, which it is not.
    assert {name for name, _ in false} <= {"washing_machine_delivery"}, false
    # Rules alone find one.
    assert len(right) >= 13, missed
