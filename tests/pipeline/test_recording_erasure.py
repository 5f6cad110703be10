"""Stretches of a recording become zeros in every channel, whatever form its segments have, and the rest stays bit for bit."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.durable import lock_folder
from pipeline.packets import NS_PER_S
from pipeline.recording_erasure import Silenced, remove, silence, sounding
from pipeline.session import SessionReader, SessionWriter
from pipeline.session_info import SessionError, load_info
from tests.pipeline.test_session import RATE, everything, record, sound

SPAN = (round(0.3 * NS_PER_S), round(0.7 * NS_PER_S))
FRAMES = slice(round(0.3 * RATE), round(0.7 * RATE))


@pytest.mark.parametrize(("n_channels", "finished"), [(2, True), (16, True), (2, False)])
def test_a_span_over_segments_is_zero_and_the_rest_as_it_was(tmp_path: Path, n_channels: int, finished: bool) -> None:
    writer = record(tmp_path, sound(n_channels, RATE))
    writer.finish() if finished else writer.close()
    before = everything(tmp_path)
    assert sounding(tmp_path, [SPAN]) != []
    done = silence(tmp_path, [SPAN])
    assert (done.n_frames, done.duration_ns) == (6400, SPAN[1] - SPAN[0])
    assert done.n_bytes > 0
    after = everything(tmp_path)
    assert not after[:, FRAMES].any()
    assert sounding(tmp_path, [SPAN]) == []
    before[:, FRAMES] = 0
    assert np.array_equal(after, before)
    with SessionReader(tmp_path) as reader:
        assert [(gap.reason, gap.pts_ns, gap.end_ns) for gap in reader.gaps] == [("forgotten", *SPAN)]
        assert reader.faults() == []
    assert load_info(tmp_path).n_gaps == (2 if finished else 0)


def test_given_again_it_changes_nothing_and_a_half_written_file_is_removed(tmp_path: Path) -> None:
    record(tmp_path, sound(2, RATE)).finish()
    silence(tmp_path, [SPAN])
    before, gaps = everything(tmp_path), (tmp_path / "gaps.jsonl").read_bytes()
    (tmp_path / "audio" / "000001.flac.tmp").write_bytes(b"half")
    silence(tmp_path, [SPAN])
    assert np.array_equal(everything(tmp_path), before)
    assert (tmp_path / "gaps.jsonl").read_bytes() == gaps
    assert not list((tmp_path / "audio").glob("*.tmp"))


def test_a_tail_that_was_erased_in_can_be_gone_on_with(tmp_path: Path) -> None:
    record(tmp_path, sound(2, RATE + 1000)).close()
    span = (RATE * NS_PER_S // RATE, (RATE + 500) * NS_PER_S // RATE)
    silence(tmp_path, [span])
    writer = SessionWriter(tmp_path)
    writer.append(sound(2, 700, seed=9))
    writer.finish()
    after = everything(tmp_path)
    assert after.shape[1] == RATE + 1700
    assert not after[:, RATE : RATE + 500].any()
    assert after[:, RATE + 500 :].any()


def test_past_the_end_and_without_audio_there_is_nothing_to_do(tmp_path: Path) -> None:
    record(tmp_path, sound(2, RATE)).finish()
    assert silence(tmp_path, [(5 * NS_PER_S, 9 * NS_PER_S)]) == Silenced()
    assert silence(tmp_path / "nowhere", [SPAN]) == Silenced()
    assert sounding(tmp_path / "nowhere", [SPAN]) == []


def test_what_another_process_records_is_refused(tmp_path: Path) -> None:
    record(tmp_path, sound(2, RATE)).close()
    descriptor = lock_folder(tmp_path)
    try:
        for act in (lambda: silence(tmp_path, [SPAN]), lambda: remove(tmp_path)):
            with pytest.raises(SessionError, match="is being recorded by another process"):
                act()
    finally:
        os.close(descriptor)
    assert remove(tmp_path) > 0
    assert not tmp_path.exists()
    assert remove(tmp_path) == 0


@pytest.mark.parametrize("has_audio", [True, False])
def test_audio_that_an_older_version_was_removing_goes_whole(tmp_path: Path, has_audio: bool) -> None:
    record(tmp_path, sound(2, RATE)).finish()
    shutil.copytree(tmp_path / "audio", tmp_path / "audio.leaving")
    if not has_audio:
        shutil.rmtree(tmp_path / "audio")
    assert silence(tmp_path, [SPAN]).n_frames == (6400 if has_audio else 0)
    assert not (tmp_path / "audio.leaving").exists()
    assert (tmp_path / "audio").exists() == has_audio
