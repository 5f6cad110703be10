"""A reader's adapter of random numbers, small enough that the network stays close to the published one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.mpnet import DIMENSION
from models.reader_adapter import HEAD_WIDTH, LAYER_NORMS, LINEAR_SHAPES, N_FEATURES, N_LAYERS, N_TYPES

RANK = 4
_UNIT, _UNIT_PRODUCT = 27.0, 200.0


def made_adapter(seed: int, published: Mapping[str, Any] | None = None) -> dict[str, npt.NDArray[np.float16]]:
    """The arrays of an adapter; normalisations lie about the published ones where those are given, else about none at all."""
    draw = np.random.default_rng(seed)
    found: dict[str, npt.NDArray[Any]] = {}

    def near(name: str, shape: tuple[int, ...], plain: float) -> None:
        centre = np.full(shape, plain) if published is None else published[name]
        found[name] = centre + draw.normal(0, 0.01, shape)

    found["embeddings.types.weight"] = draw.normal(0, 0.01, (N_TYPES, DIMENSION))
    norms = ["embeddings.LayerNorm"]
    for layer in range(N_LAYERS):
        prefix = f"encoder.layer.{layer}."
        norms += [f"{prefix}{name}" for name in LAYER_NORMS]
        for name, (n_out, n_in) in LINEAR_SHAPES.items():
            found[f"{prefix}{name}.down"] = draw.normal(0, n_in**-0.5, (RANK, n_in))
            found[f"{prefix}{name}.up"] = draw.normal(0, 0.02, (n_out, RANK))
    for name in norms:
        near(f"{name}.weight", (DIMENSION,), 1.0)
        near(f"{name}.bias", (DIMENSION,), 0.0)
    # Vectors of unit length are small beside a state.
    sizes = np.repeat([1.0, _UNIT, _UNIT, _UNIT_PRODUCT], DIMENSION)
    found["head.0.weight"] = draw.normal(0, 0.1, (HEAD_WIDTH, N_FEATURES)) * sizes
    found["head.0.bias"] = draw.normal(0, 0.1, HEAD_WIDTH)
    found["head.1.weight"] = draw.normal(0, 0.5, (1, HEAD_WIDTH))
    found["head.1.bias"] = draw.normal(0, 0.5, 1)
    return {name: array.astype(np.float16) for name, array in found.items()}


def written_adapter(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> Path:
    """An adapter's file, or one that claims to be."""
    np.savez(path, **arrays)  # type: ignore[arg-type] # bad ones too
    return path
