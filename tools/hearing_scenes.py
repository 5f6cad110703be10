"""A cell of the matrix becomes files: the recording, the truth, and each talker's own sound at the microphones. Made once and kept."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.hearing_matrix import WALK_DEG, Cell
from tools.hearing_oracle import read_places
from tools.hearing_places import Place
from tools.hearing_speech import SENTENCES, KeptSpeaking, lines_of, starts, voice_of
from tools.make_scene import Scene, render, write_scene
from tools.room import SAMPLE_RATE_HZ
from tools.scene_script import SceneScript, SpokenLine, Talker, parse_script

_CODE = (
    *("hearing_scenes.py", "hearing_speech.py", "make_scene.py", "room.py"),
    *("../models/kokoro.py", "../models/espeak.py", "word_times.py", "measured_responses.py"),
)
WALK_BEGINS_S = 4.0
ALONE_PEAK = 0.999
MIXTURE = "the microphone"
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SceneFiles:
    """Where a scene lies."""

    folder: Path

    @property
    def mix(self) -> Path:
        """What the array records."""
        return self.folder / "mix.flac"

    def alone(self, who: str) -> Path:
        """What the array records when only this talker speaks, in the same noise."""
        return self.folder / f"alone-{who}.flac"

    def dry(self, who: str) -> Path:
        """What this talker says, as a microphone at the mouth hears it."""
        return self.folder / f"dry-{who}.flac"

    @property
    def microphone(self) -> Path:
        """What the array's reference microphone records."""
        return self.folder / "microphone.flac"

    def images(self) -> tuple[dict[str, Samples], Samples]:
        """Each talker's own sound at the reference microphone, and what that microphone records, float32, shape (frames,)."""
        with np.load(self.folder / "images.npz") as kept:
            samples = {name: kept[name] for name in kept.files if name != "reference"}
        return {who: samples[who] for who in samples if who != MIXTURE}, samples[MIXTURE]

    @property
    def places(self) -> dict[str, Place]:
        """Where each talker is, in the order of the cell."""
        return read_places(self.folder)

    @cached_property
    def truth(self) -> list[dict[str, Any]]:
        """The lines as they were said, in the form of `echoic export --format jsonl`."""
        return [json.loads(line) for line in (self.folder / "mix.jsonl").read_text(encoding="utf-8").splitlines()]


def prepared(cell: Cell, cache: Path, recordings: Path) -> SceneFiles:
    """The files of a cell's scene; renders it where it is not there yet, or the code or the cell has changed."""
    here = Path(__file__).parent
    digest = hashlib.sha256(repr({**asdict(cell), "goal": None, "few": None}).encode() + SENTENCES.read_bytes())
    for path in sorted([*(here / name for name in _CODE), *here.glob("scene_*.py")]):
        digest.update(path.read_bytes() if path.is_file() else b"")
    folder = cache / "scenes" / f"{cell.name}-{digest.hexdigest()[:12]}"
    files = SceneFiles(folder)
    if not (folder / "mix.jsonl").is_file():
        speaking = KeptSpeaking(cache / "clips")
        _write(render(script_of(cell, speaking, recordings), speaking, images=True), files)
    return files


def _write(scene: Scene, files: SceneFiles) -> None:
    """All files of a scene. The truth comes last, so a scene with truth is whole."""
    files.folder.mkdir(parents=True, exist_ok=True)
    reference = scene.array.reference
    places = {
        who: {"at_s": [place.at_s for place in scene.positions[who]], "azimuth_deg": [place.azimuth_deg for place in scene.positions[who]]}
        for who in scene.images
    }
    (files.folder / "places.json").write_text(json.dumps(places), encoding="utf-8")
    with (files.folder / "images.npz").open("wb") as file:
        own = {who: image[reference] for who, image in scene.images.items()}
        np.savez(file, reference=reference, **{MIXTURE: scene.samples[reference]}, **own)
    for who, image in scene.images.items():
        _write_sound(files.alone(who), image if scene.noise is None else image + scene.noise)
        _write_sound(files.dry(who), scene.dry[who][None] / np.abs(scene.dry[who]).max() * 0.5)
    _write_sound(files.microphone, scene.samples[[reference]])
    write_scene(scene, files.mix, files.folder / "mix.part")
    (files.folder / "mix.part").replace(files.folder / "mix.jsonl")


def _write_sound(path: Path, samples: Samples) -> None:
    import soundfile

    soundfile.write(path, np.clip(samples, -ALONE_PEAK, ALONE_PEAK).T, SAMPLE_RATE_HZ, subtype="PCM_16")


def script_of(cell: Cell, speaking: KeptSpeaking, recordings: Path) -> SceneScript:
    """The script of a cell: who sits where, and who says what when. Raises SpeechError, SceneError."""
    draw = random.Random(f"room {cell.seed}")
    talkers: dict[str, dict[str, Any]] = {}
    said: list[list[SpokenLine]] = []
    durations_s: list[list[float]] = []
    for name, azimuth_deg in zip(cell.talkers, cell.bearings_deg(), strict=True):
        talkers[name] = {
            "azimuth_deg": azimuth_deg,
            "distance_m": round(draw.uniform(1.2, 1.6), 2),
            "voice": voice_of(name),
        }
        if cell.walking and name == cell.talkers[0]:
            talkers[name]["path"] = [
                {"at_s": WALK_BEGINS_S, "azimuth_deg": azimuth_deg},
                {"at_s": cell.length_s - WALK_BEGINS_S, "azimuth_deg": (azimuth_deg + WALK_DEG) % 360.0},
            ]
            del talkers[name]["azimuth_deg"]
        talker = Talker.model_validate(talkers[name])
        said.append([])
        durations_s.append([])
        for line in lines_of(name, recordings, cell.seed):
            # No more clips are made than can be said in the time there is.
            if sum(durations_s[-1]) < cell.length_s:
                words = speaking.clip(line, talker).words
                said[-1].append(line)
                durations_s[-1].append(words[-1].end_s - words[0].start_s)
    turns = starts(durations_s, cell.talk, cell.length_s - 0.8, cell.seed)
    names = list(cell.talkers)
    lines_at = [
        {"speaker": names[who], "text": said[who][number].text, "file": said[who][number].file, "at_s": round(start_s, 3)}
        for who, number, start_s in turns
    ]
    room = {
        "size_m": (round(draw.uniform(5.0, 6.5), 2), round(draw.uniform(4.4, 5.4), 2), 2.8),
        "rt60_s": cell.rt60_s,
        "array_at_m": (round(draw.uniform(2.3, 2.7), 2), round(draw.uniform(2.05, 2.35), 2), 0.9),
        "array_yaw_deg": round(draw.uniform(-20.0, 20.0), 1),
    }
    return parse_script(
        {
            "session": f"hearing-{cell.name}",
            "array": cell.array,
            "seed": cell.seed,
            "room": room,
            "noise": {"kind": "diffuse", "snr_db": cell.snr_db},
            "level_dbfs": -30.0,
            "talkers": talkers,
            "conversations": {"scene": [{"topic": "scene", "lines": lines_at}]},
        },
        f"cell {cell.name}",
    )
