"""Erasing: what is selected leaves every table, index and file of a memory, and a search proves that it has."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.packets import NS_PER_S
from stages.memory.erasing import erasure_files, erasure_plan, erasure_rows
from stages.memory.erasing.erasure_plan import Plan, Selection
from stages.memory.erasing.erasure_proof import Proof, Traces, prove, traces_of
from stages.memory.forgetting import recall_spool
from stages.memory.granules.granule_keys import KeyRows
from stages.memory.memory_errors import MemoryError_
from stages.memory.tables.database import Database, translated

if TYPE_CHECKING:
    from stages.memory.granules.granule_store import GranuleStore
    from stages.memory.vectors.line_index import LineIndex

_log = logging.getLogger("echoic.memory")
STEPS = ("noted", "rows", "recordings", "audio", "clips", "index", "database", "proof")
"""What an erasure does, in this order. Killed anywhere, it is finished by the next opening for writing."""


@dataclass(frozen=True)
class Preview:
    """What would go: sessions that go wholly, lines, seconds of sound, people who go, and the first lines of all."""

    plan: Plan
    n_lines: int
    n_sounds: int
    seconds: float
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Erased:
    """What was erased: rows by table, files by kind, seconds of sound, how many bytes smaller the memory is; and the proof."""

    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    recorded_s: float = 0.0
    n_bytes: int = 0
    proof: Proof = field(default_factory=Proof)


class Erasures:
    """The part of a long-term memory that erases; `LongTermMemory.erasures` is one.

    What is to go is written down first, as rows and spans, so that an erasure that was cut short is finished later.
    """

    def __init__(self, database: Database, root: Path | None, lines: Callable[[], LineIndex], granules: GranuleStore) -> None:
        self._database = database
        self._root = root
        self._lines = lines
        self._granules = granules

    def preview(self, selection: Selection) -> Preview:
        """What a selection means; nothing is changed."""
        with self._database.reading() as connection:
            plan = erasure_plan.resolve(connection, self._root, selection)
            n_lines = len(plan.lines)
            examples = [row[0] for n in plan.lines[:3] for row in connection.execute("SELECT text FROM lines WHERE n = ?", (n,))]
            n_sounds = 0
            for session in plan.sessions:
                n_lines += connection.execute("SELECT count(*) FROM lines WHERE session = ?", (session,)).fetchone()[0]
            for session, spans in plan.spans.items():
                where = "SELECT count(*) FROM sounds WHERE session = ? AND start_ns < ? AND end_ns > ?"
                n_sounds += sum(connection.execute(where, (session, end, start)).fetchone()[0] for start, end in spans)
        return Preview(plan, n_lines, n_sounds, round(plan.duration_ns / NS_PER_S, 3), tuple(examples))

    def erase(self, plan: Plan, told: Callable[[str], None] = lambda _step: None) -> Erased:
        """Erase a plan of `preview` and prove it; `told` hears each of `STEPS` as it begins.

        Raises what the disk and the database raise; the erasure is then finished by the next one, or when the memory is next opened
        for writing. The database is written anew, which takes as much room again as it has.
        """
        with self._database.reading() as connection:
            traces = traces_of(connection, plan)
        if not plan.is_empty:
            told("noted")
            with self._database.writing() as connection:
                connection.execute("INSERT INTO erasures (plan) VALUES (?)", (plan.to_json(),))
        erased = self._finish(traces, told)
        return erased if erased is not None else Erased()

    def finish(self, told: Callable[[str], None] = lambda _step: None) -> Erased | None:
        """Finish what was cut short; None where there is nothing."""
        with self._database.reading() as connection:
            if connection.execute("SELECT 1 FROM erasures LIMIT 1").fetchone() is None:
                return None
        erased = self._finish(Traces(), told)
        _log.info("memory %s: an erasure that was cut short has been finished", self._database.where)
        if erased is not None and not erased.proof.holds:
            _log.warning("memory %s: of what was to be erased something is left: %s", self._database.where, "; ".join(erased.proof.left))
        return erased

    def _finish(self, traces: Traces, told: Callable[[str], None]) -> Erased | None:
        with self._database.reading() as connection:
            noted = connection.execute("SELECT n, plan FROM erasures ORDER BY n").fetchall()
        if not noted:
            return None
        before = _bytes_of(self._root)
        plans = [Plan.from_json(text) for _, text in noted]
        rows: dict[str, int] = {}
        files: dict[str, int] = {}
        recorded_ns = 0
        for plan in plans:
            told("rows")
            with self._database.writing() as connection:
                connection.execute("PRAGMA secure_delete = ON")
                for table, count in erasure_rows.erase(connection, plan, self._lines().dimension).items():
                    rows[table] = rows.get(table, 0) + count
            if self._root is None:
                continue
            with translated(str(self._root)):
                told("recordings")
                recorded_ns += erasure_files.erase_recordings(self._root, plan)
                told("audio")
                files["lines"] = files.get("lines", 0) + erasure_files.erase_line_audio(self._database, self._root, plan)
                told("clips")
                files["clips"] = files.get("clips", 0) + erasure_files.erase_clips(self._database, self._root, plan)
                files["second looks"] = files.get("second looks", 0) + erasure_files.erase_second_looks(self._database, self._root, plan)
                recall_spool.drop(self._root)
        told("index")
        self._purge()
        told("database")
        self._database.rewrite()
        told("proof")
        proof = self._proof(plans, traces)
        if proof.holds:
            with self._database.writing() as connection:
                connection.executemany("DELETE FROM erasures WHERE n = ?", [(number,) for number, _ in noted])
            self._database.empty_log()
        after = _bytes_of(self._root)
        return Erased(rows, {kind: n for kind, n in files.items() if n}, round(recorded_ns / NS_PER_S, 3), max(0, before - after), proof)

    def _purge(self) -> None:
        """Take the vectors out of the indexes and write their files anew without them."""
        index = self._lines()
        if self._root is not None:
            with translated(str(self._root)):
                for path in erasure_files.strange_index_files(self._root, index.kind):
                    path.unlink()
        index.purge()
        self._granules.purge()

    def _proof(self, plans: list[Plan], traces: Traces) -> Proof:
        index = self._lines()
        folder = index.folder
        indexes = {folder: index.rows} if folder is not None else {}
        if folder is not None and folder.is_dir():
            indexes.update({path: KeyRows(path.name, index.dimension) for path in sorted(folder.iterdir()) if path.is_dir()})
        found: Proof | None = None
        for place, plan in enumerate(plans):
            last = place == len(plans) - 1
            proof = prove(self._database, self._root, plan, traces if last else Traces(), indexes, index.kind, index.dimension)
            proof.left[:0] = found.left if found is not None else []
            found = proof
        if found is None:
            raise MemoryError_(f"memory {self._database.where}: there is no erasure to prove")
        return found


def _bytes_of(root: Path | None) -> int:
    if root is None:
        return 0
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())
