from __future__ import annotations

import numpy as np

from stages.recall.stretches import stretches_of, topic_stretches, within, without_copies
from tests.stages.recall.line_rows import line_row

WORDS = "so we talked about this for a good long while"
# A conversation of two topics, cut into events elsewhere; the third speaks beside it.
TALK = [line_row(WORDS, 5.0 * n, track="t1" if n % 2 else "t2", event="e1" if n < 4 else "e2") for n in range(12)]
BESIDE = [line_row(WORDS, 5.0 * n + 1.0, track="t3", event="e3") for n in range(4)]
DOGS, CARS, BREAD = np.eye(3, 8, dtype=np.float32)
VECTORS = {
    **{line.id: DOGS if n < 6 else CARS for n, line in enumerate(TALK)},
    **{line.id: BREAD for line in BESIDE},
}


def test_talk_is_grouped_by_topic_and_not_by_the_events_it_was_cut_into() -> None:
    found = topic_stretches([*TALK, *BESIDE], VECTORS)
    assert [(stretch.event, stretch.lines) for stretch in found] == [
        ("e1", tuple(TALK[:6])),
        ("e3", tuple(BESIDE)),
        ("e2", tuple(TALK[6:])),
    ]
    assert [(stretch.start_ns, stretch.end_ns) for stretch in found[:1]] == [(TALK[0].start_ns, TALK[5].end_ns)]
    assert topic_stretches([], {}) == []


def test_talk_without_vectors_is_grouped_by_event() -> None:
    faded = {line.id: np.zeros(8, dtype=np.float32) for line in TALK}
    assert topic_stretches(TALK, faded) == stretches_of(TALK)


def test_only_what_is_kept_stays_of_stretches() -> None:
    whole = topic_stretches([*TALK, *BESIDE], VECTORS)
    kept = within(whole, {line.id for line in TALK[4:8]})
    assert [stretch.lines for stretch in kept] == [tuple(TALK[4:6]), tuple(TALK[6:8])]
    assert [(stretch.start_ns, stretch.end_ns) for stretch in kept] == [
        (TALK[4].start_ns, TALK[5].end_ns),
        (TALK[6].start_ns, TALK[7].end_ns),
    ]
    assert within(whole, {line.id for line in (*TALK, *BESIDE)}) == whole


def test_two_stretches_of_one_event_are_both_told_and_those_of_its_copy_are_not() -> None:
    one, other = stretches_of(TALK)
    first, second = within([one], {TALK[0].id}) + within([one], {TALK[1].id})
    assert without_copies([first, second, other], {"e2": "e1"}.get) == [first, second]
