"""The ids of sessions: by content for files, by the clock live."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from pipeline.session_info import live_session_id


def again_id(own: str, taken: Iterable[str]) -> str:
    """The id of one more session of a content: `r-0123456789ab.2` after `r-0123456789ab`."""
    names = set(taken)
    return f"{own}.{max(_numbers(own, names), default=1) + 1}" if own in names else own


def latest_of(own: str, taken: Iterable[str]) -> str:
    """The id of a content's latest session: the one that `--again` made last, or the first."""
    number = max(_numbers(own, taken), default=1)
    return f"{own}.{number}" if number > 1 else own


def new_live_id(started_at: datetime, taken: Collection[str]) -> str:
    """The id of a live session that begins now; with a number behind it where another began in the same second."""
    first = live_session_id(started_at)
    number = 2
    name = first
    while name in taken:
        name = f"{first}-{number}"
        number += 1
    return name


def _numbers(own: str, taken: Iterable[str]) -> list[int]:
    ends = (name.removeprefix(f"{own}.") for name in taken if name.startswith(f"{own}."))
    return [int(end) for end in ends if end.isdigit()]
