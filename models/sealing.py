"""Sums of files that this machine made of others, so that damage done to them since is known.

As with fetched weights, a file whose size and time are those of its sum is not hashed again, unless a thorough check is asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

SUMS = "sha256sums"
"""The file of a folder with the sums of the others, a line each: sha256, bytes, time of the last change (ns), name."""


def seal(folder: Path) -> None:
    """Write the sums of a folder's files into it. All of it is on the disk when this returns. Raises OSError."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    _write(folder, [_sum_of(path, sha256_of(path)) for path in files])


def is_intact(folder: Path, *, thorough: bool = False) -> bool:
    """Whether a folder's files are still those that were sealed; one without sums never is.

    With `thorough` all bytes are hashed, whatever size and time say; sums that do not hold are then removed, so that no later check trusts
    them.
    """
    try:
        known = (folder / SUMS).read_text(encoding="utf-8").splitlines()
        found = [_checked(folder, line, thorough=thorough) for line in known]
    except (OSError, ValueError):
        return False
    intact = bool(found) and "" not in found
    # A folder that this user may only read keeps its sums as they are.
    with contextlib.suppress(OSError):
        if thorough and not intact:
            (folder / SUMS).unlink(missing_ok=True)
        elif intact and found != known:
            _write(folder, found)
    return intact


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hex. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checked(folder: Path, line: str, *, thorough: bool) -> str:
    """A line of sums as it would be written now; "" where the file has other bytes or is gone. Raises ValueError for no such line."""
    digest, _, _, name = line.split(" ", 3)
    path = folder / name
    if not path.is_file():
        return ""
    if not thorough and _sum_of(path, digest) == line:
        return line
    return _sum_of(path, digest) if sha256_of(path) == digest else ""


def _sum_of(path: Path, digest: str) -> str:
    stat = path.stat()
    return f"{digest} {stat.st_size} {stat.st_mtime_ns} {path.name}"


def _write(folder: Path, sums: list[str]) -> None:
    part = folder / f"{SUMS}.{os.getpid()}"
    part.write_text("".join(f"{line}\n" for line in sums), encoding="utf-8")
    for path in folder.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    part.replace(folder / SUMS)
