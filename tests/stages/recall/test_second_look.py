"""A doubtful line is heard again, from its audio or by a new beam out of the recording, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.offline_beams import offline_beams
from models.whisper_folder import WhisperFolderError
from pipeline.geometry import load_array
from pipeline.packets import NS_PER_S
from pipeline.session import SessionWriter
from pipeline.session_info import SessionInfo
from stages.answer.extractive import Extractive
from stages.memory import line_audio
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow, WordRow
from stages.memory.second_looks import look_files
from stages.memory.second_looks.look import Look
from stages.recall.answer_parts import Draft, Final
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.second_look import SecondLook, SecondLookError
from tests.models.made_whisper import linked_whisper, made_whisper
from tests.sound_fields import clip, room, si_sdr_db

RATE_HZ = 16000
NAME, SAID = "asterisk_agent-newlocation", "Please enter a new extension, followed by Pound."
MISHEARD = "Please enter a new extinction, followed by pound."
OTHER = "asterisk_agent-user"
STARTED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ENCODER = HashedWords()
NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


def misheard(length_ns: int, *, doubtful: bool = True, clip_path: str | None = None, azimuth_deg: float | None = 40.0) -> LineRow:
    spoken = MISHEARD.split()
    borders = [place * length_ns // len(spoken) for place in range(len(spoken) + 1)]
    words = tuple(
        WordRow(word, borders[place], borders[place + 1], 0.2 if doubtful and "extinction" in word else 0.9)
        for place, word in enumerate(spoken)
    )
    return LineRow(
        "s1-t1-00000000", "s1", "t1", 0, length_ns, azimuth_deg, None, None, MISHEARD, words, 0.5 if doubtful else 0.9, "en", clip=clip_path
    )


def remembered(directory: Path, row: LineRow) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory))
    memory.start()
    memory.begin_session(SessionRow("s1", "room.flac", STARTED_AT, 0, "uma8", complete=False))
    memory.add_rows("s1", [row], ENCODER.encode([row.text]), row.end_ns)
    memory.finish_session("s1", row.end_ns)
    return memory


def with_audio(directory: Path, shared: Path, *, doubtful: bool = True) -> LongTermMemory:
    samples = clip(shared, NAME)
    path = line_audio.clip_path("s1", "t1-00000000")
    row = misheard(len(samples) * NS_PER_S // RATE_HZ, doubtful=doubtful, clip_path=path)
    memory = LongTermMemory(ENCODER, str(directory))
    memory.start()
    checksum = line_audio.save(directory, path, samples, RATE_HZ)
    memory.begin_session(SessionRow("s1", "room.flac", STARTED_AT, 0, "uma8", complete=False))
    memory.add_rows("s1", [row], ENCODER.encode([row.text]), row.end_ns, audio={row.id: checksum})
    memory.finish_session("s1", row.end_ns)
    return memory


def test_an_answer_quotes_what_was_heard_again_and_says_what_it_seemed_to_be(tmp_path: Path, shared: Path, weights: Path) -> None:
    del weights
    memory = with_audio(tmp_path, shared)
    recall = HybridRecall(memory, ENCODER, Extractive(), SecondLook(memory))
    parts = list(recall.ask_stream("What did they say about the pound?", now=NOW))
    draft, final = parts[0], parts[-1]
    assert isinstance(draft, Draft)
    assert isinstance(final, Final)
    assert draft.answer.claims[0].evidence[0].text == MISHEARD
    (evidence,) = final.answer.claims[0].evidence
    assert (evidence.text, evidence.first_heard) == (SAID, MISHEARD)
    assert SAID in final.answer.text
    assert MISHEARD not in final.answer.text
    assert evidence.to_json()["first_heard"] == MISHEARD
    look = look_files.kept(tmp_path, "s1-t1-00000000", MISHEARD)
    assert look is not None
    assert (look.sound, look.made_by) == ("line audio", "SecondLook whisper-base beam 5")
    assert [row.text for row in memory.lines("s1")] == [MISHEARD]
    memory.stop()


def test_what_is_kept_is_not_heard_again(tmp_path: Path, shared: Path, weights: Path) -> None:
    del weights
    memory = with_audio(tmp_path, shared)
    first = SecondLook(memory).looks(["s1-t1-00000000"])
    # Without its audio the line cannot be heard a second time.
    (tmp_path / line_audio.clip_path("s1", "t1-00000000")).write_bytes(b"")
    assert SecondLook(memory).looks(["s1-t1-00000000"]) == first
    assert first["s1-t1-00000000"].is_news
    look_files.remove(tmp_path, "s1-t1-00000000")
    assert SecondLook(memory).looks(["s1-t1-00000000"]) == {}
    (tmp_path / line_audio.clip_path("s1", "t1-00000000")).unlink()
    with memory._database.writing() as connection:
        connection.execute("UPDATE lines SET clip = NULL")
    memory.stop()


def test_a_model_in_a_folder_of_ones_own_hears_the_same(tmp_path: Path, shared: Path, weights: Path) -> None:
    own = linked_whisper(tmp_path / "large", weights / "whisper-base")
    memory = with_audio(tmp_path / "memory", shared)
    second = SecondLook(memory, model=str(own))
    second.start()
    (look,) = second.looks(["s1-t1-00000000"]).values()
    second.stop()
    assert (look.text, look.first_text) == (SAID, MISHEARD)
    assert look.made_by == "SecondLook large (145217532 bytes) beam 5"
    look_files.remove(tmp_path / "memory", look.line)
    (theirs,) = SecondLook(memory).looks(["s1-t1-00000000"]).values()
    assert replace(theirs, made_by=look.made_by) == look
    memory.stop()


def test_what_another_model_heard_is_heard_anew_once(tmp_path: Path, shared: Path, weights: Path) -> None:
    own = linked_whisper(tmp_path / "large", weights / "whisper-base")
    memory = with_audio(tmp_path / "memory", shared)
    line, root = "s1-t1-00000000", tmp_path / "memory"
    words = memory.lines(ids=[line])[0].words
    small = Look(line, "Please enter a new exception.", words, 0.99, MISHEARD, "line audio", "SecondLook whisper-tiny beam 5", "0.1")
    look_files.keep(root, small)
    # A look is anew whatever the other model thought of itself; first_text is what the tables say, not what was heard in between.
    (anew,) = SecondLook(memory).looks([line]).values()
    assert (anew.text, anew.first_text, anew.made_by) == (SAID, MISHEARD, "SecondLook whisper-base beam 5")
    assert look_files.kept(root, line, MISHEARD) == anew
    marked = replace(anew, text="Kept as it is.")
    look_files.keep(root, marked)
    assert SecondLook(memory).looks([line]) == {line: marked}
    assert SecondLook(memory, model=str(own)).looks([line])[line].text == SAID
    # Where the sound has left, the last look there is stays.
    kept = look_files.kept(root, line, MISHEARD)
    (root / line_audio.clip_path("s1", "t1-00000000")).write_bytes(b"")
    assert SecondLook(memory).looks([line]) == {line: kept}
    with memory._database.writing() as connection:
        connection.execute("UPDATE lines SET clip = NULL")
    (root / line_audio.clip_path("s1", "t1-00000000")).unlink()
    memory.stop()


def test_no_more_lines_are_heard_anew_than_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [replace(misheard(3 * NS_PER_S), id=f"s1-t1-{number}", start_ns=number, end_ns=3 * NS_PER_S + number) for number in range(4)]
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(SessionRow("s1", "room.flac", STARTED_AT, 0, "uma8", complete=False))
    memory.add_rows("s1", rows, ENCODER.encode([row.text for row in rows]), rows[-1].end_ns)
    memory.finish_session("s1", rows[-1].end_ns)
    ids = [row.id for row in rows]
    for row in rows[:3]:
        look_files.keep(tmp_path, Look(row.id, SAID, row.words, 0.9, MISHEARD, "beam", "SecondLook whisper-tiny beam 5", "0.1"))
    tried: list[str] = []

    def sound(_second: SecondLook, _root: Path, line: LineRow) -> tuple[str, int, np.ndarray, int] | None:
        tried.append(line.id)
        # Of the first line no sound is left, and it takes nobody's place.
        return None if line.id == ids[0] else ("beam", line.start_ns, np.zeros(RATE_HZ, np.float32), RATE_HZ)

    monkeypatch.setattr(SecondLook, "_sound", sound)
    monkeypatch.setattr(SecondLook, "_transcript", lambda *_: None)
    found = SecondLook(memory, most_lines=2).looks(ids)
    assert tried == ids[:3]
    base, tiny = "SecondLook whisper-base beam 5", "SecondLook whisper-tiny beam 5"
    assert [look.made_by for look in found.values()] == [tiny, base, base]
    assert list(found) == ids[:3]
    memory.stop()


def test_a_model_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    memory = LongTermMemory(ENCODER, str(tmp_path))
    SecondLook(memory).start()
    (tmp_path / "large").mkdir()
    with pytest.raises(WhisperFolderError, match=r"large lacks model\.bin, config\.json, tokenizer\.json, vocabulary\.json"):
        SecondLook(memory, model=str(tmp_path / "large")).start()
    with pytest.raises(WhisperFolderError, match="model 'whisper-bose': there is no such folder"):
        SecondLook(memory, model="whisper-bose").start()


def test_a_model_that_does_not_load_leaves_the_line_and_is_tried_once(
    tmp_path: Path, shared: Path, weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = made_whisper(tmp_path / "small.en", weights / "whisper-base", english_only=True)
    memory = with_audio(tmp_path / "memory", shared)
    second = SecondLook(memory, language="de", model=str(folder))
    second.start()
    assert [second.looks(["s1-t1-00000000"]) for _ in range(2)] == [{}, {}]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"line s1-t1-00000000 cannot be heard again: the Whisper model in {folder} knows English only, so language must be 'en', found 'de'"
    ]
    memory.stop()


def test_a_recogniser_that_fails_on_the_way_leaves_the_line(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("CUDA failed with error out of memory")

    memory = with_audio(tmp_path, shared)
    monkeypatch.setattr(SecondLook, "_transcript", fail)
    assert SecondLook(memory).looks(["s1-t1-00000000"]) == {}
    assert caplog.messages[-1] == "line s1-t1-00000000 cannot be heard again: CUDA failed with error out of memory"
    assert look_files.lines_looked_at(tmp_path) == []
    memory.stop()


def test_memory_is_that_of_the_model(tmp_path: Path) -> None:
    memory = LongTermMemory(ENCODER, str(tmp_path))
    with (tmp_path / "model.bin").open("wb") as file:
        file.truncate(3_000_000_000)
    assert SecondLook(memory, model=str(tmp_path)).memory_bytes() > 3_000_000_000 > 5 * SecondLook(memory).memory_bytes()


@pytest.mark.gpu
def test_a_gpu_hears_the_same(tmp_path: Path, shared: Path, weights: Path) -> None:
    del weights
    memory = with_audio(tmp_path, shared)
    (look,) = SecondLook(memory, device="cuda:0").looks(["s1-t1-00000000"]).values()
    assert look.text == SAID
    memory.stop()


def test_without_its_own_audio_a_new_beam_is_made_out_of_the_recording(tmp_path: Path, shared: Path, weights: Path) -> None:
    del weights
    array = load_array("uma8")
    scene = room(array, [(40.0, clip(shared, NAME), 0.0), (150.0, clip(shared, OTHER), 0.0)], rt60_s=0.2)
    writer = SessionWriter(tmp_path / "sessions" / "s1", SessionInfo(id="s1", source="room.flac", array=array, started_at=STARTED_AT))
    writer.append(scene.mix)
    writer.finish()
    memory = remembered(tmp_path, misheard(len(clip(shared, NAME)) * NS_PER_S // RATE_HZ))
    (look,) = SecondLook(memory).looks(["s1-t1-00000000"]).values()
    assert (look.sound, look.first_text) == ("beam", MISHEARD)
    assert "extension" in look.text
    memory.stop()


def test_a_sure_line_one_without_sound_and_one_without_words_are_left(tmp_path: Path, shared: Path) -> None:
    sure = with_audio(tmp_path / "sure", shared, doubtful=False)
    silent = remembered(tmp_path / "silent", misheard(3 * NS_PER_S))
    imported = remembered(tmp_path / "imported", LineRow("s1-t1-00000000", "s1", "t1", 0, 5, None, None, None, "so", (), 0.1, "en"))
    for memory in (sure, silent, imported):
        assert SecondLook(memory).looks(["s1-t1-00000000"]) == {}
        assert look_files.lines_looked_at(Path(memory.directory)) == []
        memory.stop()


def test_settings_out_of_their_range_are_refused(tmp_path: Path) -> None:
    memory = LongTermMemory(ENCODER, str(tmp_path))
    with pytest.raises(SecondLookError) as refused:
        SecondLook(memory, doubtful_word=1.5)
    with pytest.raises(SecondLookError, match="SecondLook: language 'klingon' is not known; allowed are auto, af, am, ar"):
        SecondLook(memory, language="klingon")
    assert str(refused.value) == (
        "SecondLook: doubtful_word 1.5, doubtful_line 0.6, most_lines 2, n_threads 2: the first two must be 0 to 1, the others at least 1"
    )


def test_offline_beams_separate_and_keep_the_time(shared: Path) -> None:
    array = load_array("uma8")
    scene = room(array, [(40.0, clip(shared, NAME), 0.0), (150.0, clip(shared, OTHER), 0.0)], rt60_s=0.2)
    beams = offline_beams(array.positions, scene.mix, RATE_HZ, {"a": (40.0, None), "b": (150.0, None)}, array.reference)
    for place, name in enumerate(("a", "b")):
        talker = scene.images[place, array.reference]
        assert beams[name].shape == talker.shape
        assert beams[name].dtype == np.float32
        assert si_sdr_db(beams[name], talker) > si_sdr_db(scene.mix[array.reference], talker) + 6.0


@pytest.mark.parametrize(("n_passes", "n_channels"), [(0, 7), (1, 6)])
def test_offline_beams_refuse_what_does_not_fit(n_passes: int, n_channels: int) -> None:
    array = load_array("uma8")
    with pytest.raises(ValueError, match="at least one pass and shape") as refused:
        offline_beams(array.positions, np.zeros((n_channels, 100), dtype=np.float32), RATE_HZ, {}, n_passes=n_passes)
    assert str(refused.value) == (
        f"offline_beams: n_passes {n_passes} and samples of shape ({n_channels}, 100) for 7 microphones; "
        "at least one pass and shape (channels, frames) are needed"
    )
