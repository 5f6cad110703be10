"""What a model is asked to make of a question, and which of its replies are questions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import pytest

from stages.answer.best_of import BestOf
from stages.answer.chat_answerer import ChatAnswerer, ChatError
from stages.answer.extractive import Extractive
from stages.answer.restating import plain_question, question_to_restate

RAMBLING = "right, sorry, where was I, that boiler thing, who was on about it?"


class Restating(ChatAnswerer):
    """Gives one reply, and keeps what it was asked."""

    def __init__(self, reply: str | ChatError, *, restates: bool = True) -> None:
        super().__init__(restates=restates)
        self.given = reply
        self.chats: list[Sequence[Mapping[str, str]]] = []

    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        self.chats.append(chat)
        if isinstance(self.given, ChatError):
            raise self.given
        return self.given


@pytest.mark.parametrize(
    ("reply", "plain"),
    [
        ("Who talked about the boiler?", "Who talked about the boiler?"),
        ('"Who talked about the boiler?"\n', "Who talked about the boiler?"),
        ("Question: Who talked about the boiler?", "Who talked about the boiler?"),
        ("\n\nWho talked about the boiler?\nIt was Anna.", "Who talked about the boiler?"),
        ("Who talked about the boiler? Anna did.", "Who talked about the boiler?"),
        ("Give me a summary of what was said.", "Give me a summary of what was said."),
        ("", None),
        ("   \n ", None),
        ("?", None),
        ("boiler " * 41, None),
    ],
)
def test_the_first_question_of_a_reply_counts(reply: str, plain: str | None) -> None:
    assert plain_question(reply) == plain


def test_a_model_is_shown_the_question_last_and_the_same_before() -> None:
    one, other = question_to_restate(RAMBLING), question_to_restate("¿Y el perro?")
    assert one[-1] == {"role": "user", "content": RAMBLING}
    assert one[:-1] == other[:-1]
    roles = [message["role"] for message in one]
    assert roles == ["system", *["user", "assistant"] * (len(one) // 2 - 1), "user"]


def test_a_model_puts_a_question_plainly_where_it_may() -> None:
    model = Restating("Who talked about the boiler?")
    assert model.restated(RAMBLING) == "Who talked about the boiler?"
    assert [chat[-1]["content"] for chat in model.chats] == [RAMBLING]
    silent = Restating("Who talked about the boiler?", restates=False)
    assert silent.restated(RAMBLING) is None
    assert silent.chats == []
    assert Extractive().restated(RAMBLING) is None


def test_a_model_that_fails_leaves_the_question_as_it_is_put(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert Restating(ChatError("nobody is there")).restated(RAMBLING) is None
    assert "the question is read as it is put: nobody is there" in caplog.text


def test_the_first_of_several_that_says_it_anew_counts() -> None:
    first, second = Restating("", restates=True), Restating("Who talked about the boiler?")
    assert BestOf(Extractive(), first, second).restated(RAMBLING) == "Who talked about the boiler?"
    assert BestOf(Extractive(), Extractive()).restated(RAMBLING) is None
