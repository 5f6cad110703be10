"""What the reader learns of topics: stretches of talks in generated rooms."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.recall.reader import whether_about
from tools.fit_examples import told_at_length
from tools.recall_rooms import Room, made_room
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import FITTED, topics
from tools.topic_lessons import TopicLessons, TopicStretch, topic_stretches

_KNOWN = topics(FITTED)[:30]
_SEEDS = (5000, 5001)


@pytest.fixture(scope="module")
def stretches(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[TopicStretch]:
    assert weights.is_dir()
    with RecallOfRooms(Path("configs/replay.yaml")) as recalls:
        return list(topic_stretches(recalls, _KNOWN, _SEEDS, tmp_path_factory.mktemp("rooms")))


def _room(one: TopicStretch) -> Room:
    """The room of a stretch: questions are numbered by seed and name."""
    seed = one.question // (2 * len(_KNOWN))
    room = made_room(seed, known=_KNOWN)
    return told_at_length(room) if seed % 2 else room


def test_a_room_is_asked_about_its_topics_by_both_names_and_about_others(stretches: list[TopicStretch]) -> None:
    for seed in _SEEDS:
        own = [one for one in stretches if one.question // (2 * len(_KNOWN)) == seed]
        here = {topic.name for part in _room(own[0]).topics for topic in part}
        assert {one.topic for one in own if one.heard} == here
        assert {one.name for one in own if one.heard} == {name for topic in _KNOWN if topic.name in here for name in topic.about}
        assert len({one.question for one in own if not one.heard}) == 8 + 3
        assert here.isdisjoint(one.topic for one in own if not one.heard)
        # A room has a few talks at once, and a stretch is of one of them.
        assert max(sum(one.question == number for one in own) for number in {one.question for one in own}) > 1


def test_a_stretch_is_right_where_its_first_line_is_on_the_topic(stretches: list[TopicStretch]) -> None:
    assert {one.right for one in stretches} == {False, True}
    for one in stretches:
        first = [line for line in _room(one).said if one.text.startswith(line.text)]
        assert first
        # Two topics may share a remark.
        assert one.right in {line.topic == one.topic for line in first}
        assert one.heard or not one.right
        assert 0.0 <= one.support <= 1.0


def test_a_round_draws_some_stretches_and_comes_out_the_same() -> None:
    some = [TopicStretch(number, f"topic {number}", f"name {number}", f"text {number}", 0.5, number % 3 == 0, True) for number in range(30)]
    lessons = TopicLessons(some, 20)
    read, right = lessons.round(0)
    assert len(read) == len(set(read)) == 20
    assert set(read) < {(whether_about(one.name), "", one.text) for one in some}
    assert right == [int(text.split()[1]) % 3 == 0 for _, _, text in read]
    assert lessons.round(0) == (read, right) != lessons.round(1)
    assert len(TopicLessons(some, 100).round(0)[0]) == 30
