"""One live session: begun on disk and in the memory, heard through the graph, and closed with everything heard in it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from pipeline.app import times
from pipeline.app.console import say
from pipeline.app.failures import CallerError
from pipeline.app.graph_roles import Roles, with_settings
from pipeline.app.health import STOPPING, Health
from pipeline.app.hearing import Stop, run_to_end
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import started
from pipeline.app.session_ids import new_live_id
from pipeline.build import build, build_resources
from pipeline.geometry import ArrayGeometry, load_array
from pipeline.graph import Graph
from pipeline.runner import Runner, StageFailedError
from pipeline.session import create_session
from pipeline.session_info import SessionInfo
from pipeline.stage import Resource
from stages.memory.rows import SessionRow

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory


def live_array(graph: Graph, roles: Roles) -> ArrayGeometry:
    """The array of the graph's source. Raises CallerError, GeometryError."""
    if roles.source is None or roles.recording is None:
        raise CallerError(
            f"{graph.where}: found the sources {', '.join(graph.sources())} and {'no' if roles.recording is None else 'a'} recording; "
            "a live graph needs one source of sound, and under resources: recording: {use: stages.capture.recording.Recording}"
        )
    name = graph.nodes[roles.source].settings.get("array")
    if not isinstance(name, str) or not name:
        raise CallerError(f"{graph.where}: {roles.source} needs the setting array, the name of a shipped array or a .yaml file")
    return load_array(name)


def listen_live(
    directory: MemoryDirectory, graph: Graph, roles: Roles, shared: dict[str, Resource], memory: LongTermMemory, stop: Stop, health: Health
) -> str:
    """Hear the source until it ends or a stop is asked for; the session's id.

    Raises StageFailedError, and what a start raised. A session in which nothing was recorded is not kept, and then what the
    source failed with is raised as it is: there is nothing that the same command could go on with.
    """
    array = live_array(graph, roles)
    began = times.now()
    session = new_live_id(began, {row.id for row in memory.sessions()} | {path.name for path in directory.recordings()})
    folder = directory.recording(session)
    graph = with_settings(graph, {f"{roles.recording}.directory": str(folder)})
    node = graph.nodes[str(roles.source)]
    source = str(node.settings.get("pipeline") or node.settings.get("path") or node.cls.__name__)
    create_session(folder, SessionInfo(id=session, source=source, array=array, started_at=began, origin="live"))
    memory.begin_session(SessionRow(session, source, began, 0, array.name, False, graph.to_yaml()))
    own = build_resources(graph, only=[str(roles.recording)])
    try:
        duration_ns = _listen(session, graph, roles, {**shared, **own}, own, memory, stop, health)
    except BaseException as error:
        if getattr(own[str(roles.recording)], "duration_ns", 0) == 0:
            _forget(session, directory, memory)
            if isinstance(error, StageFailedError):
                raise error.cause from error
        raise
    memory.finish_session(session, duration_ns)
    say(f"session {session}: {times.duration(duration_ns / 1e9)} heard, all of it in the memory")
    return session


def _listen(
    session: str,
    graph: Graph,
    roles: Roles,
    resources: dict[str, Resource],
    own: dict[str, Resource],
    memory: LongTermMemory,
    stop: Stop,
    health: Health,
) -> int:
    """Run the graph until its end; how long the recording is, in nanoseconds."""
    with started(own):
        recording: Any = own[str(roles.recording)]
        runner = Runner(build(graph, resources), replay=False, metrics=health.metrics, own_resources=False)
        is_set = False

        def tick() -> None:
            nonlocal is_set
            if not is_set and recording.duration_ns > 0:
                is_set = True
                # The models were loading until now: the session began when its first sample came.
                start = recording.info.started_at
                memory.correct_start(session, start)
                health.listens_to(session, start, runner, recording)
                say(f"session {session}: listening")
            health.tick()
            if stop.asked:
                health.is_now(STOPPING)

        run_to_end(runner, stop, tick, flush=True)
        return int(recording.duration_ns)


def _forget(session: str, directory: MemoryDirectory, memory: LongTermMemory) -> None:
    """Leave nothing of a session in which nothing was recorded."""
    memory.drop_empty_session(session)
    shutil.rmtree(directory.recording(session), ignore_errors=True)
