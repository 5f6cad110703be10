"""After a crash: live sessions that were cut short are made whole, and what the memory had not heard yet is heard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.graph_roles import Roles
from pipeline.app.hearing import Stop
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.session_run import Hearing, Progress, hear_recording
from pipeline.graph import Graph
from pipeline.session import SessionReader, recover
from pipeline.session_info import SessionError, load_info
from pipeline.stage import Resource

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory


def unfinished(directory: MemoryDirectory, memory: LongTermMemory) -> list[Path]:
    """The recordings of live sessions that the memory has not heard to their end, oldest first.

    A replay that was cut short, of a file or of a recorded session, is not among them: its copy ends where it was cut, and only
    the same `echoic replay` can go on with it.
    """
    complete = {row.id for row in memory.sessions() if row.complete}
    return [path for path in directory.recordings() if path.name not in complete and _is_live(path)]


def recover_session(
    recording: Path,
    graph: Graph,
    roles: Roles,
    shared: dict[str, Resource],
    memory: LongTermMemory,
    stop: Stop,
    progress: Progress,
    say: Callable[[str], None],
) -> bool:
    """Make one recording whole and hear what is missing; False when it was stopped before its end."""
    recover(recording)
    with SessionReader(recording) as reader:
        info, duration_ns = reader.info, reader.duration_ns
    stored_s = memory.passed_ns(info.id) / 1e9
    say(f"session {info.id} was cut short at {duration_ns / 1e9:.1f} s; hearing it from {stored_s:.1f} s on")
    hearing = Hearing(
        session=info.id,
        source=info.source,
        path=recording,
        array=info.array,
        array_setting="",
        content_sha256=None,
        started_at=info.started_at,
        duration_s=duration_ns / 1e9,
        record_to=recording,
    )
    if duration_ns > 0:
        return hear_recording(hearing, graph, roles, shared, memory, stop, progress)
    memory.begin_session(hearing.row(graph))
    memory.finish_session(info.id, 0)
    return True


def _is_live(recording: Path) -> bool:
    try:
        return load_info(recording).origin == "live"
    except SessionError:
        return False
