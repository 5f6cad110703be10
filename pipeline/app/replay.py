"""`echoic replay`: a recording becomes a session of the memory. The same recording with the same array is the same session."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from pipeline.app import times
from pipeline.app.console import bar, say
from pipeline.app.failures import CallerError
from pipeline.app.graph_choice import choose_graph, for_writing, keep_first_graph, keep_graph, need_weights, source_of
from pipeline.app.hearing import stop_on_signals
from pipeline.app.memory_directory import MemoryDirectory, directory_to_write
from pipeline.app.open_memory import live_memory, memory_to_read, started
from pipeline.app.replay_input import ReplayInput, find_input
from pipeline.app.session_ids import again_id, latest_of
from pipeline.app.session_run import Hearing, hear_recording, resume_point_s
from pipeline.build import build_resources
from pipeline.graph import Graph
from stages.memory.rows import SessionRow


@dataclass(frozen=True)
class ReplayOptions:
    """The options of `echoic replay`."""

    config: str | None = None
    array: str | None = None
    speed: float = 0.0
    copy: bool = True
    again: bool = False
    started_at: str | None = None


def replay_source(source: str, directory: Path, options: ReplayOptions) -> str:
    """Hear a recording; the session's id. Raises CallerError for what cannot be used, KeyboardInterrupt after Ctrl-C."""
    if not math.isfinite(options.speed):
        raise CallerError(f"--speed {options.speed}: give 0 (as fast as it can) or how many times as fast as real time")
    memory = directory_to_write(directory)
    found = find_input(source, options.array, options.started_at, memory)
    graph = choose_graph(options.config, memory)
    known = _known_sessions(memory, options.config)
    session = again_id(found.own_id, known) if options.again else latest_of(found.own_id, known)
    row = known.get(session)
    if row is not None and options.started_at and row.started_at != found.started_at:
        say(f"session {session} was begun before and keeps its start, {row.started_at.isoformat()}; --started-at changes nothing")
    if row is not None and row.complete:
        say(f"{source} is in the memory already, as session {session}; nothing to do (--again hears it anew)")
    elif not _hear(_hearing(found, session, source, memory, options, row), memory, graph, is_new=row is None):
        say(f"session {session} was cut short; the same command goes on from there")
        raise KeyboardInterrupt
    return session


def _known_sessions(memory: MemoryDirectory, config: str | None) -> dict[str, SessionRow]:
    if not memory.is_memory:
        return {}
    with memory_to_read(memory, None if memory.graph_file.is_file() else config) as long_term:
        return {row.id: row for row in long_term.sessions()}


def _hearing(
    found: ReplayInput, session: str, source: str, memory: MemoryDirectory, options: ReplayOptions, row: SessionRow | None
) -> Hearing:
    own = found.path.resolve() == memory.recording(found.own_id).resolve()
    if own and found.recorded is not None:
        if found.recorded.origin == "replay" and not found.recorded.complete:
            raise CallerError(
                f"{source}: this is a copy that was cut short at {times.duration(found.duration_s)}, so it cannot be heard to its end; "
                f"go on with its own source instead: echoic replay {found.recorded.source} --memory {memory.path}"
            )
        # What the daemon recorded is named by where it came from, not by where it lies.
        source = found.recorded.source
    return Hearing(
        session=session,
        source=source,
        path=found.path,
        array=found.array,
        array_setting=found.array_setting,
        content_sha256=found.content_sha256,
        started_at=row.started_at if row is not None else found.started_at,
        duration_s=found.duration_s,
        record_to=memory.recording(session) if options.copy else None,
        speed=options.speed,
    )


def _hear(hearing: Hearing, memory: MemoryDirectory, graph: Graph, *, is_new: bool) -> bool:
    graph, roles = for_writing(graph, memory, hearing.session)
    source_of(graph, roles)
    need_weights(graph)
    keep_first_graph(graph, memory, roles)
    shared = [name for name in graph.resources if name != roles.recording]
    with stop_on_signals() as stop, started(build_resources(graph, only=shared)) as resources:
        long_term = live_memory(resources, roles)
        keep_graph(graph, memory, roles)
        if not is_new:
            resumed_s = resume_point_s(long_term, hearing.session)
            say(f"session {hearing.session} was cut short; going on from {times.duration(resumed_s)}")
        with bar(f"replaying {hearing.path.name}", hearing.duration_s) as progress:
            return hear_recording(hearing, graph, roles, resources, long_term, stop, lambda done_s, _: progress.update(done_s))
