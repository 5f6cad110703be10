from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.packets import NS_PER_S
from stages.memory.forgetting import recall_spool
from stages.memory.forgetting.question_contexts import QuestionContext, QuestionContexts

NOW_NS = 1_772_000_000 * NS_PER_S


def test_another_process_knows_what_was_asked(tmp_path: Path) -> None:
    QuestionContexts(tmp_path).note(QuestionContext(NOW_NS, ("a", "b", "c"), 2))
    assert QuestionContexts(tmp_path).recent(NOW_NS + 1) == (QuestionContext(NOW_NS, ("a", "b", "c"), 2),)


def test_what_an_older_version_kept_is_read(tmp_path: Path) -> None:
    (tmp_path / recall_spool.FOLDER).mkdir()
    (tmp_path / recall_spool.FOLDER / "asked.json").write_text(json.dumps([{"asked_ns": NOW_NS, "lines": ["a", "b"]}]))
    assert QuestionContexts(tmp_path).recent(NOW_NS) == (QuestionContext(NOW_NS, ("a", "b"), 1),)
    assert QuestionContexts(tmp_path).fault() is None


@pytest.mark.parametrize("on_disk", [True, False])
def test_the_last_eight_of_half_an_hour_are_kept(tmp_path: Path, on_disk: bool) -> None:
    contexts = QuestionContexts(tmp_path if on_disk else None)
    for place in range(12):
        contexts.note(QuestionContext(NOW_NS + place, (f"line-{place}",)))
    assert [one.lines[0] for one in contexts.recent(NOW_NS + 20)] == [f"line-{place}" for place in range(4, 12)]
    assert contexts.recent(NOW_NS + 1801 * NS_PER_S) == ()


def test_they_go_with_what_is_erased(tmp_path: Path) -> None:
    contexts = QuestionContexts(tmp_path)
    contexts.note(QuestionContext(NOW_NS, ("a",)))
    assert recall_spool.drop(tmp_path) == 1
    assert contexts.recent(NOW_NS) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{}",
        '[{"asked_ns": 1}]',
        json.dumps([{"asked_ns": "1", "lines": ["a"]}]),
        json.dumps([{"asked_ns": NOW_NS, "lines": ["a"], "n_first": 2}]),
        "[" * 100_000,
    ],
)
def test_a_damaged_file_is_told_of_and_goes_with_the_next_answer(tmp_path: Path, text: str) -> None:
    contexts = QuestionContexts(tmp_path)
    contexts.note(QuestionContext(NOW_NS, ("a",)))
    assert contexts.fault() is None
    path = tmp_path / recall_spool.FOLDER / "asked.json"
    path.write_text(text)
    assert contexts.recent(NOW_NS) == ()
    assert contexts.fault() == f"{path}: is no list of the last questions, so that the next one goes on from nothing"
    contexts.note(QuestionContext(NOW_NS, ("b",)))
    assert contexts.fault() is None


def test_a_folder_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / recall_spool.FOLDER).write_text("a file where the folder belongs")
    contexts = QuestionContexts(tmp_path)
    contexts.note(QuestionContext(NOW_NS, ("a",)))
    assert contexts.recent(NOW_NS) == ()
