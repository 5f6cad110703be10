"""A YAML file becomes a checked graph. Nothing is built or loaded here; every mistake is reported at once.

graph = load_graph("configs/replay.yaml", settings={"room.path": "room.flac"})
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources as package_files
from pathlib import Path
from typing import Any

import yaml

from pipeline.definition import Definition, DefinitionNotFoundError, find_class
from pipeline.stage import In, Resource, Source, Stage
from pipeline.strict_yaml import Document, read_yaml

WHEN_FULL = ("block", "drop_oldest", "drop_newest")
DEFAULT_QUEUE = 16


class GraphError(ValueError):
    """A graph's YAML has mistakes: all of them, one a line, with file and line number."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Edge:
    """Where an input gets its packets from, and what happens when they come faster than they are taken."""

    stage: str
    port: str
    queue: int = DEFAULT_QUEUE
    when_full: str = "block"


@dataclass(frozen=True)
class Node:
    """A stage or resource of the graph: its class, settings and (of a stage) its inputs."""

    name: str
    definition: Definition
    settings: dict[str, Any]
    edges: dict[str, Edge] = field(default_factory=dict)

    @property
    def cls(self) -> type[Any]:
        """The class that will be built."""
        return self.definition.cls

    def weights(self) -> list[str]:
        """The weight files and groups that its class declares; a setting with one of these as its default chooses another in its place.

        What is chosen may be the path of a file or folder of one's own.
        """
        chosen = [(setting.default, self.settings[key]) for key, setting in self.definition.settings.items() if key in self.settings]
        return [str(next((value for default, value in chosen if default == name), name)) for name in getattr(self.cls, "weights", ())]


@dataclass(frozen=True)
class Graph:
    """A checked graph. `nodes` and `resources` stand in an order in which each comes after what it needs."""

    where: str
    nodes: dict[str, Node]
    resources: dict[str, Node]
    extra_roots: tuple[str, ...] = ()

    def sources(self) -> list[str]:
        """The names of the stages without inputs."""
        return [name for name, node in self.nodes.items() if issubclass(node.cls, Source)]

    def stages_of(self, cls: type[Any]) -> list[str]:
        """The names of the stages and resources of a class."""
        return [name for name, node in {**self.resources, **self.nodes}.items() if issubclass(node.cls, cls)]

    def weights(self) -> list[str]:
        """The weight files and groups that the graph needs, and paths of one's own that it has in their place, each once."""
        return list(dict.fromkeys(name for node in [*self.resources.values(), *self.nodes.values()] for name in node.weights()))

    def to_yaml(self) -> str:
        """The resolved graph with every setting spelled out."""
        document: dict[str, Any] = {}
        if self.extra_roots:
            document["extra_roots"] = list(self.extra_roots)
        document["resources"] = {name: {"use": node.definition.path, **node.settings} for name, node in self.resources.items()}
        document["stages"] = {}
        for name, node in self.nodes.items():
            entry: dict[str, Any] = {"use": node.definition.path, **node.settings}
            if node.edges:
                entry["in"] = {
                    port: {"from": f"{edge.stage}.{edge.port}", "queue": edge.queue, "when_full": edge.when_full}
                    for port, edge in node.edges.items()
                }
            document["stages"][name] = entry
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def load_graph(
    source: str | Path, settings: Mapping[str, Any] | None = None, extra_roots: Iterable[str] = (), text: str | None = None
) -> Graph:
    """Read and check a graph from a file, a shipped name ("replay", "configs/replay.yaml") or from `text`.

    `settings` are overrides by dotted name ("room.path"). Classes come from `stages.` and from `extra_roots` (also those
    that the YAML names). Raises GraphError with every mistake.
    """
    where, body = (str(source), text) if text is not None else _read(source)
    document = read_yaml(body)
    return _Reader(where, document, dict(settings or {}), tuple(extra_roots)).graph()


def _read(source: str | Path) -> tuple[str, str]:
    path = Path(source)
    if path.is_file():
        try:
            return str(path), path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            found = f"byte {error.start} is {error.object[error.start]:#04x}"
            raise GraphError([f"{path}: this is no text in UTF-8 ({found}); a graph is a .yaml file in UTF-8"]) from error
        except OSError as error:
            raise GraphError([f"{path}: cannot be read ({error.strerror})"]) from error
    shipped = package_files.files("configs") / f"{path.stem}.yaml"
    if path.parent.name in {"", "configs"} and shipped.is_file():
        return f"configs/{path.stem}.yaml", shipped.read_text(encoding="utf-8")
    if path.is_dir():
        raise GraphError([f"{source}: this is a directory; give the path of a .yaml file"])
    names = sorted(entry.name for entry in package_files.files("configs").iterdir() if entry.name.endswith(".yaml"))
    raise GraphError([f"{source}: there is no such file; give the path of a .yaml file, or a shipped one: {', '.join(names)}"])


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """The end of a message: "; did you mean 'x'?" where something is near, else "; allowed are ..."."""
    names = list(allowed)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; allowed are {', '.join(names)}" if names else "; none are allowed here"


