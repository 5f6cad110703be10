"""`echoic check`: every mistake in a graph at once, and notes on what this machine lacks to run it."""

from __future__ import annotations

from typing import Any

from pipeline.app.console import result, say
from pipeline.app.graph_choice import missing_weights, said_of, strange_weights
from pipeline.build import needs
from pipeline.graph import Graph, GraphError, Node, load_graph
from pipeline.placement import PlacementError, resolve_device
from stages.capture.gst_pipeline import load_gst
from stages.capture.gst_source import GstSource
from stages.capture.source_info import SourceError


def check_config(config: str) -> None:
    """Check a graph as far as it can be without loading weights or opening devices. Raises GraphError with every mistake."""
    graph = load_graph(config)
    faults, notes = trial_build(graph)
    if faults:
        raise GraphError(faults)
    result(
        f"{graph.where}: no mistakes; {len(graph.nodes)} stages, {len(graph.resources)} resources, sources: {', '.join(graph.sources())}"
    )
    for note in notes + _weight_notes(graph, config):
        say(f"note: {note}")


def trial_build(graph: Graph) -> tuple[list[str], list[str]]:
    """Make every object once, opening nothing: what they refuse of their settings, and devices that this machine lacks."""
    faults: list[str] = []
    notes: list[str] = []
    resources: dict[str, Any] = {}
    for name, node in [*graph.resources.items(), *graph.nodes.items()]:
        if any(need not in resources for need in needs(node)):
            # A resource that it needs was refused, which has been told.
            continue
        try:
            made = node.cls(**_arguments(node, resources, name, notes))
            if isinstance(made, GstSource):
                _try_source(made, name, notes)
        except (ValueError, RuntimeError) as error:
            faults.append(f"{graph.where}: {name}: {error}")
            continue
        if name in graph.resources:
            resources[name] = made
    return faults, notes


def _try_source(source: GstSource, name: str, notes: list[str]) -> None:
    """Let GStreamer read the description, where it is installed; no device is opened. Raises SourceError, GeometryError."""
    try:
        load_gst(name)
    except SourceError as error:
        notes.append(str(error))
        return
    source.start()
    source.stop()


def _arguments(node: Node, resources: dict[str, Any], name: str, notes: list[str]) -> dict[str, Any]:
    arguments = dict(node.settings)
    named = needs(node)
    for key, setting in node.definition.settings.items():
        if setting.resource is not None and arguments.get(key) in named:
            arguments[key] = resources[arguments[key]]
    device = arguments.get("device")
    if isinstance(device, str):
        try:
            arguments["device"] = resolve_device(device)
        except PlacementError as error:
            # The settings are judged for the device that they are meant for.
            notes.append(f"{name}: {error}")
    return arguments


def _weight_notes(graph: Graph, config: str) -> list[str]:
    notes = []
    if lacking := missing_weights(graph):
        notes.append(f"weights are missing ({', '.join(lacking)}); `echoic models fetch --config {config}` gets them")
    if strange := strange_weights(graph):
        notes.append(said_of(strange))
    return notes
