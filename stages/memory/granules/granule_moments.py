"""Keys of episodes as they stood at a moment, when they have grown since: made when they are asked for, and never stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.sleeping import sleep_findings
from stages.memory.sleeping.episode_rows import Seen

SAME = 0.999
"""A text whose vector has this cosine with the lines themselves says nothing new, so it is no key."""


@dataclass(frozen=True)
class Keys:
    """What an episode was found by: the vector of its lines, float32, shape (dimension,), and texts by the kind of key."""

    vector: Float32Array
    texts: tuple[tuple[str, str], ...]


def keys_of(connection: sqlite3.Connection, seen: Mapping[str, Seen | None], at_ns: int) -> dict[str, Keys]:
    """What episodes (or days) were found by as they stood at a moment, by id."""
    found = {}
    for name, entry in seen.items():
        if entry is not None:
            texts = (("summary", entry.row.summary), ("topic", sleep_findings.topic_name(connection, name, at_ns) or ""))
            found[name] = Keys(entry.vector, tuple((kind, text) for kind, text in texts if text.strip()))
    return found


def best_keys(
    vector: Float32Array, keys: Mapping[str, Keys], encode: Callable[[Sequence[str]], Float32Array]
) -> dict[str, tuple[float, str]]:
    """Cosine and kind of the key of each that is nearest to a vector, float32, shape (dimension,)."""
    texts = sorted({text for entry in keys.values() for _, text in entry.texts})
    vectors = dict(zip(texts, encode(texts), strict=True)) if texts else {}
    best = {}
    for name, entry in keys.items():
        ranked = [(float(np.dot(vector, entry.vector)), "lines")] if len(entry.vector) == len(vector) else []
        for kind, text in entry.texts:
            if not ranked or float(entry.vector @ vectors[text]) <= SAME:
                ranked.append((float(np.dot(vector, vectors[text])), kind))
        if ranked:
            best[name] = max(ranked, key=lambda pair: pair[0])
    return best
