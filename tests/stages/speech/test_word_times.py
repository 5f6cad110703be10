"""When words that are spoken one by one begin and end, on the session clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from models.kokoro import Kokoro
from pipeline.packets import NS_PER_S, BeamBlock, Track, Transcript
from pipeline.testing import run_stage
from stages.speech.faster_whisper import FasterWhisper
from stages.speech.silero_vad import SileroVad
from stages.speech.transcript_maker import TranscriptMaker
from stages.speech.utterance_cutter import UtteranceCutter

RATE, BLOCK, OFFSET_S = 16000, 512, 1000.0
WORDS = ("Remember.", "Garden.", "Believed.", "Nobody.", "Water.", "Please.")
PAUSES_S = (0.45, 0.9, 0.5, 0.7, 0.4, 1.0)


def scene() -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """Words with pauses of 0.4 to 1 s, and where the sound of each begins and ends: 34 dB under its loudest 10 ms."""
    voice, pieces, truth, at = Kokoro(n_threads=1), [np.zeros(RATE, np.float32)], [], RATE
    for word, pause_s in zip(WORDS, PAUSES_S, strict=True):
        said = voice.say(word, "bm_george")
        samples = np.asarray(resample_poly(said.samples, 2, 3), dtype=np.float32)
        level = np.sqrt(np.convolve(samples.astype(np.float64) ** 2, np.ones(160) / 160, mode="same"))
        loud = np.flatnonzero(level > 0.02 * level.max())
        samples = samples[loud[0] : loud[-1] + 1]
        truth.append((word.strip(".").lower(), at / RATE, (at + len(samples)) / RATE))
        pieces += [samples, np.zeros(round(pause_s * RATE), np.float32)]
        at += len(samples) + len(pieces[-1])
    sound = np.concatenate([*pieces, np.zeros(RATE, np.float32)])
    return (sound + np.random.default_rng(2).standard_normal(len(sound)) * 3e-4).astype(np.float32), truth


def test_words_spoken_one_by_one_are_placed_within_a_tenth_of_a_second(weights: Path, faster_whisper: FasterWhisper) -> None:
    assert weights.is_dir()
    sound, truth = scene()
    blocks: list[Any] = []
    for first in range(0, len(sound) - BLOCK + 1, BLOCK):
        start, end = (round(OFFSET_S * NS_PER_S) + frame * NS_PER_S // RATE for frame in (first, first + BLOCK))
        track, samples = Track(name="t1", azimuth_deg=None), sound[first : first + BLOCK].copy()
        blocks.append(BeamBlock(pts_ns=start, duration_ns=end - start, samples=samples, sample_rate_hz=RATE, track=track))
    vad = SileroVad()
    vad.start()
    utterances: Any = run_stage(UtteranceCutter(), {"speech": run_stage(vad, {"beam": blocks})["speech"]})["utterances"]
    faster_whisper._maker = TranscriptMaker()
    lines: list[Transcript] = [emit.packet for utterance in utterances for emit in faster_whisper.batch_utterance([utterance])]
    found: dict[str, tuple[float, float]] = {
        word.text.lower().strip(".,!?"): (word.start_ns / NS_PER_S - OFFSET_S, word.end_ns / NS_PER_S - OFFSET_S)
        for line in lines
        for word in line.words
    }
    known = [(found[text], (start_s, end_s)) for text, start_s, end_s in truth if text in found]
    assert len(known) >= 4, found
    assert np.median([abs(heard[0] - said[0]) for heard, said in known]) < 0.05
    assert np.median([abs(heard[1] - said[1]) for heard, said in known]) < 0.1
    assert all(line.spoken_end_ns <= line.end_ns <= line.utterance.end_ns for line in lines)
