"""The encoder of voices against its layers in their own order, and on real people."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch.nn import functional

from models.campplus import DIMENSION, LEAST_FRAMES, Campplus, CampplusError
from models.log_mel import log_mel
from models.weights import path_of

RATE_HZ = 16000
# Where one person speaks alone in an excerpt of a meeting: (excerpt, first second), 2.4 s each.
ALONE = {
    "MEO069": (("trn03", 9.0), ("trn03", 24.0)),
    "FEE083": (("trn06", 13.6), ("trn09", 21.0)),
    "FEE078": (("trn05", 12.0), ("trn05", 24.0)),
}


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Campplus:
    assert weights.is_dir()
    return Campplus(path_of("campplus.pt"))


def speech(shared: Path, file: str, first_s: float, length_s: float = 2.4) -> np.ndarray:
    first = int(first_s * RATE_HZ)
    samples, _ = soundfile.read(shared / "data/ami_rttm" / f"{file}.flac", start=first, frames=int(length_s * RATE_HZ), dtype="float32")
    return np.asarray(samples)


class Unmerged:
    """The network in double precision, every normalisation where it was trained, every layer's input joined anew."""

    def __init__(self, path: Path) -> None:
        self.state = {name: value.double() for name, value in torch.load(path, map_location="cpu", weights_only=True).items()}

    def norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        mean, variance = self.state[f"{name}.running_mean"], self.state[f"{name}.running_var"]
        return functional.batch_norm(x, mean, variance, self.state.get(f"{name}.weight"), self.state.get(f"{name}.bias"), eps=1e-5)

    def residual(self, x: torch.Tensor, name: str, stride: int) -> torch.Tensor:
        y = functional.relu(
            self.norm(functional.conv2d(x, self.state[f"{name}.conv1.weight"], stride=(stride, 1), padding=1), f"{name}.bn1")
        )
        y = self.norm(functional.conv2d(y, self.state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
        if stride == 2:
            x = self.norm(functional.conv2d(x, self.state[f"{name}.shortcut.0.weight"], stride=(2, 1)), f"{name}.shortcut.1")
        return functional.relu(y + x)

    def voice(self, samples: np.ndarray) -> np.ndarray:
        level = 10 ** (-25 / 20) / np.sqrt(np.mean(samples.astype(np.float64) ** 2))
        bands = log_mel((samples * level).astype(np.float32)).astype(np.float64)
        x = torch.from_numpy(bands - bands.mean(axis=0)).T[None, None]
        x = functional.relu(self.norm(functional.conv2d(x, self.state["head.conv1.weight"], padding=1), "head.bn1"))
        for layer in (1, 2):
            x = self.residual(self.residual(x, f"head.layer{layer}.0", 2), f"head.layer{layer}.1", 1)
        x = functional.relu(self.norm(functional.conv2d(x, self.state["head.conv2.weight"], stride=(2, 1), padding=1), "head.bn2"))
        x = x.flatten(1, 2)
        x = functional.relu(
            self.norm(
                functional.conv1d(x, self.state["xvector.tdnn.linear.weight"], stride=2, padding=2), "xvector.tdnn.nonlinear.batchnorm"
            )
        )
        for block, (n_layers, dilation) in enumerate(((12, 1), (24, 2), (16, 2)), start=1):
            for layer in range(1, n_layers + 1):
                x = torch.cat([x, self.added(x, f"xvector.block{block}.tdnnd{layer}", dilation)], dim=1)
            x = functional.relu(self.norm(x, f"xvector.transit{block}.nonlinear.batchnorm"))
            x = functional.conv1d(x, self.state[f"xvector.transit{block}.linear.weight"])
        x = functional.relu(self.norm(x, "xvector.out_nonlinear.batchnorm"))
        x = torch.cat([x.mean(dim=2), x.std(dim=2)], dim=1)[:, :, None]
        x = self.norm(functional.conv1d(x, self.state["xvector.dense.linear.weight"]), "xvector.dense.nonlinear.batchnorm")
        return np.asarray(functional.normalize(x[0, :, 0], dim=0).numpy())

    def added(self, x: torch.Tensor, name: str, dilation: int) -> torch.Tensor:
        inner = functional.conv1d(functional.relu(self.norm(x, f"{name}.nonlinear1.batchnorm")), self.state[f"{name}.linear1.weight"])
        inner = functional.relu(self.norm(inner, f"{name}.nonlinear2.batchnorm"))
        cam = f"{name}.cam_layer"
        heard = functional.conv1d(inner, self.state[f"{cam}.linear_local.weight"], padding=dilation, dilation=dilation)
        around = torch.cat([part.mean(dim=2, keepdim=True).expand_as(part) for part in torch.split(inner, 100, dim=2)], dim=2)
        context = inner.mean(dim=2, keepdim=True) + around
        context = functional.relu(functional.conv1d(context, self.state[f"{cam}.linear1.weight"], self.state[f"{cam}.linear1.bias"]))
        return heard * torch.sigmoid(functional.conv1d(context, self.state[f"{cam}.linear2.weight"], self.state[f"{cam}.linear2.bias"]))


@pytest.mark.parametrize("length_s", [0.5, 2.01, 4.37])
def test_merged_layers_give_what_the_layers_in_their_own_order_give(encoder: Campplus, shared: Path, length_s: float) -> None:
    samples = speech(shared, "trn03", 9.0, length_s)
    whole = -(-len(samples) // LEAST_FRAMES) * LEAST_FRAMES
    voice = encoder.voice(samples)
    assert voice.dtype == np.float32
    assert voice.shape == (DIMENSION,)
    np.testing.assert_allclose(voice, Unmerged(path_of("campplus.pt")).voice(np.resize(samples, whole)), atol=2e-5)


def test_one_person_is_far_liker_than_two(encoder: Campplus, shared: Path) -> None:
    voices = {who: [encoder.voice(speech(shared, *place)) for place in places] for who, places in ALONE.items()}
    assert all(np.linalg.norm(voice) == pytest.approx(1.0, abs=1e-5) for pair in voices.values() for voice in pair)
    same = [float(one @ other) for one, other in voices.values()]
    different = [
        float(one @ other)
        for who, pair in voices.items()
        for whom, others in voices.items()
        if who < whom
        for one in pair
        for other in others
    ]
    assert min(same) > 0.35
    assert max(different) < 0.2


def test_how_loud_somebody_speaks_makes_no_difference(encoder: Campplus, shared: Path) -> None:
    samples = speech(shared, "trn03", 9.0)
    voice = encoder.voice(samples)
    assert min(float(voice @ encoder.voice(samples * np.float32(gain))) for gain in (1e-3, 0.03, 8.0)) > 0.9999


def test_the_same_sound_gives_the_same_voice_in_any_thread_whatever_torch_was_set_to(encoder: Campplus, shared: Path) -> None:
    samples = speech(shared, "trn05", 12.0)
    first, found = encoder.voice(samples), []
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        thread = threading.Thread(target=lambda: found.append(encoder.voice(samples.copy())))
        thread.start()
        thread.join()
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(first, found[0])


def test_short_sound_is_repeated_and_silence_has_a_voice_without_nan(encoder: Campplus, shared: Path) -> None:
    short = speech(shared, "trn03", 9.3, 0.2)
    assert np.array_equal(encoder.voice(short), encoder.voice(np.resize(short, LEAST_FRAMES)))
    for sound in (np.zeros(RATE_HZ, dtype=np.float32), np.ones(1, dtype=np.float32), np.full(RATE_HZ, 1e-30, dtype=np.float32)):
        assert np.isfinite(encoder.voice(sound)).all()


def test_what_it_cannot_hear_is_said(encoder: Campplus) -> None:
    for shape in ((0,), (2, 16000)):
        with pytest.raises(CampplusError, match=re.escape(f"samples have shape {shape}; one channel with at least one frame is needed")):
            encoder.voice(np.zeros(shape, dtype=np.float32))
    broken = np.zeros(RATE_HZ, dtype=np.float32)
    broken[[3, 5]] = np.nan, np.inf
    with pytest.raises(CampplusError, match="2 of 16000 samples are not finite numbers"):
        encoder.voice(broken)


def test_what_is_no_encoder_is_refused(weights: Path, tmp_path: Path) -> None:
    broken = tmp_path / "wrong.pt"
    broken.write_bytes(b"no weights")
    state = torch.load(weights / "campplus.pt", map_location="cpu", weights_only=True)
    narrow = tmp_path / "narrow.pt"
    state["xvector.dense.linear.weight"] = state["xvector.dense.linear.weight"][:100]
    for part in ("running_mean", "running_var"):
        state[f"xvector.dense.nonlinear.batchnorm.{part}"] = state[f"xvector.dense.nonlinear.batchnorm.{part}"][:100]
    torch.save(state, narrow)
    for path, what in (
        (broken, "UnpicklingError"),
        (weights / "resemblyzer.pt", "KeyError"),
        (narrow, "its vectors have 100 numbers, 192 are expected"),
    ):
        with pytest.raises(CampplusError, match=f"{re.escape(str(path))}: this is no CAM\\+\\+ encoder \\({what}\\); fetch it anew"):
            Campplus(path)
