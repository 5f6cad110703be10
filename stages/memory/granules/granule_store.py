"""Search over several granularities: word spans, lines, events, episodes, days, and whatever else has keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.granules import granule_keys, granule_moments, granule_values
from stages.memory.granules.granule_keys import KeyRows
from stages.memory.granules.granule_spans import Encode, best_span
from stages.memory.memory_errors import MemoryError_
from stages.memory.rows import Hit
from stages.memory.sleeping import episode_rows
from stages.memory.tables import row_reader, row_writer
from stages.memory.tables.database import Database
from stages.memory.vectors.followed_index import FollowedIndex
from stages.memory.vectors.line_index import LineIndex
from stages.memory.vectors.vector_index import Rows

LEVELS = ("span", "line", "event", "episode", "day", "prototype")
"""From fine to coarse; prototypes lie across the others."""
_MOST_SPANS = 16
_MOST_ROWS = 10_000
_ALL = 2**62
# Most values have two keys, and often only one of them is near.
_NAMED_PER_VALUE = 2
_KEYS_PER_VALUE = 3
_WIDER = (1, 4, 16)
_MOST_TIES = 16
# Keys around an event, some of which are of summaries: in most sleeps enough of the nearest events came before it.
_AROUND = 48
_FAR_AROUND = 512
_MOST_LATER = 2000
_MOST_KEPT = 1024
Neighbours = tuple[list[tuple[str, float]], list[tuple[str, float]]]
"""Events that were known before one, and some that came later: ids and cosines, best first."""


class GranuleError(MemoryError_):
    """A granularity that there is none of, or a moment without its offset."""

    exit_code = 2


@dataclass(frozen=True)
class Granule:
    """Something found at a level, best first. `score` is the cosine of its nearest key, `key` says what that key was made from.

    `id` is that of the line (also of a span), event or prototype. Times are on the session's clock; a key that finds
    no stored prototype has no session.
    """

    level: str
    id: str
    score: float
    key: str
    session: str | None = None
    start_ns: int = 0
    end_ns: int = 0


class GranuleStore:
    """The part of a long-term memory that finds granules; `LongTermMemory.granules` is one.

    What is searched are keys (`granule_keys.py`); what is given back are values: granules, and their lines word for word. Each
    level has an index of the memory's kind, made when it is first asked. Copies stand in no event and are never found.
    """

    def __init__(self, database: Database, lines: Callable[[], LineIndex], encode: Encode) -> None:
        self.database = database
        self._lines = lines
        self._encode = encode
        self._kept: dict[tuple[str, int, int, bytes], Neighbours] = {}
        self._kept_for = (0, 0)

    def search(
        self, vector: Float32Array, k: int, level: str = "event", at: datetime | None = None, among: Iterable[str] | None = None
    ) -> list[Granule]:
        """The `k` granules of a level that are nearest to a vector, float32, shape (dimension,), of unit length.

        As of `at`, only what was known by then is found, episodes as they stood then; for those that grew then the memory's encoder
        must be started. `among` are ids that may be found (not for spans and lines). At most 16 spans
        are found; they need the memory's encoder to be started. Raises GranuleError, and VectorIndexError for a vector that is not finite.
        """
        at_ns = _at_ns(at)
        if level not in LEVELS:
            raise GranuleError(f"granules: level {level!r} is not known; allowed are {', '.join(LEVELS)}")
        if k < 1:
            return []
        if level == "span":
            hits = self._lines().search(vector, min(k, _MOST_SPANS), at_ns)
            return self.spans(vector, [hit.line for hit in hits], at)
        if level == "line":
            return self._located("line", [(hit.line, hit.score, "text") for hit in self._lines().search(vector, k, at_ns)])
        if at_ns is not None and level in ("episode", "day"):
            return self._as_of(vector, k, level, at_ns, None if among is None else frozenset(among))
        return self._located(level, self._found(vector, k, level, at_ns, among))

    def neighbours(self, vector: Float32Array, k: int, event_id: str, known_at_ns: int) -> Neighbours:
        """Ids and cosines of the `k` events nearest to one that were known before it, and of at most `k` near ones that came later.

        Compared are the vectors of their lines, best first. What is made of the first is the same whenever it is made, unless more than
        2,000 events came later: of those before, the ones among the 512 nearest are found then. Steps of one sleep ask the same one
        after the other, so answers are kept for as long as no key comes or goes.
        """
        index = self._index("event")
        index.follow()
        if self._kept_for != index.state or len(self._kept) >= _MOST_KEPT:
            self._kept, self._kept_for = {}, index.state
        asked = (event_id, known_at_ns, k, vector.tobytes())
        found = self._kept.get(asked)
        if found is None:
            found = self._kept[asked] = self._neighbours(index, vector, k, (known_at_ns, event_id))
        return found

    def _neighbours(self, index: FollowedIndex, vector: Float32Array, k: int, here: tuple[int, str]) -> Neighbours:
        with self.database.reading() as connection:

            def near(n_asked: int, excluded: Rows | None = None) -> list[tuple[tuple[int, str], float]]:
                hits = index.nearest(vector, n_asked, excluded)
                ranks = granule_keys.of_lines(connection, [row for row, _ in hits])
                return [(ranks[row], score) for row, score in hits if row in ranks]

            around = near(_AROUND)
            later = [(rank[1], score) for rank, score in around if rank > here]
            earlier = [(rank[1], score) for rank, score in around if rank < here]
            if len(earlier) < k and later:
                excluded = granule_keys.rows_unknown(connection, "event", here[0], _MOST_LATER)
                wider = near(_FAR_AROUND) if excluded is None else near(_AROUND, excluded)
                earlier = [(rank[1], score) for rank, score in wider if rank < here]
        return earlier[:k], later[:k]

    def lines(self, granule: Granule, k: int, vector: Float32Array | None = None, at: datetime | None = None) -> list[Hit]:
        """At most `k` lines that a granule stands for, no copies: those nearest to a vector, or without one the first, in order.

        The first 10,000 lines of it are looked at, so that a day of very much talk costs no more. Lines whose vectors have faded come
        last, in order, with a score of 0.
        """
        at_ns = _at_ns(at)
        if k < 1:
            return []
        with self.database.reading() as connection:
            rows, names = granule_values.lines_of(connection, granule.level, granule.id, at_ns, _MOST_ROWS if vector is not None else k)
        if vector is None:
            return [Hit(name, granule.score) for name in names[:k]]
        found = self._lines().search(vector, k, at_ns, np.array(sorted(rows), dtype=np.int64)) if len(rows) else []
        near = {hit.line for hit in found}
        return found + [Hit(name, 0.0) for name in names if name not in near][: k - len(found)]

    def spans(self, vector: Float32Array, line_ids: Sequence[str], at: datetime | None = None) -> list[Granule]:
        """The words of each line that are most like a vector, best line first; a line without words is a span as it is.

        At most 21 stretches of a line are encoded. The times are those of the words, so that a clip can be as short as they are.
        """
        with self.database.reading() as connection:
            rows = row_reader.lines(connection, ids=list(line_ids)[:_MOST_SPANS], at_ns=_at_ns(at))
        found = []
        for row in rows:
            span = best_span(row.words, vector, self._encode)
            if span is None:
                score = float(self._encode([row.text])[0] @ np.asarray(vector, dtype=np.float32))
                found.append(Granule("span", row.id, round(score, 6), "text", row.session, row.start_ns, row.end_ns))
            else:
                start_ns, end_ns = row.words[span.first].start_ns, row.words[span.last - 1].end_ns
                found.append(Granule("span", row.id, span.score, "words", row.session, start_ns, end_ns))
        return sorted(found, key=lambda entry: (-entry.score, entry.id))

    def attach(self) -> None:
        """Let the index of every level that has a file be tended and checked with that of the lines, asked or not."""
        self._used()

    def purge(self) -> None:
        """Take what was removed out of the indexes and of their files: after erasing."""
        for index in self._used():
            index.purge()

    def used_bytes(self) -> int:
        """The bytes of the levels' index files on the disk."""
        folder = self._lines().folder
        folders = [folder / level for level in LEVELS] if folder is not None else []
        return sum(file.stat().st_size for place in folders if place.is_dir() for file in place.iterdir() if file.is_file())

    def _used(self) -> list[FollowedIndex]:
        folder = self._lines().folder
        levels = [level for level in LEVELS if self._lines().has_beside(level) or (folder is not None and (folder / level).is_dir())]
        return [self._index(level) for level in levels]

    def _index(self, level: str) -> FollowedIndex:
        lines = self._lines()
        return lines.beside(level, KeyRows(level, lines.dimension))

    def _found(
        self, vector: Float32Array, k: int, level: str, at_ns: int | None, among: Iterable[str] | None
    ) -> list[tuple[str, float, str]]:
        """Id, score and kind of key of the nearest granules of a level that has keys."""
        index = self._index(level)
        index.follow()
        with self.database.reading() as connection:
            allowed, excluded = _limits(connection, level, at_ns, among)
            return _nearest(connection, index, level, vector, k, at_ns, allowed, excluded)

    def _as_of(self, vector: Float32Array, k: int, level: str, at_ns: int, among: frozenset[str] | None) -> list[Granule]:
        """Episodes or days as they stood at a moment. Those that grew then have no keys of then: they are compared one by one."""
        with self.database.reading() as connection:
            then = {name: seen for name, seen in episode_rows.otherwise(connection, level, at_ns).items() if among is None or name in among}
            keys = granule_moments.keys_of(connection, then, at_ns)
        # Keys of what has grown since are younger, so equally near ones are told apart by their ids: some more are looked at.
        found = self._located(level, self._found(vector, k + len(then) + _MOST_TIES, level, at_ns, among))
        best = granule_moments.best_keys(vector, keys, self._encode)
        rows = {name: seen.row for name, seen in then.items() if seen is not None}
        found = [entry for entry in found if entry.id not in then]
        found += [
            Granule(level, name, score, key, rows[name].session, rows[name].start_ns, rows[name].end_ns)
            for name, (score, key) in best.items()
        ]
        return sorted(found, key=lambda entry: (-round(entry.score, 6), entry.id))[:k]

    def _located(self, level: str, found: Sequence[tuple[str, float, str]]) -> list[Granule]:
        """Hits (id, score, key) as granules with their place in time, in the same order."""
        table = "lines" if level == "line" else "prototypes" if level == "prototype" else "events"
        with self.database.reading() as connection:
            places = granule_values.places_of(connection, table, [name for name, _, _ in found])
        if level == "prototype":
            return [Granule(level, name, score, key, *places.get(name, ())) for name, score, key in found]
        return [Granule(level, name, score, key, *places[name]) for name, score, key in found if name in places]


