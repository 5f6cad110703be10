"""What a scene is made of: the room, the array in it, who speaks from where, and what is said. Read from YAML.

session: two-friends
array: uma8
talkers:
  anna: {voice: af_heart, azimuth_deg: 30, distance_m: 1.3}
  ben: {voice: am_michael, path: [{at_s: 2, azimuth_deg: 100}, {at_s: 9, azimuth_deg: 160}]}
conversations:
  dogs:
    - topic: dogs
      lines:
        - anna: My dog loves the rain.
        - ben: {text: Mine hates it., pause_s: 0.1}
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from tools.scene_generator import Generate, expanded
from tools.scene_parts import Noise, Part, PointNoise, Room, SceneError, Talker

__all__ = ["Noise", "PointNoise", "Room", "SceneError", "SceneScript", "SpokenLine", "Talker", "Topic", "load_script", "parse_script"]


_Model = TypeVar("_Model", bound=BaseModel)
_Part = TypeVar("_Part", bound=Part)


class SpokenLine(Part):
    """One line: `text` spoken by the talker's voice, or the recording `file` with its `text` (heard by Whisper if left out).

    It begins `pause_s` after the line before it in its conversation (negative: cuts in), or at `at_s` of the scene, or while the share
    `overlap` of the line before is still to come, but never while its own talker speaks. With `word_times: false` Whisper is not asked
    about a recording: the line begins and ends where the sound does, and its words have no times.
    """

    speaker: str
    text: str | None = None
    file: Path | None = None
    pause_s: float | None = None
    at_s: float | None = Field(default=None, ge=0.0)
    overlap: float | None = Field(default=None, ge=0.0, le=1.0)
    word_times: bool = True

    @model_validator(mode="after")
    def _one_start(self) -> SpokenLine:
        given = [name for name in ("pause_s", "at_s", "overlap") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"a line begins by one of pause_s, at_s, overlap; found {' and '.join(given)}")
        if not self.word_times and (self.file is None or self.text is None):
            raise ValueError("word_times: false is for lines with a file and its text")
        return self


def _spoken_line(value: Any) -> Any:
    if isinstance(value, dict) and len(value) == 1:
        ((speaker, said),) = value.items()
        return {"speaker": str(speaker), **(said if isinstance(said, dict) else {"text": said})}
    return value


class Topic(Part):
    """A stretch of a conversation about one thing; it is the `event` of its lines in the truth."""

    topic: str
    lines: tuple[Annotated[SpokenLine, BeforeValidator(_spoken_line)], ...]
    pause_s: float | None = None


class SceneScript(Part):
    """A whole scene. Pauses between lines are drawn from `pause_s` with the `seed`.

    `level_dbfs` is the RMS level of the speech at the reference microphone while anybody speaks. With `resolution_bits` under 16
    the samples are rounded to steps that FLAC leaves out: a file that is as loud and smaller, with noise at 6 dB a bit.
    A conversation stops before the first line that would end after `until_s`. `points` are noises from one place each.
    """

    session: str
    array: str = "uma8"
    seed: int = Field(default=0, ge=0)
    room: Room = Room()
    noise: Noise = Noise()
    points: dict[str, PointNoise] = Field(default_factory=dict)
    level_dbfs: float = Field(default=-30.0, le=0.0)
    resolution_bits: int = Field(default=16, ge=8, le=16)
    start_s: float = Field(default=0.5, ge=0.0)
    tail_s: float = Field(default=0.7, ge=0.0)
    until_s: float | None = Field(default=None, gt=0.0)
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
        both = sorted(set(self.talkers) & set(self.points))
        if both:
            raise ValueError(f"{', '.join(both)}: the name of a talker and of a point noise; each needs its own")
        return self


def parse_script(data: Any, where: str, folder: Path | None = None) -> SceneScript:
    """A script from what YAML gave; relative files are looked for in `folder`. A `generate` part is turned into talkers and lines.

    Raises SceneError that lists every mistake.
    """
    folder = folder or Path()
    if isinstance(data, dict) and "generate" in data:
        taken = sorted({"talkers", "conversations"} & set(data))
        if taken:
            raise SceneError(f"scene {where}: generate makes the talkers and conversations; leave out {' and '.join(taken)}")
        data = expanded(data, _validated(Generate, data["generate"], f"{where}, generate"), folder)
    script = _validated(SceneScript, data, where)
    conversations = {
        name: tuple(topic.model_copy(update={"lines": tuple(_beside(line, folder, "file") for line in topic.lines)}) for topic in topics)
        for name, topics in script.conversations.items()
    }
    talkers = {name: _beside(talker, folder, "responses") for name, talker in script.talkers.items()}
    points = {name: _beside(point, folder, "file", "responses") for name, point in script.points.items()}
    room, noise = _beside(script.room, folder, "responses"), _beside(script.noise, folder, "file")
    return script.model_copy(update={"conversations": conversations, "talkers": talkers, "points": points, "room": room, "noise": noise})


def _validated(kind: type[_Model], data: Any, where: str) -> _Model:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        rows = [f"  {'.'.join(str(part) for part in e['loc']) or 'script'}: {e['msg']}" for e in error.errors()]
        raise SceneError(f"scene {where}: cannot be used:\n" + "\n".join(rows)) from error


def load_script(path: Path) -> SceneScript:
    """The script in a YAML file; the files it names are looked for beside it.

    Raises SceneError where there is no such file or it has mistakes.
    """
    if not path.is_file():
        raise SceneError(f"scene {path}: there is no such file")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SceneError(f"scene {path}: not YAML: {error}") from error
    return parse_script(data, str(path), path.parent)


def _beside(part: _Part, folder: Path, *names: str) -> _Part:
    files = {name: folder / getattr(part, name) for name in names if getattr(part, name) is not None}
    return part.model_copy(update=files) if files else part
