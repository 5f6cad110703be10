"""Events into long-term memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.packets import Event
from pipeline.stage import Emit, In, Stage
from stages.memory.long_term_memory import LongTermMemory, MemoryError_


class RememberEvents(Stage):
    """Stores each event when its end is known.

    It stands apart from Remember, because events are known later than lines, and a line must not wait for its event. Whichever
    of the two reaches the memory first, the line finds its event.
    """

    event = In(Event)
    lossless = True

    def __init__(self, memory: LongTermMemory) -> None:
        self._memory = memory
        self._session = ""

    def start(self) -> None:
        """Take the session that has begun. Raises MemoryError_ when none has."""
        self._session = self._memory.session
        if not self._session:
            raise MemoryError_("nothing can be remembered yet: begin_session says which session it is")

    def on_event(self, event: Event) -> Iterable[Emit[Any]]:
        """Store an event and set the event of its lines."""
        self._memory.add_event(self._session, event)
        return ()
