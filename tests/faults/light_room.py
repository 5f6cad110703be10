"""What the fault harness lets Echoic hear and take in: a recording, transcripts, and a graph without weights that fills every store."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from tests.faults.light_stages import SUBJECTS
from tests.pipeline.app.command_line import RATE_HZ, ROOT, bursts

MODIFIED_AT_S = 1_790_000_000
"""When the files say that they were written, so that the sessions made of them always begin at the same moment."""


@dataclass(frozen=True)
class LightRoom:
    """The files that commands are given."""

    config: Path
    other_config: Path
    recording: Path
    transcript: Path
    other_transcript: Path


def make_room(folder: Path, recording_s: float = 42.0, n_lines: int = 1500) -> LightRoom:
    """Two microphones of their own in a room for about a minute, and transcripts of `n_lines` lines."""
    folder.mkdir(parents=True, exist_ok=True)
    room = LightRoom(
        folder / "light.yaml", folder / "light_flat.yaml", folder / "room.wav", folder / "talk.jsonl", folder / "other_talk.jsonl"
    )
    room.config.write_text(graph_text("ivf_sq8"), encoding="utf-8")
    room.other_config.write_text(graph_text("flat").replace("HashedWords", "HashedWords, dimension: 128"), encoding="utf-8")
    n_bursts = round(recording_s / 3)
    sound = np.stack([bursts(n_bursts), np.roll(bursts(n_bursts, seed=6), RATE_HZ)])
    # Numbers that are none become gaps.
    for start_s in (2.0, recording_s - 1.0):
        sound[0, round(start_s * RATE_HZ) :][:800] = np.nan
    soundfile.write(room.recording, sound.T, RATE_HZ, subtype="FLOAT")
    for path, shift in ((room.transcript, 0), (room.other_transcript, 3)):
        rows = [_spoken(number, shift) for number in range(n_lines)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for path in (room.recording, room.transcript, room.other_transcript):
        os.utime(path, (MODIFIED_AT_S, MODIFIED_AT_S))
    return room


def graph_text(index: str) -> str:
    """The shipped graph without weights, with words, voices and sounds from the stages of this folder."""
    text = (ROOT / "configs/minimal.yaml").read_text(encoding="utf-8")
    changes = (
        ("stages.speech.wordless.Wordless", "tests.faults.light_stages.Sayer"),
        ("stages.events.silence_gap.SilenceGap", "stages.events.surprise_with_sounds.SurpriseWithSounds"),
        ("memory: memory, in: {line: encode.lines}}", "memory: memory, in: {line: encode.lines, sound: remember_sounds.remembered}}"),
        ("index: flat", f"index: {index}"),
    )
    for old, new in changes:
        if old not in text:
            raise ValueError(f"configs/minimal.yaml has no {old!r} any more; mend tests/faults/light_room.py")
        text = text.replace(old, new)
    return (
        f"extra_roots: [tests]\n{text}  clatter: {{use: tests.faults.light_stages.Clatter, in: {{utterance: utter.utterances}}}}\n"
        "  remember_sounds: {use: stages.memory.remember_sounds.RememberSounds, memory: memory, in: {sound: clatter.sounds}}\n"
    )


def _spoken(number: int, shift: int) -> dict[str, object]:
    start_s = 4.0 * number
    return {
        "start_s": start_s,
        "end_s": start_s + 3.0,
        "speaker": ("ann", "bob", "eve")[number * 7 // 5 % 3],
        "azimuth_deg": 40.0 * (number % 3),
        "text": f"{SUBJECTS[(number // 12 + shift) % len(SUBJECTS)]}, point {number % 17}",
    }
