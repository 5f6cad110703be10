"""Who of several talkers speaks when, by the real network on real speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.pyannote_segmentation import N_TALKERS, PyannoteSegmentation, SegmentationError
from models.weights import path_of


@pytest.fixture(scope="module")
def network(weights: Path) -> PyannoteSegmentation:
    assert weights.is_dir()
    return PyannoteSegmentation(path_of("pyannote_segmentation.pt"))


def _ami(shared: Path, name: str, first_s: float = 0.0, length_s: float = 10.0) -> np.ndarray:
    samples, rate_hz = soundfile.read(shared / "data" / "ami_rttm" / f"{name}.flac", dtype="float32")
    return np.asarray(samples[int(first_s * rate_hz) : int((first_s + length_s) * rate_hz)])


def test_noise_and_silence_are_nobody(network: PyannoteSegmentation) -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, 160000).astype(np.float32)
    for samples in (noise, np.zeros(160000, dtype=np.float32)):
        activity = network.activity(samples)
        assert activity.shape == (589, N_TALKERS)
        assert activity.max() < 0.3


def test_a_meeting_is_heard_as_its_transcribers_heard_it(network: PyannoteSegmentation, shared: Path) -> None:
    truth = [line.split() for line in (shared / "data" / "ami_rttm" / "ref.rttm").read_text().splitlines()]
    turns = [(float(parts[3]), float(parts[3]) + float(parts[4])) for parts in truth if parts[1] == "trn03"]
    activity = network.activity(_ami(shared, "trn03", 15.0))
    middles_s = 15.0 + (np.arange(len(activity)) * 270 + 495) / 16000
    spoken = np.array([any(start < time < end for start, end in turns) for time in middles_s])
    assert (activity.max(axis=1) > 0.5)[spoken].mean() > 0.95


def test_two_voices_at_once_are_two_talkers(network: PyannoteSegmentation, shared: Path) -> None:
    one, other = _ami(shared, "trn03", 9.0, 10.0), _ami(shared, "trn06", 13.6, 4.0)
    both = one.copy()
    level = float(np.sqrt((one**2).mean()) / np.sqrt((other**2).mean()))
    both[64000:128000] += level * other
    alone, mixed = network.activity(one), network.activity(both)
    inside = slice(64000 // 270 + 10, 128000 // 270 - 10)
    at_once = [np.mean((activity[inside] > 0.3).sum(axis=1) >= 2) for activity in (alone, mixed)]
    assert at_once[0] < 0.1
    assert at_once[1] > 0.5


def test_the_same_sound_gives_the_same_activity_however_loud(network: PyannoteSegmentation, shared: Path) -> None:
    samples = _ami(shared, "trn08")
    first = network.activity(samples)
    assert np.array_equal(first, network.activity(samples))
    louder = network.activity(samples * 4)
    assert np.abs(first - louder).max() < 0.05, "the network levels what it hears"


@pytest.mark.parametrize(
    "samples",
    [np.zeros(990, dtype=np.float32), np.zeros((2, 16000), dtype=np.float32), np.full(16000, np.nan, dtype=np.float32)],
    ids=["short", "two channels", "nan"],
)
def test_what_it_cannot_hear_is_refused(network: PyannoteSegmentation, samples: np.ndarray) -> None:
    with pytest.raises(SegmentationError, match="at least 991 finite"):
        network.activity(samples)


def test_a_file_of_something_else_is_refused_with_the_way_out(weights: Path, tmp_path: Path) -> None:
    broken = tmp_path / "segmentation.pt"
    broken.write_bytes(b"no weights")
    with pytest.raises(SegmentationError, match=r"models fetch pyannote_segmentation\.pt"):
        PyannoteSegmentation(broken)
    with pytest.raises(SegmentationError, match=r"segmentation-3\.0"):
        PyannoteSegmentation(weights / "resemblyzer.pt")
