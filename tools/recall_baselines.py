"""What Echoic's search is compared with: BM25 (SQLite's, and Okapi's), dense search, and their plain fusions.

Each ranks all lines for a question as it was asked.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.words.words_query import telling_words
from stages.recall.terms import stem, tokens

_K1, _B = 1.2, 0.75
_RRF = 60
_FUSED_DEPTH = 200
Values = npt.NDArray[np.float64]


class Baselines:
    """Rankings of some lines. `vectors` is float32, shape (lines, dimension), of unit length."""

    def __init__(self, texts: Sequence[str], vectors: Float32Array) -> None:
        self._n = len(texts)
        self._vectors = vectors
        self._postings: dict[str, tuple[list[int], list[int]]] = {}
        lengths = np.zeros(self._n)
        for row, text in enumerate(texts):
            counts = Counter(stem(token) for token in tokens(text))
            lengths[row] = counts.total()
            for term, n_times in counts.items():
                rows, times = self._postings.setdefault(term, ([], []))
                rows.append(row)
                times.append(n_times)
        self._norm = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
        self._fts = sqlite3.connect(":memory:")
        self._fts.execute("CREATE VIRTUAL TABLE lines USING fts5 (text, tokenize = 'porter unicode61')")
        self._fts.executemany("INSERT INTO lines (rowid, text) VALUES (?, ?)", enumerate(texts))

    def rankings(self, question: str, vector: Float32Array) -> dict[str, list[int]]:
        """The places of lines by method, best first. `vector` is that of the question, float32, shape (dimension,)."""
        fts, okapi = self._fts5(question), self._okapi(question)
        dense = (self._vectors @ vector).astype(np.float64)
        return {
            "BM25 (SQLite FTS5)": _best(fts),
            "BM25 (Okapi)": _best(okapi),
            "dense": _best(dense),
            "BM25 + dense, RRF": _best(_reciprocal(okapi) + _reciprocal(dense)),
            "BM25 + dense, z-scores": _best(_standard(okapi) + _standard(dense)),
        }

    def close(self) -> None:
        """Let go of SQLite's table."""
        self._fts.close()

    def _fts5(self, question: str) -> Values:
        scores = np.zeros(self._n)
        match = " OR ".join(f'"{word}"' for word in telling_words(question))
        if match:
            for row, score in self._fts.execute("SELECT rowid, -bm25(lines) FROM lines WHERE lines MATCH ?", (match,)):
                scores[row] = score
        return scores

    def _okapi(self, question: str) -> Values:
        """Robertson and Zaragoza 2009, with Lucene's rarity, which is never negative."""
        scores = np.zeros(self._n)
        for term in dict.fromkeys(stem(token) for word in telling_words(question) for token in tokens(word)):
            if term in self._postings:
                rows, n_times = (np.array(values) for values in self._postings[term])
                rarity = np.log1p((self._n - len(rows) + 0.5) / (len(rows) + 0.5))
                scores[rows] += rarity * n_times * (_K1 + 1) / (n_times + self._norm[rows])
        return scores


def _best(scores: Values) -> list[int]:
    places: list[int] = np.argsort(-scores, kind="stable")[:_FUSED_DEPTH].tolist()
    return places


def _reciprocal(scores: Values) -> Values:
    shares = np.zeros(len(scores))
    for rank, place in enumerate(_best(scores), start=1):
        shares[place] = 1.0 / (_RRF + rank)
    return shares


def _standard(scores: Values) -> Values:
    standard: Values = (scores - scores.mean()) / max(float(scores.std()), 1e-9)
    return standard
