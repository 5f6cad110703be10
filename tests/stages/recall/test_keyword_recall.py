"""Recall without an encoder's help: what shares words is found, what only means the same is not."""

from __future__ import annotations

from stages.answer.extractive import Extractive
from stages.recall.keyword_recall import KeywordRecall
from tests.stages.recall.room_memory import Asker


def _keywords(asker: Asker) -> Asker:
    return Asker(asker.room, asker.memory, KeywordRecall(asker.memory, Extractive()), asker.now)


def test_lines_that_hold_the_words_answer(askers: dict[str, Asker]) -> None:
    asker = _keywords(askers["kitchen"])
    answer = asker.ask("What did they say about the planetarium?")
    assert answer.claims[0].evidence[0].text == "Can they see the planetarium show as well?"
    assert not asker.ask("What did I miss while I was following the conversation about dogs?").abstained


def test_what_only_means_the_same_is_declined_and_the_last_lines_are_shown(askers: dict[str, Asker]) -> None:
    answer = _keywords(askers["station"]).ask("Who talked about the flood?")
    assert answer.abstained
    assert answer.text.startswith('Nobody was heard talking about "flood".')
    assert answer.retrieved


def test_a_share_of_the_rooms_questions(askers: dict[str, Asker]) -> None:
    answered = declined = n_answerable = n_declined = 0
    for asker in askers.values():
        keywords = _keywords(asker)
        for question in asker.room.questions:
            right = keywords.fault(question) is None
            if question.get("declined"):
                n_declined, declined = n_declined + 1, declined + right
            else:
                n_answerable, answered = n_answerable + 1, answered + right
    assert answered / n_answerable >= 0.7
    assert declined / n_declined >= 0.75
