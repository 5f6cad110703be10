"""Which graph a command runs: the one that was asked for, else the memory's own, else the default, else the one without weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.app.console import say
from pipeline.app.failures import CallerError, WorkError
from pipeline.app.graph_roles import Roles, roles_of, with_settings
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.durable import write_whole
from pipeline.graph import Graph, GraphError, load_graph

DEFAULT = "configs/replay.yaml"
WITHOUT_WEIGHTS = "configs/minimal.yaml"


def choose_graph(config: str | None, memory: MemoryDirectory | None, *, reading: bool = False) -> Graph:
    """The graph for a memory.

    Without a config a memory runs through the graph that it was made with; a new one through the default, or, where weights
    are missing on this machine, through the graph that needs none, which is said on stderr. For `reading`, a memory whose own
    graph cannot be loaded any more (its stages have changed since) is opened with the default. Raises GraphError.
    """
    if config is not None:
        return load_graph(config)
    if memory is not None and memory.is_memory and memory.graph_file.is_file():
        try:
            return load_graph(memory.graph_file)
        except GraphError as error:
            if not reading:
                hint = "this is the graph that the memory was made with; give another one with --config"
                raise GraphError([*error.faults, f"{memory.graph_file}: {hint}"]) from error
            say(f"{memory.graph_file} cannot be loaded any more, so {DEFAULT} is used ({error.faults[0]})")
            return load_graph(DEFAULT)
    graph = load_graph(DEFAULT)
    if memory is not None and memory.is_memory:
        # Its own graph is gone, or was never written: a run can be killed, and a disk be full.
        return next((known for known in (graph, load_graph(WITHOUT_WEIGHTS)) if _has_encoder_of(known, memory)), graph)
    lacking = missing_weights(graph)
    if not lacking:
        return graph
    few = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
    say(
        f"{DEFAULT} needs weights that are not on this machine ({few}), so {WITHOUT_WEIGHTS} is used; "
        "`echoic models fetch` gets them, and --config chooses another graph"
    )
    return load_graph(WITHOUT_WEIGHTS)


def _has_encoder_of(graph: Graph, memory: MemoryDirectory) -> bool:
    """Whether a graph has the encoder that a memory was made with."""
    from stages.memory import memory_settings

    found = memory_settings.load(memory.path)
    encoder = graph.resources.get(str(graph.resources[roles_of(graph).memory].settings.get("encoder")))
    return found is not None and encoder is not None and getattr(encoder.cls, "name", None) == found.encoder


def declared_weights(graph: Graph) -> list[str]:
    """The names of the catalogue's weight files that a graph needs, groups spelled out, in the catalogue's order."""
    from models import weights

    declared = graph.weights()
    return [entry.name for entry in weights.entries() if any(entry.name == name or entry.name.startswith(f"{name}/") for name in declared)]


def strange_weights(graph: Graph) -> list[str]:
    """What a graph's settings name as weights, where that is neither in the catalogue nor a file or folder on this machine."""
    from models.catalog import shipped_catalog

    catalog = shipped_catalog()
    return [
        name
        for name in graph.weights()
        if name not in catalog.entries and name not in catalog.groups() and not Path(name).expanduser().exists()
    ]


def missing_weights(graph: Graph) -> list[str]:
    """The catalogue's weight files that a graph needs and that are not on this machine."""
    from models import weights

    declared = declared_weights(graph)
    return [entry.name for entry in weights.missing(declared)] if declared else []


def need_weights(graph: Graph) -> None:
    """Raises before anything is begun where a graph's weights are not on this machine, or not the right ones.

    Raises:
        CallerError: a setting names weights that are nowhere.
        WorkError: files of the catalogue are missing.
        WeightsError: files of the catalogue are wrong.
    """
    from models import weights

    if strange := strange_weights(graph):
        raise CallerError(f"{graph.where}: {said_of(strange)}")
    lacking = missing_weights(graph)
    if lacking:
        raise WorkError(
            f"{graph.where}: weights are missing ({', '.join(lacking)}); "
            f"`echoic models fetch {' '.join(lacking)}` gets them, and configs/minimal.yaml needs none"
        )
    for name in declared_weights(graph):
        weights.path_of(name)


