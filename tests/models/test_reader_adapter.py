"""A reader's adapter: read, checked, merged, and its head."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.reader_adapter import LINEAR_SHAPES, N_LAYERS, ReaderAdapter
from models.text_model import TextModelError
from tests.models.made_adapter import made_adapter, written_adapter

QUERY = "encoder.layer.0.attention.attn.q"


def zeros() -> dict[str, npt.NDArray[np.float32]]:
    """The published weights that an adapter changes, without numbers."""
    linear = {f"encoder.layer.{layer}.{name}.weight": shape for layer in range(N_LAYERS) for name, shape in LINEAR_SHAPES.items()}
    return {name: np.zeros(shape, dtype=np.float32) for name, shape in linear.items()}


def test_changes_are_added_and_norms_take_the_place_of_others(tmp_path: Path) -> None:
    arrays = made_adapter(0)
    published = zeros()
    published[f"{QUERY}.weight"][3, 5] = 2.0
    published["embeddings.LayerNorm.bias"] = np.full(768, 9.0, dtype=np.float32)
    published["embeddings.word_embeddings.weight"] = np.ones((7, 768), dtype=np.float32)
    merged = ReaderAdapter(written_adapter(tmp_path / "a.npz", arrays)).merged(published)
    expected = arrays[f"{QUERY}.up"].astype(np.float64) @ arrays[f"{QUERY}.down"].astype(np.float64)
    expected[3, 5] += 2.0
    assert np.abs(merged[f"{QUERY}.weight"] - expected).max() < 1e-6
    assert np.array_equal(merged["embeddings.LayerNorm.bias"], arrays["embeddings.LayerNorm.bias"].astype(np.float32))
    assert merged["embeddings.word_embeddings.weight"] is published["embeddings.word_embeddings.weight"]
    assert published[f"{QUERY}.weight"].sum() == 2.0


def test_the_head_is_two_maps_and_an_exact_gelu(tmp_path: Path) -> None:
    arrays = made_adapter(1)
    # A state, two vectors of unit length, and the product of these.
    sizes = np.repeat([1.0, 1 / 27, 1 / 27, 1 / 200], 768)
    features = (np.random.default_rng(2).normal(size=(3, 3072)) * sizes).astype(np.float32)
    known = {name: array.astype(np.float64) for name, array in arrays.items()}
    inner = features @ known["head.0.weight"].T + known["head.0.bias"]
    active = inner * np.vectorize(lambda number: 0.5 * (1.0 + math.erf(number / math.sqrt(2.0))))(inner)
    expected = active @ known["head.1.weight"][0] + known["head.1.bias"][0]
    found = ReaderAdapter(written_adapter(tmp_path / "a.npz", arrays)).head().scores(features)
    assert found.shape == (3,)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-4


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        (f"{QUERY}.up", None, rf"it has no {QUERY}\.up"),
        (f"{QUERY}.up", np.zeros((768, 3)), rf"{QUERY}\.up has shape \(768, 3\), not \(768, 4\)"),
        (f"{QUERY}.down", None, rf"it has no {QUERY}\.down"),
        (f"{QUERY}.down", np.zeros((0, 768)), rf"{QUERY}\.down has shape \(0, 768\), not \(1, 768\)"),
        (f"{QUERY}.down", np.zeros(()), rf"{QUERY}\.down has shape \(\), not \(1, 768\)"),
        ("head.0.weight", np.zeros((128, 3072)), r"head\.0\.weight has shape \(128, 3072\), not \(256, 3072\)"),
        ("embeddings.types.weight", np.zeros((2, 768)), r"embeddings\.types\.weight has shape \(2, 768\), not \(3, 768\)"),
        ("head.1.bias", np.array([np.nan]), r"head\.1\.bias holds what is no number"),
        ("head.1.bias", np.array([1]), r"head\.1\.bias holds int64, not floats"),
        ("head.1.bias", np.array([None]), "no file of arrays: .*allow_pickle"),
        ("head.2.bias", np.zeros(1), r"head\.2\.bias is no part of a reader"),
    ],
)
def test_arrays_that_are_no_adapter_are_told(tmp_path: Path, name: str, array: npt.NDArray[Any] | None, told: str) -> None:
    arrays: dict[str, npt.NDArray[Any]] = {**made_adapter(0)}
    arrays.pop(name, None)
    if array is not None:
        arrays[name] = array
    with pytest.raises(TextModelError, match=rf"a\.npz: not a reader's adapter: {told}.*put back the file that came with Echoic"):
        ReaderAdapter(written_adapter(tmp_path / "a.npz", arrays))


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 and no more", b"words", b"\x93NUMPY\x01\x00"])
def test_a_file_that_holds_no_arrays_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(TextModelError, match=r"a\.npz: not a reader's adapter: no file of arrays: "):
        ReaderAdapter(tmp_path / "a.npz")


def test_a_file_cut_short_or_changed_is_told(tmp_path: Path) -> None:
    path = written_adapter(tmp_path / "a.npz", made_adapter(0))
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:400_000] + bytes(1000) + whole[401_000:]):
        path.write_bytes(content)
        with pytest.raises(TextModelError, match="no file of arrays: "):
            ReaderAdapter(path)


def test_one_array_instead_of_many_is_told(tmp_path: Path) -> None:
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(TextModelError, match="no file of arrays: "):
        ReaderAdapter(tmp_path / "a.npz")


def test_published_weights_of_another_shape_are_told(tmp_path: Path) -> None:
    adapter = ReaderAdapter(written_adapter(tmp_path / "a.npz", made_adapter(0)))
    published = zeros()
    published[f"{QUERY}.weight"] = np.zeros((384, 768), dtype=np.float32)
    with pytest.raises(TextModelError, match=rf"no {QUERY}\.weight of shape \(768, 768\); `echoic models fetch mpnet`"):
        adapter.merged(published)
