import threading
import time

import pytest

from pipeline.build import build, build_resources
from pipeline.graph import load_graph
from pipeline.metrics import Metrics
from pipeline.placement import PlacementError, check_budget, free_bytes, resolve_device
from pipeline.runner import Runner, StageFailedError
from tests.pipeline.hindsight_stages import SumSink
from tests.pipeline.sample_stages import Batcher, Counter, Join, Journal, Sink

ROOT = "tests.pipeline.sample_stages"
LATE = "tests.pipeline.hindsight_stages"
JOINED = f"""
extra_roots: [tests]
resources:
  journal: {{use: {ROOT}.Journal}}
stages:
  count: {{use: {ROOT}.Counter, n: 300}}
  thin: {{use: {ROOT}.Sparse, every: 7, hold: 40, in: {{number: {{from: count.numbers, queue: 2}}}}}}
  join: {{use: {ROOT}.Join, journal: journal, in: {{dense: {{from: count.numbers, queue: 1}}, sparse: thin.numbers}}}}
"""


def chain(middle: str = "", origin: str = "count", settings: str = "", edge: str = "") -> str:
    return f"""
extra_roots: [tests]
stages:
  count: {{use: {ROOT}.Counter, {settings or "n: 50"}}}
  {middle}
  sink: {{use: {ROOT}.Sink, in: {{number: {edge or f"{origin}.numbers"}}}}}
"""


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("echoic-")}


def test_a_join_of_dense_and_late_sparse_is_the_same_in_every_run() -> None:
    runs = []
    for _ in range(5):
        made = build(load_graph("t", text=JOINED))
        Runner(made, replay=True).run()
        journal, join = made.resources["journal"], made.stages["join"]
        assert isinstance(journal, Journal)
        assert isinstance(join, Join)
        assert join.passed == sorted(set(join.passed))
        assert not journal.open
        runs.append(journal.entries)
    expected = []
    for index in range(300):
        expected += [f"dense {index}"] + ([f"sparse {index}"] if index % 7 == 0 else [])
    assert runs == [expected] * 5
    assert threads() == set()


def test_a_batching_stage_gets_what_waits_and_keeps_the_order() -> None:
    made = build(load_graph("t", text=chain(f"middle: {{use: {ROOT}.Batcher, in: {{number: count.numbers}}}}", "middle")))
    Runner(made, replay=True).run()
    sink, middle = made.stages["sink"], made.stages["middle"]
    assert isinstance(sink, Sink)
    assert isinstance(middle, Batcher)
    assert sink.seen == [2 * index for index in range(50)]
    assert sum(middle.sizes) == 50
    assert max(middle.sizes) <= 4


def test_a_gap_passes_every_stage_in_its_place() -> None:
    made = build(
        load_graph(
            "t",
            text=chain(f"middle: {{use: {ROOT}.Sparse, every: 1, hold: 3, in: {{number: count.numbers}}}}", "middle", "n: 9, gap_at: 4"),
        )
    )
    Runner(made, replay=True).run()
    sink = made.stages["sink"]
    assert isinstance(sink, Sink)
    assert sink.seen == [0, 1, 2, 3, 5, 6, 7, 8]
    assert [(gap.pts_ns, gap.end_ns, gap.reason) for gap in sink.gaps] == [(40, 50, "unreadable")]
    assert sink.ended


def test_a_stage_that_raises_ends_the_graph_and_is_named_with_its_packet() -> None:
    made = build(load_graph("t", text=chain(settings="endless: true"), settings={"sink.fail_at": 7}))
    runner = Runner(made, replay=True)
    with pytest.raises(StageFailedError) as caught:
        runner.run()
    assert str(caught.value) == (
        "stage 'sink' failed on number Number 0.000 to 0.000 s: ValueError: cannot count to 7. "
        "The graph has stopped; the recording is whole, and the same command goes on from where the memory stands."
    )
    assert caught.value.stage == "sink"
    sink = made.stages["sink"]
    assert isinstance(sink, Sink)
    assert sink.seen == [0, 1, 2, 3, 4, 5, 6]
    assert not sink.ended
    assert sink.stopped == 1
    assert threads() == set()


def test_what_a_source_captured_before_it_died_reaches_the_sinks_but_the_stream_is_not_called_whole() -> None:
    middle = f"middle: {{use: {ROOT}.Sparse, every: 1, hold: 3, in: {{number: count.numbers}}}}"
    made = build(load_graph("t", text=chain(middle, "middle", "n: 50, dies_at: 22")))
    with pytest.raises(StageFailedError, match=r"stage 'count' failed after 0.000 s: OSError: the cable was pulled"):
        Runner(made, replay=False).run()
    sink = made.stages["sink"]
    assert isinstance(sink, Sink)
    assert sink.seen == list(range(22))
    assert not sink.ended
    assert sink.stopped == 1
    assert threads() == set()


