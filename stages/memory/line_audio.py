"""The audio of each line: lines/<session>/<key>.flac, on the disk before the line's row is committed."""

from __future__ import annotations

import io
import os
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path

from pipeline.packets import Float32Array

FOLDER = "lines"


def clip_path(session: str, key: str) -> str:
    """Where a line's audio stands, relative to the memory directory."""
    return f"{FOLDER}/{session}/{key}.flac"


def save(directory: Path, clip: str, samples: Float32Array, sample_rate_hz: int) -> int:
    """Write samples, float32, shape (frames,), as 16-bit FLAC: whole and on the disk, or not there; the CRC-32 of the file.

    The same samples give the same file. Raises OSError when the disk does not take it.
    """
    import soundfile

    # Encoded in RAM first: libsndfile hides what the disk says.
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, sample_rate_hz, format="FLAC", subtype="PCM_16")
    target = directory / clip
    target.parent.mkdir(parents=True, exist_ok=True)
    # A part of its own for each thread: two may store the same line at once, and both write the same bytes.
    part = target.with_name(f"{target.stem}-{threading.get_ident()}.part")
    try:
        with part.open("wb") as file:
            file.write(encoded.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return zlib.crc32(encoded.getbuffer())


def sync_folder(folder: Path) -> None:
    """Make the names of files in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(directory: Path, clips: Iterable[str]) -> None:
    """Take back files that no row names."""
    for clip in clips:
        (directory / clip).unlink(missing_ok=True)


def stored(directory: Path) -> set[str]:
    """Every file under lines/, relative to the memory directory."""
    root = directory / FOLDER
    return {path.relative_to(directory).as_posix() for path in root.rglob("*") if path.is_file()} if root.is_dir() else set()
