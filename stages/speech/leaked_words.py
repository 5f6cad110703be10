"""Which words in the middle of somebody's own line leaked into it from another beam: pure functions of transcripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.packets import Transcript
from stages.speech.beam_level import level_db
from stages.speech.beam_likeness import ONE_SOUND, coherence
from stages.speech.beam_presence import presence_over
from stages.speech.word_match import word_pairs

# Two people can say two words at the same time by chance; three in a row that are much louder elsewhere are no chance.
_FEWEST_WORDS = 3
# So much louder the owner's beam is where what leaked was filtered on its way, and where both beams hold one sound.
_LOUDER_DB = 9.0
_LOUDER_ONE_SOUND_DB = 1.0
# So much where this beam held little from its own direction meanwhile: no more than this, nor than half of what
# it had in the rest of the line.
_LOUDER_UNHEARD_DB = 3.0
_UNHEARD_PRESENCE = 0.35
# What a beam whose talker speaks has over one who is not heard.
_MORE_PRESENCE = 0.3


@dataclass(frozen=True)
class Leak:
    """Words `first` to `last` (exclusive) of a line, and the transcript whose words they are."""

    first: int
    last: int
    owner: Transcript


def find_leaks(transcript: Transcript, others: Iterable[Transcript]) -> list[Leak]:
    """The runs of words in a line that were said at the same time on a beam that holds them far louder, in order.

    A beam whose talker pauses may pick up somebody else, so that one line holds the words of both. A run has at least three words
    that match one after the other, and its time is at least 9 dB louder on the other beam; 1 dB where both hold one sound (`coherence`),
    3 dB where this beam heard far less from its own direction then than in the rest of the line. Such a run takes the words beside it
    along of which the same is true, as they are what was misheard. Where they are all the words of the line there is
    none: whose the whole line is, `owner_of` tells.
    """
    leaks: list[Leak] = []
    for other in others:
        if other.copy_of is None and other.utterance.track.name != transcript.utterance.track.name:
            leaks += [_grown(run, transcript) for run in _runs(transcript, other) if _is_louder_there(run, transcript)]
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
    own = [index for index in range(len(transcript.words)) if index not in leaked]
    parts = [_part(transcript, own, None)]
    parts += [_part(transcript, range(leak.first, leak.last), leak.owner.utterance.track.name) for leak in leaks]
    return parts


def _part(transcript: Transcript, places: Sequence[int], copy_of: str | None) -> Transcript:
    words = [transcript.words[place] for place in places]
    start_ns = words[0].start_ns
    return replace(
        transcript,
        pts_ns=start_ns,
        duration_ns=max(0, transcript.end_ns - start_ns),
        text=_text(transcript, places),
        words=tuple(words),
        copy_of=copy_of,
    )


def _text(transcript: Transcript, places: Sequence[int]) -> str:
    """The text of some words of a line, as they stand there: a word may begin with a hyphen, and some languages have no spaces."""
    usual = " " if " " in transcript.text else ""
    between, at = [], 0
    for word in transcript.words:
        found = transcript.text.find(word.text, at)
        between.append(transcript.text[at:found] if found >= 0 else usual)
        at = found + len(word.text) if found >= 0 else at
    pieces = [
        (between[place] if before == place - 1 else usual) + transcript.words[place].text
        for before, place in zip([None, *places], places, strict=False)
    ]
    return "".join(pieces).strip()


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
    if louder_db >= _LOUDER_DB or (louder_db >= _LOUDER_UNHEARD_DB and _is_unheard(leak, transcript)):
        return True
    alike = coherence(leak.owner.utterance, transcript.utterance, start_ns, end_ns)
    return alike is not None and alike >= ONE_SOUND and louder_db >= _LOUDER_ONE_SOUND_DB


def ends_unheard(transcript: Transcript) -> bool:
    """Whether a line's last words may be somebody else's: its beam had little from its own direction while they were said."""
    last = transcript.words[-_FEWEST_WORDS:]
    if not last:
        return False
    presence = presence_over(transcript.utterance, last[0].start_ns, last[-1].end_ns)
    return presence is not None and presence <= _UNHEARD_PRESENCE


def _is_unheard(leak: Leak, transcript: Transcript) -> bool:
    """Whether the beam held little from its own direction during a run, and the other beam much from its own."""
    words = transcript.words[leak.first : leak.last]
    start_ns, end_ns = words[0].start_ns, words[-1].end_ns
    here, there = (presence_over(utterance, start_ns, end_ns) for utterance in (transcript.utterance, leak.owner.utterance))
    if here is None or there is None or here > _UNHEARD_PRESENCE or there - here < _MORE_PRESENCE:
        return False
    rest = [
        presence_over(transcript.utterance, word.start_ns, word.end_ns)
        for index, word in enumerate(transcript.words)
        if not leak.first <= index < leak.last
    ]
    known = [presence for presence in rest if presence is not None]
    return bool(known) and 2.0 * here <= sum(known) / len(known)


def _grown(leak: Leak, transcript: Transcript) -> Leak:
    """A run with the words beside it that were said while its owner spoke and that this beam heard as little of."""
    if not _is_unheard(leak, transcript):
        return leak
    first, last = leak.first, leak.last
    while first > 0 and _is_unheard(_at(first - 1, leak.owner), transcript):
        first -= 1
    while last < len(transcript.words) and _is_unheard(_at(last, leak.owner), transcript):
        last += 1
    return Leak(first, last, leak.owner)


def _at(index: int, owner: Transcript) -> Leak:
    return Leak(index, index + 1, owner)