def test_a_stage_that_emits_out_of_order_is_caught() -> None:
    made = build(load_graph("t", text=chain(f"middle: {{use: {ROOT}.Backwards, in: {{number: count.numbers}}}}", "middle")))
    with pytest.raises(StageFailedError, match=r"a stage must emit in the order of the ends"):
        Runner(made, replay=True).run()


def test_stop_lets_everything_captured_flow_through() -> None:
    made = build(load_graph("t", text=chain(settings="endless: true")))
    runner = Runner(made, replay=False)
    runner.start()
    sink = made.stages["sink"]
    assert isinstance(sink, Sink)
    deadline = time.monotonic() + 10
    while len(sink.seen) < 100 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert runner.running
    assert all(runner.alive().values())
    assert not runner.wait(0.01)
    runner.stop()
    runner.stop()
    assert runner.wait()
    assert sink.seen == list(range(len(sink.seen)))
    assert len(sink.seen) >= 100
    assert sink.ended


def test_only_a_live_graph_drops_and_it_says_so() -> None:
    text = f"""
extra_roots: [tests]
stages:
  count: {{use: {ROOT}.Counter, n: 2000}}
  middle: {{use: {ROOT}.Batcher, in: {{number: {{from: count.numbers, queue: 1, when_full: drop_newest}}}}}}
  sink: {{use: {ROOT}.Sink, in: {{number: middle.numbers}}}}
"""
    for replay in (True, False):
        made = build(load_graph("t", text=text))
        metrics = Metrics()
        Runner(made, replay=replay, metrics=metrics).run()
        sink = made.stages["sink"]
        assert isinstance(sink, Sink)
        lost = metrics.dropped.get("middle.number", 0)
        assert len(sink.seen) + lost == 2000
        assert sum(gap.duration_ns for gap in sink.gaps) == 10 * lost
        if replay:
            assert lost == 0


def test_metrics_count_every_stage_and_speak_prometheus() -> None:
    metrics = Metrics()
    made = build(load_graph("t", text=chain()))
    runner = Runner(made, replay=True, metrics=metrics)
    runner.run()
    assert {name: (f.n_in, f.n_out) for name, f in metrics.stages.items()} == {"count": (51, 50), "sink": (50, 0)}
    metrics.lag(2_500_000_000)
    text = metrics.text().decode()
    assert 'echoic_packets_total{stage="sink"} 50.0' in text
    assert "echoic_lag_seconds 2.5" in text
    assert runner.passed_ns > 0


def test_what_is_told_in_hindsight_does_not_say_how_far_the_graph_has_heard() -> None:
    adder = f"add: {{use: {LATE}.Adder, in: {{number: count.numbers}}}}\n  sum: {{use: {LATE}.SumSink, in: {{sum: add.sums}}}}"
    made = build(load_graph("t", text=chain(adder, settings="endless: true, step_ns: 100000000")))
    runner = Runner(made, replay=True)
    runner.start()
    deadline = time.monotonic() + 10.0
    while runner.passed_ns < 5_000_000_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    passed_ns = runner.passed_ns
    runner.stop()
    runner.wait()
    total = made.stages["sum"]
    assert isinstance(total, SumSink)
    assert passed_ns >= 5_000_000_000
    assert len(total.seen) == 1


def test_a_start_that_fails_stops_what_had_started() -> None:
    class Broken(Counter):
        """Cannot open its microphone."""

        def start(self) -> None:
            raise OSError("no microphone")

    made = build(load_graph("t", text=JOINED))
    made.stages["count"] = Broken()
    with pytest.raises(OSError, match="no microphone"):
        Runner(made, replay=True).run()
    journal = made.resources["journal"]
    assert isinstance(journal, Journal)
    assert not journal.open
    assert threads() == set()


def test_resources_are_shared_and_can_be_built_alone() -> None:
    graph = load_graph("t", text=JOINED)
    only = build_resources(graph, ["journal"])
    made = build(graph, only)
    join = made.stages["join"]
    assert isinstance(join, Join)
    assert join.journal is only["journal"]


def test_the_memory_budget_is_checked_before_anything_starts() -> None:
    made = build(load_graph("t", text=JOINED, settings={"journal.bytes_needed": 2**62}))
    with pytest.raises(PlacementError, match=r"cpu has \d+ MB free, but the graph needs 4611686018427 MB \(most of it: journal"):
        Runner(made, replay=True).run()
    journal = made.resources["journal"]
    assert isinstance(journal, Journal)
    assert not journal.open


def test_devices() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") in {"cpu", "cuda:0"}
    assert free_bytes("cpu") > 0
    with pytest.raises(PlacementError, match="device 'gpu' is not known; allowed are cpu, cuda:N"):
        resolve_device("gpu")
    with pytest.raises(PlacementError, match="device 'cuda:99' is not there: this machine has"):
        resolve_device("cuda:99")
    check_budget({"a": ("cuda:0", 5), "b": ("cuda:0", 5)}, {"cuda:0": 10})
    with pytest.raises(PlacementError, match="use smaller models or move a stage with device:"):
        check_budget({"a": ("cuda:0", 6), "b": ("cuda:0", 5)}, {"cuda:0": 10})
