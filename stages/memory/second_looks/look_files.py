"""Second looks on the disk: a JSON file a line, which a process that only reads the memory may write too."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pipeline.durable import sync_folder, write_whole
from stages.memory.second_looks.look import Look, LookDamaged

FOLDER = "second_looks"
_SUFFIX = ".json"

_log = logging.getLogger(__name__)


def keep(root: Path, look: Look) -> None:
    """Put a look on the disk, in one step. Raises OSError; then there is none, or the one from before."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    write_whole(folder / f"{look.line}{_SUFFIX}", json.dumps(look.to_json(), ensure_ascii=True).encode())


def kept(root: Path, line: str, text: str) -> Look | None:
    """The look at a line that says `text` in the tables; None where there is none of this text, or what is there is damaged."""
    path = root / FOLDER / f"{line}{_SUFFIX}"
    try:
        look = Look.of_json(json.loads(path.read_bytes()), str(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError, LookDamaged) as error:
        _log.warning("%s cannot be read, so the recording is heard again: %s", path, error)
        return None
    return look if look.line == line and look.first_text == text else None


def remove_strange(root: Path, connection: sqlite3.Connection) -> int:
    """Remove the looks at lines that are gone, and what is no look; how many. Raises OSError."""
    strange = [path for path in _files(root) if not _is_of_a_line(path, connection)]
    for path in strange:
        path.unlink(missing_ok=True)
    if strange:
        sync_folder(root / FOLDER)
    return len(strange)


def lines_looked_at(root: Path) -> list[str]:
    """The ids of the lines of which there is a look."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in _files(root))


def remove(root: Path, line: str) -> None:
    """Remove the look at a line; it may be heard again. Raises OSError."""
    (root / FOLDER / f"{line}{_SUFFIX}").unlink(missing_ok=True)


def _files(root: Path) -> Iterator[Path]:
    folder = root / FOLDER
    return iter(sorted(path for path in folder.iterdir() if path.is_file())) if folder.is_dir() else iter(())


def _is_of_a_line(path: Path, connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT text FROM lines WHERE id = ?", (path.name.removesuffix(_SUFFIX),)).fetchone()
    return row is not None and path.suffix == _SUFFIX and kept(path.parent.parent, path.name.removesuffix(_SUFFIX), row[0]) is not None
