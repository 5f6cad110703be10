"""`echoic sounds`: what was heard besides speech, and names for sounds that no class fits."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.app.console import result
from pipeline.app.failures import CallerError
from pipeline.app.graph_choice import choose_graph, for_writing
from pipeline.app.listing import print_rows
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import known_session, live_memory, memory_to_read, moment_of
from pipeline.build import build_resources
from pipeline.packets import seconds

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory
    from stages.memory.sounds.sound_store import SoundRow

SOUND_COLUMNS = {
    "session": "session",
    "start_s": "from",
    "end_s": "to",
    "label": "sound",
    "group": "group",
    "azimuth_deg": "bearing",
}


def sound_json(row: SoundRow) -> dict[str, Any]:
    """One sound as `sounds --json` lists it."""
    return {
        "id": row.id,
        "session": row.session,
        "start_s": seconds(row.start_ns),
        "end_s": seconds(row.end_ns),
        "label": row.label,
        "group": row.group,
        "score": round(row.score, 3),
        "azimuth_deg": row.azimuth_deg,
        "elevation_deg": row.elevation_deg,
    }


def sounds(memory: LongTermMemory, session: str | None, at: datetime | None = None) -> list[dict[str, Any]]:
    """The sounds of a session (none: of all), as of a moment those that had been heard."""
    return [sound_json(row) for row in memory.sounds.rows(session, at=at)]


def print_sounds(memory: Path | None, session: str | None, as_json: bool, at: str | None = None) -> None:
    """`echoic sounds`. Raises CallerError."""
    if memory is None:
        raise CallerError("sounds needs --memory DIR: the memory's directory")
    with memory_to_read(directory_to_read(memory)) as opened:
        chosen = known_session(opened, session) if session else None
        print_rows(sounds(opened, chosen, moment_of(opened, at, chosen)), as_json, SOUND_COLUMNS)


def name_sound(group: str, name: str, memory: Path) -> None:
    """`echoic sounds name`. Raises SoundNameError, MemoryInUse."""
    directory = directory_to_read(memory)
    graph, roles = for_writing(choose_graph(None, directory, reading=True), directory, "", record=False)
    resources = build_resources(graph, only=[roles.memory])
    opened = live_memory(resources, roles)
    # Only the memory is started: a name needs no encoder.
    try:
        opened.start()
        for row in opened.sounds.name(group, name):
            result(f"{row.id} is called {row.name} ({row.n_heard} times heard)")
    finally:
        opened.stop()
