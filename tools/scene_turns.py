"""Who says what when: the lines of a script on the time line of the scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tools.room import SAMPLE_RATE_HZ
from tools.scene_script import SceneScript, SpokenLine, Topic
from tools.scene_speech import Clip, Speaking

BREATH_S = 0.1
"""What a talker leaves between two own lines where `overlap` would let them run into one another."""


@dataclass(frozen=True)
class Turn:
    """One line of a script with its sound."""

    conversation: str
    topic: str
    line: SpokenLine
    clip: Clip
    mouth_s: float
    """Scene time of the clip's first sample, at the mouth."""

    @property
    def mouth_frame(self) -> int:
        """The frame of the clip's first sample, at the mouth."""
        return round(self.mouth_s * SAMPLE_RATE_HZ)


def turns(script: SceneScript, speaking: Speaking) -> Iterator[Turn]:
    """The lines of a script that are said, conversation by conversation. Raises SceneError where a line's sound cannot be had."""
    for order, name in enumerate(script.conversations):
        yield from _conversation(script, speaking, name, np.random.default_rng([script.seed, 2, order]))


def _conversation(script: SceneScript, speaking: Speaking, name: str, random: np.random.Generator) -> Iterator[Turn]:
    before: tuple[float, float] | None = None  # when the line before begins and ends
    own_end_s: dict[str, float] = {}
    lines = [(topic, place, line) for topic in script.conversations[name] for place, line in enumerate(topic.lines)]
    for topic, place, line in lines:
        clip = speaking.clip(line, script.talkers[line.speaker])
        drawn_s = float(random.uniform(*script.pause_s))
        if line.at_s is not None:
            start_s = line.at_s
        elif before is None:
            start_s = script.start_s
        elif line.overlap is not None:
            own_s = own_end_s.get(line.speaker)
            start_s = before[1] - line.overlap * (before[1] - before[0])
            start_s = start_s if own_s is None else max(start_s, own_s + BREATH_S)
        else:
            start_s = before[1] + _pause_s(line, topic, place, drawn_s)
        end_s = start_s + clip.words[-1].end_s - clip.words[0].start_s
        if script.until_s is not None and end_s > script.until_s:
            return
        yield Turn(name, topic.topic, line, clip, max(0.0, start_s - clip.words[0].start_s))
        before = (start_s, end_s)
        own_end_s[line.speaker] = max(end_s, own_end_s.get(line.speaker, 0.0))


def _pause_s(line: SpokenLine, topic: Topic, place: int, drawn_s: float) -> float:
    if line.pause_s is not None:
        return line.pause_s
    return topic.pause_s if place == 0 and topic.pause_s is not None else drawn_s
