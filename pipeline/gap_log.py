"""The gaps of a recorded session: one JSON object a line, appended as they happen."""

from __future__ import annotations

import json
import os
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
    """The gaps in a file, merged; none where there is no file. A line that was cut off by a crash is left out."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    gaps = []
    for line in lines:
        try:
            row = json.loads(line)
            gaps.append(Gap(pts_ns=int(row["pts_ns"]), duration_ns=int(row["duration_ns"]), reason=str(row["reason"])))
        except (ValueError, KeyError, TypeError):
            continue
    return merge_gaps(gaps)


class GapLog:
    """Appends gaps to a file. Each line is written at once, so that it outlives the process; `sync` makes it outlive the power."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._dirty = False
        size = os.fstat(self._descriptor).st_size
        # A line that a crash cut off must not swallow the next one.
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            os.write(self._descriptor, b"\n")

    def append(self, gap: Gap) -> None:
        """Write one gap. Raises OSError."""
        row = {"pts_ns": gap.pts_ns, "duration_ns": gap.duration_ns, "reason": gap.reason}
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
