"""Lines in which several people speak on one microphone, cut where one stops and another goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from pipeline.packets import TalkerBlock, Transcript, Word, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.line_parts import parts_of

# Longer than any utterance (28 s) and what a transcript can wait.
_KEPT_NS = nanoseconds(60.0)
_NEAR_NS = nanoseconds(0.25)
_GOES_ON = 0.5


class TalkerLines(Stage):
    """Gives each transcript of a track without a bearing its talker; one in which talkers change is cut there.

    A word belongs to the talker who is active for most of it. Where people overlap, whoever spoke the word before keeps the floor as
    long as they are active for half of the word. Words under which nobody is active go with their neighbours. The activity up to a
    transcript's end is there when the transcript is, because both come in the order of their ends. Tracks with a bearing are one place,
    so one person most of the time, and pass as they are.
    """

    transcript = In(Transcript)
    activity = In(TalkerBlock)
    transcripts = Out(Transcript)

    def __init__(self) -> None:
        self._blocks: dict[str, deque[TalkerBlock]] = {}

    def on_activity(self, block: TalkerBlock) -> Iterator[Emit[Transcript]]:
        """Keep who speaks when, for the transcripts to come."""
        self._blocks.setdefault(block.track.name, deque()).append(block)
        for name in list(self._blocks):
            blocks = self._blocks[name]
            while blocks and blocks[0].end_ns < block.end_ns - _KEPT_NS:
                blocks.popleft()
            if not blocks:
                del self._blocks[name]
        return iter(())

    def on_transcript(self, transcript: Transcript) -> Iterator[Emit[Transcript]]:
        """The transcript with its talker, or its parts with theirs."""
        blocks = self._blocks.get(transcript.utterance.track.name)
        if transcript.utterance.track.azimuth_deg is not None or transcript.copy_of is not None or not transcript.words or not blocks:
            yield self.transcripts(transcript)
            return
        talkers = talkers_of(transcript.words, blocks)
        cuts = [place for place, (one, other) in enumerate(pairwise(talkers), start=1) if one != other]
        for first, part in zip([0, *cuts], parts_of(transcript, cuts), strict=True):
            yield self.transcripts(replace(part, talker=talkers[first]))


def talkers_of(words: tuple[Word, ...], blocks: deque[TalkerBlock]) -> list[int | None]:
    """Who speaks each word; None for all where nobody is active under or near any of them."""
    said: list[int | None] = []
    for word in words:
        before = said[-1] if said else None
        shares = _shares(blocks, word.start_ns, word.end_ns) or _shares(blocks, word.start_ns - _NEAR_NS, word.end_ns + _NEAR_NS)
        if not shares or (before is not None and shares.get(before, 0.0) >= _GOES_ON):
            said.append(before)
        else:
            said.append(min(shares, key=lambda talker: (-shares[talker], talker)))
    first = next((talker for talker in said if talker is not None), None)
    return [first if talker is None else talker for talker in said]


def _shares(blocks: deque[TalkerBlock], start_ns: int, end_ns: int) -> dict[int, float]:
    """Who is active in a stretch of time, and for how much of it."""
    n_steps, active = 0, dict[int, int]()
    for block in blocks:
        if block.end_ns <= start_ns or block.pts_ns >= end_ns:
            continue
        middles_ns = block.pts_ns + (np.arange(block.active.shape[1]) + 0.5) * block.step_ns
        inside = (middles_ns >= start_ns) & (middles_ns < end_ns)
        n_steps += int(inside.sum())
        for row, talker in enumerate(block.talkers):
            active[talker] = active.get(talker, 0) + int(block.active[row, inside].sum())
    return {talker: count / n_steps for talker, count in active.items() if count}
