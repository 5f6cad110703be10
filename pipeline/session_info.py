"""What a recorded session says of itself: session.json."""

from __future__ import annotations

import dataclasses
import errno
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pipeline.durable import write_whole
from pipeline.geometry import ArrayGeometry

VERSION = 1
INFO_FILE = "session.json"
SEGMENT_S = 30
ORIGINS = ("live", "replay")
_LIVE_ID = re.compile(r"\d{8}-\d{6}(-\d+)?")


class SessionError(RuntimeError):
    """A recorded session cannot be read or written; the message says which, why, and what to do."""


class SessionDiskError(SessionError):
    """The disk refused what was to be recorded, most often because it is full. What was recorded before is whole."""


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Tell what a disk refused as a SessionDiskError; `what` says what was being done."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SessionDiskError(
                f"{what}: the disk is full ({error.strerror}). What was recorded before is whole; make room and run the same command again"
            ) from error
        raise SessionDiskError(f"{what}: cannot be written ({error}). What was recorded before is whole") from error


@dataclass(frozen=True, kw_only=True)
class SessionInfo:
    """One recorded session.

    `array` is as it was used: its channels are the recording's channels, in order. `complete` says that nothing more will
    come. `n_clipped` counts samples at full scale, `n_gaps` the lines of gaps.jsonl once it is complete. `segment_frames` is the
    length of every segment but the last. `origin` says whether this is the only recording there is ("live") or a copy of another
    ("replay"), which goes on from that one.
    """

    id: str
    source: str
    array: ArrayGeometry
    started_at: datetime
    sample_rate_hz: int = 16000
    content_sha256: str | None = None
    complete: bool = False
    n_clipped: int = 0
    n_gaps: int = 0
    segment_frames: int = 0
    origin: Literal["live", "replay"] = "replay"
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.started_at.tzinfo is None:
            raise SessionError(f"session {self.id}: started_at needs an offset from UTC, found {self.started_at.isoformat()}")
        if self.segment_frames == 0:
            object.__setattr__(self, "segment_frames", SEGMENT_S * self.sample_rate_hz)

    @property
    def n_channels(self) -> int:
        """How many channels the recording has."""
        return self.array.n_channels


def session_id(content_sha256: str) -> str:
    """The id of a session that replays a file: the same content with the same array is the same session."""
    return f"r-{content_sha256[:12]}"


def live_session_id(started_at: datetime) -> str:
    """The id of a session that is recorded live, for example `20260131-184502`."""
    return f"{started_at:%Y%m%d-%H%M%S}"


def has_session(directory: Path) -> bool:
    """Whether a session was begun in a directory."""
    return (directory / INFO_FILE).exists()


def save_info(directory: Path, info: SessionInfo) -> None:
    """Write session.json in one step. Raises OSError."""
    row = dataclasses.asdict(info) | {"started_at": info.started_at.isoformat(), "n_channels": info.n_channels}
    write_whole(directory / INFO_FILE, json.dumps(row, indent=1).encode() + b"\n")


def load_info(directory: Path) -> SessionInfo:
    """Read session.json. Raises SessionError where it is missing, damaged, or written by a newer Echoic."""
    path = directory / INFO_FILE
    try:
        row = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise SessionError(f"{directory}: not a recorded session: there is no {INFO_FILE}") from error
    except (OSError, ValueError) as error:
        raise SessionError(f"{path}: cannot be read ({error}); the audio beside it is whole and can be replayed as a file") from error
    version = row.get("version") if isinstance(row, dict) else None
    if not isinstance(version, int) or version < 1:
        raise SessionError(f"{path}: expected a session with its version, found {str(row)[:60]!r}")
    if version > VERSION:
        raise SessionError(
            f"{path}: written by a newer Echoic (version {version} of the recording; this one reads up to {VERSION}); "
            "update Echoic to use it"
        )
    try:
        return _parse(row)
    except (KeyError, TypeError, ValueError) as error:
        raise SessionError(f"{path}: {type(error).__name__} in its values: {error}") from error


def _parse(row: dict[str, Any]) -> SessionInfo:
    array = row["array"]
    return SessionInfo(
        id=str(row["id"]),
        source=str(row["source"]),
        array=ArrayGeometry(
            name=str(array["name"]),
            positions_m=tuple((float(x), float(y), float(z)) for x, y, z in array["positions_m"]),
            sample_rate_hz=int(array["sample_rate_hz"]),
            channels=None if array["channels"] is None else tuple(int(channel) for channel in array["channels"]),
            reference=int(array["reference"]),
            lanes=bool(array["lanes"]),
        ),
        started_at=datetime.fromisoformat(row["started_at"]),
        sample_rate_hz=int(row["sample_rate_hz"]),
        content_sha256=None if row["content_sha256"] is None else str(row["content_sha256"]),
        complete=bool(row["complete"]),
        n_clipped=int(row["n_clipped"]),
        n_gaps=int(row.get("n_gaps", 0)),
        segment_frames=int(row["segment_frames"]),
        origin=_origin(row),
        version=int(row["version"]),
    )


def _origin(row: dict[str, Any]) -> Literal["live", "replay"]:
    """Where a session came from; recordings from before `origin` was kept tell it by their id and their source."""
    found = row.get("origin")
    if found is None:
        is_named_live = _LIVE_ID.fullmatch(str(row["id"])) is not None and row["content_sha256"] is None
        return "live" if is_named_live and Path(str(row["source"])).name != row["id"] else "replay"
    if found not in ORIGINS:
        raise ValueError(f"origin {found!r}; allowed are {', '.join(ORIGINS)}")
    return "live" if found == "live" else "replay"
