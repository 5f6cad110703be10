"""Renders a script: dry speech and noises, through the room, to what the microphones of the array hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry, load_array
from tools.room import SAMPLE_RATE_HZ
from tools.scene_image import image
from tools.scene_noise import background, point_sound
from tools.scene_place import Position
from tools.scene_script import SceneError, SceneScript
from tools.scene_source import Source, sources
from tools.scene_speech import Samples, Speaking
from tools.scene_truth import TruthLine, truth_lines
from tools.scene_turns import Turn, turns

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """A rendered scene: `samples`, rounded as in the file, is float32, shape (channels of the array, frames), 16 kHz.

    `truth` is in order of starts.
    """

    array: ArrayGeometry
    samples: Samples
    truth: tuple[TruthLine, ...]
    dry: dict[str, Samples] = field(default_factory=dict)
    """Each talker's own speech on the time line of the mouth, float32, shape (frames,)."""
    images: dict[str, Samples] = field(default_factory=dict)
    """On request: each talker's sound at every microphone as it is in `samples`, echoes included, float32, shape (channels, frames)."""
    noise: Samples | None = None
    """On request: what else is in `samples`, float32, shape (channels, frames)."""
    positions: dict[str, tuple[Position, ...]] = field(default_factory=dict)
    """Where talkers and noises are: one position of what stands still, else one every 0.1 s."""
    sample_rate_hz: int = SAMPLE_RATE_HZ


def render(script: SceneScript, speaking: Speaking | None = None, array: ArrayGeometry | None = None, images: bool = False) -> Scene:
    """Render a script for its array (or another one), with `images` also what is from whom. The same script gives the same samples.

    Raises SceneError where a talker, the room, a file or the array does not fit.
    """
    array = array or load_array(script.array)
    talkers = sources(script.talkers, "talker", array, script.room)
    points = sources(script.points, "point", array, script.room)
    said = list(turns(script, speaking or Speaking()))
    if not said:
        raise SceneError(f"scene {script.session}: nobody says anything; add lines to its conversations, or time to until_s")
    end_s = max(turn.mouth_s + len(turn.clip.samples) / SAMPLE_RATE_HZ for turn in said)
    n_frames = round((end_s + script.tail_s) * SAMPLE_RATE_HZ)
    dry, talking = _dry(script, said, n_frames)
    wet = np.zeros((array.n_channels, n_frames))
    by_talker: dict[str, Samples] = {}
    for who, source in talkers.items():
        heard = image(dry[who], source)
        wet += heard
        if images:
            by_talker[who] = heard.astype(np.float32)
    gain = 10 ** (script.level_dbfs / 20) / np.sqrt(np.mean(wet[array.reference, talking] ** 2))
    wet *= gain
    noise = _noise(script, array, points, n_frames)
    wet += noise
    peak = float(np.abs(wet).max())
    if peak >= 1.0:
        raise SceneError(f"scene {script.session}: clips (peak {peak:.2f}) at level_dbfs {script.level_dbfs:g}; lower it")
    steps = 2 ** (script.resolution_bits - 1)
    wet = np.clip(np.round(wet * steps), -steps, steps - 1) / steps
    return Scene(
        array,
        wet.astype(np.float32),
        truth_lines(script.session, said, talkers),
        {who: samples.astype(np.float32) for who, samples in dry.items()},
        images={who: heard * np.float32(gain) for who, heard in by_talker.items()},
        noise=noise.astype(np.float32) if images else None,
        positions={name: source.positions(0.0, n_frames / SAMPLE_RATE_HZ) for name, source in {**talkers, **points}.items()},
    )


def _dry(script: SceneScript, said: Sequence[Turn], n_frames: int) -> tuple[dict[str, Floats], npt.NDArray[np.bool_]]:
    """Each talker's speech at the mouth, shape (frames,), and whether anybody speaks."""
    dry = {who: np.zeros(n_frames) for who in script.talkers}
    talking = np.zeros(n_frames, dtype=bool)
    for turn in said:
        first = turn.mouth_frame
        gain = 10 ** (script.talkers[turn.line.speaker].level_db / 20)
        dry[turn.line.speaker][first : first + len(turn.clip.samples)] += gain * turn.clip.samples
        talking[first : first + len(turn.clip.samples)] = True
    return dry, talking


def _noise(script: SceneScript, array: ArrayGeometry, points: Mapping[str, Source], n_frames: int) -> Floats:
    """Everything but speech, at its level, shape (channels, frames)."""
    noise = 10 ** ((script.level_dbfs - script.noise.snr_db) / 20) * background(script.noise, array, n_frames, script.seed)
    for name, source in points.items():
        sound = point_sound(script.points[name], name, n_frames, script.seed)
        heard, on = image(sound, source), sound != 0.0
        level = np.sqrt(np.mean(heard[array.reference, on] ** 2))
        if not level > 0.0:
            raise SceneError(f"point {name}: nothing of it reaches the array before the scene ends; let it start earlier")
        noise += 10 ** ((script.level_dbfs - script.points[name].snr_db) / 20) / level * heard
    return noise
