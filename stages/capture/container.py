"""Whether a video file was cut off: GStreamer plays such a file as if it ended there."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067


def is_cut_off(path: Path) -> bool:
    """Whether an MP4 (ISO 14496-12 boxes) or Matroska (RFC 8794 elements) file is shorter than it says; False for others."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(8)
        file.seek(0)
        if head[4:] == b"ftyp":
            return _boxes_end(file, size) > size
        if head[:4] == struct.pack(">I", _EBML):
            return _segment_end(file) > size
    return False


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last box says that it ends."""
    end = 0
    while end < size:
        file.seek(end)
        head = file.read(16).ljust(16, b"\0")
        length = struct.unpack(">I", head[:4])[0]
        if length == 1:
            length = struct.unpack(">Q", head[8:])[0]
        if length < 8:
            # 0 is "to the end of the file"; anything else is no box.
            return size
        end += int(length)
    return end


def _segment_end(file: BinaryIO) -> int:
    """Where the segment says that it ends; 0 where it does not say."""
    for wanted in (_EBML, _SEGMENT):
        if struct.unpack(">I", file.read(4).ljust(4, b"\0"))[0] != wanted:
            return 0
        first = (file.read(1) or b"\0")[0]
        n_more = 8 - first.bit_length()
        if n_more > 7:
            return 0
        length = int.from_bytes(bytes([first & (0x7F >> n_more)]) + file.read(n_more), "big")
        if length == (1 << 7 * (n_more + 1)) - 1:
            return 0
        file.seek(length if wanted == _EBML else 0, os.SEEK_CUR)
    return file.tell() + length
