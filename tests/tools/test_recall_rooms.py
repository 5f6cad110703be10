from __future__ import annotations

import json
import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from stages.memory.transcript_parser import read_transcript
from stages.recall.terms import content_terms, stems
from tools.recall_rooms import made_room, renamed, retimed, written
from tools.recall_rooms_questions import asked_of
from tools.recall_rooms_topics import TopicError, topics

SEEDS = range(40)


def test_there_are_many_topics_and_no_two_share_what_tells_them_apart() -> None:
    known = topics()
    assert len(known) >= 30
    for names in ([topic.name for topic in known], [topic.about[0] for topic in known], [topic.thing for topic in known]):
        assert len(set(names)) == len(names)
    senses = [topic.sense for topic in known if topic.sense]
    assert all(senses.count(sense) == 2 for sense in senses)
    assert all(any(other.like == topic.like for other in known if other != topic) for topic in known)


def test_no_remark_has_a_value_of_a_fact_of_its_topic() -> None:
    for topic in topics():
        values = {value for fact in topic.facts for value in fact.v}
        for remark in (topic.open, *topic.fill):
            assert not [value for value in values if re.search(rf"\b{re.escape(value)}\b", remark)], (topic.name, remark)


def test_a_seed_always_makes_the_same_room() -> None:
    assert made_room(7) == made_room(7)
    assert made_room(7) != made_room(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_conversations_go_on_at_once_at_bearings_that_can_be_told_apart(seed: int) -> None:
    room = made_room(seed)
    assert 2 <= len(room.conversations) <= 4
    assert all(2 <= len(members) <= 3 for members in room.conversations)
    assert all(abs((one - other + 180.0) % 360.0 - 180.0) > 25.0 for one, other in combinations(room.talkers.values(), 2))
    spans = [room.span([line for line in room.said if line.conversation == number]) for number in range(len(room.conversations))]
    assert all(one[0] < other[1] and other[0] < one[1] for one, other in combinations(spans, 2))
    assert sum(len(part) for part in room.topics) <= 5
    for number in range(len(room.conversations)):
        own = sorted((line for line in room.said if line.conversation == number), key=lambda line: line.start_s)
        assert all(one.end_s <= other.start_s for one, other in pairwise(own))


@pytest.mark.parametrize("seed", SEEDS)
def test_facts_are_told_and_what_was_taken_back_is_told_before(seed: int) -> None:
    room = made_room(seed)
    for told in room.told:
        (fact,) = told.lines(room, "fact")
        (true,) = told.true_lines(room)
        assert told.value in true.text
        assert (told.taken_back is None) == (true == fact)
        if told.taken_back is not None:
            assert told.taken_back in fact.text
            assert told.taken_back != told.value
            assert fact.end_s < true.start_s
            assert fact.speaker == true.speaker


def test_values_are_taken_back_and_talks_are_alike_in_a_good_part_of_the_rooms() -> None:
    rooms = [made_room(seed) for seed in range(200)]
    assert sum(told.taken_back is not None for room in rooms for told in room.told) > 100
    first = [[topic for part in room.topics for topic in part] for room in rooms]
    assert sum(len({topic.sense for topic in found if topic.sense}) < sum(bool(topic.sense) for topic in found) for found in first) > 20
    assert sum(len({topic.like for topic in found}) < len(found) for found in first) > 80


def test_what_nobody_talked_about_was_not_even_named() -> None:
    # In room 1179 a storm had torn off the tiles of a roof, and "the storm" would have been asked for.
    asked = {seed: [one.text for one in asked_of(made_room(seed)) if one.kind == "no such topic"] for seed in (*range(1000, 1020), 1179)}
    assert all(len(texts) == 1 for texts in asked.values())
    for seed, (text,) in asked.items():
        (about,) = (topic.about[0] for topic in made_room(seed).known if f" {topic.about[0]}" in text)
        assert not any(set(content_terms(about)) <= stems(line.text) for line in made_room(seed).said)


def test_short_rooms_have_one_topic_each_and_a_voice_for_everybody() -> None:
    rooms = [made_room(seed, short=True) for seed in range(60)]
    assert all(len(part) == 1 for room in rooms for part in room.topics)
    assert max(len(room.talkers) for room in rooms) <= 8
    assert all(25.0 < room.end_s < 70.0 for room in rooms)


def test_a_room_is_written_as_a_transcript_that_import_takes(tmp_path: Path) -> None:
    room = made_room(3)
    spoken = read_transcript(written(room, tmp_path))
    assert [entry.text for entry in spoken] == [line.text for line in room.said]
    assert [entry.azimuth_deg for entry in spoken] == [line.azimuth_deg for line in room.said]


def test_a_room_that_was_heard_has_the_times_and_names_of_the_hearing() -> None:
    room = made_room(3, short=True)
    times = {line.key: (line.start_s + 1.0, line.end_s + 2.0) for line in room.said[1:]}
    later = retimed(room, times)
    assert len(later.said) == len(room.said) - 1
    assert {line.key: (line.start_s, line.end_s) for line in later.said} == times
    called = renamed(room, {name: f"{name}!" for name in room.talkers})
    assert all(line.speaker.endswith("!") and called.talkers[line.speaker] == line.azimuth_deg for line in called.said)
    assert {name for members in called.conversations for name in members} == set(called.talkers)


def test_topics_that_cannot_be_used_are_refused_with_their_file(tmp_path: Path) -> None:
    with pytest.raises(TopicError, match=r"there are no topics in it$"):
        topics(tmp_path)
    path = tmp_path / "some.yaml"
    entry = topics()[0].model_dump()
    path.write_text(json.dumps([{**entry, "facts": [{**fact, "a": "no place"} for fact in entry["facts"]]}]), encoding="utf-8")
    topics.cache_clear()
    with pytest.raises(TopicError, match=r"some\.yaml: cannot be used"):
        topics(tmp_path)
    path.write_text(json.dumps([entry, entry]), encoding="utf-8")
    with pytest.raises(TopicError, match=f"given twice: {entry['name']}"):
        topics(tmp_path)
