"""Who speaks when on one microphone, into long-term memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.packets import TalkerBlock, TalkerVoice
from pipeline.stage import Emit, In, Stage
from stages.memory.long_term_memory import LongTermMemory, MemoryError_


class RememberTalkers(Stage):
    """Stores when each talker of a track without a bearing speaks, and how they sounded once they are gone.

    So who spoke when is known also where people overlap or no word could be understood. Who they are is told when the session ends, from
    all their voices (`talker_speakers.py`). A run that goes on after a crash hears some of it again, under new numbers and the same voices.
    """

    activity = In(TalkerBlock)
    voices = In(TalkerVoice)
    lossless = True

    def __init__(self, memory: LongTermMemory) -> None:
        self._memory = memory
        self._session = ""

    def start(self) -> None:
        """Go on where the session stands. Raises MemoryError_ when no session has begun."""
        self._session = self._memory.session
        if not self._session:
            raise MemoryError_("nothing can be remembered yet: begin_session says which session it is")

    def on_activity(self, block: TalkerBlock) -> Iterable[Emit[Any]]:
        """Store a block; it is on the disk when this returns."""
        if block.talkers:
            self._memory.talkers.add_block(self._session, block)
        return ()

    def on_voices(self, voice: TalkerVoice) -> Iterable[Emit[Any]]:
        """Store a voice."""
        self._memory.talkers.add_voice(self._session, voice)
        return ()
