from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.memory.hashed_words import HashedWords
from tools.recall_meetings import KeepingEncoder, ask_all, settings
from tools.recall_meetings_data import MeetingsError, read_meetings, tuning_half
from tools.recall_meetings_score import Scores, mean, score, table


def test_scores_count_spans_of_the_right_meeting_alone() -> None:
    ranking = [("b", 3), ("a", 9), ("a", 3)]
    found = score(ranking, "a", frozenset({3, 4, 5, 20}))
    assert found == Scores(1.0, 1.0, 1.0 / 3.0, 0.75, 0.75)
    assert score([], "a", frozenset({1})) == Scores(0.0, 0.0, 0.0, 0.0, 0.0)
    assert mean([found, Scores(0.0, 0.0, 0.0, 0.0, 0.0)]).hit_5 == 0.5


def test_meetings_are_imported_and_asked_and_told_in_a_table(tmp_path: Path) -> None:
    for name, subject in (("ES1a", "budget"), ("ES2a", "remote")):
        turns = [{"speaker": "A", "content": f"the {subject} is green {{laugh}}"}, {"speaker": "B", "content": "{cough}"}]
        turns += [{"speaker": "B", "content": f"something else number {place}"} for place in range(12)]
        query = {"query": f"What about the {subject}?", "relevant_text_span": [["0", "0"]]}
        (tmp_path / f"{name}.json").write_text(json.dumps({"meeting_transcripts": turns, "specific_query_list": [query]}))
    meetings = read_meetings(tmp_path)
    assert [turn.place for turn in meetings[0].turns] == [0, *range(2, 14)]
    tuning = tuning_half(meetings)
    assert tuning == {"ES1a"}
    asked = ask_all(meetings, KeepingEncoder(HashedWords()))
    assert all(entry.scores["Echoic"].mrr == 1.0 for entry in asked)
    told = table(settings("together", asked, tuning), "Echoic").splitlines()
    assert "| together, held-out half | 1 | Echoic | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |" in told
    assert "| together, held-out half | | Echoic above the best other | +0.0 % | +0.0 % | +0.0 % | +0.0 % | +0.0 % |" in told


def test_a_folder_without_meetings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeetingsError) as error:
        read_meetings(tmp_path)
    assert str(error.value) == f"{tmp_path}: no .json file in it; give the folder of QMSum's meetings with --data"


def test_vectors_that_a_file_keeps_are_not_made_again(tmp_path: Path) -> None:
    class Counting(HashedWords):
        n_encoded = 0

        def encode(self, texts: Sequence[str]) -> Float32Array:
            self.n_encoded += len(texts)
            return super().encode(texts)

    class Other(Counting):
        name = "another"

    first, again, other = Counting(), Counting(), Other()
    for encoder in (first, again, other):
        with KeepingEncoder(encoder).keeping(tmp_path / "vectors.npz") as keeping:
            assert np.array_equal(keeping.encode(["tea", "milk", "tea"]), HashedWords().encode(["tea", "milk", "tea"]))
    assert (first.n_encoded, again.n_encoded, other.n_encoded) == (2, 0, 2)
