"""Models that this machine made: written whole or not at all, loaded where intact, made anew where not."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.derived_models import loaded, remove_others, written_once
from models.text_model import TextModelError


def write(folder: Path) -> None:
    (folder / "model.bin").write_text("a model")


def load(folder: Path) -> str:
    return (folder / "model.bin").read_text()


def age(folder: Path, age_s: float) -> None:
    changed_s = folder.parent.stat().st_mtime - age_s
    os.utime(folder, (changed_s, changed_s))


def test_a_folder_is_written_once_and_whole(tmp_path: Path) -> None:
    folder = tmp_path / "made"

    def fail(part: Path) -> None:
        write(part)
        raise TextModelError("half way")

    with pytest.raises(TextModelError, match="half way"):
        written_once(folder, fail)
    assert list(tmp_path.iterdir()) == []
    assert written_once(folder, write) == folder
    assert written_once(folder, fail) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["model.bin", "sha256sums"]
    assert folder.stat().st_mode & 0o777 == 0o755


def test_what_is_intact_is_loaded_and_what_is_damaged_made_anew(tmp_path: Path) -> None:
    folder, made = tmp_path / "made", []

    def make(to: Path) -> Path:
        made.append(to)
        return written_once(to, write)

    assert [loaded(folder, load, make) for _ in range(2)] == ["a model"] * 2
    assert made == [folder]
    (folder / "model.bin").write_text("a modem")
    assert loaded(folder, load, make) == "a model"
    assert made == [folder, folder]


def test_what_cannot_be_loaded_is_made_anew_unless_that_would_not_help(tmp_path: Path) -> None:
    def write_old(folder: Path) -> None:
        (folder / "model.bin").write_text("of another time")

    folder = written_once(tmp_path / "made", write_old)

    def load_new(path: Path) -> str:
        if load(path) != "a model":
            raise TextModelError("refused")
        return "loaded"

    with pytest.raises(TextModelError, match="refused"):
        loaded(folder, load_new, lambda to: written_once(to, write), can_load=lambda _: True)
    assert load(folder) == "of another time"
    assert loaded(folder, load_new, lambda to: written_once(to, write)) == "loaded"
    assert load(folder) == "a model"


def test_where_nothing_can_be_kept_it_is_made_for_each_start(tmp_path: Path) -> None:
    (tmp_path / "derived").write_text("a file where the folder should be")
    assert loaded(tmp_path / "derived" / "made", load, lambda to: written_once(to, write)) == "a model"
    assert [path.name for path in tmp_path.iterdir()] == ["derived"]


def test_other_folders_are_removed_but_not_those_that_are_being_written(tmp_path: Path) -> None:
    for name in ("form-1-sha", "form-2-sha", "form-2-sha.old", "form-3-sha.young", "other-1-sha"):
        (tmp_path / name).mkdir()
    age(tmp_path / "form-2-sha.old", 4000.0)
    age(tmp_path / "form-3-sha.young", 60.0)
    remove_others(tmp_path / "form-1-sha", "form-*")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["form-1-sha", "form-3-sha.young", "other-1-sha"]


def test_two_processes_make_it_once_and_none_takes_it_from_the_other(tmp_path: Path) -> None:
    folder, made = tmp_path / "models" / "made", []

    def slow(part: Path) -> None:
        made.append(part)
        time.sleep(0.2)
        write(part)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: loaded(folder, load, lambda part: written_once(part, slow)), range(4)))
    assert found == ["a model"] * 4
    assert len(made) == 1
