"""Questions that are not put plainly: a language model says them in plain words first, where one is there, else rules do; these are read.

A rambling question, one in another language, or one that begins like an order ("remind me what Anna said") has words that rules take for
what it asks. The model, or `spoken_core.py` in the asker's own words, says no more than how it would be put plainly. Which lines are
asked, and what answers, is found as for any question, and the answer says how it was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from stages.recall import cues
from stages.recall.language import MOST_WORDS, is_order, may_be_foreign
from stages.recall.question import Question
from stages.recall.spoken_clauses import BETWEEN_SENTENCES
from stages.recall.terms import content_terms, is_calendar, numbers, tokens

_MOST_PLAIN_WORDS = 17
_MOST_NEW = 1 / 3
_OF_PATTERNS = frozenset(
    content_terms(
        "What did I miss while I was listening to the people, following the conversation about it, in the last minutes or seconds? Give"
        " me a summary of what was said. Catch me up. Who talked about it, where in the room? How many times did somebody mention it? What"
        " came first? How long?"
    )
)
"""What plain questions say to tell their kind, which adds nothing to what they ask about."""
_OVERVIEW = re.compile(r"(?:give (?:me|us) an? (?:\w+ )?summary|catch (?:me|us) up|sum(?:marise|marize| up)|play)\b", re.I)
_NAME = re.compile(r"(?<!^)(?<![.?!] )\b[A-Z][\w'-]+")


def put_plainly(
    question: Question,
    restated: Callable[[str], str | None],
    read: Callable[[str], Question],
    core: Callable[[str], str | None] = lambda _: None,
) -> Question:
    """The question as it is read in plain words, with a note that says so; as it is where it is plain, or that makes it no clearer.

    `restated` gives what a model makes of it, None where there is no model or no reply; `core` what rules make of it where that gives
    nothing that holds; `read` reads it.
    """
    if may_be_unclear(question) and (again := _read_again(question, restated(question.text), read)) is not None:
        return again
    # What is known by a whole form of words is read well; "that" of a story is in it, and not in the last answer.
    goes_on = question.follow_up is not None and BETWEEN_SENTENCES.search(question.text) is None
    # How long somebody was away is read whole, and may mean a declared absence.
    was_away = question.window is not None and question.window.guessed and not question.terms
    if question.intent == "play" or goes_on or was_away or question.order or question.edge or question.talkers or question.duration:
        return question
    again = _read_again(question, core(question.text), read)
    # Nobody has to be told of words that change nothing.
    return question if again is None or _is_read_alike(question, again) else again


def _read_again(question: Question, plain: str | None, read: Callable[[str], Question]) -> Question | None:
    """The question as its plain words are read, None where they do not hold."""
    if plain is None or tokens(plain) == tokens(question.text) or not keeps(question.text, plain):
        return None
    again = read(plain)
    if again.refusal is not None and not may_be_foreign(question.text):
        return None
    if again.length_s is None:
        # How long an answer may be is no part of what is asked.
        again = replace(again, length_s=question.length_s)
    note = f'Read as "{plain}"'
    return replace(again, note=f"{note} {again.note}" if again.note else note)


def _is_read_alike(one: Question, other: Question) -> bool:
    """Whether two questions are read as the same but for how they are put."""
    return _unworded(one) == _unworded(other)


def _unworded(question: Question) -> Question:
    attended = None if question.attended is None else replace(question.attended, phrase="", topic="")
    return replace(question, text="", topic="", note="", gist="", attended=attended)


def may_be_unclear(question: Question) -> bool:
    """Whether rules may misread a question for how it is put: in many words, in another language, or as an order."""
    words = tokens(question.text)
    if not words or len(words) > MOST_WORDS or question.intent == "play":
        return False
    # "I was busy with the people talking about the move. What did I miss?" is read well.
    is_of_missed = question.attended is not None and cues.MISSED.search(question.text) is not None
    has_story = not is_of_missed and BETWEEN_SENTENCES.search(question.text) is not None
    is_wordy = len(words) > _MOST_PLAIN_WORDS or has_story
    return is_wordy or is_order(question.text) or may_be_foreign(question.text)


def keeps(said: str, plain: str) -> bool:
    """Whether plain words are a question that keeps what was said and adds nothing to it, as far as its figures, names and words tell."""
    if not (plain.endswith("?") or _OVERVIEW.match(plain)):
        return False
    if not set(re.findall(r"\d+", said)) <= set(re.findall(r"\d+", plain)):
        return False
    own = set(tokens(said))
    if any(not is_calendar(word) and word not in own for name in _NAME.findall(plain) for word in tokens(name)):
        return False
    if may_be_foreign(said):
        # What things are called in English stands nowhere in it.
        return True
    if not numbers(plain) <= numbers(said):
        return False
    terms, known = [term for term in content_terms(plain) if term not in _OF_PATTERNS], set(content_terms(said))
    return sum(term not in known for term in terms) <= _MOST_NEW * len(terms)
