"""Events by surprise in what is said and in what else is heard."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.packets import Event, SoundEvent
from pipeline.stage import Emit, In
from stages.events.surprise import Surprise


class SurpriseWithSounds(Surprise):
    """As `Surprise`, and a sound that this conversation has not lately had before its lines (a door, a phone) speaks for a boundary.

    It needs the sounds as a second input, and waits for them: an event is told once both inputs have passed it. Fed by what the memory
    has stored (`RememberSounds.remembered`), a session that was cut short goes on as if it had not been; fed by the sounds themselves,
    one that is lost in a crash may be missed where a topic began.
    """

    sound = In(SoundEvent)

    def on_sound(self, sound: SoundEvent) -> Iterator[Emit[Event]]:
        """Remember a sound until the next line."""
        for event in self._stream.hear(sound):
            yield self.events(event)
