"""How likely each line is what a question asks for: likeness in meaning and words, of the line, of the talk around it, of its session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.contiguity import closeness, gaps_between_s, likeness, presence, times_ns
from stages.recall.named_speakers import is_named
from stages.recall.terms import content_terms, roots

MEANING_AROUND_S = (10.0, 40.0)
_WORDS_AROUND_S = (40.0, 120.0)
_MOST_WORDS = 60

_MEANING_AROUND = tuple(f"meaning around, {scale_s:g} s" for scale_s in MEANING_AROUND_S)
FEATURES = (
    "meaning",
    "words",
    *_MEANING_AROUND,
    *(f"words around, {scale_s:g} s" for scale_s in _WORDS_AROUND_S),
    "meaning of session",
    "words of session",
    "named",
    "length",
)
"""What is weighed of each line. The weights are those of a conditional logit, which line of the candidates is right: by encoder, in
`encoder_fits.py`."""
MEANT = ("meaning", *_MEANING_AROUND)
"""Those that the question's vector makes of the line, and of the talk around it."""


@dataclass(frozen=True)
class Wanted:
    """What a question looks for. `meaning` is float32, shape (dimension,), of unit length; None without an encoder."""

    topic: str
    gist: str
    meaning: Float32Array | None


@dataclass(frozen=True)
class Candidates:
    """Lines among which those are that a question asks for.

    `chains` are conversations, each by start; `words` are the scores of a search by words, by line id, over 0; `vectors` are
    those of the lines, float32, shape (dimension,), empty without an encoder.
    """

    wanted: Wanted
    chains: Sequence[Sequence[LineRow]]
    words: Mapping[str, float]
    vectors: Mapping[str, Float32Array]

    @property
    def lines(self) -> list[LineRow]:
        """The lines of all conversations."""
        return [line for talk in self.chains for line in talk]


def relevance(candidates: Candidates, weights: Float32Array) -> dict[str, float]:
    """A score for every line, by id: the logarithm of how likely it is the right one, up to a constant.

    `weights` are those of `FEATURES`, float32, shape (features,).
    """
    scores = features(candidates) @ weights
    return dict(zip((line.id for line in candidates.lines), scores.tolist(), strict=True))


def features(candidates: Candidates) -> Float32Array:
    """What is weighed of each line, float32, shape (lines, len(FEATURES)). Rarity of words is that among these lines."""
    wanted, lines, vectors = candidates.wanted, candidates.lines, candidates.vectors
    found: Float32Array = np.zeros((len(lines), len(FEATURES)), dtype=np.float32)
    if not lines:
        return found
    meaning, words, *around, meaning_of_session, words_of_session, named, length = found.T
    meaning_around, words_around = around[: len(MEANING_AROUND_S)], around[len(MEANING_AROUND_S) :]
    spoken = [line.text.lower().split() for line in lines]
    has_term = _has_terms(spoken, content_terms(wanted.gist or wanted.topic))
    rarity = _rarity(has_term)
    best_words = max(candidates.words.values(), default=0.0) or 1.0
    n_words: Float32Array = np.array([len(words_said) for words_said in spoken], dtype=np.float32)
    length[:] = np.log1p(np.minimum(n_words, _MOST_WORDS))
    words[:] = [candidates.words.get(line.id, 0.0) / best_words for line in lines]
    starts_ns, ends_ns = times_ns(lines)
    for places in _of_one_length(candidates.chains):
        gaps = gaps_between_s(starts_ns[places], ends_ns[places])
        near = {scale_s: closeness(gaps, scale_s) for scale_s in {*_WORDS_AROUND_S, *MEANING_AROUND_S}}
        for scale_s, said in zip(_WORDS_AROUND_S, words_around, strict=True):
            said[places] = presence(near[scale_s], has_term[places], rarity)
        if wanted.meaning is not None and vectors:
            own = np.concatenate([vectors[lines[place].id] for place in places.ravel()]).reshape(*places.shape, -1)
            cosines, alike = own @ wanted.meaning, own @ own.swapaxes(-1, -2)
            meaning[places] = cosines
            for scale_s, meant in zip(MEANING_AROUND_S, meaning_around, strict=True):
                meant[places] = likeness(near[scale_s], cosines, alike, n_words[places])
    asked = {name: is_named(name, wanted.topic) or is_named(name, wanted.gist) for name in set(map(speaker_of, lines))}
    named[:] = [asked[speaker_of(line)] for line in lines]
    sessions = {name: place for place, name in enumerate(dict.fromkeys(line.session for line in lines))}
    session_of = np.array([sessions[line.session] for line in lines], dtype=np.int64)
    # The session has what its best stretch has, at the widest scale.
    for of_session, of_stretch in ((meaning_of_session, meaning_around[-1]), (words_of_session, words_around[-1])):
        most = np.full(len(sessions), -1.0, dtype=np.float32)
        np.maximum.at(most, session_of, of_stretch)
        of_session[:] = most[session_of]
    return found


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
    every = set().union(*spoken)
    wanted, every_root = frozenset(terms), map(roots, every)
    forms = {
        word: [places[root] for root in own if root in places]
        for word, own in zip(every, every_root, strict=True)
        if not wanted.isdisjoint(own)
    }
    of_terms = frozenset(forms)
    for row, words in enumerate(spoken):
        for word in of_terms.intersection(words):
            has[row, forms[word]] = 1.0
    return has


def _rarity(has_term: Float32Array) -> Float32Array:
    """Robertson and Sparck Jones' weight of each term, from which lines hold it (shape (lines, terms)); float32, shape (terms,)."""
    held = has_term.sum(axis=0)
    rarity: Float32Array = np.log1p((len(has_term) - held + 0.5) / (held + 0.5)).astype(np.float32)
    return rarity
