"""Speakers in a question: by the name that they have now, or by the id that they keep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.transcript_files import import_transcript
from stages.recall.answers import Answer
from stages.recall.keyword_recall import KeywordRecall
from stages.recall.named_talkers import is_named, named_in, speaker_in
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row

FERRY, HARBOUR, LIGHTHOUSE = "The ferry leaves at noon.", "We meet at the harbour.", "The lighthouse is closed."


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    """speaker-1 says two lines, speaker-2 one between them, who is called Anna."""
    opened = LongTermMemory(ENCODER)
    opened.start()
    opened.begin_session(session_row())
    said = [line(FERRY, 1, track="t1"), line(HARBOUR, 4, track="t2", azimuth_deg=90.0), line(LIGHTHOUSE, 7, track="t1")]
    opened.add_lines("s1", said, said[-1].end_ns)
    opened.finish_session("s1", said[-1].end_ns)
    opened.speakers.rename("speaker-2", "Anna")
    yield opened
    opened.stop()


def ask(memory: LongTermMemory, question: str, at_s: float | None = None) -> Answer:
    at = None if at_s is None else STARTED_AT + timedelta(seconds=at_s)
    return KeywordRecall(memory, Extractive()).ask(question, at=at, now=STARTED_AT + timedelta(minutes=5))


def shown(answer: Answer) -> set[tuple[str, str]]:
    return {(entry.speaker, entry.text) for claim in answer.claims for entry in claim.evidence}


@pytest.mark.parametrize("who", ["speaker-2", "Speaker 2", "speaker two", "Anna", "anna"])
def test_a_renamed_speaker_is_found_by_id_and_by_name(memory: LongTermMemory, who: str) -> None:
    assert shown(ask(memory, f"What did {who} say?")) == {("Anna", HARBOUR)}
    assert shown(ask(memory, f"What did {who} say about the harbour?")) == {("Anna", HARBOUR)}
    assert ask(memory, f"What did {who} say about the ferry?").abstained


def test_who_was_followed_may_be_given_by_id(memory: LongTermMemory) -> None:
    by_id = ask(memory, "What did I miss while I was listening to speaker-2?")
    by_name = ask(memory, "What did I miss while I was listening to Anna?")
    assert not by_id.text.startswith("No talker")
    assert [stretch.lines for stretch in by_id.attended] == [stretch.lines for stretch in by_name.attended]
    assert {row.speaker for stretch in by_id.attended for row in stretch.lines} >= {"Anna"}


def test_a_name_that_is_shown_goes_before_an_id(memory: LongTermMemory, tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    file.write_text('{"start_s": 0, "end_s": 2, "speaker": "speaker-2", "text": "Bring the tickets."}\n', encoding="utf-8")
    import_transcript(file, memory, ENCODER, STARTED_AT + timedelta(seconds=60))
    assert shown(ask(memory, "What did speaker-2 say?")) == {("speaker-2", "Bring the tickets.")}
    assert shown(ask(memory, "What did Anna say about the harbour?")) == {("Anna", HARBOUR)}


def test_whom_nobody_has_heard_yet_or_ever_is_not_known(memory: LongTermMemory) -> None:
    before = ask(memory, "What did speaker-2 say?", at_s=3.0)
    assert before.abstained
    assert before.text == "No talker is called speaker-2. Did you mean speaker-1? The talkers are speaker-1."
    assert ask(memory, "What did speaker-9 say?").text.startswith("No talker is called speaker-9.")


@pytest.mark.parametrize("who", ["guest-2", "spk_07", "mic3"])
def test_a_label_that_nobody_has_is_not_known(memory: LongTermMemory, who: str) -> None:
    assert ask(memory, f"What did {who} say about the harbour?").text.startswith(f"No talker is called {who}.")


def test_somebody_of_a_talkers_is_not_the_talker(memory: LongTermMemory) -> None:
    assert ask(memory, "What did speaker-2's brother say about the harbour?").text.startswith(
        'No talker is known as "speaker-2\'s brother"'
    )


@pytest.mark.parametrize("asked", ["What did {} say?", "Did {} mention the harbour?", "has {} ever talked about the harbour?"])
def test_a_name_in_small_letters_is_known_wherever_the_question_begins(asked: str) -> None:
    speaker, rest = speaker_in(asked.format("guest-1"), lambda: ["Anna", "guest-1"])
    assert (speaker, rest) == ("guest-1", asked.format("they"))
    assert speaker_in(asked.format("anna"), lambda: ["Anna", "guest-1"]) == ("Anna", asked.format("they"))


@pytest.mark.parametrize(
    "text",
    [
        "What did the co-host ask?",
        "What did my mother-in-law promise?",
        "What did ann's mum say about the crane?",
        "What was said by Anna's wife?",
        "What did page-3 say about the crane?",
        "What did covid19 tell us about masks?",
        "How long was anna's talk?",
        "What did speaker-2's brother say?",
    ],
)
def test_what_only_looks_like_a_talker_is_none(text: str) -> None:
    assert speaker_in(text, lambda: ["Anna", "Host", "Law", "Mum", "speaker-2"]) == (None, text)


def test_a_label_that_stands_in_another_word_leaves_that_as_it_is() -> None:
    assert speaker_in("On channel mic30 what did mic3 say?", lambda: ["mic3"]) == ("mic3", "On channel mic30 what did they say?")


def test_the_talk_of_a_talker_can_be_followed(memory: LongTermMemory) -> None:
    answer = ask(memory, "What did I miss while I was listening to speaker-2's story about the harbour?")
    assert {row.speaker for stretch in answer.attended for row in stretch.lines} >= {"Anna"}


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("will", "I asked Will.", True),
        ("will", "Will, come here.", True),
        ("will", "Will's van is large.", True),
        ("will", "Will you come?", False),
        ("will", "I will come.", False),
        ("anna", "anna has a van.", True),
        ("anna", "Annabel has a van.", False),
    ],
)
def test_whether_a_text_has_a_name(name: str, text: str, named: bool) -> None:
    assert is_named(name, text) is named


def test_names_that_are_words_too() -> None:
    assert named_in("Will", tuple) == ("will",)
    assert named_in("will", lambda: ["Will"]) == ("will",)
    assert named_in("them", tuple) == ()


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("What did Walter ask speaker-4?", "Walter"),
        ("Did Walter mention speaker 4?", "Walter"),
        ("What does Martin owe speaker-4?", None),
        ("What do Walter and speaker-4 do on Monday?", None),
        ("What did they say about speaker-4?", None),
        ("What did speaker-4 ask Walter?", "speaker-4"),
        ("Did they hear from speaker four?", "speaker-4"),
        ("What does speaker-4 play?", "speaker-4"),
        ("Where is speaker-4?", "speaker-4"),
        ("Did Ruth say Walter promised it?", "Ruth"),
    ],
)
def test_who_is_asked_about_goes_by_the_role_in_the_sentence(text: str, speaker: str | None) -> None:
    assert speaker_in(text, lambda: ["Walter", "Martin", "Ruth", "speaker-4"])[0] == speaker
