"""Which of several beams owns words that were heard on all of them: pure functions of transcripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.packets import Transcript
from stages.speech.beam_level import level_db
from stages.speech.beam_likeness import ONE_SOUND, coherence
from stages.speech.word_match import word_match

# What counts as one clear step of advantage.
_PRESENCE_STEP = 0.15
_LEVEL_STEP_DB = 6.0
# Two people can say a word or three at the same time; nobody says four in step with another by chance.
_CHANCE_WORDS = 3
# A beam whose talker speaks is mostly over this.
_OWN_PRESENCE = 0.45


@dataclass(frozen=True)
class OwnershipRules:
    """How alike words must be (0 to 1) to be the same."""

    min_likeness: float


@dataclass(frozen=True)
class Owner:
    """The track that owns words, and those of its transcripts that hold them."""

    track: str
    transcripts: tuple[Transcript, ...]


def owner_of(transcript: Transcript, others: Iterable[Transcript], rules: OwnershipRules) -> Owner | None:
    """Whose words leaked into this transcript's beam; None when the words are its own.

    For each other track the words that it has at the same time are compared. Where they are the same, they belong to the track
    that hears them from its own direction (presence) and loudest, the mean over the words. Few words need a clear advantage: two
    people may say them at once. More words do where the two beams do not hold one sound (`coherence`), since people also sing and pray and
    count together: then this beam must also have heard little of it from its own direction, as where a filter left something of somebody
    else is. What is a copy itself owns nothing.
    """
    by_track: dict[str, list[Transcript]] = {}
    for other in others:
        if other.copy_of is None and other.utterance.track.name != transcript.utterance.track.name and _overlap(transcript, other):
            by_track.setdefault(other.utterance.track.name, []).append(other)
    own_name = transcript.utterance.track.name
    best: tuple[float, Owner] | None = None
    for name in sorted(by_track):
        match = word_match(transcript.words, [word for other in by_track[name] for word in other.words])
        if match.likeness < rules.min_likeness:
            continue
        weights = {index: _n_same(transcript, other) for index, other in enumerate(by_track[name])}
        # Where only the letters are alike, every line that lies at the same time counts.
        weights = {index: n for index, n in weights.items() if n} or dict.fromkeys(weights, 1)
        owning = tuple(by_track[name][index] for index in weights)
        total = sum(n * _advantage(other, transcript) for n, other in zip(weights.values(), owning, strict=True))
        advantage = total / sum(weights.values())
        if not _one_sound(transcript, owning):
            owns = advantage >= 1 and _less_present(transcript, owning)
        elif match.n_words <= _CHANCE_WORDS:
            owns = advantage >= 1
        else:
            # Two beams that hear exactly the same keep the words once, on the first by name.
            owns = advantage > 0 or (advantage == 0 and name < own_name)
        if owns and (best is None or advantage > best[0]):
            best = (advantage, Owner(name, owning))
    return best[1] if best else None


def _overlap(first: Transcript, second: Transcript) -> bool:
    return first.pts_ns < second.end_ns and second.pts_ns < first.end_ns


def _one_sound(transcript: Transcript, owning: Iterable[Transcript]) -> bool:
    """Whether this beam and the other held the same sound while the words were said; what is too short to tell passes for it."""
    for other in owning:
        start_ns, end_ns = max(other.pts_ns, transcript.pts_ns), min(other.end_ns, transcript.end_ns)
        found = coherence(transcript.utterance, other.utterance, start_ns, end_ns)
        if found is not None and found < ONE_SOUND:
            return False
    return True


def _less_present(transcript: Transcript, owning: Iterable[Transcript]) -> bool:
    presence = transcript.utterance.presence
    return presence < _OWN_PRESENCE and all(other.utterance.presence - presence >= _PRESENCE_STEP for other in owning)


def _n_same(transcript: Transcript, other: Transcript) -> int:
    return word_match(transcript.words, other.words).n_words


def _advantage(other: Transcript, transcript: Transcript) -> float:
    """By how many clear steps the other beam hears the time that both share better."""
    start_ns, end_ns = max(other.pts_ns, transcript.pts_ns), min(other.end_ns, transcript.end_ns)
    presence = other.utterance.presence - transcript.utterance.presence
    louder_db = level_db(other.utterance, start_ns, end_ns) - level_db(transcript.utterance, start_ns, end_ns)
    return presence / _PRESENCE_STEP + louder_db / _LEVEL_STEP_DB
