"""What `make demo` shows: a recorded room through the whole graph, and three questions to it."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console

from pipeline.app import listing, times
from pipeline.app.console import say
from pipeline.app.daemon_file import running_daemon
from pipeline.app.demo_screen import show
from pipeline.app.failures import CallerError
from pipeline.app.memory_directory import MemoryDirectory, directory_to_read, directory_to_write
from pipeline.app.open_memory import memory_to_read, recall_to_ask
from pipeline.app.replay import ReplayOptions, replay_source

ROOM = Path("tools/demo/room.flac")
ARRAY = "uma8"
CONFIG = "configs/replay.yaml"
QUESTIONS = (
    "What did I miss while I was following the conversation about dogs?",
    "Catch me up in 30 seconds",
    "Who won the football match?",
)
_WIDTH = 120
_MARK = ".demo"


def run_demo(memory: Path) -> None:
    """Hear the demo's room afresh and print what came of it. Raises CallerError outside of a checkout.

    The memory that an earlier demo made is made anew; in any other one the room becomes one more session.
    """
    room = Path(__file__).parents[2] / ROOM
    if not room.is_file():
        raise CallerError(f"{room}: the demo's recording is not there; run the demo in a checkout of Echoic (`make demo`)")
    say(f"a table, a ring of 7 microphones, four voices, two conversations at once: {ROOM}")
    _prepare(directory_to_write(memory))
    session = replay_source(str(room), memory, ReplayOptions(config=CONFIG, array=ARRAY, again=True))
    with recall_to_ask(directory_to_read(memory)) as (recall, long_term, _):
        row = long_term.session_row(session)
        answers = [recall.ask(question, at=None, now=times.now()).to_json() for question in QUESTIONS]
        tracks, events = listing.tracks(long_term, row.id), listing.events(long_term, row.id, "event")
        starts = {session.id: session.started_at for session in long_term.sessions()}
    console = Console()
    show(console if console.is_terminal else Console(width=_WIDTH), tracks, events, row.duration_ns / 1e9, answers, starts, memory)
    say(f'ask more: .venv/bin/echoic ask "How much was one ticket?" --memory {memory}')


def _prepare(memory: MemoryDirectory) -> None:
    """Empty the memory that a demo made and nobody has added to, and mark a new one as the demo's."""
    mark = memory.path / _MARK
    if not memory.path.exists() or memory.is_empty:
        memory.path.mkdir(parents=True, exist_ok=True)
        mark.touch()
    elif mark.is_file() and memory.is_memory and running_daemon(memory) is None and _holds_only_the_room(memory):
        for entry in memory.contents:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _holds_only_the_room(memory: MemoryDirectory) -> bool:
    with memory_to_read(memory) as long_term:
        rows = {row.id: row for row in long_term.sessions()}
    return all(Path(row.source).name == ROOM.name for row in rows.values()) and all(path.name in rows for path in memory.recordings())


if __name__ == "__main__":
    import sys

    from pipeline.app.cli import main

    main(["demo", *sys.argv[1:]])
