"""What is broken in a recording's files is said: segments whose inside is damaged, gaps that cannot be read or are missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import Gap
from pipeline.session import SessionReader, SessionWriter
from pipeline.session_info import SessionInfo, load_info, save_info
from pipeline.testing import line_array, noise


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Three segments of half a second, and two gaps."""
    began = datetime(2026, 11, 22, tzinfo=UTC)
    info = SessionInfo(id="one", source="s", array=line_array(1), started_at=began, segment_frames=8000)
    writer = SessionWriter(tmp_path / "s", info)
    writer.append(noise(1.5, amplitude=0.1)[np.newaxis])
    writer.mark_gap(Gap(pts_ns=0, duration_ns=1000, reason="dropped"))
    writer.mark_gap(Gap(pts_ns=5000, duration_ns=1000, reason="overrun"))
    writer.finish()
    return tmp_path / "s"


def faults(directory: Path, most_decoded: int = 240) -> list[str]:
    with SessionReader(directory) as reader:
        return reader.faults(most_decoded)


def test_a_whole_recording_has_none(recorded: Path) -> None:
    assert faults(recorded) == []
    assert load_info(recorded).n_gaps == 2


def test_a_segment_with_a_flipped_bit_is_told(recorded: Path) -> None:
    path = recorded / "audio/000001.flac"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    (told,) = faults(recorded)
    assert told.startswith("session one: 000001.flac is damaged: 0.")
    assert told.endswith(" s of it cannot be read")
    # Where only some are decoded, the first and the last are among them.
    assert faults(recorded, most_decoded=2) == faults(recorded, most_decoded=0) == []


@pytest.mark.parametrize(("change", "n_damaged", "n_missing"), [("digit", 1, 0), ("garbage", 1, 0), ("emptied", 0, 2), ("cut", 1, 0)])
def test_gaps_that_changed_are_told(recorded: Path, change: str, n_damaged: int, n_missing: int) -> None:
    path = recorded / "gaps.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert json.loads(lines[0])["crc32"] != json.loads(lines[1])["crc32"]
    changed = {
        "digit": [lines[0].replace("1000", "9000"), lines[1]],
        "garbage": ["{]\n", lines[1]],
        "emptied": [],
        "cut": [lines[0], lines[1][:9]],
    }
    path.write_text("".join(changed[change]))
    assert faults(recorded) == [f"session one: gaps.jsonl is damaged: {n_damaged} lines cannot be read, {n_missing} are missing"]


def test_gaps_from_before_they_had_checksums_are_read(recorded: Path) -> None:
    path = recorded / "gaps.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        del row["crc32"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert faults(recorded) == []
    with SessionReader(recorded) as reader:
        assert [gap.reason for gap in reader.gaps] == ["dropped", "overrun"]


@pytest.mark.parametrize("cut", [5, -1])
def test_the_end_of_a_line_that_a_crash_cut_off_is_no_fault(recorded: Path, cut: int) -> None:
    import dataclasses

    save_info(recorded, dataclasses.replace(load_info(recorded), complete=False))
    path = recorded / "gaps.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1][:cut])
    assert faults(recorded) == []
    writer = SessionWriter(recorded)
    writer.mark_gap(Gap(pts_ns=9000, duration_ns=1000, reason="late"))
    writer.finish()
    assert faults(recorded) == []
    with SessionReader(recorded) as reader:
        assert [gap.reason for gap in reader.gaps] == (["dropped", "late"] if cut == 5 else ["dropped", "overrun", "late"])
