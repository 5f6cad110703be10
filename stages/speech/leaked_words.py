"""Which words in the middle of somebody's own line leaked into it from another beam: pure functions of transcripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.packets import Transcript, Word
from stages.speech.beam_level import level_db
from stages.speech.beam_likeness import ONE_SOUND, coherence
from stages.speech.word_match import word_pairs
from stages.speech.word_text import joined

# Two people can say two words at the same time by chance; three in a row that are much louder elsewhere are no chance.
_FEWEST_WORDS = 3
# So much louder the owner's beam is where what leaked was filtered on its way, and where both beams hold one sound.
_LOUDER_DB = 9.0
_LOUDER_ONE_SOUND_DB = 1.0


@dataclass(frozen=True)
class Leak:
    """Words `first` to `last` (exclusive) of a line, and the transcript whose words they are."""

    first: int
    last: int
    owner: Transcript


def find_leaks(transcript: Transcript, others: Iterable[Transcript]) -> list[Leak]:
    """The runs of words in a line that were said at the same time on a beam that holds them far louder, in order.

    A beam whose talker pauses may pick up somebody else, so that one line holds the words of both. A run has at least three words
    that match one after the other, and its time is at least 9 dB louder on the other beam (1 dB where both hold one sound, see
    `coherence`). Where they are all the words of the line there is none: whose the whole line is, `owner_of` tells.
    """
    leaks: list[Leak] = []
    for other in others:
        if other.copy_of is None and other.utterance.track.name != transcript.utterance.track.name:
            leaks += [run for run in _runs(transcript, other) if _is_louder_there(run, transcript)]
    leaks.sort(key=lambda leak: (leak.first - leak.last, leak.first))
    kept: list[Leak] = []
    for leak in leaks:
        if all(leak.last <= other.first or other.last <= leak.first for other in kept):
            kept.append(leak)
    if sum(leak.last - leak.first for leak in kept) == len(transcript.words):
        return []
    return sorted(kept, key=lambda leak: leak.first)


def parted(transcript: Transcript, leaks: Sequence[Leak]) -> list[Transcript]:
    """A line without its leaked words, then each leak as a copy; no word is lost, and all parts end when the line did."""
    leaked = {index for leak in leaks for index in range(leak.first, leak.last)}
    own = [word for index, word in enumerate(transcript.words) if index not in leaked]
    parts = [_part(transcript, own, None)]
    parts += [_part(transcript, transcript.words[leak.first : leak.last], leak.owner.utterance.track.name) for leak in leaks]
    return parts


def _part(transcript: Transcript, words: Sequence[Word], copy_of: str | None) -> Transcript:
    start_ns = words[0].start_ns
    return replace(
        transcript,
        pts_ns=start_ns,
        duration_ns=max(0, transcript.end_ns - start_ns),
        text=joined((word.text for word in words), transcript.text),
        words=tuple(words),
        copy_of=copy_of,
    )


def _runs(transcript: Transcript, other: Transcript) -> list[Leak]:
    """Runs of words of which each matches the next one of the other line."""
    pairs = word_pairs(transcript.words, other.words)
    runs: list[Leak] = []
    begin = 0
    for place in range(1, len(pairs) + 1):
        if place < len(pairs) and pairs[place] == (pairs[place - 1][0] + 1, pairs[place - 1][1] + 1):
            continue
        if place - begin >= _FEWEST_WORDS:
            runs.append(Leak(pairs[begin][0], pairs[place - 1][0] + 1, other))
        begin = place
    return runs


def _is_louder_there(leak: Leak, transcript: Transcript) -> bool:
    words = transcript.words[leak.first : leak.last]
    start_ns, end_ns = words[0].start_ns, words[-1].end_ns
    louder_db = level_db(leak.owner.utterance, start_ns, end_ns) - level_db(transcript.utterance, start_ns, end_ns)
    if louder_db >= _LOUDER_DB:
        return True
    alike = coherence(leak.owner.utterance, transcript.utterance, start_ns, end_ns)
    return alike is not None and alike >= ONE_SOUND and louder_db >= _LOUDER_ONE_SOUND_DB
