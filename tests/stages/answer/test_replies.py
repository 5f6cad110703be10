"""Questions in the room and their answers."""

from __future__ import annotations

from dataclasses import replace

from stages.answer.replies import question_before, reply_to
from stages.memory.rows import LineRow
from stages.recall.material import Found
from tests.stages.answer.materials import question
from tests.stages.recall.line_rows import line_row

ASKED = line_row("Did anybody call the roofer?", 0.0, track="t1")
ANSWERED = line_row("He cannot come before the twentieth.", 3.0, track="t2")
CONTEXT = (ASKED, ANSWERED)


def _found(line: LineRow, *context: LineRow) -> Found:
    return Found(line, 1.0, 0.9, 1.0, context or CONTEXT)


def test_a_question_comes_with_its_answer_and_an_answer_with_its_question() -> None:
    asked = question("When can the roofer come?")
    assert reply_to(_found(ASKED), asked) == [ANSWERED]
    assert question_before(_found(ANSWERED), asked) == ASKED


def test_a_line_that_says_it_itself_needs_no_question() -> None:
    whole = line_row("The roofer cannot come before the twentieth.", 3.0, track="t2")
    assert question_before(_found(whole, ASKED, whole), question("When can the roofer come?")) is None


def test_what_the_same_person_asked_or_what_was_asked_long_ago_is_no_question_to_it() -> None:
    asked = question("When can the roofer come?")
    own = line_row("Did anybody call the roofer?", 0.0, track="t2")
    late = line_row("He cannot come before the twentieth.", 30.0, track="t2")
    assert question_before(_found(ANSWERED, own, ANSWERED), asked) is None
    assert question_before(_found(late, ASKED, late), asked) is None
    assert question_before(_found(ANSWERED, ANSWERED), asked) is None


def test_who_asks_for_the_words_of_one_talker_gets_those_alone() -> None:
    asked = question("What did speaker-2 say about the roofer?")
    assert asked.speaker == "speaker-2"
    assert question_before(_found(ANSWERED), asked) is None


def _said(text: str, at_s: float, track: str, event: str) -> LineRow:
    return line_row(text, at_s, track=track, event=event)


def test_a_question_of_one_talk_is_not_asked_of_who_speaks_beside_it_in_another() -> None:
    asking = _said("Did anybody call the roofer?", 0.0, "t1", "e1")
    beside, answered = _said("He cannot come today.", 2.0, "t3", "e2"), _said("Not before the twentieth.", 4.0, "t2", "e1")
    about = question("When can the roofer come?")
    assert reply_to(_found(asking, asking, beside, answered), about) == [answered]
    assert question_before(_found(beside, asking, beside, answered), about) is None


def test_an_event_that_holds_two_talks_is_told_apart_by_the_talk_around() -> None:
    asking = _said("Did anybody call the roofer?", 0.0, "t1", "e1")
    beside, answered = _said("He cannot come today.", 2.0, "t3", "e1"), _said("Not before the twentieth.", 4.0, "t2", "e1")
    about = question("When can the roofer come?")
    found = replace(_found(asking, asking, beside, answered), talk=(asking, answered))
    assert reply_to(found, about) == [answered]
    assert question_before(replace(found, line=beside, talk=(beside,)), about) is None
    assert reply_to(replace(found, talk=()), about) == [beside]


def test_a_new_event_among_the_same_people_parts_no_question_from_its_answer() -> None:
    asking, answered = _said("Did anybody call the roofer?", 0.0, "t1", "e1"), _said("He cannot come today.", 3.0, "t2", "e2")
    before = _said("Morning.", -9.0, "t2", "e1")
    about = question("When can the roofer come?")
    found = _found(asking, before, asking, answered)
    assert reply_to(found, about) == [answered]
    assert question_before(replace(found, line=answered), about) == asking


def test_who_was_elsewhere_before_answers_in_the_talk_of_the_whole_room() -> None:
    asking, answered = _said("How late can we stay?", 0.0, "t1", "e1"), _said("Until half past six.", 3.0, "t2", "e1")
    about = question("How late can they stay?")
    found = replace(_found(asking, asking, answered), talk=(asking,))
    assert reply_to(found, about) == [answered]
    assert question_before(replace(found, line=answered, talk=(answered,)), about) == asking
    elsewhere = _said("Until half past six.", 3.0, "t2", "e2")
    assert reply_to(_found(asking, asking, elsewhere), about) == []
    assert reply_to(replace(found, context=(asking, elsewhere)), about) == []


def test_of_two_who_speak_at_once_the_one_who_takes_up_the_question_answers_it() -> None:
    asking = _said("Can you swap with me on Sunday?", 0.0, "t1", "e1")
    beside = _said("The fish pie is not bad, and the soup is good.", 3.0, "t2", "e1")
    answered = _said("Sunday? No, I am away.", 4.0, "t3", "e1")
    later = _said("Sunday? No, I am away.", 8.0, "t3", "e1")
    about = question("What happens on Sunday?")
    assert reply_to(_found(asking, asking, beside, answered), about) == [answered]
    assert reply_to(_found(asking, asking, beside, later), about) == [beside]
