"""Retention: the oldest segments of a recording leave, also of one that this or another process still records.

SESSION/retained.json   from which frame on the audio is kept

It is put in place in one step before the first file goes. Only who keeps the bounds of a memory writes it, and who records writes only
the newest segment, so neither has to wait for the other; a crash between the two leaves files that nobody reads, and they go next time.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.audio_folder import AudioFolder, audio_folder, segment_index
from pipeline.durable import remove_unfinished, sync_folder, write_whole
from pipeline.packets import nanoseconds
from pipeline.recorded import frames_to_ns
from pipeline.session_info import SessionError, SessionInfo

RETENTION = "retention"
"""The reason of the gap over what has left."""
RETAINED_FILE = "retained.json"
RENAMED_AUDIO = "audio.leaving"
"""What older versions renamed the audio of a recording to before they removed it; killed in between, it is still there."""
WARM_UP_S = 40.0
"""How much is heard again before a run goes on: more than the longest utterance, so that none is met in its middle."""


@dataclass(frozen=True)
class Segment:
    """A segment that there are files of; `n_bytes` are those of all of them."""

    index: int
    n_bytes: int


def retained_from(directory: Path) -> int:
    """The first frame whose audio is kept, 0 where nothing has left. Raises SessionError where the file that says so is damaged."""
    path = directory / RETAINED_FILE
    try:
        row = json.loads(path.read_bytes())
        first_frame = int(row["first_frame"])
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SessionError(f"{path}: cannot be read ({type(error).__name__}), so nothing says which audio has left") from error
    if first_frame < 0 or row.get("crc32") != _checksum(first_frame):
        raise SessionError(f"{path}: is damaged (its checksum is another), so nothing says which audio has left")
    return first_frame


def first_kept(directory: Path, info: SessionInfo) -> int:
    """The same; where the file is damaged, the first frame of the first segment that is there: nothing before it can be read."""
    try:
        return retained_from(directory)
    except SessionError:
        found = segments(directory)
        return found[0].index * info.segment_frames if found else 0


def segments(directory: Path) -> list[Segment]:
    """The segments that there are files of, in order; none where there is no audio."""
    n_bytes: dict[int, int] = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(directory / "audio") as entries:
        for entry in entries:
            index = segment_index(entry.name)
            # The writer may put a FLAC in the place of a tail while this looks.
            with contextlib.suppress(FileNotFoundError):
                if index is not None:
                    n_bytes[index] = n_bytes.get(index, 0) + entry.stat(follow_symlinks=False).st_size
    return [Segment(index, n_bytes[index]) for index in sorted(n_bytes)]


def may_leave(found: Sequence[Segment], info: SessionInfo, passed_ns: int | None) -> list[Segment]:
    """Those of a recording's segments that nobody needs any more, in order.

    `passed_ns` is up to where the memory has heard the session, None where that is to its end. A run that goes on hears the last
    `WARM_UP_S` before it again. The newest segment stays until the recording is complete: who goes on with it begins there.
    """
    free = list(found) if info.complete else list(found[:-1])
    if passed_ns is None:
        return free
    needed_ns = passed_ns - nanoseconds(WARM_UP_S)
    return [segment for segment in free if frames_to_ns((segment.index + 1) * info.segment_frames, info.sample_rate_hz) <= needed_ns]


def let_go(directory: Path, info: SessionInfo, leaving: Sequence[int]) -> None:
    """Remove the oldest segments, by their indexes in order, and say so first. Given again, or after a crash, the rest is done.

    `leaving` are all that there are files of up to its last: what is told is that everything up to there has left. Only these files are
    looked at, so the cost does not depend on how long the recording is. Where all audio of a recording leaves, its folder goes too; what
    is told of it (session.json, gaps.jsonl) stays. Raises OSError, and SessionError for the newest segment of a recording that is not
    complete.
    """
    if not leaving:
        return
    audio = audio_folder(directory, info)
    last = leaving[-1]
    # One file says that there are newer segments; names are listed where it is missing, which is at the end.
    newest = last + 1 if _is_there(audio, last + 1) else audio.last_index()
    if newest < 0:
        return
    if last >= newest and not info.complete:
        raise SessionError(f"session {info.id}: its newest segment, {newest:06d}, may not leave before the recording is complete")
    first_frame = (last + 1) * info.segment_frames
    if last >= newest:
        first_frame = newest * info.segment_frames + audio.frames_of(newest)
        audio.close()
    if first_frame > _told(directory):
        _tell(directory, first_frame)
    for index in leaving:
        for path in (audio.tail_path(index), *audio.flac_paths(index)):
            path.unlink(missing_ok=True)
    if last >= newest:
        remove_unfinished(audio.folder)
        # Somebody's own files may lie there; without a segment it is no audio all the same.
        with contextlib.suppress(OSError):
            audio.folder.rmdir()


def renamed_bytes(directory: Path) -> int | None:
    """The bytes of audio that an older version renamed to remove it and did not get to; None where there is none."""
    folder = directory / RENAMED_AUDIO
    if not folder.is_dir():
        return None
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def remove_renamed(directory: Path) -> bool:
    """Remove it; whether there was any. Killed within, the rest is found again. Raises OSError."""
    folder = directory / RENAMED_AUDIO
    if not folder.is_dir():
        return False
    shutil.rmtree(folder)
    sync_folder(directory)
    return True


def mend(directory: Path, info: SessionInfo) -> bool:
    """Put a damaged file right, by the first segment that is there; whether there was anything to do. Raises OSError."""
    try:
        retained_from(directory)
    except SessionError:
        first_frame = first_kept(directory, info)
        if first_frame:
            _tell(directory, first_frame)
        else:
            (directory / RETAINED_FILE).unlink()
        return True
    return False


def _is_there(audio: AudioFolder, index: int) -> bool:
    """Whether there is a file of a segment. The tail first: the writer removes it once there is a FLAC."""
    return any(path.exists() for path in (audio.tail_path(index), *audio.flac_paths(index)))


def _told(directory: Path) -> int:
    """What stands in the file; -1 where it is damaged, so that it is written anew."""
    try:
        return retained_from(directory)
    except SessionError:
        return -1


def _tell(directory: Path, first_frame: int) -> None:
    row = {"first_frame": first_frame, "crc32": _checksum(first_frame)}
    write_whole(directory / RETAINED_FILE, json.dumps(row).encode() + b"\n")


def _checksum(first_frame: int) -> int:
    return zlib.crc32(f"first_frame {first_frame}".encode())
