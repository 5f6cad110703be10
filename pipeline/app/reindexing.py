"""`echoic reindex`: a memory encoded anew for the encoder of another config."""

from __future__ import annotations

from pathlib import Path

from pipeline.app.console import bar, say
from pipeline.app.failures import CallerError
from pipeline.app.graph_choice import choose_graph, for_writing, keep_graph, need_weights
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import started
from pipeline.build import build_resources


def reindex(directory: Path, config: str | None) -> None:
    """Encode every line and event with the encoder of a config. Raises CallerError, and what the memory raises."""
    from stages.memory.long_term_memory import LongTermMemory
    from stages.memory.vectors.reencoding import reencode

    memory = directory_to_read(directory)
    if not memory.is_memory:
        raise CallerError(f"--memory {directory}: nothing was heard in it yet, so there is nothing to encode anew")
    graph, roles = for_writing(choose_graph(config, memory), memory, "", record=False)
    need_weights(graph)
    resources = build_resources(graph, only=[roles.memory])
    long_term = resources.pop(roles.memory)
    if not isinstance(long_term, LongTermMemory):
        raise CallerError(f"{graph.where}: {roles.memory} is a {type(long_term).__name__}, but a LongTermMemory is needed")
    # The memory itself is not started: it would refuse the new encoder.
    with started(resources), bar(f"encoding {directory}", 0, "lines") as progress:
        report = reencode(directory, long_term.encoder, long_term.index, lambda done, total: progress.update(done, f"of {total}"))
    if config is not None:
        keep_graph(graph, memory, roles, anew=True)
    if report is None:
        say(f"{directory} has the vectors of {long_term.encoder.name!r} already; nothing to do")
    else:
        say(f"{directory}: {report.n_lines} lines and {report.n_events} events now have the vectors of {long_term.encoder.name!r}")
