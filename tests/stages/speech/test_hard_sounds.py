"""Sounds that hold no speech, or none that the weights know, from the beam to the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.packets import NS_PER_S, BeamBlock, Float32Array, Packet, Track, Transcript, Utterance
from pipeline.testing import noise, run_stage, tone
from stages.speech.faster_whisper import FasterWhisper
from stages.speech.silero_vad import SileroVad
from stages.speech.transcript_maker import TranscriptMaker
from stages.speech.utterance_cutter import UtteranceCutter

RATE, BLOCK = 16000, 512
NAMES = ["Siobhan Okonkwo", "Project Falcon", "Philip Steels"]
Maker = Callable[..., Utterance]
Reader = Callable[[str], Float32Array]


@pytest.fixture(scope="session")
def knows_names(weights: Path) -> Iterator[FasterWhisper]:
    """A recogniser with a vocabulary: the harder case where nothing is said."""
    assert weights.is_dir()
    stage = FasterWhisper(vocabulary=NAMES, n_threads=1)
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture(scope="session")
def finds_language(weights: Path) -> Iterator[FasterWhisper]:
    """A recogniser that detects the language."""
    assert weights.is_dir()
    stage = FasterWhisper(language="auto", n_threads=1)
    stage.start()
    yield stage
    stage.stop()


def beams(samples: Float32Array) -> list[Packet]:
    """One microphone: a track without bearing."""
    made: list[Packet] = []
    for first in range(0, len(samples) - BLOCK + 1, BLOCK):
        start, end = (frame * NS_PER_S // RATE for frame in (first, first + BLOCK))
        track = Track(name="mic", azimuth_deg=None)
        block = samples[first : first + BLOCK].copy()
        made.append(BeamBlock(pts_ns=start, duration_ns=end - start, samples=block, sample_rate_hz=RATE, track=track))
    return made


def utterances(samples: Float32Array) -> list[Utterance]:
    """What the voice activity detector and the cutter take for speech."""
    vad = SileroVad()
    vad.start()
    speech = run_stage(vad, {"beam": beams(samples)})["speech"]
    return [packet for packet in run_stage(UtteranceCutter(), {"speech": speech})["utterances"] if isinstance(packet, Utterance)]


def lines(stage: FasterWhisper, found: list[Utterance]) -> list[Transcript]:
    stage._maker = TranscriptMaker()
    return [emit.packet for emit in stage.batch_utterance(found)]


def plucked(pitches_hz: list[float], length_s: float, decay: float) -> Float32Array:
    """Notes with five harmonics, one after the other."""
    t = np.arange(round(length_s * RATE)) / RATE
    note = [np.exp(-decay * t) * sum(np.sin(2 * np.pi * pitch * h * t) / h for h in range(1, 6)) for pitch in pitches_hz]
    return np.asarray(0.2 * np.concatenate(note), dtype=np.float32)


def drums(length_s: float) -> Float32Array:
    """A bass drum and a snare in turns, two in a second."""
    random, sound = np.random.default_rng(4), np.zeros(round(length_s * RATE), np.float32)
    t = np.arange(RATE // 4) / RATE
    for beat in range(int(2 * length_s) - 1):
        bass = np.exp(-20 * t) * np.sin(2 * np.pi * 70 * t)
        snare = 0.6 * np.exp(-15 * t) * random.standard_normal(len(t))
        first = beat * RATE // 2
        sound[first : first + len(t)] += (0.5 * (snare if beat % 2 else bass)).astype(np.float32)
    return sound


def sung(length_s: float) -> Float32Array:
    """A melody with vibrato, close to a voice."""
    t = np.arange(round(length_s * RATE)) / RATE
    pitch_hz = 300 * 2 ** (np.floor(2 * t) % 7 / 6) * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * t))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE
    return np.asarray(0.15 * sum(np.sin(h * phase) / h**1.5 for h in range(1, 8)), dtype=np.float32)


def music(kind: str) -> Float32Array:
    arpeggio = plucked([220 * 2 ** (step / 12) for step in (0, 4, 7, 12, 7, 4, 0, -5) * 4], 0.25, 6)
    chords = np.sum([plucked([root * ratio for root in (220, 175, 262, 196) * 2], 1.0, 2) for ratio in (1, 1.26, 1.5)], axis=0) / 2
    made = {"arpeggio": arpeggio, "chords": chords, "drums": drums(8.0), "melody": sung(8.0), "band": chords + arpeggio + drums(8.0)}
    return np.asarray(made[kind], dtype=np.float32)


@pytest.mark.parametrize("kind", ["arpeggio", "chords", "drums", "melody", "band"])
def test_music_has_no_words(knows_names: FasterWhisper, kind: str, utterance_of: Maker) -> None:
    sound = music(kind)
    assert lines(knows_names, utterances(sound)) == []
    assert lines(knows_names, [utterance_of(sound)]) == [], "even when all of it is taken for speech"


def test_silence_hum_and_noise_have_no_words_and_above_all_no_names(knows_names: FasterWhisper, shared: Path, utterance_of: Maker) -> None:
    recorded = [soundfile.read(shared / f"data/noise/{name}.wav", dtype="float32", frames=8 * RATE)[0] for name in ("noise2", "noise3")]
    hum = tone(100, 5.0, amplitude=0.2) + tone(200, 5.0, amplitude=0.1) + noise(5.0, amplitude=0.01)
    for sound in (np.zeros(5 * RATE, np.float32), noise(5.0, amplitude=0.05), hum, *recorded):
        assert lines(knows_names, utterances(sound)) == []
        assert lines(knows_names, [utterance_of(sound)]) == []


def test_a_rare_name_is_read_where_it_is_said_and_only_there(knows_names: FasterWhisper, speech: Reader, utterance_of: Maker) -> None:
    found = lines(knows_names, [utterance_of(speech("cmu_arctic_us_aew_a0001")), utterance_of(speech("librivox_0880"), 9.0)])
    assert "Philip Steels" in found[0].text
    assert not any(word in found[1].text for name in NAMES for word in name.split())


def test_a_language_that_nobody_speaks_is_in_doubt(
    finds_language: FasterWhisper, faster_whisper: FasterWhisper, speech: Reader, utterance_of: Maker
) -> None:
    # Backwards speech has the sounds of a voice and no words of any language.
    backwards = [utterance_of(speech(name)[::-1].copy(), 20.0 * at) for at, name in enumerate(("jfk", "librivox_0880", "librivox_0890"))]
    for stage in (finds_language, faster_whisper):
        assert all(line.confidence < 0.5 for line in lines(stage, backwards))
    forwards = lines(finds_language, [utterance_of(speech("librivox_0880")), utterance_of(speech("jfk"), 10.0)])
    assert [line.language for line in forwards] == ["en", "en"]
    assert all(line.confidence > 0.6 for line in forwards)


def test_a_wrong_fixed_language_is_in_doubt(weights: Path, speech: Reader, utterance_of: Maker) -> None:
    assert weights.is_dir()
    stage = FasterWhisper(language="ja", n_threads=1)
    stage.start()
    found = lines(stage, [utterance_of(speech("librivox_0880"))])
    stage.stop()
    assert all(line.language == "ja" and line.confidence < 0.1 for line in found)


def test_a_clipped_recording_is_still_read(faster_whisper: FasterWhisper, speech: Reader) -> None:
    voice = np.clip(20 * speech("jfk"), -1, 1).astype(np.float32)
    assert np.mean(np.abs(voice) == 1) > 0.05
    found = lines(faster_whisper, utterances(np.concatenate([np.zeros(RATE, np.float32), voice, np.zeros(RATE, np.float32)])))
    assert "what your country can do for you" in " ".join(line.text for line in found).lower().replace(",", "")
    assert all(first.end_ns <= second.end_ns for first, second in pairwise(found))
