from __future__ import annotations

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
