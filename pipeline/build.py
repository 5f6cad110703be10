"""A checked graph becomes objects: resources first, then stages, each given the resources it names. Nothing is started."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.graph import Graph, Node
from pipeline.placement import check_budget, resolve_device
from pipeline.stage import Resource, Stage


@dataclass(frozen=True)
class Build:
    """The objects of one graph, by name."""

    graph: Graph
    resources: dict[str, Resource]
    stages: dict[str, Stage]

    def check_memory(self) -> None:
        """Compare the declared needs with the devices. Raises PlacementError."""
        everything: dict[str, Any] = {**self.resources, **self.stages}
        nodes = {**self.graph.resources, **self.graph.nodes}
        check_budget({name: (_device(nodes[name]), thing.memory_bytes()) for name, thing in everything.items()})


def build_resources(graph: Graph, only: Iterable[str] | None = None) -> dict[str, Resource]:
    """Make the resources (or only some, and what these need), in order. Raises what their `__init__` raises."""
    wanted = set(graph.resources if only is None else only)
    for name in reversed(list(graph.resources)):
        if name in wanted:
            wanted.update(needs(graph.resources[name]))
    made: dict[str, Resource] = {}
    for name, node in graph.resources.items():
        if name in wanted:
            made[name] = node.cls(**_arguments(node, made))
    return made


def build(graph: Graph, resources: dict[str, Resource] | None = None) -> Build:
    """Make every object of the graph; resources that exist already may be passed in."""
    made = build_resources(graph) if resources is None else resources
    stages = {name: node.cls(**_arguments(node, made)) for name, node in graph.nodes.items()}
    return Build(graph, made, stages)


def needs(node: Node) -> list[str]:
    """The names of the resources that a node asks for."""
    return [node.settings[key] for key, setting in node.definition.settings.items() if setting.resource and node.settings.get(key)]


def _device(node: Node) -> str:
    return resolve_device(str(node.settings.get("device", "cpu")))


def _arguments(node: Node, resources: dict[str, Resource]) -> dict[str, Any]:
    arguments = dict(node.settings)
    for name in node.definition.settings:
        if node.definition.settings[name].resource is not None and arguments.get(name) is not None:
            arguments[name] = resources[arguments[name]]
    if "device" in arguments:
        arguments["device"] = _device(node)
    return arguments
