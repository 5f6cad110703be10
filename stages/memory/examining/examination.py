"""A memory examined: its tables, its files, its index and its bounds, and what could be put in order."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from stages.memory.disk.space import Space, StoreUse
from stages.memory.examining.file_checks import FileChecks
from stages.memory.examining.integrity import Integrity, told
from stages.memory.forgetting.question_contexts import QuestionContexts
from stages.memory.tables import line_checksums
from stages.memory.tables.database import Database
from stages.memory.vectors.line_index import LineIndex

_log = logging.getLogger("echoic.memory")


@dataclass(frozen=True)
class Examination:
    """What an examination found.

    `faults` are broken invariants in words, none where the memory is whole; `repairs` were broken and are derived, so they were made
    anew; `stores` show use against bounds; `notes` are strange and no faults. A reader repairs nothing (`may_repair` False): what it
    could is among the faults.
    """

    faults: tuple[str, ...]
    repairs: tuple[str, ...]
    stores: tuple[StoreUse, ...]
    may_repair: bool
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every invariant holds and every bound is kept."""
        return not self.faults and not any(store.is_over for store in self.stores)


def examine(database: Database, root: Path | None, index: LineIndex, dimension: int, space: Space) -> Examination:
    """Check everything; repair what is derived where the memory is open for writing.

    A million lines take about a minute, and RAM for one session's file names. Raises MemoryDamaged where the database cannot be read.
    """
    may_repair = not database.read_only
    tables = Integrity(database, dimension, may_repair=may_repair)
    tables.check()
    faults, repairs, notes = tables.faults, tables.repairs, []
    n_wrong = index.check()
    if n_wrong:
        repairs.append(f"{n_wrong} rows of the vector index differed from the database: it was built anew")
    if root is not None:
        files = FileChecks(database, root, may_repair=may_repair)
        files.check()
        faults += files.faults
        repairs += files.repairs
        notes = files.notes
        contexts = QuestionContexts(root)
        if (fault := contexts.fault()) is not None:
            notes.append(f"{fault}; it goes with the next answer")
    with database.reading() as connection:
        changed = [told("lines that no longer read as they were stored", line_checksums.damaged_words(connection))]
        changed.append(told("vectors that are no longer as they were stored", line_checksums.damaged_vectors(connection)))
        if root is not None:
            changed.append(told("audio files that are no longer as they were written", line_checksums.damaged_audio(connection, root)))
    faults += [line for line in changed if line]
    if may_repair:
        index.save()
    for line in repairs:
        _log.info("memory %s: %s", database.where, line)
    space.used()
    return Examination(tuple(faults), tuple(repairs), tuple(space.figures()), may_repair, tuple(notes))
