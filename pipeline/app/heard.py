"""What a person should know after a recording was heard: what was missing in it, and whether anybody spoke."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.gap_log import merge_gaps
from pipeline.packets import Gap, seconds
from pipeline.recorded import NOT_A_NUMBER, UNREADABLE
from pipeline.retention import RETENTION

_MOST = 3
_SHORT_S = 0.1
_TOLD = {
    UNREADABLE: "cannot be read (file cut off?)",
    NOT_A_NUMBER: "held samples that are not a number; they were heard as silence",
    RETENTION: "had left the recording to keep the bounds of its memory",
}


def remarks(gaps: Iterable[Gap], n_lines: int) -> list[str]:
    """A line for each stretch that could not be heard (of many, the first few), and one where no line was stored."""
    merged = merge_gaps(gaps)
    told = []
    for reason, words in _TOLD.items():
        found = [gap for gap in merged if gap.reason == reason]
        told += [f"{_stretch(gap)} {words}" for gap in found[:_MOST]]
        if len(found) > _MOST:
            rest = sum(seconds(gap.duration_ns) for gap in found[_MOST:])
            told.append(f"{len(found) - _MOST} more stretches, {rest:.3f} s together, {words}")
    if n_lines == 0:
        told.append("nobody was heard; check the gain and the channels")
    return told


def _stretch(gap: Gap) -> str:
    digits = 1 if seconds(gap.duration_ns) >= _SHORT_S else 4
    return f"{seconds(gap.pts_ns):.{digits}f} to {seconds(gap.end_ns):.{digits}f} s"
