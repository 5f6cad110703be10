from __future__ import annotations

import numpy as np
import pytest

from stages.recall.relevance import Wanted, relevance
from tests.stages.recall.line_rows import line_row


def test_talk_around_a_line_and_its_speaker_count_without_an_encoder() -> None:
    lines = [line_row("the budget is tight", 0.0), line_row("maybe it is so", 5.0), line_row("maybe it is so", 500.0)]
    budget, beside, afar = (line.id for line in lines)
    scores = relevance(Wanted("what about the budget", "budget", None), [lines], {budget: 2.0}, {})
    assert scores[budget] > scores[beside] > scores[afar]
    speaker = line_row("yes", 0.0, track="t7")
    others = relevance(Wanted("what did t7 say", "t7", None), [[speaker, line_row("yes", 1.0, track="t8")]], {}, {})
    assert max(others, key=lambda name: others[name]) == speaker.id


def test_the_order_and_lengths_of_conversations_are_nothing_to_a_line() -> None:
    words = ("the alarm rang", "which alarm, the well-known one?", "no idea", "lunch was late", "so it was")
    lines = [line_row(text, 7.0 * place, track=f"t{place}") for place, text in enumerate(words)]
    generator = np.random.default_rng(5)
    vectors = {line.id: part / np.linalg.norm(part) for line in lines for part in [generator.standard_normal(8).astype(np.float32)]}
    wanted = Wanted("When did the alarm ring?", "alarm ring", vectors[lines[2].id])
    chains = [[lines[0], lines[1]], [lines[2]], [lines[3]], [lines[4]]]
    scores = relevance(wanted, chains, {}, vectors)
    assert list(scores) == [line.id for line in lines]
    assert relevance(wanted, chains[::-1], {}, vectors) == pytest.approx(scores, abs=1e-5)
    # Beside a line of its own conversation, a line has more of what is asked around it than alone.
    apart = relevance(wanted, [[line] for line in lines], {}, vectors)
    assert scores[lines[1].id] > apart[lines[1].id]


def test_without_lines_there_are_no_scores() -> None:
    assert relevance(Wanted("what", "", None), [], {}, {}) == {}
