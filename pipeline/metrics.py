"""What a running graph measures: counts, busy time and packet times per stage, drops per edge. Read by `/metrics` and the benchmark."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pipeline.packets import Packet, seconds

_LOG = logging.getLogger("echoic.graph")
_MOST_DURATIONS = 200_000
_LOG_EVERY_S = 1.0


@dataclass
class StageFigures:
    """What one stage did: durations are seconds of the latest packets, `busy_s` counts its own work and not its waiting."""

    counted_in: Counter
    counted_out: Counter
    seconds: Histogram
    position: Gauge
    queue: Gauge
    n_in: int = 0
    n_out: int = 0
    busy_s: float = 0.0
    durations_s: deque[float] = field(default_factory=lambda: deque(maxlen=_MOST_DURATIONS))


class Metrics:
    """The figures of one graph, in a Prometheus registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.stages: dict[str, StageFigures] = {}
        self.dropped: dict[str, int] = {}
        self._lock = threading.Lock()
        self._logged_at = 0.0
        self._packets = Counter("echoic_packets", "Packets taken in", ["stage"], registry=self.registry)
        self._emitted = Counter("echoic_packets_emitted", "Packets given out", ["stage"], registry=self.registry)
        self._seconds = Histogram(
            "echoic_packet_seconds",
            "Work per packet",
            ["stage"],
            registry=self.registry,
            buckets=(0.0005, 0.002, 0.01, 0.05, 0.2, 1.0, 5.0, 30.0),
        )
        self._drops = Counter("echoic_packets_dropped", "Packets lost on an edge that may drop", ["edge"], registry=self.registry)
        self._position = Gauge("echoic_position_seconds", "Session time that a stage has passed", ["stage"], registry=self.registry)
        self._queue = Gauge("echoic_queue_packets", "Packets that wait for a stage", ["stage"], registry=self.registry)
        self._lag = Gauge("echoic_lag_seconds", "How far the memory is behind the recording", registry=self.registry)
        self._used = Gauge("echoic_store_bytes", "What a store of the memory takes", ["store"], registry=self.registry)
        self._bound = Gauge(
            "echoic_store_bound_bytes", "What a store of the memory may take, 0: no bound", ["store"], registry=self.registry
        )

    def add_stage(self, name: str) -> None:
        """Make a stage's figures known before it works."""
        with self._lock:
            if name not in self.stages:
                self.stages[name] = StageFigures(
                    self._packets.labels(name),
                    self._emitted.labels(name),
                    self._seconds.labels(name),
                    self._position.labels(name),
                    self._queue.labels(name),
                )

    @contextmanager
    def work(self, stage: str, n_packets: int = 1) -> Iterator[Work]:
        """Time one piece of work; waiting that the caller reports to `Work.waited` does not count."""
        work = Work()
        begin = time.perf_counter()
        try:
            yield work
        finally:
            spent = max(0.0, time.perf_counter() - begin - work.waited_s)
            figures = self.stages[stage]
            figures.n_in += n_packets
            figures.n_out += work.n_out
            figures.busy_s += spent
            figures.durations_s.append(spent / max(1, n_packets))
            figures.counted_in.inc(n_packets)
            figures.counted_out.inc(work.n_out)
            figures.seconds.observe(spent / max(1, n_packets))

    @staticmethod
    @contextmanager
    def waiting(work: Work) -> Iterator[None]:
        """Time that the stage spends blocked on a full queue."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            work.waited_s += time.perf_counter() - begin

    def drop(self, edge: str, packet: Packet) -> None:
        """Count a lost packet; logged at most once a second."""
        with self._lock:
            self.dropped[edge] = self.dropped.get(edge, 0) + 1
            due = time.monotonic() - self._logged_at >= _LOG_EVERY_S
            if due:
                self._logged_at = time.monotonic()
        self._drops.labels(edge).inc()
        if due:
            _LOG.warning("%s is full: %d packets lost so far, the last at %.2f s", edge, self.dropped[edge], seconds(packet.pts_ns))

    def position(self, stage: str, passed_ns: int, n_waiting: int) -> None:
        """How far a stage has come, and what waits for it."""
        self.stages[stage].position.set(seconds(passed_ns))
        self.stages[stage].queue.set(n_waiting)

    def lag(self, lag_ns: int) -> None:
        """How far the memory is behind the recording."""
        self._lag.set(seconds(lag_ns))

    def store(self, name: str, used_bytes: int, bound_bytes: int) -> None:
        """What a store of the memory takes, and may take."""
        self._used.labels(name).set(used_bytes)
        self._bound.labels(name).set(bound_bytes)

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)


@dataclass
class Work:
    """One piece of work while it is being timed."""

    n_out: int = 0
    waited_s: float = 0.0
