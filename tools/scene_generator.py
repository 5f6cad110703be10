"""Scripts by rule: so many talkers, so far apart, who take turns or talk over one another, until a time."""

from __future__ import annotations

import random
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tools.scene_parts import Part, SceneError


class Recording(Part):
    """A recording and what is said in it (heard by Whisper if left out)."""

    file: Path
    text: str | None = None


class Speech(Part):
    """What one talker says: `texts` in a Kokoro `voice`, or recordings.

    Recordings are `files`, or those rows of the table `transcripts` (name, tab, text) in `folder` whose names begin with `prefix`.
    """

    voice: str | None = None
    texts: tuple[str, ...] = ()
    files: tuple[Recording, ...] = ()
    folder: Path | None = None
    prefix: str = ""
    transcripts: str = "transcripts.tsv"

    @model_validator(mode="after")
    def _one_kind(self) -> Speech:
        if [bool(self.voice and self.texts), bool(self.files), self.folder is not None].count(True) != 1:
            raise ValueError("expected voice and texts, or files, or folder (with prefix)")
        return self


class Generate(Part):
    """The rule. Talker number n is at `first_deg` + n * `apart_deg`.

    `overlap`: `turns`, one after the other; `half`, each begins in the middle of the line before; `full`, all of them all the time.
    Nobody begins a line that would end after `duration_s`. The first talker walks by `walk_deg` in that time. `seed` draws the order
    of the lines and the pauses. `array`, `seed`, `rt60_s` and `snr_db` stand for the keys of the script that they are named after.
    """

    n_talkers: int = Field(ge=1, le=32)
    speech: Annotated[tuple[Speech, ...], Field(min_length=1)]
    overlap: Literal["turns", "half", "full"] = "turns"
    apart_deg: float = 90.0
    first_deg: float = 40.0
    distance_m: float = Field(default=1.4, gt=0.0)
    duration_s: float = Field(default=60.0, gt=0.0)
    walk_deg: float = 0.0
    array: str | None = None
    seed: int | None = Field(default=None, ge=0)
    rt60_s: float | None = None
    snr_db: float | None = None
    session: str | None = None

    @model_validator(mode="after")
    def _enough_speech(self) -> Generate:
        if len(self.speech) < self.n_talkers:
            raise ValueError(f"{self.n_talkers} talkers need as many entries in speech; found {len(self.speech)}")
        return self


def expanded(script: dict[str, Any], rule: Generate, folder: Path) -> dict[str, Any]:
    """The script with talkers and conversations made by its rule; folders of recordings are looked for in `folder`.

    Raises SceneError where a talker has nothing to say.
    """
    made = {key: value for key, value in script.items() if key != "generate"}
    made.update({key: value for key in ("array", "seed", "session") if (value := getattr(rule, key)) is not None})
    made.setdefault("session", f"{rule.n_talkers}-{rule.overlap}")
    for part, key in (("room", "rt60_s"), ("noise", "snr_db")):
        if getattr(rule, key) is not None:
            made[part] = {**dict(made.get(part) or {}), key: getattr(rule, key)}
    names = [f"talker-{number + 1}" for number in range(rule.n_talkers)]
    lines: dict[str, list[dict[str, Any]]] = {}
    for number, (name, speech) in enumerate(zip(names, rule.speech, strict=False)):
        lines[name] = [{"speaker": name, **line} for line in _lines(speech, folder, name)]
        random.Random(f"{made.get('seed', 0)} {number}").shuffle(lines[name])
    made["talkers"] = {
        name: {"voice": speech.voice, "distance_m": rule.distance_m, **_place(rule, number)}
        for number, (name, speech) in enumerate(zip(names, rule.speech, strict=False))
    }
    made["until_s"] = rule.duration_s
    if rule.overlap == "full":
        for number, name in enumerate(names):
            lines[name][0]["at_s"] = round(0.5 + 0.4 * number, 3)
        made["conversations"] = {name: [{"topic": "talk", "lines": lines[name]}] for name in names}
    else:
        together = [line for turn in zip_longest(*lines.values()) for line in turn if line is not None]
        if rule.overlap == "half":
            for line in together[1:]:
                line["overlap"] = 0.5
        made["conversations"] = {"talk": [{"topic": "talk", "lines": together}]}
    return made


def _place(rule: Generate, number: int) -> dict[str, Any]:
    azimuth_deg = rule.first_deg + number * rule.apart_deg
    # Bearings go around; where an array has none over 180 degrees, the scene says so.
    azimuth_deg = azimuth_deg if 0.0 <= azimuth_deg < 360.0 else azimuth_deg % 360.0
    if number > 0 or rule.walk_deg == 0.0:
        return {"azimuth_deg": azimuth_deg}
    # In steps of at most 45 degrees, so that the shorter way round is the way that was asked for.
    n_steps = max(1, -int(-abs(rule.walk_deg) // 45))
    parts = [step / n_steps for step in range(n_steps + 1)]
    path = [{"at_s": rule.duration_s * part, "azimuth_deg": azimuth_deg + rule.walk_deg * part} for part in parts]
    return {
        "path": [point if 0.0 <= point["azimuth_deg"] < 360.0 else {**point, "azimuth_deg": point["azimuth_deg"] % 360.0} for point in path]
    }


def _lines(speech: Speech, folder: Path, name: str) -> list[dict[str, Any]]:
    if speech.folder is None:
        return [{"text": text} for text in speech.texts] or [{"file": one.file, "text": one.text} for one in speech.files]
    table = folder / speech.folder / speech.transcripts
    if not table.is_file():
        raise SceneError(f"speech of {name}: there is no {table}")
    rows = [row.split("\t") for row in table.read_text(encoding="utf-8").splitlines() if row.strip()]
    found = [{"file": speech.folder / row[0], "text": row[1].strip()} for row in rows if len(row) > 1 and row[0].startswith(speech.prefix)]
    if not found:
        raise SceneError(f"speech of {name}: no row of {table} begins with {speech.prefix!r}")
    return found
