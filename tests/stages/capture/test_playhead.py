"""The grid of blocks, and gaps that come out the same however they were marked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.packets import AudioBlock, Float32Array, Gap
from pipeline.recorded import gap_at
from pipeline.testing import one_microphone
from stages.capture.playhead import Playhead

RATE = 1000
BLOCK = 100


def reader(n_frames: int) -> Callable[[int, int], Float32Array]:
    samples: Float32Array = (np.arange(n_frames)[None] / 2**20).astype(np.float32)
    return lambda first, count: samples[:, first : first + count]


def head(start: int = 0) -> Playhead:
    return Playhead(one_microphone(), RATE, BLOCK, start)


def shape(packets: list[AudioBlock | Gap]) -> list[tuple[str, int, int]]:
    """What came out, in milliseconds, which are frames here."""
    kinds = [packet.reason if isinstance(packet, Gap) else "audio" for packet in packets]
    return [(kind, packet.pts_ns // 10**6, packet.end_ns // 10**6) for kind, packet in zip(kinds, packets, strict=True)]


def test_blocks_lie_on_the_grid_and_the_last_is_shorter() -> None:
    playhead = head()
    assert shape(list(playhead.cut(reader(250), 199, ended=False))) == [("audio", 0, 100)]
    assert shape(list(playhead.cut(reader(250), 250, ended=False))) == [("audio", 100, 200)]
    assert shape(list(playhead.cut(reader(250), 250, ended=True))) == [("audio", 200, 250)]
    assert list(playhead.cut(reader(250), 250, ended=True)) == []


def test_a_later_start_keeps_the_grid() -> None:
    (block,) = head(199).cut(reader(200), 200, ended=True)
    assert isinstance(block, AudioBlock)
    assert block.pts_ns == 100 * 10**6
    np.testing.assert_array_equal(block.samples, np.arange(100, 200, dtype=np.float32)[None] / 2**20)


def test_a_block_comes_unless_all_of_it_was_lost() -> None:
    playhead = head()
    playhead.marks.append(gap_at(150, 180, RATE, "dropped"))
    assert shape(list(playhead.cut(reader(500), 500, ended=True))) == [
        ("audio", 0, 100),
        ("audio", 100, 200),
        ("dropped", 150, 330),
        ("audio", 300, 400),
        ("audio", 400, 500),
    ]


def test_two_reasons_can_cover_a_block_together() -> None:
    playhead = head()
    playhead.marks.extend([gap_at(100, 60, RATE, "dropped"), gap_at(160, 40, RATE, "overrun")])
    assert shape(list(playhead.cut(reader(300), 300, ended=True))) == [
        ("audio", 0, 100),
        ("dropped", 100, 160),
        ("overrun", 160, 200),
        ("audio", 200, 300),
    ]


def test_a_long_gap_is_told_in_pieces_while_it_lasts() -> None:
    playhead = head()
    playhead.marks.append(gap_at(500, 2000, RATE, "source ended"))
    assert shape(list(playhead.cut(reader(5000), 2100, ended=False)))[5:] == [
        ("source ended", 500, 1000),
        ("source ended", 1000, 2000),
    ]


def test_a_gap_after_the_end_comes_last() -> None:
    playhead = head()
    playhead.marks.append(gap_at(130, 870, RATE, "unreadable"))
    assert shape(list(playhead.cut(reader(130), 130, ended=True))) == [
        ("audio", 0, 100),
        ("audio", 100, 130),
        ("unreadable", 130, 1000),
    ]


def test_gaps_before_the_start_do_not_come_again() -> None:
    playhead = head(1000)
    playhead.marks.extend([gap_at(0, 10, RATE, "dropped"), gap_at(950, 70, RATE, "overrun")])
    assert shape(list(playhead.cut(reader(1100), 1100, ended=True))) == [("overrun", 1000, 1020), ("audio", 1000, 1100)]


@given(
    st.lists(st.tuples(st.integers(0, 2900), st.integers(1, 400), st.sampled_from(["dropped", "overrun"])), max_size=5),
    st.lists(st.integers(1, 3000), max_size=5),
    st.data(),
)
def test_the_same_losses_give_the_same_packets(stretches: list[tuple[int, int, str]], looks: list[int], data: st.DataObject) -> None:
    """At once, or while it is recorded with every stretch marked in two pieces as time comes to it."""
    at_once = head()
    at_once.marks.extend(gap_at(first, n, RATE, reason) for first, n, reason in stretches)
    expected = shape(list(at_once.cut(reader(3000), 3000, ended=True)))
    live = head()
    pieces = []
    for first, n, reason in stretches:
        cut = data.draw(st.integers(0, n))
        pieces += [(first, cut, reason), (first + cut, n - cut, reason)]
    got: list[AudioBlock | Gap] = []
    for look in [*sorted(looks), 3000]:
        live.marks.extend(gap_at(first, n, RATE, reason) for first, n, reason in pieces if n and first < look)
        pieces = [piece for piece in pieces if piece[0] >= look]
        got += live.cut(reader(3000), look, ended=False)
    live.marks.extend(gap_at(first, n, RATE, reason) for first, n, reason in pieces if n)
    got += live.cut(reader(3000), 3000, ended=True)
    assert shape(got) == expected
    ends = [packet.end_ns for packet in got]
    assert ends == sorted(ends)
