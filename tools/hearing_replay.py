"""`echoic replay` with a watch on it: python -m tools.hearing_replay FIGURES.json replay SOURCE --memory DIR ...

The command line is run as it is; only its metrics also keep each stage's processor time, which two replays at once do not change.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline import runner
from pipeline.metrics import Metrics, Work

WATCHES: list[WatchedMetrics] = []


class WatchedMetrics(Metrics):
    """Metrics that know each stage's processor time (of its own thread) and that of the whole process while packets flow."""

    def __init__(self) -> None:
        super().__init__()
        self.cpu_s: dict[str, float] = {}
        self.first: tuple[float, float] | None = None
        self.last = (0.0, 0.0)
        WATCHES.append(self)

    @contextmanager
    def work(self, stage: str, n_packets: int = 1) -> Iterator[Work]:
        """Time one piece of work, and its processor time."""
        if self.first is None:
            self.first = (time.perf_counter(), time.process_time())
        begin = time.thread_time()
        try:
            with super().work(stage, n_packets) as work:
                yield work
        finally:
            self.cpu_s[stage] = self.cpu_s.get(stage, 0.0) + time.thread_time() - begin
            self.last = (time.perf_counter(), time.process_time())

    def figures(self) -> dict[str, object]:
        """Processor seconds by stage, and of the whole run from its first packet to its last; and how long that took."""
        first = self.first or self.last
        return {"stages_cpu_s": self.cpu_s, "wall_s": self.last[0] - first[0], "cpu_s": self.last[1] - first[1]}


def main(figures: Path, arguments: list[str]) -> None:
    """Run the command, then write what was measured."""
    from pipeline.app.cli import main as echoic

    # The command gives no way in, and should not need one.
    vars(runner)["Metrics"] = WatchedMetrics
    try:
        echoic(arguments)
    finally:
        if WATCHES:
            figures.write_text(json.dumps(WATCHES[-1].figures()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
