"""The gaps of a recorded session: one JSON object a line, appended as they happen."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

from pipeline.packets import Gap


def merge_gaps(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """The gaps in the order of their starts, with those of one reason that touch or overlap made one."""
    last: dict[str, int] = {}
    merged: list[Gap] = []
    for gap in sorted(gaps, key=lambda gap: (gap.pts_ns, gap.end_ns, gap.reason)):
        index = last.get(gap.reason)
        if index is not None and gap.pts_ns <= merged[index].end_ns:
            start, end = merged[index].pts_ns, max(merged[index].end_ns, gap.end_ns)
            merged[index] = Gap(pts_ns=start, duration_ns=end - start, reason=gap.reason)
        else:
            last[gap.reason] = len(merged)
            merged.append(gap)
    return tuple(merged)


def read_gaps(path: Path) -> tuple[Gap, ...]:
    """The gaps in a file, merged; none where there is no file. A line that was cut off by a crash, or is damaged, is left out."""
    return merge_gaps(gap for gap in _parsed(path) if gap is not None)


def gap_faults(path: Path, n_written: int, *, is_complete: bool) -> tuple[int, int]:
    """How many lines of a file cannot be read, and how many of those that were written are not there.

    The last line of a recording that is not complete may be cut off: that is what a crash does.
    """
    found = _parsed(path)
    if found and found[-1] is None and not is_complete:
        found = found[:-1]
    n_damaged = sum(gap is None for gap in found)
    return n_damaged, max(0, n_written - len(found)) if is_complete else 0


def n_gap_lines(path: Path) -> int:
    """How many gaps stand in a file, as they were written."""
    return len(_parsed(path))


def _parsed(path: Path) -> list[Gap | None]:
    """Each line as a gap, None where it is none or its checksum is another; lines of before have no checksum."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [_gap(line) for line in lines if line.strip()]


def _gap(line: bytes) -> Gap | None:
    try:
        row = json.loads(line)
        gap = Gap(pts_ns=int(row["pts_ns"]), duration_ns=int(row["duration_ns"]), reason=str(row["reason"]))
    except (ValueError, KeyError, TypeError):
        return None
    return gap if row.get("crc32", _checksum(gap)) == _checksum(gap) else None


def _checksum(gap: Gap) -> int:
    return zlib.crc32(f"{gap.pts_ns} {gap.duration_ns} {gap.reason}".encode())


class GapLog:
    """Appends gaps to a file. Each line is written at once, so that it outlives the process; `sync` makes it outlive the power."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._dirty = False
        # A line that a crash cut off must not swallow the next one: it is ended where it says something, else taken away.
        written = path.read_bytes()
        end = written.rfind(b"\n") + 1
        if end < len(written):
            if _gap(written[end:]) is not None:
                os.write(self._descriptor, b"\n")
            else:
                os.ftruncate(self._descriptor, end)

    def append(self, gap: Gap) -> None:
        """Write one gap. Raises OSError."""
        row = {"pts_ns": gap.pts_ns, "duration_ns": gap.duration_ns, "reason": gap.reason, "crc32": _checksum(gap)}
        os.write(self._descriptor, json.dumps(row).encode() + b"\n")
        self._dirty = True

    def sync(self) -> None:
        """Make what was appended last."""
        if self._dirty:
            os.fdatasync(self._descriptor)
            self._dirty = False

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
