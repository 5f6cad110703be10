"""The quotes of an answer as a stereo file: in order, each on its side, whole, even and never clipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.stereo_place import CEILING
from pipeline.testing import tone
from stages.recall.catch_up_mix import PAUSE_S, SAMPLE_RATE_HZ, MixError, Quote, mix

HZ = (300.0, 700.0, 1500.0)


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Three clips of a second at three pitches and very different levels."""
    paths = []
    for pitch, amplitude in zip(HZ, (0.9, 0.01, 0.2), strict=True):
        paths.append(tmp_path / f"{pitch:.0f}.flac")
        soundfile.write(paths[-1], tone(pitch, 1.0, amplitude=amplitude), 16000)
    return paths


def pitch_of(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)[spectrum.argmax()])


def test_quotes_follow_each_other_each_from_its_side(clips: list[Path]) -> None:
    made = mix([Quote(clips[0], 90.0), Quote(clips[1], 270.0), Quote(clips[2], None)])
    second, pause = SAMPLE_RATE_HZ, round(PAUSE_S * SAMPLE_RATE_HZ)
    assert made.shape[1] == pytest.approx(3 * second + 2 * pause, abs=200)
    parts = [made[:, place * (second + pause) : place * (second + pause) + second] for place in range(3)]
    for part, pitch in zip(parts, HZ, strict=True):
        assert pitch_of(part.sum(axis=0)) == pytest.approx(pitch, abs=2)
    sides = [np.sum(np.square(part), axis=1) for part in parts]
    assert sides[0][0] > 10 * sides[0][1]
    assert sides[1][1] > 10 * sides[1][0]
    assert sides[2][0] == pytest.approx(sides[2][1], rel=1e-3)
    # Evened: all three carry the same power, whatever they were recorded at.
    assert [side.sum() for side in sides] == pytest.approx([sides[0].sum()] * 3, rel=0.05)
    assert not made[:, second + 300 : second + pause - 100].any()
    assert np.abs(made).max() <= CEILING


def test_the_listener_turns(clips: list[Path]) -> None:
    left, right = np.sum(np.square(mix([Quote(clips[0], 90.0)], facing_deg=180.0)), axis=1)
    assert right > 10 * left


def test_a_quote_is_whole_to_its_last_sample(clips: list[Path]) -> None:
    made = mix([Quote(clips[2], 0.0)])[0]
    # The tone goes on to the end of the clip; only the fade of 10 ms takes from it.
    assert np.abs(made[SAMPLE_RATE_HZ - 1500 : SAMPLE_RATE_HZ - 500]).max() > 0.9 * np.abs(made).max()


def test_nothing_to_mix_and_a_clip_that_is_gone(tmp_path: Path) -> None:
    assert mix([]).shape == (2, 0)
    gone = tmp_path / "gone.flac"
    with pytest.raises(MixError, match=r"gone\.flac: the clip cannot be read \(.*\); ask again, and it is cut anew"):
        mix([Quote(gone, None)])
