"""The command line in processes that are forked from one where everything is imported: each starts in milliseconds and can be killed."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.pipeline.app.command_line import Done

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.warm_imports"])


class WarmProcess:
    """A command that runs in a process of its own; its output goes to files in `folder`. `begun_s` is when it began, monotonic."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._process: ForkServerProcess = _CONTEXT.Process(target=_run, args=(str(folder), [str(argument) for argument in arguments]))
        self._process.start()
        self.begun_s = time.monotonic()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return int(self._process.pid or 0)

    def kill(self) -> bool:
        """Kill it with -9; whether it still ran."""
        self._process.kill()
        return self.end().code == -9

    def end(self, timeout_s: float = 120.0) -> Done:
        """Wait until it has ended. Raises TimeoutError."""
        self._process.join(timeout_s)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            raise TimeoutError(f"a command did not end within {timeout_s:.0f} s: {self._text('err')[-500:]}")
        return Done(code, self._text("out"), self._text("err"))

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.exitcode is None

    def _text(self, name: str) -> str:
        path = self._folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def run(folder: Path, *arguments: object) -> Done:
    """Run a command to its end."""
    return WarmProcess(folder, *arguments).end()


def _run(folder: str, arguments: list[str]) -> None:
    from pipeline.app.cli import main

    for number, name in ((1, "out"), (2, "err")):
        handle = os.open(Path(folder) / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    try:
        main(arguments)
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        # Threads of libraries may hold a process up at its end; a command that was told to exit is done.
        os._exit(ended.code if isinstance(ended.code, int) else 0)
