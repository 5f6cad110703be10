"""The proof that nothing of an erasure can be found: every file, table, index and recording of a memory is searched for it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import recording_erasure
from stages.memory.attention import attention_erasure
from stages.memory.disk.disk_use import RECORDINGS
from stages.memory.erasing import erasure_files
from stages.memory.erasing.erasure_plan import Plan
from stages.memory.erasing.text_finder import KEY_BYTES, TextFinder
from stages.memory.tables.database import Database
from stages.memory.vectors.followed_index import VectorRows
from stages.memory.vectors.vector_index import REMOVED, IndexKind, make_index

_LEAST_IN_AUDIO = 12
_CHUNK_BYTES = 8 << 20
_MOST_TOLD = 20
_AUDIO = (".flac", ".au")
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
# What every memory's files say of themselves.
_FORMATS = (
    "SQLite format 3 ECHOIC-INDEX-2 kind dimension trained removed_to rows crc32 pts_ns duration_ns reason forgotten unreadable"
    " not a number first_frame retention"
)
# Columns whose texts are made of what was said: only in them may a word not stand that was erased.
_DERIVED = {
    ("events", "summary"),
    ("topics", "name"),
    ("topics", "terms"),
    ("topic_names", "name"),
    ("topic_terms", "term"),
    ("erasures", "plan"),
}
_SETTINGS = ("graph.yaml", "memory.yaml", "daemon.json")


@dataclass(frozen=True)
class Traces:
    """What is looked for: the ids of rows that go (lines, events, sessions, people), and texts. Never stored."""

    ids: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()


@dataclass
class Proof:
    """What the search found: `left` says where something is left, in words; nothing where all of it is gone."""

    left: list[str] = field(default_factory=list)
    n_files: int = 0
    n_bytes: int = 0
    n_texts: int = 0
    n_ids: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing is left."""
        return not self.left


def traces_of(connection: sqlite3.Connection, plan: Plan) -> Traces:
    """What a plan's rows say, before they go."""
    rows = [row for n in plan.lines for row in connection.execute("SELECT id, text FROM lines WHERE n = ?", (n,))]
    ids, texts = set(plan.sessions), set()
    for session in plan.sessions:
        rows += connection.execute("SELECT id, text FROM lines WHERE session = ?", (session,)).fetchall()
        ids |= {row[0] for row in connection.execute("SELECT id FROM events WHERE session = ?", (session,))}
    for name, text in rows:
        ids.add(name)
        texts.add(text.strip())
        texts |= {form for word in _WORD.findall(text) for form in (word, word.lower())}
    texts |= attention_erasure.words_of(connection, plan.attentions)
    for person in plan.people:
        ids.add(person)
        texts |= {row[0] for row in connection.execute("SELECT name FROM speakers WHERE id = ? AND given = 1", (person,))}
    return Traces(frozenset(ids), frozenset(text for text in texts if len(text.encode()) >= KEY_BYTES))


def prove(
    database: Database, root: Path | None, plan: Plan, traces: Traces, indexes: dict[Path, VectorRows], kind: IndexKind, dimension: int
) -> Proof:
    """Look for everything of a plan that has been erased.

    Texts and words that are still said elsewhere, or that settings hold, are no traces. Words shorter than six bytes are looked for as
    parts of whole texts alone, and audio is searched for texts of twelve bytes and more: shorter ones stand there by chance.
    """
    proof = Proof()
    with database.reading() as connection:
        _search_rows(connection, plan, proof)
        _search_ids(connection, traces, proof)
        rare = _rare(traces.texts, _said(connection, root))
    proof.n_ids, proof.n_texts = len(traces.ids), len(rare)
    if root is None:
        return proof
    ids = {name.encode() for name in traces.ids - {*plan.sessions, *plan.people} if len(name.encode()) >= _LEAST_IN_AUDIO}
    _search_files(root, rare, frozenset(ids), proof)
    _search_indexes(database, indexes, kind, dimension, proof)
    proof.left += [f"{path}: an index of another kind" for path in erasure_files.strange_index_files(root, kind)]
    proof.left += erasure_files.audible(database, root, plan)
    for session, spans in plan.spans.items():
        folder = root / RECORDINGS / session
        if session in plan.sessions:
            proof.left += [f"{path} is still there" for path in (folder, root / "lines" / session) if path.exists()]
        elif found := recording_erasure.sounding(folder, spans):
            proof.left.append(f"{folder}: {sum(n for _, n in found)} frames from {found[0][0]} on are not zero")
    return proof


