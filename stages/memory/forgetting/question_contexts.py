"""What the last questions were about, kept beside the recalls that wait for sleep, so that the next question can go on from them.

An answer must not wait for a transaction, and whoever asks mostly reads only: so this is a file, as recalls are, and no table. It lies in
their folder, which goes wholly when anything is erased. What is lost of it costs a follow-up its answer, nothing else.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.packets import NS_PER_S
from stages.memory.forgetting import recall_spool
from stages.memory.tables.line_checks import is_moment, is_text

_log = logging.getLogger("echoic.memory")
_FILE = "asked.json"
_MOST_BYTES = 2**18
_MOST_LINES = 50
MOST_CONTEXTS = 8
LASTS_MINUTES = 30


@dataclass(frozen=True)
class QuestionContext:
    """One answered question: when it was asked (UTC), and the ids of the lines that its answer cited, best first; none of its words.

    The first `n_first` of them (at least 1) belong to the first claim.
    """

    asked_ns: int
    lines: tuple[str, ...]
    n_first: int = 1


class QuestionContexts:
    """The part of a long-term memory that knows the last questions; `LongTermMemory.contexts` is one. Without a folder it lives in RAM."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._kept: tuple[QuestionContext, ...] = ()
        self._lock = threading.Lock()

    def note(self, context: QuestionContext) -> None:
        """Keep what was asked, and let go of what is older than the last eight or half an hour. Never raises."""
        if not context.lines or not is_moment(context.asked_ns):
            return
        context = QuestionContext(context.asked_ns, context.lines[:_MOST_LINES], min(context.n_first, _MOST_LINES))
        with self._lock:
            kept = (*self.recent(context.asked_ns), context)[-MOST_CONTEXTS:]
            if self._root is None:
                self._kept = kept
                return
            folder = self._root / recall_spool.FOLDER
            beside = folder / f"{_FILE}.{os.getpid()}"
            try:
                folder.mkdir(exist_ok=True)
                text = json.dumps([asdict(one) for one in kept], ensure_ascii=True)
                file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(file, "w", encoding="utf-8") as opened:
                    opened.write(text)
                beside.replace(folder / _FILE)
            except OSError as error:
                _log.warning("memory %s: what was asked could not be noted: %s", self._root, error)

    def recent(self, now_ns: int) -> tuple[QuestionContext, ...]:
        """Those that were asked within the last half hour before a moment (UTC), the latest last; damaged ones are passed over."""
        kept = self._kept if self._root is None else self._read(self._root)
        return tuple(one for one in kept if 0 <= now_ns - one.asked_ns <= LASTS_MINUTES * 60 * NS_PER_S)

    def fault(self) -> str | None:
        """What is wrong with the file, for an examination; None for nothing."""
        if self._root is None:
            return None
        path = self._root / recall_spool.FOLDER / _FILE
        if not path.is_file():
            return None
        try:
            entries = json.loads(path.read_bytes()) if path.stat().st_size <= _MOST_BYTES else None
        except (OSError, ValueError, RecursionError):
            entries = None
        if not isinstance(entries, list) or len(entries) > MOST_CONTEXTS or any(_context(entry) is None for entry in entries):
            return f"{path}: is no list of the last questions, so that the next one goes on from nothing"
        return None

    def _read(self, root: Path) -> tuple[QuestionContext, ...]:
        path = root / recall_spool.FOLDER / _FILE
        try:
            entries = json.loads(path.read_bytes()) if path.stat().st_size <= _MOST_BYTES else []
        except (OSError, ValueError, RecursionError):
            return ()
        found = [_context(entry) for entry in entries] if isinstance(entries, list) else []
        return tuple(one for one in found if one is not None)


def _context(entry: Any) -> QuestionContext | None:
    if not isinstance(entry, dict) or not {"asked_ns", "lines"} <= set(entry) <= {"asked_ns", "lines", "n_first"}:
        return None
    asked_ns, lines = entry["asked_ns"], entry["lines"]
    if not isinstance(asked_ns, int) or isinstance(asked_ns, bool) or not is_moment(asked_ns):
        return None
    if not isinstance(lines, list) or not lines or not all(isinstance(line, str) and is_text(line) for line in lines):
        return None
    n_first = entry.get("n_first", 1)
    if not isinstance(n_first, int) or isinstance(n_first, bool) or not 1 <= n_first <= len(lines):
        return None
    return QuestionContext(asked_ns, tuple(lines), n_first)
