from __future__ import annotations

import numpy as np

from stages.events.conversations import Conversations, Group
from stages.events.spoken_line import spoken
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
