"""Which node of a graph plays which part: found by classes and ports, never by the names that a YAML gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.app.failures import CallerError
from pipeline.definition import find_class
from pipeline.graph import Graph, Node
from pipeline.packets import BeamBlock, SpeechBlock, Transcript, Utterance

FILE_SOURCE = "stages.capture.file_source.FileSource"


@dataclass(frozen=True)
class Roles:
    """The names of the nodes that the app itself speaks to. `recording` and `recogniser` may be missing."""

    memory: str
    recall: str | None
    recording: str | None
    source: str | None
    recogniser: str | None
    vad: str | None


def roles_of(graph: Graph) -> Roles:
    """Find the parts in a graph. Raises CallerError where there is no memory, or more than one."""
    from stages.capture.recording import Recording
    from stages.memory.long_term_memory import LongTermMemory
    from stages.recall.recall import Recall
    from stages.speech.wordless import Wordless

    memories = graph.stages_of(LongTermMemory)
    if len(memories) != 1:
        raise CallerError(
            f"{graph.where}: found {len(memories)} long-term memories{_list(memories)}; "
            "a graph needs exactly one under resources:, "
            "such as memory: {use: stages.memory.long_term_memory.LongTermMemory, encoder: encoder}"
        )
    sources = graph.sources()
    return Roles(
        memory=memories[0],
        recall=_first(graph.stages_of(Recall)),
        recording=_first(graph.stages_of(Recording)),
        source=sources[0] if len(sources) == 1 else None,
        recogniser=_first(name for name, node in graph.nodes.items() if _carries(node, Utterance, Transcript) and node.cls is not Wordless),
        vad=_first(name for name, node in graph.nodes.items() if _carries(node, BeamBlock, SpeechBlock)),
    )


def with_settings(graph: Graph, settings: Mapping[str, Any]) -> Graph:
    """The graph with some settings changed, by dotted name ("memory.directory").

    The values are the app's own, so they are not checked again.
    """
    nodes, resources = dict(graph.nodes), dict(graph.resources)
    for dotted, value in settings.items():
        name, _, setting = dotted.partition(".")
        holder = resources if name in resources else nodes
        holder[name] = replace(holder[name], settings={**holder[name].settings, setting: value})
    return replace(graph, nodes=nodes, resources=resources)


def with_file(graph: Graph, source: str, recording: str | None, settings: Mapping[str, Any]) -> Graph:
    """The graph with a file in the place of its source, whatever that was: the same graph runs live and over a recording."""
    from pipeline.stage import Stage

    definition = find_class(FILE_SOURCE, Stage, ("stages",))
    if graph.nodes[source].definition.path == FILE_SOURCE:
        return with_settings(graph, {f"{source}.{name}": value for name, value in settings.items()})
    defaults = {name: setting.default for name, setting in definition.settings.items() if setting.resource is None and not setting.required}
    node = Node(source, definition, {**defaults, "recording": recording, **settings})
    return replace(graph, nodes={name: node if name == source else other for name, other in graph.nodes.items()})


def _carries(node: Node, taken: type[Any], given: type[Any]) -> bool:
    inputs = {port.packet for port in node.cls.inputs.values()}
    outputs = {port.packet for port in node.cls.outputs.values()}
    return inputs == {taken} and given in outputs


def _first(names: Any) -> str | None:
    return next(iter(names), None)


def _list(names: list[str]) -> str:
    return f" ({', '.join(names)})" if names else ""
