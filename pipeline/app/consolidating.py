"""`echoic consolidate`: a memory sleeps now, by this process or by the daemon that holds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.app import times
from pipeline.app.console import bar, result, result_json, say
from pipeline.app.daemon_file import DaemonFile, call, running_daemon
from pipeline.app.failures import INTERRUPTED, CallerError, WorkError
from pipeline.app.graph_choice import choose_graph, for_writing, need_weights
from pipeline.app.hearing import Stop, stop_on_signals
from pipeline.app.memory_directory import MemoryDirectory, directory_to_read
from pipeline.app.open_memory import live_memory, started
from pipeline.app.sleeping import sleeper_among, sleeper_of
from pipeline.build import build_resources
from stages.memory.sleeping.sleep import Slept, sleep
from stages.memory.tables.row_writer import utc_ns


class SleepCutShortError(WorkError):
    """Ctrl-C or SIGTERM came before everything was done."""

    exit_code = INTERRUPTED


def consolidate(directory: Path, config: str | None, as_json: bool) -> None:
    """Let a memory sleep until nothing is left to do. Raises CallerError, SleepCutShortError, and what the memory raises."""
    memory = directory_to_read(directory)
    if not memory.is_memory:
        raise CallerError(f"--memory {directory}: nothing was heard in it yet, so there is nothing to consolidate")
    with stop_on_signals() as stop, bar(f"consolidating {directory}", 0, "items") as progress:
        done: dict[str, int] = {}

        def told(name: str, n_items: int) -> None:
            done[name] = n_items
            progress.update(sum(done.values()), name)

        daemon = running_daemon(memory)
        slept = _by_daemon(daemon, stop, told) if daemon is not None else _here(memory, config, stop, told)
    for name, n_items in slept.done.items():
        if not as_json:
            result(f"{name}: {n_items}")
    if as_json:
        result_json({"done": slept.done, "finished": slept.finished})
    if not slept.finished and stop.asked:
        raise SleepCutShortError(f"stopped after {slept.n_items} items, which are kept; the same command goes on from there")
    if not slept.finished:
        say("some of it is left for the next sleep")


def _here(memory: MemoryDirectory, config: str | None, stop: Stop, told: Callable[[str, int], None]) -> Slept:
    graph, roles = for_writing(choose_graph(config, memory), memory, "", record=False)
    name, plain = sleeper_of(graph)
    need_weights(graph)
    with started(build_resources(graph, only=[roles.memory, *([name] if name else [])])) as resources:
        sleeper = sleeper_among(resources, name, plain)
        long_term = live_memory(resources, roles)
        steps = sleeper.steps(at_once=True)
        slept = sleep(long_term, steps, utc_ns(times.now()), items=sleeper.items, go_on=lambda: not stop.asked, told=told)
        if slept.finished:
            long_term.tend_index()
    return slept


def _by_daemon(daemon: DaemonFile, stop: Stop, told: Callable[[str, int], None]) -> Slept:
    """Ask for one round after another: each is short, so that the daemon can listen and be stopped."""
    say(f"the daemon (process {daemon.pid}) holds this memory and does it")
    done: dict[str, int] = {}
    while True:
        answer: dict[str, Any] = call(daemon, "POST", "/consolidate", {})
        for name, n_items in answer["done"].items():
            done[name] = done.get(name, 0) + int(n_items)
            told(name, done[name])
        if answer["finished"] or stop.asked or not any(answer["done"].values()):
            return Slept(done, bool(answer["finished"]))
