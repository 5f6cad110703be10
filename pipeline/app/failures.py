"""What went wrong, as an exit code and one message: 2 when the caller must change something, 1 when the work failed."""

from __future__ import annotations

import errno
import os
import sys
import traceback

from pipeline.app.console import say

CALLER = 2
WORK = 1
INTERRUPTED = 130

_CODES = {
    ("pipeline.graph", "GraphError"): CALLER,
    ("pipeline.geometry", "GeometryError"): CALLER,
    ("pipeline.definition", "DefinitionNotFoundError"): CALLER,
    ("pipeline.session_info", "SessionDiskError"): WORK,
    ("pipeline.session_info", "SessionError"): CALLER,
    ("stages.capture.source_info", "SourceError"): CALLER,
    ("stages.memory.transcript_parser", "TranscriptFileError"): CALLER,
    ("stages.memory.memory_errors", "MemoryInUse"): CALLER,
    ("stages.memory.memory_errors", "MemorySettingsError"): CALLER,
}
"""Whether an error means that an option, a YAML or a file must change. Named, not imported: most commands need few of these
modules. What stands in neither is the work's."""


class CallerError(ValueError):
    """An option, a file or a name that was given cannot be used; the message says what to give instead."""

    exit_code = CALLER


class WorkError(RuntimeError):
    """What was asked for was right, but the work failed: the disk, a model, a device."""

    exit_code = WORK


def exit_code(error: BaseException) -> int:
    """The exit code of an error: its own `exit_code` where it has one, else by its class."""
    own = getattr(error, "exit_code", None)
    if isinstance(own, int):
        return own
    names = [(cls.__module__, cls.__name__) for cls in type(error).__mro__]
    return next((_CODES[name] for name in names if name in _CODES), WORK)


def message(error: BaseException) -> str:
    """The error in words. An error that is none of ours also says its class, and how to see where it came from."""
    if callable(worded := getattr(error, "format_message", None)):
        # The command line itself could not be understood; where it was empty, the message is the help.
        if type(error).__name__ == "NoArgsIsHelpError":
            return str(worded())
        return f"{worded()} (`echoic --help` and `echoic COMMAND --help` tell what can be given)"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" for {error.filename}" if error.filename else ""
        return f"the disk is full{where}: make room, then give the same command again; it goes on from where the memory stands"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if type(error).__module__.split(".")[0] in {"pipeline", "stages", "models", "typer"}:
        return str(error)
    return f"{type(error).__name__}: {error} (set ECHOIC_TRACEBACK=1 to see where)"


def show_traceback(error: BaseException) -> None:
    """Print where an error came from on stderr, where ECHOIC_TRACEBACK=1 asks for it."""
    if os.environ.get("ECHOIC_TRACEBACK") == "1":
        traceback.print_exception(error, file=sys.stderr)


def report(error: BaseException) -> int:
    """Print an error on stderr, with its traceback only where ECHOIC_TRACEBACK=1 asks for it; its exit code."""
    show_traceback(error)
    say(f"echoic: {message(error)}")
    return exit_code(error)
