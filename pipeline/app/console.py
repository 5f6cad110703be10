"""Where words go: results on stdout, everything else on stderr, lines by default and a bar on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pipeline.safe_json import safe_json

_PLAIN_EVERY_S = 5.0
# What a terminal obeys instead of showing it; what was said in the room is only text.
_OBEYED = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160), 0x2028, 0x2029), "\ufffd")


def shown(text: str) -> str:
    """Text as it may stand on a terminal: without control characters, of which each becomes U+FFFD; lines and tabs stay."""
    return text.translate(_OBEYED)


def say(text: str) -> None:
    """A line about the work, on stderr."""
    sys.stderr.write(f"{shown(text)}\n")
    sys.stderr.flush()


def on_terminal() -> bool:
    """Whether results go to a terminal, where somebody waits for them."""
    return sys.stdout.isatty()


def result(text: str) -> None:
    """A piece of the result, on stdout."""
    sys.stdout.write(f"{shown(text)}\n")
    sys.stdout.flush()


def result_json(value: Any) -> None:
    """A result as JSON, on stdout."""
    result(safe_json(value, indent=2))


class Bar(Protocol):
    """Shows how far a piece of work has come."""

    def update(self, done: float, note: str = "") -> None:
        """So much of the total is done."""


class PlainBar:
    """A line every few seconds, for logs and pipes."""

    def __init__(self, title: str, total: float, unit: str) -> None:
        self._title = title
        self._total = total
        self._unit = unit
        self._said_at = time.monotonic()

    def update(self, done: float, note: str = "") -> None:
        """Say it, if the last line is some seconds old."""
        if time.monotonic() - self._said_at < _PLAIN_EVERY_S:
            return
        self._said_at = time.monotonic()
        of_all = f" of {self._total:.0f}" if self._total else ""
        say(f"{self._title}: {done:.0f}{of_all} {self._unit}{', ' + note if note else ''}")


class _RichBar:
    """A moving bar on a terminal."""

    def __init__(self, progress: Any, task: Any, unit: str, total: float) -> None:
        self._progress = progress
        self._task = task
        self._unit = unit
        self._total = total

    def update(self, done: float, note: str = "") -> None:
        """Move the bar."""
        of_all = f" of {self._total:.0f}" if self._total else ""
        self._progress.update(self._task, completed=min(done, self._total or done), note=f"{done:.0f}{of_all} {self._unit}  {note}")


@contextmanager
def bar(title: str, total: float, unit: str = "s") -> Iterator[Bar]:
    """A progress bar on stderr: moving where that is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        yield PlainBar(title, total, unit)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("[bold]{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _RichBar(progress, progress.add_task(title, total=total or None, note=""), unit, total)
