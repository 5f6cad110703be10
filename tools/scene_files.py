"""Scenes as files: the recording, the truth beside it, and on request what each talker alone would have been."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tools.room import SAMPLE_RATE_HZ
from tools.scene_render import Scene
from tools.scene_script import SceneError

MAX_FLAC_CHANNELS = 8


def write_scene(scene: Scene, audio: Path, truth: Path | None = None) -> Path:
    """Write the audio (16-bit FLAC or WAV, by suffix) and the truth (JSONL, by default beside it); returns the truth's path.

    An array that names its source's channels gets a file with those channels, the others silent. Raises SceneError where the
    suffix is unknown or FLAC cannot hold so many channels.
    """
    import soundfile

    channels = scene.array.channels or tuple(range(scene.array.n_channels))
    file = np.zeros((max(channels) + 1, scene.samples.shape[1]), dtype=np.float32)
    file[list(channels)] = scene.samples
    if audio.suffix not in {".flac", ".wav"}:
        raise SceneError(f"output {audio}: scenes are written as .flac or .wav")
    if audio.suffix == ".flac" and len(file) > MAX_FLAC_CHANNELS:
        raise SceneError(f"output {audio}: FLAC holds at most {MAX_FLAC_CHANNELS} channels and this has {len(file)}; write a .wav")
    packed: dict[str, float] = {"compression_level": 1.0} if audio.suffix == ".flac" else {}
    audio.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(audio, file.T, SAMPLE_RATE_HZ, subtype="PCM_16", format=audio.suffix[1:].upper(), **packed)
    path = truth or audio.with_suffix(".jsonl")
    path.write_text("".join(json.dumps(line.to_json(), ensure_ascii=False) + "\n" for line in scene.truth), encoding="utf-8")
    return path


def write_images(scene: Scene, folder: Path) -> list[Path]:
    """Write what is from whom: NAME.wav of each talker and noise.wav (float32, the array's microphones in order), and positions.jsonl.

    Returns the paths, positions.jsonl last. Raises SceneError where the scene was rendered without images, or a talker's name cannot be
    that of a file.
    """
    import soundfile

    if scene.noise is None:
        raise SceneError("this scene was rendered without images; render it with images=True")
    parts = {**scene.images, "noise": scene.noise}
    for name in scene.images:
        if name == "noise" or Path(name).name != name:
            raise SceneError(f"talker {name!r}: the images are files by the talkers' names; give this talker another name")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, samples in parts.items():
        paths.append(folder / f"{name}.wav")
        soundfile.write(paths[-1], samples.T, scene.sample_rate_hz, subtype="FLOAT", format="WAV")
    rows = ({"name": name, **position.to_json()} for name, way in scene.positions.items() for position in way)
    paths.append(folder / "positions.jsonl")
    paths[-1].write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return paths
