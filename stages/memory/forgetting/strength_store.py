"""The strengths of a memory's lines: what is recalled grows stronger, everything else fades."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from stages.memory.forgetting import recall_spool
from stages.memory.forgetting.strength_curve import salience_class, stability_ns, strength
from stages.memory.links.link_store import LinkStore
from stages.memory.tables.database import Database, translated
from stages.memory.tables.line_checks import is_moment

_log = logging.getLogger("echoic.memory")
_AT_ONCE = 500


class StrengthStore:
    """The part of a long-term memory that knows what was recalled; `LongTermMemory.strengths` is one."""

    def __init__(self, database: Database, root: Path | None, links: LinkStore) -> None:
        self.database = database
        self.root = root
        self._links = links

    def recalled(self, line_ids: Sequence[str], at_ns: int) -> None:
        """Lines stood in an answer at a moment (UTC): they, and the links between their events, grow stronger in the next sleep.

        In a reader too. It takes no transaction and never raises, since an answer is worth more than its traces.
        """
        if not line_ids:
            return
        if not is_moment(at_ns):
            _log.warning("memory %s: the clock of this machine is wrong; what was recalled now is not noted", self.database.where)
            return
        try:
            if self.root is None:
                with self.database.writing() as connection:
                    self._store(connection, line_ids, at_ns)
            elif not recall_spool.append(self.root, line_ids, at_ns):
                _log.warning("memory %s: too many recalls wait for sleep; what was recalled now is not noted", self.database.where)
        except (OSError, sqlite3.Error) as error:
            _log.warning("memory %s: what was recalled could not be noted: %s", self.database.where, error)

    def absorb(self, limit: int) -> int:
        """Take up at most `limit` recalls that wait; how many, 0 when none does. Those that are damaged are passed over, and counted."""
        if self.root is None:
            return 0
        with translated(self.database.where):
            while (path := recall_spool.take(self.root)) is not None:
                with self.database.writing() as connection:
                    row = connection.execute("SELECT n_bytes FROM recall_spools WHERE name = ?", (path.name,)).fetchone()
                    found = recall_spool.entries(path, row[0] if row else 0, limit)
                    for at_ns, lines, _ in found:
                        self._store(connection, lines, at_ns)
                    if found:
                        connection.execute("INSERT OR REPLACE INTO recall_spools (name, n_bytes) VALUES (?, ?)", (path.name, found[-1][2]))
                if found:
                    if n_damaged := sum(not lines for _, lines, _ in found):
                        _log.warning("memory %s: %d damaged recalls were passed over", self.database.where, n_damaged)
                    return len(found)
                # The file goes first: a row without its file is forgotten with the next one, but a file without its row would count twice.
                path.unlink()
                with self.database.writing() as connection:
                    connection.execute("DELETE FROM recall_spools WHERE name = ?", (path.name,))
        return 0

    def of(self, line_ids: Iterable[str], at_ns: int) -> dict[str, float]:
        """How strong lines are at a moment (UTC), 0 to 1; those that are not there are left out."""
        ids = list(dict.fromkeys(line_ids))
        found: dict[str, float] = {}
        with self.database.reading() as connection:
            for first in range(0, len(ids), _AT_ONCE):
                part = ids[first : first + _AT_ONCE]
                query = (
                    "SELECT l.id, l.ended_at_ns, l.salience, coalesce(s.n_recalls, 0), coalesce(s.recalled_at_ns, l.ended_at_ns)"
                    f" FROM lines l LEFT JOIN strengths s ON s.n = l.n WHERE l.id IN ({','.join('?' * len(part))})"
                )
                for name, ended_ns, salience, n_recalls, recalled_ns in connection.execute(query, part):
                    stability = stability_ns(salience_class(salience), n_recalls)
                    found[name] = strength(at_ns - max(ended_ns, recalled_ns), stability)
        return found

    def of_event(self, event: str, at_ns: int) -> float:
        """How strong an event is: as its strongest line; 0 where there is none."""
        with self.database.reading() as connection:
            lines = [row[0] for row in connection.execute("SELECT line FROM event_lines WHERE event = ?", (event,))]
        return max(self.of(lines, at_ns).values(), default=0.0)

    def _store(self, connection: sqlite3.Connection, line_ids: Sequence[str], at_ns: int) -> None:
        events: dict[str, None] = {}
        for line in dict.fromkeys(line_ids):
            row = connection.execute(
                "SELECT l.n, m.event FROM lines l LEFT JOIN event_lines m ON m.line = l.id WHERE l.id = ?", (line,)
            ).fetchone()
            if row is None:
                continue
            connection.execute(
                "INSERT INTO strengths (n, n_recalls, recalled_at_ns) VALUES (?, 1, ?) ON CONFLICT (n) DO UPDATE SET"
                " n_recalls = n_recalls + 1, recalled_at_ns = max(recalled_at_ns, excluded.recalled_at_ns)",
                (row[0], at_ns),
            )
            if row[1] is not None:
                events[row[1]] = None
        if len(events) > 1:
            self._links.strengthen(connection, events, at_ns)
