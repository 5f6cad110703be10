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
    stems: dict[str, str] = {}
    has_term = [_has_terms(chain, terms, stems) for chain in chains]
    rarity = _rarity(has_term, len(terms))
    best_words = max(words.values(), default=0.0) or 1.0
    scores: dict[str, float] = {}
    sessions: dict[str, tuple[float, float]] = {}
    asked: dict[str, float] = {}
    for chain, has in zip(chains, has_term, strict=True):
        gaps = gaps_s(chain)
        n_words: Float32Array = np.array([len(line.text.split()) for line in chain], dtype=np.float32)
        total: Float32Array = (_LENGTH * np.log1p(np.minimum(n_words, _MOST_WORDS))).astype(np.float32)
        total = total + np.array([_WORDS * words.get(line.id, 0.0) / best_words for line in chain], dtype=np.float32)
        said: Float32Array = np.zeros(len(chain), dtype=np.float32)
        for scale_s, weight in _WORDS_AROUND.items():
            said = presence(closeness(gaps, scale_s), has, rarity)
            total = total + weight * said
        meant: Float32Array = np.zeros(len(chain), dtype=np.float32)
        if wanted.meaning is not None and vectors:
            own = np.stack([vectors[line.id] for line in chain])
            total = total + _MEANING * (own @ wanted.meaning)
            for scale_s, weight in _MEANING_AROUND.items():
                meant = meanings(closeness(gaps, scale_s), own, n_words) @ wanted.meaning
                total = total + weight * meant
        for place, line in enumerate(chain):
            speaker = speaker_of(line)
            if speaker not in asked:
                asked[speaker] = _NAMED * (is_named(speaker, wanted.topic) or is_named(speaker, wanted.gist))
            scores[line.id] = float(total[place]) + asked[speaker]
            most_meant, most_said = sessions.get(line.session, (-1.0, 0.0))
            sessions[line.session] = max(most_meant, float(meant[place])), max(most_said, float(said[place]))
    for chain in chains:
        for line in chain:
            most_meant, most_said = sessions[line.session]
            scores[line.id] += _MEANING_OF_SESSION * most_meant + _WORDS_OF_SESSION * most_said
    return scores


def _has_terms(chain: Sequence[LineRow], terms: Sequence[str], stems: dict[str, str]) -> Float32Array:
    """Which lines hold which terms, float32, shape (lines, terms), 0 or 1. `stems` keeps those of words that were seen."""
    places = {term: place for place, term in enumerate(terms)}
    has: Float32Array = np.zeros((len(chain), len(terms)), dtype=np.float32)
    for row, line in enumerate(chain):
        for token in set(tokens(line.text)):
            if token not in stems:
                stems[token] = stem(token)
            place = places.get(stems[token])
            if place is not None:
                has[row, place] = 1.0
    return has


def _rarity(has_term: Sequence[Float32Array], n_terms: int) -> Float32Array:
    """Robertson and Sparck Jones' weight of each term, float32, shape (n_terms,)."""
    n_lines = sum(len(has) for has in has_term)
    held = np.sum([has.sum(axis=0) for has in has_term], axis=0) if has_term else np.zeros(n_terms)
    rarity: Float32Array = np.log1p((n_lines - held + 0.5) / (held + 0.5)).astype(np.float32)
    return rarity
