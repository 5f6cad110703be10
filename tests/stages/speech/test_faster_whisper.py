from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from models.ct2_recogniser import Ct2Recogniser
from models.recogniser import Search
from models.recognition import RecogniserError
from models.weights import folder_of
from models.whisper_folder import WhisperFolderError
from pipeline.definition import settings_of
from pipeline.packets import Float32Array, Track, Utterance
from stages.speech.faster_whisper import FasterWhisper
from stages.speech.speech_errors import SpeechError
from stages.speech.transcript_maker import TranscriptMaker
from tests.models.made_whisper import linked_whisper, made_whisper

Starter = Callable[..., FasterWhisper]


@pytest.fixture
def started(weights: Path) -> Iterator[Starter]:
    assert weights.is_dir()
    stages: list[FasterWhisper] = []

    def start(**settings: Any) -> FasterWhisper:
        stages.append(FasterWhisper(**settings))
        stages[-1].start()
        return stages[-1]

    yield start
    for stage in stages:
        stage.stop()


@pytest.fixture
def own_model(weights: Path, tmp_path: Path) -> Path:
    """Whisper base in a folder of one's own."""
    return linked_whisper(tmp_path / "my whisper", weights / "whisper-base")


def text(stage: FasterWhisper, utterance: Utterance) -> str:
    return " ".join(emit.packet.text for emit in stage.batch_utterance([utterance]))


def test_names_in_the_vocabulary_are_spelt_as_given(
    started: Starter, faster_whisper: FasterWhisper, speech: Callable[[str], Float32Array], utterance_of: Callable[..., Utterance]
) -> None:
    utterance = utterance_of(speech("cmu_arctic_us_aew_a0001"))
    assert "Philip Steels" not in text(faster_whisper, utterance)
    assert "Philip Steels" in text(started(vocabulary=["Philip Steels", "Whittemore"]), utterance)


def test_the_language_is_found_for_each_utterance(
    started: Starter, speech: Callable[[str], Float32Array], utterance_of: Callable[..., Utterance]
) -> None:
    stage = started(language="auto")
    (emit,) = stage.batch_utterance([utterance_of(speech("jfk"))])
    assert emit.packet.language == "en"
    assert "your country" in emit.packet.text


def test_a_loop_is_decoded_again_with_more_care(
    started: Starter, speech: Callable[[str], Float32Array], utterance_of: Callable[..., Utterance]
) -> None:
    # In a short window the model loses this passage and repeats one phrase to the end; over the full window it reads on.
    stage = started(padding_s=1.0, min_confidence=0.0)
    samples = speech("two_cities")[: 14 * 16000]
    assert stage._recogniser is not None
    assert stage._recogniser.decoded([samples], 15.0, Search(1, 248))[0].is_loop
    found = text(stage, utterance_of(samples)).lower()
    assert "it was the epoch of belief, it was the epoch of incredulity" in found
    assert "sea of truth. it was the sea of truth" not in found


