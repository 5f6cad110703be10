"""Questions that go on from the last one, questions of order, counts, sides and lengths, in rooms with the real encoder."""

from __future__ import annotations

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.answers import Answer
from stages.recall.follow_up import played_in
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.small_rooms import asking


def _quoted(answer: Answer) -> str:
    return " ".join(evidence.text for claim in answer.claims for evidence in claim.evidence)


def test_a_follow_up_goes_on_from_what_was_cited(kitchen: Asker) -> None:
    bus = kitchen.ask("When does the bus leave?").claims[0].evidence[0]
    after = kitchen.ask("What did the person on my left say after that?")
    assert not after.abstained, after.text
    shown = [evidence for claim in after.claims for evidence in claim.evidence]
    assert {evidence.azimuth_deg for evidence in shown} == {210.0}
    assert all(evidence.start_ns >= bus.end_ns for evidence in shown)


def test_where_who_and_play_show_the_cited_lines_again(kitchen: Asker) -> None:
    bus = kitchen.ask("When does the bus leave?").claims[0].evidence
    for text, intent in (("And where was that?", "where"), ("Who said that?", "who"), ("Play me that.", "play")):
        answer = kitchen.ask(text)
        assert answer.intent == intent
        assert answer.claims[0].evidence[0].utterance == bus[0].utterance
        assert "265 degrees" in answer.claims[0].text


def test_before_that_lies_before_it(kitchen: Asker) -> None:
    bus = kitchen.ask("When does the bus leave?").claims[0].evidence[0]
    before = kitchen.ask("And before that?")
    assert not before.abstained, before.text
    assert all(evidence.start_ns < bus.start_ns for claim in before.claims for evidence in claim.evidence)


def test_what_was_said_after_that_are_the_next_lines_of_the_conversation_in_one_claim(kitchen: Asker) -> None:
    bus = kitchen.ask("When does the bus leave?").claims[0].evidence[-1]
    after = kitchen.ask("What did they say after that?")
    talk = [line for line in kitchen.room.lines if line.track in {"t3", "t4"} and line.start_ns >= bus.end_ns]
    following = sorted(talk, key=lambda line: line.start_ns)[:3]
    assert len(after.claims) == 1
    assert [evidence.utterance for evidence in after.claims[0].evidence] == [line.id for line in following]
    assert [after.claims[0].text.count(f'"{line.text}"') for line in following] == [1, 1, 1]


def test_after_a_claim_of_several_lines_is_after_the_last_of_them(kitchen: Asker) -> None:
    asked, answered = kitchen.ask("How many parents are coming along to help?").claims[0].evidence[:2]
    after = kitchen.ask("And what was said next?")
    assert min(evidence.start_ns for evidence in after.claims[0].evidence) >= max(asked.end_ns, answered.end_ns)


def test_a_question_may_go_on_from_the_nearest_thing_that_a_refusal_showed(kitchen: Asker) -> None:
    kitchen.ask("When does the bus leave?")
    refused = kitchen.ask("What did they say about the volcano?")
    assert refused.abstained
    assert refused.retrieved
    shown = next(line for line in kitchen.room.lines if line.id == refused.retrieved[0])
    assert shown.text in refused.text
    after = kitchen.ask("What did they say after that?")
    assert min(evidence.start_ns for evidence in after.claims[0].evidence) == min(
        line.start_ns for line in kitchen.room.lines if line.start_ns >= shown.end_ns and line.track in _company(shown.track)
    )


def _company(track: str) -> set[str]:
    return {"t1", "t2"} if track in {"t1", "t2"} else {"t3", "t4"}


def test_a_follow_up_to_nothing_says_what_is_missing(kitchen: Asker) -> None:
    assert kitchen.ask("Who said that?").text == (
        "This goes on from an earlier question, but none was answered in the last 30 minutes: ask first for what you mean, such as"
        ' "What did they say about the budget?", or name it.'
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("What came first, the museum or the leak in the roof?", "The museum came first."),
        ("What came last, the museum or the leak in the roof?", "The leak in the roof came last."),
        ("Did they talk about the leak in the roof before the museum?", "No: the museum came before the leak in the roof."),
        ("Did they talk about the leak in the roof after the museum?", "Yes: the leak in the roof came after the museum."),
    ],
)
def test_an_order_cites_both(kitchen: Asker, text: str, says: str) -> None:
    answer = kitchen.ask(text)
    assert answer.intent == "order"
    assert answer.text.startswith(says)
    assert [kitchen.room.section_of(evidence.utterance) for evidence in answer.claims[0].evidence] == ["museum", "roof"]