def _limits(connection: sqlite3.Connection, level: str, at_ns: int | None, among: Iterable[str] | None) -> tuple[Rows | None, Rows | None]:
    """The keys that alone may be found, and those that may not, where either are few."""
    if among is not None:
        rows = granule_keys.rows_among(connection, level, among)
        known = granule_keys.named(connection, rows.tolist(), at_ns)
        return np.array([row for row in rows.tolist() if row in known], dtype=np.int64), None
    if at_ns is None:
        return None, None
    allowed = granule_keys.rows_known(connection, level, at_ns, _MOST_ROWS)
    return allowed, None if allowed is not None else granule_keys.rows_unknown(connection, level, at_ns, _MOST_ROWS)


def _nearest(
    connection: sqlite3.Connection,
    index: FollowedIndex,
    level: str,
    vector: Float32Array,
    k: int,
    at_ns: int | None,
    allowed: Rows | None,
    excluded: Rows | None,
) -> list[tuple[str, float, str]]:
    """The best key of each value: id, score and kind. Wider and wider, where hits turn out to be later than the moment."""
    best: dict[str, tuple[str, float, str]] = {}
    for factor in _WIDER:
        pool = factor * _KEYS_PER_VALUE * k
        hits = index.nearest(vector, pool, excluded, allowed)
        best = {}
        for start in range(0, len(hits), _NAMED_PER_VALUE * k):
            part = hits[start : start + _NAMED_PER_VALUE * k]
            names = granule_keys.named(connection, [row for row, _ in part], at_ns)
            for row, score in part:
                if row in names:
                    kind, value = names[row]
                    best.setdefault(value, (value, score, kind))
            if len(best) >= k:
                break
        if len(best) >= k or len(hits) < pool:
            break
    else:
        if at_ns is not None and allowed is None:
            # Hardly anything like this was known by then: look at each key that was.
            known = granule_keys.rows_known(connection, level, at_ns, _ALL)
            return _nearest(connection, index, level, vector, k, at_ns, known, None)
    return list(best.values())[:k]


def _at_ns(at: datetime | None) -> int | None:
    if at is not None and at.tzinfo is None:
        raise GranuleError(f"at {at.isoformat()} must carry its UTC offset, like 2026-11-22T10:00+01:00")
    return None if at is None else row_writer.utc_ns(at)
