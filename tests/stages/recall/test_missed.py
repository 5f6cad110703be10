from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.rows import LineRow
from stages.recall.missed import FollowedTopic, attended_by_constraint, attended_by_topic, missed, overlap_ns
from stages.recall.question import Attended
from stages.recall.salience import Vocabulary
from stages.recall.stretches import stretches_of
from tests.stages.recall.line_rows import line_row

DOGS = [
    line_row("My dog ran away in the park", 0.0, track="t1", event="dogs"),
    line_row("Oh no, did you find him?", 3.5, track="t2", event="dogs", azimuth_deg=60.0),
    line_row("Yes, the dog was at home", 6.0, track="t1", event="dogs"),
]
BAKERY = [
    line_row("The bakery closes in April", 1.0, track="t3", event="bakery", azimuth_deg=200.0),
    line_row("Where will we buy bread?", 4.0, track="t4", event="bakery", azimuth_deg=250.0),
]
LATER = [line_row("The lamp is broken", 30.0, track="t3", event="lamp", azimuth_deg=200.0)]
NO_VECTORS = np.zeros((0, 0), dtype=np.float32)


def _missed(lines: Sequence[LineRow], attended: Attended) -> list[tuple[str | None, list[str]]]:
    stretches = stretches_of(lines)
    followed = attended_by_constraint(lines, attended)
    return [(stretch.event, [line.track for line in stretch.lines]) for stretch in missed(stretches, followed, Vocabulary(lines))]


def test_lines_become_stretches_by_event_and_open_ones_by_track_and_pause() -> None:
    loose = [line_row("Hello", 0.0, track="t9"), line_row("Again", 1.0, track="t9"), line_row("Much later", 90.0, track="t9")]
    stretches = stretches_of([*DOGS, *BAKERY, *loose])
    assert [(stretch.event, len(stretch.lines)) for stretch in stretches] == [(None, 2), ("dogs", 3), ("bakery", 2), (None, 1)]
    assert stretches[1].end_ns == DOGS[-1].end_ns


def test_what_overlapped_on_other_tracks_was_missed_as_whole_events() -> None:
    assert _missed([*DOGS, *BAKERY, *LATER], Attended("speaker-1", speaker="speaker-1")) == [("bakery", ["t3", "t4"])]
    assert _missed([*DOGS, *BAKERY, *LATER], Attended("at 210 degrees", azimuth_deg=210.0)) == [("dogs", ["t1", "t2", "t1"])]


def test_a_partner_whose_line_fell_into_no_event_is_not_missed() -> None:
    stray = line_row("What a story", 8.0, track="t2", azimuth_deg=60.0)
    assert _missed([*DOGS, stray, *BAKERY], Attended("speaker-1", speaker="speaker-1")) == [("bakery", ["t3", "t4"])]


def test_one_stray_line_in_the_attended_event_does_not_hide_a_conversation() -> None:
    stray = line_row("Bread", 2.9, track="t3", event="dogs", azimuth_deg=200.0)
    assert _missed([*DOGS, stray, *BAKERY], Attended("speaker-1", speaker="speaker-1"))[0][0] == "bakery"


def test_a_short_touch_is_not_an_overlap() -> None:
    touching = line_row("This goes on long after all of that", 8.0, track="t5", event="other")
    assert overlap_ns(DOGS[-1], touching) == 4 * 10**8
    assert _missed([*DOGS, touching], Attended("speaker-1", speaker="speaker-1")) == []


def test_the_topic_by_its_words_where_there_is_no_encoder() -> None:
    stretches = stretches_of([*DOGS, *BAKERY, *LATER])
    assert [s.event for s in attended_by_topic(stretches, FollowedTopic(NO_VECTORS, ("dog",)), {})] == ["dogs"]
    assert attended_by_topic(stretches, FollowedTopic(NO_VECTORS, ("volcano",)), {}) == []
    assert attended_by_topic([], FollowedTopic(NO_VECTORS, ("dog",)), {}) == []


def test_the_topic_by_its_meaning(encoder: MinilmOnnx) -> None:
    lines = {line.id: line for line in (*DOGS, *BAKERY, *LATER)}

    vectors = dict(zip(lines, encoder.encode([line.text for line in lines.values()]), strict=True))

    def about(topic: str) -> list[str | None]:
        found = attended_by_topic(stretches_of(lines.values()), FollowedTopic(encoder.encode([topic]), (topic,)), vectors)
        return [stretch.event for stretch in found]

    assert about("pets") == ["dogs"]
    assert about("shops") == ["bakery"]
    assert about("volcano") == []


def test_of_two_talks_at_once_only_the_one_that_is_more_about_it_was_followed() -> None:
    hot = [line_row("We sell a hot dog for a dollar", 1.0, track="t3", event="food"), line_row("And fries", 4.5, track="t4", event="food")]
    found = attended_by_topic(stretches_of([*DOGS, *hot]), FollowedTopic(NO_VECTORS, ("dog",)), {})
    assert [stretch.event for stretch in found] == ["dogs"]


def test_another_stretch_is_followed_only_where_it_is_like_the_one_that_is_most_about_the_topic() -> None:
    """The word fell in all of them; what else they are about tells that one is of another sense."""
    cranes, sites = np.eye(2, 8, dtype=np.float32)
    query = np.asarray((cranes + sites) / np.sqrt(2.0), dtype=np.float32)[None]
    birds = [line_row("Cranes over the lake", 3.0 * n, event="birds") for n in range(4)]
    building = [line_row("The crane over the street", 30.0 + 3.0 * n, event="building") for n in range(4)]
    again = [line_row("Cranes again", 60.0 + 3.0 * n, event="again") for n in range(4)]
    vectors = {line.id: sites if line in building else cranes for line in (*birds, *building, *again)}
    stretches = stretches_of([*birds, *building, *again])
    found = attended_by_topic(stretches, FollowedTopic(query, ("crane",)), vectors)
    assert [stretch.event for stretch in found] == ["birds", "again"]


def test_somebody_quiet_is_followed_through_the_whole_conversation() -> None:
    lines = [
        line_row("We said this and that there", 3.0 * n, track="t1" if n % 2 else "t2", event="e1" if n < 6 else "e2") for n in range(12)
    ]
    lines += [line_row("I see", 17.8, track="t5", event="e1"), line_row("So do I", 35.8, track="t5", event="e2")]
    followed = attended_by_constraint(lines, Attended("speaker-5", speaker="speaker-5"))
    assert [len(stretch.lines) for stretch in followed] == [14]
