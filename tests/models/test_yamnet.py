"""YAMNet on sounds that are known."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.weights import path_of
from models.yamnet import DIMENSION, N_CLASSES, WINDOW_FRAMES, Yamnet, YamnetError, class_names, mel_bands
from tests.sound_fields import clip
from tests.stages.sound.made_sounds import phone, smoke_alarm


@pytest.fixture(scope="module")
def network(weights: Path) -> Yamnet:
    assert weights.is_dir()
    return Yamnet(path_of("yamnet/model.zip"))


@pytest.fixture(scope="module")
def names(weights: Path) -> tuple[str, ...]:
    assert weights.is_dir()
    return class_names(path_of("yamnet/class_map.csv"))


def best(network: Yamnet, names: tuple[str, ...], samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[str]:
    scores = network.judge(np.ascontiguousarray(samples[:WINDOW_FRAMES])).scores
    return [names[place] for place in np.argsort(-scores)[:3]]


def test_it_knows_speech_a_phone_an_alarm_water_and_silence(network: Yamnet, names: tuple[str, ...], shared: Path) -> None:
    assert best(network, names, clip(shared, "librivox_0870")[16000:])[0] == "Speech"
    assert best(network, names, phone())[0] in ("Busy signal", "Telephone")
    assert "Smoke detector, smoke alarm" in best(network, names, smoke_alarm())
    dishes, rate_hz = soundfile.read(shared / "data/noise/doing_the_dishes.wav", dtype="float32", frames=16000)
    assert rate_hz == 16000
    assert best(network, names, dishes)[0] == "Hair dryer"  # a tap that runs at full, which sounds like one
    assert best(network, names, np.zeros(WINDOW_FRAMES, np.float32))[0] == "Silence"


def test_a_judgement_is_bounded_finite_and_the_same_each_time(network: Yamnet) -> None:
    loud = np.random.default_rng(0).uniform(-1.0, 1.0, WINDOW_FRAMES).astype(np.float32)
    for samples in (loud, np.zeros_like(loud), np.full_like(loud, 1e6)):
        first, again = network.judge(samples), network.judge(samples.copy())
        assert first.scores.shape == (N_CLASSES,)
        assert first.embedding.shape == (DIMENSION,)
        assert first.scores.dtype == first.embedding.dtype == np.float32
        assert np.isfinite(first.embedding).all()
        assert (first.scores >= 0.0).all()
        assert (first.scores <= 1.0).all()
        assert (first.scores == again.scores).all()
        assert (first.embedding == again.embedding).all()


def test_the_bands_are_triangles_on_the_mel_scale() -> None:
    bands = mel_bands()
    assert bands.shape == (257, 64)
    assert (bands >= 0.0).all()
    assert bands[: int(125 / 31.25) + 1].max() == 0.0
    assert bands[int(7500 / 31.25) + 1 :].max() == 0.0
    # Where no edge of the range is near, the triangles that overlap add to 1.
    assert np.allclose(bands[8:230].sum(axis=1), 1.0, atol=1e-5)


def test_what_is_not_the_network_or_its_input_is_refused(network: Yamnet, tmp_path: Path) -> None:
    with pytest.raises(YamnetError, match=r"a window has shape \(15600,\), found \(16000,\)"):
        network.judge(np.zeros(16000, np.float32))
    wrong = tmp_path / "model.zip"
    wrong.write_bytes(b"not a zip")
    with pytest.raises(YamnetError, match=r"not YAMNet's archive: .*; `echoic models fetch yamnet` brings it anew"):
        Yamnet(wrong)
    with zipfile.ZipFile(wrong, "w") as archive:
        archive.writestr("model.onnx", b"")
    with pytest.raises(YamnetError, match=r"model\.data"):
        Yamnet(wrong)
    table = tmp_path / "class_map.csv"
    table.write_text("index,mid,display_name\n0,/m/1,Speech\n")
    with pytest.raises(YamnetError, match="1 classes, expected 521"):
        class_names(table)
    table.write_text("a,b\n1,2\n")
    with pytest.raises(YamnetError, match="not the class map"):
        class_names(table)