def test_an_order_with_something_that_nobody_said_says_which(kitchen: Asker) -> None:
    answer = kitchen.ask("What came first, the museum or the volcano?")
    assert answer.abstained
    assert answer.text == '"the volcano" was not heard of. "the museum" was.'


def test_what_came_after_a_topic(kitchen: Asker) -> None:
    answer = kitchen.ask("What did they talk about after the tickets?")
    first = answer.claims[0].evidence[0]
    tickets = next(line for line in kitchen.room.lines if "tickets are six" in line.text)
    assert answer.intent == "order"
    assert first.start_ns >= tickets.end_ns


def test_every_line_is_counted(kitchen: Asker) -> None:
    answer = kitchen.ask("How often was the roof mentioned?")
    said = [line.id for line in kitchen.room.lines if "roof " in line.text]
    assert answer.claims[0].text.startswith(f"{len(said)} ")
    assert set(said) == {evidence.utterance for evidence in answer.claims[0].evidence}


def test_a_side_needs_the_way_that_the_asker_faces(kitchen: Asker) -> None:
    answer = kitchen.ask("What was said on my right about the dog?")
    assert {evidence.azimuth_deg for claim in answer.claims for evidence in claim.evidence} <= {30.0, 75.0}
    turned = kitchen.recall.ask("What was said on my right about the museum?", now=kitchen.now, facing_deg=300.0)
    assert {evidence.azimuth_deg for claim in turned.claims for evidence in claim.evidence} == {210.0}


def test_a_short_answer_is_short_and_a_full_one_is_whole(kitchen: Asker) -> None:
    short, full = kitchen.ask("Catch me up in ten seconds"), kitchen.ask("Catch me up in full")
    assert len(short.claims) == 1
    assert len(full.claims) == len(kitchen.room.sections)
    assert len(short.claims[0].text.split()) < len(full.claims[0].text.split()) + 10


def test_somebody_who_was_silent_then(kitchen: Asker) -> None:
    assert kitchen.ask("What did speaker-3 say between +0 and +1?").text.startswith(
        'speaker-3 was not heard in the asked time ("between +0 and +1").'
    )


def test_what_came_between_two_things(kitchen: Asker) -> None:
    answer = kitchen.ask("What did they talk about between the tickets and the roof of the gym?")
    lines = {line.id: line for line in kitchen.room.lines}
    tickets = next(line for line in kitchen.room.lines if "tickets are six" in line.text)
    roof = next(line for line in kitchen.room.lines if "roof of the gym" in line.text)
    shown = [lines[evidence.utterance] for claim in answer.claims for evidence in claim.evidence]
    assert shown
    assert all(tickets.end_ns < line.end_ns and line.start_ns < roof.start_ns for line in shown)
    assert kitchen.ask("What happened between the roof of the gym and the tickets?").claims[0].evidence == answer.claims[0].evidence


def test_what_somebody_said_after_something_that_another_named(kitchen: Asker) -> None:
    museum = next(line for line in kitchen.room.lines if "science museum" in line.text)
    assert museum.speaker == "speaker-3"
    kitchen.memory.speakers.rename("speaker-4", "Dora")
    answer = kitchen.ask("What did Dora say after the science museum?")
    shown = [evidence for claim in answer.claims for evidence in claim.evidence]
    assert {evidence.speaker for evidence in shown} == {"Dora"}
    assert all(evidence.start_ns >= museum.end_ns for evidence in shown)


