"""Files that are whole or not there at all, also after a power cut."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

_UNFINISHED = ".tmp"


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place in one step: written beside it, synced, renamed, and the folder synced.

    Raises OSError; then `path` is as it was before.
    """
    unfinished = path.with_name(path.name + _UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder (new, renamed, removed files) last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unfinished(folder: Path) -> None:
    """Remove what an interrupted `write_whole` left behind."""
    for path in folder.glob(f"*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything, however little the system takes at a time. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def lock_folder(folder: Path) -> int:
    """Lock a folder for this process; the descriptor holds the lock until it is closed. Raises BlockingIOError where another has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
