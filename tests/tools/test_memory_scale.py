from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.memory.hashed_words import HashedWords
from tools import memory_scale
from tools.memory_scale import disk_bytes, grow, next_hour
from tools.memory_scale_lines import ScaleError, Texts, embedded, session_lines
from tools.memory_scale_questions import measure
from tools.memory_scale_table import table


@pytest.fixture(scope="module")
def texts() -> Texts:
    """A few hundred made sentences: what is tested is the measuring, not what is measured."""
    lines = [
        f"the {thing} of team number {number} was discussed at length" for number in range(100) for thing in ("plan", "budget", "remote")
    ]
    questions = [f"What about the budget of team {number}?" for number in range(200)]
    encoder = HashedWords(384)
    return Texts(tuple(lines), encoder.encode(lines), tuple(questions), encoder.encode(questions), encoder.name)


def test_an_hour_is_the_same_each_time_and_no_two_vectors_are_alike(texts: Texts) -> None:
    one, other = session_lines(texts, 3), session_lines(texts, 3)
    assert one[:2] == other[:2]
    assert np.array_equal(one[2], other[2])
    assert np.allclose(np.linalg.norm(one[2], axis=1), 1.0, atol=1e-5)
    assert len(np.unique(one[2].round(6), axis=0)) == len({row.id for row in one[1]}) == 1000
    assert session_lines(texts, 4)[1][0].id != one[1][0].id


def test_a_small_memory_is_measured_from_end_to_end(texts: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_scale, "session_lines", partial(session_lines, n_lines=40))
    monkeypatch.setattr(memory_scale, "LINES_PER_HOUR", 40)
    texts = replace(texts, questions=texts.questions[:20], question_vectors=texts.question_vectors[:20])
    row: dict[str, Any] = {"lines": 80, **grow(tmp_path, texts, 0, 2, "ivf_sq8"), **disk_bytes(tmp_path)}
    row |= measure(tmp_path, texts, 2, ["flat", "ivf_pq"])
    row |= next_hour(tmp_path, texts, 2, "ivf_sq8")
    # One of the two hours is rounded by then, and what is compared with is built from that.
    assert row["dense"]["recall"] >= 0.97
    assert row["index_bytes"] > 80 * 384
    lines = table([row]).splitlines()
    assert lines[0] == "| | 80 lines |"
    assert all(line.count("|") == 3 for line in lines)
    assert json.loads(json.dumps(row))["next_hour_cpu_s"] > 0


def test_too_few_texts_are_refused(tmp_path: Path) -> None:
    meeting = {"meeting_transcripts": [{"content": "only one short line here"}], "specific_query_list": [{"query": "what?"}]}
    (tmp_path / "one.json").write_text(json.dumps(meeting))
    with pytest.raises(ScaleError, match="1 lines and 1 questions, needed 50 and 200; give QMSum's meetings"):
        embedded(tmp_path, tmp_path, HashedWords(), 50)
