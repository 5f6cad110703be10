"""A spoken question: from a sound file, or from a microphone until the speaker has finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.app.failures import CallerError, WorkError
from pipeline.packets import NS_PER_S, BeamBlock, Float32Array, Track
from pipeline.stage import Stage

if TYPE_CHECKING:
    from pipeline.packets import AudioBlock

SAMPLE_RATE_HZ = 16000
MAX_QUESTION_S = 30.0
MIC_LIMIT_S = 15.0
END_SILENCE_S = 1.2
_SPEECH_PROBABILITY = 0.5
_VAD_FRAMES = 512
_LEAST_SPEECH_BLOCKS = 4
"""An eighth of a second: shorter than any word that asks something."""
_SILENT = 10 ** (-60 / 20)
_LANE = Track(name="question", azimuth_deg=None, lane=0)


def read_question(path: Path) -> Float32Array:
    """The sound file as mono, 16 kHz, float32, shape (frames,). Raises CallerError where there is no question in it."""
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        found = "there is no such file" if not path.exists() else "it cannot be read as sound"
        raise CallerError(f"--voice {path}: {found}; give a wav, flac, ogg or mp3 file, or mic") from error
    duration_s = samples.shape[0] / rate
    if not 0.2 <= duration_s <= MAX_QUESTION_S:
        raise CallerError(f"--voice {path}: it lasts {duration_s:.1f} s; a spoken question lasts 0.2 to {MAX_QUESTION_S:.0f} s")
    mono = np.nan_to_num(samples.mean(axis=1))
    if rate != SAMPLE_RATE_HZ:
        import soxr

        mono = soxr.resample(mono, rate, SAMPLE_RATE_HZ)
    return np.ascontiguousarray(mono, dtype=np.float32)


@dataclass
class Ending:
    """Decides when a spoken question is over: a silence after speech, or the limit. Pure: probabilities in, a verdict out."""

    silence_s: float = END_SILENCE_S
    limit_s: float = MIC_LIMIT_S
    heard_s: float = 0.0
    silent_s: float = 0.0
    has_speech: bool = False

    def over(self, duration_s: float, probability: float) -> bool:
        """Whether the question is over after one more block of so many seconds."""
        self.heard_s += duration_s
        if probability >= _SPEECH_PROBABILITY:
            self.has_speech = True
            self.silent_s = 0.0
        else:
            self.silent_s += duration_s
        return self.heard_s >= self.limit_s or (self.has_speech and self.silent_s >= self.silence_s)


def record_question(description: str, vad: Stage) -> Float32Array:
    """Listen to a GStreamer source (a description without sink) until the question is over.

    `vad` is a started stage that takes beams and gives their probability of speech. Float32, shape (frames,), 16 kHz.
    Raises CallerError where nothing was said, WorkError where the microphone cannot be opened.
    """
    from stages.capture.gst_source import GstSource
    from stages.capture.recording import Recording

    recording = Recording()
    source = GstSource(pipeline=description, array="mono", recording=recording)
    ending = Ending()
    kept: list[Float32Array] = []
    recording.start()
    try:
        source.start()
        for emit in source.packets():
            block: AudioBlock = emit.packet
            if not hasattr(block, "samples"):
                continue
            kept.append(block.samples[0])
            if ending.over(block.duration_ns / NS_PER_S, _probability(vad, block.samples[0].copy(), block.pts_ns)):
                break
    except (RuntimeError, OSError) as error:
        raise WorkError(f"--voice mic: the microphone ({description}) failed: {error}; choose another with --mic") from error
    finally:
        source.interrupt()
        source.stop()
        recording.stop()
    if not ending.has_speech:
        raise CallerError(f"--voice mic: nothing was said within {ending.heard_s:.0f} s; speak up, or choose another microphone with --mic")
    return np.concatenate(kept)


def check_speech(path: Path, samples: Float32Array, vad: Stage) -> None:
    """Raises CallerError where nobody speaks in a question, float32, shape (frames,), 16 kHz; `vad` is as in `record_question`.

    A recogniser makes words of noise, too, and the answer to those would be about something that nobody asked.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    firsts = range(0, len(samples) - _VAD_FRAMES + 1, _VAD_FRAMES)
    heard = [_probability(vad, samples[first : first + _VAD_FRAMES].copy(), first * NS_PER_S // SAMPLE_RATE_HZ) for first in firsts]
    if peak < _SILENT or sum(probability >= _SPEECH_PROBABILITY for probability in heard) < _LEAST_SPEECH_BLOCKS:
        found = "silence" if peak < _SILENT else "noise"
        raise CallerError(
            f"--voice {path}: no words were understood: there is no speech in it, only {found}; record the question again, or ask in text"
        )


def _probability(vad: Stage, samples: Float32Array, pts_ns: int) -> float:
    beam = BeamBlock(
        pts_ns=pts_ns,
        duration_ns=len(samples) * NS_PER_S // SAMPLE_RATE_HZ,
        samples=samples,
        sample_rate_hz=SAMPLE_RATE_HZ,
        track=_LANE,
    )
    port = next(iter(type(vad).inputs))
    handler = getattr(vad, f"on_{port}", None)
    emits = handler(beam) if handler is not None else getattr(vad, f"batch_{port}")([beam])
    return max((emit.packet.probability for emit in emits), default=0.0)