def _search_rows(connection: sqlite3.Connection, plan: Plan, proof: Proof) -> None:
    """Row numbers are never given twice, so a number that is there is a row that is left."""
    for table in ("lines", "vectors", "line_checksums", "lines_fts_docsize"):
        column = "id" if table == "lines_fts_docsize" else "n"
        left = sum(connection.execute(f"SELECT 1 FROM {table} WHERE {column} = ?", (n,)).fetchone() is not None for n in plan.lines)
        if left:
            proof.left.append(f"table {table}: {left} rows")
    left = sum(connection.execute("SELECT 1 FROM attentions WHERE n = ?", (n,)).fetchone() is not None for n in plan.attentions)
    if left:
        proof.left.append(f"table attentions: {left} rows")


def _search_ids(connection: sqlite3.Connection, traces: Traces, proof: Proof) -> None:
    """Every column of every table that holds text."""
    sought = json.dumps(sorted(traces.ids))
    for table, column in _text_columns(connection):
        if table == "erasures" or table.startswith("lines_fts"):
            continue
        query = f'SELECT count(*) FROM "{table}" WHERE "{column}" IN (SELECT value FROM json_each(?))'
        (left,) = connection.execute(query, (sought,)).fetchone()
        if left:
            proof.left.append(f"table {table}, column {column}: {left} rows")


def _text_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return [(table, row[1]) for table in tables for row in connection.execute(f'PRAGMA table_info("{table}")') if row[2] in ("TEXT", "")]


def _said(connection: sqlite3.Connection, root: Path | None) -> Iterator[bytes]:
    """Texts that stay: what was said in lines that stay, names, and settings."""
    yield _FORMATS.encode()
    yield from (row[0].encode() for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
    for table, column in _text_columns(connection):
        if (table, column) in _DERIVED or table.startswith("lines_fts"):
            continue
        values: list[str] = []
        for (value,) in connection.execute(f'SELECT "{column}" FROM "{table}" WHERE typeof("{column}") = \'text\''):
            values.append(value)
            if len(values) >= 10_000:
                yield "\n".join(values).encode("utf-8", "surrogatepass")
                values = []
        text = "\n".join(values)
        yield text.encode("utf-8", "surrogatepass")
        if (table, column) == ("lines", "text"):
            yield text.lower().encode("utf-8", "surrogatepass")
    files = [root / name for name in _SETTINGS] + sorted((root / RECORDINGS).glob("*/session.json")) if root is not None else []
    yield from (path.read_bytes() for path in files if path.is_file())


def _rare(texts: Iterable[str], said: Iterator[bytes]) -> frozenset[bytes]:
    """Those texts that nothing that stays says."""
    sought = {text.encode("utf-8", "surrogatepass") for text in texts}
    finder = TextFinder(sought)
    for piece in said:
        sought -= finder.found_in(piece)
        # What was found once need not be looked for again; often most of it is found in the first pieces.
        if 2 * len(sought) < finder.n_sought:
            finder = TextFinder(sought)
    return frozenset(sought)


def _search_files(root: Path, rare: frozenset[bytes], ids: frozenset[bytes], proof: Proof) -> None:
    """Texts in every file, and ids in those that are neither audio nor the database, whose columns were searched for them."""
    outside = TextFinder(rare | ids)
    everything, long = TextFinder(rare), TextFinder({text for text in rare if len(text) >= _LEAST_IN_AUDIO and b" " in text})
    longest = max((len(text) for text in rare | ids), default=0)
    for path in sorted(entry for entry in root.rglob("*") if entry.is_file() and not entry.is_symlink()):
        proof.n_files += 1
        finder = long if path.suffix in _AUDIO else everything if path.name.startswith("memory.sqlite") else outside
        n_found, tail = 0, b""
        with path.open("rb") as file:
            while piece := file.read(_CHUNK_BYTES):
                proof.n_bytes += len(piece)
                n_found += len(finder.found_in(tail + piece))
                tail = (tail + piece)[-longest:] if longest else b""
        if n_found:
            proof.left.append(f"{path}: {n_found} of the erased texts, words or ids stand in it")
    del proof.left[_MOST_TOLD:]


def _search_indexes(database: Database, indexes: dict[Path, VectorRows], kind: IndexKind, dimension: int, proof: Proof) -> None:
    """Every row that an index file holds must stand in the database."""
    for folder, rows in indexes.items():
        if not folder.is_dir() or not any(path.is_file() for path in folder.iterdir()):
            continue
        index = make_index(folder, kind, dimension)
        # As it lies there: nothing of it is compared with the database, which might have it built anew.
        index.open(lambda _row: REMOVED)
        with database.reading() as connection:
            removed, _ = rows.removals(connection, 0)
        left = index.remove(removed)
        if left:
            proof.left.append(f"{folder}: {left} vectors")