class _Reader:
    """One reading of one document; collects faults instead of raising at the first."""

    def __init__(self, where: str, document: Document, overrides: dict[str, Any], extra_roots: tuple[str, ...]) -> None:
        self.where = where
        self.document = document
        self.overrides = overrides
        self.extra_roots = extra_roots
        self.faults: list[tuple[int, str]] = list(document.faults)
        self.definitions: dict[str, Definition] = {}

    def fault(self, message: str, *path: str | int) -> None:
        self.faults.append((self.document.line(*path), message))

    def graph(self) -> Graph:
        data = self.document.data
        if not isinstance(data, dict):
            if not self.faults:
                self.fault("a graph is a mapping with 'stages:' (and 'resources:', 'extra_roots:')")
            data = {}
        for key in data:
            if key not in {"resources", "stages", "extra_roots"}:
                self.fault(f"{key!r} is not a part of a graph{suggestion(key, ['resources', 'stages', 'extra_roots'])}", key)
        self.extra_roots += self._roots(data)
        resources = self._section(data, "resources", Resource)
        stages = self._section(data, "stages", Stage)
        if isinstance(data.get("stages"), dict) and not stages and not self.faults:
            self.fault("there is no stage in this graph", "stages")
        if "stages" not in data and not self.faults:
            self.fault("'stages:' is missing: a graph needs at least a source")
        self._overrides(resources, stages)
        resource_nodes = {name: self._node("resources", name, entry, resources) for name, entry in resources.items()}
        nodes = {name: self._node("stages", name, entry, resources) for name, entry in stages.items()}
        self._connect(nodes, stages)
        if nodes and not self.faults and not any(issubclass(node.cls, Source) for node in nodes.values()):
            self.fault("no stage is a source, so nothing would ever flow", "stages")
        ordered_resources = self._ordered(resource_nodes, "resources", {n: self._resource_needs(v) for n, v in resource_nodes.items()})
        ordered = self._ordered(nodes, "stages", {n: [e.stage for e in v.edges.values()] for n, v in nodes.items()})
        if self.faults:
            raise GraphError([f"{self.where}:{line}: {message}" for line, message in sorted(dict.fromkeys(self.faults))])
        return Graph(self.where, ordered, ordered_resources, self.extra_roots)

    def _roots(self, data: dict[str, Any]) -> tuple[str, ...]:
        roots = data.get("extra_roots") or []
        if not isinstance(roots, list) or not all(isinstance(root, str) for root in roots):
            self.fault("extra_roots must be a list of package names", "extra_roots")
            return ()
        return tuple(roots)

    def _section(self, data: dict[str, Any], section: str, base: type[Any]) -> dict[str, dict[str, Any]]:
        entries = data.get(section)
        if entries is None:
            return {}
        if not isinstance(entries, dict):
            self.fault(f"{section}: must be a mapping of names to entries", section)
            return {}
        good: dict[str, dict[str, Any]] = {}
        for name, entry in entries.items():
            if not name.isidentifier():
                self.fault(f"{name!r} is no name: use letters, digits and _", section, name)
            if not isinstance(entry, dict) or not isinstance(entry.get("use"), str):
                self.fault(f"{name}: must be a mapping with 'use: package.module.Class'", section, name)
                continue
            try:
                self.definitions[name] = find_class(entry["use"], base, ("stages", *self.extra_roots))
            except DefinitionNotFoundError as error:
                self.fault(f"{name}: {error}", section, name, "use")
                continue
            good[name] = dict(entry)
        return good

    def _overrides(self, resources: dict[str, dict[str, Any]], stages: dict[str, dict[str, Any]]) -> None:
        for dotted, value in self.overrides.items():
            name, _, setting = dotted.partition(".")
            entry = resources.get(name, stages.get(name))
            if entry is None:
                if name not in self.definitions and not self.faults:
                    self.fault(f"the setting {dotted!r} was asked for, but the graph has no {name!r}")
            else:
                entry[setting] = value

    def _node(self, section: str, name: str, entry: dict[str, Any], resources: dict[str, dict[str, Any]]) -> Node:
        definition = self.definitions[name]
        given = {key: value for key, value in entry.items() if key not in {"use", "in"}}
        if section == "resources" and "in" in entry:
            self.fault(f"{name}: a resource has no inputs", section, name, "in")
        settings: dict[str, Any] = {}
        for key, value in given.items():
            setting = definition.settings.get(key)
            if setting is None:
                self.fault(
                    f"{name}: {definition.cls.__name__} has no setting {key!r}{suggestion(key, definition.settings)}", section, name, key
                )
            elif setting.resource is not None:
                settings[key] = value
                self._resource_setting(section, name, key, value, setting.resource, setting.optional, resources)
            else:
                settings[key], problem = setting.checked(value)
                if problem:
                    self.fault(f"{name}.{key}: {problem}", section, name, key)
        for key, setting in definition.settings.items():
            if setting.required and key not in given:
                kind = f"the name of a {setting.resource.__name__} under resources:" if setting.resource else setting.hint_text
                self.fault(f"{name}: {definition.cls.__name__} needs the setting {key!r} ({kind})", section, name)
            elif key not in settings and not setting.required and setting.resource is None:
                settings[key] = setting.default
        return Node(name, definition, settings)

    def _resource_setting(
        self, section: str, name: str, key: str, value: Any, wanted: type[Any], optional: bool, resources: dict[str, dict[str, Any]]
    ) -> None:
        if value is None and optional:
            return
        if not isinstance(value, str) or value not in resources:
            if isinstance(value, str) and value in self.definitions:
                self.fault(f"{name}.{key}: {value!r} is a stage, but a resource is needed here", section, name, key)
            elif not isinstance(value, str) or not self.faults or value not in (self.document.data or {}).get("resources", {}):
                self.fault(f"{name}.{key}: no resource is called {value!r}{suggestion(str(value), resources)}", section, name, key)
        elif not issubclass(self.definitions[value].cls, wanted):
            found = self.definitions[value].cls.__name__
            self.fault(f"{name}.{key}: {value!r} is a {found}, but a {wanted.__name__} is needed", section, name, key)

    def _resource_needs(self, node: Node) -> list[str]:
        return [node.settings[key] for key, s in node.definition.settings.items() if s.resource is not None and node.settings.get(key)]

    def _connect(self, nodes: dict[str, Node], entries: dict[str, dict[str, Any]]) -> None:
        for name, node in nodes.items():
            given = entries[name].get("in") or {}
            inputs: dict[str, In[Any]] = node.cls.inputs
            if not isinstance(given, dict):
                self.fault(f"{name}: 'in' must map inputs to outputs, such as {{audio: room.audio}}", "stages", name, "in")
                continue
            for port, value in given.items():
                if port not in inputs:
                    hint = suggestion(port, inputs)
                    self.fault(f"{name}: {node.cls.__name__} has no input {port!r}{hint}", "stages", name, "in", port)
                    continue
                edge = self._edge(name, port, value)
                if edge is not None and self._fits(name, port, edge, inputs[port], nodes):
                    node.edges[port] = edge
            for port in inputs:
                if port not in given:
                    kind = inputs[port].packet.__name__
                    self.fault(f"{name}: input {port!r} ({kind}) is not connected; write in: {{{port}: stage.output}}", "stages", name)

    def _edge(self, name: str, port: str, value: Any) -> Edge | None:
        at = ("stages", name, "in", port)
        settings = value if isinstance(value, dict) else {"from": value}
        for key in settings:
            if key not in {"from", "queue", "when_full"}:
                self.fault(f"{name}.{port}: {key!r} is no part of an edge{suggestion(key, ['from', 'queue', 'when_full'])}", *at, key)
        origin = settings.get("from")
        if not isinstance(origin, str) or origin.count(".") != 1:
            self.fault(f"{name}.{port}: expected stage.output, found {origin!r}", *at)
            return None
        queue, when_full = settings.get("queue", DEFAULT_QUEUE), settings.get("when_full", "block")
        if not isinstance(queue, int) or isinstance(queue, bool) or queue < 1:
            self.fault(f"{name}.{port}: queue must be a whole number of packets, at least 1, found {queue!r}", *at, "queue")
            return None
        if when_full not in WHEN_FULL:
            self.fault(f"{name}.{port}: when_full is {when_full!r}{suggestion(str(when_full), WHEN_FULL)}", *at, "when_full")
            return None
        if when_full != "block" and getattr(self.definitions[name].cls, "lossless", False):
            self.fault(f"{name}.{port}: {name} must not lose anything, so this edge may only block, found {when_full!r}", *at, "when_full")
            return None
        stage, output = origin.split(".")
        return Edge(stage, output, queue, when_full)

    def _fits(self, name: str, port: str, edge: Edge, wanted: In[Any], nodes: dict[str, Node]) -> bool:
        at = ("stages", name, "in", port)
        producer = nodes.get(edge.stage)
        if producer is None:
            if edge.stage not in ((self.document.data or {}).get("stages") or {}):
                self.fault(f"{name}.{port}: no stage is called {edge.stage!r}{suggestion(edge.stage, nodes)}", *at)
            return False
        output = producer.cls.outputs.get(edge.port)
        if output is None:
            hint = suggestion(edge.port, producer.cls.outputs)
            self.fault(f"{name}.{port}: {edge.stage} ({producer.cls.__name__}) has no output {edge.port!r}{hint}", *at)
            return False
        if not issubclass(output.packet, wanted.packet):
            found, needed = output.packet.__name__, wanted.packet.__name__
            self.fault(f"{name}.{port}: needs {needed}, but {edge.stage}.{edge.port} gives {found}", *at)
            return False
        return True

    def _ordered(self, nodes: dict[str, Node], section: str, needs: dict[str, list[str]]) -> dict[str, Node]:
        done: dict[str, Node] = {}
        waiting = dict(nodes)
        while waiting:
            ready = [name for name in waiting if all(need in done or need not in nodes for need in needs[name])]
            if not ready:
                self.fault(f"these feed each other in a circle: {', '.join(sorted(waiting))}", section, sorted(waiting)[0])
                return nodes
            for name in ready:
                done[name] = waiting.pop(name)
        return done
