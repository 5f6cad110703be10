"""Talks with the lines at which people marked a new topic, and the lines' vectors: what segmentation is measured on.

QMSum (Zhong et al. 2021, MIT): meetings; a topic begins where one of its spans does. TIAGE (Xie et al. 2021, MIT): chit-chat in
short lines. Neither has times. Each set is split in two, for tuning and for reporting: QMSum by the hash of a meeting's series
(meetings of one series share their people and their subject), TIAGE as it was published (train, dev).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.text_encoder import TextEncoder

Part = Literal["tuning", "held out"]


class TalksError(Exception):
    """A data set is not where it was said to be, or is not what it should be."""


@dataclass(frozen=True)
class Talk:
    """Lines of one meeting or dialogue. `begins`: bool, shape (n,), where a topic begins, the first line apart."""

    name: str
    speakers: tuple[str, ...]
    texts: tuple[str, ...]
    begins: npt.NDArray[np.bool_]
    part: Part


def qmsum(folder: Path) -> list[Talk]:
    """The meetings of QMSum, by name. Marks of the transcribers ("{vocalsound}") are taken out. Raises TalksError."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise TalksError(f"QMSum: no .json file of a meeting in {folder}; give the folder that holds them")
    talks = []
    for path in files:
        try:
            told = json.loads(path.read_text())
            said = [
                (entry["speaker"], " ".join(re.sub(r"\{[^}]*\}", " ", entry["content"]).split())) for entry in told["meeting_transcripts"]
            ]
            starts = [int(span[0]) for topic in told["topic_list"] for span in topic["relevant_text_span"]]
        except (KeyError, TypeError, ValueError) as error:
            raise TalksError(f"QMSum: {path} is not a meeting with topic_list and meeting_transcripts: {error!r}") from error
        begins = np.zeros(len(said), dtype=bool)
        begins[[start for start in starts if 0 < start < len(said)]] = True
        series = re.sub(r"[a-d]$", "", path.stem)
        part: Part = "tuning" if int(hashlib.sha256(series.encode()).hexdigest(), 16) % 2 == 0 else "held out"
        talks.append(Talk(path.stem, tuple(who for who, _ in said), tuple(text for _, text in said), begins, part))
    return talks


def tiage(folder: Path) -> list[Talk]:
    """The dialogues of TIAGE; two people take turns. Raises TalksError."""
    talks = []
    parts: tuple[tuple[str, Part], ...] = (("train", "tuning"), ("dev", "held out"))
    for name, part in parts:
        path = folder / f"anno_{name}.json"
        if not path.is_file():
            raise TalksError(f"TIAGE: {path} is not there; give the folder that holds anno_train.json and anno_dev.json")
        for number, lines in json.loads(path.read_text()).items():
            begins = np.array([mark == "1" for _, mark in lines])
            begins[0] = False
            speakers = tuple("ab"[place % 2] for place in range(len(lines)))
            talks.append(Talk(f"{name}-{number}", speakers, tuple(text for text, _ in lines), begins, part))
    return talks


def some(talks: list[Talk], most: int) -> list[Talk]:
    """The first `most` talks of each part; all of them where it is 0."""
    parts: tuple[Part, ...] = ("tuning", "held out")
    return [talk for part in parts for talk in [talk for talk in talks if talk.part == part][: most or None]]


def vectors_of(talks: list[Talk], encoder: TextEncoder, cache: Path) -> list[Float32Array]:
    """The vectors of every talk's lines, float32, shape (n, dimension): from `cache` where they are there already."""
    cache.mkdir(parents=True, exist_ok=True)
    found = []
    for talk in talks:
        digest = hashlib.sha256("\n".join((encoder.name, *talk.texts)).encode()).hexdigest()[:16]
        path = cache / f"{talk.name}-{digest}.npy"
        if not path.is_file():
            encoder.start()
            part = cache / f"{path.name}.part"
            with part.open("wb") as file:
                np.save(file, encoder.encode(list(talk.texts)))
            part.rename(path)
        found.append(np.load(path))
    return found
