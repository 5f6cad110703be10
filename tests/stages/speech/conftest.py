"""The recognisers, loaded once, and speech to hear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.packets import NS_PER_S, Float32Array, Track, Utterance
from stages.speech.faster_whisper import FasterWhisper
from stages.speech.openai_whisper import OpenaiWhisper

RATE = 16000


@pytest.fixture(scope="session")
def faster_whisper(weights: Path) -> Iterator[FasterWhisper]:
    """The started stage."""
    assert weights.is_dir()
    stage = FasterWhisper()
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture(scope="session")
def openai_whisper(weights: Path) -> Iterator[OpenaiWhisper]:
    """The started stage."""
    assert weights.is_dir()
    # One thread: beside other tests, two would wait for each other at every small step.
    stage = OpenaiWhisper(n_threads=1)
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture(scope="session")
def speech(shared: Path) -> Callable[[str], Float32Array]:
    """Real recordings by name: float32, shape (frames,), at 16 kHz."""

    def read(name: str) -> Float32Array:
        samples, rate = soundfile.read(shared / "data/speech" / f"{name}.flac", dtype="float32")
        assert rate == RATE
        return np.asarray(samples, dtype=np.float32)

    return read


@pytest.fixture(scope="session")
def said(shared: Path) -> dict[str, str]:
    """What is said in each recording."""
    rows = (line.split("\t") for line in (shared / "data/speech/transcripts.tsv").read_text(encoding="utf-8").splitlines())
    return {row[0].removesuffix(".flac"): row[1] for row in rows}


@pytest.fixture(scope="session")
def utterance_of() -> Callable[..., Utterance]:
    """Makes one utterance of samples."""

    def make(samples: Float32Array, start_s: float = 0.0, lead_s: float = 0.0, track: str = "t1") -> Utterance:
        start_ns = round((start_s + lead_s) * NS_PER_S)
        return Utterance(
            pts_ns=start_ns,
            duration_ns=round((len(samples) / RATE - lead_s) * NS_PER_S),
            samples=samples,
            sample_rate_hz=RATE,
            track=Track(name=track, azimuth_deg=None),
            lead_ns=round(lead_s * NS_PER_S),
        )

    return make
