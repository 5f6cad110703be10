"""Talkers for tests of scenes without weights: bursts of noise, one word each, and scripts of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.kokoro import SpokenWord
from tools.make_scene import Clip, Samples, Scene, Speaking, make
from tools.room import SPEED_OF_SOUND_M_PER_S
from tools.scene_script import SpokenLine, Talker

RATE_HZ = 16000


class Bursts(Speaking):
    """Says every line as noise of its own from 0.1 s on; "hello 2.5" lasts 2.5 s, anything else half a second."""

    def clip(self, line: SpokenLine, talker: Talker) -> Clip:
        if line.file is not None:
            return super().clip(line, talker)
        text = line.text or ""
        random = np.random.default_rng([*text.encode(), *(talker.voice or "").encode()])
        length_s = float(text.split()[-1]) if text.split()[-1].replace(".", "").isdigit() else 0.5
        samples = np.zeros(round((length_s + 0.4) * RATE_HZ), dtype=np.float32)
        samples[1600 : 1600 + round(length_s * RATE_HZ)] = random.standard_normal(round(length_s * RATE_HZ))
        return Clip(samples, text, (SpokenWord(text, 0.1, 0.1 + length_s),))


def one(talker: dict[str, Any], says: str = "hello", **changes: Any) -> dict[str, Any]:
    """What the YAML of a scene with one talker, without echo and noise, would hold."""
    lines = [{"speaker": "ann", "text": says, "at_s": 0.5}]
    data = {"session": "s", "room": {"rt60_s": 0.0}, "noise": {"kind": "none"}, "level_dbfs": -26.0}
    return {**data, "talkers": {"ann": {"voice": "a", **talker}}, "conversations": {"c": [{"topic": "c", "lines": lines}]}, **changes}


def made(data: dict[str, Any], images: bool = False) -> Scene:
    """A scene of such talkers."""
    return make(data, speaking=Bursts(), images=images)


def lag_s(one: Samples, other: Samples) -> float:
    """How much later `one` hears what `other` hears, to a sixteenth of a sample, by GCC-PHAT."""
    n = 1 << (len(one) + len(other)).bit_length()
    cross = np.fft.rfft(one, n) * np.conj(np.fft.rfft(other, n))
    correlation = np.fft.irfft(cross / np.maximum(np.abs(cross), 1e-9), 16 * n)
    best = int(np.argmax(correlation))
    return (best if best < 8 * n else best - 16 * n) / (16 * RATE_HZ)


def plane_lag_s(scene: Scene, one: int, other: int, azimuth_deg: float) -> float:
    """How much later the microphone `one` hears a far source on the level of the array."""
    way = np.array([np.cos(np.radians(azimuth_deg)), np.sin(np.radians(azimuth_deg)), 0.0])
    return float((scene.array.positions[other] - scene.array.positions[one]) @ way / SPEED_OF_SOUND_M_PER_S)
