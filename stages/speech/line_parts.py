"""A transcript in parts: each with its own words, audio and text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from pipeline.packets import NS_PER_S, Transcript
from stages.speech.word_text import joined


def parts_of(transcript: Transcript, cuts: Sequence[int]) -> Iterator[Transcript]:
    """A transcript cut before the words numbered in `cuts` (rising); every part ends when the whole does, its words when they do."""
    if not cuts:
        yield transcript
        return
    whole, words = transcript.utterance, transcript.words
    edges = [0, *cuts, len(words)]
    audio_end_ns = whole.audio_pts_ns + len(whole.samples) * NS_PER_S // whole.sample_rate_hz
    places = [whole.audio_pts_ns, *((words[cut - 1].end_ns + words[cut].start_ns) // 2 for cut in cuts), audio_end_ns]
    for number, (first, last) in enumerate(pairwise(edges)):
        own = words[first:last]
        from_ns, to_ns = places[number], places[number + 1]
        start_ns = whole.pts_ns if number == 0 else from_ns
        end_ns = whole.end_ns if number == len(cuts) else max(to_ns, start_ns)
        utterance = replace(
            whole,
            pts_ns=start_ns,
            duration_ns=end_ns - start_ns,
            samples=whole.between(from_ns, to_ns).copy(),
            presences=whole.presences[:0],
            lead_ns=start_ns - from_ns,
        )
        yield replace(
            transcript,
            pts_ns=own[0].start_ns,
            duration_ns=transcript.end_ns - own[0].start_ns,
            utterance=utterance,
            text=joined((word.text for word in own), transcript.text),
            words=own,
            voice=None,
        )
