from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.text_model import MAX_TOKENS, TextModelError, Tokeniser, read_safetensors, unit_mean
from models.weights import path_of


def written(path: Path, tensors: dict[str, npt.NDArray[Any]], kinds: dict[str, str]) -> Path:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        data = tensor.tobytes()
        header[name] = {"dtype": kinds[name], "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def test_tensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    tensors: dict[str, npt.NDArray[Any]] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.array([7, 8], dtype=np.int64),
        "c": np.array([0.5], dtype=np.float16),
    }
    found = read_safetensors(written(tmp_path / "m.safetensors", tensors, {"a": "F32", "b": "I64", "c": "F16"}))
    assert all(np.array_equal(found[name], tensor) and found[name].dtype == tensor.dtype for name, tensor in tensors.items())


def test_a_file_cut_short_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "m.safetensors", {"a": np.zeros(100, dtype=np.float32)}, {"a": "F32"})
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(TextModelError, match=r"tensor a is of type F32 and ends at 400; `echoic models fetch [^ ]*` brings it anew"):
        read_safetensors(path)
    path.write_bytes(b"abc")
    with pytest.raises(TextModelError, match="not a safetensors file"):
        read_safetensors(path)


def test_the_mean_over_tokens_has_unit_length() -> None:
    assert unit_mean(np.array([[1, 0], [1, 2]], dtype=np.float32)).tolist() == pytest.approx([2**-0.5, 2**-0.5])
    assert np.isfinite(unit_mean(np.zeros((2, 3), dtype=np.float32))).all()


@pytest.mark.usefixtures("weights")
def test_texts_are_cut_to_what_the_model_takes() -> None:
    tokeniser = Tokeniser(path_of("minilm/tokenizer.json"))
    assert tokeniser.tokens("Hello, world").tolist() == [101, 7592, 1010, 2088, 102]
    assert len(tokeniser.tokens("word " * 1000)) == MAX_TOKENS


def test_a_tokeniser_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(TextModelError, match=r"not a tokeniser: .*; `echoic models fetch [^ ]*` brings it anew"):
        Tokeniser(tmp_path / "tokenizer.json")
