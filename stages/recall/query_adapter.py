"""A question's vector moved to where the lines lie that answer it: a low-rank map, learnt for an encoder.

Encoders of sentences put a question near what is worded like it; what answers it is worded otherwise, and "What did the team think of"
stands nowhere in it. The vectors that a memory keeps stay as they are; only the question's moves, which takes no time. The map is the
identity and a low-rank change of it, as Hu et al. change a weight (2021, arXiv 2106.09685). `tools/fit_query_adapter.py` learns it.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array

_UNREADABLE = (
    KeyError, ValueError, TypeError, EOFError, RuntimeError, NotImplementedError, AttributeError, SyntaxError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What numpy and zipfile raise over a file that is none of theirs, or was damaged."""


@dataclass(frozen=True)
class QueryAdapter:
    """`down` is float32, shape (rank, dimension), `up` of shape (dimension, rank), `shift` of shape (dimension,)."""

    down: Float32Array
    up: Float32Array
    shift: Float32Array

    @property
    def dimension(self) -> int:
        """The length of the vectors that it moves."""
        return len(self.shift)

    def of(self, meaning: Float32Array) -> Float32Array:
        """The moved vector of a question, float32, shape (dimension,), of unit length as `meaning` is."""
        moved = meaning + self.up @ (self.down @ meaning) + self.shift
        unit: Float32Array = (moved / max(float(np.linalg.norm(moved)), 1e-9)).astype(np.float32)
        return unit

    def write(self, path: Path) -> None:
        """Keep the map in a file (.npz), in half precision."""
        parts = {"down": self.down, "up": self.up, "shift": self.shift}
        np.savez(path, allow_pickle=False, **{name: part.astype(np.float16) for name, part in parts.items()})

    @classmethod
    def read(cls, path: Path) -> QueryAdapter:
        """The map of a file that `write` made. Raises ValueError where it is none, and OSError where it cannot be read."""
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                down, up, shift = (_floats(file[name]) for name in ("down", "up", "shift"))
        except _UNREADABLE as error:
            raise ValueError(f"{path}: not a query adapter: {error}") from error
        if down.ndim != 2 or up.shape != down.T.shape or shift.shape != down.shape[1:]:
            raise ValueError(f"{path}: not a query adapter: shapes {down.shape}, {up.shape} and {shift.shape} don't fit each other")
        return cls(down, up, shift)


def _floats(part: npt.NDArray[np.generic]) -> Float32Array:
    found: Float32Array = part.astype(np.float32)
    if not np.isfinite(found).all():
        raise ValueError("it holds what is no finite number")
    return found
