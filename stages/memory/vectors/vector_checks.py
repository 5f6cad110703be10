"""Vectors on their way into a memory: one number that is not finite would spoil every mean and every search from then on."""

from __future__ import annotations

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.memory_errors import MemoryError_


def check_vectors(session: str, what: str, vectors: Float32Array, shape: tuple[int, ...]) -> None:
    """Raises MemoryError_ where vectors of a session are not of this shape, or not finite. `what` names them in the message."""
    finite = bool(np.isfinite(vectors).all())
    if vectors.shape != shape or not finite:
        raise MemoryError_(
            f"session {session}: {what} must be finite, shape {shape}; found shape {vectors.shape}"
            f"{'' if finite else ' with numbers that are not finite'}"
        )
