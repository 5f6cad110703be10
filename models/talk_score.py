"""May a sound be somebody talking? YAMNet's opinion, beside that of a detector of speech: it also knows dishes, animals and engines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.steered_speech import at_usual_level
from models.yamnet import WINDOW_FRAMES, Yamnet

TALK = (
    *("Speech", "Child speech, kid speaking", "Conversation", "Narration, monologue", "Babbling", "Speech synthesizer", "Shout", "Yell"),
    "Whispering",
)
"""The sounds of AudioSet that are somebody talking."""
MUSIC = "Music"
LOUD_MUSIC = 0.5
"""From this score on music hides a voice from YAMNet: under music as loud as the talker it gave talking 0.0 to 0.3 and music 0.4 to 0.9."""


class TalkScore:
    """How likely it is that a sound is somebody talking, as YAMNet tells the sounds of AudioSet apart.

    Args:
        yamnet: the network.
        names: of its classes, in their order.
    """

    def __init__(self, yamnet: Yamnet, names: Sequence[str]) -> None:
        self._yamnet = yamnet
        self._talk = [names.index(name) for name in TALK]
        self._music = names.index(MUSIC)

    def of(self, signal: npt.NDArray[np.float32]) -> float | None:
        """The highest score (0 to 1) of a kind of talking over the last 0.975 s; None where loud music would hide it.

        `signal` is float32, shape (frames,), at 16 kHz; the level does not matter, and silence is put before a shorter one.
        """
        last = at_usual_level(signal[-WINDOW_FRAMES:])
        scores = self._yamnet.judge(np.pad(last, (WINDOW_FRAMES - len(last), 0))).scores
        return None if scores[self._music] >= LOUD_MUSIC else float(scores[self._talk].max())
