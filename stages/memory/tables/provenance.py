"""Who made what stands in a memory, and with which version of Echoic."""

from __future__ import annotations

import importlib.metadata
import sqlite3
from functools import cache

TABLES = """
CREATE TABLE makers (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    made_by TEXT NOT NULL,
    version TEXT NOT NULL,
    UNIQUE (made_by, version)
) STRICT;
ALTER TABLE events ADD COLUMN maker INTEGER REFERENCES makers (n);
ALTER TABLE sessions ADD COLUMN version TEXT NOT NULL DEFAULT '';
"""
"""SQL of the migration that makes them.

Lines need no maker of their own: `sessions.graph` has the stages that heard them with every setting, `sessions.version` the version.
Events have one, since episodes and days (and events that are cut or told again) are made later, by other versions.
"""


@cache
def version() -> str:
    """The version of Echoic that runs; "unknown" where it is not installed."""
    try:
        return importlib.metadata.version("echoic")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def maker(connection: sqlite3.Connection, made_by: str) -> int | None:
    """The number of a maker with the version that runs, made where it is new; None for nobody ("")."""
    if not made_by:
        return None
    query = "SELECT n FROM makers WHERE made_by = ? AND version = ?"
    found = connection.execute(query, (made_by, version())).fetchone()
    if found is None:
        connection.execute("INSERT INTO makers (made_by, version) VALUES (?, ?)", (made_by, version()))
        found = connection.execute(query, (made_by, version())).fetchone()
    return int(found[0])
