"""`echoic forget`: what is selected is erased from a memory for ever, and a search proves it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.app.console import result, result_json, say
from pipeline.app.failures import CallerError, WorkError
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.memory_examination import amount
from pipeline.app.open_memory import known_session, memory_to_read, start_of
from pipeline.app.speakers import memory_to_correct
from pipeline.app.times import duration, parse_moment
from stages.memory.tables.row_writer import utc_ns

if TYPE_CHECKING:
    from stages.memory.erasing.erasure import Erased, Preview
    from stages.memory.erasing.erasure_plan import Selection
    from stages.memory.long_term_memory import LongTermMemory

_SECTOR = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)")
_STEPS = {
    "noted": "what is to go is written down, so that it also goes if this is cut short",
    "recordings": "erasing the recordings",
    "index": "erasing the indexes",
    "database": "writing the database anew",
    "proof": "searching the memory for what was erased",
}


class StillThereError(WorkError):
    """After erasing something of it was found."""


@dataclass(frozen=True)
class Asked:
    """What to forget, as it was given."""

    begin: str | None = None
    end: str | None = None
    sector: str | None = None
    speaker: str | None = None
    session: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given."""
        return self == Asked()


def forget(directory: Path, asked: Asked, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Erase what fits everything that is asked for. Raises CallerError, StillThereError, and what the memory raises."""
    if asked.is_empty:
        raise CallerError("forget needs to know what: give at least one of --from, --to, --sector A..B, --speaker NAME, --session ID")
    memory = directory_to_read(directory)
    nothing = "there is nothing to forget"
    if not memory.is_memory:
        raise CallerError(f"--memory {directory}: nothing was heard in it yet, so {nothing}")
    if dry_run:
        with memory_to_read(memory) as opened:
            _told(opened.erasures.preview(_selection(opened, asked)), None, as_json)
        return
    if not yes and not sys.stdin.isatty():
        raise CallerError("forget asks before it erases, and here is nobody to ask: look at --dry-run first, then give --yes")
    with memory_to_correct(directory, nothing) as opened:
        preview = opened.erasures.preview(_selection(opened, asked))
        if preview.plan.is_empty:
            _told(preview, None, as_json)
            return
        if not yes and not _agreed(preview):
            say("nothing was erased")
            return
        erased = opened.erasures.erase(preview.plan, lambda step: say(_STEPS[step]) if step in _STEPS else None)
    _told(preview, erased, as_json)
    if not erased.proof.holds:
        raise StillThereError(
            f"of what was to be erased something is left: {'; '.join(erased.proof.left)}. Give the same command again; if it stays, the"
            " files named hold it"
        )


def _selection(memory: LongTermMemory, asked: Asked) -> Selection:
    from stages.memory.erasing.erasure_plan import Selection

    session = None if asked.session is None else known_session(memory, asked.session)
    return Selection(
        from_ns=_moment_ns(memory, asked.begin, "--from", session),
        to_ns=_moment_ns(memory, asked.end, "--to", session),
        sector_deg=None if asked.sector is None else sector_of(asked.sector),
        speaker=None if asked.speaker is None else memory.speakers.find(asked.speaker),
        session=session,
    )


def sector_of(text: str) -> tuple[float, float]:
    """Two bearings in degrees, from A..B. Raises CallerError."""
    found = _SECTOR.fullmatch(text.strip())
    if found is None or not all(-360 <= float(bearing) <= 360 for bearing in found.groups()):
        raise CallerError(f"--sector: found {text!r}; give two bearings in degrees (-360 to 360), counterclockwise: 30..90 or 350..10")
    return float(found.group(1)), float(found.group(2))


def _moment_ns(memory: LongTermMemory, text: str | None, option: str, session: str | None) -> int | None:
    if text is None:
        return None
    if text.startswith("+") and session is None:
        raise CallerError(f"{option}: found {text!r}; seconds count from the start of a session: say which with --session ID")
    return utc_ns(parse_moment(text, option, None if session is None else lambda: start_of(memory, session)))


def _agreed(preview: Preview) -> bool:
    say(_worded(preview))
    for text in preview.examples:
        say(f"    {text[:100]}")
    say("This cannot be undone. Type yes to erase it:")
    return sys.stdin.readline().strip().lower() == "yes"


def _worded(preview: Preview) -> str:
    plan = preview.plan
    if plan.is_empty:
        return "nothing in this memory fits that"
    whole = f", {_counted(len(plan.sessions), 'whole session')}" if plan.sessions else ""
    people = f", and who {', '.join(plan.people)} is" if plan.people else ""
    declared = f", and {_counted(len(plan.attentions), 'declaration')} of what was followed" if plan.attentions else ""
    return (
        f"{_counted(preview.n_lines, 'line')}, {_counted(preview.n_sounds, 'sound')} and {duration(preview.seconds)} of every recording"
        f" channel{whole}{people}{declared}"
    )


def _told(preview: Preview, erased: Erased | None, as_json: bool) -> None:
    if as_json:
        result_json(_json(preview, erased))
        return
    result(
        f"{'would erase' if erased is None and not preview.plan.is_empty else 'erased' if erased else 'erased nothing'}: {_worded(preview)}"
    )
    if erased is None:
        return
    for table, n_rows in erased.rows.items():
        result(f"  {table}: {n_rows}")
    for kind, n_files in erased.files.items():
        result(f"  files of {kind}: {n_files}")
    result(f"  recordings: {duration(erased.recorded_s)}; the memory is {amount(erased.n_bytes)} smaller")
    proof = erased.proof
    if proof.holds:
        result(
            f"proved: nothing of it can be found ({_counted(proof.n_files, 'file')}, {amount(proof.n_bytes)}, searched for"
            f" {_counted(proof.n_texts, 'text')} and {_counted(proof.n_ids, 'id')})"
        )


def _json(preview: Preview, erased: Erased | None) -> dict[str, Any]:
    plan = preview.plan
    row: dict[str, Any] = {
        "erased": erased is not None,
        "lines": preview.n_lines,
        "sounds": preview.n_sounds,
        "seconds": preview.seconds,
        "sessions": list(plan.sessions),
        "people": list(plan.people),
        "spans": {name: [[start / 1e9, end / 1e9] for start, end in spans] for name, spans in plan.spans.items()},
    }
    if erased is None:
        return row
    proof = erased.proof
    return row | {
        "rows": erased.rows,
        "files": erased.files,
        "recorded_s": erased.recorded_s,
        "bytes": erased.n_bytes,
        "proof": {
            "holds": proof.holds,
            "left": proof.left,
            "files": proof.n_files,
            "bytes": proof.n_bytes,
            "texts": proof.n_texts,
            "ids": proof.n_ids,
        },
    }


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"
