"""Runs a graph: a thread per stage, ordered start, flush and stop, and a clear end when a stage fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

from pipeline.build import Build
from pipeline.edge import Aborted, Inbox
from pipeline.metrics import Metrics, Work
from pipeline.packets import Gap, Packet, seconds
from pipeline.stage import END_NS, Emit, Resource, Source, Stage

# How far a stage's watermark moves before those who read it are told, unless a packet says so anyway.
_PROMISE_STEP_NS = 100_000_000
_LOG = logging.getLogger("echoic.graph")


class StageFailedError(RuntimeError):
    """A stage raised: which one, on which packet, and why. The recording is whole; the graph has stopped."""

    def __init__(self, stage: str, doing: str, cause: BaseException) -> None:
        super().__init__(
            f"stage {stage!r} failed {doing}: {type(cause).__name__}: {cause}. "
            "The graph has stopped; the recording is whole, and the same command goes on from where the memory stands."
        )
        self.stage = stage
        self.cause = cause


class StageOrderError(RuntimeError):
    """A stage broke the contract: a packet ended before an earlier one, or before what the stage had promised."""


class Runner:
    """Runs one build to the end of its sources, or until `stop`.

    With `replay` every edge blocks whatever the YAML says, so that two replays of one session give the same memories.
    Resources that are already started can be kept running with `own_resources=False`.
    """

    def __init__(self, build: Build, *, replay: bool, metrics: Metrics | None = None, own_resources: bool = True) -> None:
        self.build = build
        self.metrics = metrics or Metrics()
        self._own_resources = own_resources
        self._failure: StageFailedError | None = None
        self._lock = threading.Lock()
        self._stopping = False
        self._workers = {name: _Worker(name, stage, self) for name, stage in build.stages.items()}
        for name, node in build.graph.nodes.items():
            self.metrics.add_stage(name)
            if node.edges:
                ports = {port: (edge.queue, "block" if replay else edge.when_full) for port, edge in node.edges.items()}
                self._workers[name].inbox = Inbox(ports, partial(self._dropped, name))
            for port, edge in node.edges.items():
                self._workers[edge.stage].consumers.setdefault(edge.port, []).append((self._workers[name], port))

    def run(self) -> None:
        """Start everything, wait for the end, stop everything. Raises StageFailedError, or what a `start` raised."""
        self.start()
        self.wait()

    def start(self) -> None:
        """Start resources, then stages from the sinks to the sources, then their threads."""
        self.build.check_memory()
        started: list[Stage | Resource] = []
        try:
            if self._own_resources:
                for resource in self.build.resources.values():
                    resource.start()
                    started.append(resource)
            for stage in reversed(self.build.stages.values()):
                stage.start()
                started.append(stage)
        except BaseException:
            for thing in reversed(started):
                thing.stop()
            raise
        for worker in reversed(self._workers.values()):
            worker.thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when it has not come within the time. Raises StageFailedError."""
        for worker in self._workers.values():
            worker.thread.join(timeout_s)
            if worker.thread.is_alive():
                return False
        self._close()
        if self._failure is not None:
            raise self._failure
        return True

    def stop(self) -> None:
        """End the sources; what they captured still flows through to the sinks. May be called from any thread, and twice."""
        with self._lock:
            self._stopping = True
        for name, stage in self.build.stages.items():
            if isinstance(stage, Source):
                _LOG.debug("interrupting %s", name)
                stage.interrupt()

    def abort(self) -> None:
        """Tear the graph down at once; what is still on the way is left to the recording."""
        self.stop()
        for worker in self._workers.values():
            if worker.inbox is not None:
                worker.inbox.abort()
            worker.aborted = True

    @property
    def running(self) -> bool:
        """Whether any thread still works."""
        return any(worker.thread.is_alive() for worker in self._workers.values())

    @property
    def passed_ns(self) -> int:
        """The session time that everything has passed: what ends before it has reached every sink.

        Sinks of packets `in_hindsight` count only where there are no others: an event that is open may stay so through a long silence.
        """
        sinks = [worker for worker in self._workers.values() if not worker.consumers]
        counted = [worker for worker in sinks if not worker.in_hindsight] or sinks
        return min((worker.told_ns for worker in counted), default=0)

    def alive(self) -> dict[str, bool]:
        """Whether each stage's thread still works."""
        return {name: worker.thread.is_alive() for name, worker in self._workers.items()}

    def _dropped(self, stage: str, port: str, packet: Packet) -> None:
        self.metrics.drop(f"{stage}.{port}", packet)

    def _close(self) -> None:
        for stage in self.build.stages.values():
            self._stop_one(stage)
        if self._own_resources:
            for resource in reversed(self.build.resources.values()):
                self._stop_one(resource)

    def _stop_one(self, thing: Stage | Resource) -> None:
        try:
            thing.stop()
        except Exception as error:
            name = type(thing).__name__
            if self._failure is None:
                self._failure = StageFailedError(name, "while it stopped", error)
            _LOG.exception("%s failed while it stopped", name)

    def failed(self, stage: str, doing: str, cause: BaseException, *, abort: bool = True) -> None:
        """Called by a stage's thread: remember the first failure, and end the graph at once unless the rest may still flow."""
        with self._lock:
            first = self._failure is None
            if first:
                self._failure = StageFailedError(stage, doing, cause)
                self._failure.__cause__ = cause
        if abort:
            self.abort()
        else:
            self.stop()


