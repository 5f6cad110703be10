"""Times that people give and read: ISO 8601, or +SECONDS from a session's start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline.app.failures import CallerError

_YEARS = range(1900, 2200)
"""What a memory can hold: its moments are nanoseconds in 64 bits, and any offset must fit too."""


def now() -> datetime:
    """The wall clock, with the offset of this machine's time zone."""
    return datetime.now().astimezone()


def parse_moment(text: str, option: str, session_start: Callable[[], datetime] | None = None) -> datetime:
    """A moment with its UTC offset, from ISO 8601 or `+SECONDS` after the session's start.

    Without an offset the time is this machine's own. Raises CallerError.
    """
    if text.startswith("+") and session_start is not None:
        try:
            return _held(session_start() + timedelta(seconds=float(text[1:])), text, option)
        except (ValueError, OverflowError) as error:
            if isinstance(error, CallerError):
                raise
            raise CallerError(f"{option}: found {text!r}; after + stand the seconds from the session's start, such as +12.5") from error
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        also = ", or +SECONDS from the session's start, such as +12.5" if session_start is not None else ""
        raise CallerError(f"{option}: found {text!r}; give a time as ISO 8601, such as 2026-11-22T19:45:00+01:00{also}") from error
    _held(moment, text, option)
    return moment if moment.tzinfo is not None else moment.astimezone()


def _held(moment: datetime, text: str, option: str) -> datetime:
    if moment.year not in _YEARS:
        raise CallerError(f"{option}: found {text!r}; the year must be from {_YEARS[0]} to {_YEARS[-1]}")
    return moment


def clock(moment: datetime) -> str:
    """A moment as people read it within a day."""
    return moment.strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """A length of time for people: 7.5 s, 3:05, 1:02:03."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
