"""Questions that are not put plainly: when a model is asked, which of its readings count, and what the answer says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from stages.answer.chat_answerer import ChatAnswerer, ChatError
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.question import parse
from stages.recall.restating import keeps, may_be_unclear, put_plainly
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.test_question import MOMENTS

RAMBLING = (
    "Sorry, I lost the thread a bit, one of these two was going on and on about some planetarium show or other, "
    "who was that and whereabouts were they sitting?"
)
PLAIN = "Who talked about the planetarium show, and where in the room?"


class Model(ChatAnswerer):
    """Puts questions into the plain words that are given for them, and words nothing."""

    def __init__(self, plain: Mapping[str, str | ChatError]) -> None:
        super().__init__(most_worded=0)
        self.plain = plain
        self.asked: list[str] = []

    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        self.asked.append(chat[-1]["content"])
        reply = self.plain[chat[-1]["content"]]
        if isinstance(reply, ChatError):
            raise reply
        return reply


def _let_read(asker: Asker, model: Model) -> None:
    assert isinstance(asker.recall, HybridRecall)
    asker.recall.answerer = model


@pytest.mark.parametrize(
    ("text", "unclear"),
    [
        ("Who talked about the planetarium?", False),
        ("What did I miss while I was following the conversation about dogs?", False),
        ("Who talked about the planetarium, and where in the room were they when they did?", False),
        (RAMBLING, True),
        ("I was at the door. Who talked about the planetarium?", True),
        ("Wer hat über das Planetarium gesprochen?", True),
        ("Remind me what Anna said about the tickets", True),
        ("word " * 199, True),
        ("word " * 201, False),
        ("", False),
        ("?!", False),
        ("Play me that.", False),
        ("Is David in Lisbon?", False),
        ("Is Pixel a dog?", False),
        ("Give me a summary in ten words.", False),
        ("Who said \u201ccourtyard\u201d?", False),
        ("What did Zo\u00eb say about the caf\u00e9?", False),
        ("Chi ospita i lettori?", True),
        ("Hoeveel kaartjes zijn er?", True),
    ],
)
def test_a_model_is_asked_about_what_is_not_put_plainly(text: str, *, unclear: bool) -> None:
    assert may_be_unclear(parse(text, MOMENTS)) is unclear


@pytest.mark.parametrize(
    ("said", "plain", "kept"),
    [
        (RAMBLING, PLAIN, True),
        (RAMBLING, "Who talked about the football match, and where in the room?", False),
        (RAMBLING, "Who talked about the planetarium show on the 3rd of May?", False),
        (RAMBLING, "What did Anna say about the planetarium show?", False),
        ("so between 10:15 and 10:30, what on earth was everybody saying?", "What was said between 10:15 and 10:30?", True),
        ("so between 10:15 and 10:30, what on earth was everybody saying?", "What was said after 10:15?", False),
        ("well what was it that speaker-3 said about tickets, remind me", "What did speaker-3 say about the tickets?", True),
        ("well what was it that speaker-3 said about tickets, remind me", "What did they say about the tickets?", False),
        ("¿Qué se dijo en los últimos cinco minutos?", "What was said in the last 5 minutes?", True),
        ("¿Qué dijo Anna el lunes?", "What did Anna say on Monday?", True),
        ("¿Qué dijo Anna el lunes?", "What did Ben say on Monday?", False),
        ("¿Qué se dijo a los 90 grados?", "What was said?", False),
        ("¿Qué se dijo a los 90 grados?", "I cannot help with 90 degrees.", False),
        (RAMBLING, "The planetarium show.", False),
    ],
)
def test_plain_words_keep_figures_and_names_and_add_nothing(said: str, plain: str, *, kept: bool) -> None:
    assert keeps(said, plain) is kept


def test_what_is_plain_is_never_put_to_a_model() -> None:
    question = parse("Who talked about the planetarium?", MOMENTS)
    assert put_plainly(question, pytest.fail, pytest.fail) is question


@pytest.mark.parametrize("reply", [None, RAMBLING, "Who talked about the football match, and where in the room?", "What happens tomorrow?"])
def test_a_reading_that_does_not_hold_leaves_the_rules_own(reply: str | None) -> None:
    question = parse(RAMBLING, MOMENTS)
    assert put_plainly(question, lambda _: reply, lambda text: parse(text, MOMENTS)) is question


def test_a_foreign_question_is_refused_for_what_it_asks() -> None:
    """Why the plain question cannot be served tells more than that it was in another language."""
    question = parse("Was wird morgen hier passieren?", MOMENTS)
    again = put_plainly(question, lambda _: "What happens tomorrow?", lambda text: parse(text, MOMENTS))
    assert again.refusal is not None
    assert "has not come yet" in again.refusal
    assert again.note == 'Read as "What happens tomorrow?"'


def test_a_rambling_question_is_answered_as_the_plain_one(kitchen: Asker) -> None:
    plain = kitchen.ask(PLAIN)
    _let_read(kitchen, Model({RAMBLING: PLAIN}))
    answer = kitchen.ask(RAMBLING)
    assert answer.question == RAMBLING
    assert (answer.intent, answer.claims) == (plain.intent, plain.claims)
    assert answer.text == f'Read as "{PLAIN}" {plain.text}'
    assert {evidence.speaker for claim in answer.claims for evidence in claim.evidence} == {"speaker-3", "speaker-4"}


def test_a_foreign_question_is_answered_where_a_model_reads_it(kitchen: Asker) -> None:
    german = "Wann fährt der Bus ab, und was kosten die Karten?"
    assert kitchen.ask(german).abstained
    _let_read(kitchen, Model({german: "When does the bus leave?"}))
    answer = kitchen.ask(german)
    assert "half past eight" in answer.text
    assert answer.text.startswith('Read as "When does the bus leave?"')


def test_a_model_that_fails_leaves_the_reading_of_the_rules(kitchen: Asker) -> None:
    by_rules = kitchen.ask(RAMBLING)
    _let_read(kitchen, Model({RAMBLING: ChatError("nobody is there")}))
    answer = kitchen.ask(RAMBLING)
    assert (answer.text, answer.claims) == (by_rules.text, by_rules.claims)


def test_what_nobody_talked_about_is_refused_in_plain_words_too(kitchen: Asker) -> None:
    asked = "Hm, I could swear that somebody over there was on about a volcano at some point, or am I making that up? Did they?"
    _let_read(kitchen, Model({asked: "Did anybody mention a volcano?"}))
    answer = kitchen.ask(asked)
    assert answer.abstained
    assert answer.text.startswith('Read as "Did anybody mention a volcano?" Nobody was heard talking about "volcano"')
