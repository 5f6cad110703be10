"""The part of sleep in which a memory keeps its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory


class KeepBounds:
    """Brings the stores of a memory under the bounds that its config declares (`Bounds`)."""

    name = "keep bounds"

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - every step of sleep is asked so
        """Remove at most `limit` files; how many went, 0 when every bound is kept, or no more may leave. The moment plays no part."""
        return memory.space.keep(limit)
