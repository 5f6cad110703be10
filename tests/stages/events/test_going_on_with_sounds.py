"""A session that is cut short has the events of one that was not, whatever had reached the memory: words, ends of packets, sounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, Event, Line, SoundEvent, Word, nanoseconds
from stages.events.surprise_with_sounds import SurpriseWithSounds
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.remember_sounds import RememberSounds
from tests.stages.events.talks import DOGS, FERRY, conversation
from tests.stages.memory.made import ENCODER, line, session_row
from tests.stages.memory.made_sounds import sound

Step = Line | SoundEvent
SETTINGS: dict[str, Any] = {"gamma": 0.2, "min_lines": 2, "silence_s": 15.0, "surprisal_ratio": 5.0}
DONE_NS = 10**15


def room(seed: int, n_lines: int = 30) -> list[Step]:
    """Lines of three people whose packets end after their last words, often with another's, and sounds: as two inputs are merged."""
    rng = np.random.default_rng(seed)
    texts = [text for _, text in (*DOGS, *FERRY)]
    lines: list[Line] = []
    free_s, end_ns = dict.fromkeys("abc", 0.0), 0
    for number in range(n_lines):
        track = "abc"[rng.integers(3 if number > 10 else 2)]
        start_s = max(free_s[track], end_ns / NS_PER_S - 1.0) + float(rng.choice([0.1, 0.5, 2.0]))
        start_s += 40.0 if rng.random() < 0.05 else 0.0
        heard = line(texts[(number // 6 * 5 + int(rng.integers(5))) % len(texts)], round(start_s, 3), 2.0, track=track)
        probabilities = rng.uniform(0.05 if rng.random() < 0.2 else 0.8, 1.0, len(heard.transcript.words))
        words = [Word(w.text, w.start_ns, w.end_ns, float(p)) for w, p in zip(heard.transcript.words, probabilities, strict=True)]
        free_s[track] = start_s + 2.2
        # A transcript never ends before one that left earlier.
        end_ns = max(end_ns, heard.end_ns + nanoseconds(float(rng.choice([0.0, 0.137]))))
        longer = end_ns - heard.pts_ns
        transcript = replace(heard.transcript, words=tuple(words), duration_ns=longer, confidence=float(rng.uniform(0.3, 1.0)))
        lines.append(replace(heard, transcript=transcript, duration_ns=longer))
    # Some end exactly when a line does.
    ends_s = sorted([*rng.uniform(1.0, end_ns / NS_PER_S, 10), *(lines[place].end_ns / NS_PER_S for place in rng.integers(8, n_lines, 6))])
    labels = ("Door", "Bell", "Cough", "Dog", "Music", "Siren", "Hammer", "Glass")
    sounds = [sound(labels[rng.integers(8)], round(float(end_s) - 0.5, 3), seed=3) for end_s in ends_s]
    return sorted([*lines, *sounds], key=lambda step: (step.end_ns, isinstance(step, SoundEvent)))


@dataclass
class Run:
    """A graph's part around the memory; each stage may be ahead of others, and `stop` says how far each had come."""

    memory: LongTermMemory

    def __post_init__(self) -> None:
        self.segment = SurpriseWithSounds(**SETTINGS, memory=self.memory)
        self.sounds = RememberSounds(self.memory)
        self.segment.start()
        self.sounds.start()

    def remember(self, step: Step) -> SoundEvent | None:
        """Store a step; the sound that is handed on."""
        if isinstance(step, SoundEvent):
            return next((emit.packet for emit in self.sounds.on_sound(step)), None)
        if f"s1-{step.transcript.key}" not in {row.id for row in self.memory.lines("s1")}:
            self.memory.add_lines("s1", [step], step.end_ns)
        return None

    def judge(self, step: Step, handed_on: SoundEvent | None, *, is_told: bool) -> list[Event]:
        """What the segmenter says to a step; with `is_told` it hears first that time has passed."""
        emits = list(self.segment.on_passed(step.end_ns)) if is_told else []
        if isinstance(step, SoundEvent):
            emits += self.segment.on_sound(handed_on) if handed_on is not None else ()
        else:
            emits += self.segment.on_line(step)
        assert all(emit.packet.end_ns >= self.segment.promise(0) for emit in emits)
        return [emit.packet for emit in emits]


def opened() -> LongTermMemory:
    memory = LongTermMemory(ENCODER, "")
    memory.start()
    memory.begin_session(session_row())
    return memory


def events(memory: LongTermMemory) -> list[tuple[Any, ...]]:
    with memory._database.reading() as connection:
        query = "SELECT id, start_ns, end_ns, ended_at_ns, reason, surprise, tracks, summary FROM events WHERE level = 'event' ORDER BY id"
        return [tuple(row) for row in connection.execute(query)]


def hear(memory: LongTermMemory, steps: list[Step], told: int = 0) -> None:
    """Everything from a step on, to the end; `told` says, bit by bit, before which steps time is told."""
    run = Run(memory)
    for place, step in enumerate(steps):
        handed_on = run.remember(step)
        memory.add_events("s1", run.judge(step, handed_on, is_told=bool(told >> place & 1)))
    memory.add_events("s1", [emit.packet for emit in (*run.segment.on_passed(DONE_NS), *run.segment.flush())])


def cut_short(memory: LongTermMemory, steps: list[Step], n_lines: int, n_sounds: int, n_judged: int, n_events: int) -> None:
    """A run in which each stage had come so far, in steps, when it was killed."""
    run = Run(memory)
    for place, step in enumerate(steps[: max(n_lines, n_sounds)]):
        is_stored = place < (n_sounds if isinstance(step, SoundEvent) else n_lines)
        handed_on = run.remember(step) if is_stored else None
        if place < n_judged:
            found = run.judge(step, handed_on, is_told=False)
            if place < n_events:
                memory.add_events("s1", found)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 44), ahead=st.tuples(*[st.integers(0, 9)] * 4), told=st.integers(0, 2**46))
def test_where_a_run_was_cut_short_cannot_be_seen_in_its_events(seed: int, cut: int, ahead: tuple[int, int, int, int], told: int) -> None:
    steps = room(seed)
    whole, memory = opened(), opened()
    hear(whole, steps)
    n_events = min(cut, len(steps))
    # What is judged is stored, and an event is stored after it was judged.
    n_judged = n_events + ahead[0]
    n_lines, n_sounds = n_judged + ahead[1], n_judged + ahead[2]
    cut_short(memory, steps, n_lines, n_sounds, n_judged, n_events)
    hear(memory, steps[max(0, min(n_lines, n_sounds) - ahead[3]) :], told)
    assert events(memory) == events(whole)
    for each in (whole, memory):
        assert all(row.event for row in each.lines("s1"))
        each.stop()


def test_the_rooms_of_these_tests_say_something_about_every_lane() -> None:
    told = set()
    for seed in range(6):
        memory = opened()
        hear(memory, room(seed))
        told |= {str(row[4]).split(":")[0].split(" ")[0] for row in events(memory)}
        assert any(row.heard_ns is not None for row in memory.lines("s1"))
        memory.stop()
    assert {"sound", "unlikely", "topic", "silence"} <= told


def doorbell() -> list[Step]:
    """A bell is step 19, and a phone, which ends with a line, step 25."""
    talk = conversation([*DOGS, *DOGS, *DOGS], 0.5)
    rung = [sound("Doorbell", talk[19].end_ns / NS_PER_S - 1.0), sound("Telephone", talk[23].end_ns / NS_PER_S - 0.5)]
    return sorted([*talk, *rung], key=lambda step: (step.end_ns, isinstance(step, SoundEvent)))


def hear_apart(memory: LongTermMemory, steps: list[Step], n_lines: int, n_sounds: int, n_judged: int) -> SurpriseWithSounds:
    """A stage that has its sounds from the room itself; `n_...` say how many steps of each kind are stored, and how many it hears."""
    stage = SurpriseWithSounds(gamma=0.5, min_lines=2, memory=memory)
    stage.start()
    for place, step in enumerate(steps):
        if isinstance(step, SoundEvent) and place < n_sounds:
            memory.sounds.add("s1", step)
        if isinstance(step, Line) and place < n_lines:
            memory.add_lines("s1", [step], step.end_ns)
        if place < n_judged:
            emits = list(stage.on_sound(step) if isinstance(step, SoundEvent) else stage.on_line(step))
            memory.add_events("s1", [emit.packet for emit in emits])
    return stage


@pytest.mark.parametrize(
    ("n_lines", "n_sounds", "n_judged", "again"),
    [(0, 0, 0, 0), (20, 20, 20, 14), (23, 20, 20, 12), (23, 19, 19, 12), (19, 25, 19, 12), (24, 26, 24, 12), (30, 30, 30, 18)],
)
def test_a_sound_before_a_crash_is_why_an_event_begins_after_it(n_lines: int, n_sounds: int, n_judged: int, again: int) -> None:
    steps, memory, whole = doorbell(), opened(), opened()
    hear_apart(memory, steps, n_lines, n_sounds, n_judged)
    for each, first in ((memory, again), (whole, 0)):
        left = steps[first:]
        each.add_events("s1", [emit.packet for emit in hear_apart(each, left, len(left), len(left), len(left)).flush()])
    assert events(memory) == events(whole)
    assert any(row[4].startswith("sound: Doorbell: ") for row in events(whole))
    for each in (memory, whole):
        each.stop()