def test_no_network_is_touched(started: Starter, own_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> NoReturn:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert started().memory_bytes() > 0
    assert started(model=str(own_model)).memory_bytes() == started().memory_bytes()
    (own_model / "tokenizer.json").unlink()
    with pytest.raises(WhisperFolderError, match=r"my whisper lacks tokenizer\.json; "):
        started(model=str(own_model))


def test_a_folder_of_ones_own_gives_what_its_model_gives(
    faster_whisper: FasterWhisper,
    started: Starter,
    own_model: Path,
    speech: Callable[[str], Float32Array],
    utterance_of: Callable[..., Utterance],
) -> None:
    stage = started(model=str(own_model))
    for name in ("jfk", "asterisk_agent-newlocation"):
        utterance = utterance_of(speech(name))
        stage._maker = faster_whisper._maker = TranscriptMaker()
        (own,) = stage.batch_utterance([utterance])
        (theirs,) = faster_whisper.batch_utterance([utterance])
        assert len(own.packet.text) > 20
        assert own.packet == theirs.packet


def test_a_model_that_is_not_there_is_told_at_the_start_and_ends_with_2(tmp_path: Path) -> None:
    stage = FasterWhisper(model=str(tmp_path / "large"))
    with pytest.raises(WhisperFolderError) as caught:
        stage.start()
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith(f"model '{tmp_path}/large': there is no such folder, and the catalogue of weights has no such")


def test_a_model_that_knows_english_only_refuses_other_languages_at_the_start(weights: Path, tmp_path: Path) -> None:
    folder = str(made_whisper(tmp_path / "small.en", weights / "whisper-base", english_only=True))
    stage = FasterWhisper(model=folder)
    stage.start()
    stage.stop()
    for language in ("auto", "fr"):
        with pytest.raises(RecogniserError, match=f"knows English only, so language must be 'en', found '{language}'"):
            FasterWhisper(model=folder, language=language).start()


def test_memory_is_that_of_the_model(tmp_path: Path) -> None:
    with (tmp_path / "model.bin").open("wb") as file:
        file.truncate(3_000_000_000)
    large = FasterWhisper(model=str(tmp_path))
    assert large.memory_bytes() > 3_000_000_000 > 5 * FasterWhisper().memory_bytes()
    assert FasterWhisper(model=str(tmp_path), precision="float32").memory_bytes() == large.memory_bytes() + 3_000_000_000
    assert FasterWhisper(model=str(tmp_path), device="cuda:0").memory_bytes() > large.memory_bytes()


def test_a_language_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SpeechError, match="FasterWhisper: language 'klingon' is not known; allowed are auto, af, am, ar"):
        FasterWhisper(language="klingon")
    with pytest.raises(RecogniserError, match="language 'klingon' is not known; allowed are auto, af, am, ar"):
        Ct2Recogniser(folder_of("whisper-base"), language="klingon")


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SpeechError) as caught:
        FasterWhisper(beam_size=0)
    assert str(caught.value) == (
        "FasterWhisper: beam_size 0, n_threads 2, padding_s 2.0, min_confidence 0.6: the first two must be at least 1, "
        "padding_s 0 to 30, min_confidence 0 to 1"
    )


def test_a_stage_that_was_not_started_and_audio_that_does_not_fit_are_refused(faster_whisper: FasterWhisper) -> None:
    def utterance(length: int, rate: int) -> Utterance:
        track = Track(name="t1", azimuth_deg=None)
        return Utterance(pts_ns=0, duration_ns=0, samples=np.zeros(length, np.float32), sample_rate_hz=rate, track=track)

    with pytest.raises(SpeechError) as caught:
        list(FasterWhisper().batch_utterance([utterance(16, 16000)]))
    assert str(caught.value) == "FasterWhisper: the stage has not been started; call start() first"
    with pytest.raises(SpeechError) as caught:
        list(faster_whisper.batch_utterance([utterance(16, 44100)]))
    assert str(caught.value) == "FasterWhisper: an utterance of track t1 comes at 44100 Hz; 16000 Hz is needed"
    with pytest.raises(RecogniserError) as wrong:
        list(faster_whisper.batch_utterance([utterance(31 * 16000, 16000)]))
    assert str(wrong.value) == "31.0 s of audio at once; Whisper hears at most 30 s"


def test_a_vocabulary_is_a_list_in_the_yaml() -> None:
    setting = settings_of(FasterWhisper)["vocabulary"]
    assert setting.checked(["Siobhan", "Project Falcon"]) == (["Siobhan", "Project Falcon"], "")
    assert FasterWhisper(vocabulary=["Siobhan", " Project Falcon "]).vocabulary == ["Siobhan", "Project Falcon"]
    assert setting.checked(7)[1] != ""


def test_a_vocabulary_as_memories_of_earlier_versions_hold_it_is_a_text_with_commas() -> None:
    setting = settings_of(FasterWhisper)["vocabulary"]
    assert setting.checked("") == ("", "")
    assert FasterWhisper(vocabulary="").vocabulary == []
    assert FasterWhisper(vocabulary="Siobhan, Project Falcon,").vocabulary == ["Siobhan", "Project Falcon"]


def test_a_batch_on_a_cpu_is_a_setting() -> None:
    assert FasterWhisper().max_batch == 1
    assert FasterWhisper(max_batch=4).max_batch == 4
    assert FasterWhisper(device="cuda:0").max_batch == 16
    with pytest.raises(SpeechError) as caught:
        FasterWhisper(max_batch=-1)
    assert str(caught.value) == "FasterWhisper: max_batch is -1; at least 1 is needed, or 0 to choose by the device"
