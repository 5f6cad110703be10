"""The words that carry a text's content: tokens, stems, and when two of them are the same word."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import chain

from stages.recall.english import MONTHS, WEEKDAYS
from stages.recall.word_lists import NUMBER_WORDS, TENS, numbered, word_set

# One short syllable, which an e at its end would make another word: "plan" and "plane", "hop" and "hope".
_SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?(?:-\d+)?")
_MAY = re.compile(r"(?<=\s)May\b")
_LEAST_LONG = 6

STOP_WORDS: frozenset[str] = word_set(
    """
    a about above after again against all also am an and any anybody anyone anything are aren't as at away back be because
    been before being below between both but by can can't cannot come comes could couldn't did didn't do does doesn't doing
    don't down during each either ever every everybody everyone everything few for from further get gets getting go goes
    going gonna got had hadn't has hasn't have haven't having he he'd he'll he's her here here's hers herself him himself
    his how how's however i i'd i'll i'm i've if in into is isn't it it'd it'll it's its itself just let let's like lot lots
    made make makes making many may maybe me might mine more most much must mustn't my myself need needs no nobody nor not
    nothing now of off oh ok okay on once one ones only onto or other others ought our ours ourselves out over own perhaps
    please pretty put quite rather really right same shall she she'd she'll she's should shouldn't so some somebody someone
    something soon still such sure take takes than that that's the their theirs them themselves then there there's these
    they they'd they'll they're they've thing things think this those though through to together too took toward towards
    under until up upon us use used very was wasn't way we we'd we'll we're we've well went were weren't what what's when
    when's where where's whether which while who who's whom whose why why's will with within without won't would wouldn't
    yeah yes yet you you'd you'll you're you've your yours yourself yourselves
    """
)
"""Words without content of their own."""

_FRAME_WORDS: frozenset[str] = word_set(
    """
    chat chats comment conversation conversations dialogue discuss discussed discussing discussion discussions hear heard
    listen listened mention mentioned mentioning people person persons said say saying says somewhere speak speaking
    spoke spoken story subject talk talked talking talks tell telling told topic topics
    """
)

_DATED = frozenset([*WEEKDAYS, *MONTHS])
_CALENDAR = _DATED | word_set(
    """
    today tomorrow tonight yesterday noon midnight morning afternoon evening night weekend week month year
    spring summer autumn winter easter christmas
    """
)
_ORDINALS = word_set(
    """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
    sixteenth seventeenth eighteenth nineteenth twentieth thirtieth
    """
)

_IRREGULAR: dict[str, str] = {
    "ate": "eat", "began": "begin", "bought": "buy", "broke": "break", "broken": "break", "brought": "bring", "built": "build",
    "buses": "bus", "came": "come", "caught": "catch", "children": "child", "chose": "choose", "done": "do", "drank": "drink",
    "drove": "drive", "eaten": "eat", "fed": "feed", "feet": "foot", "fell": "fall", "felt": "feel", "flew": "fly", "forgot": "forget",
    "found": "find", "gave": "give", "given": "give", "gone": "go", "grew": "grow", "held": "hold", "kept": "keep", "knew": "know",
    "leaves": "leave", "left": "leave", "lost": "lose", "meant": "mean", "men": "man", "met": "meet", "mice": "mouse", "paid": "pay",
    "ran": "run", "rose": "rise", "sang": "sing", "sat": "sit", "saw": "see", "seen": "see", "sent": "send", "slept": "sleep",
    "sold": "sell", "spent": "spend", "stole": "steal", "stood": "stand", "stung": "sting", "swam": "swim", "taught": "teach",
    "teeth": "tooth", "thought": "think", "threw": "throw", "won": "win", "wore": "wear", "worn": "wear", "women": "woman",
    "written": "write", "wrote": "write",
    "beaten": "beat", "bitten": "bite", "chosen": "choose", "driven": "drive", "dug": "dig", "fallen": "fall", "flown": "fly",
    "forgotten": "forget", "frozen": "freeze", "grown": "grow", "hidden": "hide", "hung": "hang", "known": "know", "led": "lead",
    "ridden": "ride", "risen": "rise", "rung": "ring", "shot": "shoot", "shown": "show", "stolen": "steal", "struck": "strike",
    "sung": "sing", "swept": "sweep", "thrown": "throw", "understood": "understand", "woke": "wake", "woken": "wake",
}  # fmt: skip

_IRREGULAR_PLURALS = frozenset({"children", "feet", "men", "women", "mice", "teeth"})
_NO_PAST = _IRREGULAR_PLURALS | {"buses", "leaves"}

_NUMBERS: dict[str, str] = {word: str(value) for word, value in (numbered(NUMBER_WORDS) | numbered(TENS, 20, 10)).items()} | {
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
    "dozen": "12",
    "half": "0.5",
}


def tokens(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation; "speaker-2" stays one word."""
    return _TOKEN.findall(text.lower())


def spoken_span(text: str, words: Collection[str]) -> str:
    """The part of a text from the first to the last of some words (in lower case), as it stands there; the words where it has none."""
    places = [match.span() for match in _TOKEN.finditer(text) if match[0].lower() in words]
    return text[places[0][0] : places[-1][1]] if places else " ".join(words)


@lru_cache(maxsize=2**15)
def stem(token: str) -> str:
    """A word without its common English endings, so that forms of one word are equal.

    Number words become digits. A light stemmer in the spirit of Harman's S-stemmer (1991), with -ed and -ing.
    """
    token = token.removesuffix("'s")
    token = _IRREGULAR.get(token, token)
    if token in _NUMBERS:
        return _NUMBERS[token]
    token = _without_s(token)
    if len(token) > 5 and token.endswith("eed"):
        token = token[:-1]
    for ending in ("ing", "ed"):
        root = token.removesuffix(ending)
        if root != token and len(root) >= 3 and not token.endswith("eed") and any(letter in "aeiouy" for letter in root):
            if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsz":
                token = root[:-1]
            else:
                token = f"{root}e" if _SHORT.fullmatch(root) else root
            break
    if len(token) > 3 and token.endswith("e") and not _SHORT.fullmatch(token[:-1]):
        token = token.rstrip("e")
    return token[:-1] + "i" if len(token) > 3 and token.endswith("y") else token