def said_of(strange: list[str]) -> str:
    """What is to be told of `strange_weights`."""
    named = ", ".join(map(repr, strange))
    return f"no file or folder is called {named}, and the catalogue of weights has none of that name (`echoic models list` shows all)"


def for_reading(graph: Graph, memory: MemoryDirectory) -> tuple[Graph, Roles]:
    """The graph with its memory opened for reading only; nothing is recorded. An empty directory is read as an empty memory in RAM."""
    roles = roles_of(graph)
    settings: dict[str, object] = {f"{roles.memory}.directory": str(memory.path) if memory.is_memory else ""}
    if memory.is_memory:
        settings[f"{roles.memory}.read_only"] = True
    return with_settings(graph, settings), roles


def for_writing(graph: Graph, memory: MemoryDirectory, session: str, *, record: bool = True) -> tuple[Graph, Roles]:
    """The graph with its memory and the recording of a session in their places. Raises CallerError."""
    roles = roles_of(graph)
    settings: dict[str, object] = {f"{roles.memory}.directory": str(memory.path), f"{roles.memory}.read_only": False}
    if roles.recording is not None:
        settings[f"{roles.recording}.directory"] = str(memory.recording(session)) if record and session else ""
    return with_settings(graph, settings), roles


def source_of(graph: Graph, roles: Roles) -> str:
    """The name of the graph's only source. Raises CallerError."""
    if roles.source is None:
        names = graph.sources()
        raise CallerError(f"{graph.where}: found {len(names)} sources ({', '.join(names)}); a recording takes the place of exactly one")
    return roles.source


def keep_first_graph(graph: Graph, memory: MemoryDirectory, roles: Roles) -> None:
    """Write the graph of a memory that is about to be made, so that no memory is ever there without the graph that it needs."""
    if not memory.is_memory:
        keep_graph(graph, memory, roles, anew=True)


def keep_graph(graph: Graph, memory: MemoryDirectory, roles: Roles, *, anew: bool = False) -> None:
    """Write the resolved graph into a memory that has none yet, without what belongs to this one run. Whole or not at all.

    With `anew` it takes the place of the one that is there, in one step. Otherwise only bounds and sleep of the one that is there become
    those of this run: they are what somebody wants of a memory, not what it is.
    """
    if memory.graph_file.exists() and not anew:
        _keep_policy(graph, memory, roles)
        return
    own: dict[str, object] = {f"{roles.memory}.directory": "", f"{roles.memory}.read_only": False}
    if roles.recording is not None:
        own[f"{roles.recording}.directory"] = ""
    if roles.source is not None:
        given = graph.nodes[roles.source].settings
        blanks: dict[str, object] = {"path": "", "array": "", "start_s": 0.0, "speed": 0.0}
        is_file = graph.nodes[roles.source].definition.path.endswith(".FileSource")
        own.update({f"{roles.source}.{name}": blank for name, blank in blanks.items() if is_file and name in given})
    memory.path.mkdir(parents=True, exist_ok=True)
    write_whole(memory.graph_file, with_settings(graph, own).to_yaml().encode())


def _keep_policy(graph: Graph, memory: MemoryDirectory, roles: Roles) -> None:
    """Give the stored graph the bounds and the sleep of another one that has some, so that `consolidate` and `doctor` go by them."""
    from stages.memory.bounds import Bounds
    from stages.memory.sleeper import Sleeper

    try:
        stored = load_graph(memory.graph_file)
        owner = roles_of(stored).memory
    except (GraphError, CallerError):
        return
    resources = dict(stored.resources)
    for policy in (Bounds, Sleeper):
        for name in graph.stages_of(policy)[:1]:
            node = graph.resources[name]
            for old in stored.stages_of(policy):
                resources.pop(old)
            if name in resources:
                return
            if node.settings.get("answerer") not in resources:
                node = replace(node, settings={key: value for key, value in node.settings.items() if key != "answerer"})
            resources = {name: node, **resources} if policy is Bounds else {**resources, name: node}
            if policy is Bounds:
                bounds = graph.resources[roles.memory].settings.get("bounds")
                resources[owner] = replace(resources[owner], settings={**resources[owner].settings, "bounds": bounds})
    text = replace(stored, resources=resources).to_yaml()
    if text != stored.to_yaml():
        write_whole(memory.graph_file, text.encode())
