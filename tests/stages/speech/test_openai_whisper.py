from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.recognition import RecogniserError
from models.torch_recogniser import TorchRecogniser
from models.weights import folder_of
from pipeline.packets import Float32Array, Utterance
from stages.speech.openai_whisper import OpenaiWhisper
from stages.speech.speech_errors import SpeechError


def test_only_a_gpu_takes_many_at_once() -> None:
    assert OpenaiWhisper().max_batch == 1
    assert OpenaiWhisper(device="cuda:0").max_batch == 16
    assert OpenaiWhisper(device="cuda:0").memory_bytes() > OpenaiWhisper().memory_bytes()


def test_what_cannot_be_is_refused(weights: Path) -> None:
    assert weights.is_dir()
    with pytest.raises(SpeechError, match="OpenaiWhisper: beam_size 1, n_threads 0"):
        OpenaiWhisper(n_threads=0)
    with pytest.raises(SpeechError, match="OpenaiWhisper: language 'klingon' is not known; allowed are auto, af, am, ar"):
        OpenaiWhisper(language="klingon")
    with pytest.raises(RecogniserError, match="language 'klingon' is not known; allowed are auto, af, am, ar"):
        TorchRecogniser(folder_of("whisper-base"), language="klingon")
    with pytest.raises(SpeechError) as caught:
        list(OpenaiWhisper().batch_utterance([]))
    assert str(caught.value) == "OpenaiWhisper: the stage has not been started; call start() first"


def test_language_and_vocabulary_are_heeded(
    weights: Path, speech: Callable[[str], Float32Array], utterance_of: Callable[..., Utterance]
) -> None:
    assert weights.is_dir()
    stage = OpenaiWhisper(language="auto", vocabulary=["Philip Steels", "Whittemore"], n_threads=1)
    stage.start()
    (emit,) = stage.batch_utterance([utterance_of(speech("cmu_arctic_us_aew_a0001"))])
    stage.stop()
    assert emit.packet.language == "en"
    assert "Philip Steels" in emit.packet.text


@pytest.mark.gpu
def test_a_gpu_reads_the_same_in_a_batch_as_the_cpu(
    openai_whisper: OpenaiWhisper, speech: Callable[[str], Float32Array], utterance_of: Callable[..., Utterance]
) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    utterances = [utterance_of(speech(name), start_s=20.0 * i) for i, name in enumerate(("librivox_0880", "jfk", "librivox_0890"))]
    stage = OpenaiWhisper(device="cuda:0")
    stage.start()
    found = [emit.packet.text for emit in stage.batch_utterance(utterances)]
    stage.stop()
    assert found == [emit.packet.text for utterance in utterances for emit in openai_whisper.batch_utterance([utterance])]


def test_a_precision_that_the_device_does_not_have_is_refused() -> None:
    with pytest.raises(SpeechError) as caught:
        OpenaiWhisper(precision="int8")
    assert str(caught.value) == "OpenaiWhisper: precision 'int8' on cpu; allowed are float32, and float16 on a GPU"
