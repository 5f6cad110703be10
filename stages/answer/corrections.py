"""What was taken back: a later line of the same conversation that says what holds instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.packets import nanoseconds
from stages.answer.joined import statement_of
from stages.answer.values import BARE, CLOCK, DATE, DAY, NAME, values_in
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.english import is_question
from stages.recall.measures import is_unit
from stages.recall.terms import STOP_WORDS, content_terms, has_amount, holds, is_calendar, is_ordinal, stem, tokens
from stages.recall.untranscribed import is_untranscribed
from stages.recall.word_lists import word_set

CORRECTED_WITHIN_NS = nanoseconds(300.0)
"""How long after a line it may be taken back."""

_SOON_NS = nanoseconds(60.0)
_AT_ONCE_NS = nanoseconds(15.0)
_SILENCE_NS = nanoseconds(30.0)
_READ_BEFORE = 2
# How a clause begins that takes something back.
_OPENINGS = (
    r"no(?=[,.!]| wait\b| it\b)",
    r"(?:sorry|wait|hang on|hold on|actually|correction|scratch that|make (?:that|it)|i stand corrected|my (?:mistake|fault|bad))\b",
    r"not quite(?=[,.])",
    r"to be (?:exact|precise|honest)\b",
    r"i mean(?=,? (?:\w+[ -]?){1,4}[.!]?$)",
)
# What is said of something that does not hold, or no longer.
_PHRASES = (
    r"i was wrong|(?:was|is|were|read|got|had|said|remembered) (?:\w+ ){0,3}wrong|telling (?:\w+ )?wrong|after all|turns out",
    r"(?:i|we) (?:mixed|got) (?:it|that|them|the \w+) (?:up|wrong)|misspoke|misread|miscounted|counted (?:\w+ ){0,2}again|i meant",
    r"(?:correct|contradict) myself|take (?:it|that) back|that was (?:the|an|my|for|only|before)|was (?:looking at|thinking of)",
    r"not any ?more|no longer|(?:has|have|got|was|were|been) (?:changed|moved|swapped|raised|lowered|postponed)",
    r"(?:put|pushed|brought) (?:it|that|them) (?:off|back|forward|up)|(?:moved?|changed?|swapped) (?:it|that|them|us)",
    r"had to (?:move|swap|postpone|change)|(?:says|said|told \w+) (?:\w+ ){0,2}(?:that )?it (?:was|is)|says (?:something|otherwise)",
    r"not what i (?:told|said|thought)|just now|(?:i|we) (?:just|only now) (?:looked|checked|heard|asked)",
)
_TAKES_BACK = re.compile(rf"(?:^|[.!?;,:] )(?:oh,? |no,? |and |but )*(?:{'|'.join(_OPENINGS)})|\b(?:{'|'.join(_PHRASES)})\b", re.IGNORECASE)
_INSTEAD = re.compile(
    r"(?:^|[,;] ?|\bno )not (?:(?:on|at|in|by|to|with|for|from|of|the|a|an|my|our|his|her|their) )*(?P<word>[\w-]+)(?=,|;|\.|!|$| but\b)",
    re.IGNORECASE,
)
# Many sentences begin so that take nothing back.
_FILLER = re.compile(r"^(?:oh,? |and |but |well,? )*actually\b", re.IGNORECASE)
# What is said besides something else replaces nothing.
_ADDS = re.compile(r"^(?:and|also|then|plus)\b|\b(?:also|another|as well)\b", re.IGNORECASE)
_REFERS = re.compile(r"\bit\b", re.IGNORECASE)
_MEASURING = frozenset(stem(word) for word in ("cost", "last", "pay", "weigh", "old", "long", "high", "tall", "wide", "deep", "far"))
# A question said back before it is answered: "Sunday? No, I am away."
_ECHO = re.compile(r"^(?P<said>(?:[\w'-]+ ?){1,3})\?\s+\S")
_DENIES = re.compile(r"^(?:(?:oh|well|but|and|um|uh),? )*no(?:pe)?\b,?", re.IGNORECASE)
_REPLY_NS = nanoseconds(8.0)
_OFFER_WORDS = 4
_ARTICLES = word_set("the a an my our his her their your")
_PREPOSITIONS = word_set("for of in on to with from at")
_LEAST_SHARED_TERMS = 2
_MOST_WORDS = 45


def correction_of(line: LineRow, conversation: Sequence[LineRow]) -> LineRow | None:
    """The line of a conversation that says what holds instead of what an earlier one said; None where that was not taken back.

    It has another value of the same kind (`values_in`) and says that something is taken back, or the same person says it of the same
    thing, in two words of it at least; or it denies a word of the line and has another one ("not Emma, Clara"). A correction belongs to
    the line of which it has most words, the last one of these; what is said within five minutes counts. One that was taken back itself
    leads on to what holds in the end, which is no correction where it is what the line said.
    """
    told = sorted(
        (other for other in conversation if other.session == line.session and not is_untranscribed(other)),
        key=lambda other: (other.start_ns, other.id),
    )
    held, last = line, None
    while (later := _next(held, told)) is not None:
        held = last = later
    return last if last is not None and (_replaced(line.text, last.text) or _is_denied(line.text, last.text)) else None


def says_again(old: str, new: str) -> bool:
    """Whether a text says again what an older one said: its values and no other ones, or else all its words. It takes nothing back."""
    if _is_denied(old, new):
        return False
    old = statement_of(old, content_terms(new))
    values, values_now = values_in(old), values_in(new)
    if values:
        return all(values[kind] == values_now.get(kind) for kind in values)
    terms, terms_now = content_terms(old), content_terms(new)
    return bool(terms) and all(holds(term, terms_now) for term in terms)


def takes_nothing_back(later: LineRow, line: LineRow, told: Iterable[LineRow]) -> bool:
    """Whether what sounds as if it took a line back only answers another question, or chooses among what the line itself offers.

    "Sunday? No, I am away" and the "No" right after somebody's "Can you come on Sunday?" are of that question, unless it is of what the
    line said; "I'd say blue" is one of "yellow or light blue". `told` are the lines of the conversation.
    """
    return _chooses(later.text, line.text) or _answers_another(later, line, told)


def _answers_another(later: LineRow, line: LineRow, told: Iterable[LineRow]) -> bool:
    terms = content_terms(line.text)
    if (echo := _ECHO.match(later.text)) is not None and (said := content_terms(echo["said"])):
        return not any(holds(term, terms) for term in said)
    if (denial := _DENIES.match(later.text)) is None:
        return False
    before = max(
        (other for other in told if other.session == line.session and line.start_ns < other.start_ns < later.start_ns),
        key=lambda other: (other.start_ns, other.id),
        default=None,
    )
    if before is None or not is_question(before.text) or speaker_of(before) == speaker_of(later):
        return False
    if later.start_ns - before.end_ns > _REPLY_NS or not (asked := content_terms(before.text)):
        return False
    is_of_line = any(holds(term, terms) for term in asked) or _shared(line.text, later.text)
    # Who says "sorry" or "wait" takes back something, whatever was asked.
    return not is_of_line and _TAKES_BACK.search(later.text[denial.end() :]) is None


def _chooses(new: str, old: str) -> bool:
    """Whether a text names, or turns down, one of some things that an older one offers, and gives no other value."""
    words = tokens(old)
    places = [place for place, word in enumerate(words) if word == "or"]
    offers = [content_terms(" ".join(words[max(0, place - _OFFER_WORDS) : place])) for place in places]
    others = [content_terms(" ".join(words[place + 1 : place + 1 + _OFFER_WORDS])) for place in places]
    chosen = content_terms(new)
    is_one = any(one and other and any(holds(term, chosen) for term in {*one, *other}) for one, other in zip(offers, others, strict=True))
    # "Soup or salad" - "Wait, the soup is off" takes it back.
    return is_one and not _replaced(old, new) and _TAKES_BACK.search(new) is None


def _next(line: LineRow, told: Sequence[LineRow]) -> LineRow | None:
    """The first line that takes back what one said."""
    for later in told:
        if (
            0 < later.start_ns - line.start_ns <= CORRECTED_WITHIN_NS
            and _corrects(later, line)
            and not takes_nothing_back(later, line, told)
            and not _fits_another(later, line, told)
            and (not _silent_between(line, later, told) or _goes_on(later, line, told))
        ):
            return later
    return None


def _silent_between(line: LineRow, later: LineRow, told: Sequence[LineRow]) -> bool:
    """Whether the talk fell silent between two lines."""
    end_ns = line.end_ns
    for other in told:
        if line.start_ns <= other.start_ns <= later.start_ns:
            if other.start_ns - end_ns > _SILENCE_NS:
                return True
            end_ns = max(end_ns, other.end_ns)
    return False


def _goes_on(later: LineRow, line: LineRow, told: Sequence[LineRow]) -> bool:
    """Whether what is said after a silence is of what a line and the two before it were about: else it takes back something else.

    "Sorry, the party starts at seven, not eight" takes back no train at eight.
    """
    before = [other for other in told if other.start_ns < line.start_ns][-_READ_BEFORE:]
    said = " ".join(other.text for other in (*before, line))
    return bool(_shared(said, later.text) - _MEASURING) or not _new_terms(said, later.text) or _REFERS.search(later.text) is not None


def _corrects(later: LineRow, line: LineRow) -> bool:
    if any(is_question(one.text) for one in (line, later)) or max(len(one.text.split()) for one in (line, later)) > _MOST_WORDS:
        return False
    if _is_denied(line.text, later.text):
        return True
    replaced = _replaced(line.text, later.text)
    if not replaced or _ADDS.search(later.text):
        return False
    apart_ns, shared = later.start_ns - line.end_ns, _shared(line.text, later.text)
    is_own = speaker_of(line) == speaker_of(later)
    if not _TAKES_BACK.search(later.text):
        replaced -= {NAME}
        # Meals or guests are one thing; dollars and weeks are of anything, and anything costs or lasts.
        counted = [kind.removeprefix("count ") for kind in replaced if kind.startswith("count ")]
        is_named = shared - _MEASURING or (shared and _REFERS.search(later.text))
        is_same = len(shared) >= _LEAST_SHARED_TERMS or any(not is_unit(thing) or is_named for thing in counted)
        return len(replaced) == 1 and is_own and apart_ns <= _SOON_NS and is_same and not _is_of_another(line.text, later.text)
    if not shared and not _TAKES_BACK.search(_FILLER.sub("", later.text)) and _new_terms(line.text, later.text):
        return False
    if replaced == {NAME}:
        return bool(shared) and apart_ns <= _SOON_NS
    return bool(shared) or apart_ns <= (_SOON_NS if is_own else _AT_ONCE_NS)


def _fits_another(later: LineRow, line: LineRow, told: Sequence[LineRow]) -> bool:
    """Whether another line before a correction is more likely the one that it takes back."""
    return not _is_denied(line.text, later.text) and any(
        other.id != line.id
        and other.start_ns < later.start_ns
        and not is_question(other.text)
        and values_in(other.text) != values_in(line.text)
        and _replaced(other.text, later.text)
        and _fit(later, other) > _fit(later, line)
        for other in told
    )


def _fit(later: LineRow, line: LineRow) -> tuple[bool, int, int]:
    """What tells of which line a later one is a correction: by the kind of its value, by the words of both, by when it was said."""
    return bool(_replaced(line.text, later.text) - {BARE}), len(_shared(line.text, later.text)), line.start_ns


def _replaced(old: str, new: str) -> frozenset[str]:
    """The kinds of values of which a text has others than an older one, or than the statement of it that is of the same thing."""
    old = statement_of(old, content_terms(new))
    if not (values := values_in(old)):
        return frozenset()
    values_now = values_in(new)
    kinds = {kind for kind in values if kind in values_now and values_now[kind] - values[kind]}
    counted, counted_now = (frozenset(kind for kind in one if kind.startswith("count ")) for one in (values, values_now))
    is_time = CLOCK in values and CLOCK not in values_now and bool(values_now.get(BARE, frozenset()) - _hours(values[CLOCK]))
    if BARE in values_now and not counted_now and (counted or is_time):
        kinds.add(BARE)
    if BARE in values and not counted and any(is_unit(kind.removeprefix("count ")) or _shared(old, new) for kind in counted_now):
        kinds.add(BARE)
    if (
        {DAY, DATE} & set(values)
        and {DAY, DATE} & set(values_now)
        and not {DAY, DATE} & set(values) & set(values_now)
        and _shared(old, new)
    ):
        kinds.add(DATE)
    return frozenset(kinds)


def _hours(times: frozenset[str]) -> frozenset[str]:
    """The hours of times of the clock, as they are said: 21:00 is nine too."""
    hours = [int(time.split(":")[0]) for time in times if ":" in time]
    return frozenset(str(hour) for one in hours for hour in (one, (one - 1) % 12 + 1))


def _is_denied(old: str, new: str) -> bool:
    """Whether a text says that something is not what an older one said, and what it is instead."""
    terms, terms_now = content_terms(old), content_terms(new)
    denied = {stem(match["word"].lower()) for match in _INSTEAD.finditer(new)}
    return any(term in terms for term in denied) and any(term not in terms and term not in denied for term in terms_now)


def _is_of_another(old: str, new: str) -> bool:
    """Whether what two texts share is another thing in each: the small room and the large room, eggs for the dough and for the cream."""
    words, words_now = tokens(old), tokens(new)
    for place, word in enumerate(words):
        for place_now, word_now in enumerate(words_now):
            if stem(word) == stem(word_now) and word not in STOP_WORDS and not _is_value(stem(word)):
                around, around_now = _kept_apart(words, place), _kept_apart(words_now, place_now)
                if any(one and other and one != other for one, other in zip(around, around_now, strict=True)):
                    return True
    return False


def _kept_apart(words: Sequence[str], place: int) -> tuple[str, str]:
    """What tells a thing from others of its kind: the stem of the content word before it, and of the one behind a preposition after it."""
    before = words[place - 1] if place else ""
    after = [word for word in words[place + 1 : place + 4] if word not in _ARTICLES]
    behind = after[1] if len(after) > 1 and after[0] in _PREPOSITIONS else ""
    kept = [word if word not in STOP_WORDS and not _is_value(stem(word)) and not _is_value(word) else "" for word in (before, behind)]
    return stem(kept[0]), stem(kept[1])


def _new_terms(old: str, new: str) -> bool:
    """Whether a text has a content word that is no value and that an older one has not."""
    terms = content_terms(old)
    return any(not _is_value(term) and not holds(term, terms) for term in content_terms(new))


def _is_value(term: str) -> bool:
    return has_amount(term) or is_ordinal(term) or is_calendar(term) or is_unit(term)


def _shared(old: str, new: str) -> frozenset[str]:
    """The content words of both texts that are no values."""
    terms = content_terms(new)
    return frozenset(term for term in content_terms(old) if not _is_value(term) and holds(term, terms))
