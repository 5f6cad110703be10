"""Recalls on their way to the writer: whoever answers a question appends them to a file, and sleep takes them up.

An answer must not wait for a transaction, and a reader may make none. A recall that is lost, because the power went or the file was
full, costs a line a little strength.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from stages.memory.tables.line_checks import is_moment, is_text

FOLDER = "recalled"
_FILE = "waiting.jsonl"
_TAKEN = "taken.jsonl"
_MOST_BYTES = 2**20
_MOST_LINES = 50


def append(root: Path, line_ids: Sequence[str], at_ns: int) -> bool:
    """Note that lines were recalled at a moment; False where too many wait already. Raises OSError."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    entry = json.dumps({"at_ns": at_ns, "lines": list(line_ids[:_MOST_LINES])}, ensure_ascii=True) + "\n"
    file = os.open(folder / _FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(file).st_size + len(entry) > _MOST_BYTES:
            return False
        os.write(file, entry.encode())
    finally:
        os.close(file)
    return True


def take(root: Path) -> Path | None:
    """The file that the writer has to take up next, None where there is none; what is appended from now on goes to another."""
    waiting, taken = root / FOLDER / _FILE, root / FOLDER / _TAKEN
    if taken.is_file():
        return taken
    if not waiting.is_file():
        return None
    return waiting.rename(taken)


def entries(path: Path, from_byte: int, limit: int) -> list[tuple[int, list[str], int]]:
    """At most `limit` recalls from a byte on, as (moment, line ids, byte after it).

    What is torn, damaged or no recall has no line ids: a moment outside the years 1900 to 2199, and an id that is no text, are no recall.
    """
    found: list[tuple[int, list[str], int]] = []
    with path.open("rb") as file:
        file.seek(from_byte)
        for raw in file:
            from_byte += len(raw)
            found.append((*_recall(raw), from_byte))
            if len(found) == limit:
                break
    return found


def drop(root: Path) -> int:
    """Remove every file of recalls, as when some of their lines are erased; how many."""
    folder = root / FOLDER
    files = list(folder.iterdir()) if folder.is_dir() else []
    for path in files:
        path.unlink()
    return len(files)


def _recall(raw: bytes) -> tuple[int, list[str]]:
    try:
        entry = json.loads(raw)
        at_ns, lines = entry["at_ns"], entry["lines"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0, []
    if not isinstance(at_ns, int) or isinstance(at_ns, bool) or not is_moment(at_ns):
        return 0, []
    # Damage that reached one id may have reached the others: none of them is believed.
    if not isinstance(lines, list) or not all(isinstance(line, str) and is_text(line) for line in lines):
        return 0, []
    return at_ns, lines
