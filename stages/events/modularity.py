"""Where to split lines in two so that each side is most alike within: Newman's modularity (2004), as EM-LLM uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.packets import Float32Array

_HOME_MARGIN = 0.05


def split_gains(vectors: Sequence[Float32Array], places: Iterable[int]) -> dict[int, float]:
    """The modularity of each place (first line of the second side) that leaves both sides a line.

    `vectors` are unit vectors, float32, shape (dimension,); the graph joins lines by their cosine where it is above 0.
    """
    rows = np.array(vectors, dtype=np.float64)
    links = np.maximum(rows @ rows.T, 0.0)
    np.fill_diagonal(links, 0.0)
    degrees = links.sum(axis=1)
    total = max(float(degrees.sum()), 1e-9)
    excess = links - np.outer(degrees, degrees) / total
    return {
        place: float(excess[:place, :place].sum() + excess[place:, place:].sum()) / total
        for place in sorted(set(places))
        if 0 < place < len(rows)
    }


def best_split(vectors: Sequence[Float32Array], places: Iterable[int], home: int = -1) -> int | None:
    """The place of highest modularity, or None when no place leaves both sides a line.

    The first of equal places wins, but `home` stays unless another is clearly better.
    """
    best: tuple[float, int] | None = None
    for place, gain in split_gains(vectors, places).items():
        modularity = gain + (_HOME_MARGIN if place == home else 0.0)
        if best is None or modularity > best[0] + 1e-12:
            best = (modularity, place)
    return best[1] if best else None
