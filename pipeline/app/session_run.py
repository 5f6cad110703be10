"""A recording heard through the graph into a session of the memory: from its beginning, or from where that was cut short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.console import say
from pipeline.app.graph_choice import source_of
from pipeline.app.graph_roles import Roles, with_file, with_settings
from pipeline.app.heard import remarks
from pipeline.app.hearing import Stop, run_to_end
from pipeline.app.open_memory import started
from pipeline.build import build, build_resources
from pipeline.geometry import ArrayGeometry
from pipeline.graph import Graph
from pipeline.packets import Gap, nanoseconds, seconds
from pipeline.recorded import gap_at
from pipeline.retention import RETENTION, WARM_UP_S
from pipeline.runner import Runner
from pipeline.session import SessionReader, create_session
from pipeline.session_info import SessionInfo, has_session
from pipeline.stage import Resource
from stages.memory.rows import SessionRow

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

Progress = Callable[[float, float], None]
"""Told how many seconds of how many have been heard."""


@dataclass(frozen=True)
class Hearing:
    """One recording for one session.

    `path` is a sound file or a recorded session, `record_to` where it is copied to (None: nowhere). They are the same where a
    session's own recording is heard again.
    """

    session: str
    source: str
    path: Path
    array: ArrayGeometry
    array_setting: str
    content_sha256: str | None
    started_at: datetime
    duration_s: float
    record_to: Path | None
    speed: float = 0.0

    def row(self, graph: Graph) -> SessionRow:
        """The session's row in the memory as it begins."""
        return SessionRow(
            id=self.session,
            source=self.source,
            started_at=self.started_at,
            duration_ns=0,
            array=self.array.name,
            complete=False,
            graph=graph.to_yaml(),
        )


def hear_recording(
    hearing: Hearing, graph: Graph, roles: Roles, shared: dict[str, Resource], memory: LongTermMemory, stop: Stop, progress: Progress
) -> bool:
    """Run a recording through the graph; False when it was stopped before its end (the memory then knows where to go on).

    `shared` are the graph's started resources without its recording, `memory` one of them. Raises StageFailedError, and
    what the start of a stage raises.
    """
    start_s = resume_point_s(memory, hearing.session)
    left = _left(hearing.path) if not start_s else None
    if left is not None:
        start_s = seconds(left.end_ns)
    graph = _for_hearing(hearing, graph, roles, start_s)
    memory.begin_session(hearing.row(graph))
    if left is not None:
        memory.add_gap(hearing.session, left)
    if hearing.record_to is not None:
        create_session(hearing.record_to, _info(hearing))
    own = build_resources(graph, only=[roles.recording]) if roles.recording is not None else {}
    with started(own):
        runner = Runner(build(graph, {**shared, **own}), replay=True, own_resources=False)
        total_s = hearing.duration_s

        def tick() -> None:
            progress(min(seconds(runner.passed_ns), total_s) if total_s else seconds(runner.passed_ns), total_s)

        if not run_to_end(runner, stop, tick, flush=False):
            return False
        recording = own.get(roles.recording or "")
        heard_ns = getattr(recording, "duration_ns", 0) or nanoseconds(total_s)
    memory.finish_session(hearing.session, heard_ns)
    for remark in remarks(getattr(recording, "gaps", ()), len(memory.lines(hearing.session))):
        say(f"session {hearing.session}: {remark}")
    return True


def resume_point_s(memory: LongTermMemory, session: str) -> float:
    """Where a session's hearing goes on: a warm-up before what is stored already."""
    return max(0.0, seconds(memory.passed_ns(session)) - WARM_UP_S)


def _left(path: Path) -> Gap | None:
    """What has left of a recorded session that is heard anew: one gap, in place of one for each second of it."""
    if not has_session(path):
        return None
    with SessionReader(path) as reader:
        first_frame, rate = reader.first_frame, reader.info.sample_rate_hz
    return gap_at(0, first_frame, rate, RETENTION) if first_frame else None


def _for_hearing(hearing: Hearing, graph: Graph, roles: Roles, start_s: float) -> Graph:
    settings = {"path": str(hearing.path), "array": hearing.array_setting, "speed": hearing.speed, "start_s": start_s}
    graph = with_file(graph, source_of(graph, roles), roles.recording, settings)
    if roles.recording is None:
        return graph
    return with_settings(graph, {f"{roles.recording}.directory": str(hearing.record_to or "")})


def _info(hearing: Hearing) -> SessionInfo:
    return SessionInfo(
        id=hearing.session,
        source=hearing.source,
        array=hearing.array,
        started_at=hearing.started_at,
        content_sha256=hearing.content_sha256,
    )
