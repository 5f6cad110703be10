"""Questions to small rooms with several conversations at once, with the real encoder, against their truths."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.packets import Gap, nanoseconds
from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.hybrid_recall import HybridRecall
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker, load_rooms, remember
from tests.stages.recall.small_rooms import STARTED, asking

DOGS = "What did I miss while I was following the conversation about dogs?"


def test_what_was_missed_is_told_by_event_with_who_where_and_when(askers: dict[str, Asker]) -> None:
    answer = askers["kitchen"].ask(DOGS)
    data = json.loads(json.dumps(answer.to_json()))
    assert data["intent"] == "missed"
    assert not data["abstained"]
    first = data["claims"][0]
    assert first["text"].startswith("While you followed the conversation about dogs (30 and 75 degrees, 0:00-0:54), ")
    assert "at 265 and 210 degrees two people (speaker-4 and speaker-3) talked about" in first["text"]
    assert {evidence["azimuth_deg"] for claim in data["claims"] for evidence in claim["evidence"]} == {210.0, 265.0}
    assert {entry["event"] for entry in data["missed"]} == {"kitchen-museum", "kitchen-roof"}
    assert [entry["event"] for entry in data["attended"]] == ["kitchen-dogs"]
    museum = next(entry for entry in data["missed"] if entry["event"] == "kitchen-museum")
    assert museum["tracks"] == ["t4", "t3"]
    assert museum["azimuth_deg"] == 265.0
    assert museum["start_s"] == pytest.approx(2.0, abs=0.01)
    assert museum["summary"] == "So are we still taking the class to the science museum on Friday?"
    shown = {evidence["utterance"] for claim in data["claims"] for evidence in claim["evidence"]}
    assert shown <= set(data["retrieved"])
    assert not any(askers["kitchen"].room.section_of(line) in {"dogs", "car"} for line in shown)
    assert set(data["timing_ms"]) == {"parse", "retrieve", "first_words", "answer", "total"}


def test_a_claim_quotes_its_evidence_word_for_word(askers: dict[str, Asker]) -> None:
    for asker in askers.values():
        lines = {line.id: line.text for line in asker.room.lines}
        for question in asker.room.questions:
            for claim in asker.ask(question["ask"]).claims:
                assert claim.evidence
                assert 0.0 < claim.confidence < 1.0
                quoted = claim.text.split('"')[1]
                assert any(quoted in evidence.text for evidence in claim.evidence)
                assert all(lines[evidence.utterance] == evidence.text for evidence in claim.evidence)


def test_nothing_later_than_at_is_known(askers: dict[str, Asker]) -> None:
    asker = askers["kitchen"]
    early = asker.room.started_at + timedelta(seconds=20)
    answer = asker.ask("Who talked about the roof?", at=early)
    assert answer.abstained
    known = {line.id for line in asker.room.lines if asker.room.started_at + timedelta(microseconds=line.end_ns / 1000) <= early}
    assert answer.retrieved
    assert set(answer.retrieved) <= known
    missed = asker.ask(DOGS, at=early)
    assert not missed.abstained
    assert {line.id for stretch in (*missed.missed, *missed.attended) for line in stretch.lines} <= known


def test_before_anything_was_heard_it_says_so(askers: dict[str, Asker]) -> None:
    asker = askers["kitchen"]
    answer = asker.ask(DOGS, at=asker.room.started_at - timedelta(hours=1))
    assert answer.abstained
    assert answer.text == "Nothing had been heard up to 09:00:00 on 2 March 2026."


def test_an_empty_memory_says_so(encoder: MinilmOnnx) -> None:
    memory = LongTermMemory(encoder)
    memory.start()
    answer = HybridRecall(memory, encoder, Extractive()).ask(DOGS, now=datetime(2026, 3, 1, tzinfo=UTC))
    memory.stop()
    assert answer.abstained
    assert answer.text == "Nothing has been heard yet: the memory is empty."
    assert answer.to_json()["claims"] == []


def test_a_refusal_names_the_nearest_thing_heard(askers: dict[str, Asker]) -> None:
    answer = askers["kitchen"].ask("What did they say about the volcano?")
    assert answer.text.startswith('Nobody was heard talking about "volcano". The nearest thing heard: at 0:')
    assert answer.claims == ()


def test_an_unknown_speaker_is_refused_with_the_names_there_are(askers: dict[str, Asker]) -> None:
    answer = askers["terrace"].ask("What did Ana say about the flat?")
    assert answer.abstained
    assert answer.text == "No talker is called Ana. Did you mean Anna? The talkers are Anna, Bert, Clara, David."
    assert answer.retrieved


def test_a_question_in_another_language_is_refused_with_what_can_be_served(askers: dict[str, Asker]) -> None:
    answer = askers["kitchen"].ask("Was habe ich verpasst, während ich das Gespräch über Hunde verfolgt habe?")
    assert answer.intent == "unservable"
    assert answer.abstained
    assert answer.text.startswith("The question seems to be in German. Echoic answers questions in English")
    assert answer.retrieved


def test_a_time_in_which_nothing_was_heard(askers: dict[str, Asker]) -> None:
    answer = askers["kitchen"].ask("What did I miss between 6:00 and 6:30 in the morning?")
    assert answer.abstained
    assert "Nothing was heard in the asked time" in answer.text
    assert "The latest recording goes from 10:00:00 on 2 March 2026 to 10:01:" in answer.text


def test_a_weekday_in_which_nothing_was_heard_may_be_one_that_was_talked_about(askers: dict[str, Asker]) -> None:
    room = askers["office"]
    answer = room.ask("How many kilometres did he run on Saturday?")
    assert "thirty kilometres on Saturday" in answer.text
    for text in ("How many kilometres did he run on Sunday?", "Where did he run on Sunday?", "Who ran thirty kilometres on Sunday?"):
        other = room.ask(text)
        assert other.abstained
        assert 'Nothing was heard in the asked time ("on Sunday")' in other.text


def test_where_something_is_on_a_weekday_of_which_nothing_was_heard_may_have_been_said(encoder: MinilmOnnx) -> None:
    said = [
        line_row("The flea market on Sunday is down at the harbour.", 0.0, track="t1", event="e"),
        line_row("The concert is in the old library.", 5.0, track="t2", event="e"),
    ]
    with asking(encoder, {"s": said}) as ask:
        assert "down at the harbour" in ask("Where is the flea market on Sunday?").text
        assert ask("Where is the concert on Sunday?").text.startswith(
            'Nobody was heard saying anything that answers "where is the concert on Sunday". The nearest thing heard: '
        )
        assert 'Nothing was heard in the asked time ("last Sunday")' in ask("Where was the flea market last Sunday?").text


def test_what_will_be_on_a_day_is_looked_for_in_all_that_was_said(encoder: MinilmOnnx) -> None:
    said = [
        line_row("He says the plumber comes on Thursday morning.", 0.0, track="t1", event="e"),
        line_row("How much money is left over from last year?", 6.0, track="t2", event="e"),
        line_row("Six hundred and forty euros.", 11.0, track="t1", event="e"),
        line_row("By the way, the swimming pool is closed on Fridays.", 16.0, track="t2", event="f"),
    ]
    with asking(encoder, {"s": said}) as ask:
        assert "swimming pool" in ask("What is closed on Friday?").text
        assert ask("What is closed on Saturday?").text.startswith("Nobody was heard saying anything that answers")
        assert ask("Does the plumber come on Thursday?").text.endswith('said: "He says the plumber comes on Thursday morning."')
        other_day = ask("Does the plumber come on Friday?")
        assert other_day.abstained
        assert other_day.text.startswith('Nothing that was heard answers "does the plumber come on Friday". The nearest thing heard: ')
        assert "comes on Thursday" in other_day.text
        assert "Six hundred and forty euros" in ask("How much money is left from last year?").text
        assert 'Nothing was heard in the asked time ("last year")' in ask("What did they say last year?").text


def test_something_that_was_heard_on_a_weekday_does_not_hide_what_was_said_of_one(encoder: MinilmOnnx) -> None:
    heard_on_sunday = [line_row("The tide was high and the harbour was wet.", 0.0, track="t1", session="sunday", event="a")]
    said = [
        line_row("So on Sunday my brother makes the croissants.", 0.0, track="t1", event="b"),
        line_row("The choir practises in the old library.", 5.0, track="t2", event="b"),
    ]
    with asking(encoder, {"sunday": heard_on_sunday, "s": said}) as ask:
        assert "my brother makes the croissants" in ask("Who makes the croissants on Sunday?").text
        assert ask("Where does the choir practise on Sunday?").abstained
        assert ask("Who made the croissants last Sunday?").abstained


def test_what_was_said_of_last_week_is_found_by_who_asks_on_the_same_day(encoder: MinilmOnnx) -> None:
    said = [
        line_row("The boiler broke last week, and nobody can mend it.", 0.0, track="t1", event="e"),
        line_row("The pump stopped three days ago.", 5.0, track="t2", event="e"),
    ]
    with asking(encoder, {"s": said}) as ask:
        assert "The boiler broke last week" in ask("What broke last week?").text
        assert "The pump stopped" in ask("What stopped three days ago?").text
        assert 'Nothing was heard in the asked time ("last year")' in ask("What broke last year?").text
        a_week_on = ask("What broke last week?", at=STARTED + timedelta(days=15))
        assert 'Nothing was heard in the asked time ("last week")' in a_week_on.text


def test_the_last_minutes_of_a_room_that_has_fallen_silent_are_its_own(askers: dict[str, Asker]) -> None:
    asker = askers["kitchen"]
    answer = asker.recall.ask("Catch me up on the last 20 seconds", now=asker.now + timedelta(days=3))
    assert answer.intent == "catch_up"
    assert answer.text.startswith("Nothing has been heard since 10:01:")
    first = min(evidence.start_ns for claim in answer.claims for evidence in claim.evidence)
    assert first > asker.room.end_ns - nanoseconds(30.0)


def test_a_stretch_of_the_session_by_seconds(askers: dict[str, Asker]) -> None:
    answer = askers["kitchen"].ask("What did they say about the bus between +30 and +60?")
    assert answer.abstained
    answer = askers["kitchen"].ask("What did they say about the bus between +0 and +30?")
    assert [evidence.text for evidence in answer.claims[0].evidence] == ["Yes. The bus leaves at half past eight in front of the school."]


def test_a_room_in_which_only_one_conversation_went_on(encoder: MinilmOnnx) -> None:
    room = load_rooms("rooms.yaml")[0]
    memory = LongTermMemory(encoder)
    memory.start()
    only = {line.id for line in room.lines if line.track in {"t1", "t2"}}
    alone = type(room)(
        room.name, room.started_at, tuple(line for line in room.lines if line.id in only), {"dogs": room.sections["dogs"]}, room.questions
    )
    remember(alone, memory, encoder)
    answer = HybridRecall(memory, encoder, Extractive()).ask(DOGS, now=room.started_at + timedelta(minutes=5))
    memory.stop()
    assert not answer.abstained
    assert answer.claims[0].text.endswith("nobody else was heard.")
    assert answer.missed == ()


def test_gaps_within_the_asked_time_are_disclosed(encoder: MinilmOnnx) -> None:
    room = load_rooms("rooms.yaml")[0]
    memory = LongTermMemory(encoder)
    memory.start()
    remember(room, memory, encoder)
    for start_s in (12.0, 13.0, 14.0):
        memory.add_gap(room.name, Gap(pts_ns=nanoseconds(start_s), duration_ns=nanoseconds(1.0), reason="unreadable"))
    recall = HybridRecall(memory, encoder, Extractive())
    now = room.started_at + timedelta(minutes=5)
    answer = recall.ask(DOGS, now=now)
    later = recall.ask("What was said between +40 and +60?", now=now)
    part = recall.ask("What was said between +0 and +13?", now=now)
    others = [recall.ask(text, now=now) for text in ("When does the bus leave?", "What did they say about the volcano?")]
    foreign = recall.ask("Was habe ich verpasst, während ich das Gespräch über Hunde verfolgt habe?", now=now)
    memory.stop()
    assert [other.abstained for other in others] == [False, True]
    for told in (answer, *others):
        assert told.to_json()["gaps"] == [{"session": "kitchen", "start_s": 12.0, "end_s": 15.0, "reason": "unreadable"}]
        assert told.text.endswith("Not everything was heard: 0:12 to 0:15 is missing (unreadable).")
    assert later.gaps == ()
    assert [(gap.start_ns, gap.end_ns) for gap in part.gaps] == [(nanoseconds(12.0), nanoseconds(13.0))]
    assert "missing" not in foreign.text


def test_two_answers_to_one_question_are_the_same(askers: dict[str, Asker]) -> None:
    for question in (DOGS, "When does the bus leave?", "Who talked about cats?"):
        first, second = (askers["kitchen"].ask(question).to_json() for _ in range(2))
        first.pop("timing_ms")
        second.pop("timing_ms")
        assert first == second
