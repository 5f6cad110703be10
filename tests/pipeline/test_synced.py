"""What a recording promises to outlive a power cut has been synced to the disk: twice a second, and every name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.durable import write_whole
from pipeline.packets import Gap
from pipeline.session import SessionWriter
from tests.pipeline.test_session import RATE, info, sound
from tests.synced import synced_paths


def test_a_growing_segment_is_synced_every_half_second_with_its_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SessionWriter(tmp_path / "s", info(2, segment_frames=10 * RATE))
    samples = sound(2, 3 * RATE)
    synced = synced_paths(monkeypatch)
    writer.mark_gap(Gap(pts_ns=0, duration_ns=5, reason="lost"))
    n_synced = []
    for first in range(0, 3 * RATE // 2, RATE // 4):
        writer.append(samples[:, first : first + RATE // 4])
        n_synced.append(sum(path.suffix == ".au" for path in synced))
    assert n_synced == [0, 1, 1, 2, 2, 3]
    assert [path.name for path in synced].count("gaps.jsonl") == 1
    writer.append(samples[:, : RATE // 8])
    del synced[:]
    writer.close()
    assert [path.suffix for path in synced] == [".au"]


def test_a_segment_that_is_full_and_its_name_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SessionWriter(tmp_path / "s", info(2, segment_frames=4000))
    synced = synced_paths(monkeypatch)
    writer.append(sound(2, 4000))
    audio = tmp_path / "s" / "audio"
    assert [path.parent for path in synced if path.name.endswith(".tmp")] == [audio]
    assert synced[-1] == audio
    del synced[:]
    writer.finish()
    assert [path.name for path in synced if path.is_dir()] == ["s"]
    assert any(path.name.startswith("session.json") for path in synced)


def test_a_file_is_synced_before_it_has_its_name_and_the_folder_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    there: list[bool] = []
    synced = synced_paths(monkeypatch, lambda _: there.append(path.exists()))
    write_whole(path, b"all of it")
    assert [entry.name for entry in synced] == ["file.tmp", tmp_path.name]
    assert there == [False, True]
    assert path.read_bytes() == b"all of it"
