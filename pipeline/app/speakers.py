"""`echoic speakers`: the people of a memory, listed and put right. A correction holds for everything they ever said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.app.console import result, result_json
from pipeline.app.failures import CallerError
from pipeline.app.graph_choice import choose_graph, for_reading
from pipeline.app.listing import print_rows
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import memory_to_read, moment_of
from pipeline.build import build_resources
from stages.memory.tables.row_writer import utc_ns

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory
    from stages.memory.people.speaker_rows import SpeakerRow

_COLUMNS = {"id": "speaker", "name": "name", "n_lines": "lines", "speech_s": "spoke", "sessions": "sessions"}


def speaker_json(row: SpeakerRow) -> dict[str, Any]:
    """One speaker as `speakers --json` lists them."""
    return {
        "id": row.id,
        "name": row.name,
        "named": row.given,
        "n_lines": row.n_lines,
        "speech_s": round(row.seconds, 3),
        "sessions": list(row.sessions),
    }


def print_speakers(memory: Path, as_json: bool, at: str | None = None) -> None:
    """`echoic speakers`. Raises CallerError."""
    with memory_to_read(directory_to_read(memory)) as opened:
        moment = moment_of(opened, at, None)
        rows = opened.speakers.rows(None if moment is None else utc_ns(moment))
        print_rows([speaker_json(row) for row in rows], as_json, _COLUMNS)


def rename_speaker(memory: Path, speaker: str, name: str, as_json: bool) -> None:
    """`echoic speakers rename`. Raises SpeakerError, MemoryInUse."""
    with memory_to_correct(memory) as opened:
        row = opened.speakers.rename(speaker, name)
    _told(row, f"{row.id} is called {row.name} now, in {_counted(row.n_lines)}", as_json)


def merge_speakers(memory: Path, goes: str, into: str, as_json: bool) -> None:
    """`echoic speakers merge`. Raises SpeakerError, MemoryInUse."""
    with memory_to_correct(memory) as opened:
        row = opened.speakers.merge(goes, into)
    _told(row, f"{goes} is {row.name} ({row.id}) now, who has {_counted(row.n_lines)}", as_json)


def split_speaker(memory: Path, speaker: str, lines: str | None, as_json: bool) -> None:
    """`echoic speakers split`. Raises SpeakerError, MemoryInUse, CallerError."""
    chosen = [line.strip() for line in (lines or "").split(",") if line.strip()]
    if lines is not None and not chosen:
        raise CallerError("--lines: no line is named; give ids as `echoic export` prints them, separated by commas")
    with memory_to_correct(memory) as opened:
        row = opened.speakers.split(speaker, chosen)
    _told(row, f"{row.id} is new, with {_counted(row.n_lines)} that were {speaker}'s", as_json)


@contextmanager
def memory_to_correct(memory: Path, why: str = "there is nobody to correct") -> Iterator[LongTermMemory]:
    """The long-term memory alone, open for writing; no model is loaded."""
    from stages.memory.long_term_memory import LongTermMemory

    directory = directory_to_read(memory)
    if not directory.is_memory:
        raise CallerError(f"--memory {memory}: nothing was heard in it yet, so {why}")
    graph, roles = for_reading(choose_graph(None, directory, reading=True), directory)
    built = build_resources(graph, only=[roles.memory])[roles.memory]
    if not isinstance(built, LongTermMemory):
        raise CallerError(f"{graph.where}: {roles.memory} is a {type(built).__name__}, but a LongTermMemory is needed")
    opened = LongTermMemory(built.encoder, built.directory, built.index)
    try:
        opened.start()
        yield opened
    finally:
        opened.stop()


def _told(row: SpeakerRow, text: str, as_json: bool) -> None:
    if as_json:
        result_json(speaker_json(row))
    else:
        result(text)


def _counted(n_lines: int) -> str:
    return "1 line" if n_lines == 1 else f"{n_lines} lines"