def test_before_or_after_asks_which_came_first(kitchen: Asker) -> None:
    answer = kitchen.ask("Was the museum before or after the leak in the roof?")
    assert answer.text.startswith("The museum came first.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Play me the planetarium", "Can they see the planetarium show as well?"),
        ("Play the conversation about the planetarium", "Can they see the planetarium show as well?"),
        ("Could you play me the part about the planetarium, please?", "Can they see the planetarium show as well?"),
        ("Let me hear everything speaker-3 said", "So are we still taking the class to the science museum on Friday?"),
        ("Play what speaker-3 said", "So are we still taking the class to the science museum on Friday?"),
        ("Play the second minute", "Then I hope that it stays dry for the football practice."),
        ("Play me everything in the second minute", "Then I hope that it stays dry for the football practice."),
        ("Play the second half of the meeting", "Then I hope that it stays dry for the football practice."),
        ("Play me the last minute", "Then I hope that it stays dry for the football practice."),
    ],
)
def test_what_is_played_is_found_as_what_was_said(kitchen: Asker, text: str, words: str) -> None:
    answer = kitchen.ask(text)
    assert answer.intent == "play"
    assert words in [evidence.text for claim in answer.claims for evidence in claim.evidence]
    starts = [claim.evidence[0].start_ns for claim in answer.claims]
    assert starts == sorted(starts)


def test_all_that_somebody_said_is_played(kitchen: Asker) -> None:
    own = [line.id for line in kitchen.room.lines if line.speaker == "speaker-3"]
    told = [claim.evidence[0].utterance for claim in kitchen.ask("Play everything speaker-3 said").claims]
    assert len(told) == len(own)
    assert len(kitchen.ask("Play me the talk about the museum").claims) <= 5


@pytest.mark.parametrize(
    "text", ["Play everything about the puppy", "Play me all of it about the puppy", "Let me hear all that was said about the puppy"]
)
def test_all_that_was_said_about_something_is_played(kitchen: Asker, text: str) -> None:
    answer = kitchen.ask(text)
    starts = [claim.evidence[0].start_ns for claim in answer.claims]
    assert answer.intent == "play"
    assert starts == sorted(starts)
    assert len(starts) > len(kitchen.ask("Play the puppy").claims)
    assert "puppy" in answer.text


def test_of_much_that_was_said_about_something_the_first_lines_are_played(encoder: MinilmOnnx) -> None:
    said = [line_row(f"The ferry of pier number {n} was late.", 4.0 * n, track=f"t{1 + n % 2}", event="e") for n in range(25)]
    with asking(encoder, {"s": said}) as ask:
        answer = ask("Play everything about the ferry")
        assert answer.text.startswith("These are the first 20 of 25 lines. ")
        assert [claim.evidence[0].text for claim in answer.claims] == [line.text for line in said[:20]]
        assert len(ask("Play everything about the ferry in the first ten seconds").claims) == 3
        assert ask("Play everything about the volcano").abstained


def test_what_is_played_ends_where_something_else_begins(encoder: MinilmOnnx) -> None:
    talk = [
        "Will is coming too, with his wife.",
        "Let's give Will the front seat.",
        "Good idea.",
        "The dog is six years old. The dog sleeps on the sofa.",
        "Our dog is called Bello. He bites.",
        "He ran off again.",
        "Bed six needs new sheets, and bed seven is empty.",
        "The train leaves from platform four at half past five.",
    ]
    with asking(encoder, {"s": [line_row(text, 5.0 * n, track=f"t{1 + n % 2}", event="e") for n, text in enumerate(talk)]}) as ask:
        assert [claim.evidence[0].text for claim in ask("Play everything about the dog").claims] == talk[3:6]


def test_all_of_a_day_is_no_topic() -> None:
    assert played_in("Play everything on Monday") == (True, "what on Monday")
    assert played_in("Play everything on the 3rd of March") == (True, "what on the 3rd of March")
    assert played_in("Play everything on the exam") == (True, "what was said about the exam")


@pytest.mark.parametrize(
    "text", ["Play some music", "Play the music", "Play my favourite song", "Play chess with me", "Play the radio, please"]
)
def test_what_other_machines_play_stays_refused(kitchen: Asker, text: str) -> None:
    answer = kitchen.ask(text)
    assert answer.intent == "unservable"
    assert "can only answer" in answer.text


def test_what_nobody_talked_about_is_not_played(kitchen: Asker) -> None:
    assert kitchen.ask("Play me the volcano").abstained
