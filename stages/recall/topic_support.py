"""Whether a stretch of talk is about a topic: the measure behind "Who talked about X?" and "What did Anna say about X?".

A single line rarely tells what a talk is about, so every line is judged with the talk around it, by a logistic regression over a few
features of that stretch. Its weights, for each encoder others (`encoder_fits.py`), were fitted by `tools/fit_topic_support.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.contiguity import closeness, gaps_s, meanings
from stages.recall.encoder_fits import TopicFit, topic_fit
from stages.recall.question import Question
from stages.recall.terms import content_words, forms, stem, stems, tokens

FEATURES = ("centre", "best line", "best three", "words said", "cohesion", "said better elsewhere", "words asked")
"""What the weights belong to: cosines of the topic with the centre of a stretch and with its best lines, the share of the topic's
words that were said, how alike the lines of the stretch are to each other, by how much another talk is nearer to the topic, and how
many words the topic has."""

_SCALE_S = 15.0
_CLOSE_S = 5.0
_IN_STRETCH = 0.25
_REACH_S = 20.0
_PAUSE_S = 60.0
_MOST_WORDS = 6
_LONGEST = 40
_BEST = 3
_OF_BEST_LINE = 0.3

_AFTER_CUE = re.compile(
    r"\b(?:about|regarding|concerning|mention(?:s|ed|ing)?|discuss(?:es|ed|ing)?|br(?:ing|ought) up)\s+(?P<what>[^,?.!;]+)", re.I
)
_NEXT_ASPECT = re.compile(r"\s+(?:and|or)\s+(?:when|where|who)\b.*|\s+in (?:the|this) room\b.*", re.I)

_MISSING = 10.0
"""By centre and best line. Of the stretches of rooms 3000 to 3049 that have some of a topic's words, those about something else are three
times as often nearer to these words alone, both by 0.06, as those about the topic (0.15 to 0.05 of them)."""

Encode = Callable[[Sequence[str]], Float32Array]
"""The vectors of texts, float32, shape (texts, dimension)."""


@dataclass(frozen=True)
class Topic:
    """A topic as it was asked for: its words, their stems, and its vector (float32, shape (dimension,), of unit length)."""

    words: tuple[str, ...]
    terms: tuple[str, ...]
    vector: Float32Array


@dataclass(frozen=True)
class Judged:
    """The lines of one talk, by start, and what is known of the stretch around each.

    `vectors` are float32, shape (lines, dimension), `features` float32, shape (lines, len(FEATURES)); `cosines` (float32, shape (lines,))
    say how like the topic a line is, `likeness` (the same shape) with the one or two beside it; `said` and `words` (float32, shape
    (lines, terms), 0 or 1) which terms were said around a line, and in it. `fit` is that of the encoder.
    """

    lines: tuple[LineRow, ...]
    vectors: Float32Array
    features: Float32Array
    cosines: Float32Array
    likeness: Float32Array
    said: Float32Array
    words: Float32Array
    fit: TopicFit

    @property
    def support(self) -> Float32Array:
        """How surely the stretch around each line is about the topic, 0 to 1, float32, shape (lines,)."""
        return self.fit.support(self.features)

    def compared(self, place: int, topic: Topic) -> tuple[str, str] | tuple[()]:
        """The topic, and what of it was said around a line, as their vectors are made; nothing where all or none of its words were said."""
        said = self.said[place] > 0.0
        if said.all() or not said.any():
            return ()
        kept = [word for word, is_said in zip(topic.words, said, strict=True) if is_said]
        return phrase(" ".join(topic.words)), phrase(" ".join(kept))

    def support_with_missing(self, place: int, topic: Topic, encode: Encode) -> float:
        """The support of the stretch around a line, less where it is nearer to the topic without the words that nobody said there.

        Then it is about something else: the talk about a wedding, for "the wedding ring".
        """
        support = float(self.support[place])
        compared = self.compared(place, topic)
        if not compared:
            return support
        whole, part = encode(compared)
        own = self.vectors[self.apart_s(place, place) <= _REACH_S]
        centre = own.mean(axis=0) / max(float(np.linalg.norm(own.mean(axis=0))), 1e-9)
        nearer = max(0.0, float(centre @ part - centre @ whole)) + max(0.0, float((own @ part).max() - (own @ whole).max()))
        return support / (support + (1.0 - support) * float(np.exp(_MISSING * nearer)))

    def peak(self, allowed: Sequence[bool] | npt.NDArray[np.bool_]) -> int | None:
        """The place of the allowed line whose stretch is nearest to the topic; None where no line is allowed."""
        score = np.where(np.asarray(allowed, dtype=bool), self.features[:, 0] + _OF_BEST_LINE * self.features[:, 1], -np.inf)
        return int(score.argmax()) if np.isfinite(score).any() else None

    def run(self, peak: int, share: float) -> tuple[int, int]:
        """The first and the last line of the talk around a line that is on with the topic.

        To each side it goes where the sum of likeness over `share` of the stretch's mean is greatest: a remark in between that is like
        nothing belongs to it, the beginning of something else does not.
        """
        apart = self.apart_s(peak, peak)
        excess = self.likeness - share * float(self.likeness[apart <= _REACH_S].mean())
        ends = []
        for step, stop in ((-1, -1), (1, len(self.lines))):
            end, total, most = peak, 0.0, 0.0
            for place in range(peak + step, stop, step):
                if _gap_s(self.lines[place], self.lines[place - step].start_ns, self.lines[place - step].end_ns) > _PAUSE_S:
                    break
                total += float(excess[place])
                if total > most:
                    end, most = place, total
            ends.append(end)
        return ends[0], ends[1]

    def apart_s(self, first: int, last: int) -> Float32Array:
        """How far each line lies from a run of them in time, in seconds, 0 where it overlaps; float32, shape (lines,)."""
        start_ns, end_ns = self.lines[first].start_ns, max(line.end_ns for line in self.lines[first : last + 1])
        return np.array([_gap_s(line, start_ns, end_ns) for line in self.lines], dtype=np.float32)


def _gap_s(line: LineRow, start_ns: int, end_ns: int) -> float:
    """How far a line lies from a span of time, in seconds; 0 where it overlaps."""
    return max(line.start_ns - end_ns, start_ns - line.end_ns, 0) / NS_PER_S


def asked_topic(question: Question) -> str:
    """What a question asks about, with the small words that its gist leaves out: "the day in court"; its gist where that cannot be told."""
    match = _AFTER_CUE.search(question.text) if question.order is None else None
    if match is None:
        return question.gist
    what = _NEXT_ASPECT.sub("", match["what"]).strip()
    words = tokens(what)
    if not set(question.gist.split()) <= set(words):
        return question.gist
    if question.window is not None or question.azimuth_deg is not None or question.length_s is not None:
        # What stands behind the last of its words may be the asked time or place.
        last = question.gist.split()[-1]
        what = what[: what.lower().rindex(last) + len(last)]
    return what


def phrase(topic: str) -> str:
    """A topic as its vector is made of: the wording that told talks apart best."""
    return f"a conversation about {topic}"


def topic_words(topic: str) -> tuple[str, ...]:
    """The words of a topic that carry its content, each once."""
    return tuple(dict.fromkeys(content_words(topic)))


def judged(topic: Topic, talks: Sequence[Sequence[LineRow]], vectors: Sequence[Float32Array], encoder: str = "") -> list[Judged]:
    """Each talk with the features of its stretches, to be judged by what was fitted to an encoder.

    `vectors` has for each talk those of its lines, float32, shape (lines, dimension).
    """
    centres, parts = [], []
    has = [_has_terms(talk, topic.terms) for talk in talks]
    rarity = _rarity(has, len(topic.terms))
    for talk, own, words in zip(talks, vectors, has, strict=True):
        gaps = gaps_s(talk)
        n_words: Float32Array = np.array([len(line.text.split()) for line in talk], dtype=np.float32)
        near = closeness(gaps, _SCALE_S)
        inside = near > _IN_STRETCH
        around = meanings(near, own, n_words)
        centre = around @ topic.vector
        cosines = own @ topic.vector
        ranked = np.sort(np.where(inside, cosines[None, :], -1.0), axis=1)[:, ::-1]
        n_best = np.minimum(inside.sum(axis=1), _BEST)
        best = (ranked[:, :_BEST] * (np.arange(min(_BEST, len(talk))) < n_best[:, None])).sum(axis=1) / n_best.astype(np.float32)
        said: Float32Array = ((inside.astype(np.float32) @ words) > 0).astype(np.float32)
        share = said @ rarity / max(float(rarity.sum()), 1e-9)
        centres.append(centre)
        length = np.full(len(talk), min(len(topic.terms), _MOST_WORDS))
        features = np.stack([centre, ranked[:, 0], best, share, _cohesion(near, inside, own, n_words), np.zeros(len(talk)), length], axis=1)
        likeness = (cosines + meanings(closeness(gaps, _CLOSE_S), own, n_words) @ topic.vector) / 2
        parts.append((features, cosines, likeness, said, words))
    found, fit = [], topic_fit(encoder)
    for place, (talk, own, (features, cosines, likeness, said, words)) in enumerate(zip(talks, vectors, parts, strict=True)):
        elsewhere = max((float(centre.max()) for other, centre in enumerate(centres) if other != place), default=-1.0)
        features[:, 5] = np.maximum(elsewhere - features[:, 0], 0.0)
        found.append(Judged(tuple(talk), own, features.astype(np.float32), cosines, likeness.astype(np.float32), said, words, fit))
    return found


def _has_terms(talk: Sequence[LineRow], terms: Sequence[str]) -> Float32Array:
    """Which lines hold which terms, float32, shape (lines, terms), 0 or 1; who speaks counts as said."""
    said = [stems(f"{line.text} {speaker_of(line)}") for line in talk]
    every = frozenset[str]().union(*said)
    held = [forms(term, every) for term in terms]
    return np.array([[not words.isdisjoint(own) for own in held] for words in said], dtype=np.float32).reshape(len(talk), len(terms))


def _rarity(has: Sequence[Float32Array], n_terms: int) -> Float32Array:
    """Robertson and Sparck Jones' weight of each term among these lines, float32, shape (n_terms,)."""
    n_lines = sum(len(part) for part in has)
    held = np.sum([part.sum(axis=0) for part in has], axis=0) if has else np.zeros(n_terms)
    rarity: Float32Array = np.log1p((n_lines - held + 0.5) / (held + 0.5)).astype(np.float32)
    return rarity


def _cohesion(near: Float32Array, inside: npt.NDArray[np.bool_], own: Float32Array, n_words: Float32Array) -> Float32Array:
    """How like the rest of its stretch the lines of each stretch are: the mean cosine of each with the centre of the others."""
    shares = near * inside * np.minimum(n_words, _LONGEST)[None, :]
    summed = shares @ own
    with_sum, squares = summed @ own.T, (own * own).sum(axis=1)[None, :]
    dots = with_sum - shares * squares
    norms = np.sqrt(np.maximum((summed * summed).sum(axis=1)[:, None] - 2.0 * shares * with_sum + shares**2 * squares, 1e-9))
    counted = inside * np.maximum(n_words, 1.0)[None, :]
    cohesion: Float32Array = ((counted * dots / norms).sum(axis=1) / counted.sum(axis=1)).astype(np.float32)
    return cohesion


def topic_of(topic: str, vector: Float32Array) -> Topic:
    """A topic in words with its vector."""
    words = topic_words(topic)
    return Topic(words, tuple(stem(word) for word in words), vector)
