"""`echoic attend`: says what the user followed, and when they were away; by the daemon while one holds the memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.app import times
from pipeline.app.attention_input import attention_json, declare
from pipeline.app.console import result, result_json
from pipeline.app.daemon_file import call, running_daemon
from pipeline.app.failures import CallerError
from pipeline.app.listing import print_rows
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import memory_to_read, moment_of
from pipeline.app.speakers import memory_to_correct
from pipeline.strict_yaml import read_yaml

_COLUMNS = {"id": "declaration", "from": "from", "to": "to", "session": "session", "says": "says that"}


@dataclass(frozen=True)
class Wanted:
    """What `echoic attend` is to do, as it was given: `entry` is a declaration in the words of `attention_input.py`."""

    entry: dict[str, Any]
    clear: str | None = None
    schedule: Path | None = None
    listed: bool = False
    at: str | None = None


def attend(directory: Path, wanted: Wanted, as_json: bool) -> None:
    """Declare one thing, or those of a schedule, take one back, or list them.

    Raises CallerError, AttentionError, SpeakerError, MemoryInUse.
    """
    entry, clear, schedule = wanted.entry, wanted.clear, wanted.schedule
    given = {key: value for key, value in entry.items() if value is not None and value is not False}
    ways = [name for name, value in (("--clear", clear), ("--schedule", schedule), ("--list", wanted.listed or None)) if value is not None]
    if len(ways) + bool(given) > 1:
        raise CallerError(f"attend does one thing at a time: found {', '.join([*ways, *(f'--{key}' for key in given)])}")
    if not ways and not given:
        raise CallerError(
            "attend needs to know what: --azimuth DEG, --speaker NAME, --topic TEXT, --nothing or --away; or --schedule FILE, --list,"
            " --clear ID"
        )
    if wanted.at is not None and not wanted.listed:
        raise CallerError("--at: it belongs to --list; say with --from and --to when you followed something")
    if wanted.listed:
        print_attentions(directory, as_json, wanted.at)
        return
    body = {"clear": clear} if clear is not None else {"schedule": read_schedule(schedule)} if schedule is not None else given
    done = _done(directory, body)
    if as_json:
        result_json(done)
        return
    for row in done:
        result(f"{row['id']}{' is taken back' if clear is not None else ''}: {row['says']}, {_when(row)}")


def print_attentions(directory: Path, as_json: bool, at: str | None) -> None:
    """`echoic attend --list`: everything that was declared, as of a moment what began by then. Raises CallerError."""
    with memory_to_read(directory_to_read(directory)) as opened:
        rows = [attention_json(row) for row in opened.attention.rows(at=moment_of(opened, at, None))]
    print_rows(rows, as_json, _COLUMNS)


def read_schedule(path: Path) -> Any:
    """What a YAML or JSON file holds. Raises CallerError where it cannot be read; what it says is checked against the memory."""
    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CallerError(f"--schedule {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CallerError(f"--schedule {path}: it is not text in UTF-8") from error
    if document.faults:
        raise CallerError(f"--schedule {path}: " + "; ".join(f"line {line}: {fault}" for line, fault in document.faults))
    return document.data


def _done(directory: Path, body: dict[str, Any]) -> list[dict[str, Any]]:
    daemon = running_daemon(directory_to_read(directory))
    if daemon is not None:
        done: list[dict[str, Any]] = call(daemon, "POST", "/attend", body)
        return done
    with memory_to_correct(directory, "there is nothing that could be followed") as opened:
        return declare(opened, body, times.now())


def _when(row: dict[str, Any]) -> str:
    of = f" in session {row['session']}" if row["session"] else ""
    return f"from {row['from']} {'on' if row['to'] is None else 'to ' + row['to']}{of}"
