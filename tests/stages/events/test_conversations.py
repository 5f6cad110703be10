from __future__ import annotations

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, nanoseconds
from stages.events.conversations import Conversations, Group
from stages.events.spoken_line import SpokenLine, spoken
from tests.stages.events.talks import DOGS, FERRY, by_end, conversation, spoken_line


def groups(*names: str) -> tuple[Group, ...]:
    return tuple(frozenset(name.split()) for name in names)


def test_people_who_talk_at_the_same_time_are_not_of_one_conversation() -> None:
    conversations = Conversations()
    for line in by_end(conversation(DOGS, 0.5), conversation(FERRY, 1.2, turn_s=4.3)):
        conversations.take(spoken(line))
    assert conversations.groups == groups("anna ben", "clara david")
    assert conversations.group_of("ben") == frozenset({"anna", "ben"})


def test_people_who_take_turns_are_of_one() -> None:
    conversations = Conversations()
    for number in range(30):
        vector = np.eye(8, dtype=np.float32)[number % 8]
        conversations.take(spoken_line(f"{number}", f"t{number % 3}", number * 3.0, number * 3.0 + 2.8, vector))
    assert conversations.groups == groups("t0 t1 t2")


def test_a_word_in_between_breaks_no_conversation() -> None:
    conversations = Conversations()
    vector = np.eye(4, dtype=np.float32)[0]
    number = 0
    for turn in range(12):
        start = turn * 5.0
        speaker, listener = ("a", "b") if turn % 2 else ("b", "a")
        conversations.take(spoken_line(f"{number}", listener, start + 2.0, start + 2.4, vector, "Yes."))
        conversations.take(spoken_line(f"{number + 1}", speaker, start, start + 4.8, vector))
        number += 2
    assert conversations.groups == groups("a b")


def test_one_track_is_one_conversation() -> None:
    conversations = Conversations()
    for number in range(50):
        conversations.take(spoken_line(f"{number}", "t1", number, number + 0.9, np.eye(4, dtype=np.float32)[number % 4]))
    assert conversations.groups == groups("t1")


def test_people_who_went_long_ago_are_forgotten() -> None:
    conversations = Conversations()
    vector = np.eye(4, dtype=np.float32)[0]
    conversations.take(spoken_line("0", "a", 0, 1, vector))
    conversations.take(spoken_line("1", "b", 2, 3, vector))
    conversations.take(spoken_line("2", "c", 2000, 2001, vector))
    assert conversations.groups == groups("c")


def two_pairs(start_s: float, n_turns: int, rng: np.random.Generator, who: tuple[str, ...] = ("a b", "c d")) -> list[SpokenLine]:
    """Two people take turns, and beside them two others, each pair about a thing of its own."""
    lines = []
    for number, names in enumerate(who):
        at = start_s + rng.uniform(0.0, 2.0)
        for turn in range(n_turns):
            track = names.split()[turn % 2]
            vector = np.eye(8, dtype=np.float32)[4 * number + turn % 3]
            length = rng.uniform(2.0, 5.0)
            lines.append(spoken_line(f"{names}{at}", track, at, at + length, vector))
            at += length + rng.uniform(0.2, 1.0)
    return sorted(lines, key=lambda line: line.end_ns)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lull_s", [40.0, 80.0, 115.0, 200.0, 500.0])
def test_a_lull_makes_no_new_company(lull_s: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    conversations = Conversations()
    before = two_pairs(0.0, 16, rng)
    for line in before:
        conversations.take(line)
    assert conversations.groups == groups("a b", "c d")
    for line in two_pairs(before[-1].end_ns / NS_PER_S + lull_s, 16, rng):
        conversations.take(line)
        assert conversations.groups == groups("a b", "c d")


@pytest.mark.parametrize("seed", range(6))
def test_those_who_pause_come_back_to_their_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    conversations = Conversations()
    for line in two_pairs(0.0, 16, rng):
        conversations.take(line)
    for start_s, who in ((80.0, ("a b",)), (200.0, ("a b",)), (320.0, ("a b", "c d"))):
        for line in two_pairs(start_s, 24, rng, who):
            conversations.take(line)
            assert conversations.groups == groups("a b", "c d")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lull_s", [1.0, 60.0, 150.0])
def test_who_comes_back_in_other_company_is_known_to_within_a_minute(lull_s: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    conversations = Conversations()
    before = two_pairs(0.0, 16, rng)
    for line in before:
        conversations.take(line)
    start_s = before[-1].end_ns / NS_PER_S + lull_s
    for line in two_pairs(start_s, 40, rng, ("a c", "b d")):
        conversations.take(line)
        if line.end_ns > nanoseconds(start_s + 100.0):
            assert conversations.groups == groups("a c", "b d")
