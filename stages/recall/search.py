"""Finding lines in a memory: by meaning and by words, fused, then weighed with the talk around them, and spread out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from pipeline.packets import Float32Array, nanoseconds
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import Hit, LineRow
from stages.memory.tables.row_writer import utc_ns
from stages.memory.text_encoder import TextEncoder
from stages.memory.vectors.vector_index import Rows
from stages.recall.contiguity import REACH_S
from stages.recall.conversations import conversations
from stages.recall.diversity import spread_out
from stages.recall.encoder_fits import SearchFit, search_fit
from stages.recall.ranking import fused
from stages.recall.relevance import Candidates, Wanted, relevance
from stages.recall.scope import Scope
from stages.recall.surroundings import Surroundings

_POOL = 200
_NARROW_POOL = 400
_MOST_ROWS = 80
_ENOUGH_ROWS = 48
_MOST_IN_WINDOW = 400
_SEEDS = 12
_WIDE_SEEDS = 24
_WIDE_NS = nanoseconds(REACH_S)
_LATEST_NS = nanoseconds(60.0)
_REACH_NS = nanoseconds(15.0)


@dataclass(frozen=True)
class Ranked:
    """Lines best first, and what surrounds them; without the times of their words, which ranking does without.

    `lines` are in an order in which each of the first says something new (`diversity.py`), `nearest` in that of `scores` alone.
    `cosines` are the likeness of lines with the query, `centres` that of the stretches they stand in (both empty without an
    encoder); `vectors` are those of the lines, float32, shape (dimension,), by id; `chains` are conversations around the best lines.
    `encoder` is the name of the encoder that made the vectors.
    """

    lines: tuple[LineRow, ...]
    scores: Mapping[str, float]
    cosines: Mapping[str, float]
    centres: Mapping[str, float]
    vectors: Mapping[str, Float32Array]
    chains: tuple[tuple[LineRow, ...], ...]
    encoder: str = ""

    @property
    def nearest(self) -> tuple[LineRow, ...]:
        """The lines in the order of their scores."""
        return tuple(sorted(self.lines, key=lambda line: (-self.scores[line.id], line.id)))

    def context(self, line: LineRow, n_each_side: int = 2) -> tuple[LineRow, ...]:
        """The neighbours of a line in its conversation, itself among them."""
        chain, place = self.talk(line)
        return chain[max(0, place - n_each_side) : place + n_each_side + 1]

    def stretch(self, line: LineRow) -> tuple[LineRow, ...]:
        """The lines of the event of a line, as far as they are known here."""
        return tuple(other for other in self.talk(line)[0] if other.event == line.event)

    def talk(self, line: LineRow) -> tuple[tuple[LineRow, ...], int]:
        """The conversation of a line, and its place there; the line alone where none is known."""
        return self._places.get(line.id, ((line,), 0))

    @cached_property
    def _places(self) -> dict[str, tuple[tuple[LineRow, ...], int]]:
        """The conversation of each line, and its place there, by id."""
        return {line.id: (chain, place) for chain in self.chains for place, line in enumerate(chain)}


def queries_of(topic: str, gist: str) -> list[str]:
    """The texts of which a question's vectors are made, each once."""
    return list(dict.fromkeys(text for text in (topic, gist) if text)) or [topic]


def meaning_of(queries: Float32Array) -> Float32Array:
    """The direction between a question's vectors (shape (n, dimension)): float32, shape (dimension,), of unit length."""
    mean = queries.mean(axis=0)
    meaning: Float32Array = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
    return meaning


