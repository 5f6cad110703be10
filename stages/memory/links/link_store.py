"""Links between the events of a memory: recalled together, about the same, with the same people."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, islice

from stages.memory.links import link_history
from stages.memory.links.link_weights import MOST_LINKS, decayed, joined, strengthened
from stages.memory.memory_errors import MemoryError_
from stages.memory.tables import row_writer
from stages.memory.tables.database import Database

KINDS = ("people", "recall", "topic")
MOST_TOGETHER = 8
"""So many events of one recall are linked with each other, the first ones: at most 28 links."""
_MOST_ASKED = 64

_OF_EVENT = """
SELECT x.other, x.kind, x.weight, x.made_at_ns, x.updated_at_ns, x.history FROM (
    SELECT b AS other, kind, weight, made_at_ns, updated_at_ns, history, dropped_by FROM links WHERE a = :event
    UNION ALL SELECT a, kind, weight, made_at_ns, updated_at_ns, history, dropped_by FROM links WHERE b = :event
) x JOIN events e ON e.id = x.other LEFT JOIN events d ON d.id = x.dropped_by
WHERE CASE WHEN :at IS NULL THEN x.dropped_by IS NULL
      ELSE e.ended_at_ns <= :at AND (x.kind = 'recall' OR x.dropped_by IS NULL OR d.ended_at_ns > :at) END
ORDER BY x.other, x.kind
"""
_MOST_GONE = 64
BY_RECALL = ""
"""What a link of recall gave way to: no event, but recalls of others."""


class LinkError(MemoryError_):
    """An event that is not there, or a moment without its offset."""

    exit_code = 2


@dataclass(frozen=True)
class LinkedEvent:
    """An event that another is linked to. `kinds` has the weight of each kind of link, 0 to 1, and `weight` is all of them as one."""

    event: str
    weight: float
    kinds: Mapping[str, float]


class LinkStore:
    """The part of a long-term memory that holds links; `LongTermMemory.links` is one.

    Links go both ways. An event has at most 16 of each kind, the strongest; they go with their event.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, event_id: str, at: datetime | None = None) -> list[LinkedEvent]:
        """The events that one is linked to, strongest first.

        Links of recall fade with time: until `at`, or until the latest of them was recalled. As of `at` no later event is seen, links
        that later ones took the place of are there, and those of recall have the weight of then. An event that was not known by then
        has no links. Raises LinkError where there is no event of that id, or `at` has no UTC offset.
        """
        if at is not None and at.tzinfo is None:
            raise LinkError(f"at {at.isoformat()} must carry its UTC offset, like 2026-11-22T10:00+01:00")
        at_ns = None if at is None else row_writer.utc_ns(at)
        with self.database.reading() as connection:
            known = connection.execute("SELECT ended_at_ns FROM events WHERE id = ?", (event_id,)).fetchone()
            if known is None:
                raise LinkError(f"event {event_id!r} is not in this memory; `echoic events` lists them")
            found = connection.execute(_OF_EVENT, {"event": event_id, "at": at_ns}).fetchall()
        if at_ns is not None and known[0] > at_ns:
            return []
        now_ns = max((row[4] for row in found), default=0) if at_ns is None else at_ns
        kinds: dict[str, dict[str, float]] = {}
        for other, kind, weight, made_ns, updated_ns, history in found:
            held = weight
            if kind == "recall":
                held = link_history.weight_at(link_history.changes(made_ns, updated_ns, weight, history), now_ns)
            if held > 0.0 or at_ns is None:
                kinds.setdefault(other, {})[kind] = held
        linked = [LinkedEvent(other, joined(weights.values()), weights) for other, weights in kinds.items()]
        return sorted(linked, key=lambda entry: (-round(entry.weight, 9), entry.event))

    def strengthen(self, connection: sqlite3.Connection, event_ids: Iterable[str], at_ns: int) -> int:
        """Events were recalled together: every two of the first eight are linked more strongly; how many pairs.

        For whoever stores what was recalled, in that transaction. Ids that are no events are left out.
        """
        together = sorted(_there(connection, list(islice(dict.fromkeys(event_ids), _MOST_ASKED)))[:MOST_TOGETHER])
        for a, b in combinations(together, 2):
            query = "SELECT weight, updated_at_ns FROM links WHERE a = ? AND b = ? AND kind = 'recall' AND dropped_by IS NULL"
            had = connection.execute(query, (a, b)).fetchone()
            weight = strengthened(0.0, 0) if had is None else strengthened(had[0], at_ns - had[1])
            put(connection, a, b, "recall", weight, at_ns)
        for event in together:
            keep_strongest(connection, event, "recall", at_ns, fresh=together)
        return len(together) * (len(together) - 1) // 2

    def n_due(self) -> int:
        """How many events are still to be linked."""
        with self.database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM links_due").fetchone()[0])


