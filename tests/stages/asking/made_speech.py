"""Transcripts, blocks of speech and memories for the stages that ask."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.packets import NS_PER_S, BeamBlock, SpeechBlock, Track, Transcript, Utterance, Word, nanoseconds
from stages.memory.long_term_memory import LongTermMemory
from tests.stages.memory import made


def said(text: str, start_s: float, track: str = "t1", copy_of: str | None = None, voice: np.ndarray | None = None) -> Transcript:
    """A transcript whose words last 0.3 s each; its utterance and its packet go on for 0.2 s."""
    words = tuple(
        Word(word, nanoseconds(start_s + 0.3 * place), nanoseconds(start_s + 0.3 * (place + 1)), 0.9)
        for place, word in enumerate(text.split())
    )
    start_ns, duration_ns = nanoseconds(start_s), words[-1].end_ns - nanoseconds(start_s) + nanoseconds(0.2)
    utterance = Utterance(
        pts_ns=start_ns,
        duration_ns=duration_ns,
        samples=np.zeros(1600, dtype=np.float32),
        sample_rate_hz=16000,
        track=Track(name=track, azimuth_deg=30.0),
    )
    return Transcript(
        pts_ns=start_ns,
        duration_ns=duration_ns,
        utterance=utterance,
        text=text,
        words=words,
        language="en",
        confidence=0.9,
        copy_of=copy_of,
        voice=voice,
    )


def speech(start_s: float, end_s: float, track: str = "t1", probability: float = 0.9) -> list[SpeechBlock]:
    """Blocks of 0.1 s in which somebody speaks."""
    blocks = []
    for place in range(round((end_s - start_s) * 10)):
        beam = BeamBlock(
            pts_ns=nanoseconds(start_s) + place * NS_PER_S // 10,
            duration_ns=NS_PER_S // 10,
            samples=np.zeros(1600, dtype=np.float32),
            sample_rate_hz=16000,
            track=Track(name=track, azimuth_deg=30.0),
        )
        blocks.append(SpeechBlock(pts_ns=beam.pts_ns, duration_ns=beam.duration_ns, beam=beam, probability=probability))
    return blocks


def memory_of(directory: Path | None = None) -> LongTermMemory:
    """A started memory with a session that has begun."""
    memory = LongTermMemory(made.ENCODER, str(directory) if directory else "")
    memory.start()
    memory.begin_session(made.session_row())
    return memory
