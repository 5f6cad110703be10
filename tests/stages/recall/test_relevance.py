from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.memory.rows import LineRow
from stages.recall.encoder_fits import FIRST, relevance_fit
from stages.recall.relevance import FEATURES, Candidates, Wanted, features, relevance
from tests.stages.recall.line_rows import line_row


def scored(
    wanted: Wanted, chains: Sequence[Sequence[LineRow]], words: Mapping[str, float], vectors: Mapping[str, Float32Array]
) -> dict[str, float]:
    return relevance(Candidates(wanted, chains, words, vectors), relevance_fit(FIRST).weights)


def test_talk_around_a_line_and_its_speaker_count_without_an_encoder() -> None:
    lines = [line_row("the budget is tight", 0.0), line_row("maybe it is so", 5.0), line_row("maybe it is so", 500.0)]
    budget, beside, afar = (line.id for line in lines)
    scores = scored(Wanted("what about the budget", "budget", None), [lines], {budget: 2.0}, {})
    assert scores[budget] > scores[beside] > scores[afar]
    speaker = line_row("yes", 0.0, track="t7")
    others = scored(Wanted("what did t7 say", "t7", None), [[speaker, line_row("yes", 1.0, track="t8")]], {}, {})
    assert max(others, key=lambda name: others[name]) == speaker.id


def test_the_order_and_lengths_of_conversations_are_nothing_to_a_line() -> None:
    words = ("the alarm rang", "which alarm, the well-known one?", "no idea", "lunch was late", "so it was")
    lines = [line_row(text, 7.0 * place, track=f"t{place}") for place, text in enumerate(words)]
    generator = np.random.default_rng(5)
    vectors = {line.id: part / np.linalg.norm(part) for line in lines for part in [generator.standard_normal(8).astype(np.float32)]}
    wanted = Wanted("When did the alarm ring?", "alarm ring", vectors[lines[2].id])
    chains = [[lines[0], lines[1]], [lines[2]], [lines[3]], [lines[4]]]
    scores = scored(wanted, chains, {}, vectors)
    assert list(scores) == [line.id for line in lines]
    assert scored(wanted, chains[::-1], {}, vectors) == pytest.approx(scores, abs=1e-5)
    # Beside a line of its own conversation, a line has more of what is asked around it than alone.
    apart = scored(wanted, [[line] for line in lines], {}, vectors)
    assert scores[lines[1].id] > apart[lines[1].id]


def test_without_lines_there_are_no_scores() -> None:
    assert scored(Wanted("what", "", None), [], {}, {}) == {}


def test_features_tell_lines_their_talk_and_their_sessions_apart() -> None:
    here = [line_row("the budget is tight", 0.0), line_row("so it is", 3.0)]
    there = [line_row("lunch was late", 0.0, session="other")]
    vectors = {here[0].id: [1.0, 0.0], here[1].id: [0.0, 1.0], there[0].id: [0.6, 0.8]}
    candidates = Candidates(
        Wanted("what about the budget", "budget", np.array([1.0, 0.0], dtype=np.float32)),
        [here, there],
        {here[0].id: 4.0},
        {name: np.array(vector, dtype=np.float32) for name, vector in vectors.items()},
    )
    told = dict(zip(FEATURES, features(candidates).T, strict=True))
    assert told["meaning"].tolist() == pytest.approx([1.0, 0.0, 0.6])
    assert told["words"].tolist() == [1.0, 0.0, 0.0]
    assert told["words around, 40 s"].tolist() == pytest.approx([1.0, np.exp(-gap_of(here) / 40.0), 0.0], abs=1e-6)
    for scale, of_session in (("meaning around, 40 s", "meaning of session"), ("words around, 120 s", "words of session")):
        most = float(told[scale][:2].max())
        assert told[of_session].tolist() == pytest.approx([most, most, told[scale][2]])
    assert relevance(candidates, np.eye(len(FEATURES), dtype=np.float32)[0])[there[0].id] == pytest.approx(0.6)


def gap_of(lines: Sequence[LineRow]) -> float:
    """The seconds between two lines."""
    return max(0.0, (lines[1].start_ns - lines[0].end_ns) / 1e9)
