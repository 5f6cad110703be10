from __future__ import annotations

import numpy as np
import pytest

from pipeline.packets import BeamBlock, Gap, Track
from stages.speech.end_order import EndOrder
from stages.speech.speech_errors import SpeechError
from stages.speech.track_order import LONGEST_BLOCK_NS, TrackOrder

MS = 10**6


def block(track: str, start_ms: int, length_ms: int = 30) -> BeamBlock:
    return BeamBlock(
        pts_ns=start_ms * MS,
        duration_ns=length_ms * MS,
        samples=np.zeros(length_ms * 16, np.float32),
        sample_rate_hz=16000,
        track=Track(name=track, azimuth_deg=None),
    )


class Pairs:
    """A stretch that lets blocks out in pairs."""

    def __init__(self, first: BeamBlock) -> None:
        self.next_ns = first.pts_ns
        self._held: list[BeamBlock] = []

    @property
    def earliest_end_ns(self) -> int | None:
        return self._held[0].end_ns if self._held else None

    def push(self, packet: BeamBlock) -> list[BeamBlock]:
        self.next_ns = packet.end_ns
        self._held.append(packet)
        return self.close() if len(self._held) == 2 else []

    def close(self) -> list[BeamBlock]:
        held, self._held = self._held, []
        return held


def pairs() -> TrackOrder[BeamBlock, BeamBlock]:
    return TrackOrder(Pairs, lambda packet: packet.track.name)


def names(packets: list[BeamBlock]) -> list[tuple[str, int]]:
    return [(packet.track.name, packet.end_ns // MS) for packet in packets]


def test_packets_leave_by_end_and_then_by_track_whatever_order_they_came_in() -> None:
    order: EndOrder[BeamBlock] = EndOrder()
    for track, start in (("b", 0), ("c", 30), ("a", 0), ("a", 60)):
        order.add(block(track, start), track)
    assert names(order.release(60 * MS)) == [("a", 30), ("b", 30)]
    assert len(order) == 2
    assert names(order.release_all()) == [("c", 60), ("a", 90)]


def test_a_held_block_holds_up_later_ones_of_other_tracks() -> None:
    order = pairs()
    assert order.take(block("a", 0)) == []
    assert order.take(block("b", 0)) == []
    assert order.take(block("b", 30)) == []
    assert order.bound_ns(60 * MS) == 30 * MS
    assert names(order.take(block("a", 30))) == [("a", 30), ("b", 30)]
    assert names(order.passed(61 * MS)) == [("a", 60), ("b", 60)]


def test_a_block_that_does_not_follow_starts_anew() -> None:
    order = pairs()
    order.take(block("a", 0))
    assert names(order.take(block("a", 60))) == [("a", 30)]
    assert order.n_tracks == 1
    assert names(order.flush()) == [("a", 90)]


def test_a_track_that_stopped_is_given_up_when_its_next_block_could_not_follow() -> None:
    order = pairs()
    order.take(block("a", 0))
    last = 30 * MS + LONGEST_BLOCK_NS
    assert order.passed(last) == []
    assert names(order.passed(last + 3 * MS)) == [("a", 30)]
    assert order.n_tracks == 0


def test_a_gap_ends_the_tracks_that_sent_nothing_since_it_began() -> None:
    order = pairs()
    order.take(block("a", 0))
    order.take(block("b", 0))
    order.take(block("b", 30))
    order.take(block("b", 60))
    gap = Gap(pts_ns=30 * MS, duration_ns=60 * MS, reason="dropped")
    assert names(order.gap(gap)) == [("a", 30), ("b", 30), ("b", 60)]
    assert order.n_tracks == 1


def test_a_block_that_is_too_long_is_refused() -> None:
    with pytest.raises(SpeechError) as caught:
        pairs().take(block("t7", 1000, 501))
    assert str(caught.value) == ("track t7: a block at 1.000 s lasts 0.501 s; at most 0.5 s are allowed, set a smaller block at the source")
