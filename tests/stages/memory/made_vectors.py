"""A memory of lines with given vectors, for the tests of how these age; run as a program it recompresses them until it is killed."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.forgetting.vector_ageing import AgeVectors
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow
from stages.memory.tables.row_writer import utc_ns
from stages.memory.vectors.vector_codec import Rounded
from stages.memory.vectors.vector_index import IndexKind
from tests.stages.memory.made import ENCODER, STARTED_AT

DAY_NS = 86_400 * NS_PER_S
BEGAN_NS = utc_ns(STARTED_AT)
LATER_NS = BEGAN_NS + 60 * DAY_NS


def clustered(count: int, seed: int = 0, dimension: int = 384, n_centres: int = 40, spread: float = 0.9) -> Float32Array:
    """Unit vectors around random centres, float32, shape (count, dimension)."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((n_centres, dimension))
    vectors = centres[generator.integers(n_centres, size=count)] + spread * generator.standard_normal((count, dimension))
    unit: Float32Array = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def opened(directory: Path | str = "", index: IndexKind = "flat", *, read_only: bool = False) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory) if directory else "", index=index, read_only=read_only)
    memory.start()
    return memory


def add(memory: LongTermMemory, vectors: Float32Array, session: str = "s1", started_at: datetime = STARTED_AT) -> list[str]:
    """A session with a line for each vector, one a second, each with a word of its own; their ids."""
    memory.begin_session(SessionRow(session, "x", started_at, 0, "mono", complete=False))
    rows = [
        LineRow(
            id=f"{session}-t1-{place:08d}",
            session=session,
            track="t1",
            start_ns=place * NS_PER_S,
            end_ns=(place + 1) * NS_PER_S,
            azimuth_deg=None,
            elevation_deg=None,
            speaker=None,
            text=f"we said {session}word{place} today",
            words=(),
            confidence=1.0,
            language="en",
        )
        for place in range(len(vectors))
    ]
    memory.add_rows(session, rows, vectors, len(vectors) * NS_PER_S)
    return [row.id for row in rows]


def age(memory: LongTermMemory, step: AgeVectors | None = None, at_ns: int = LATER_NS, limit: int = 256) -> int:
    """Let a step do all of its work; how much that was."""
    done = 0
    while n_done := (step or AgeVectors()).work(memory, at_ns, limit):
        done += n_done
    return done


def stored(memory: LongTermMemory) -> list[tuple[int, bytes, int, int | None]]:
    """Row number, blob, format and checksum of every line that has a vector."""
    query = """
        SELECT l.n, v.vector, l.vector_format, c.vector FROM lines l JOIN vectors v ON v.n = l.n
        LEFT JOIN line_checksums c ON c.n = l.n ORDER BY l.n
    """
    with memory.findings.database.reading() as connection:
        return connection.execute(query).fetchall()


def exactly(vectors: Float32Array) -> Rounded:
    """Vectors that nothing has rounded."""
    nothing = np.zeros(len(vectors), dtype=np.float32)
    return Rounded(vectors, nothing, nothing)


if __name__ == "__main__":
    killed = opened(sys.argv[1])
    sys.stdout.write("at work\n")
    sys.stdout.flush()
    age(killed, limit=1)
    killed.stop()