class _Worker:
    """One stage in its thread."""

    def __init__(self, name: str, stage: Stage, runner: Runner) -> None:
        self.name = name
        self.stage = stage
        self.runner = runner
        self.inbox: Inbox | None = None
        self.consumers: dict[str, list[tuple[_Worker, str]]] = {}
        self.thread = threading.Thread(target=self._main, name=f"echoic-{name}")
        self.told_ns = 0
        self.aborted = False
        self._doing = "before its first packet"
        self._last_end: dict[str, int] = {}
        self._promised_ns = 0
        self._gaps: list[Gap] = []
        self._tells = type(stage).on_passed is not Stage.on_passed
        self.in_hindsight = bool(stage.inputs) and all(port.packet.in_hindsight for port in stage.inputs.values())

    def _main(self) -> None:
        try:
            complete = self._pump() if isinstance(self.stage, Source) else self._consume()
            self._doing = "at the end of the stream"
            with self.runner.metrics.work(self.name, 0) as work:
                self._give(self.stage.flush(), work)
            if complete:
                self._tell(END_NS)
            self._hand_on_gaps(END_NS)
            for targets in self.consumers.values():
                for worker, port in targets:
                    if worker.inbox is not None:
                        worker.inbox.close(port, complete=complete)
        except Aborted:
            return
        except BaseException as error:
            self.runner.failed(self.name, self._doing, error)

    def _pump(self) -> bool:
        """Let the source run; whether it came to its end. What a source captured before it died still flows to the sinks."""
        stream = iter(self.stage.packets()) if isinstance(self.stage, Source) else iter(())
        while True:
            with self.runner.metrics.work(self.name) as work:
                try:
                    emit = next(stream, None)
                except Exception as error:  # whatever a source dies of, what it captured is kept
                    self.runner.failed(self.name, f"after {seconds(self.told_ns):.3f} s", error, abort=False)
                    return False
                if emit is None:
                    return True
                self._give((emit,), work)
            self.told_ns = max(self.told_ns, emit.packet.end_ns)
            self._promise(self.told_ns)
            if self.aborted:
                raise Aborted

    def _consume(self) -> bool:
        """Take in everything; whether the inputs came to their ends."""
        inbox = self.inbox
        if inbox is None:
            return True
        metrics = self.runner.metrics
        while (taken := inbox.take(self.told_ns, self.stage.max_batch)) is not None:
            if isinstance(taken, int):
                self._tell(taken)
                continue
            port, packets = taken
            self._doing = f"on {port} {_named(packets[0])}"
            with metrics.work(self.name, len(packets)) as work:
                first = packets[0]
                if isinstance(first, Gap):
                    self._give(self.stage.on_gap(first), work)
                    self._gaps.append(first)
                elif hasattr(self.stage, f"batch_{port}"):
                    self._give(getattr(self.stage, f"batch_{port}")(packets), work)
                else:
                    self._give(getattr(self.stage, f"on_{port}")(first), work)
            passed = inbox.passed_ns()
            if self.told_ns < passed < END_NS:
                self._tell(passed)
        return inbox.complete

    def _tell(self, passed_ns: int) -> None:
        """The inputs have moved on: tell the stage, then promise as much to those who read it."""
        self.told_ns = passed_ns
        if self._tells:
            self._doing = "as time passed"
            with self.runner.metrics.work(self.name, 0) as work:
                self._give(self.stage.on_passed(passed_ns), work)
        if self.inbox is not None and passed_ns < END_NS:
            self.runner.metrics.position(self.name, passed_ns, self.inbox.n_waiting())
            self._promise(passed_ns)

    def _promise(self, passed_ns: int) -> None:
        promised = self.stage.promise(passed_ns)
        if promised - self._promised_ns < _PROMISE_STEP_NS:
            return
        self._promised_ns = promised
        self._hand_on_gaps(promised)
        for targets in self.consumers.values():
            for worker, port in targets:
                if worker.inbox is not None:
                    worker.inbox.promise(port, promised)

    def _hand_on_gaps(self, promised_ns: int) -> None:
        """A gap waits until what the stage still held from before it has left."""
        ready = [gap for gap in self._gaps if gap.end_ns <= promised_ns]
        self._gaps = [gap for gap in self._gaps if gap.end_ns > promised_ns]
        for gap in ready:
            self._give((Emit(out, gap) for out in self.stage.outputs), Work())

    def _give(self, emits: Iterable[Emit[Any]] | None, work: Work) -> None:
        for emit in emits or ():
            packet: Packet = emit.packet
            if not isinstance(packet, Gap):
                self._check(emit.port, packet)
            work.n_out += 1
            with Metrics.waiting(work):
                for worker, port in self.consumers.get(emit.port, ()):
                    if worker.inbox is not None:
                        worker.inbox.put(port, packet)

    def _check(self, port: str, packet: Packet) -> None:
        out = self.stage.outputs.get(port)
        if out is None or not isinstance(packet, out.packet):
            raise StageOrderError(f"{type(packet).__name__} left by {port!r}, which carries {out.packet.__name__ if out else 'nothing'}")
        last = max(self._last_end.get(port, 0), self._promised_ns)
        if packet.end_ns < last:
            raise StageOrderError(
                f"{_named(packet)} left {port!r} after {seconds(last):.3f} s had passed there: a stage must emit in the order of the ends, "
                "and no later than its delay_ns"
            )
        self._last_end[port] = packet.end_ns


def _named(packet: Packet) -> str:
    return f"{type(packet).__name__} {seconds(packet.pts_ns):.3f} to {seconds(packet.end_ns):.3f} s"
