"""What `make demo` shows: a recorded room through the whole graph, and three questions to it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from pipeline.app import listing, times
from pipeline.app.console import say
from pipeline.app.demo_screen import show
from pipeline.app.failures import CallerError
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import recall_to_ask
from pipeline.app.replay import ReplayOptions, replay_source

ROOM = Path("tools/demo/room.flac")
ARRAY = "uma8"
CONFIG = "configs/replay.yaml"
QUESTIONS = (
    "What did I miss while I was following the conversation about dogs?",
    "When does the ferry leave?",
    "Who won the football match?",
)
_WIDTH = 140


def run_demo(memory: Path) -> None:
    """Replay the demo's room into a memory (once) and print what came of it. Raises CallerError outside of a checkout."""
    room = Path(__file__).parents[2] / ROOM
    if not room.is_file():
        raise CallerError(f"{room}: the demo's recording is not there; run the demo in a checkout of Echoic (`make demo`)")
    say(f"a table, a ring of 7 microphones, four voices, two conversations at once: {ROOM}")
    replay_source(str(room), memory, ReplayOptions(config=CONFIG, array=ARRAY))
    with recall_to_ask(directory_to_read(memory)) as (recall, long_term, _):
        row = long_term.sessions()[-1]
        answers = [recall.ask(question, at=None, now=times.now()).to_json() for question in QUESTIONS]
        tracks, events = listing.tracks(long_term, row.id), listing.events(long_term, row.id, "event")
        starts = {session.id: session.started_at for session in long_term.sessions()}
    console = Console()
    wide = console if console.width >= _WIDTH else Console(width=_WIDTH) if not console.is_terminal else console
    show(wide, tracks, events, row.duration_ns / 1e9, answers, starts, memory)
    say(f'ask more: .venv/bin/echoic ask "How much was one ticket?" --memory {memory}')


if __name__ == "__main__":
    import sys

    from pipeline.app.cli import main

    main(["demo", *sys.argv[1:]])
