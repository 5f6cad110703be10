"""Recall with each answerer: graphs that differ in what answers, and the table of what a model's wording changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.graph import load_graph
from tests.stages.answer.chat_server import Exchange, chat_server
from tools.recall_answerers import QUOTES, answerers, asked, graph_with, table, worded

REPLAY = Path("configs/replay.yaml")
_KEEPS_TO_IT = "I know nothing of that, but 4711 people came [1]."


def test_a_graph_has_another_answerer_and_is_the_same_else(tmp_path: Path) -> None:
    before = load_graph(REPLAY)
    for name, resources in answerers("http://127.0.0.1:1/v1").items():
        graph = load_graph(graph_with(REPLAY, resources, tmp_path / f"{name}.yaml"))
        assert [graph.resources[own].cls.__qualname__ for own in resources] == [node["use"].split(".")[-1] for node in resources.values()]
        assert graph.resources["recall"].settings == before.resources["recall"].settings
        assert set(graph.nodes) == set(before.nodes)
        assert set(graph.resources) - set(resources) == set(before.resources) - {"answerer"}


def test_a_graph_without_an_answerer_of_its_recall_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(REPLAY.read_text(encoding="utf-8").replace("answerer: answerer", "answerer: quotes"), encoding="utf-8")
    with pytest.raises(ValueError, match="no recall under resources: has answerer: answerer"):
        graph_with(other, {}, tmp_path / "out.yaml")


@pytest.mark.usefixtures("weights")
def test_what_a_model_invents_is_counted_as_dropped_and_leaves_the_quotes(tmp_path: Path) -> None:
    def invents(exchange: Exchange) -> None:
        if exchange.body["stream"]:
            exchange.stream(_KEEPS_TO_IT)
        else:
            exchange.whole(200, '{"choices": [{"message": {"content": "Yes"}}]}')

    with chat_server(invents) as (base_url, bodies):
        ways = answerers(base_url)
        found = {name: asked(graph_with(REPLAY, ways[name], tmp_path / f"{name}.yaml"), [1], tmp_path) for name in (QUOTES, "openai_chat")}
    quoted, told = found[QUOTES], found["openai_chat"]
    assert quoted.n_dropped == 0
    assert told.n_dropped == sum(body["stream"] for body in bodies) > 0
    assert worded(told, quoted)[0] == 0
    assert [verdict for *_, verdict in told.rows] == [verdict for *_, verdict in quoted.rows]
    lines = table(found).splitlines()
    assert lines[2].startswith(f"| {QUOTES} | 0 of ")
    assert lines[3].startswith("| openai_chat | 0 of ")
    assert f"| {told.n_dropped} |" in lines[3]
