"""What `echoic replay SOURCE` names: a sound file, or a session that was recorded before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.app import times
from pipeline.app.failures import CallerError
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.geometry import ArrayGeometry
from pipeline.graph import suggestion
from pipeline.session_info import SessionInfo, has_session, load_info, session_id


@dataclass(frozen=True)
class ReplayInput:
    """A recording that was found, can be read, and fits its array.

    `own_id` is the id of the session that it is, unless `--again` makes another. `content_sha256` is None for a recorded session.
    """

    path: Path
    array_setting: str
    array: ArrayGeometry
    content_sha256: str | None
    duration_s: float
    started_at: datetime
    own_id: str
    recorded: SessionInfo | None


def find_input(source: str, array: str | None, started_at: str | None, memory: MemoryDirectory) -> ReplayInput:
    """Look at a recording before anything is loaded. Raises CallerError, SourceError, SessionError, GeometryError."""
    from stages.capture.file_source import array_for, content_hash, probe

    path = _path_of(source, memory)
    recorded = load_info(path) if path.is_dir() else None
    geometry = array_for(path, array or "")
    info = probe(path)
    began = times.parse_moment(started_at, "--started-at") if started_at else info.started_at
    sha256 = None if recorded is not None else content_hash(path, array or "")
    return ReplayInput(
        path=path,
        array_setting=array or "",
        array=geometry,
        content_sha256=sha256,
        duration_s=info.duration_s or 0.0,
        started_at=began or datetime.fromtimestamp(path.stat().st_mtime).astimezone(),
        own_id=recorded.id if recorded is not None else session_id(str(sha256)),
        recorded=recorded,
    )


def _path_of(source: str, memory: MemoryDirectory) -> Path:
    path = Path(source)
    if path.is_file():
        return path
    if path.is_dir():
        if has_session(path):
            return path
        raise CallerError(
            f"{source}: this directory is no recorded session (there is no session.json in it); give a sound file or a recorded session"
        )
    if "/" not in source and has_session(memory.recording(source)):
        return memory.recording(source)
    names = [entry.name for entry in memory.recordings()]
    near = suggestion(source, names[-8:]) if names else ""
    raise CallerError(f"{source}: there is no such file, nor a session of that name recorded in {memory.path}{near}")
