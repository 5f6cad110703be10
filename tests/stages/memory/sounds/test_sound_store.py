"""Sounds in the memory: stored once, grouped, named, seen as of a moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, SoundEvent
from pipeline.testing import run_stage
from stages.memory.long_term_memory import LongTermMemory, MemoryError_
from stages.memory.remember_sounds import RememberSounds
from stages.memory.sounds.sound_store import SoundGroupRow, SoundNameError
from tests.stages.memory.made import ENCODER, STARTED_AT, session_row
from tests.stages.memory.made_older import made_older
from tests.stages.memory.made_sounds import sound


def opened(directory: Path | str = "", session: str | None = "s1", *, read_only: bool = False) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory), read_only=read_only)
    memory.start()
    if session is not None:
        memory.begin_session(session_row(session))
    return memory


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    made = opened()
    yield made
    assert made.check() == []
    made.stop()


def told(memory: LongTermMemory, session: str | None = None) -> list[tuple[float, str]]:
    return [(row.start_ns / NS_PER_S, row.label) for row in memory.sounds.rows(session)]


def test_sounds_come_back_with_their_times_and_bearings_once(memory: LongTermMemory) -> None:
    door = sound("Door", 4.0, azimuth_deg=None)
    for _ in range(2):
        run_stage(RememberSounds(memory), {"sound": [sound("Telephone", 1.0, 2.5), door]})
    assert memory.sounds.add("s1", door) is False
    first, second = memory.sounds.rows()
    assert (first.id, first.session, first.start_ns, first.end_ns) == ("s1-telephone-00001000", "s1", NS_PER_S, 3_500_000_000)
    assert (first.label, first.score, first.azimuth_deg, first.elevation_deg, first.group) == ("Telephone", 0.8, 40.0, None, None)
    assert (second.label, second.azimuth_deg) == ("Door", None)
    assert [row.label for row in memory.sounds.rows("s1", start_ns=NS_PER_S, end_ns=2 * NS_PER_S)] == ["Telephone"]
    assert memory.sounds.rows("other") == []


def test_an_unknown_sound_shows_itself_when_it_recurs_and_keeps_its_number(memory: LongTermMemory) -> None:
    memory.sounds.add("s1", sound(None, 1.0, seed=1))
    memory.sounds.add("s1", sound(None, 2.0, seed=2))
    assert told(memory) == []
    memory.sounds.add("s1", sound(None, 3.0, seed=2, noise=0.3))
    assert told(memory) == [(2.0, "sound-1"), (3.0, "sound-1")]
    memory.sounds.add("s1", sound(None, 4.0, seed=1, noise=0.3))
    assert told(memory) == [(1.0, "sound-2"), (2.0, "sound-1"), (3.0, "sound-1"), (4.0, "sound-2")]
    assert memory.sounds.groups() == [SoundGroupRow("sound-1", None, 2), SoundGroupRow("sound-2", None, 2)]


def test_a_name_holds_for_the_past_and_for_other_sessions_to_come(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.sounds.add("s1", sound(None, 1.0, seed=1))
    memory.sounds.add("s1", sound(None, 5.0, seed=1, noise=0.3))
    assert memory.sounds.name("sound-1", "  the   dishwasher ") == [SoundGroupRow("sound-1", "the dishwasher", 2)]
    memory.stop()
    again = opened(tmp_path, "s2")
    again.sounds.add("s2", sound(None, 2.0, seed=1, noise=0.4))
    assert told(again, "s1") == [(1.0, "the dishwasher"), (5.0, "the dishwasher")]
    assert told(again, "s2") == [(2.0, "the dishwasher")]
    assert again.sounds.name("the dishwasher", "washing up")[0].name == "washing up"
    assert {row.group for row in again.sounds.rows()} == {"sound-1"}
    reader = opened(tmp_path, None, read_only=True)
    assert [row.label for row in reader.sounds.rows()] == ["washing up"] * 3
    assert again.check() == []
    reader.stop()
    again.stop()


def test_names_that_cannot_be_are_refused(memory: LongTermMemory) -> None:
    with pytest.raises(SoundNameError, match=r"group of sounds 'sound-1' is not in this memory; there are 0 groups"):
        memory.sounds.name("sound-1", "fan")
    for start_s, seed in ((1.0, 1), (2.0, 2), (3.0, 1), (4.0, 2)):
        memory.sounds.add("s1", sound(None, start_s, seed=seed))
    with pytest.raises(SoundNameError, match=r"'sound-3' is not in this memory; did you mean sound-[12]"):
        memory.sounds.name("sound-3", "fan")
    for name, said in (
        ("  ", "name '  ': a name must have 1 to 80 printable characters, such as 'Anna' or 'coffee machine'"),
        ("fan\x1b[2J", "a name must have 1 to 80 printable characters"),
        ("x" * 81, r"\.\.\. \(81 characters\): a name must have 1 to 80 printable characters"),
        ("sound-2", "name 'sound-2': names of this form are given out by Echoic itself; give sound-1 another one"),
        ("Sound-7", "names of this form are given out by Echoic itself"),
        ("speaker 3", "names of this form are given out by Echoic itself"),
    ):
        with pytest.raises(SoundNameError, match=said):
            memory.sounds.name("sound-1", name)
    assert [group.name for group in memory.sounds.groups()] == [None, None]
    assert memory.sounds.name("sound-1", " sound-1 ")[0].name == "sound-1"
    memory.sounds.name("sound-1", "fan")
    memory.sounds.name("sound-2", "fan")
    assert {label for _, label in told(memory)} == {"fan"}
    assert len(memory.sounds.name("fan", "big fan")) == 2


def test_as_of_a_moment_nothing_later_is_known(memory: LongTermMemory) -> None:
    memory.sounds.add("s1", sound(None, 1.0, seed=1))
    memory.sounds.add("s1", sound("Door", 2.0))
    memory.sounds.add("s1", sound(None, 3.0, seed=1))
    assert [row.label for row in memory.sounds.rows(at=STARTED_AT + timedelta(seconds=2.4))] == []
    assert [row.label for row in memory.sounds.rows(at=STARTED_AT + timedelta(seconds=2.6))] == ["Door"]
    assert len(memory.sounds.rows(at=STARTED_AT + timedelta(seconds=3.6))) == 3
    memory.correct_start("s1", STARTED_AT + timedelta(hours=1))
    assert memory.sounds.rows(at=STARTED_AT + timedelta(minutes=30)) == []


def test_a_run_that_goes_on_after_a_crash_doubles_no_sound(tmp_path: Path) -> None:
    whole = [sound("Door", 1.0), sound(None, 4.0, seed=1), sound("Music", 6.0, 9.0), sound(None, 18.0, seed=1), sound("Door", 20.0)]
    memory = opened(tmp_path)
    run_stage(RememberSounds(memory), {"sound": whole[:3]})
    memory.stop()
    again = opened(tmp_path)
    # Heard again from the middle of the music: it seems to begin later.
    late: list[SoundEvent] = [sound(None, 4.0, seed=1), sound("Music", 8.0, 7.0), *whole[3:]]
    run_stage(RememberSounds(again), {"sound": late})
    assert told(again) == [(1.0, "Door"), (4.0, "sound-1"), (6.0, "Music"), (18.0, "sound-1"), (20.0, "Door")]
    assert again.sounds.groups() == [SoundGroupRow("sound-1", None, 2)]
    assert again.check() == []
    again.stop()


def test_a_session_is_needed(tmp_path: Path) -> None:
    memory = opened(tmp_path, None)
    with pytest.raises(MemoryError_, match="nothing can be remembered yet: begin_session"):
        RememberSounds(memory).start()
    with pytest.raises(MemoryError_, match="session 'nowhere' is not in this memory"):
        memory.sounds.add("nowhere", sound("Door", 1.0))
    memory.stop()


def test_a_memory_of_before_there_were_sounds_gets_their_tables(tmp_path: Path) -> None:
    made_older(tmp_path, "2026-11 sounds", [])
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sounds'").fetchone() is None
    memory = opened(tmp_path)
    assert memory.sounds.add("s1", sound("Door", 1.0)) is True
    assert told(memory) == [(1.0, "Door")]
    memory.stop()


def test_an_id_means_its_group_even_where_an_older_memory_gave_the_id_as_a_name(memory: LongTermMemory) -> None:
    for start_s, seed in ((1.0, 1), (2.0, 2), (3.0, 1), (4.0, 2)):
        memory.sounds.add("s1", sound(None, start_s, seed=seed))
    with memory._database.writing() as connection:
        connection.execute("UPDATE sound_groups SET name = 'sound-2' WHERE id = 'sound-1'")
    assert [row.id for row in memory.sounds.name("sound-2", "fan")] == ["sound-2"]
    assert [(row.id, row.name) for row in memory.sounds.groups()] == [("sound-1", "sound-2"), ("sound-2", "fan")]


def test_a_sound_with_numbers_that_are_not_finite_is_refused_and_moves_no_group(memory: LongTermMemory) -> None:
    memory.sounds.add("s1", sound(None, 1.0, seed=1))
    memory.sounds.add("s1", sound(None, 2.0, seed=1))
    broken = sound(None, 3.0, seed=1)
    for vector in (np.full(1024, np.nan, dtype=np.float32), broken.embedding[:7].copy()):
        with pytest.raises(MemoryError_, match="the embedding of sound s1-sound-00003000 must be finite, shape \\(1024,\\)"):
            memory.sounds.add("s1", replace(broken, embedding=vector))
    memory.sounds.add("s1", sound(None, 4.0, seed=1))
    assert [group.n_heard for group in memory.sounds.groups()] == [3]
