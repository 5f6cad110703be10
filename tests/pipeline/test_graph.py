from pathlib import Path

import pytest
import yaml

from pipeline.graph import Edge, GraphError, load_graph
from tests.pipeline.sample_stages import Counter

ROOT = "tests.pipeline.sample_stages"
GOOD = f"""extra_roots: [tests]
resources:
  journal: {{use: {ROOT}.Journal, title: day}}
stages:
  join: {{use: {ROOT}.Join, journal: journal, mode: loud, in: {{dense: count.numbers, sparse: {{from: thin.numbers, queue: 3}}}}}}
  thin: {{use: {ROOT}.Sparse, in: {{number: count.numbers}}}}
  count: {{use: {ROOT}.Counter, n: 5}}
"""


def faults(text: str, **settings: object) -> list[str]:
    with pytest.raises(GraphError) as caught:
        load_graph("g.yaml", text=text, settings=settings)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return caught.value.faults


def test_a_good_graph_is_ordered_and_resolved() -> None:
    graph = load_graph("g.yaml", text=GOOD)
    assert list(graph.nodes) == ["count", "thin", "join"]
    assert graph.nodes["join"].edges == {"dense": Edge("count", "numbers"), "sparse": Edge("thin", "numbers", 3)}
    assert graph.sources() == ["count"]
    assert graph.stages_of(Counter) == ["count"]
    assert graph.nodes["count"].settings == {"n": 5, "step_ns": 10, "gap_at": -1, "endless": False, "dies_at": -1}
    again = load_graph("resolved", text=graph.to_yaml())
    assert again.nodes == graph.nodes
    assert yaml.safe_load(graph.to_yaml())["resources"]["journal"]["title"] == "day"


def test_a_setting_may_name_another_weight_file_in_place_of_a_declared_one() -> None:
    assert load_graph("g.yaml", text=GOOD).weights() == []
    lines = [f"  {name}: {{use: {ROOT}.Speaker{more}}}\n" for name, more in (("one", ""), ("two", ", model: /home/anna/deep.onnx"))]

    def weights(*chosen: str) -> list[str]:
        return load_graph("g.yaml", text=GOOD.replace("stages:\n", f"{''.join(chosen)}stages:\n", 1)).weights()

    assert weights(lines[0]) == ["phonemes.txt", "voice.onnx"]
    assert weights(lines[1]) == ["phonemes.txt", "/home/anna/deep.onnx"]
    assert weights(*lines) == ["phonemes.txt", "voice.onnx", "/home/anna/deep.onnx"]


def test_five_mistakes_are_reported_at_once_with_their_lines() -> None:
    text = f"""extra_roots: [tests]
resources:
  journal: {{use: {ROOT}.Journal}}
stages:
  count: {{use: {ROOT}.Counter, n: many}}
  count: {{use: {ROOT}.Counter}}
  thin:
    use: {ROOT}.Sparse
    evry: 2
    in: {{number: cuont.numbers}}
  join:
    use: {ROOT}.Join
    journal: jurnal
    in: {{dense: count.number}}
"""
    assert faults(text) == [
        "g.yaml:5: count.n: found 'many', but int is needed: input should be a valid integer",
        "g.yaml:6: 'count' stands twice, first in line 5: give each its own name",
        "g.yaml:9: thin: Sparse has no setting 'evry'; did you mean 'every'?",
        "g.yaml:10: thin.number: no stage is called 'cuont'; did you mean 'count'?",
        "g.yaml:11: join: input 'sparse' (Number) is not connected; write in: {sparse: stage.output}",
        "g.yaml:13: join.journal: no resource is called 'jurnal'; did you mean 'journal'?",
        "g.yaml:14: join.dense: count (Counter) has no output 'number'; did you mean 'numbers'?",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a: {use: os.system}", "a: 'os.system' is not under stages. or tests. (extra_roots: adds packages)"),
        (f"a: {{use: {ROOT}.Journal}}", f"a: {ROOT}.Journal is not a Stage; {ROOT} has Counter, Sparse, Batcher, Join, Sink, Backwards"),
        (f"a: {{use: {ROOT}.Nothing}}", f"a: {ROOT}.Nothing is no class there; {ROOT} has Counter, Sparse, Batcher, Join, Sink, Backwards"),
        (
            f"a: {{use: {ROOT}.Counter, device: cpu}}",
            "a: Counter has no setting 'device'; allowed are n, step_ns, gap_at, endless, dies_at",
        ),
        (f"a: {{use: {ROOT}.Counter, n: true}}", "a.n: found True, but int is needed: input should be a valid integer"),
        ("a: 5", "a: must be a mapping with 'use: package.module.Class'"),
    ],
)
def test_one_mistake(line: str, message: str) -> None:
    assert faults(f"extra_roots: [tests]\nstages:\n  {line}\n") == [f"g.yaml:3: {message}"]


