"""Packets that become known out of order leave in the order of their ends."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

from pipeline.packets import Packet

PacketT = TypeVar("PacketT", bound=Packet)


class EndOrder(Generic[PacketT]):
    """Holds packets until nothing that ends before them can come any more.

    Packets that end in the same nanosecond leave by track name: so the order does not depend on when this was told what.
    """

    def __init__(self) -> None:
        self._held: list[tuple[int, str, int, PacketT]] = []
        self._n_added = 0

    def __len__(self) -> int:
        return len(self._held)

    def add(self, packet: PacketT, track: str) -> None:
        """Hold a packet."""
        heapq.heappush(self._held, (packet.end_ns, track, self._n_added, packet))
        self._n_added += 1

    def release(self, bound_ns: int) -> list[PacketT]:
        """What ends before `bound_ns`, by end. Nothing that ends before `bound_ns` may be added afterwards."""
        ready = []
        while self._held and self._held[0][0] < bound_ns:
            ready.append(heapq.heappop(self._held)[3])
        return ready

    def release_all(self) -> list[PacketT]:
        """Everything that is held, by end."""
        return [heapq.heappop(self._held)[3] for _ in range(len(self._held))]
