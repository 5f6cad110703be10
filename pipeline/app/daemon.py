"""`echoic run`: listens, remembers, and answers while it does, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.console import bar, say
from pipeline.app.daemon_file import DaemonFile
from pipeline.app.graph_choice import for_writing, keep_first_graph, keep_graph, need_weights
from pipeline.app.graph_roles import Roles
from pipeline.app.health import RECOVERING, STARTING, Health
from pipeline.app.hearing import Stop, stop_on_signals
from pipeline.app.live_session import listen_live, live_array
from pipeline.app.memory_directory import MemoryDirectory, directory_to_write
from pipeline.app.open_memory import live_memory, live_recall, started
from pipeline.app.recovery import recover_session, unfinished
from pipeline.app.server import Desk, Server, listen, make_app
from pipeline.app.sleeping import Sleeping, sleeper_among, sleeper_of
from pipeline.build import build_resources
from pipeline.graph import Graph, load_graph
from pipeline.runner import StageFailedError
from pipeline.session_info import SessionError
from pipeline.stage import Resource
from stages.capture.source_info import SourceError

if TYPE_CHECKING:
    from pipeline.app.console import Bar
    from pipeline.app.session_run import Progress
    from stages.memory.long_term_memory import LongTermMemory


def run_daemon(config: str, directory: Path, host: str, port: int) -> None:
    """Run until the source ends or a signal comes. Raises CallerError, WorkError, StageFailedError, and what a start raises."""
    memory = directory_to_write(directory)
    graph, roles = for_writing(load_graph(config), memory, "")
    live_array(graph, roles)
    need_weights(graph)
    bound = listen(host, port)
    shared = [name for name in graph.resources if name != roles.recording]
    try:
        keep_first_graph(graph, memory, roles)
        with stop_on_signals() as stop, started(build_resources(graph, only=shared)) as resources:
            long_term = live_memory(resources, roles)
            keep_graph(graph, memory, roles)
            health = Health()
            long_term.space.used()
            health.watches(long_term.space.figures)
            sleeping = Sleeping(long_term, sleeper_among(resources, *sleeper_of(graph)))
            _prepare_answers(resources)
            recall = live_recall(resources, roles.recall) if roles.recall is not None else None
            desk = Desk(long_term, recall, health.report, health.metrics_text, sleeping.round)
            server = Server(make_app(desk, host), bound)
            announced = DaemonFile(os.getpid(), server.url)
            server.start()
            sleeping.start()
            announced.write(memory)
            say(f"answering on {server.url}; Ctrl-C ends it")
            try:
                if _recover(memory, graph, roles, resources, long_term, stop, health):
                    listen_live(memory, graph, roles, resources, long_term, stop, health)
            finally:
                sleeping.stop()
                announced.remove(memory)
                server.stop()
    finally:
        bound.close()


def _prepare_answers(resources: dict[str, Resource]) -> None:
    """Load language models before anything listens: loading one holds up all that goes on in this process."""
    from stages.answer.answerer import Answerer

    for resource in resources.values():
        if isinstance(resource, Answerer):
            resource.prepare()


def _recover(
    memory: MemoryDirectory,
    graph: Graph,
    roles: Roles,
    resources: dict[str, Resource],
    long_term: LongTermMemory,
    stop: Stop,
    health: Health,
) -> bool:
    """Hear what crashes have left; False when a stop was asked for before it was done."""
    for recording in unfinished(memory, long_term):
        health.is_now(RECOVERING)
        with bar(f"recovering {recording.name}", 0.0) as progress:
            try:
                if not recover_session(recording, graph, roles, resources, long_term, stop, _told(progress), say):
                    return False
            except (StageFailedError, SessionError, SourceError) as error:
                # What happens now matters more than what cannot be heard again; the recording stays.
                say(f"{error} `echoic replay {recording.name} --memory {memory.path}` tries again once the daemon has ended.")
    health.is_now(STARTING)
    return not stop.asked


def _told(progress: Bar) -> Progress:
    return lambda done_s, _: progress.update(done_s)