@lru_cache(maxsize=2**15)
def roots(word: str) -> tuple[str, ...]:
    """The stems of what stands between two spaces: "well-known," has two."""
    return tuple(stem(token) for token in tokens(word))


def singular(token: str) -> str:
    """A noun without the ending of its plural; unlike a stem it keeps "-ing" and "-ed", which make other words of it."""
    token = token.removesuffix("'s")
    return _without_s(_IRREGULAR[token] if token in _IRREGULAR_PLURALS else token)


def _without_s(token: str) -> str:
    if len(token) > 4 and token.endswith("ies"):
        return token[:-3] + "y"
    if len(token) > 4 and token.endswith(("sses", "shes", "ches", "xes", "zes")):
        return token[:-2]
    if len(token) > 3 and token.endswith("s") and not token.endswith(("ss", "us", "is")):
        return token[:-1]
    return token


def content_words(text: str, *, drop: Collection[str] = ()) -> tuple[str, ...]:
    """The words of a question that say what it is about, in order; `drop` names further words (in lower case) to leave out."""
    return tuple(token for token in tokens(text) if token not in STOP_WORDS and token not in _FRAME_WORDS and token not in drop)


def content_terms(text: str, *, drop: Collection[str] = ()) -> tuple[str, ...]:
    """The stems of `content_words`, each once."""
    return tuple(dict.fromkeys(stem(token) for token in content_words(text, drop=drop))) if drop else _terms_of(text)


@lru_cache(maxsize=4096)
def _terms_of(text: str) -> tuple[str, ...]:
    """The stems of the content words of a line: a question compares the same lines with each other many times."""
    return tuple(dict.fromkeys(map(stem, content_words(text))))


def is_irregular(token: str) -> bool:
    """Whether a word is an irregular form of a verb: nearly always of the past."""
    return token in _IRREGULAR and token not in _NO_PAST


def is_calendar(token: str) -> bool:
    """Whether a word names a time, like "friday" or "june"."""
    return token in _CALENDAR


def calendar_words(text: str) -> frozenset[str]:
    """The stems of the weekdays and months of a text."""
    return frozenset(stem(token) for token in tokens(text) if token in _DATED)


def is_ordinal(token: str) -> bool:
    """Whether a word is an ordinal, like "third"."""
    return token in _ORDINALS


def has_amount(text: str) -> bool:
    """Whether a text holds a number, in digits or words."""
    return any(token[0].isdigit() or (token in _NUMBERS and token != "one") for token in tokens(text))


def has_number(text: str) -> bool:
    """Whether a text holds a number, in digits or words, or a time like a weekday or a month."""
    return _MAY.search(text) is not None or any(is_number(token) for token in tokens(text))


def is_number(token: str) -> bool:
    """Whether a word is a number, in digits or letters, or names a time like a weekday or a month."""
    return token[0].isdigit() or token in _NUMBERS or token in _ORDINALS or token in _CALENDAR


def numbers(text: str) -> frozenset[str]:
    """The numbers of a text as digits ("seven" is 7), without those in names like speaker-2."""
    return frozenset(number for token in tokens(text) if "-" not in token for number in re.findall(r"\d+", _NUMBERS.get(token, token)))


def stems(text: str) -> frozenset[str]:
    """The stems of all words of a text."""
    return frozenset(chain.from_iterable(map(roots, text.lower().split())))


def same_word(one: str, other: str) -> bool:
    """Whether two stems are one word, allowing for a recogniser's small slips in long words."""
    return one == other or (one[:1] == other[:1] and min(len(one), len(other)) >= _LEAST_LONG and _is_slip(one, other))


@lru_cache(maxsize=2**15)
def _is_slip(one: str, other: str) -> bool:
    """Whether two long words may be one, with a letter or two that are wrong; numbers are never."""
    most = 2 if max(len(one), len(other)) >= 9 else 1
    if abs(len(one) - len(other)) > most or any(letter.isdigit() for letter in one + other):
        return False
    return edit_distance(one, other) <= most


def forms(term: str, words: Iterable[str]) -> frozenset[str]:
    """Those of some stems that are a stem, small slips allowed."""
    # Nearly every question asks this of thousands of words: those that cannot be a slip of it are told by their first letter.
    return frozenset(word for word in words if word[:1] == term[:1] and same_word(term, word))


def holds(term: str, words: Collection[str]) -> bool:
    """Whether a stem is among the stems of a text, small slips allowed."""
    return term in words or (len(term) >= _LEAST_LONG and bool(forms(term, words)))


def coverage(terms: Iterable[str], words: Collection[str]) -> float:
    """The share of the terms that a text holds, 0 to 1; 1 for no terms."""
    found = [holds(term, words) for term in terms]
    return sum(found) / len(found) if found else 1.0


def edit_distance(one: str, other: str) -> int:
    """Levenshtein's distance: insertions, deletions and substitutions of letters."""
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, start=1):
        previous, row[0] = row[0], index
        for column, opposite in enumerate(other, start=1):
            previous, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, previous + (letter != opposite))
    return row[-1]


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that a misspelt word most likely meant, or None."""
    ranked = sorted((edit_distance(word.lower(), choice.lower()), choice) for choice in choices)
    return ranked[0][1] if ranked and ranked[0][0] <= max(2, len(word) // 3) else None
