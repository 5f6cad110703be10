"""What is erased is nowhere any more, whatever selected it; what stays is whole."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.packets import NS_PER_S, TalkerBlock, Track
from pipeline.session import SessionReader
from pipeline.session_info import SessionDiskError
from stages.memory.erasing import erasure_proof
from stages.memory.erasing.erasure import STEPS, Erased
from stages.memory.erasing.erasure_plan import ErasureError, Selection, in_sector
from stages.memory.erasing.erasure_tables import ERASED_BY
from stages.memory.long_term_memory import LongTermMemory, MemoryInUse
from stages.memory.tables import schema
from stages.memory.vectors.vector_index import IndexKind
from tests.stages.memory.made import ENCODER, line, session_row
from tests.stages.memory.made_forgotten import LATER, SAID, SECRET, T0_NS, files_with, made, nap, opened, seconds_of
from tests.stages.memory.made_sounds import sound


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("memory")
    made(directory, sessions=("s1", "s2")).stop()
    return directory


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "memory"))


def between(start_s: float, end_s: float, session: str | None = "s1") -> Selection:
    start_ns, end_ns = seconds_of(start_s, end_s)
    return Selection(from_ns=T0_NS + start_ns, to_ns=T0_NS + end_ns, session=session)


def erased(memory: LongTermMemory, selection: Selection) -> Erased:
    done = memory.erasures.erase(memory.erasures.preview(selection).plan)
    assert done.proof.holds, done.proof.left
    return done


def texts(memory: LongTermMemory, session: str = "s1") -> list[str]:
    return [row.text for row in memory.lines(session)]


def recording(directory: Path, start_s: float, end_s: float, session: str = "s1") -> np.ndarray:
    with SessionReader(directory / "sessions" / session) as reader:
        return reader.read(round(start_s * 16000), round((end_s - start_s) * 16000))


def dump(directory: Path) -> str:
    database = sqlite3.connect(directory / "memory.sqlite")
    try:
        return "\n".join(database.iterdump())
    finally:
        database.close()


def test_every_table_of_a_memory_is_named_in_the_list_of_what_erasing_does(tmp_path: Path) -> None:
    opened(tmp_path).stop()
    database = sqlite3.connect(tmp_path / "memory.sqlite")
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    database.close()
    assert tables - set(ERASED_BY) == set(), "say in erasure_tables.py what erasing does to these, and do it in erasure_rows.py"
    assert set(ERASED_BY) - tables == {"vectors_next"}
    assert "2026-11 erasures" in [name for name, _ in schema.MIGRATIONS]


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf_sq8"])
def test_a_stretch_of_time_leaves_no_byte_of_its_words_and_the_rest_is_whole(tmp_path: Path, kind: IndexKind) -> None:
    memory = made(tmp_path, kind)
    assert "memory.sqlite" in files_with(tmp_path, "quagmire")
    line = next(row for row in memory.lines("s1") if row.text == SECRET)
    others = [text for text in texts(memory) if text != SECRET]
    near = next(row for row in memory.lines("s1") if row.text == SAID[3][0])
    clips = {path.name for path in (tmp_path / "clips").iterdir()}
    done = erased(memory, between(11.0, 14.5))
    assert done.rows["lines"] == 1
    assert done.rows["sounds"] == 1
    assert done.files == {"lines": 1, "clips": 4}
    assert done.recorded_s == pytest.approx(3.5)
    assert done.proof.n_texts == 3
    assert done.proof.n_files > 20
    assert texts(memory) == others
    assert line.id not in [hit.line for hit in memory.search_dense(ENCODER.encode([SECRET])[0], 10)]
    assert memory.search_words("quagmire", 5) == []
    assert not (tmp_path / str(line.clip)).exists()
    assert clips - {path.name for path in (tmp_path / "clips").iterdir()} == {
        # Those of a line within a second of the span are cut anew when they are asked for.
        name
        for name in clips
        if name.startswith((line.id, near.id))
    }
    assert not recording(tmp_path, 11.0, 14.5).any()
    assert recording(tmp_path, 10.0, 11.0).any(axis=1).all()
    assert recording(tmp_path, 14.5, 15.5).any(axis=1).all()
    assert ("forgotten", 11.0, 14.5) in [(gap.reason, gap.start_ns / NS_PER_S, gap.end_ns / NS_PER_S) for gap in memory.gaps("s1")]
    with SessionReader(tmp_path / "sessions" / "s1") as reader:
        assert any(gap.reason == "forgotten" and gap.pts_ns == 11 * NS_PER_S for gap in reader.gaps)
        assert reader.faults() == []
    with memory._database.reading() as connection:
        ((before,), (left,)) = connection.execute("SELECT line FROM prototype_lines ORDER BY line").fetchall()
        assert line.id not in (before, left)
        (vector,) = connection.execute("SELECT vector FROM prototypes").fetchone()
    mean = memory.vectors([before, left]).sum(axis=0)
    assert np.allclose(np.frombuffer(vector, dtype="<f4"), mean / np.linalg.norm(mean), atol=1e-6)
    (event,) = [row for row in memory.events("s1") if row.start_ns == 15 * NS_PER_S]
    assert event.summary == SAID[3][0]
    assert event.tracks == ("t2",)
    assert event.made_by == "forgetting"
    assert memory.check() == []
    nap(memory)
    assert memory.check() == []
    assert memory.examine().repairs == ()
    memory.stop()
    assert files_with(tmp_path, "quagmire", "zebra password", line.id) == []
    assert "quagmir" not in dump(tmp_path)
    assert all(line.id not in str(path) for path in tmp_path.rglob("*"))
    memory = opened(tmp_path, kind)
    assert memory.check() == []
    assert memory.examine().repairs == ()
    memory.stop()


def test_an_event_that_loses_all_its_lines_goes_and_so_does_its_episode(directory: Path) -> None:
    memory = opened(directory)
    names = [row.id for row in memory.events("s2", level=None)]
    assert len(names) == 3
    erased(memory, between(0.0, 9.0, "s2"))
    with memory._database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM prototypes").fetchone() == (1,)
    assert memory.events("s2", level=None) == []
    assert texts(memory, "s2") == []
    assert len(texts(memory)) == len(SAID)
    assert memory.check() == []
    memory.stop()
    assert not any(name in dump(directory) for name in names)


def test_a_person_goes_with_their_lines_voice_name_and_sound(directory: Path) -> None:
    memory = opened(directory)
    who = next(row.speaker for row in memory.lines("s1") if row.text == SECRET)
    memory.speakers.rename(str(who), "Wilhelmina")
    row = memory.speakers.find("Wilhelmina")
    done = erased(memory, Selection(speaker=row))
    assert done.rows["speakers"] == 1
    assert done.rows["line_voices"] == 4
    theirs = [text for text, _, _, _, number in (*SAID, *LATER) if number == 0]
    assert not set(theirs) & {*texts(memory), *texts(memory, "s2")}
    assert len(texts(memory)) == 3
    assert [other.name for other in memory.speakers.rows()] == ["speaker-2"]
    assert not recording(directory, 12.0, 14.0).any()
    assert recording(directory, 17.5, 19.0).any()
    assert not recording(directory, 2.0, 4.0, "s2").any()
    assert recording(directory, 6.5, 7.5, "s2").any()
    nap(memory)
    assert memory.check() == []
    memory.stop()
    assert files_with(directory, "Wilhelmina", "quagmire", "grandmother", str(row.id)) == []


def test_part_of_what_a_person_said_leaves_the_person_with_the_rest(directory: Path) -> None:
    memory = opened(directory)
    row = memory.speakers.find("speaker-1")
    start_ns, end_ns = seconds_of(0.0, 10.0)
    erased(memory, Selection(from_ns=T0_NS + start_ns, to_ns=T0_NS + end_ns, speaker=row, session="s1"))
    assert SAID[0][0] not in texts(memory)
    assert SAID[1][0] in texts(memory)
    assert SECRET in texts(memory)
    assert memory.speakers.find("speaker-1").n_lines == 3
    assert memory.check() == []
    memory.stop()


def test_a_sector_may_run_across_zero(directory: Path) -> None:
    memory = opened(directory)
    erased(memory, Selection(sector_deg=(350.0, 10.0), session="s1"))
    assert [text for text, *_ in SAID if text not in texts(memory)] == [SAID[4][0]]
    assert not recording(directory, 22.0, 24.0).any()
    assert recording(directory, 12.0, 14.0).any()
    assert memory.check() == []
    memory.stop()


@pytest.mark.parametrize(
    ("azimuth_deg", "sector_deg", "expected"),
    [
        (0.0, (350.0, 10.0), True),
        (-5.0, (350.0, 10.0), True),
        (20.0, (350.0, 10.0), False),
        (355.0, (-10.0, 10.0), True),
        (90.0, (30.0, 90.0), True),
        (91.0, (30.0, 90.0), False),
        (200.0, (0.0, 360.0), True),
        (200.0, (40.0, 40.0), False),
        (180.0, (170.0, -170.0), True),
    ],
)
def test_bearings_in_sectors(azimuth_deg: float, sector_deg: tuple[float, float], expected: bool) -> None:
    assert in_sector(azimuth_deg, sector_deg) == expected


def test_a_whole_session_goes_with_its_recording_and_those_heard_only_there(directory: Path) -> None:
    memory = opened(directory)
    done = erased(memory, Selection(session="s1"))
    assert done.rows["sessions"] == 1
    assert done.rows["lines"] == len(SAID)
    assert [row.id for row in memory.sessions()] == ["s2"]
    assert len(texts(memory, "s2")) == 2
    assert sorted(row.sessions for row in memory.speakers.rows()) == [("s2",), ("s2",)]
    assert not any((directory / name / "s1").exists() for name in ("sessions", "lines"))
    assert memory.check() == []
    erased(memory, Selection(session="s2"))
    assert memory.speakers.rows() == []
    assert memory.check() == []
    memory.stop()
    assert files_with(directory, "quagmire", "lighthouse", "grandmother", "s1-t", "s2-t") == []


def test_audio_of_others_is_silent_where_it_overlaps(tmp_path: Path) -> None:
    memory = made(tmp_path)
    kept = next(row for row in memory.lines("s1") if row.text == SAID[3][0])
    erased(memory, between(15.5, 16.0))
    assert kept.id not in [row.id for row in memory.lines("s1")]
    first = next(row for row in memory.lines("s1") if row.text == SAID[0][0])
    row = memory.speakers.find("speaker-2")
    assert row.n_lines == 2
    # The audio of the first line lasts until 4.2 s: it is cut where a span without lines begins.
    erased(memory, between(4.05, 5.0))
    samples, rate_hz = soundfile.read(tmp_path / str(first.clip))
    assert samples[: 2 * rate_hz].any()
    assert not samples[round(2.05 * rate_hz) :].any()
    assert first.id in [row.id for row in memory.lines("s1")]
    assert memory.check() == []
    memory.stop()


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_is_finished_when_the_memory_is_next_opened(directory: Path, step: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.stages.memory.made_forgotten", str(directory), step], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 9, done.stderr
    was_noted = step != "noted"
    memory = opened(directory)
    assert memory.erasures.finish() is None
    assert (SECRET in texts(memory)) != was_noted
    if was_noted:
        assert not recording(directory, 11.0, 14.5).any()
        assert memory.check() == []
    memory.stop()
    assert (files_with(directory, "quagmire") == []) == was_noted
    assert "erasures VALUES" not in dump(directory)


def test_a_reader_sees_a_memory_whose_erasure_was_cut_short(directory: Path) -> None:
    subprocess.run([sys.executable, "-m", "tests.stages.memory.made_forgotten", str(directory), "recordings"], check=False, timeout=60)
    reader = LongTermMemory(ENCODER, str(directory), read_only=True)
    reader.start()
    assert SECRET not in texts(reader)
    reader.stop()


def test_what_is_left_is_found_by_the_proof(directory: Path) -> None:
    memory = opened(directory)
    (directory / "notes.txt").write_text(f"somebody wrote down: quagmire, {memory.lines('s1')[2].id}")
    done = memory.erasures.erase(memory.erasures.preview(between(11.0, 14.5)).plan)
    assert len(done.proof.left) == 1
    assert "notes.txt: 2 of the erased texts" in done.proof.left[0]
    memory.stop()
    (directory / "notes.txt").unlink()
    opened(directory).stop()
    assert "erasures VALUES" not in dump(directory)


def test_the_proof_finds_sound_vectors_rows_and_audio_that_are_left(directory: Path) -> None:
    memory = opened(directory)
    plan = memory.erasures.preview(between(11.0, 14.5)).plan
    with memory._database.reading() as connection:
        traces = erasure_proof.traces_of(connection, plan)
    proof = memory.erasures._proof([plan], traces)
    told = "\n".join(proof.left)
    for part in ("table lines: 1 rows", "table event_lines, column line: 1 rows", "frames from 176000 on are not zero"):
        assert part in told
    memory.stop()


def test_audio_that_an_older_version_was_removing_is_found_by_the_proof_and_goes(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = opened(directory)
    for session in ("s1", "s2"):
        shutil.copytree(directory / "sessions" / session / "audio", directory / "sessions" / session / "audio.leaving")
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.recording_erasure.remove_renamed", lambda _: False)
        done = memory.erasures.erase(memory.erasures.preview(between(11.0, 14.5)).plan)
        assert done.proof.left == ["session s1: audio.leaving, audio that was to leave, is still there"]
    erased(memory, between(15.0, 16.0))
    assert list(directory.glob("sessions/*/audio.leaving")) == [directory / "sessions/s2/audio.leaving"]
    erased(memory, Selection(session="s2"))
    assert list(directory.glob("sessions/*/audio.leaving")) == []
    memory.stop()


def test_the_proof_finds_words_in_what_was_made_of_them_and_vectors_in_index_files(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = opened(directory)
    row = memory.lines("s1")[0]

    def retell(step: str) -> None:
        if step == "proof":
            with memory._database.writing() as connection:
                connection.execute("UPDATE events SET summary = ? WHERE level = 'episode'", (SECRET,))

    monkeypatch.setattr("stages.memory.erasing.erasure.Erasures._purge", lambda _self: None)
    told = "\n".join(memory.erasures.erase(memory.erasures.preview(between(11.0, 14.5)).plan, retell).proof.left)
    assert "memory.sqlite-wal: 3 of the erased texts, words or ids stand in it" in told
    assert f"{directory / 'index'}: 1 vectors" in told
    assert row.id not in told
    memory.stop()


def test_a_reader_that_keeps_the_old_state_is_told(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.memory.tables.database._BUSY_S", 0.1)
    memory = opened(directory)
    reader = sqlite3.connect(directory / "memory.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM lines").fetchone()
    with pytest.raises(MemoryInUse, match="a process that reads it keeps what was removed alive"):
        memory.erasures.erase(memory.erasures.preview(between(11.0, 14.5)).plan)
    reader.execute("COMMIT")
    reader.close()
    memory.stop()
    opened(directory).stop()
    assert files_with(directory, "quagmire") == []


def test_nothing_selected_and_times_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ErasureError, match="give at least one of"):
        Selection()
    with pytest.raises(ErasureError, match="--from must be before --to"):
        Selection(from_ns=5, to_ns=5)
    with pytest.raises(ErasureError, match=r"found 0..400"):
        Selection(sector_deg=(0.0, 400.0))


def test_what_fits_nothing_changes_nothing(directory: Path) -> None:
    memory = opened(directory)
    preview = memory.erasures.preview(between(100.0, 110.0))
    assert preview.plan.is_empty
    assert preview.n_lines == 0
    assert memory.erasures.erase(preview.plan) == Erased()
    assert len(texts(memory)) == len(SAID)
    memory.stop()


def test_turns_are_cut_and_talkers_without_any_leave(tmp_path: Path) -> None:
    memory = made(tmp_path)
    track = Track(name="t1", azimuth_deg=20.0)
    active = np.zeros((2, 30), dtype=bool)
    active[0, 1:9], active[1, 11:14] = True, True
    memory.talkers.add_block(
        "s1", TalkerBlock(pts_ns=0, duration_ns=30 * NS_PER_S, track=track, talkers=(0, 1), active=active, step_ns=NS_PER_S)
    )
    erased(memory, between(4.5, 20.0))
    turns = [(row.talker, row.start_ns / NS_PER_S, row.end_ns / NS_PER_S) for row in memory.talkers.turns("s1")]
    assert turns == [(0, 1.0, 4.5)]
    with memory._database.reading() as connection:
        assert connection.execute("SELECT talker FROM talkers").fetchall() == [(0,)]
    assert memory.check() == []
    memory.stop()


def test_a_person_loses_their_turns_alone(tmp_path: Path) -> None:
    memory = made(tmp_path)
    track = Track(name="t1", azimuth_deg=20.0)
    active = np.zeros((2, 30), dtype=bool)
    active[0, 8:10], active[1, 8:11] = True, True
    memory.talkers.add_block(
        "s1", TalkerBlock(pts_ns=0, duration_ns=30 * NS_PER_S, track=track, talkers=(0, 1), active=active, step_ns=NS_PER_S)
    )
    with memory._database.writing() as connection:
        for talker in (0, 1):
            connection.execute("UPDATE talkers SET speaker = ? WHERE talker = ?", (f"speaker-{talker + 1}", talker))
    erased(memory, Selection(speaker=memory.speakers.find("speaker-1")))
    assert [(row.talker, row.start_ns, row.end_ns) for row in memory.talkers.turns("s1")] == [(1, 8 * NS_PER_S, 11 * NS_PER_S)]
    assert not recording(tmp_path, 8.0, 10.0).any()
    assert recording(tmp_path, 10.0, 11.0).any()
    assert memory.check() == []
    memory.stop()


def test_groups_of_sounds_are_made_anew_and_numbers_are_not_given_twice(tmp_path: Path) -> None:
    memory = made(tmp_path)
    for start_s, seed in ((1.0, 7), (5.0, 7), (13.0, 7), (12.0, 8), (13.0, 8), (25.0, 9)):
        memory.sounds.add("s1", sound(None, start_s + seed / 100, seed=seed))
    assert [(row.id, row.n_heard) for row in memory.sounds.groups()] == [("sound-1", 3), ("sound-2", 2)]
    erased(memory, between(11.0, 14.5))
    assert [(row.id, row.n_heard) for row in memory.sounds.groups()] == [("sound-1", 2)]
    erased(memory, between(0.5, 6.0))
    memory.sounds.add("s1", sound(None, 27.0, seed=9))
    assert [(row.id, row.n_heard) for row in memory.sounds.groups()] == [("sound-1", 2)]
    assert memory.check() == []
    memory.stop()


def test_a_memory_that_is_being_encoded_anew_loses_the_new_vectors_too(directory: Path) -> None:
    memory = opened(directory)
    with memory._database.writing() as connection:
        connection.execute("CREATE TABLE vectors_next (n INTEGER PRIMARY KEY REFERENCES lines (n), vector BLOB NOT NULL) STRICT")
        connection.execute("INSERT INTO vectors_next (n, vector) SELECT n, vector FROM vectors")
    assert erased(memory, between(11.0, 14.5)).rows["vectors_next"] == 1
    memory.stop()


def test_a_full_disk_is_told_and_the_erasure_is_finished_later(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = opened(directory)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as then:
        then.setattr("pipeline.audio_folder.write_whole", full)
        with pytest.raises(SessionDiskError, match="s1"):
            memory.erasures.erase(memory.erasures.preview(between(11.0, 14.5)).plan)
    assert recording(directory, 11.0, 14.5).any()
    assert memory.erasures.erase(memory.erasures.preview(between(100.0, 101.0)).plan).proof.holds
    assert not recording(directory, 11.0, 14.5).any()
    assert memory.check() == []
    memory.stop()


def test_audio_that_cannot_be_read_goes_where_it_may_reach_into_a_span(directory: Path) -> None:
    memory = opened(directory)
    damaged = memory.lines("s1")[1]
    (directory / str(damaged.clip)).write_bytes(b"noise")
    erased(memory, between(11.0, 14.5))
    assert not (directory / str(damaged.clip)).exists()
    assert memory.lines("s1")[1].clip is None
    assert memory.check() == []
    memory.stop()


def test_a_memory_in_ram_forgets_too() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row("s1"))
    spoken = [line(text, start_s, 2.0, track, azimuth) for text, start_s, track, azimuth, _ in SAID]
    memory.add_lines("s1", spoken, 0)
    assert memory.search_words("quagmire", 5)
    erased(memory, between(11.0, 14.5))
    assert memory.search_words("quagmire", 5) == []
    assert len(texts(memory)) == len(SAID) - 1
    memory.stop()
