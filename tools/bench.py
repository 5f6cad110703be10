"""`make bench`: what the demo's room costs, measured through the public commands and printed as Markdown for BENCHMARKS.md.

    python -m tools.bench [--no-long] [--no-live] [--config configs/replay.yaml] [--work DIR]

On a machine that does other things at the same time the figures mean little; the load before and after is printed beside them.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import soundfile
import typer

from tools.bench_live import LiveFigures, measure_live
from tools.bench_questions import QUESTIONS
from tools.bench_replay import percentiles_ms

ROOM = Path("tools/demo/room.flac")
ARRAY = "uma8"
N_TIMES = 10
N_COLD = 5
LOOK_EVERY_S = 0.02
MIB = 1024 * 1024


@dataclass(frozen=True)
class Timed:
    """A command from outside: its time, the most memory it held at once, and what it held when."""

    wall_s: float
    peak_bytes: int
    resident_bytes: list[int]

    def resident_in(self, tenth: int) -> float:
        """The median of what it held during one tenth of its time (0 to 9)."""
        part = self.resident_bytes[len(self.resident_bytes) * tenth // 10 : len(self.resident_bytes) * (tenth + 1) // 10]
        return statistics.median(part or self.resident_bytes or [0])


def timed(command: list[str | Path]) -> Timed:
    """Run a command to its end. Ends the benchmark when it fails."""
    resident: list[int] = []
    peak = 0
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        while True:
            ended = process.poll() is not None
            # Not the peak that wait4 tells: a child begins with what its parent held.
            held = {name: _kib(process.pid, name) for name in ("VmRSS", "VmHWM")}
            if ended or not held["VmRSS"]:
                process.wait()
                break
            resident.append(held["VmRSS"] * 1024)
            peak = max(peak, held["VmHWM"] * 1024)
            time.sleep(LOOK_EVERY_S)
        wall_s = time.perf_counter() - begin
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"{' '.join(map(str, command))} exited with {process.returncode}:\n{errors.read().decode(errors='replace')}")
    return Timed(wall_s, peak, resident)


def _kib(pid: int, name: str) -> int:
    """A figure of a process in KiB, from the kernel; 0 where there is none any more."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0


def long_room(room: Path, target: Path, n_times: int) -> None:
    """Write a recording several times in a row, so that its length grows and nothing else."""
    samples, rate = soundfile.read(room, dtype="int16", always_2d=True)
    with soundfile.SoundFile(target, "w", rate, samples.shape[1], "PCM_16") as file:
        for _ in range(n_times):
            file.write(samples)


def machine() -> str:
    """The processor, how many of its cores may be used, and the memory."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {total:.0f} GiB, Python {platform.python_version()}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; numbers to the right."""
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(['---', *['---:'] * (len(head) - 1)])}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def stage_table(figures: dict[str, Any]) -> str:
    """Where the time went, by stage."""
    busy_s = sum(row["busy_s"] for row in figures["stages"])
    head = ["stage", "packets", "busy s", "share", "p50 ms", "p95 ms", "p99 ms", "dropped"]
    rows = [
        [row["stage"], str(row["n_in"]), f"{row['busy_s']:.2f}", f"{row['busy_s'] / busy_s:.1%}"]
        + [f"{row[key]:.2f}" for key in ("p50_ms", "p95_ms", "p99_ms")]
        + [str(row["dropped"])]
        for row in figures["stages"]
    ]
    return table(head, rows)


def whole_rows(figures: dict[str, Any], outside: Timed) -> list[list[str]]:
    """Speed, efficiency and memory of one replay."""
    wall_s = outside.wall_s
    return [
        ["recording", f"{figures['audio_s']:.1f} s, {figures['utterances_s']:.1f} s in {figures['n_utterances']} utterances"],
        ["replay, models loaded", f"{figures['replay_s']:.1f} s = {figures['audio_s'] / figures['replay_s']:.2f} x real time"],
        ["`echoic replay` from outside, start-up included", f"{wall_s:.1f} s = {figures['audio_s'] / wall_s:.2f} x real time"],
        ["recogniser alone, same utterances", f"{figures['alone_s']:.1f} s"],
        ["efficiency (alone / replay)", f"{figures['alone_s'] / figures['replay_s']:.2f}"],
        ["processor time: replay, recogniser alone", f"{figures['replay_cpu_s']:.1f} s, {figures['alone_cpu_s']:.1f} s"],
        ["question, in process", f"p50 {figures['ask']['p50_ms']:.0f} ms, p95 {figures['ask']['p95_ms']:.0f} ms"],
        ["peak memory of `echoic replay`", f"{outside.peak_bytes / MIB:.0f} MiB"],
    ]


