"""Sounds into long-term memory."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import SoundEvent
from pipeline.stage import Emit, In, Out, Stage
from stages.memory.long_term_memory import LongTermMemory, MemoryError_


class RememberSounds(Stage):
    """Stores each sound when it is over; sounds that no class fits are grouped with those that they are like.

    Sounds that the memory has from a run that was cut short are left out: those that lie mostly before the end of the last sound of
    their label, because heard again from another starting point their times may differ a little. `remembered` hands on what was stored:
    what listens there never hears more than a run that goes on finds in the memory.
    """

    sound = In(SoundEvent)
    remembered = Out(SoundEvent)
    lossless = True

    def __init__(self, memory: LongTermMemory) -> None:
        self._memory = memory
        self._session = ""
        self._last_ends_ns: dict[str | None, int] = {}

    def start(self) -> None:
        """Go on where the session stands. Raises MemoryError_ when no session has begun."""
        self._session = self._memory.session
        if not self._session:
            raise MemoryError_("nothing can be remembered yet: begin_session says which session it is")
        self._last_ends_ns = self._memory.sounds.last_ends(self._session)

    def on_sound(self, sound: SoundEvent) -> Iterator[Emit[SoundEvent]]:
        """Store a sound; it is on the disk when it is handed on."""
        middle_ns = sound.pts_ns + sound.duration_ns // 2
        if middle_ns >= self._last_ends_ns.get(sound.label, 0) and self._memory.sounds.add(self._session, sound):
            yield self.remembered(sound)
