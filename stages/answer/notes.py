"""Which lines a language model is shown for a claim, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from stages.answer.moods import may_be_worded
from stages.memory.rows import LineRow
from stages.recall.answers import Claim, Stretch
from stages.recall.material import Material
from stages.recall.salience import Vocabulary, best_lines
from stages.recall.untranscribed import is_untranscribed

MOST_NOTE_WORDS = 60
"""A note is cut after so many words."""

_MOST_NOTES = 8
_FRAME_TOKENS = 8
_LETTERS_PER_TOKEN = 3.0
_TOKENS_PER_FOREIGN_CHARACTER = 1.5


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, rather too many than too few: English words have four letters a token, marks and figures one."""
    foreign = sum(not character.isascii() for character in text)
    marks = sum(character.isascii() and not character.isalpha() and not character.isspace() for character in text)
    return int((len(text) - foreign - marks) / _LETTERS_PER_TOKEN + foreign * _TOKENS_PER_FOREIGN_CHARACTER + marks) + 1


def notes_for(claim: Claim, material: Material, lines: dict[str, LineRow], most_tokens: int) -> list[LineRow]:
    """The lines of a claim's evidence and, for a stretch of conversation, the other lines that tell most of it, within a budget.

    `lines` has every line of the material by id. None where the evidence must stay a quote: a line without words, or one that reads
    like an order to the model. Models read the beginning and the end of what they are given best (Liu et al. 2023, "Lost in the
    Middle"): the most important notes stand there.
    """
    own = [lines[evidence.utterance] for evidence in claim.evidence if evidence.utterance in lines]
    around = tuple(lines.values())
    if not own or len(own) < len(claim.evidence) or any(is_untranscribed(line) for line in own) or not may_be_worded(own, around):
        return []
    stretch = _stretch_of(own, (*material.missed, *material.stretches))
    ranked = [*own]
    if stretch is not None:
        others = [line for line in stretch.lines if line not in own and not is_untranscribed(line) and may_be_worded([line], around)]
        ranked += best_lines(others, Vocabulary(stretch.lines), _MOST_NOTES - len(own))
    chosen: list[LineRow] = []
    left = most_tokens
    for line in ranked:
        left -= estimated_tokens(" ".join(line.text.split()[:MOST_NOTE_WORDS])) + _FRAME_TOKENS
        if left < 0 and chosen:
            break
        chosen.append(line)
    ordered = edges_first(chosen)
    return ordered if may_be_worded(ordered, around) else []


def edges_first(ranked: Sequence[LineRow]) -> list[LineRow]:
    """Lines that come by importance, with the first at the beginning, the second at the end, and so on towards the middle."""
    return [*ranked[::2], *ranked[1::2][::-1]]


def _stretch_of(own: Sequence[LineRow], stretches: Sequence[Stretch]) -> Stretch | None:
    ids = {line.id for line in own}
    return next((stretch for stretch in stretches if ids <= {line.id for line in stretch.lines}), None)
