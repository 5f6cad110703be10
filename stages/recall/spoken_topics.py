"""What a question as people talk is about, and whom it means, where that stands in another of its clauses."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from stages.recall import cues
from stages.recall.spoken_clauses import Clause
from stages.recall.terms import STOP_WORDS, content_words, is_calendar, is_irregular, tokens
from stages.recall.word_lists import word_set

PRONOUN = r"(?:it|that|this|them|those|these|one|they|that one|this one|that thing|the thing|that lot)"
SPEAKS = (
    r"(?:sa(?:y|ys|id|ying)|talk(?:s|ed|ing)?|speak(?:s|ing)?|spoke|mention(?:s|ed|ing)?|t(?:ell|ells|old|elling)|on about|(?:go|goes"
    r"|going|went) on"
    r"|chat(?:s|ted|ting)?|discuss(?:es|ed|ing)?|(?:bring|brings|bringing|brought) up|c[ao]me out with|explain(?:s|ed|ing)?|to say"
    r"|raving|ranting)"
)
_HEAR = (
    r"(?:hear|heard|hearing|ask|asked|asking|wonder|wondered|wondering|know|curious|thinking|conversation|discussion|talk|chat"
    r"|debate|story|something|anything|stuff)"
)
_ABOUT = re.compile(rf"\b(?:{SPEAKS}|{_HEAR})(?: (?!about\b|of\b|on\b)[\w']+)?? (?:about|on the subject of|regarding) (?P<what>.+)$", re.I)
_ANY_ABOUT = re.compile(r"\babout (?P<what>.+)$", re.I)
_NAMED_THING = re.compile(rf"\b(?:mention(?:s|ed|ing)?|bring(?:ing)? up|brought up|discuss(?:ed|ing)?) (?P<what>(?!{PRONOUN}\b).+)$", re.I)
_THERE = re.compile(r"^(?:there(?:'s| is| are| was| were)|it's about|it is about|it was about|about) (?P<what>.+)$", re.I)
_CAME_UP = re.compile(r"^(?P<what>.+?) (?:came up|(?:just )?keeps? coming up|comes up|was mentioned|got mentioned)\b", re.I)
_WORD = re.compile(r"\bthe word (?P<what>[\w'-]+)\b", re.I)
_DETERMINER = word_set("the that this those these a an some every any their its our his her all another one")
_OWN = word_set("my your")
_LINK = word_set("of in on at from with for to by between before after during under over about against without into like behind near")
_ENDS = word_set(
    """
    sounds looks seems keeps came comes went goes gets matters interests bothers happened feels tastes smells costs takes took wants needs
    means rather just really normally usually always never ages today tomorrow yesterday gives given needs knows knew see saw heard said
    thing bit apparently honestly obviously maybe either neither too enough anyway gets got goes whole while reckons
    reckon even still already later lately
    recently earlier
    """
)
_EVERYDAY = word_set(
    """
    head mind notes note wife husband mum mom dad sister brother son daughter granddaughter grandson kid kids friend friends ears ear eyes
    eye knees hearing aid aids recorder battery phone chair seat kettle noise pen paper time times moment minute minutes second seconds part
    way order name number bet argument idea chance question answer truth sort kind lot thing things bit bits stretch rest others word words
    people person somebody room fire doctor boss point subject top middle end beginning back hole gap penny laugh write-up minutes account
    attention sense clue dark same story stage fool idiot fairies nap bother trouble world bad day days week weeks life place corner while
    whole matter topic conversation reason mistake fault detail details height size meantime record sake heart nerves creeps
    """
)
_NOT_NAMES = (
    STOP_WORDS
    | cues.NOT_NAMES
    | word_set(
        "i ok okay mr mrs ms dr english german french spanish italian dutch portuguese echoic god jesus christ lord surely gosh well"
        " honestly"
    )
)


_MOST_WORDS = 9


def names_in(text: str, speakers: Callable[[], Collection[str]]) -> list[str]:
    """Those talkers whom a text names, known ones and labels first, then capitalised words that may be names; each once, in order."""
    found = [(match.start(), f"speaker-{cues.DIGITS.get(match[1].lower(), match[1])}") for match in cues.LABEL.finditer(text)]
    lower = text.lower()
    for name in speakers():
        if name.lower() in lower and cues.LABEL.fullmatch(name) is None and name.lower() not in STOP_WORDS:
            pattern = rf"(?<![\w'-]){re.escape(name)}(?![\w-])"
            found += [(match.start(), name) for match in re.finditer(pattern, text, 0 if is_calendar(name.lower()) else re.I)]
    if not found:
        # "Anna" in the middle of a sentence; at its beginning anything has a capital.
        for match in re.finditer(r"(?<!^)(?<![.?!] )\b[A-Z][a-z][\w-]*", text):
            if match[0].lower() not in _NOT_NAMES and not is_calendar(match[0].lower()):
                found.append((match.start(), match[0]))
    return list(dict.fromkeys(name for _, name in sorted(found)))


def talker_of(parts: Sequence[Clause], asking: int, speakers: Callable[[], Collection[str]], *, of_many: bool) -> str | None:
    """The talker whom "he" or "she" of the asking clause stands for, from the nearest clause that names one.

    With `of_many` it is "they", which stands for one only where that one is said to have spoken, or called by name alone.
    """
    for place in sorted(range(len(parts)), key=lambda place: (abs(place - asking), place)):
        text = parts[place].text
        names = names_in(text, speakers) if place != asking else []
        if not names and place != asking:
            begins = re.match(
                r"(?P<name>[A-Z][a-z]+)(?:$|'s\b| (?:is|was|does|did|has|never|always|said|went|told|[a-z]+(?:s|ed))\b)", text
            )
            names = [begins["name"]] if begins is not None and begins["name"].lower() not in _NOT_NAMES | _EVERYDAY else []
        if len(names) == 1:
            # "They" is what one calls a talker of whom no more is known than a number.
            is_alone = len(text.split()) == 1 or cues.LABEL.fullmatch(names[0]) is not None
            if not of_many or is_alone or re.search(rf"\b{re.escape(names[0])}(?:'s)?\b.*\b{SPEAKS}", text, re.I):
                return names[0]
    return None


def topic_of(parts: Sequence[Clause], asking: int, names: Collection[str] = ()) -> str | None:
    """What the clauses around the asking one are about, as a phrase with its article; None where none of them tells.

    `names` are those of talkers, who are no topic.
    """
    best: tuple[float, str] | None = None
    for place, part in enumerate(parts):
        if place == asking:
            continue
        for form, phrase in _phrases(part.text):
            if phrase in names:
                continue
            weight = 2.0 * form - abs(asking - place) - (0.5 if place > asking else 0.0)
            if best is None or weight > best[0]:
                best = weight, phrase
    return best[1] if best is not None else None


def as_topic(text: str) -> str | None:
    """A phrase as what is talked about: with "the" for "that" and "a"; None where it names nothing."""
    phrase = re.sub(
        r"\s+(?:at (?:some|any|one) (?:point|time)|or so|or other|or something|and all|and that|at all|though|then|there|over there"
        r"|now|again|later|lately|exactly|really"
        r"|ever|yet|me)$",
        "",
        text.strip(" ,"),
        flags=re.I,
    )
    words = phrase.split()
    if not words or not content_words(phrase, drop=_EVERYDAY | {"word"}) or words[0].lower() in _OWN or cues.LABEL.fullmatch(phrase):
        return None
    if words[0].lower() in {"that", "those", "these", "this", "a", "an", "some", "every", "any", "another", "his", "her", "their"}:
        words = ["the", *words[1:]]
    return " ".join([words[0].lower() if words[0].lower() in _DETERMINER or words[0].endswith("ing") else words[0], *words[1:]])


def _phrases(text: str) -> Iterator[tuple[int, str]]:
    """The phrases of a clause that may be what is talked about, each with how surely (5 to 1)."""
    words = text.split()
    if (word := _WORD.search(text)) is not None:
        yield 5, f"the word {word['what']}"
        return
    whole = _noun_phrase(words, 0)
    is_gerund = words[0].lower().endswith("ing") and len(words) > 1 and not re.search(r"\b(?:i|it|he|she|they|you|we|is|was)\b", text, re.I)
    is_thing = whole == len(words) and (words[0].lower() in _DETERMINER or (words[-1].endswith("s") and not words[-1].endswith("ss")))
    if (is_thing or is_gerund) and len(words) <= _MOST_WORDS and (topic := as_topic(text)) is not None:
        yield 5, topic
    # What the asker feels about something else says little.
    loose = 1 if re.match(r"(?:i|i'm|i've|we|we're|my)\b", text, re.I) else 2
    for form, pattern in ((4, _ABOUT), (4, _NAMED_THING), (3, _CAME_UP), (3, _THERE), (loose, _ANY_ABOUT)):
        if (match := pattern.search(text)) is not None:
            inner = match["what"].split()
            end = _noun_phrase(inner, 0)
            if inner[0].lower().endswith("ing"):
                end = len(inner)
            if end and (topic := as_topic(" ".join(inner[:end]))) is not None:
                yield form, topic
    for place, word_ in enumerate(words):
        lower = word_.lower()
        if lower in {"the", "that", "this", "those", "these"} and (end := _noun_phrase(words, place)) and end > place + 1:
            if (topic := as_topic(" ".join(words[place:end]))) is not None:
                yield (2 if place == 0 else 1), topic
            return


def _noun_phrase(words: Sequence[str], start: int) -> int:
    """Where the phrase ends that begins at a word, as far as words without content tell; `start` where none begins there."""
    place, n_nouns = start, 0
    while place < len(words):
        word = words[place].lower()
        before = words[place - 1].lower() if place > start else ""
        if (word in _DETERMINER and (place == start or before in _LINK or before in _DETERMINER)) or (
            word in _LINK
            and n_nouns
            and place + 1 < len(words)
            and (words[place + 1].lower() in _DETERMINER or _is_noun(words[place + 1].lower()))
        ):
            place += 1
        elif _is_noun(word) or (word == "own" and n_nouns == 0):
            n_nouns += 1
            place += 1
        else:
            break
    while place > start and words[place - 1].lower() in _LINK | _DETERMINER:
        place -= 1
    return place if n_nouns else start


def _is_noun(word: str) -> bool:
    """Whether a word may be one of a phrase for a thing: it has content, and is no usual verb."""
    return (
        bool(tokens(word))
        and word not in STOP_WORDS
        and word not in _ENDS
        and not is_irregular(word)
        and not word.endswith(("'s", "'ve", "'ll", "'d", "'re", "n't"))
    )
