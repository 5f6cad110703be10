"""What a scene is made of: the room, the array in it, who speaks from where, and what is said. Read from YAML.

session: two-friends
array: uma8
talkers:
  anna: {voice: af_heart, azimuth_deg: 30, distance_m: 1.3}
  ben: {voice: am_michael, azimuth_deg: 100}
conversations:
  dogs:
    - topic: dogs
      lines:
        - anna: My dog loves the rain.
        - ben: {text: Mine hates it., pause_s: 0.1}
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator


class SceneError(ValueError):
    """A scene cannot be made; the message says what to change."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Room(_Part):
    """A box of a room, with the centre of the array at `array_at_m` and the array's +x turned by `array_yaw_deg`."""

    size_m: tuple[float, float, float] = (6.0, 5.0, 2.8)
    rt60_s: float = Field(default=0.28, ge=0.0, le=3.0)
    array_at_m: tuple[float, float, float] = (2.8, 2.4, 0.9)
    array_yaw_deg: float = 0.0


class Noise(_Part):
    """The room's background: `diffuse` is room noise (Hoth) from all around, `white` each microphone's own.

    `snr_db` is the level of the speech of all talkers at the reference microphone while anybody speaks, over the noise.
    """

    kind: Literal["none", "white", "diffuse"] = "diffuse"
    snr_db: float = 28.0


class Talker(_Part):
    """Who speaks, from where as the array sees it (lines: 0 to 180 degrees), and how loud against the others (at the mouth)."""

    azimuth_deg: float
    distance_m: float = Field(default=1.4, gt=0.0)
    height_m: float = Field(default=1.15, gt=0.0)
    level_db: float = 0.0
    voice: str | None = None
    speed: float = Field(default=1.0, gt=0.3, lt=3.0)


class SpokenLine(_Part):
    """One line: `text` spoken by the talker's voice, or the recording `file` with its `text` (heard by Whisper if left out).

    It begins `pause_s` after the line before it in its conversation (negative: cuts in), or at `at_s` of the scene.
    """

    speaker: str
    text: str | None = None
    file: Path | None = None
    pause_s: float | None = None
    at_s: float | None = Field(default=None, ge=0.0)


def _spoken_line(value: Any) -> Any:
    if isinstance(value, dict) and len(value) == 1:
        ((speaker, said),) = value.items()
        return {"speaker": str(speaker), **(said if isinstance(said, dict) else {"text": said})}
    return value


class Topic(_Part):
    """A stretch of a conversation about one thing; it is the `event` of its lines in the truth."""

    topic: str
    lines: tuple[Annotated[SpokenLine, BeforeValidator(_spoken_line)], ...]
    pause_s: float | None = None


class SceneScript(_Part):
    """A whole scene. Pauses between lines are drawn from `pause_s` with the `seed`.

    `level_dbfs` is the RMS level of the speech at the reference microphone while anybody speaks. With `resolution_bits` under 16
    the samples are rounded to steps that FLAC leaves out: a file that is as loud and smaller, with noise at 6 dB a bit.
    """

    session: str
    array: str = "uma8"
    seed: int = 0
    room: Room = Room()
    noise: Noise = Noise()
    level_dbfs: float = Field(default=-30.0, le=0.0)
    resolution_bits: int = Field(default=16, ge=8, le=16)
    start_s: float = Field(default=0.5, ge=0.0)
    tail_s: float = Field(default=0.7, ge=0.0)
    pause_s: tuple[float, float] = (0.25, 0.55)
    talkers: dict[str, Talker]
    conversations: dict[str, tuple[Topic, ...]]

    @model_validator(mode="after")
    def _known_speakers(self) -> SceneScript:
        for name, topics in self.conversations.items():
            for line in (line for topic in topics for line in topic.lines):
                talker = self.talkers.get(line.speaker)
                if talker is None:
                    raise ValueError(f"conversation {name}: {line.speaker!r} is not a talker; talkers are {', '.join(self.talkers)}")
                if line.file is None and (line.text is None or talker.voice is None):
                    raise ValueError(f"conversation {name}: a line of {line.speaker} needs a file, or a text and a talker with a voice")
        return self


def parse_script(data: Any, where: str) -> SceneScript:
    """A script from what YAML gave.

    Raises SceneError that lists every mistake.
    """
    try:
        return SceneScript.model_validate(data)
    except ValidationError as error:
        rows = [f"  {'.'.join(str(part) for part in e['loc']) or 'script'}: {e['msg']}" for e in error.errors()]
        raise SceneError(f"scene {where}: cannot be used:\n" + "\n".join(rows)) from error


def load_script(path: Path) -> SceneScript:
    """The script in a YAML file; the recordings it names are looked for beside it.

    Raises SceneError where there is no such file or it has mistakes.
    """
    if not path.is_file():
        raise SceneError(f"scene {path}: there is no such file")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SceneError(f"scene {path}: not YAML: {error}") from error
    script = parse_script(data, str(path))
    conversations = {
        name: tuple(topic.model_copy(update={"lines": tuple(_beside(line, path.parent) for line in topic.lines)}) for topic in topics)
        for name, topics in script.conversations.items()
    }
    return script.model_copy(update={"conversations": conversations})


def _beside(line: SpokenLine, folder: Path) -> SpokenLine:
    return line if line.file is None else line.model_copy(update={"file": folder / line.file})