def live_rows(live: LiveFigures) -> list[list[str]]:
    """What the daemon did in real time."""

    def times(values_s: list[float]) -> str:
        figures = percentiles_ms(values_s)
        return f"p50 {figures['p50_ms']:.0f} ms, p95 {figures['p95_ms']:.0f} ms ({len(values_s)})"

    return [
        ["live: end of an utterance until it can be found", times(live.delays_s)],
        ["live: question over HTTP while it hears", times(live.asked_live_s)],
        ["live: question over HTTP in silence", times(live.asked_after_s)],
        ["live: peak memory of the daemon", f"{live.peak_bytes / MIB:.0f} MiB"],
        ["live: SIGTERM until the process has ended", f"{live.stop_s:.2f} s"],
    ]


def bench(
    config: Annotated[str, typer.Option(help="the graph that is measured")] = "configs/replay.yaml",
    long: Annotated[bool, typer.Option(help="also a recording ten times as long")] = True,
    live: Annotated[bool, typer.Option(help="also the daemon in real time")] = True,
    work: Annotated[Path | None, typer.Option(help="where memories are kept (default: a folder that goes away)")] = None,
) -> None:
    """Measure, and print Markdown."""
    with tempfile.TemporaryDirectory(prefix="echoic-bench-") as folder:
        measure(config, long, live, work or Path(folder))


def measure(config: str, long: bool, live: bool, work: Path) -> None:
    """All of it; tables are printed as soon as they are there."""
    work.mkdir(parents=True, exist_ok=True)
    echoic = Path(sys.executable).with_name("echoic")
    load = os.getloadavg()[0]
    typer.echo(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · `python -m tools.bench --config {config}` · {machine()} · load before {load:.1f}\n"
    )
    child = [sys.executable, "-m", "tools.bench_replay", str(ROOM), ARRAY, str(work / "measured"), config]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as the command sets it for itself
    figures: dict[str, Any] = json.loads(
        subprocess.run(child, check=True, capture_output=True, text=True, env=environment).stdout.splitlines()[-1]
    )
    typer.echo(stage_table(figures) + "\n")
    replay: list[str | Path] = [echoic, "replay", ROOM, "--array", ARRAY, "--config", config, "--memory", work / "plain"]
    once = timed(replay)
    rows = whole_rows(figures, once)
    cold_s = [timed([echoic, "ask", question, "--memory", work / "plain", "--json"]).wall_s for question in QUESTIONS[:N_COLD]]
    rows.append(["`echoic ask`, cold start", f"median {statistics.median(cold_s):.2f} s, worst {max(cold_s):.2f} s ({len(cold_s)})"])
    if live:
        rows += live_rows(measure_live(echoic, ROOM, ARRAY, figures["audio_s"], work))
    if long:
        long_room(ROOM, work / "long.flac", N_TIMES)
        more = timed([echoic, "replay", work / "long.flac", "--array", ARRAY, "--config", config, "--memory", work / "longer"])
        speed = N_TIMES * figures["audio_s"] / more.wall_s
        first, last = more.resident_in(1), more.resident_in(9)
        rows += [
            [f"{N_TIMES} times as long: `echoic replay`", f"{more.wall_s:.1f} s = {speed:.2f} x real time"],
            [f"{N_TIMES} times as long: peak memory", f"{more.peak_bytes / MIB:.0f} MiB = {more.peak_bytes / once.peak_bytes:.2f} x"],
            [f"{N_TIMES} times as long: memory held in the second and last tenth", f"{first / MIB:.0f} and {last / MIB:.0f} MiB"],
        ]
    typer.echo(table(["whole", "figure"], rows))
    typer.echo(f"\nload after {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    typer.run(bench)
