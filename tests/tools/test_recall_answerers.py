"""Recall with each answerer: graphs that differ in what answers, and the table of what a model's wording changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.graph import load_graph
from tests.stages.answer.chat_server import Exchange, chat_server
from tools.recall_answerers import QUOTES, Told, answerers, asked, graph_with, table, worded
from tools.recall_rooms import made_room
from tools.recall_rooms_questions import asked_of
from tools.recall_rooms_score import Verdict

REPLAY = Path("configs/replay.yaml")
_INVENTED = "I know nothing of that, but 4711 people came [1]."


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
        exchange.stream(_INVENTED)

    with chat_server(invents) as (base_url, bodies):
        ways = answerers(base_url)
        found = {name: asked(graph_with(REPLAY, ways[name], tmp_path / f"{name}.yaml"), [1], tmp_path) for name in (QUOTES, "openai_chat")}
    quoted, told = found[QUOTES], found["openai_chat"]
    assert (quoted.n_dropped, quoted.n_failed, told.n_failed) == (0, 0, 0)
    assert told.n_dropped == len(bodies) > 0
    assert worded(told, quoted)[0] == 0
    assert [verdict for *_, verdict in told.rows] == [verdict for *_, verdict in quoted.rows]
    lines = table(found).splitlines()
    assert lines[2].startswith(f"| {QUOTES} | 0 of ")
    assert lines[3].startswith("| openai_chat | 0 of ")
    assert f"| {told.n_dropped} | 0 |" in lines[3]


@pytest.mark.usefixtures("weights")
def test_a_model_that_fails_is_counted(tmp_path: Path) -> None:
    with chat_server(lambda exchange: exchange.whole(400, "no")) as (base_url, bodies):
        told = asked(graph_with(REPLAY, answerers(base_url)["openai_chat"], tmp_path / "graph.yaml"), [1], tmp_path)
    assert told.n_failed == len(bodies) > 0
    assert told.n_dropped == 0


def test_claims_in_other_words_are_counted_wherever_they_stand() -> None:
    quoted, told = (
        Told(
            [(made_room(1), asked_of(made_room(1))[0], {"claims": [{"text": text} for text in texts]}, Verdict("what", True, False))], 0, 0
        )
        for texts in (["a", "b", "c"], ["c", "A, in short", "a"])
    )
    assert worded(told, quoted) == (1, 3)
    assert worded(quoted, quoted) == (0, 3)