def put(connection: sqlite3.Connection, one: str, other: str, kind: str, weight: float, at_ns: int) -> None:
    """Set the weight of a link between two events; a clock that was set back does not take it back in time."""
    pair, weight = (min(one, other), max(one, other), kind), min(max(weight, 0.0), 1.0)
    query = "SELECT made_at_ns, updated_at_ns, weight, history FROM links WHERE a = ? AND b = ? AND kind = ?"
    had = connection.execute(query, pair).fetchone()
    if had is None:
        new = "INSERT INTO links (a, b, kind, weight, made_at_ns, updated_at_ns) VALUES (?, ?, ?, ?, ?, ?)"
        connection.execute(new, (*pair, weight, at_ns, at_ns))
        return
    updated_ns = max(had[1], at_ns)
    history = link_history.appended(link_history.changes(*had), updated_ns, weight) if kind == "recall" else None
    change = "UPDATE links SET weight = ?, updated_at_ns = ?, history = ?, dropped_by = NULL WHERE a = ? AND b = ? AND kind = ?"
    connection.execute(change, (weight, updated_ns, history, *pair))


def keep_strongest(connection: sqlite3.Connection, event: str, kind: str, at_ns: int, fresh: Collection[str] = ()) -> int:
    """Let an event's weakest links of a kind beyond sixteen (of equal ones those farthest in time) give way; how many did.

    Links with `fresh` events stay: a link that has just begun would else never have the time to grow. What gives way is kept, for who
    asks as of before, with what took its place: the newest of the events that are linked, or a recall.
    """
    bound = {"event": event, "kind": kind}
    counted = (
        "SELECT (SELECT count(*) FROM links WHERE a = :event AND kind = :kind AND dropped_by IS NULL)"
        " + (SELECT count(*) FROM links WHERE b = :event AND kind = :kind AND dropped_by IS NULL)"
    )
    if connection.execute(counted, bound).fetchone()[0] <= MOST_LINKS:
        return 0
    query = """
        SELECT x.a, x.b, x.weight, x.updated_at_ns, abs(one.ended_at_ns - other.ended_at_ns), max(one.ended_at_ns, other.ended_at_ns),
               CASE WHEN (one.ended_at_ns, one.id) > (other.ended_at_ns, other.id) THEN x.a ELSE x.b END
        FROM (
            SELECT a, b, weight, updated_at_ns FROM links WHERE a = :event AND kind = :kind AND dropped_by IS NULL
            UNION ALL SELECT a, b, weight, updated_at_ns FROM links WHERE b = :event AND kind = :kind AND dropped_by IS NULL
        ) x JOIN events one ON one.id = x.a JOIN events other ON other.id = x.b
    """
    rows = connection.execute(query, bound).fetchall()
    now_ns = max(at_ns, *(row[3] for row in rows))

    def strength(row: tuple[str, str, float, int, int, int, str]) -> tuple[bool, float, int, str, str]:
        a, b, weight, updated_ns, apart_ns = row[:5]
        is_fresh = (b if a == event else a) in fresh
        return (not is_fresh, -round(decayed(weight, now_ns - updated_ns) if kind == "recall" else weight, 9), apart_ns, a, b)

    weakest = sorted(rows, key=strength)[MOST_LINKS:]
    newest = max((row[5], row[6]) for row in rows)[1]
    for a, b, *_, later in weakest:
        if kind == "recall":
            _give_way(connection, a, b, now_ns)
        elif later == newest:
            # It came with the event that took its place, so there is no moment as of which it was there.
            connection.execute("DELETE FROM links WHERE a = ? AND b = ? AND kind = ?", (a, b, kind))
        else:
            connection.execute("UPDATE links SET dropped_by = ? WHERE a = ? AND b = ? AND kind = ?", (newest, a, b, kind))
    if kind == "recall" and weakest:
        _forget_oldest(connection, event)
    return len(weakest)


