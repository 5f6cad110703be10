"""The float network inside a quantised file: against the quantised network itself, and on files that are none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.float_onnx import OnnxFileError, float_network
from models.weights import path_of

SCORES = {"class_scores": (1, 521)}


@pytest.fixture(scope="module")
def members(weights: Path) -> tuple[bytes, bytes]:
    assert weights.is_dir()
    with zipfile.ZipFile(path_of("yamnet/model.zip")) as archive:
        by_name = {Path(name).name: archive.read(name) for name in archive.namelist()}
    return by_name["model.onnx"], by_name["model.data"]


def test_it_is_the_quantised_network_without_its_rounding(members: tuple[bytes, bytes], tmp_path: Path) -> None:
    import onnxruntime

    for name, content in zip(("model.onnx", "model.data"), members, strict=True):
        (tmp_path / name).write_bytes(content)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    rounded = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), options, providers=["CPUExecutionProvider"])
    network = float_network(*members, {**SCORES, "/model/Reshape_output_0": (1, 1024)})
    exact = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    steps = np.random.default_rng(0).integers(0, 256, (1, 1, 96, 64), dtype=np.uint8)
    scale, zero = _number(members[0], b"audio_scale", "<f4"), _number(members[0], b"audio_zero_point", "u1")
    scores, embedding = exact.run(None, {"audio": (steps.astype(np.float32) - zero) * np.float32(scale)})
    (told,) = rounded.run(None, {"audio": steps})
    assert np.corrcoef(scores[0], told[0].astype(float))[0, 1] > 0.9
    assert scores.shape == (1, 521)
    assert embedding.shape == (1, 1024)
    assert embedding.min() >= 0.0  # the mean of what a ReLU gives
    assert np.isfinite(scores).all()


def _number(model: bytes, name: bytes, kind: str) -> float:
    """A number that stands in the file itself: the field with its bytes follows its name."""
    at = model.index(b"B" + bytes([len(name)]) + name)
    window = model[at - 16 : at + len(name) + 16]
    size = np.dtype(kind).itemsize
    raw = window.index(b"J" + bytes([size])) + 2
    return float(np.frombuffer(window[raw : raw + size], dtype=kind)[0])


def test_what_is_no_network_is_refused(members: tuple[bytes, bytes]) -> None:
    model, data = members
    with pytest.raises(OnnxFileError, match=r"ends at byte \d+ of its file, which has 1000"):
        float_network(model, data[:1000], SCORES)
    with pytest.raises(OnnxFileError, match="the network has no result 'class_score'; some that it has are "):
        float_network(model, data, {"class_score": (1, 521)})
    for wrong in (b"", b"\xff\xff\xff", b"no network at all", model[:5000]):
        with pytest.raises(OnnxFileError):
            float_network(wrong, data, SCORES)
