from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.app.failures import CallerError
from pipeline.app.question_audio import Ending, check_speech, read_question
from pipeline.packets import Float32Array
from pipeline.testing import noise, tone
from stages.speech.silero_vad import SileroVad


def test_a_question_becomes_mono_at_16_khz(tmp_path: Path) -> None:
    path = tmp_path / "q.wav"
    left = tone(440, 1.0, 44100)
    soundfile.write(path, np.stack([left, -left * 0.5], axis=1), 44100)
    samples = read_question(path)
    assert samples.dtype == np.float32
    assert samples.shape == (16000,)
    assert np.abs(samples).max() == pytest.approx(0.025, rel=0.1)


def test_a_file_that_is_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "q.wav"
    path.write_text("not sound")
    with pytest.raises(CallerError) as caught:
        read_question(path)
    assert str(caught.value) == f"--voice {path}: it cannot be read as sound; give a wav, flac, ogg or mp3 file, or mic"
    with pytest.raises(CallerError, match=r"--voice gone\.wav: there is no such file; give a wav"):
        read_question(Path("gone.wav"))


@pytest.mark.parametrize(("duration_s", "told"), [(0.05, "0.1 s"), (31.0, "31.0 s")])
def test_a_question_has_a_length(tmp_path: Path, duration_s: float, told: str) -> None:
    path = tmp_path / "q.wav"
    soundfile.write(path, np.zeros(round(duration_s * 8000)), 8000)
    with pytest.raises(CallerError) as caught:
        read_question(path)
    assert str(caught.value) == f"--voice {path}: it lasts {told}; a spoken question lasts 0.2 to 30 s"


def test_the_question_is_over_after_a_silence() -> None:
    ending = Ending()
    verdicts = [ending.over(0.1, probability) for probability in [0.0] * 30 + [0.9] * 10 + [0.1] * 11 + [0.8] + [0.1] * 12]
    assert verdicts[:-1] == [False] * (len(verdicts) - 1)
    assert verdicts[-1]


def test_silence_alone_ends_at_the_limit() -> None:
    ending = Ending()
    n_blocks = next(count for count in range(1, 1000) if ending.over(0.1, 0.0))
    assert n_blocks in {150, 151}
    assert not ending.has_speech


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(
    ("samples", "found"),
    [
        (np.zeros(32000, dtype=np.float32), "silence"),
        (noise(2.0, amplitude=0.0002), "silence"),
        (noise(2.0, amplitude=0.1), "noise"),
        (tone(440, 2.0, amplitude=0.3), "noise"),
        (tone(440, 0.02), "noise"),
    ],
)
def test_a_question_in_which_nobody_speaks_is_not_asked(samples: Float32Array, found: str) -> None:
    vad = SileroVad()
    vad.start()
    with pytest.raises(CallerError) as caught:
        check_speech(Path("q.wav"), samples, vad)
    vad.stop()
    told = f"there is no speech in it, only {found}; record the question again, or ask in text"
    assert str(caught.value) == f"--voice q.wav: no words were understood: {told}"


@pytest.mark.usefixtures("weights")
def test_a_spoken_question_passes() -> None:
    vad = SileroVad()
    vad.start()
    path = Path("tools/demo/question.flac")
    spoken = read_question(path)
    refused = []
    for name, samples in (("as it was spoken", spoken), ("silenced", np.zeros_like(spoken))):
        try:
            check_speech(path, samples, vad)
        except CallerError:
            refused.append(name)
    vad.stop()
    assert refused == ["silenced"]
