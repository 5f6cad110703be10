"""What the talkers of the benchmark say: sentences in Kokoro's voices, and recordings of people, as dry clips kept on the disk."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np

from models.kokoro import SpokenWord
from tools.hearing_matrix import ALLISON, AUSTEN, DICKENS, JFK, LIBRI, WORDS
from tools.make_scene import Clip, Speaking
from tools.scene_script import SpokenLine, Talker

SENTENCES = Path(__file__).with_name("hearing_sentences.txt")
VOICES = ("bm_george", "af_heart", "am_michael", "bf_emma", "am_fenrir", "af_bella", "bm_lewis", "bf_isabella")
N_GROUPS = 4
PEOPLE = {ALLISON: "asterisk_", DICKENS: "two_cities", JFK: "jfk", LIBRI: "libri_", AUSTEN: "librivox_"}
"""How the files of each person begin, in the folder of the recordings."""
MISWRITTEN = ("umute", "Un-indentified")
"""Texts that do not say what is said in the recording."""
FEWEST_WORDS = 5
FEWEST_LETTERS = 5


class SpeechError(ValueError):
    """There is nothing that a talker could say."""


def sentences_of(voice: str) -> list[str]:
    """The sentences that a voice says: a quarter of all, so that talkers of one scene say different things and clips are used again."""
    lines = [line for line in SENTENCES.read_text(encoding="utf-8").splitlines() if line]
    return lines[VOICES.index(voice) % N_GROUPS :: N_GROUPS]


def voice_of(talker: str) -> str | None:
    """The voice of Kokoro that a talker has; None for people."""
    voice = talker.removeprefix(WORDS)
    return voice if voice in VOICES else None


def lines_of(talker: str, recordings: Path, seed: int) -> list[SpokenLine]:
    """Everything a talker can say, in an order drawn from the seed. Raises SpeechError where that is nothing."""
    voice = voice_of(talker)
    if voice is not None and talker.startswith(WORDS):
        words = {word.strip(".,?").lower() for text in sentences_of(voice) for word in text.split()}
        lines = [SpokenLine(speaker=talker, text=word) for word in sorted(words) if len(word) >= FEWEST_LETTERS and word.isalpha()]
    elif voice is not None:
        lines = [SpokenLine(speaker=talker, text=text) for text in sentences_of(voice)]
    elif talker in PEOPLE:
        table = recordings / "transcripts.tsv"
        if not table.is_file():
            raise SpeechError(f"speech of {talker}: there is no {table}; give the folder of the recordings with --data")
        rows = [row.split("\t") for row in table.read_text(encoding="utf-8").splitlines()]
        lines = [
            SpokenLine(speaker=talker, file=recordings / row[0], text=row[1].strip(" ."))
            for row in rows
            if row[0].startswith(PEOPLE[talker]) and len(row[1].split()) >= FEWEST_WORDS and not any(bad in row[1] for bad in MISWRITTEN)
        ]
    else:
        raise SpeechError(f"talker {talker!r}: known are {', '.join((*VOICES, *PEOPLE))}")
    if not lines:
        raise SpeechError(f"speech of {talker}: no file in {recordings} begins with {PEOPLE.get(talker, talker)!r}")
    random.Random(f"{talker} {seed}").shuffle(lines)
    return lines


class KeptSpeaking(Speaking):
    """Makes each clip once and keeps it in a folder: voices and word times cost more than everything else in a scene."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    @cached_property
    def _code(self) -> bytes:
        """What clips depend on besides their text: the code that makes them."""
        here = Path(__file__).parent
        return b"".join((here / name).read_bytes() for name in ("../models/kokoro.py", "../models/espeak.py", "word_times.py"))

    def clip(self, line: SpokenLine, talker: Talker) -> Clip:
        """The dry clip of a line, from the disk where it is there. Raises SceneError, as `Speaking` does."""
        told = json.dumps([line.text, talker.voice, talker.speed, line.file.name if line.file else None])
        digest = hashlib.sha256(self._code + told.encode() + (line.file.read_bytes() if line.file and line.file.is_file() else b""))
        path = self._folder / f"{digest.hexdigest()[:24]}.npz"
        if not path.is_file():
            _write(path, super().clip(line, talker))
        with np.load(path, allow_pickle=False) as kept:
            words = tuple(SpokenWord(**word) for word in json.loads(str(kept["words"])))
            return Clip(kept["samples"], str(kept["text"]), words)


def _write(path: Path, clip: Clip) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez(file, samples=clip.samples, text=clip.text, words=json.dumps([asdict(word) for word in clip.words]))
    part.replace(path)


def starts(
    durations_s: Sequence[Sequence[float]], talk: str, length_s: float, seed: int, first_s: float = 0.6
) -> list[tuple[int, int, float]]:
    """Who says which of their lines when: (talker, number of the line, start in seconds), in order of starts.

    `durations_s` are the lengths of each talker's lines. With "full" everybody speaks all the time, with short pauses; with
    "turns" one speaks after the other; with "half" each begins in the middle of the line before. Nobody talks over themselves,
    and nothing ends after `length_s`, except the first line of a talker who has nothing shorter.
    """
    draw = random.Random(f"turns {seed}")
    said: list[tuple[int, int, float]] = []
    n_said = [0] * len(durations_s)
    free_s = [first_s + 0.4 * talker for talker in range(len(durations_s))]
    if talk == "full":
        for talker, lines in enumerate(durations_s):
            for number, duration_s in enumerate(lines):
                if free_s[talker] + duration_s <= length_s or not n_said[talker]:
                    said.append((talker, number, free_s[talker]))
                    n_said[talker] += 1
                    free_s[talker] += duration_s + draw.uniform(0.25, 0.6)
        return sorted(said, key=lambda turn: turn[2])
    next_s, last = first_s, -1
    while True:
        left = [t for t, lines in enumerate(durations_s) if n_said[t] < len(lines)]
        able = [t for t in left if t != last] or left
        if not able:
            return said
        fewest = min(n_said[t] for t in able)
        talker = draw.choice([t for t in able if n_said[t] <= fewest + (talk == "turns" and len(durations_s) > 2)])
        duration_s = durations_s[talker][n_said[talker]]
        start_s = max(next_s, free_s[talker] if said else first_s)
        if start_s + duration_s > length_s and n_said[talker]:
            return said
        said.append((talker, n_said[talker], start_s))
        n_said[talker] += 1
        free_s[talker] = start_s + duration_s + 0.3
        next_s = start_s + (duration_s / 2 if talk == "half" else duration_s + draw.uniform(0.25, 0.6))
        last = talker
