from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipeline.packets import nanoseconds
from pipeline.testing import tone
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow
from stages.recall.answers import Claim, Evidence
from stages.recall.clips import ClipCutter, cut_points, faded, with_clips, words_between
from tests.stages.memory import made
from tests.stages.recall.line_rows import line_row

RATE = 16000


@pytest.fixture
def line(tmp_path: Path) -> LineRow:
    """Five words from 10 s on, in audio that starts 0.3 s before them and goes on 0.5 s after."""
    (tmp_path / "lines" / "s").mkdir(parents=True)
    soundfile.write(tmp_path / "lines/s/t1-00010000.flac", tone(200.0, 2.8, amplitude=0.5), RATE)
    return line_row("one two three four five", 10.0, clip="lines/s/t1-00010000.flac", clip_start_s=9.7)


def test_a_whole_line_is_cut_around_its_words(tmp_path: Path, line: LineRow) -> None:
    clip = ClipCutter(str(tmp_path)).cut(line)
    assert clip == "clips/s-t1-00010000.flac"
    samples, rate = soundfile.read(tmp_path / clip, dtype="float32")
    assert rate == RATE
    # From 80 ms before the first word to 160 ms after the last one.
    assert len(samples) == pytest.approx((0.08 + 2.0 + 0.16) * RATE, abs=2)
    assert abs(samples[0]) < 0.01
    assert abs(samples[-1]) < 0.01
    assert np.abs(samples[RATE // 4 : RATE]).max() == pytest.approx(0.5, abs=0.01)


def test_a_part_is_cut_between_words_and_never_through_one(tmp_path: Path, line: LineRow) -> None:
    clip = ClipCutter(str(tmp_path)).cut(line, nanoseconds(10.35), nanoseconds(11.25))
    assert clip == "clips/s-t1-00010000-00010400-00011200.flac"
    samples, _ = soundfile.read(tmp_path / clip)
    # The words beside it begin at once, so no room is left around it.
    assert len(samples) == pytest.approx(0.8 * RATE, abs=2)


def test_the_same_cut_is_made_once(tmp_path: Path, line: LineRow) -> None:
    cutter = ClipCutter(str(tmp_path))
    clip = cutter.cut(line)
    assert clip is not None
    before = (tmp_path / clip).stat()
    assert cutter.cut(line) == clip
    after = (tmp_path / clip).stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert [path.name for path in (tmp_path / "clips").iterdir()] == ["s-t1-00010000.flac"]


def test_no_clip_without_audio(tmp_path: Path, line: LineRow) -> None:
    assert ClipCutter("").cut(line) is None
    assert ClipCutter(str(tmp_path)).cut(replace(line, clip=None)) is None
    assert ClipCutter(str(tmp_path)).cut(replace(line, clip="lines/s/lost.flac")) is None
    (tmp_path / "lines/s/bad.flac").write_bytes(b"this is no audio")
    assert ClipCutter(str(tmp_path)).cut(replace(line, clip="lines/s/bad.flac")) is None
    assert not list(tmp_path.glob("clips/*"))


def test_a_disk_that_takes_nothing_gives_no_clip_and_leaves_nothing(tmp_path: Path, line: LineRow) -> None:
    (tmp_path / "clips").write_text("a file where the folder should be")
    assert ClipCutter(str(tmp_path)).cut(line) is None


def test_cutting_is_cheap(tmp_path: Path, line: LineRow) -> None:
    cutter = ClipCutter(str(tmp_path))
    cutter.cut(line)
    begin = time.process_time()
    for place in range(20):
        cutter.cut(replace(line, id=f"s-t1-{place}"))
    assert (time.process_time() - begin) / 20 < 0.01


def test_word_times_outside_the_audio_give_the_whole_line(line: LineRow) -> None:
    early = replace(line, clip_start_ns=nanoseconds(100.0))
    assert cut_points(early, early.words, 1000, RATE) == (0, 1000)
    assert cut_points(replace(line, words=()), (), 44800, RATE)[0] == pytest.approx(0.22 * RATE, abs=4800)


@given(st.integers(0, 4), st.integers(0, 4))
def test_a_cut_holds_its_words_whole(first: int, last: int) -> None:
    row = line_row("one two three four five", 10.0, clip="x", clip_start_s=9.7)
    chosen = words_between(row.words, row.words[min(first, last)].start_ns, row.words[max(first, last)].end_ns)
    assert len(chosen) == abs(first - last) + 1
    begin, end = cut_points(row, chosen, round(2.8 * RATE), RATE)
    assert begin <= (chosen[0].start_ns - row.clip_start_ns) * RATE / 10**9 + 1
    assert end >= (chosen[-1].end_ns - row.clip_start_ns) * RATE / 10**9 - 1


def test_fades_are_short_and_symmetric() -> None:
    out = faded(np.ones(RATE, dtype=np.float32), RATE)
    assert out[0] < 0.01
    assert np.all(out[160:-160] == 1.0)
    assert np.allclose(out, out[::-1])
    assert faded(np.ones(1, dtype=np.float32), RATE).shape == (1,)


def test_evidence_that_was_ranked_without_its_words_is_cut_between_them(tmp_path: Path) -> None:
    memory = LongTermMemory(made.ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(made.session_row())
    memory.add_lines("s1", [made.line("one two three four five", 10.0, 2.0, audio_s=2.0)], nanoseconds(13.0))
    (row,) = memory.lines("s1", words=False)
    assert row.words == ()
    evidence = replace(Evidence.of(row), start_ns=nanoseconds(10.35), end_ns=nanoseconds(11.25))
    (claim,) = with_clips([Claim("said", 1.0, (evidence,))], memory)
    assert claim.evidence[0].clip == f"clips/{row.id}-00010400-00011200.flac"
    assert (tmp_path / str(claim.evidence[0].clip)).is_file()
    memory.stop()
