"""Sealed folders: damage is known, with size and time of a file as for fetched weights, and by its bytes in a thorough check."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.sealing import SUMS, is_intact, seal


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "a name with blanks.json").write_text("{}")
    seal(tmp_path)
    return tmp_path


def test_what_was_sealed_is_intact_until_a_file_changes_or_goes(sealed: Path) -> None:
    assert sorted(path.name for path in sealed.iterdir()) == ["a name with blanks.json", "model.bin", SUMS]
    assert is_intact(sealed)
    assert is_intact(sealed, thorough=True)
    (sealed / "model.bin").write_bytes(b"Weights")
    assert not is_intact(sealed)
    (sealed / "model.bin").write_bytes(b"weights")
    assert is_intact(sealed)
    (sealed / "model.bin").unlink()
    assert not is_intact(sealed)


def test_a_file_with_its_size_and_time_is_only_hashed_in_a_thorough_check_which_every_later_one_heeds(sealed: Path) -> None:
    stat = (sealed / "model.bin").stat()
    (sealed / "model.bin").write_bytes(b"Weights")
    os.utime(sealed / "model.bin", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert is_intact(sealed)
    assert not is_intact(sealed, thorough=True)
    assert not is_intact(sealed)


def test_a_file_that_was_copied_is_hashed_once(sealed: Path) -> None:
    before = (sealed / SUMS).read_text()
    os.utime(sealed / "model.bin", ns=(1, 1))
    assert is_intact(sealed)
    after = (sealed / SUMS).read_text()
    assert after != before
    assert " 7 1 model.bin" in after
    assert is_intact(sealed)
    assert (sealed / SUMS).read_text() == after


@pytest.mark.parametrize("sums", ["", "\n", "not a line of sums\n", "a b c\n"])
def test_sums_that_are_none_hold_nothing(sealed: Path, sums: str) -> None:
    (sealed / SUMS).write_text(sums)
    assert not is_intact(sealed)


def test_a_folder_without_sums_is_not_intact(tmp_path: Path) -> None:
    assert not is_intact(tmp_path)
    assert not is_intact(tmp_path / "none")
