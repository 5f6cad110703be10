"""How likely each line is what a question asks for: likeness in meaning and words, of the line, of the talk around it, of its session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.contiguity import closeness, gaps_between_s, likeness, presence, times_ns
from stages.recall.named_speakers import is_named
from stages.recall.terms import content_terms, roots

# Weights of a conditional logit: which line of the candidates is right, fitted on the tuning half of QMSum's meetings
# (tools/recall_meetings.py says which), rounded; that of the length, about which the halves disagree, is halved.
_MEANING = 3.0
_WORDS = 1.2
_MEANING_AROUND = {10.0: 1.2, 40.0: 4.4}
_WORDS_AROUND = {40.0: 1.5, 120.0: 2.5}
_MEANING_OF_SESSION = 4.0
_WORDS_OF_SESSION = 3.0
_NAMED = 1.0
_LENGTH = 0.15
_MOST_WORDS = 60


@dataclass(frozen=True)
class Wanted:
    """What a question looks for. `meaning` is float32, shape (dimension,), of unit length; None without an encoder."""

    topic: str
    gist: str
    meaning: Float32Array | None


def relevance(
    wanted: Wanted, chains: Sequence[Sequence[LineRow]], words: Mapping[str, float], vectors: Mapping[str, Float32Array]
) -> dict[str, float]:
    """A score for every line, by id: the logarithm of how likely it is the right one, up to a constant.

    `chains` are conversations, each by start; `words` are the scores of a search by words, by line id, over 0; `vectors` are
    those of the lines, float32, shape (dimension,), empty without an encoder. Rarity of words is that among these lines.
    """
    lines = [line for talk in chains for line in talk]
    terms = content_terms(wanted.gist or wanted.topic)
    spoken = [line.text.lower().split() for line in lines]
    has_term = _has_terms(spoken, terms)
    rarity = _rarity(has_term)
    best_words = max(words.values(), default=0.0) or 1.0
    n_words: Float32Array = np.array([len(words_said) for words_said in spoken], dtype=np.float32)
    total: Float32Array = (_LENGTH * np.log1p(np.minimum(n_words, _MOST_WORDS))).astype(np.float32)
    total = total + np.array([_WORDS * words.get(line.id, 0.0) / best_words for line in lines], dtype=np.float32)
    said: Float32Array = np.zeros(len(lines), dtype=np.float32)
    meant: Float32Array = np.zeros(len(lines), dtype=np.float32)
    starts_ns, ends_ns = times_ns(lines)
    for places in _of_one_length(chains):
        gaps = gaps_between_s(starts_ns[places], ends_ns[places])
        near = {scale_s: closeness(gaps, scale_s) for scale_s in {*_WORDS_AROUND, *_MEANING_AROUND}}
        for scale_s, weight in _WORDS_AROUND.items():
            said[places] = presence(near[scale_s], has_term[places], rarity)
            total[places] += weight * said[places]
        if wanted.meaning is not None and vectors:
            own = np.concatenate([vectors[lines[place].id] for place in places.ravel()]).reshape(*places.shape, -1)
            cosines, alike = own @ wanted.meaning, own @ own.swapaxes(-1, -2)
            total[places] += _MEANING * cosines
            for scale_s, weight in _MEANING_AROUND.items():
                meant[places] = likeness(near[scale_s], cosines, alike, n_words[places])
                total[places] += weight * meant[places]
    asked = {name: _NAMED * (is_named(name, wanted.topic) or is_named(name, wanted.gist)) for name in set(map(speaker_of, lines))}
    sessions = {name: place for place, name in enumerate(dict.fromkeys(line.session for line in lines))}
    session_of = np.array([sessions[line.session] for line in lines], dtype=np.int64)
    most_meant, most_said = np.full(len(sessions), -1.0), np.zeros(len(sessions))
    np.maximum.at(most_meant, session_of, meant)
    np.maximum.at(most_said, session_of, said)
    of_session = _MEANING_OF_SESSION * most_meant + _WORDS_OF_SESSION * most_said
    scores = total + np.array([asked[speaker_of(line)] for line in lines]) + of_session[session_of]
    return dict(zip((line.id for line in lines), scores.tolist(), strict=True))


def _of_one_length(chains: Sequence[Sequence[LineRow]]) -> list[npt.NDArray[np.int64]]:
    """The places of the lines of all chains, counted through, int64, shape (chains, lines): an array for each length that chains have.

    Many chains have one line or two: what is worked out for all of one length at once costs as much as it does for one.
    """
    firsts: dict[int, list[int]] = {}
    first = 0
    for talk in chains:
        firsts.setdefault(len(talk), []).append(first)
        first += len(talk)
    return [np.array(some, dtype=np.int64)[:, None] + np.arange(length, dtype=np.int64) for length, some in firsts.items()]


def _has_terms(spoken: Sequence[Sequence[str]], terms: Sequence[str]) -> Float32Array:
    """Which lines, given as what stands between their spaces in lower case, hold which terms; float32, shape (lines, terms), 0 or 1."""
    has: Float32Array = np.zeros((len(spoken), len(terms)), dtype=np.float32)
    places = {term: place for place, term in enumerate(terms)}
    # Few words are forms of the terms: these are told first, of all lines together.
    every = frozenset(chain.from_iterable(spoken))
    forms = {word: found for word in every if (found := [places[root] for root in roots(word) if root in places])}
    for row, words in enumerate(spoken):
        for word in words:
            if word in forms:
                has[row, forms[word]] = 1.0
    return has


def _rarity(has_term: Float32Array) -> Float32Array:
    """Robertson and Sparck Jones' weight of each term, from which lines hold it (shape (lines, terms)); float32, shape (terms,)."""
    held = has_term.sum(axis=0)
    rarity: Float32Array = np.log1p((len(has_term) - held + 0.5) / (held + 0.5)).astype(np.float32)
    return rarity
