"""How the daemon is: what `/healthz` and `/metrics` say, asked from the HTTP threads while the main thread works."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.metrics import Metrics
from pipeline.packets import seconds
from pipeline.runner import Runner

if TYPE_CHECKING:
    from stages.memory.disk.space import StoreUse

STARTING, RECOVERING, OK, STOPPING = "starting", "recovering", "ok", "stopping"


class Health:
    """The daemon's state: `status` is starting, recovering (hearing what a crash left), ok, or stopping."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._lock = threading.Lock()
        self._status = STARTING
        self._session = ""
        self._started_at: datetime | None = None
        self._runner: Runner | None = None
        self._recording: Any = None
        self._stores: Callable[[], list[StoreUse]] = list

    def watches(self, stores: Callable[[], list[StoreUse]]) -> None:
        """Show the stores of a memory as they were last measured."""
        with self._lock:
            self._stores = stores

    def is_now(self, status: str) -> None:
        """Change the status."""
        with self._lock:
            self._status = status

    def listens_to(self, session: str, started_at: datetime, runner: Runner, recording: Any) -> None:
        """The live session runs."""
        with self._lock:
            self._session, self._started_at, self._runner, self._recording = session, started_at, runner, recording
            self._status = OK

    def figures(self) -> tuple[float, float]:
        """How many seconds are recorded, and how many of them have been heard through the whole graph."""
        with self._lock:
            runner, recording = self._runner, self._recording
        if runner is None:
            return 0.0, 0.0
        recorded_ns = getattr(recording, "duration_ns", 0) or runner.passed_ns
        return seconds(recorded_ns), seconds(min(runner.passed_ns, recorded_ns))

    def tick(self) -> None:
        """Bring the lag and the stores up to date for Prometheus."""
        recorded_s, heard_s = self.figures()
        self.metrics.lag(round((recorded_s - heard_s) * 1e9))
        for store in (*self._stores(), *self._in_ram()):
            self.metrics.store(store.store, store.used_bytes, store.bound_bytes)

    def _in_ram(self) -> list[StoreUse]:
        """The stores that live in RAM while a session runs: the ring of the recording, and short-term memory."""
        from stages.capture.recording import Recording
        from stages.memory.disk.space import StoreUse
        from stages.memory.remember import Remember

        with self._lock:
            runner, recording = self._runner, self._recording
        found = []
        if isinstance(recording, Recording):
            found.append(StoreUse("sensory", "ram", recording.ring_used_bytes(), recording.memory_bytes()))
        if runner is not None:
            nodes = runner.build.graph.nodes
            found += [
                StoreUse("short_term", "ram", stage.short_term_used_bytes(), nodes[name].settings["short_term_bytes"])
                for name, stage in runner.build.stages.items()
                if isinstance(stage, Remember)
            ]
        return found

    def report(self) -> dict[str, Any]:
        """The JSON of `/healthz`."""
        recorded_s, heard_s = self.figures()
        with self._lock:
            runner, started_at = self._runner, self._started_at
            stages = runner.alive() if runner is not None else {}
            # A stage whose thread has ended takes the graph with it: its source ended, or it failed.
            status = STOPPING if self._status == OK and not all(stages.values()) else self._status
            return {
                "status": status,
                "pid": os.getpid(),
                "session": self._session or None,
                "recorded_s": round(recorded_s, 3),
                "heard_until_s": round(heard_s, 3),
                "heard_until": (started_at + timedelta(seconds=heard_s)).isoformat() if started_at else None,
                "lag_s": round(recorded_s - heard_s, 3),
                "over_bounds": [store.store for store in self._stores() if store.is_over],
                "stages": stages,
            }

    def metrics_text(self) -> bytes:
        """Everything in Prometheus's text format."""
        self.tick()
        return self.metrics.text()
