"""A memory opened for a command: its resources built and started, and stopped at the end in every case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.app import times
from pipeline.app.failures import CallerError
from pipeline.app.graph_choice import choose_graph, for_reading
from pipeline.app.graph_roles import Roles
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.build import build_resources
from pipeline.graph import Graph, suggestion
from pipeline.stage import Resource

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory
    from stages.recall.recall import Recall


@contextmanager
def started(resources: dict[str, Resource]) -> Iterator[dict[str, Resource]]:
    """Resources started in their order, and stopped in the other order."""
    with ExitStack() as stack:
        for resource in resources.values():
            stack.callback(resource.stop)
            resource.start()
        yield resources


@contextmanager
def memory_to_read(memory: MemoryDirectory, config: str | None = None) -> Iterator[LongTermMemory]:
    """The long-term memory alone, for listing; no model is loaded."""
    graph, roles = for_reading(choose_graph(config, memory, reading=True), memory)
    opened = live_memory(build_resources(graph, only=[roles.memory]), roles)
    try:
        opened.start()
        yield opened
    finally:
        opened.stop()


@contextmanager
def recall_to_ask(memory: MemoryDirectory, config: str | None = None) -> Iterator[tuple[Recall, LongTermMemory, Graph]]:
    """Recall with what it needs (encoder, memory, answerer) and nothing of the stages: they are never built."""
    graph, roles = for_reading(choose_graph(config, memory, reading=True), memory)
    if roles.recall is None:
        raise CallerError(f"{graph.where}: there is no recall under resources:, so nothing can be asked; see configs/replay.yaml for one")
    with started(build_resources(graph, only=[roles.recall, roles.memory])) as resources:
        yield live_recall(resources, roles.recall), live_memory(resources, roles), graph


def live_memory(resources: dict[str, Resource], roles: Roles) -> LongTermMemory:
    """The memory among a graph's resources. Raises CallerError where it is another thing."""
    from stages.memory.long_term_memory import LongTermMemory

    found = resources[roles.memory]
    if not isinstance(found, LongTermMemory):
        raise _another(roles.memory, found, "LongTermMemory")
    return found


def live_recall(resources: dict[str, Resource], name: str) -> Recall:
    """The recall of that name among a graph's resources. Raises CallerError where it is another thing."""
    from stages.recall.recall import Recall

    found = resources[name]
    if not isinstance(found, Recall):
        raise _another(name, found, "Recall")
    return found


def known_session(memory: LongTermMemory, session: str) -> str:
    """The session's id, if the memory has it. Raises CallerError with what is near."""
    ids = [row.id for row in memory.sessions()]
    if session not in ids:
        has = suggestion(session, ids[-8:]) if ids else "; there are no sessions in it"
        raise CallerError(f"session {session!r} is not in this memory{has} (`echoic sessions` lists them)")
    return session


def moment_of(memory: LongTermMemory, at: str | None, session: str | None) -> datetime | None:
    """The moment that `--at` gives; `+SECONDS` counts from the start of a session (none given: of the latest). Raises CallerError."""
    return times.parse_moment(at, "--at", lambda: start_of(memory, session)) if at else None


def start_of(memory: LongTermMemory, session: str | None) -> datetime:
    """When a session (none given: the latest) began. Raises CallerError."""
    if session is not None:
        return memory.session_row(known_session(memory, session)).started_at
    rows = memory.sessions()
    if not rows:
        raise CallerError(
            "a time such as +12.5 counts from a session's start, but this memory has no session yet; give the time as ISO 8601"
        )
    return max(row.started_at for row in rows)


def _another(name: str, found: Resource, wanted: str) -> CallerError:
    return CallerError(f"resource {name} is a {type(found).__name__}, but a {wanted} is needed")
