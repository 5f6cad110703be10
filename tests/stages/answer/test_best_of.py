"""Several answerers at once, with the real extractive draft and replies written by hand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence

import pytest

from pipeline.build import build_resources
from pipeline.graph import load_graph
from stages.answer.best_of import BestOf
from stages.answer.chat_answerer import ChatAnswerer, ChatError
from stages.answer.extractive import Extractive
from stages.recall.answers import Claim
from tests.stages.answer.materials import FERRY, found_material, question

WHEN = "When does the ferry leave?"
CLOSE = "The ferry leaves on Saturday at half past nine [1]."
LOOSE = "The old ferry leaves the harbour on Saturday at half past nine [1]."


class Waiting(ChatAnswerer):
    """Replies once it may."""

    def __init__(self, reply: str | Exception, may: threading.Event | None = None, then: threading.Event | None = None) -> None:
        super().__init__()
        self._reply, self._may, self._then = reply, may, then

    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        del chat
        if self._may is not None:
            assert self._may.wait(10)
        if self._then is not None:
            self._then.set()
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply


def _asked(answerer: BestOf) -> list[tuple[int, Claim]]:
    material = found_material(FERRY[1])
    return list(answerer.revisions(question(WHEN), material, answerer.draft(question(WHEN), material)))


def _final(answerer: BestOf) -> str:
    return answerer.compose(question(WHEN), found_material(FERRY[1]))[0].text


def test_the_wording_that_keeps_closest_to_its_evidence_is_taken() -> None:
    for answerer in (BestOf(Waiting(CLOSE), Waiting(LOOSE)), BestOf(Waiting(LOOSE), Waiting(CLOSE), Waiting("nonsense"))):
        assert _final(answerer).startswith("The ferry leaves on Saturday at half past nine.")


def test_who_is_quicker_does_not_matter() -> None:
    first_done, second_done = threading.Event(), threading.Event()
    slow_close = BestOf(Waiting(LOOSE, then=first_done), Waiting(CLOSE, may=first_done))
    slow_loose = BestOf(Waiting(LOOSE, may=second_done), Waiting(CLOSE, then=second_done))
    assert _final(slow_close) == _final(slow_loose)


def test_of_two_alike_the_earlier_counts() -> None:
    also = "On Saturday at half past nine the ferry leaves [1]."
    for _ in range(5):
        assert _final(BestOf(Waiting(CLOSE), Waiting(also))).startswith("The ferry leaves")
        assert _final(BestOf(Waiting(also), Waiting(CLOSE))).startswith("On Saturday")


def test_the_quote_stays_where_no_wording_holds() -> None:
    assert _asked(BestOf(Waiting("The ferry leaves at ten [1]."), Extractive())) == []
    quoted = Extractive().compose(question(WHEN), found_material(FERRY[1]))
    assert BestOf(Waiting("I don't know."), Extractive()).compose(question(WHEN), found_material(FERRY[1])) == quoted


def test_one_that_fails_does_not_keep_the_other_from_answering(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert _final(BestOf(Waiting(ChatError("the server is down")), Waiting(CLOSE))).startswith("The ferry leaves")
    assert [record.getMessage() for record in caplog.records] == ["answering in the speakers' own words: the server is down"]


def test_a_fault_of_the_code_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        _asked(BestOf(Waiting(KeyError("x")), Waiting(CLOSE)))


def test_it_is_set_up_in_a_graph() -> None:
    text = """
resources:
  quotes: {use: stages.answer.extractive.Extractive}
  far: {use: stages.answer.openai_chat.OpenaiChat, base_url: "http://127.0.0.1:9/v1", model: m}
  answerer: {use: stages.answer.best_of.BestOf, first: far, second: quotes}
stages:
  room: {use: stages.capture.file_source.FileSource, path: room.wav}
"""
    made = build_resources(load_graph("several", text=text))
    answerer = made["answerer"]
    assert isinstance(answerer, BestOf)
    assert (answerer.first, answerer.second, answerer.third) == (made["far"], made["quotes"], None)