@pytest.mark.parametrize(
    ("edge", "message"),
    [
        ("{from: count.numbers, queue: 0}", "sink.number: queue must be a whole number of packets, at least 1, found 0"),
        ("{from: count.numbers, when_full: drop_newst}", "sink.number: when_full is 'drop_newst'; did you mean 'drop_newest'?"),
        ("{from: count.numbers, size: 3}", "sink.number: 'size' is no part of an edge; allowed are from, queue, when_full"),
        ("count", "sink.number: expected stage.output, found 'count'"),
        ("sink.number", "sink.number: sink (Sink) has no output 'number'; none are allowed here"),
        (
            "{from: count.numbers, when_full: drop_oldest}",
            "sink.number: sink must not lose anything, so this edge may only block, found 'drop_oldest'",
        ),
    ],
)
def test_edges(edge: str, message: str) -> None:
    text = f"extra_roots: [tests]\nstages:\n  count: {{use: {ROOT}.Counter}}\n  sink: {{use: {ROOT}.Sink, in: {{number: {edge}}}}}\n"
    assert faults(text) == [f"g.yaml:4: {message}"]


def test_types_of_ports_must_fit() -> None:
    text = GOOD + f"  sink: {{use: {ROOT}.Sink, in: {{number: join.texts}}}}\n"
    assert faults(text) == ["g.yaml:8: sink.number: needs Number, but join.texts gives Text"]


def test_a_circle_is_refused() -> None:
    text = f"""extra_roots: [tests]
stages:
  count: {{use: {ROOT}.Counter}}
  a: {{use: {ROOT}.Sparse, in: {{number: b.numbers}}}}
  b: {{use: {ROOT}.Sparse, in: {{number: a.numbers}}}}
"""
    assert faults(text) == ["g.yaml:4: these feed each other in a circle: a, b"]


def test_whole_file_mistakes() -> None:
    assert faults("- 1\n") == ["g.yaml:1: a graph is a mapping with 'stages:' (and 'resources:', 'extra_roots:')"]
    assert faults("stage: {}\n")[0] == "g.yaml:1: 'stage' is not a part of a graph; did you mean 'stages'?"
    assert faults("resources: {}\n") == ["g.yaml:1: 'stages:' is missing: a graph needs at least a source"]
    assert faults(f"extra_roots: [tests]\nstages: {{a: {{use: {ROOT}.Sparse}}}}\n") == [
        "g.yaml:2: a: input 'number' (Number) is not connected; write in: {number: stage.output}"
    ]


def test_overrides_are_checked_like_what_is_written() -> None:
    assert load_graph("g", text=GOOD, settings={"count.n": 9}).nodes["count"].settings["n"] == 9
    assert faults(GOOD, **{"count.n": "x"}) == ["g.yaml:7: count.n: found 'x', but int is needed: input should be a valid integer"]
    assert faults(GOOD, **{"mic.n": 1}) == ["g.yaml:1: the setting 'mic.n' was asked for, but the graph has no 'mic'"]


def test_a_resource_of_another_kind_is_refused() -> None:
    text = GOOD.replace("journal: journal", "journal: count")
    assert faults(text) == ["g.yaml:5: join.journal: 'count' is a stage, but a resource is needed here"]


def test_a_file_that_is_not_there_names_the_shipped_ones() -> None:
    with pytest.raises(GraphError, match=r"nowhere\.yaml: there is no such file; give the path of a \.yaml file, or a shipped one: "):
        load_graph("nowhere.yaml")


def test_a_file_that_is_no_text_and_a_directory(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"stages:\xff")
    with pytest.raises(GraphError, match=r"binary\.yaml: this is no text in UTF-8 \(byte 7 is 0xff\); a graph is a \.yaml file in UTF-8"):
        load_graph(tmp_path / "binary.yaml")
    with pytest.raises(GraphError, match=r"this is a directory; give the path of a \.yaml file"):
        load_graph(tmp_path)
