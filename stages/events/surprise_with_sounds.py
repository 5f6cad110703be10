"""Events by surprise in what is said and in what else is heard."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Event, SoundEvent
from pipeline.stage import Emit, In
from stages.events.surprise import Surprise


class SurpriseWithSounds(Surprise):
    """As `Surprise`, and a sound that this conversation has not lately had before its lines (a door, a phone) speaks for a boundary.

    It needs the sounds as a second input, and waits for them: an event is told once both inputs have passed it. Sounds that a run
    before heard are not taken up again after a crash; only lines are.
    """

    sound = In(SoundEvent)

    def on_sound(self, sound: SoundEvent) -> Iterator[Emit[Event]]:
        """Remember a sound until the next line."""
        self._stream.hear(sound.label or "unknown")
        return iter(())
