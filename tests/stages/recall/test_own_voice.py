from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.own_voice import followed_by_voice, is_mine, turn_score
from stages.recall.stretches import stretches_of
from tests.stages.recall.line_rows import line_row


def spoken(track: str, speaker: str, start_s: float, end_s: float, event: str | None = None) -> LineRow:
    words = "word " * max(1, round((end_s - start_s) / 0.4))
    return line_row(words.strip(), start_s, track=track, speaker=speaker, event=event)


def dialogue(
    generator: np.random.Generator, people: tuple[tuple[str, str], ...], until_s: float, event: str | None = None
) -> list[LineRow]:
    """Turns of 1 to 6 s with pauses of -0.3 to 1.2 s between them; the next one is anybody else."""
    lines, time_s, last = [], float(generator.uniform(0.0, 3.0)), -1
    while time_s < until_s:
        last = int(generator.choice([place for place in range(len(people)) if place != last]))
        track, speaker = people[last]
        line = spoken(track, speaker, time_s, time_s + float(generator.uniform(1.0, 6.0)), event)
        lines.append(line)
        time_s = line.end_ns / 1e9 + float(generator.uniform(-0.3, 1.2))
    return lines


def length_ns(lines: Iterable[LineRow]) -> int:
    return sum(line.end_ns - line.start_ns for line in lines)


@pytest.mark.parametrize("name", ["me", "Me", "I", "MYSELF"])
def test_who_asks_is_known_by_name(name: str) -> None:
    assert is_mine(spoken("t1", name, 0, 1))
    assert not is_mine(spoken("t1", f"{name}r", 0, 1))


def test_turns_that_alternate_score_high_and_speech_at_once_scores_low() -> None:
    seconds = [(0.0, 4.0), (8.0, 12.0), (16.0, 20.0)]
    mine = [(nanoseconds(start), nanoseconds(end)) for start, end in seconds]
    answers = [(end + nanoseconds(0.4), end + nanoseconds(3.6)) for _, end in mine]
    assert turn_score(mine, answers) == pytest.approx(1.0)
    assert turn_score(mine, mine) == pytest.approx(-2.0)
    assert turn_score(mine, [(nanoseconds(40.0), nanoseconds(44.0))]) == 0.0
    assert turn_score(mine, []) == turn_score([], mine) == 0.0


def test_an_event_that_is_shared_counts_wholly_and_a_stray_line_in_another_does_not_make_it_mine() -> None:
    own = [spoken("t1", "me", 0, 3, "e1"), spoken("t2", "Bob", 3.4, 6, "e1"), spoken("t2", "Bob", 7, 9, "e1")]
    other = [spoken("t3", "Carl", 0.5 + 4 * n, 3.5 + 4 * n, "e2") for n in range(6)] + [spoken("t1", "me", 6.4, 7, "e2")]
    found = followed_by_voice(stretches_of([*own, *other]))
    assert [(stretch.event, stretch.tracks) for stretch in found] == [("e1", ("t2", "t1")), (None, ("t1",))]


def test_where_nobody_answers_it_is_ones_own_voice_alone() -> None:
    calls = [spoken("t1", "me", 5.0 * n, 5.0 * n + 3) for n in range(5)]
    over = [spoken("t2", "Bob", 5.0 * n + 0.2, 5.0 * n + 2.8) for n in range(5)]
    assert [stretch.tracks for stretch in followed_by_voice(stretches_of([*calls, *over]))] == [("t1",)]


def test_without_my_voice_nothing_was_followed() -> None:
    assert followed_by_voice(stretches_of([spoken("t2", "Bob", 0, 3, "e"), spoken("t3", "Carl", 1, 4)])) == []
    assert followed_by_voice([]) == []


@pytest.mark.parametrize(("partners", "least"), [((("t2", "Bob"),), 0.95), ((("t2", "Bob"), ("t5", "Eve")), 0.8)])
def test_of_two_talks_at_once_the_partners_are_found_by_turns_alone(partners: tuple[tuple[str, str], ...], least: float) -> None:
    """In 60 random rooms without events: partners most of the time, hardly ever one of the others."""
    found = all_theirs = strange = all_strange = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        mine = dialogue(generator, (("t1", "me"), *partners), 60.0)
        others = dialogue(generator, (("t3", "Carl"), ("t4", "Dora")), 60.0)
        followed = followed_by_voice(stretches_of([*mine, *others]))
        lines = {line.id for stretch in followed for line in stretch.lines}
        theirs = [line for line in mine if line.track != "t1"]
        all_theirs += length_ns(theirs)
        found += length_ns(line for line in theirs if line.id in lines)
        all_strange += length_ns(others)
        strange += length_ns(line for line in others if line.id in lines)
        assert all(line.id in lines for line in mine if line.track == "t1")
    assert found / all_theirs >= least
    assert strange / all_strange <= 0.02
