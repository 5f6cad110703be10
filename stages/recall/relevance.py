"""How likely each line is what a question asks for: likeness in meaning and words, of the line, of the talk around it, of its session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.contiguity import closeness, gaps_s, meanings, presence
from stages.recall.named_speakers import is_named
from stages.recall.terms import content_terms, stem, tokens

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
    terms = content_terms(wanted.gist or wanted.topic)
    has_term = _has_terms(chains, terms)
    rarity = _rarity(has_term, len(terms))
    best_words = max(words.values(), default=0.0) or 1.0
    scores: dict[str, float] = {}
    sessions: dict[str, tuple[float, float]] = {}
    asked: dict[str, float] = {}
    for chain, has in zip(chains, has_term, strict=True):
        gaps = gaps_s(chain)
        near = {scale_s: closeness(gaps, scale_s) for scale_s in {*_WORDS_AROUND, *_MEANING_AROUND}}
        n_words: Float32Array = np.array([len(line.text.split()) for line in chain], dtype=np.float32)
        total: Float32Array = (_LENGTH * np.log1p(np.minimum(n_words, _MOST_WORDS))).astype(np.float32)
        total = total + np.array([_WORDS * words.get(line.id, 0.0) / best_words for line in chain], dtype=np.float32)
        said: Float32Array = np.zeros(len(chain), dtype=np.float32)
        for scale_s, weight in _WORDS_AROUND.items():
            said = presence(near[scale_s], has, rarity)
            total = total + weight * said
        meant: Float32Array = np.zeros(len(chain), dtype=np.float32)
        if wanted.meaning is not None and vectors:
            own = np.stack([vectors[line.id] for line in chain])
            total = total + _MEANING * (own @ wanted.meaning)
            for scale_s, weight in _MEANING_AROUND.items():
                meant = meanings(near[scale_s], own, n_words) @ wanted.meaning
                total = total + weight * meant
        for line, score, meant_here, said_here in zip(chain, total.tolist(), meant.tolist(), said.tolist(), strict=True):
            speaker = speaker_of(line)
            if speaker not in asked:
                asked[speaker] = _NAMED * (is_named(speaker, wanted.topic) or is_named(speaker, wanted.gist))
            scores[line.id] = score + asked[speaker]
            most_meant, most_said = sessions.get(line.session, (-1.0, 0.0))
            sessions[line.session] = max(most_meant, meant_here), max(most_said, said_here)
    for chain in chains:
        for line in chain:
            most_meant, most_said = sessions[line.session]
            scores[line.id] += _MEANING_OF_SESSION * most_meant + _WORDS_OF_SESSION * most_said
    return scores


def _has_terms(chains: Sequence[Sequence[LineRow]], terms: Sequence[str]) -> list[Float32Array]:
    """Which lines of each chain hold which terms, float32, shape (lines, terms), 0 or 1."""
    said = [[frozenset(tokens(line.text)) for line in chain] for chain in chains]
    places = {term: place for place, term in enumerate(terms)}
    every = frozenset[str]().union(*(words for chain in said for words in chain))
    # Few words are forms of the terms: telling these first, each line is one comparison of sets.
    forms = {word: places[root] for word in every if (root := stem(word)) in places}
    found = []
    for chain in said:
        has: Float32Array = np.zeros((len(chain), len(terms)), dtype=np.float32)
        for row, words in enumerate(chain):
            for word in words & forms.keys():
                has[row, forms[word]] = 1.0
        found.append(has)
    return found


def _rarity(has_term: Sequence[Float32Array], n_terms: int) -> Float32Array:
    """Robertson and Sparck Jones' weight of each term, float32, shape (n_terms,)."""
    n_lines = sum(len(has) for has in has_term)
    held = np.sum([has.sum(axis=0) for has in has_term], axis=0) if has_term else np.zeros(n_terms)
    rarity: Float32Array = np.log1p((n_lines - held + 0.5) / (held + 0.5)).astype(np.float32)
    return rarity
