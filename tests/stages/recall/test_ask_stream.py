"""An answer part by part, over rooms of text, with a model on a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from pipeline.packets import Gap, nanoseconds
from stages.answer.extractive import Extractive
from stages.answer.openai_chat import OpenaiChat
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.answer_parts import AnswerPart, Draft, Final, Worded
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.recall import Recall, UnfinishedAnswerError
from stages.recall.terms import coverage, stems
from tests.stages.answer.chat_server import Behaviour, Exchange, chat_server, says, sends, started
from tests.stages.recall.room_memory import Asker, load_rooms, remember

BUS = "When does the bus leave?"
DOGS = "What did I miss while I was following the conversation about dogs?"


@contextmanager
def _worded(asker: Asker, encoder: MinilmOnnx, behaviour: Behaviour) -> Iterator[HybridRecall]:
    with chat_server(behaviour) as (url, _), started(OpenaiChat(url, "m", encoder, retries=0, least_entailment=0.0)) as answerer:
        yield HybridRecall(asker.memory, encoder, answerer)


def _parts(asker: Asker, recall: Recall, text: str) -> list[AnswerPart]:
    return list(recall.ask_stream(text, now=asker.now))


def _first_note(exchange: Exchange) -> None:
    """A model that says again what its first note says, which its evidence supports."""
    note = re.search(r'\[1\] \S+: "(.*?)[.!?]?"\n', exchange.prompt)
    exchange.stream(f"{note[1] if note else 'nothing'} [1].")


@pytest.mark.parametrize(
    "text", [BUS, DOGS, "Catch me up", "Who talked about the leak in the roof?", "What did they say about the volcano?"]
)
def test_without_a_model_the_draft_is_the_answer(askers: dict[str, Asker], text: str) -> None:
    draft, final = _parts(askers["kitchen"], askers["kitchen"].recall, text)
    assert isinstance(draft, Draft)
    assert isinstance(final, Final)
    assert (draft.answer.text, draft.answer.claims, draft.answer.abstained) == (
        final.answer.text,
        final.answer.claims,
        final.answer.abstained,
    )
    assert list(draft.answer.timing_ms) == ["parse", "retrieve", "first_words"]
    assert list(final.answer.timing_ms) == ["parse", "retrieve", "first_words", "answer", "total"]
    assert final.answer.timing_ms["first_words"] <= final.answer.timing_ms["total"]


def test_better_words_come_after_the_draft_and_the_last_part_has_them(askers: dict[str, Asker], encoder: MinilmOnnx) -> None:
    asker = askers["kitchen"]
    with _worded(asker, encoder, _first_note) as recall:
        draft, *worded, final = _parts(asker, recall, BUS)
        whole = recall.ask(BUS, now=asker.now)
    assert isinstance(draft, Draft)
    assert isinstance(final, Final)
    claims = list(draft.answer.claims)
    assert worded
    for part in worded:
        assert isinstance(part, Worded)
        assert part.claim != claims[part.place]
        claims[part.place] = part.claim
    assert tuple(claims) == final.answer.claims
    assert final.answer.text == " ".join(claim.text for claim in claims)
    assert (whole.text, whole.claims) == (final.answer.text, final.answer.claims)
    assert draft.answer.text == asker.ask(BUS).text


@pytest.mark.parametrize(
    "behaviour", [says("The bus leaves on Sunday at four to Madrid [1]."), says("I don't know."), sends(500, "broken"), sends(200, "{}")]
)
def test_a_model_that_invents_or_fails_changes_nothing(askers: dict[str, Asker], encoder: MinilmOnnx, behaviour: Behaviour) -> None:
    asker = askers["kitchen"]
    with _worded(asker, encoder, behaviour) as recall:
        for text in (BUS, DOGS):
            draft, final = _parts(asker, recall, text)
            assert isinstance(draft, Draft)
            assert isinstance(final, Final)
            assert final.answer.text == draft.answer.text == asker.ask(text).text


def test_the_first_words_come_before_the_model_is_asked(askers: dict[str, Asker], encoder: MinilmOnnx) -> None:
    asker = askers["kitchen"]
    with chat_server(_first_note) as (url, bodies), started(OpenaiChat(url, "m", encoder, least_entailment=0.0)) as answerer:
        parts = HybridRecall(asker.memory, encoder, answerer).ask_stream(BUS, now=asker.now)
        assert isinstance(next(parts), Draft)
        assert bodies == []
        assert isinstance(next(parts), Worded)
        assert len(bodies) == 1


def test_gaps_are_told_with_the_first_words_and_with_the_last(encoder: MinilmOnnx) -> None:
    room = load_rooms("rooms.yaml")[0]
    memory = LongTermMemory(encoder)
    memory.start()
    remember(room, memory, encoder)
    memory.add_gap(room.name, Gap(pts_ns=nanoseconds(6.0), duration_ns=nanoseconds(6.0), reason="dropped"))
    asker = Asker(room, memory, HybridRecall(memory, encoder, Extractive()), room.started_at + timedelta(seconds=200))
    with _worded(asker, encoder, _first_note) as recall:
        draft, *worded, final = _parts(asker, recall, BUS)
    memory.stop()
    assert worded
    assert isinstance(draft, Draft)
    assert isinstance(final, Final)
    lost = "Not everything was heard: 0:06 to 0:12 is missing (it came faster than it could be worked on)."
    assert draft.answer.text.endswith(lost)
    assert final.answer.text.endswith(lost)
    assert draft.answer.gaps == final.answer.gaps
    assert draft.answer.text != final.answer.text


def test_a_recall_without_a_last_part_is_a_fault() -> None:
    class Broken(Recall):
        def ask_stream(
            self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None
        ) -> Iterator[AnswerPart]:
            del question, at, now, facing_deg
            yield from ()

    with pytest.raises(UnfinishedAnswerError) as raised:
        Broken().ask("What?", now=datetime.now().astimezone())
    assert str(raised.value) == "Broken: ask_stream ended without a Final"


def test_every_quote_and_every_thing_of_an_extractive_answer_stands_in_its_evidence(askers: dict[str, Asker]) -> None:
    """The property that makes extractive claims true: what is composed around the quotes is proved too."""
    checked = 0
    for asker in askers.values():
        for question in asker.room.questions:
            for claim in asker.ask(question["ask"]).claims:
                said = " ".join(evidence.text for evidence in claim.evidence)
                for quoted in re.findall(r'"(.*?)"', claim.text):
                    assert quoted.removesuffix(" ...") in said.replace('"', "'"), claim.text
                about = re.search(r"talked about (?!it\b)(.*?) \(\d", claim.text)
                if about is not None:
                    for thing in re.split(r", | and ", about[1]):
                        assert coverage(stems(thing), stems(said)) == 1.0, (thing, claim.text)
                        checked += 1
    assert checked > 20
