"""All channels of the array around an evidence, from the session's recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.packets import Float32Array, nanoseconds
from pipeline.retention import let_go
from pipeline.session import SessionWriter
from pipeline.session_info import SessionInfo, load_info
from pipeline.testing import line_array, noise
from stages.memory.disk.disk_use import lines_of_clip
from stages.recall.array_clips import ArrayCutter
from tests.stages.recall.line_rows import line_row

RATE = 16000
STARTED = datetime(2026, 1, 31, 18, 45, 2, tzinfo=UTC)
LINE = replace(line_row("one two three four five", 3.0), clip="lines/s/t1.flac", clip_start_ns=nanoseconds(2.7))


def record(root: Path, n_channels: int, duration_s: float = 8.0) -> Float32Array:
    samples = np.stack([noise(duration_s, seed=channel, amplitude=0.1) for channel in range(n_channels)])
    writer = SessionWriter(
        root / "sessions" / "s", SessionInfo(id="s", source="x", array=line_array(n_channels), started_at=STARTED, segment_frames=RATE)
    )
    writer.append(samples)
    writer.finish()
    return samples


@pytest.mark.parametrize(("n_channels", "suffix"), [(2, "flac"), (7, "flac"), (10, "wav")])
def test_every_channel_is_there_around_the_words(tmp_path: Path, n_channels: int, suffix: str) -> None:
    recorded = record(tmp_path, n_channels)
    clip = ArrayCutter(str(tmp_path)).cut(LINE, LINE.start_ns, LINE.end_ns)
    assert clip == f"clips/s-t1-00003000-raw.{suffix}"
    samples, rate = soundfile.read(tmp_path / clip, dtype="float32")
    assert rate == RATE
    # From 80 ms before the first word to 160 ms after the last one, across three segments of the recording.
    first = round(2.92 * RATE)
    assert samples.shape == (round(2.24 * RATE), n_channels)
    np.testing.assert_allclose(samples[200:-200], recorded.T[first + 200 : first + len(samples) - 200], atol=2**-22)
    assert np.abs(samples[0]).max() < 0.001
    assert np.abs(samples[-1]).max() < 0.001


def test_a_part_goes_through_no_word_and_is_made_once(tmp_path: Path) -> None:
    record(tmp_path, 2)
    cutter = ArrayCutter(str(tmp_path))
    clip = cutter.cut(LINE, nanoseconds(3.35), nanoseconds(4.25))
    assert clip == "clips/s-t1-00003000-00003400-00004200-raw.flac"
    assert soundfile.info(tmp_path / clip).frames == round(0.8 * RATE)
    before = (tmp_path / clip).stat()
    assert cutter.cut(LINE, nanoseconds(3.35), nanoseconds(4.25)) == clip
    assert (tmp_path / clip).stat().st_mtime_ns == before.st_mtime_ns
    assert lines_of_clip(Path(clip).stem)[1] == LINE.id
    assert lines_of_clip("s-t1-00003000-raw")[0] == LINE.id


def test_nothing_where_nothing_was_recorded(tmp_path: Path) -> None:
    assert ArrayCutter("").cut(LINE, LINE.start_ns, LINE.end_ns) is None
    assert ArrayCutter(str(tmp_path)).cut(LINE, LINE.start_ns, LINE.end_ns) is None
    record(tmp_path, 2, duration_s=2.0)
    assert ArrayCutter(str(tmp_path)).cut(LINE, LINE.start_ns, LINE.end_ns) is None
    assert not (tmp_path / "clips").exists()


def test_nothing_where_the_audio_has_left(tmp_path: Path) -> None:
    record(tmp_path, 2)
    folder = tmp_path / "sessions" / "s"
    let_go(folder, load_info(folder), range(4))
    cutter = ArrayCutter(str(tmp_path))
    assert cutter.cut(LINE, LINE.start_ns, LINE.end_ns) is None
    later = line_row("six seven", 5.0)
    assert cutter.cut(later, later.start_ns, later.end_ns) == "clips/s-t1-00005000-raw.flac"


def test_nothing_of_what_was_erased(tmp_path: Path) -> None:
    recorded = record(tmp_path, 2) * np.float32(0.0)
    for path in (tmp_path / "sessions/s/audio").glob("*.flac"):
        soundfile.write(path, np.zeros((RATE, 2)), RATE, subtype="PCM_24")
    assert not recorded.any()
    assert ArrayCutter(str(tmp_path)).cut(LINE, LINE.start_ns, LINE.end_ns) is None


def test_a_recording_that_cannot_be_read_gives_none(tmp_path: Path) -> None:
    record(tmp_path, 2)
    (tmp_path / "sessions/s/session.json").write_text("{}")
    assert ArrayCutter(str(tmp_path)).cut(LINE, LINE.start_ns, LINE.end_ns) is None
