"""The inbox of a stage: a bounded queue per input, and the merge that makes their order independent of threads.

A packet is handed over once every other input has passed its end: inputs are merged by end, then by port name. While the
stage waits for a slower input, the faster ones are taken in without bound (how much can pile up is limited by the queues on
the slower branch), so a join of a dense and a sparse branch can never starve.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.packets import Gap, Packet
from pipeline.stage import END_NS


class Aborted(Exception):  # noqa: N818 - a signal to unwind a thread, not a fault
    """The graph is being torn down."""


@dataclass
class _Lane:
    queue: int
    when_full: str
    waiting: deque[Packet] = field(default_factory=deque)
    n_packets: int = 0
    promised_ns: int = 0
    closed: bool = False
    complete: bool = True

    def passed_ns(self) -> int:
        """Nothing that ends before this is still to be handed over."""
        return self.waiting[0].end_ns if self.waiting else self.future_ns()

    def future_ns(self) -> int:
        """Nothing that ends before this will still be put in."""
        return END_NS if self.closed and self.complete else self.promised_ns


def _ends_in_gap(waiting: deque[Packet]) -> bool:
    return bool(waiting) and isinstance(waiting[-1], Gap) and waiting[-1].reason == "dropped"


def _gap(before: Packet | None, packet: Packet) -> Gap:
    """The gap that a lost packet leaves, grown together with the one before it, so that a stalled stage piles up one gap and not many."""
    start_ns = packet.pts_ns if before is None else min(before.pts_ns, packet.pts_ns)
    return Gap(pts_ns=start_ns, duration_ns=packet.end_ns - start_ns, reason="dropped")


class Inbox:
    """What waits for one stage. `put`, `promise` and `close` are called by producers, `take` by the stage's own thread."""

    def __init__(self, ports: dict[str, tuple[int, str]], dropped: Callable[[str, Packet], None] | None = None) -> None:
        """`ports` gives each input's queue length in packets and its `when_full` policy; `dropped` hears of every loss."""
        self._lanes = {name: _Lane(queue, when_full) for name, (queue, when_full) in sorted(ports.items())}
        self._dropped = dropped
        lock = threading.Lock()
        self._fed = threading.Condition(lock)
        self._drained = threading.Condition(lock)
        self._told_ns = 0
        self._hungry = False
        self._aborted = False

    def put(self, port: str, packet: Packet) -> None:
        """Hand in a packet; waits, or drops by the port's policy, when the queue is full. Raises Aborted."""
        with self._fed:
            lane = self._lanes[port]
            if lane.when_full == "block" and lane.n_packets >= lane.queue:
                self._drained.wait_for(lambda: self._aborted or self._hungry or lane.n_packets < lane.queue)
            if self._aborted:
                raise Aborted
            lost = None
            if lane.n_packets >= lane.queue and not self._hungry and lane.when_full == "drop_newest":
                lost, packet = packet, _gap(lane.waiting.pop() if _ends_in_gap(lane.waiting) else None, packet)
            elif lane.n_packets >= lane.queue and not self._hungry and lane.when_full == "drop_oldest":
                lost = self._drop_oldest(lane)
            lane.waiting.append(packet)
            if not isinstance(packet, Gap):
                lane.promised_ns = max(lane.promised_ns, packet.end_ns)
                lane.n_packets += 1
            self._feed()
        if lost is not None and self._dropped is not None:
            self._dropped(port, lost)

    @staticmethod
    def _drop_oldest(lane: _Lane) -> Packet | None:
        for index, packet in enumerate(lane.waiting):
            if not isinstance(packet, Gap):
                before = lane.waiting[index - 1] if index else None
                grows = isinstance(before, Gap) and before.reason == "dropped"
                lane.waiting[index] = _gap(before if grows else None, packet)
                if grows:
                    del lane.waiting[index - 1]
                lane.n_packets -= 1
                return packet
        return None

    def promise(self, port: str, pts_ns: int) -> None:
        """A watermark: nothing that ends before `pts_ns` will be put into this port any more."""
        with self._fed:
            lane = self._lanes[port]
            if pts_ns > lane.promised_ns:
                lane.promised_ns = pts_ns
                self._feed()

    def close(self, port: str, *, complete: bool = True) -> None:
        """The stream of this port has ended; it was cut short when it is not `complete`, and then never passes its last promise."""
        with self._fed:
            self._lanes[port].closed = True
            self._lanes[port].complete = complete
            self._feed()

    def abort(self) -> None:
        """Drop everything and let every waiting thread go with Aborted."""
        with self._fed:
            self._aborted = True
            self._fed.notify_all()
            self._drained.notify_all()

    def take(self, told_ns: int, n_most: int = 1) -> tuple[str, list[Packet]] | int | None:
        """The next packets of one port (or one gap), or how far the inputs have passed if that is beyond `told_ns`, or None.

        None means that all inputs have ended and everything has been handed over. Raises Aborted.
        """
        with self._fed:
            self._told_ns = told_ns
            while True:
                if self._aborted:
                    raise Aborted
                port = self._next()
                if port is not None:
                    return port, self._pop(port, n_most)
                if self._ended():
                    return None
                passed = self._passed()
                if passed > told_ns:
                    return passed
                self._hungry = True
                self._drained.notify_all()
                self._fed.wait()
                self._hungry = False

    def passed_ns(self) -> int:
        """Nothing that ends before this is still to be handed over."""
        with self._fed:
            return self._passed()

    @property
    def complete(self) -> bool:
        """Whether no stream was cut short."""
        return all(lane.complete for lane in self._lanes.values())

    def n_waiting(self) -> int:
        """How many packets wait on all ports together."""
        with self._fed:
            return sum(len(lane.waiting) for lane in self._lanes.values())

    def _feed(self) -> None:
        """Wake the stage, but only when there is something for it to do: every needless wake-up costs a thread switch."""
        if self._hungry and (self._next() is not None or self._passed() > self._told_ns or self._ended()):
            self._fed.notify_all()

    def _ended(self) -> bool:
        return all(lane.closed and not lane.waiting for lane in self._lanes.values())

    def _passed(self) -> int:
        return min(lane.passed_ns() for lane in self._lanes.values())

    def _next(self) -> str | None:
        heads = [(lane.waiting[0].end_ns, name) for name, lane in self._lanes.items() if lane.waiting]
        if not heads:
            return None
        end_ns, port = min(heads)
        for name, lane in self._lanes.items():
            # A tie on the end is broken by name, so an earlier name must have passed beyond the end, a later one only reached it.
            if not lane.waiting and not lane.closed and (lane.promised_ns < end_ns or (lane.promised_ns == end_ns and name < port)):
                return None
        return port

    def _pop(self, port: str, n_most: int) -> list[Packet]:
        lane = self._lanes[port]
        packets = [lane.waiting.popleft()]
        if not isinstance(packets[0], Gap):
            lane.n_packets -= 1
            while len(packets) < n_most and lane.waiting and not isinstance(lane.waiting[0], Gap) and self._next() == port:
                packets.append(lane.waiting.popleft())
                lane.n_packets -= 1
        # Producers that wait are let in when half of the queue is free, so that they hand in several packets a switch.
        if lane.n_packets <= lane.queue // 2:
            self._drained.notify_all()
        return packets
