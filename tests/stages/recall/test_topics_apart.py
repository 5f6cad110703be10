"""Overviews of talk that was cut into events elsewhere than where its topics change, in a room with the real encoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.answers import Answer
from stages.recall.hybrid_recall import HybridRecall
from tests.stages.recall.room_memory import Asker, load_rooms, remember


@pytest.fixture(params=["one event each", "cut in the middle of a topic"])
def kitchen(encoder: MinilmOnnx, request: pytest.FixtureRequest) -> Iterator[Asker]:
    room = next(room for room in load_rooms("rooms.yaml") if room.name == "kitchen")
    ours, theirs = (room.sections[one] + room.sections[other] for one, other in (("dogs", "car"), ("museum", "roof")))
    events = {"ours": ours, "theirs": theirs}
    if request.param != "one event each":
        events = {"ours": ours[:5], "more": ours[5:], "theirs": theirs[:6], "rest": theirs[6:]}
    memory = LongTermMemory(encoder)
    memory.start()
    remember(replace(room, sections=events), memory, encoder)
    recall = HybridRecall(memory, encoder, Extractive(encoder))
    yield Asker(room, memory, recall, room.started_at + timedelta(seconds=200))
    memory.stop()


def _told(asker: Asker, answer: Answer) -> set[str]:
    return {asker.room.section_of(evidence.utterance) for claim in answer.claims for evidence in claim.evidence}


def test_each_topic_is_told_for_itself(kitchen: Asker) -> None:
    answer = kitchen.ask("Catch me up")
    assert _told(kitchen, answer) == {"dogs", "car", "museum", "roof"}
    assert all(len({kitchen.room.section_of(one.utterance) for one in claim.evidence}) == 1 for claim in answer.claims)


def test_only_the_part_on_the_topic_was_followed(kitchen: Asker) -> None:
    answer = kitchen.ask("What did I miss while I was following the conversation about the repair of the car?")
    followed = {kitchen.room.section_of(line.id) for stretch in answer.attended for line in stretch.lines}
    assert followed == {"car"}
    assert _told(kitchen, answer) == {"roof"}


def test_a_few_lines_of_the_asked_time_are_told_by_topic(kitchen: Asker) -> None:
    """Of two lines alone nobody can tell that they are about something else: the talk around them does."""
    starts = {key: min(line.start_ns for line in kitchen.room.lines if line.id.endswith(kitchen.room.sections[key][0])) for key in ("car",)}
    begin = kitchen.room.started_at + timedelta(microseconds=starts["car"] // 1000) - timedelta(seconds=9)
    answer = kitchen.ask(f"What was said between {begin:%H:%M:%S} and {begin + timedelta(seconds=17):%H:%M:%S}?")
    assert {"dogs", "car"} <= _told(kitchen, answer)