class Searcher:
    """Searches one memory, as of one moment; without an encoder by words alone.

    It goes by what was learnt for the encoder (`encoder_fits.py`), unless it is given a `fit`.
    """

    def __init__(self, memory: LongTermMemory, encoder: TextEncoder | None, at: datetime | None, fit: SearchFit | None = None) -> None:
        self._memory = memory
        self._encoder = encoder
        self._at = at
        self._fit = fit or search_fit("" if encoder is None else encoder.name)
        self._encoded: dict[str, Float32Array] = {}
        self._searched: list[tuple[tuple[str, str, Scope], Ranked]] = []
        at_ns = None if at is None else utc_ns(at)
        self._surroundings = Surroundings(memory.spans, at_ns, None if encoder is None else encoder.dimension)

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """The vectors of texts, float32, shape (len(texts), dimension), each text encoded once; shape (0, 0) without an encoder."""
        if self._encoder is None:
            return np.zeros((0, 0), dtype=np.float32)
        new = [text for text in dict.fromkeys(texts) if text not in self._encoded]
        self._encoded.update(zip(new, self._encoder.encode_together(new) if new else (), strict=True))
        return np.array([self._encoded[text] for text in texts], dtype=np.float32).reshape(len(texts), self._encoder.dimension)

    def search(self, topic: str, gist: str, scope: Scope) -> Ranked:
        """The lines within a scope that are most like a question (`topic`) or its content words (`gist`); each search is made once."""
        asked = (topic, gist, scope)
        found = next((ranked for before, ranked in self._searched if before == asked), None)
        if found is None:
            found = self._ranked(topic, gist, scope)
            self._searched.append((asked, found))
        return found

    def _ranked(self, topic: str, gist: str, scope: Scope) -> Ranked:
        candidates = self.candidates(topic, gist, scope)
        queries = self._queries(topic, gist)
        rows = {line.id: line for line in candidates.lines}
        talks, vectors = candidates.chains, dict(candidates.vectors)
        scores = relevance(candidates, self._fit.relevance.weights)
        allowed = sorted(filter(scope.allows, rows.values()), key=lambda line: (-scores[line.id], line.id))
        numbers = {line.id: number for number, talk in enumerate(talks) for line in talk}
        near, theirs = self._surroundings.of(allowed[:_SEEDS], _REACH_NS)
        chains = conversations(near)
        unseen = {line.id: line for chain in chains for line in chain if line.id not in rows}
        vectors.update(self._vectors(unseen, theirs))
        cosines: dict[str, float] = {}
        if vectors:
            stacked = np.concatenate(list(vectors.values())).reshape(len(vectors), -1)
            cosines = dict(zip(vectors, (stacked @ queries.T).max(axis=1).tolist(), strict=True))
        return Ranked(
            lines=tuple(spread_out(allowed, scores, numbers)),
            scores={line.id: scores[line.id] for line in allowed},
            cosines=cosines,
            centres=_centres({**rows, **unseen}, chains, vectors, queries),
            vectors=vectors,
            chains=tuple(tuple(chain) for chain in chains),
            encoder=self._encoder.name if self._encoder is not None else "",
        )

    def candidates(self, topic: str, gist: str, scope: Scope) -> Candidates:
        """The lines most alike in meaning or words, and what was said around the best of them, in the scope or not."""
        queries = self._queries(topic, gist)
        pool = _NARROW_POOL if scope.is_narrow else _POOL
        among = self._among(scope)
        rankings: list[Sequence[Hit]] = [self._memory.search_words(gist or topic, pool, self._at, among)]
        meaning: Float32Array | None = None
        if len(queries):
            meaning = self._fit.moved(meaning_of(queries))
            rankings.append(self._memory.search_dense(meaning, pool, self._at, among))
        likely = fused(rankings)
        if not likely:
            likely = {line.id: 0.0 for line in self._latest(scope)}
        rows = {line.id: line for line in self._best(likely, scope, among)}
        seeds = sorted(rows, key=lambda name: (-likely.get(name, 0.0), name))[:_WIDE_SEEDS]
        around, vectors = self._surroundings.of([rows[name] for name in seeds], _WIDE_NS)
        rows.update((line.id, line) for line in around)
        words = {hit.line: hit.score for hit in rankings[0]}
        return Candidates(Wanted(topic, gist, meaning), conversations(rows.values()), words, self._vectors(rows, vectors))

    def _queries(self, topic: str, gist: str) -> Float32Array:
        """The vectors of a question, float32, shape (1 or 2, dimension); shape (0, 0) without an encoder."""
        return self.encode(queries_of(topic, gist))

    def _vectors(self, rows: Mapping[str, LineRow], known: Mapping[str, Float32Array]) -> dict[str, Float32Array]:
        """The vectors of lines by id, in their order, those that are not known read now; none without an encoder."""
        if self._encoder is None:
            return {}
        missing = [name for name in rows if name not in known]
        read = dict(zip(missing, self._memory.vectors(missing), strict=True))
        return {name: known[name] if name in known else read[name] for name in rows}

    def _latest(self, scope: Scope) -> list[LineRow]:
        """The last lines that were heard: what there is to show where nothing is alike."""
        for name in reversed(list(scope.sessions)):
            if name in scope.spans:
                start, end = scope.spans[name]
                return self._memory.lines(name, start_ns=max(start, end - _LATEST_NS), end_ns=end, at=self._at, words=False)[-_SEEDS:]
        return []

    def _among(self, scope: Scope) -> Rows | None:
        """The rows to search in where time and speaker leave few; hits of a wider search are filtered afterwards."""
        if scope.window is None and scope.speaker is None:
            return None
        return self._memory.rows_among(scope.spans if scope.window is not None else None, scope.speaker, at=self._at)

    def _best(self, scores: Mapping[str, float], scope: Scope, among: Rows | None) -> list[LineRow]:
        if scope.window is not None and among is not None and len(among) <= _MOST_IN_WINDOW:
            inside = [
                line
                for name, (start, end) in scope.spans.items()
                for line in self._memory.lines(name, start_ns=start, end_ns=end, at=self._at, words=False)
            ]
            return [line for line in inside if scope.allows(line)]
        best = sorted(scores, key=lambda name: (-scores[name], name))
        if not scope.is_narrow:
            return self._memory.lines(ids=best[:_MOST_ROWS], at=self._at, words=False)
        found: dict[str, LineRow] = {}
        for first in range(0, len(best), 4 * _MOST_ROWS):
            part = self._memory.lines(ids=best[first : first + 4 * _MOST_ROWS], at=self._at, words=False)
            allowed = {line.id: line for line in part if scope.allows(line)}
            found.update((name, allowed[name]) for name in best[first : first + 4 * _MOST_ROWS] if name in allowed)
            if len(found) >= _ENOUGH_ROWS:
                break
        return list(found.values())[:_MOST_ROWS]


def _centres(
    rows: Mapping[str, LineRow], chains: Sequence[Sequence[LineRow]], vectors: Mapping[str, Float32Array], queries: Float32Array
) -> dict[str, float]:
    """For every line of the chains: how like the query the centre of its stretch is (its event, as far as it lies in the chain)."""
    if not vectors:
        return {}
    centres: dict[str, float] = {}
    for chain in chains:
        stretches: dict[str | None, list[str]] = {}
        for line in chain:
            stretches.setdefault(line.event, []).append(line.id)
        for names in stretches.values():
            centre = np.mean([vectors[name] for name in names], axis=0)
            cosine = float((queries @ centre).max() / max(float(np.linalg.norm(centre)), 1e-9))
            centres.update(dict.fromkeys((name for name in names if name in rows), cosine))
    return centres
