"""Who speaks when on one microphone, into long-term memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.packets import TalkerBlock, TalkerVoice
from pipeline.stage import Emit, In, Stage
from stages.memory.long_term_memory import LongTermMemory, MemoryError_


class RememberTalkers(Stage):
    """Stores when each talker of a track without a bearing speaks, and how they sounded once they are gone.

    So who spoke when is known also where people overlap or no word could be understood. Who they are is told when the session ends, from
    all their voices (`talker_speakers.py`). A run that goes on after a crash hears some of it again, under new numbers: only what
    comes after the last turn that is stored is new. The voices tell who goes on.
    """

    activity = In(TalkerBlock)
    voices = In(TalkerVoice)
    lossless = True

    def __init__(self, memory: LongTermMemory) -> None:
        self._memory = memory
        self._session = ""
        self._had_ns: dict[str, int] = {}

    def start(self) -> None:
        """Go on where the session stands. Raises MemoryError_ when no session has begun."""
        self._session = self._memory.session
        if not self._session:
            raise MemoryError_("nothing can be remembered yet: begin_session says which session it is")
        self._had_ns = self._memory.talkers.ends_ns(self._session)

    def on_activity(self, block: TalkerBlock) -> Iterable[Emit[Any]]:
        """Store a block; it is on the disk when this returns."""
        new = _after(block, self._had_ns.get(block.track.name, 0))
        if new.active.any():
            self._memory.talkers.add_block(self._session, new)
        return ()

    def on_voices(self, voice: TalkerVoice) -> Iterable[Emit[Any]]:
        """Store a voice."""
        self._memory.talkers.add_voice(self._session, voice)
        return ()


def _after(block: TalkerBlock, time_ns: int) -> TalkerBlock:
    """A block without what begins before a time; who speaks only before it is not in it."""
    if time_ns <= block.pts_ns:
        return block
    begins_ns = block.pts_ns + np.arange(block.active.shape[1]) * block.step_ns
    active = block.active & (begins_ns >= time_ns)
    rows = np.flatnonzero(active.any(axis=1))
    return replace(block, talkers=tuple(block.talkers[row] for row in rows), active=active[rows])
