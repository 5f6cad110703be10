"""`echoic import` and `echoic export`: transcripts into a memory and out of it."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pipeline.app import times
from pipeline.app.console import bar, result, say, shown
from pipeline.app.failures import CallerError
from pipeline.app.graph_choice import choose_graph, for_writing, keep_first_graph, keep_graph
from pipeline.app.memory_directory import directory_to_read, directory_to_write
from pipeline.app.open_memory import known_session, live_memory, memory_to_read, moment_of, started
from pipeline.build import build_resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.app.console import Bar


def import_transcript(file: Path, directory: Path, config: str | None, started_at: str | None) -> None:
    """Take a transcript in as a session, and print its id. Raises CallerError, TranscriptFileError."""
    from stages.memory import transcript_files
    from stages.memory.transcript_parser import read_transcript

    memory = directory_to_write(directory)
    spoken = read_transcript(file)
    began = times.parse_moment(started_at, "--started-at") if started_at else datetime.fromtimestamp(file.stat().st_mtime).astimezone()
    graph, roles = for_writing(choose_graph(config, memory), memory, "", record=False)
    keep_first_graph(graph, memory, roles)
    with started(build_resources(graph, only=[roles.memory])) as resources:
        long_term = live_memory(resources, roles)
        keep_graph(graph, memory, roles)
        with bar(f"importing {file.name}", len(spoken), "lines") as progress:
            report = transcript_files.import_transcript(file, long_term, long_term.encoder, began, _told(progress), spoken=spoken)
        kept = long_term.session_row(report.session).started_at
    if report.n_added == 0:
        say(f"{file} is in the memory already, as session {report.session}; nothing to do")
    else:
        say(f"{file}: {report.n_added} lines of {report.n_lines}, {report.n_events} events")
    if started_at and kept != began:
        say(f"session {report.session} was begun before and keeps its start, {kept.isoformat()}; --started-at {started_at} changes nothing")
    result(report.session)


def export_transcript(session: str, directory: Path, form: str, copies: bool, at: str | None = None) -> None:
    """Print a session's transcript, or where its tracks were. Raises CallerError."""
    from stages.memory.transcript_files import ExportFormat, export_session

    known: dict[str, ExportFormat] = {name: name for name in get_args(ExportFormat)}
    if form not in known:
        raise CallerError(f"--format {form}: allowed are {', '.join(known)}")
    with memory_to_read(directory_to_read(directory)) as memory:
        chosen = known_session(memory, session)
        for line in export_session(memory, chosen, known[form], copies, at=moment_of(memory, at, chosen)):
            sys.stdout.write(f"{shown(line)}\n")


def _told(progress: Bar) -> Callable[[int, int], None]:
    return lambda done, _: progress.update(done)
