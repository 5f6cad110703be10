"""Questions are taken out of what the room says: all of a question, nothing but questions, and only from whoever may ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.packets import SpeechBlock, SpokenQuestion, Transcript, nanoseconds, seconds
from pipeline.testing import merged
from stages.asking.asking_errors import AskingError
from stages.asking.wake_phrase import WakePhrase
from stages.memory.long_term_memory import LongTermMemory
from tests.stages.asking.made_speech import memory_of, said, speech
from tests.stages.memory import made

END_S = 60.0


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    opened = memory_of()
    yield opened
    opened.stop()


def heard(
    stage: WakePhrase, transcripts: list[Transcript], blocks: list[SpeechBlock] | None = None
) -> tuple[list[str], list[SpokenQuestion]]:
    """Feed the stage as a graph would, time passing after every packet; the texts that went on, and the questions.

    Where no blocks of speech are given, there is speech under the words of every transcript.
    """
    if blocks is None:
        own = [line for line in transcripts if line.copy_of is None]
        blocks = [block for line in own for block in speech(seconds(line.pts_ns), seconds(line.spoken_end_ns), line.utterance.track.name)]
    texts: list[str] = []
    questions: list[SpokenQuestion] = []
    promised = last = 0

    def take(emits: Iterator[object]) -> None:
        nonlocal last
        for emit in emits:
            packet = emit.packet  # type: ignore[attr-defined] # what a stage gives are Emits
            assert packet.end_ns >= promised
            if isinstance(packet, SpokenQuestion):
                assert packet.end_ns >= last
                last = packet.end_ns
                questions.append(packet)
            else:
                texts.append(packet.text)

    for port, packet in merged({"transcript": transcripts, "speech": blocks}):
        take(stage.on_speech(packet) if port == "speech" else stage.on_transcript(packet))  # type: ignore[arg-type] # by port
        take(stage.on_passed(packet.end_ns))
        promised = max(promised, stage.promise(packet.end_ns))
    take(stage.on_passed(nanoseconds(END_S)))
    take(stage.flush())
    return texts, questions


def test_a_question_goes_out_of_the_room_with_its_span(memory: LongTermMemory) -> None:
    asked = said("Echoic, what did I miss?", 3.0)
    texts, questions = heard(WakePhrase(memory), [said("The ferry leaves.", 1.0), asked, said("It is late.", 9.0)])
    assert texts == ["The ferry leaves.", "It is late."]
    (question,) = questions
    assert question.text == "what did I miss?"
    assert (question.pts_ns, question.end_ns, question.track.name) == (asked.pts_ns, asked.end_ns, "t1")


def test_it_goes_on_after_a_pause(memory: LongTermMemory) -> None:
    lines = [said("Echoic.", 1.0), said("What did I miss", 2.2), said("while I was away?", 4.0), said("Anyway.", 8.0)]
    texts, questions = heard(WakePhrase(memory), lines)
    assert texts == ["Anyway."]
    assert [question.text for question in questions] == ["What did I miss while I was away?"]
    assert questions[0].pts_ns == nanoseconds(1.0)
    assert questions[0].end_ns == lines[2].end_ns


def test_a_long_end_is_waited_for_because_somebody_speaks(memory: LongTermMemory) -> None:
    lines = [said("Echoic, who said", 1.0), said("that the very long and slow train to the north leaves at seven in the morning?", 2.6)]
    stage = WakePhrase(memory)
    texts, questions = heard(stage, lines, [*speech(1.0, 2.0), *speech(2.6, 7.2)])
    assert texts == []
    assert [question.text.split()[-1] for question in questions] == ["morning?"]
    # Without that speech the end of the question would have been stored.
    texts, questions = heard(WakePhrase(memory), lines, speech(1.0, 2.0))
    assert [question.text for question in questions] == ["who said"]
    assert len(texts) == 1


def test_others_speak_meanwhile_and_are_remembered(memory: LongTermMemory) -> None:
    lines = [said("Echoic, catch", 1.0), said("We vote now.", 1.2, "t2"), said("me up.", 2.2)]
    texts, questions = heard(WakePhrase(memory), lines)
    assert texts == ["We vote now."]
    assert [question.text for question in questions] == ["catch me up."]


def test_a_wake_phrase_alone_asks_nothing_and_is_not_remembered(memory: LongTermMemory) -> None:
    assert heard(WakePhrase(memory), [said("Echoic.", 1.0), said("Later.", 9.0)]) == (["Later."], [])


def test_copies_of_a_question_go_with_it_and_others_stay(memory: LongTermMemory) -> None:
    lines = [
        said("Echoic, what did", 1.0, "t2", copy_of="t1"),
        said("Echoic, what did I miss?", 1.0),
        said("did I miss?", 1.6, "t3", copy_of="t1"),
        said("did I miss?", 1.6, "t4", copy_of="t9"),
        said("did I miss?", 12.0, "t3", copy_of="t1"),
    ]
    texts, questions = heard(WakePhrase(memory), lines)
    assert texts == ["did I miss?", "did I miss?"]
    assert len(questions) == 1


def test_only_the_user_asks_once_somebody_has_their_name(memory: LongTermMemory) -> None:
    voices = np.eye(192, dtype=np.float32)
    for number, track in enumerate(("t1", "t2")):
        line = made.line("one two three four five", 1.0 + 3 * number, 2.0, track=track, azimuth_deg=120.0 * number)
        spoken = replace(line.transcript, voice=voices[number])
        memory.add_lines("s1", [replace(line, transcript=spoken)], nanoseconds(3.0 + 3 * number))
    asked = [said("Echoic, what did I miss?", 10.0, "t1", voice=voices[0]), said("Echoic, who is there?", 20.0, "t2", voice=voices[1])]
    assert len(heard(WakePhrase(memory), asked)[1]) == 2
    assert heard(WakePhrase(memory, anybody=False), asked)[1] == []
    memory.speakers.rename("speaker-1", "Me")
    texts, questions = heard(WakePhrase(memory), asked)
    assert [question.track.name for question in questions] == ["t1"]
    assert texts == ["Echoic, who is there?"]
    assert len(heard(WakePhrase(memory, own_speaker=""), asked)[1]) == 2


def test_settings_that_cannot_work_are_refused(memory: LongTermMemory) -> None:
    with pytest.raises(AskingError) as caught:
        WakePhrase(memory, wake_phrases=("echoic", "oh"))
    assert str(caught.value) == "WakePhrase: wake_phrases ['echoic', 'oh']; at least one is needed, and each must have at least 4 sounds"
    with pytest.raises(AskingError) as caught:
        WakePhrase(memory, continue_s=9.0)
    assert str(caught.value) == "WakePhrase: continue_s is 9.0; allowed are 0 to 5"


@given(
    st.lists(st.tuples(st.sampled_from(["Echoic, who?", "Echoic.", "We go.", "No."]), st.integers(0, 300), st.integers(1, 3)), max_size=12)
)
def test_every_line_is_a_question_or_remembered_and_the_order_holds(rows: list[tuple[str, int, int]]) -> None:
    memory = memory_of()
    lines = [said(text, tenths / 10, f"t{track}") for text, tenths, track in rows]
    stage = WakePhrase(memory)
    texts, questions = heard(stage, lines)
    words = sum(len(text.split()) for text in texts) + sum(len(question.text.split()) for question in questions)
    n_calls = sum(text.startswith("Echoic") for text, _, _ in rows)
    # Only wake phrases themselves are gone; one within a question that goes on belongs to that.
    assert sum(len(text.split()) for text, _, _ in rows) - n_calls <= words <= sum(len(text.split()) for text, _, _ in rows)
    assert not any(text.startswith("Echoic") for text in texts)
    memory.stop()
