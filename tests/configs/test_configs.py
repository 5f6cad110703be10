"""Every YAML that ships loads, and the schema that editors use is the code's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import configs
from pipeline.build import build
from pipeline.geometry import load_array, shipped_arrays
from pipeline.graph import load_graph
from pipeline.schema import graph_schema

FOLDER = Path(configs.__file__).parent
GRAPHS = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_every_graph_loads_and_builds_on_a_cpu(path: Path) -> None:
    graph = load_graph(path)
    settings = {f"{name}.device": "cpu" for name, node in {**graph.resources, **graph.nodes}.items() if "device" in node.settings}
    made = build(load_graph(path, settings=settings))
    assert list(made.stages) == list(graph.nodes)
    assert graph.sources()


def test_the_shipped_graphs_are_the_ones_that_people_are_told_of() -> None:
    assert [path.stem for path in GRAPHS] == ["gpu", "hands_free", "live", "minimal", "replay"]


def test_minimal_needs_no_weights_and_gpu_puts_every_heavy_stage_on_the_gpu() -> None:
    assert load_graph("minimal").weights() == []
    graph = load_graph("gpu")
    nodes = {**graph.resources, **graph.nodes}
    for name in ("localise", "beam", "transcribe"):
        assert nodes[name].settings["device"] == "cuda:0", name


@pytest.mark.parametrize("name", ["live", "replay", "gpu", "hands_free"])
def test_events_hear_the_sounds_that_are_stored(name: str) -> None:
    edge = load_graph(name).nodes["segment"].edges["sound"]
    assert (edge.stage, edge.port) == ("remember_sounds", "remembered")


def test_live_and_replay_differ_in_their_source_only() -> None:
    live, replay = load_graph("live"), load_graph("replay")
    assert list(live.nodes) == list(replay.nodes)
    for name in live.nodes:
        assert live.nodes[name] == replay.nodes[name] or name in live.sources()


def test_hands_free_has_the_resources_of_live_and_a_voice() -> None:
    live, hands_free = load_graph("live").resources, load_graph("hands_free").resources
    assert set(hands_free) - set(live) == {"speech", "player"}
    assert {name: hands_free.get(name) for name in live} == live


@pytest.mark.parametrize("name", ["replay", "gpu", "hands_free"])
def test_questions_are_answered_in_one_way(name: str) -> None:
    assert load_graph(name).resources["recall"] == load_graph("live").resources["recall"]


def test_hands_free_is_live_with_questions_between_hearing_and_remembering() -> None:
    live, hands_free = load_graph("live"), load_graph("hands_free")
    added = set(hands_free.nodes) - set(live.nodes)
    assert added == {"wake", "answer", "barge_in"}
    changed = {name for name in live.nodes if live.nodes[name] != hands_free.nodes[name]}
    assert changed == {"transcribe", "encode"}
    # Whoever stores or cuts reads what the questions were taken out of.
    assert hands_free.nodes["encode"].edges["transcript"].stage == "wake"
    assert not [name for name in live.nodes if name != "encode" for edge in hands_free.nodes[name].edges.values() if edge.stage == "wake"]


def test_every_array_loads() -> None:
    assert shipped_arrays() == ["linear8", "mono", "respeaker4", "stereo", "two_lanes", "uma8"]
    for name in shipped_arrays():
        assert load_array(name).name == name


def test_the_schema_is_up_to_date() -> None:
    text = (FOLDER / "schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(graph_schema())), "run `python -m pipeline.schema > configs/schema.json`"
