"""What makes a reader of all-mpnet-base-v2: low-rank changes of its weights (Hu et al. 2021, arXiv 2106.09685) and a small head.

An adapter is a file of numpy (.npz) of floats. For each layer that the reader has and each of its six linear maps it holds `NAME.down`,
shape (rank, in), and `NAME.up`, shape (out, rank); the reader's weight is the published one and up @ down. It holds every layer
normalisation, which takes the published one's place, a table of three types of tokens, of which MPNet has none, and the head.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.mpnet import DIMENSION
from models.text_model import Float32Array, TextModelError

N_LAYERS = 12
"""How many layers the reader has: the first ones of MPNet."""
N_TYPES = 3
HEAD_WIDTH = 256
N_FEATURES = 4 * DIMENSION
"""What the head reads of a text: four vectors (`models/mpnet_reader.py`)."""
LINEAR_SHAPES = {
    "attention.attn.q": (DIMENSION, DIMENSION),
    "attention.attn.k": (DIMENSION, DIMENSION),
    "attention.attn.v": (DIMENSION, DIMENSION),
    "attention.attn.o": (DIMENSION, DIMENSION),
    "intermediate.dense": (4 * DIMENSION, DIMENSION),
    "output.dense": (DIMENSION, 4 * DIMENSION),
}
"""The linear maps of a layer that an adapter changes: (out, in)."""
LAYER_NORMS = ("attention.LayerNorm", "output.LayerNorm")
"""The normalisations of a layer."""
_NORMS = ("embeddings.LayerNorm", *(f"encoder.layer.{layer}.{name}" for layer in range(N_LAYERS) for name in LAYER_NORMS))
_LINEARS = {f"encoder.layer.{layer}.{name}": shape for layer in range(N_LAYERS) for name, shape in LINEAR_SHAPES.items()}
_REPLACED = {
    "embeddings.types.weight": (N_TYPES, DIMENSION),
    **{f"{name}.{part}": (DIMENSION,) for name in _NORMS for part in ("weight", "bias")},
}
_HEAD = {
    "head.0.weight": (HEAD_WIDTH, N_FEATURES),
    "head.0.bias": (HEAD_WIDTH,),
    "head.1.weight": (1, HEAD_WIDTH),
    "head.1.bias": (1,),
}


@dataclass(frozen=True)
class ReaderHead:
    """Two linear maps with GELU (Hendrycks and Gimpel 2016, arXiv 1606.08415) between them.

    Their numbers are float32, of shapes (256, 3072), (256,), (256,) and ().
    """

    inner_weight: Float32Array
    inner_bias: Float32Array
    outer_weight: Float32Array
    outer_bias: Float32Array

    def scores(self, features: Float32Array) -> Float32Array:
        """Scores, float32, shape (n,), of features, float32, shape (n, 3072)."""
        from scipy.special import erf

        inner = features @ self.inner_weight.T + self.inner_bias
        active = 0.5 * inner * (1.0 + erf(inner / np.float32(np.sqrt(2.0))))
        found: Float32Array = (active @ self.outer_weight + self.outer_bias).astype(np.float32)
        return found


class ReaderAdapter:
    """An adapter, read from its file and checked.

    Raises TextModelError where the file is missing, is no such file, or its arrays are not those of a reader; the message says what to do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrays = self._read()
        self._check()

    def merged(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """The published tensors of all-mpnet-base-v2 with the adapter in them, float32. Raises TextModelError where shapes do not fit."""
        merged = {**tensors, **{name: self._arrays[name] for name in _REPLACED}}
        for name, shape in _LINEARS.items():
            published = tensors.get(f"{name}.weight")
            if published is None or published.shape != shape:
                raise TextModelError(
                    f"all-mpnet-base-v2: the weights have no {name}.weight of shape {shape}; `echoic models fetch mpnet` brings them anew"
                )
            merged[f"{name}.weight"] = np.asarray(published, dtype=np.float32) + self._arrays[f"{name}.up"] @ self._arrays[f"{name}.down"]
        return merged

    def head(self) -> ReaderHead:
        """The head."""
        weight, bias = self._arrays["head.1.weight"][0], self._arrays["head.1.bias"][0]
        return ReaderHead(self._arrays["head.0.weight"], self._arrays["head.0.bias"], weight, bias)

    def _read(self) -> dict[str, Float32Array]:
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, AttributeError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise self._bad(f"no file of arrays: {error}") from error
        if other := [name for name, array in arrays.items() if not np.issubdtype(array.dtype, np.floating)]:
            raise self._bad(f"{other[0]} holds {arrays[other[0]].dtype}, not floats")
        return {name: array.astype(np.float32) for name, array in arrays.items()}

    def _check(self) -> None:
        shapes: dict[str, tuple[int, ...]] = {**_REPLACED, **_HEAD}
        for name, (n_out, n_in) in _LINEARS.items():
            down = self._arrays.get(f"{name}.down")
            rank = down.shape[0] if down is not None and down.ndim else 0
            shapes |= {f"{name}.down": (max(rank, 1), n_in), f"{name}.up": (n_out, max(rank, 1))}
        for name, shape in shapes.items():
            if name not in self._arrays:
                raise self._bad(f"it has no {name}")
            if self._arrays[name].shape != shape:
                raise self._bad(f"{name} has shape {self._arrays[name].shape}, not {shape}")
            if not np.isfinite(self._arrays[name]).all():
                raise self._bad(f"{name} holds what is no number")
        if others := self._arrays.keys() - shapes.keys():
            raise self._bad(f"{min(others)} is no part of a reader")

    def _bad(self, what: str) -> TextModelError:
        return TextModelError(
            f"{self.path}: not a reader's adapter: {what}; "
            "put back the file that came with Echoic, or fit one with `python -m tools.fit_reader`"
        )
