"""What models that turn texts into vectors have in common: token numbers, weights of a safetensors file, and the mean over tokens."""

from __future__ import annotations

import json
import mmap
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]

MAX_TOKENS = 256
"""Longer texts are cut: neither encoder was trained on longer ones (sentences and short paragraphs, of 128 tokens for MPNet)."""

_NUMBER_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1"}


class TextModelError(ValueError):
    """A file of a text model is not what it should be, or the model has not been started."""


class Tokeniser:
    """Texts to token numbers with a model's own vocabulary, cut to 256 tokens or however many are said (None: not cut)."""

    def __init__(self, path: Path, max_tokens: int | None = MAX_TOKENS) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the tokenizers package raises bare Exception for every bad file
            raise TextModelError(f"{path}: not a tokeniser: {error}; {_again(path)}") from error
        if max_tokens is None:
            self._tokenizer.no_truncation()
        else:
            self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()

    def tokens(self, text: str) -> Int64Array:
        """Token numbers, int64, shape (tokens,), with the marks of beginning and end."""
        return np.array(self._tokenizer.encode(text).ids, dtype=np.int64)

    def unmarked(self, text: str) -> list[int]:
        """Token numbers without the marks of beginning and end."""
        numbers: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return numbers

    def number(self, token: str) -> int:
        """The number of one token. Raises TextModelError where the vocabulary has no such token."""
        found: int | None = self._tokenizer.token_to_id(token)
        if found is None:
            raise TextModelError(f"the tokeniser has no {token}")
        return found

    def vocabulary(self) -> list[str]:
        """Every token, by its number."""
        numbers = self._tokenizer.get_vocab(with_added_tokens=True)
        return sorted(numbers, key=numbers.__getitem__)


def check_threads(n_threads: int) -> None:
    """Raises ValueError for a number of CPU threads that no runtime can work with."""
    if n_threads < 1:
        raise ValueError(f"n_threads must be at least 1, found {n_threads}")


def unit_mean(hidden: Float32Array) -> Float32Array:
    """The mean of hidden states, float32, shape (tokens, dimension), at unit length, float32, shape (dimension,)."""
    mean = hidden.mean(axis=0, dtype=np.float64)
    unit: Float32Array = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
    return unit


def read_safetensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a safetensors file (eight bytes of header length, a JSON header, the numbers).

    Raises TextModelError when the file is cut short or holds numbers of an unknown type.
    """
    data: bytes | mmap.mmap = b""
    if path.stat().st_size:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
    except (struct.error, ValueError) as error:
        raise TextModelError(f"{path}: not a safetensors file: {error}; {_again(path)}") from error
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        if entry["dtype"] not in _NUMBER_TYPES or 8 + length + last > len(data):
            raise TextModelError(f"{path}: tensor {name} is of type {entry['dtype']} and ends at {last}; {_again(path)}")
        numbers = np.frombuffer(
            data,
            dtype=_NUMBER_TYPES[entry["dtype"]],
            count=(last - first) // np.dtype(_NUMBER_TYPES[entry["dtype"]]).itemsize,
            offset=8 + length + first,
        )
        tensors[name] = numbers.reshape(entry["shape"])
    return tensors


def _again(path: Path) -> str:
    return f"`echoic models fetch {path.parent.name}` brings it anew"
