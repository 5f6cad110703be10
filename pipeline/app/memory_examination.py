"""A memory examined for `echoic doctor`: its invariants, and its stores against their bounds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.app.console import result
from pipeline.app.daemon_file import running_daemon
from pipeline.app.graph_choice import choose_graph, for_reading, for_writing
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import live_memory, started
from pipeline.build import build_resources
from pipeline.geometry import GeometryError, load_array
from pipeline.graph import Graph

if TYPE_CHECKING:
    from stages.memory.examining.examination import Examination

_MOST_OFTEN = 8
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class MemoryReport:
    """What was found in a memory; `notes` are strange and no faults.

    `only_read` says why nothing could be repaired, "" where everything derived was.
    """

    faults: tuple[str, ...]
    repairs: tuple[str, ...]
    stores: tuple[dict[str, Any], ...]
    only_read: str
    notes: tuple[str, ...] = ()

    @property
    def over(self) -> list[str]:
        """The stores that take more than they may."""
        return [str(store["store"]) for store in self.stores if store["over"]]

    @property
    def is_whole(self) -> bool:
        """Whether every invariant holds and every bound is kept."""
        return not self.faults and not self.over

    def to_json(self) -> dict[str, Any]:
        """The form of `doctor --json`."""
        return {
            "whole": self.is_whole,
            "faults": list(self.faults),
            "repairs": list(self.repairs),
            "notes": list(self.notes),
            "only_read": self.only_read or None,
            "stores": list(self.stores),
        }


def examine_memory(directory: MemoryDirectory, config: str | None) -> MemoryReport:
    """Check a memory. What is derived is repaired, unless another process writes to it or nothing may be written there."""
    from stages.memory.memory_errors import MemoryInUse

    if not directory.is_memory:
        return MemoryReport((), (), (), "")
    graph = choose_graph(config, directory, reading=True)
    daemon = running_daemon(directory)
    only_read = f"process {daemon.pid} listens and writes to it" if daemon is not None else ""
    if not only_read and not os.access(directory.path, os.W_OK):
        only_read = "nothing may be written there"
    if not only_read:
        try:
            return _report(_examination(*for_writing(graph, directory, "", record=False)), graph, "")
        except MemoryInUse:
            only_read = "another process writes to it"
    return _report(_examination(*for_reading(graph, directory)), graph, only_read)


def print_report(report: MemoryReport, memory: str) -> None:
    """For people: whole or not, what was found, what was repaired, and use against bounds."""
    told = "whole" if report.is_whole else f"{len(report.faults)} faults, {len(report.over)} bounds broken"
    result(f"memory      {memory}: {told}")
    for fault in report.faults:
        result(f"            {fault}")
    for repair in report.repairs:
        result(f"            repaired: {repair}")
    for note in report.notes:
        result(f"            no fault: {note}")
    if report.only_read:
        result(f"            {report.only_read}, so it was only read and nothing was repaired")
    for store in report.stores:
        used = "-" if store["used_bytes"] is None else amount(store["used_bytes"])
        bound = f"of {amount(store['bound_bytes'])}" if store["bound_bytes"] else "no bound"
        mark = "  OVER ITS BOUND" if store["over"] else ""
        result(f"  {store['store']:<12}{store['where']:<6}{used:>10} {bound}{mark}")


def amount(n_bytes: int) -> str:
    """Bytes for people, in steps of a thousand."""
    value, unit = float(n_bytes), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def _examination(graph: Graph, roles: Any) -> Examination:
    with started(build_resources(graph, only=[roles.memory])) as resources:
        return live_memory(resources, roles).examine()


def _report(found: Examination, graph: Graph, only_read: str) -> MemoryReport:
    rows = [
        {"store": row.store, "where": row.where, "used_bytes": row.used_bytes, "bound_bytes": row.bound_bytes, "over": row.is_over}
        for row in found.stores
    ]
    return MemoryReport(found.faults, found.repairs, (*rows, *_declared(graph)), only_read, found.notes)


def _declared(graph: Graph) -> list[dict[str, Any]]:
    """The stores that live in RAM only while a graph runs: what it declares for them."""
    from stages.capture.recording import Recording
    from stages.memory.remember import Remember

    rings = [
        Recording(ring_s=graph.resources[name].settings["ring_s"]).ring_bytes(_n_channels(graph)) for name in graph.stages_of(Recording)
    ]
    traces = [graph.nodes[name].settings["short_term_bytes"] for name in graph.stages_of(Remember)]
    declared = [("sensory", n_bytes) for n_bytes in rings] + [("short_term", n_bytes) for n_bytes in traces]
    return [{"store": store, "where": "ram", "used_bytes": None, "bound_bytes": n_bytes, "over": False} for store, n_bytes in declared]


def _n_channels(graph: Graph) -> int:
    """How many channels the graph's source records; eight where its array is only known once there is something to hear."""
    names = [graph.nodes[name].settings.get("array") for name in graph.sources()]
    try:
        return load_array(str(names[0])).n_channels if names and names[0] else _MOST_OFTEN
    except GeometryError:
        return _MOST_OFTEN
