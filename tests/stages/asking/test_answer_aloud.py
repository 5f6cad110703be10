"""Questions from the room are answered beside the graph, said, interrupted, and never hold anything up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import soundfile

from pipeline.packets import SpokenAnswer, SpokenQuestion, Track, nanoseconds
from stages.answer.extractive import Extractive
from stages.asking.answer_aloud import AnswerAloud
from stages.asking.asking_errors import AskingError
from stages.asking.barge_in import BargeIn
from stages.memory.long_term_memory import LongTermMemory
from stages.recall.answer_parts import AnswerPart, Final
from stages.recall.keyword_recall import KeywordRecall
from stages.recall.recall import Recall
from stages.speaking.espeak_ng import EspeakNg
from stages.speaking.player import Player
from tests.pipeline.app.command_line import until
from tests.stages.asking.made_speech import memory_of, speech
from tests.stages.memory import made

FERRY = "The ferry leaves on Saturday at half past nine."


def asked(text: str, start_s: float = 10.0, track: str = "t1") -> SpokenQuestion:
    return SpokenQuestion(pts_ns=nanoseconds(start_s), duration_ns=nanoseconds(2.0), track=Track(name=track, azimuth_deg=30.0), text=text)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[LongTermMemory]:
    opened = memory_of(tmp_path / "m")
    opened.add_lines("s1", [made.line(FERRY, 1.0, 3.0, audio_s=3.0)], nanoseconds(20.0))
    yield opened
    opened.stop()


@pytest.fixture
def recall(memory: LongTermMemory) -> KeywordRecall:
    return KeywordRecall(memory, Extractive())


@pytest.fixture
def running() -> Iterator[Callable[[AnswerAloud], AnswerAloud]]:
    """Starts stages, and stops them in every case; no thread is left."""
    started: list[AnswerAloud] = []

    def start(stage: AnswerAloud) -> AnswerAloud:
        stage.start()
        started.append(stage)
        return stage

    yield start
    for stage in started:
        stage.stop()
        stage.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name == "echoic-answers"]


Running = Callable[[AnswerAloud], AnswerAloud]


def answers(emits: Iterator[object]) -> list[SpokenAnswer]:
    return [emit.packet for emit in emits]  # type: ignore[attr-defined] # what a stage gives are Emits


def test_a_question_is_answered_from_the_memory_over_its_own_span(memory: LongTermMemory, recall: KeywordRecall, running: Running) -> None:
    stage = running(AnswerAloud(recall, memory))
    question = asked("When does the ferry leave?")
    assert answers(stage.on_question(question)) == []
    # Until the answer is there, nothing beyond its question is promised.
    assert stage.promise(nanoseconds(60.0)) == question.end_ns
    (answer,) = answers(stage.flush())
    assert (answer.pts_ns, answer.end_ns, answer.question) == (question.pts_ns, question.end_ns, question)
    assert answer.answer["claims"][0]["evidence"][0]["text"] == FERRY
    assert stage.promise(nanoseconds(60.0)) == nanoseconds(60.0)
    assert answers(stage.flush()) == []


def test_it_leaves_when_time_passes_and_nothing_is_waited_for(memory: LongTermMemory, recall: KeywordRecall, running: Running) -> None:
    stage = running(AnswerAloud(recall, memory))
    list(stage.on_question(asked("When does the ferry leave?")))
    found = until(lambda: answers(stage.on_passed(nanoseconds(13.0))))
    assert len(found) == 1


def test_nothing_later_than_the_question_is_known(memory: LongTermMemory, recall: KeywordRecall, running: Running) -> None:
    stage = running(AnswerAloud(recall, memory))
    list(stage.on_question(asked("When does the ferry leave?", 0.5)))
    (answer,) = answers(stage.flush())
    assert answer.answer["abstained"]


def test_it_waits_for_the_memory(tmp_path: Path, running: Running) -> None:
    memory = memory_of(tmp_path / "late")
    stage = running(AnswerAloud(KeywordRecall(memory, Extractive()), memory, patience_s=30.0))
    list(stage.on_question(asked("When does the ferry leave?")))
    assert answers(stage.on_passed(nanoseconds(11.0))) == []
    memory.add_lines("s1", [made.line(FERRY, 1.0, 3.0)], nanoseconds(12.0))
    (answer,) = answers(stage.flush())
    assert not answer.answer["abstained"]
    stage.stop()
    memory.stop()


def test_several_questions_are_answered_in_their_order(memory: LongTermMemory, recall: KeywordRecall, running: Running) -> None:
    stage = running(AnswerAloud(recall, memory, EspeakNg(), Player("fakesink")))
    questions = [asked("When does the ferry leave?", 10.0), asked("Who talked about the ferry?", 13.0), asked("What did I miss?", 16.0)]
    found = [answer for question in questions for answer in answers(stage.on_question(question))]
    found += answers(stage.flush())
    assert [answer.question for answer in found] == questions


def test_the_answer_is_said(memory: LongTermMemory, recall: KeywordRecall, running: Running, tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    player = Player(f"wavenc ! filesink location={path}")
    stage = running(AnswerAloud(recall, memory, EspeakNg(), player))
    list(stage.on_question(asked("When does the ferry leave?")))
    until(lambda: path.is_file() and not player.is_playing and path.stat().st_size > 100_000)
    assert soundfile.info(path).duration > 4.0


class PlayThat(Recall):
    """A recall that answers everything as if it had been asked to play it."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall

    def ask_stream(
        self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None
    ) -> Iterator[AnswerPart]:
        yield Final(replace(self._recall.ask(question, at=at, now=now, facing_deg=facing_deg), intent="play"))