def erase(connection: sqlite3.Connection, events: Iterable[str], people: Iterable[str] = ()) -> dict[str, int]:
    """Forget all links of events and who took part in them, and people wherever they took part; how many rows, by table.

    Events that stay in the memory are linked anew in the next sleep, from what is left of them.
    """
    counts = dict.fromkeys(("links", "event_people", "links_due"), 0)
    gone, them = sorted(set(events)), sorted(set(people))
    touched = [
        row[0] for person in them for row in connection.execute("SELECT event FROM event_people WHERE person = ? ORDER BY event", (person,))
    ]
    for event in gone:
        theirs = "DELETE FROM links WHERE a = :event OR b = :event OR (dropped_by = :event AND dropped_by != '')"
        counts["links"] += connection.execute(theirs, {"event": event}).rowcount
        counts["event_people"] += connection.execute("DELETE FROM event_people WHERE event = ?", (event,)).rowcount
        counts["links_due"] += connection.execute("DELETE FROM links_due WHERE event = ?", (event,)).rowcount
    for event in touched:
        counts["links"] += connection.execute("DELETE FROM links WHERE kind = 'people' AND (a = ? OR b = ?)", (event, event)).rowcount
    for person in them:
        counts["event_people"] += connection.execute("DELETE FROM event_people WHERE person = ?", (person,)).rowcount
    for event in dict.fromkeys((*gone, *touched)):
        connection.execute(
            "INSERT INTO links_due (event) SELECT id FROM events WHERE id = ? AND level = 'event'"
            " AND NOT EXISTS (SELECT 1 FROM links_due WHERE event = ?)",
            (event, event),
        )
    return counts


def _give_way(connection: sqlite3.Connection, a: str, b: str, at_ns: int) -> None:
    query = "SELECT made_at_ns, updated_at_ns, weight, history FROM links WHERE a = ? AND b = ? AND kind = 'recall'"
    history = link_history.appended(link_history.changes(*connection.execute(query, (a, b)).fetchone()), at_ns, 0.0)
    gone = "UPDATE links SET dropped_by = ?, history = ? WHERE a = ? AND b = ? AND kind = 'recall'"
    connection.execute(gone, (BY_RECALL, history, a, b))


def _forget_oldest(connection: sqlite3.Connection, event: str) -> None:
    """Of an event's links of recall that gave way the latest 64 stay: somebody may ask without end, and each question makes new ones."""
    query = """
        SELECT a, b FROM (
            SELECT a, b, updated_at_ns FROM links WHERE a = :event AND kind = 'recall' AND dropped_by = :recall
            UNION ALL SELECT a, b, updated_at_ns FROM links WHERE b = :event AND kind = 'recall' AND dropped_by = :recall
        ) ORDER BY updated_at_ns DESC, a, b LIMIT -1 OFFSET :kept
    """
    oldest = connection.execute(query, {"event": event, "recall": BY_RECALL, "kept": _MOST_GONE}).fetchall()
    connection.executemany("DELETE FROM links WHERE a = ? AND b = ? AND kind = 'recall'", oldest)


def _there(connection: sqlite3.Connection, ids: Sequence[str]) -> list[str]:
    """Those ids among some that are events, in the same order."""
    query = "SELECT 1 FROM events WHERE id = ? AND level = 'event'"
    return [event for event in ids if connection.execute(query, (event,)).fetchone()]
