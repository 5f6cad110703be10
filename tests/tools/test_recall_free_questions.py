"""Questions in other words: that they are those of the rooms, and what comes of them with a model that puts them plainly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.graph import load_graph
from stages.recall.language import may_be_foreign
from stages.recall.question import parse
from stages.recall.restating import may_be_unclear
from tests.stages.answer.chat_server import Exchange, chat_server
from tests.stages.recall.test_question import MOMENTS
from tools.recall_answerers import graph_with
from tools.recall_free_questions import AS_ASKED, FOREIGN, FREE, answerers, asked_in, reworded, times, wordings
from tools.recall_rooms import made_room
from tools.recall_rooms_questions import asked_of
from tools.recall_rooms_text import FIRST_SEED, RecallOfRooms

REPLAY = Path("configs/replay.yaml")


def test_every_question_to_a_room_that_stands_alone_has_other_words() -> None:
    assert any(seed < FIRST_SEED for seed in wordings())
    for seed, entries in wordings().items():
        asked = asked_of(made_room(seed))
        assert [entry.n for entry in entries] == [place for place, one in enumerate(asked) if not one.before]
        for entry in entries:
            own = asked[entry.n].text
            for text in (entry.free, entry.foreign):
                assert set(re.findall(r"\d+", own)) <= set(re.findall(r"\d+", text)), (own, text)
            assert may_be_foreign(entry.foreign), entry.foreign
            assert may_be_unclear(parse(entry.foreign, MOMENTS))


def test_other_words_have_the_same_truth() -> None:
    room = made_room(next(iter(wordings())))
    plain, free, foreign = (reworded(room, way) for way in (AS_ASKED, FREE, FOREIGN))
    assert [(one.kind, one.truth) for one in plain] == [(one.kind, one.truth) for one in free] == [(one.kind, one.truth) for one in foreign]
    assert all(len({one.text for one in three}) == 3 for three in zip(plain, free, foreign, strict=True))


@pytest.mark.usefixtures("weights")
def test_a_model_that_puts_questions_plainly_answers_them_as_the_plain_ones(tmp_path: Path) -> None:
    seed = next(iter(wordings()))
    room = made_room(seed)
    plain = {one.text: own.text for way in (FREE, FOREIGN) for one, own in zip(reworded(room, way), reworded(room, AS_ASKED), strict=True)}

    def says_it_plainly(exchange: Exchange) -> None:
        exchange.stream(plain.get(exchange.prompt, exchange.prompt))

    with chat_server(says_it_plainly) as (base_url, bodies):
        graph = graph_with(REPLAY, {"answerer": answerers(base_url, "own")["a model and rules"]}, tmp_path / "graph.yaml")
        assert load_graph(graph).resources["answerer"].settings["most_worded"] == 0
        with RecallOfRooms(graph) as recalls:
            found = dict(asked_in(recalls, [seed], tmp_path))
    assert all(body["model"] == "own" for body in bodies)
    right = {way: [verdict.what for *_, verdict in rows] for way, rows in found.items()}
    assert right[FOREIGN] == right[AS_ASKED]
    n = len(right[AS_ASKED])
    assert sum(one == other for one, other in zip(right[FREE], right[AS_ASKED], strict=True)) >= n - 1
    told = times(found).splitlines()
    assert told[2].startswith(f"| {AS_ASKED} | 0 of {n} |")
    assert re.match(rf"\| {FOREIGN} \| {n} of {n} \|", told[4])
