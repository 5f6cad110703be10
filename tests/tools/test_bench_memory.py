from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tools.bench_memory import PARTS, Part, heading, main, parts, run


def test_every_part_is_a_tool_that_is_there(tmp_path: Path) -> None:
    for quick in (True, False):
        known = parts(tmp_path, tmp_path, quick=quick, five_million=not quick)
        assert tuple(part.title for part in known) == PARTS
        assert all(importlib.util.find_spec(part.command[0]) is not None for part in known)
    assert "10000,100000,1000000,5000000" in known[1].command


def test_a_part_is_run_and_its_table_stands_in_its_section(tmp_path: Path) -> None:
    week = ("tools.memory_week", "--days", "1", "--hours-a-day", "1", "--lines-an-hour", "30", "--folder", str(tmp_path))
    held, section = run(Part("A week", week))
    assert held
    assert section.startswith("## A week\n\n`python -m tools.memory_week --days 1")
    assert "| 1 | 30 |" in section
    assert "load " in section
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    held, section = run(Part("Growth", ("tools.memory_scale", "--texts", str(tmp_path), "--folder", str(tmp_path))))
    assert not held
    assert "**Failed**, exit code 1" in section
    assert "0 lines and 0 questions" in section


def test_data_that_are_not_there_are_told(tmp_path: Path) -> None:
    held, section = run(Part("Growth", ("tools.memory_scale",), tmp_path / "qmsum"))
    assert not held
    assert "qmsum is not there; `--data` says where the data are" in section


def test_only_the_parts_that_are_asked_for_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.argv",
        ["bench_memory", "--only", "Growth", "--data", str(tmp_path), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out.md")],
    )
    assert main() == 1
    told = capsys.readouterr().out
    assert (tmp_path / "out.md").read_text(encoding="utf-8") == told
    assert [part for part in PARTS if f"## {part}" in told] == ["Growth"]


def test_the_heading_says_when_and_on_what() -> None:
    told = heading(["python", "-m", "tools.bench_memory", "--quick"])
    assert " UTC, " in told
    assert "commit " in told
    assert "`python -m tools.bench_memory --quick`" in told
