"""One state per track, and packets of all tracks out in the order of their ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from pipeline.packets import NS_PER_S, Gap, Packet, seconds
from stages.speech.end_order import EndOrder
from stages.speech.speech_errors import SpeechError

# Times are whole nanoseconds made from counts of samples, so blocks that follow each other fit to the nanosecond. A capture
# clock may jitter by more; a lost block is always longer than this.
TOLERANCE_NS = 2_000_000
# What bounds how long a track that has stopped sending is waited for.
LONGEST_BLOCK_NS = NS_PER_S // 2

InT = TypeVar("InT", bound=Packet)
OutT = TypeVar("OutT", bound=Packet)
InT_contra = TypeVar("InT_contra", bound=Packet, contravariant=True)


class Stretch(Protocol[InT_contra, OutT]):
    """One unbroken stretch of one track. A new one begins where blocks do not follow each other."""

    @property
    def next_ns(self) -> int:
        """Where the next block starts if it goes on with this stretch."""

    @property
    def earliest_end_ns(self) -> int | None:
        """Nothing that comes out of what has gone in ends before this; None when nothing is held."""

    def push(self, packet: InT_contra) -> list[OutT]:
        """What a block makes known."""

    def close(self) -> list[OutT]:
        """What is left when the stretch is over."""


class TrackOrder(Generic[InT, OutT]):
    """Hands each track's blocks to its stretch and lets what comes out leave in the order of the ends.

    `begin` makes a stretch from its first block, `track_of` names the track of a block. `slack_ns` is how long before the end
    of a new block something that comes of it can end.
    """

    def __init__(self, begin: Callable[[InT], Stretch[InT, OutT]], track_of: Callable[[InT], str], slack_ns: int = 0) -> None:
        self._begin = begin
        self._track_of = track_of
        self._slack_ns = slack_ns
        self._stretches: dict[str, Stretch[InT, OutT]] = {}
        self._order: EndOrder[OutT] = EndOrder()

    @property
    def n_tracks(self) -> int:
        """How many tracks have a state."""
        return len(self._stretches)

    def take(self, packet: InT) -> list[OutT]:
        """What may leave after a block. Blocks of all tracks come in the order of their ends.

        Raises:
            SpeechError: the block is longer than half a second.
        """
        track = self._track_of(packet)
        if packet.duration_ns > LONGEST_BLOCK_NS:
            raise SpeechError(
                f"track {track}: a block at {seconds(packet.pts_ns):.3f} s lasts {seconds(packet.duration_ns):.3f} s; "
                f"at most {seconds(LONGEST_BLOCK_NS)} s are allowed, set a smaller block at the source"
            )
        stretch = self._stretches.get(track)
        if stretch is not None and abs(packet.pts_ns - stretch.next_ns) > TOLERANCE_NS:
            self._end(track)
            stretch = None
        if stretch is None:
            stretch = self._stretches[track] = self._begin(packet)
        self._hold(stretch.push(packet), track)
        return self.passed(packet.end_ns)

    def passed(self, pts_ns: int) -> list[OutT]:
        """What may leave when nothing that ends before `pts_ns` will come in any more."""
        # The next block of such a track cannot go on where it stopped: it would have to be too long.
        for track in [name for name, stretch in self._stretches.items() if pts_ns > stretch.next_ns + LONGEST_BLOCK_NS + TOLERANCE_NS]:
            self._end(track)
        return self._order.release(self.bound_ns(pts_ns))

    def gap(self, gap: Gap) -> list[OutT]:
        """What may leave when a stretch was lost: tracks that have sent nothing since it began are broken off."""
        for track in [name for name, stretch in self._stretches.items() if stretch.next_ns <= gap.pts_ns + TOLERANCE_NS]:
            self._end(track)
        return self.passed(gap.end_ns)

    def flush(self) -> list[OutT]:
        """Everything that is left."""
        for track in list(self._stretches):
            self._end(track)
        return self._order.release_all()

    def bound_ns(self, pts_ns: int) -> int:
        """Nothing that will leave ends before this, when nothing that ends before `pts_ns` will come in any more."""
        earliest = [stretch.earliest_end_ns for stretch in self._stretches.values()]
        return min([pts_ns - self._slack_ns, *(end for end in earliest if end is not None)])

    def _end(self, track: str) -> None:
        self._hold(self._stretches.pop(track).close(), track)

    def _hold(self, packets: list[OutT], track: str) -> None:
        for packet in packets:
            self._order.add(packet, track)
