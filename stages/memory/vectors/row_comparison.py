"""Whether the rows of an index fit those of the database, which are rounded there when they are old: pure functions.

A row that is not rounded fits where it is the same. A rounded one fits where the index can have been given a vector from which rounding led
there, or where the index is as it would be built from the database now.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.vectors.vector_index import Batch

Codes = npt.NDArray[np.uint8]
Fits = npt.NDArray[np.bool_]
_FEW_PARTS = 12.0


def numbers_fit(mine: Float32Array, batch: Batch) -> Fits:
    """For an index that holds vectors as they are (float32, shape (n, dimension)): bool, shape (n,)."""
    # As bits: what is not a number is the same as itself here.
    same: Fits = (np.ascontiguousarray(mine).view(np.uint32) == np.ascontiguousarray(batch.vectors).view(np.uint32)).all(axis=1)
    if batch.each is None or batch.whole is None:
        return same
    moved = np.abs(mine.astype(np.float64) - batch.vectors)
    near: Fits = (moved <= batch.each[:, None]).all(axis=1) & (np.sqrt((moved * moved).sum(axis=1)) <= batch.whole)
    return same | near


def between(mine: Codes, lowest: Codes, highest: Codes) -> Fits:
    """For an index of a byte a number (uint8, shape (n, dimension)): bool, shape (n,).

    Larger numbers never have smaller codes, so bounds of the numbers are bounds of the codes, also where the codes end.
    """
    return np.asarray(((lowest <= mine) & (mine <= highest)).all(axis=1))


def parts_fit(mine: Codes, now: Codes, batch: Batch, centres: Float32Array) -> Fits:
    """For an index of a byte for some numbers: bool, shape (n,).

    `mine` and `now`, uint8, shape (n, parts), are its codes and those that the database's vectors get now; `centres` is float32, shape
    (parts, 256, numbers of a part).

    By the triangle inequality a centre was the nearest of a part that has moved by r since only if it is now at most 2 r farther than the
    nearest. Over all parts the squares of these r add up to that of the whole vector's R, so the squares of what the centres are farther
    add up to 4 R^2 at most; where there are many parts, to much less, as they do not all move straight away from their centres (measured
    with 48 parts: to 0.4 R^2 at most in 4,000 vectors of PQ, 0.02 R^2 in as many of SQ8, while 99 of 100 other rows came to 1.5 R^2).
    """
    differs = mine != now
    if batch.whole is None or not differs.any():
        return np.asarray(~differs.any(axis=1))
    excess = np.zeros(len(mine), dtype=np.float64)
    size = centres.shape[2]
    for place in np.flatnonzero(differs.any(axis=0)).tolist():
        rows = np.flatnonzero(differs[:, place])
        part = batch.vectors[rows, size * place : size * (place + 1)].astype(np.float64)
        away, least = (np.sqrt(((part - centres[place][codes[rows, place]]) ** 2).sum(axis=1)) for codes in (mine, now))
        excess[rows] += np.maximum(away - least, 0.0) ** 2
    allowed = min(4.0, 1.0 + _FEW_PARTS / mine.shape[1])
    return np.asarray(excess <= allowed * batch.whole.astype(np.float64) ** 2)
