"""Linking in sleep: new events with those that are about the same and those of the same people."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.links.link_store import keep_strongest, put
from stages.memory.links.link_weights import shared
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.people.given_names import is_automatic
from stages.memory.sleeping.sleep import SleepStep

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_N_NEAREST = 8
_MOST_PEOPLE = 8
_NEAR_IN_TIME = 4
_MOST_LINES = 2000

_PEOPLE = """
SELECT coalesce(w.speaker, t.speaker, l.session || '/' || l.track) AS person, sum(l.end_ns - l.start_ns) AS spoken_ns,
       w.speaker IS NULL AS is_imported, l.session
FROM (SELECT line FROM event_lines WHERE event = ? LIMIT ?) m JOIN lines l ON l.id = m.line
LEFT JOIN line_speakers w ON w.line = l.id LEFT JOIN tracks t ON t.session = l.session AND t.track = l.track
WHERE l.copy_of IS NULL GROUP BY person ORDER BY spoken_ns DESC, person LIMIT ?
"""


@dataclass(frozen=True)
class _Due:
    number: int
    event: str
    ended_at_ns: int
    vector: Float32Array
    near: tuple[str, ...]


class Link(SleepStep):
    """Links each new event, and each whose vector or people changed, as A-MEM links notes (arXiv 2502.12110), but without a model's word.

    "topic": the eight nearest by vector of the events that were known before it, where the cosine is at least `min_cosine`, which is
    the weight. "people": the four events before in which each of its (up to eight) people took part; the weight is half the share of
    common people. Events that came later but are linked already, as where an older session is imported, count with both: later ones
    that are not will look back themselves, so it makes no difference when sleep comes. The work for an event is bounded by indexes,
    whatever the memory holds.
    """

    name = "link"

    def __init__(self, min_cosine: float = 0.6) -> None:
        if not 0.0 <= min_cosine <= 1.0:
            raise MemorySettingsError(f"links: min_cosine must be 0 to 1, found {min_cosine}")
        self.min_cosine = min_cosine

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:
        """Link at most `limit` events in one transaction; how many were done, 0 when none is left."""
        with memory.links.database.reading() as connection:
            query = (
                "SELECT d.n, d.event, e.ended_at_ns, e.vector FROM links_due d JOIN events e ON e.id = d.event"
                " WHERE e.level = 'event' ORDER BY d.n LIMIT ?"
            )
            rows = connection.execute(query, (limit,)).fetchall()
            due = [_due(memory, connection, *row) for row in rows]
        if not due:
            return 0
        with memory.links.database.writing() as connection:
            for entry in due:
                self._link(connection, entry, at_ns)
        return len(due)

    def _link(self, connection: sqlite3.Connection, due: _Due, at_ns: int) -> None:
        if connection.execute("DELETE FROM links_due WHERE n = ?", (due.number,)).rowcount == 0:
            return
        topics = {other: cosine for other, cosine in _cosines(connection, due).items() if cosine >= self.min_cosine}
        if len(due.vector):
            _replace(connection, due.event, "topic", topics, due.near, at_ns)
        people = _people(connection, due.event)
        connection.execute("DELETE FROM event_people WHERE event = ?", (due.event,))
        connection.executemany(
            "INSERT INTO event_people (event, person, ended_at_ns) VALUES (?, ?, ?)",
            [(due.event, person, due.ended_at_ns) for person in people],
        )
        met = _met(connection, due, people)
        others = dict.fromkeys((*_linked(connection, due.event, "people"), *met))
        shares = {other: shared(people, _known_people(connection, other)) for other in others}
        _replace(connection, due.event, "people", {other: share for other, share in shares.items() if share > 0.0}, met, at_ns)


def _due(memory: LongTermMemory, connection: sqlite3.Connection, number: int, event: str, ended_at_ns: int, blob: bytes) -> _Due:
    vector = np.frombuffer(blob, dtype="<f4").astype(np.float32)
    if len(vector) != memory.encoder.dimension:
        return _Due(number, event, ended_at_ns, np.zeros(0, dtype=np.float32), ())
    earlier, later = memory.granules.neighbours(vector, _N_NEAREST, event, ended_at_ns)
    waits = "SELECT 1 FROM links_due WHERE event = ?"
    linked = [name for name, _ in later if connection.execute(waits, (name,)).fetchone() is None]
    return _Due(number, event, ended_at_ns, vector, tuple(name for name, _ in earlier) + tuple(linked))


def _cosines(connection: sqlite3.Connection, due: _Due) -> dict[str, float]:
    """How like an event those near it are, and those that it is or was linked to."""
    cosines = {}
    for other in dict.fromkeys((*due.near, *_linked(connection, due.event, "topic"))):
        row = connection.execute("SELECT vector FROM events WHERE id = ?", (other,)).fetchone()
        if row is not None and len(due.vector) and len(row[0]) == 4 * len(due.vector):
            cosines[other] = round(float(np.frombuffer(row[0], dtype="<f4") @ due.vector), 6)
    return cosines


def _people(connection: sqlite3.Connection, event: str) -> list[str]:
    """Who spoke in an event, those who spoke longest first.

    Names of tracks such as "speaker-1", which every transcript begins anew, are somebody else in each session.
    """
    rows = connection.execute(_PEOPLE, (event, _MOST_LINES, _MOST_PEOPLE)).fetchall()
    return sorted({f"{person}@{session}" if imported and _is_number(person) else person for person, _, imported, session in rows})


def _is_number(person: str) -> bool:
    return "@" not in person and is_automatic(person)


def _known_people(connection: sqlite3.Connection, event: str) -> list[str]:
    return [row[0] for row in connection.execute("SELECT person FROM event_people WHERE event = ?", (event,))]


def _met(connection: sqlite3.Connection, due: _Due, people: list[str]) -> list[str]:
    """The events before and after in which the people of an event took part, as far as they are linked."""
    met: dict[str, None] = {}
    here = (due.ended_at_ns, due.event)
    for person in people:
        for side, order in (("<", "DESC"), (">", "ASC")):
            query = (
                f"SELECT event FROM event_people WHERE person = ? AND (ended_at_ns, event) {side} (?, ?)"
                f" ORDER BY ended_at_ns {order}, event {order} LIMIT ?"
            )
            met.update(dict.fromkeys(row[0] for row in connection.execute(query, (person, *here, _NEAR_IN_TIME))))
    return list(met)


def _linked(connection: sqlite3.Connection, event: str, kind: str) -> list[str]:
    query = (
        "SELECT b FROM links WHERE a = :event AND kind = :kind UNION ALL SELECT a FROM links WHERE b = :event AND kind = :kind ORDER BY 1"
    )
    return [row[0] for row in connection.execute(query, {"event": event, "kind": kind})]


def _replace(connection: sqlite3.Connection, event: str, kind: str, weights: dict[str, float], near: Collection[str], at_ns: int) -> None:
    """An event's links of a kind are these, as far as there is room at both ends.

    What gave way to stronger ones before stays so, unless it is among those that are `near`.
    """
    dropped = "SELECT 1 FROM links WHERE a = ? AND b = ? AND kind = ? AND dropped_by IS NOT NULL"
    for other in _linked(connection, event, kind):
        pair = (min(event, other), max(event, other), kind)
        if other not in weights:
            connection.execute("DELETE FROM links WHERE a = ? AND b = ? AND kind = ?", pair)
        elif other not in near and connection.execute(dropped, pair).fetchone():
            connection.execute("UPDATE links SET weight = ? WHERE a = ? AND b = ? AND kind = ?", (weights.pop(other), *pair))
    for other, weight in weights.items():
        put(connection, event, other, kind, weight, at_ns)
    for end in (event, *weights):
        keep_strongest(connection, end, kind, at_ns)
