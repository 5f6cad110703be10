import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.edge import Aborted, Inbox
from pipeline.packets import Gap, Packet
from pipeline.stage import END_NS
from tests.pipeline.sample_stages import Number


def number(end_ns: int, value: int = 0, duration_ns: int = 1) -> Number:
    return Number(pts_ns=max(0, end_ns - duration_ns), duration_ns=min(duration_ns, end_ns), value=value)


def drain(inbox: Inbox) -> list[tuple[str, Packet]]:
    rows: list[tuple[str, Packet]] = []
    told = 0
    while (taken := inbox.take(told)) is not None:
        if isinstance(taken, int):
            assert taken > told
            told = taken
        else:
            port, packets = taken
            rows += [(port, packet) for packet in packets]
    return rows


streams = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(st.integers(1, 30), max_size=12).map(sorted), min_size=1)


@given(streams, st.integers(0, 2**32 - 1))
def test_the_merge_is_by_end_then_name_however_the_threads_run(ends: dict[str, list[int]], seed: int) -> None:
    inbox = Inbox({port: (2, "block") for port in ends})

    def produce(port: str) -> None:
        for index, end in enumerate(ends[port]):
            if (seed >> index) & 1:
                inbox.promise(port, end)
            inbox.put(port, number(end, index))
        inbox.close(port)

    threads = [threading.Thread(target=produce, args=(port,)) for port in ends]
    for thread in threads:
        thread.start()
    rows = drain(inbox)
    for thread in threads:
        thread.join()
    expected = sorted((end, port, index) for port, items in ends.items() for index, end in enumerate(items))
    assert [(p.end_ns, port, p.value) for port, p in rows if isinstance(p, Number)] == expected


@given(st.lists(st.sampled_from(["put", "take"]), max_size=60), st.integers(1, 5), st.sampled_from(["drop_oldest", "drop_newest"]))
def test_a_dropping_edge_is_bounded_and_every_loss_is_counted_and_marked(steps: list[str], queue: int, policy: str) -> None:
    lost: list[Packet] = []
    inbox = Inbox({"a": (queue, policy)}, lambda _, packet: lost.append(packet))
    got: list[Packet] = []
    n_put = 0
    told = 0
    for step in steps:
        if step == "put":
            n_put += 1
            inbox.put("a", number(10 * n_put, n_put, 10))
        elif inbox.n_waiting():
            taken = inbox.take(told)
            if isinstance(taken, tuple):
                got += taken[1]
            elif taken is not None:
                told = taken
    inbox.close("a")
    got += [packet for _, packet in drain(inbox)]
    numbers = [packet.value for packet in got if isinstance(packet, Number)]
    gaps = [packet for packet in got if isinstance(packet, Gap)]
    assert len(numbers) + len(lost) == n_put
    assert sorted(numbers + [p.value for p in lost if isinstance(p, Number)]) == list(range(1, n_put + 1))
    missing = {start for gap in gaps for start in range(gap.pts_ns, gap.end_ns, 10)}
    assert missing == {packet.pts_ns for packet in lost}
    assert all(gap.reason == "dropped" for gap in gaps)
    assert sum(packet.duration_ns for packet in got) == 10 * n_put
    assert [packet.end_ns for packet in got] == sorted(packet.end_ns for packet in got)


def test_a_stalled_stage_piles_up_one_gap_and_not_many() -> None:
    for policy in ("drop_oldest", "drop_newest"):
        inbox = Inbox({"a": (2, policy)})
        for index in range(1, 1000):
            inbox.put("a", number(10 * index, index, 10))
        assert inbox.n_waiting() == 3


def test_a_full_queue_blocks_its_producer_until_something_is_taken() -> None:
    inbox = Inbox({"a": (1, "block")})
    inbox.put("a", number(1))
    blocked = threading.Thread(target=inbox.put, args=("a", number(2)))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    assert inbox.take(0) == ("a", [number(1)])
    blocked.join(5)
    assert not blocked.is_alive()


def test_a_dense_input_is_taken_in_while_a_sparse_one_is_waited_for() -> None:
    inbox = Inbox({"dense": (1, "block"), "sparse": (1, "block")})
    taken: list[Any] = []
    consumer = threading.Thread(target=lambda: taken.extend(drain(inbox)))
    consumer.start()
    for end in range(1, 50):
        inbox.put("dense", number(end))
    inbox.put("sparse", number(25, 99))
    inbox.close("dense")
    inbox.close("sparse")
    consumer.join(5)
    assert [packet.value for _, packet in taken].index(99) == 25
    assert len(taken) == 50


def test_a_tie_waits_only_for_the_port_whose_name_comes_first() -> None:
    inbox = Inbox({"a": (4, "block"), "b": (4, "block")})
    inbox.put("a", number(10))
    inbox.promise("b", 10)
    assert inbox.take(0) == ("a", [number(10)])
    inbox.put("b", number(20))
    inbox.promise("a", 20)
    assert inbox.take(0) == 20
    inbox.promise("a", 21)
    assert inbox.take(20) == ("b", [number(20)])


def test_watermarks_alone_are_told_and_the_end_is_none() -> None:
    inbox = Inbox({"a": (4, "block")})
    inbox.promise("a", 7)
    assert inbox.take(0) == 7
    assert inbox.passed_ns() == 7
    inbox.close("a")
    assert inbox.take(7) is None
    assert inbox.passed_ns() == END_NS


def test_batches_hold_only_what_may_go_now_and_never_a_gap() -> None:
    inbox = Inbox({"a": (9, "block"), "b": (9, "block")})
    gap = Gap(pts_ns=3, duration_ns=1, reason="unreadable")
    for packet in (number(1), number(2), number(3), gap, number(5), number(9)):
        inbox.put("a", packet)
    inbox.put("b", number(5))
    assert inbox.take(0, 8) == ("a", [number(1), number(2), number(3)])
    assert inbox.take(0, 8) == ("a", [gap])
    assert inbox.take(0, 8) == ("a", [number(5)])
    assert inbox.take(0, 8) == ("b", [number(5)])


def test_abort_lets_every_waiting_thread_go() -> None:
    inbox = Inbox({"a": (1, "block")})
    inbox.put("a", number(1))
    caught: list[bool] = []

    def produce() -> None:
        try:
            inbox.put("a", number(2))
        except Aborted:
            caught.append(True)

    thread = threading.Thread(target=produce)
    thread.start()
    inbox.abort()
    thread.join(5)
    assert caught == [True]
    with pytest.raises(Aborted):
        inbox.take(0)
