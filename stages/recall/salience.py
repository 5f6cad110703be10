"""What matters in a stretch of conversation: its key words, its most telling lines, and how much there is in it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from math import log, sqrt

from stages.memory.rows import LineRow
from stages.recall.english import is_question
from stages.recall.terms import STOP_WORDS, content_terms, has_number, is_calendar, is_irregular, is_number, stem, tokens
from stages.recall.word_lists import word_set

_DETERMINERS = word_set(
    """
    a an the these those my your his her its our their some any no each every another of about for with
    """
)
_DULL = word_set(
    """
    actually afraid ahead behind outside inside single past end middle top bottom first second third last already also
    always ago anyway away back bad best better big bit certainly clear clever course else enough exactly fact far fine free
    full good great guess hard high idea kind late later left long lot love lovely lucky mean moment morning near new next
    nice nights normal often old okay part point problem question ready side small soon sort start still stuff sure terrible
    though today tomorrow tonight total true usual usually week weeks whole wonderful word worst wow wrong year years young
    yet day days time times say says said saying tell tells told way ways people person somebody half hour hours minute minutes
    """
)
_CAPITAL = r"[A-Z][a-z]{2,}"
_NAME = re.compile(
    rf"(?<=[a-z0-9,;] ){_CAPITAL}(?: {_CAPITAL})*\b"
    rf"|(?:^|(?<=[.!?] )){_CAPITAL}(?: {_CAPITAL})+(?= (?:is|are|was|were|has|had|will|would|can|could|does|did|said|[a-z]{{3,}}s)\b)"
)
_ASKS = re.compile(r"\b(?:do|does|did|can|could|will|would|should)\b", re.I)
_DECISION = re.compile(
    r"\b(?:decid|agree|settl|must\b|have to|need|deadline|important|urgent|cancel|move[ds]?\b|chang|meet|book|start"
    r"|begin|leav|open|clos|cost|price|pay|remember|promise|"
    r"offer|warn|danger|die[ds]?\b|born|marr|hire|fire[ds]?\b|broke|stol|lost|found|won\b)",
    re.I,
)


class Vocabulary:
    """How common each content word is over some lines: what is said everywhere tells little."""

    def __init__(self, lines: Iterable[LineRow]) -> None:
        self._documents: Counter[str] = Counter()
        self._n_lines = 0
        self._terms: dict[str, tuple[str, ...]] = {}
        for line in lines:
            self._n_lines += 1
            self._documents.update(self.terms(line.text))

    def terms(self, text: str) -> tuple[str, ...]:
        """`content_terms` of a text, worked out once: every line is compared with others many times."""
        if text not in self._terms:
            self._terms[text] = content_terms(text)
        return self._terms[text]

    def weight(self, term: str) -> float:
        """Inverse document frequency, at least 0."""
        return float(log(1.0 + self._n_lines / (1.0 + self._documents[term])))


def telling(line: LineRow, vocabulary: Vocabulary) -> float:
    """How much a line tells: its rare words, numbers, names and decisions; questions and very short lines tell less."""
    terms = vocabulary.terms(line.text)
    # The square root keeps a long line from winning by its length alone.
    score = sum(vocabulary.weight(term) for term in terms) / sqrt(max(1.0, len(terms)))
    score *= 1.0 + 0.3 * has_number(line.text) + 0.2 * bool(_names(line.text)) + 0.25 * bool(_DECISION.search(line.text))
    if is_question(line.text):
        score *= 0.6
    return score * min(1.0, 0.3 + 0.7 * line.confidence)


def best_lines(lines: Sequence[LineRow], vocabulary: Vocabulary, n_most: int) -> list[LineRow]:
    """The most telling lines of a stretch, best first; a line that repeats the words of a better one comes later."""
    return [line for line, _ in _best_told(lines, vocabulary, n_most)]


def importance(lines: Sequence[LineRow], vocabulary: Vocabulary) -> float:
    """How much there is in a stretch: the sum of what its most telling lines tell."""
    return sum(told for _, told in _best_told(lines, vocabulary, 5))


def _best_told(lines: Sequence[LineRow], vocabulary: Vocabulary, n_most: int) -> list[tuple[LineRow, float]]:
    """The best lines with how much each tells."""
    rest = sorted(((line, telling(line, vocabulary)) for line in lines), key=lambda pair: (-pair[1], pair[0].start_ns, pair[0].id))
    chosen: list[tuple[LineRow, float]] = []
    said: set[str] = set()
    while rest and len(chosen) < n_most:
        best, most = 0, -1.0
        for place, (line, told) in enumerate(rest):
            # What follows tells less, and no line tells more for being new.
            if told <= most:
                break
            news = told * (0.4 + 0.6 * _new_share(vocabulary.terms(line.text), said))
            if news > most:
                best, most = place, news
        chosen.append(rest.pop(best))
        said.update(vocabulary.terms(chosen[-1][0].text))
    return chosen


def _new_share(terms: Sequence[str], said: Collection[str]) -> float:
    return sum(term not in said for term in terms) / max(1, len(terms))


def key_words(lines: Sequence[LineRow], vocabulary: Vocabulary, n_most: int = 3, asked: str = "") -> list[str]:
    """The things that some lines are about, as they were said, the most telling first.

    A word counts as a thing when it stood behind a determiner or a number, or is a name; so verbs stay out without a tagger.
    Names of several words stay whole, and so do words that stand side by side in the question that was `asked`.
    """
    whole = _whole_names(lines) | _side_by_side(lines, asked)
    scores: defaultdict[str, float] = defaultdict(float)
    shown: dict[str, str] = {}
    for place_in_talk, line in enumerate(lines):
        # A topic is brought up at the beginning.
        early = 2.0 - place_in_talk / len(lines)
        for name in _names(line.text):
            for word in name.split():
                if not is_calendar(word.lower()):
                    thing = stem(word.lower())
                    scores[whole.get(thing, thing)] += early * vocabulary.weight(thing) / len(name.split())
                    shown.setdefault(thing, word)
        written = {word.lower(): word for name in _names(line.text) for word in name.split()}
        for clause in re.split(r"[.,;:?!]", line.text):
            for chunk in _chunks(clause):
                for place, word in enumerate(chunk):
                    # The head comes last; what stands before it counts less.
                    share = 1.0 if place == len(chunk) - 1 else 0.7
                    scores[whole.get(stem(word), stem(word))] += early * share * vocabulary.weight(stem(word))
                    shown.setdefault(stem(word), written.get(word, word))
    ranked = sorted(scores, key=lambda term: (-scores[term], term))
    return [shown.get(term, term) for term in ranked[:n_most]]


def _whole_names(lines: Iterable[LineRow]) -> dict[str, str]:
    """The names of several words by the stem of each of their words."""
    whole: dict[str, str] = {}
    for line in lines:
        for name in _names(line.text):
            if " " in name:
                for word in name.split():
                    whole.setdefault(stem(word.lower()), name)
    return whole


def _side_by_side(lines: Iterable[LineRow], asked: str) -> dict[str, str]:
    """Two things that stand side by side in a question and in a line, as the line has them, by the stem of each."""
    words = tokens(asked)
    pairs = {
        (stem(one), stem(other))
        for one, other in pairwise(words)
        if not {one, other} & (STOP_WORDS | _DULL) and one.isalpha() and other.isalpha()
    }
    whole: dict[str, str] = {}
    for line in lines if pairs else ():
        for one, other in pairwise(re.findall(r"[A-Za-z]+", line.text)):
            pair = (stem(one.lower()), stem(other.lower()))
            if pair in pairs and f"{one} {other}" in line.text:
                whole.update((word, f"{one} {other}") for word in pair if word not in whole)
    return whole


def _chunks(clause: str) -> list[list[str]]:
    """Content words that follow a determiner or a number, up to the next other word."""
    chunks: list[list[str]] = []
    chunk: list[str] | None = None
    asks = _ASKS.search(clause) is not None
    for word in [*tokens(clause), "."]:
        content = (
            word not in STOP_WORDS
            and word not in _DULL
            and not is_irregular(word)
            and not is_number(word)
            and not word[0].isdigit()
            and word.isascii()
        )
        if content and chunk is not None and len(chunk) < 3 and stem(word).isalpha() and "'" not in word:
            chunk.append(word)
            continue
        if chunk:
            # "the bus leaves", "does the bus leave": what looks like a verb at the end is not a thing.
            while len(chunk) > 1 and (chunk[-1].endswith(("s", "ed", "ing")) or asks):
                chunk.pop()
            chunks.append(chunk)
        opens = word in _DETERMINERS or is_number(word) or (chunk == [] and word in _DULL)
        chunk = [] if opens else None
    return chunks


def _names(text: str) -> list[str]:
    """Capitalised words inside a sentence, those side by side as one name; the first word of a sentence only where a verb follows.

    "North Harbour is closed" begins with a name of two words, "Tell Maria" does not.
    """
    found = [match[0] for match in _NAME.finditer(text)]
    return [name for name in found if not any(word.lower() in STOP_WORDS for word in name.split())]