def test_play_me_that_plays_the_evidence(memory: LongTermMemory, recall: KeywordRecall, running: Running, tmp_path: Path) -> None:
    path = tmp_path / "played.wav"
    player = Player(f"wavenc ! filesink location={path}")
    stage = running(AnswerAloud(PlayThat(recall), memory, EspeakNg(), player))
    list(stage.on_question(asked("When does the ferry leave?")))
    (answer,) = answers(stage.flush())
    until(lambda: path.is_file() and not player.is_playing)
    clip = soundfile.info(Path(memory.directory) / answer.answer["claims"][0]["evidence"][0]["clip"])
    assert soundfile.info(path).samplerate == 48000
    assert soundfile.info(path).duration == pytest.approx(clip.duration + 0.4, abs=0.01)


def test_speech_of_whoever_asked_stops_the_answer_and_that_of_others_does_not(
    memory: LongTermMemory, recall: KeywordRecall, running: Running
) -> None:
    player = Player("fakesink sync=true")
    stage = running(AnswerAloud(recall, memory, EspeakNg(words_per_minute=80), player))
    barge_in = BargeIn(player)
    for block in speech(0.0, 2.0):
        list(barge_in.on_speech(block))
    list(stage.on_question(asked("When does the ferry leave?")))
    until(lambda: player.is_playing)
    for block in [*speech(12.0, 14.0, "t2"), *speech(12.0, 14.0, probability=0.3), *speech(14.0, 14.2)]:
        list(barge_in.on_speech(block))
    assert player.is_playing, "somebody else, a noise, or a cough is no interruption"
    for block in speech(15.0, 15.3):
        list(barge_in.on_speech(block))
    until(lambda: not player.is_playing, timeout_s=2.0)


def test_the_end_of_the_stream_waits_for_the_answer_but_not_for_the_voice(
    memory: LongTermMemory, recall: KeywordRecall, running: Running
) -> None:
    player = Player("fakesink sync=true")
    stage = running(AnswerAloud(recall, memory, EspeakNg(words_per_minute=80), player))
    list(stage.on_question(asked("When does the ferry leave?")))
    assert len(answers(stage.flush())) == 1
    stage.stop()
    assert not player.is_playing


class Broken(Recall):
    """A recall that always fails."""

    def ask_stream(
        self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None
    ) -> Iterator[AnswerPart]:
        raise RuntimeError(f"no answer to {question} at {at or now}, facing {facing_deg}")


def test_what_fails_is_logged_and_the_room_is_heard_on(
    memory: LongTermMemory, recall: KeywordRecall, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        stage = running(AnswerAloud(Broken(), memory))
        list(stage.on_question(asked("Who?")))
        assert answers(stage.flush()) == []
        assert stage.promise(10) == 10
        mute = running(AnswerAloud(recall, memory, EspeakNg(), Player("filesink location=/nonexistent/x")))
        list(mute.on_question(asked("When does the ferry leave?")))
        assert len(answers(mute.flush())) == 1
        until(lambda: len(caplog.records) == 2)
    told = "sink 'filesink location=/nonexistent/x': no sound can be played there"
    assert caplog.messages[0] == "the question 'Who?' could not be answered"
    assert caplog.messages[1].startswith(f"an answer could not be said: {told}")


def test_settings_out_of_range_are_refused(memory: LongTermMemory, recall: KeywordRecall) -> None:
    with pytest.raises(AskingError) as caught:
        AnswerAloud(recall, memory, patience_s=-1.0)
    assert str(caught.value) == "AnswerAloud: patience_s is -1.0; allowed are 0 to 30"
    with pytest.raises(AskingError) as caught:
        BargeIn(Player(), speech_s=0.0)
    assert str(caught.value) == "BargeIn: speech_s 0.0 and threshold 0.6; allowed are over 0 to 5, and 0 to 1"
