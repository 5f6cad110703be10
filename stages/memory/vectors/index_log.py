"""A file of blocks that grows at its end: what is whole is read, and what a crash cut short is not."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_MAGIC = b"ECHOIC-INDEX-2\n"
_HEADER = struct.Struct("<4sBxxxIQ")
_MARK = b"blok"

Block = tuple[int, bytes | memoryview]
"""A block's kind, 0 to 255, and what is in it."""


class IndexLog:
    """Blocks of bytes in a file, each with its CRC-32.

    `append` adds blocks after the last whole one, so that a torn end is written over; `rewrite` replaces the file in one step.
    Both are on the disk when they return, and raise OSError where the disk does not take them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end = 0

    def read(self) -> Iterator[Block]:
        """Every whole block up to the first that is torn or damaged, one at a time in RAM. Raises OSError where there is no file."""
        self._end = 0
        # Read, not mapped: a file that another process truncates must not take this one down.
        with self._path.open("rb") as file:
            size_of_file = os.fstat(file.fileno()).st_size
            if file.read(len(_MAGIC)) != _MAGIC:
                return
            place = self._end = len(_MAGIC)
            while len(header := file.read(_HEADER.size)) == _HEADER.size:
                mark, kind, checksum, size = _HEADER.unpack(header)
                if mark != _MARK or size > size_of_file - place - _HEADER.size:
                    return
                body = file.read(size)
                if len(body) != size or zlib.crc32(body, kind) != checksum:
                    return
                place += _HEADER.size + size
                self._end = place
                yield kind, body

    @property
    def can_grow(self) -> bool:
        """Whether there is a file with whole blocks to append to."""
        try:
            return self._end > len(_MAGIC) and self._path.stat().st_size >= self._end
        except OSError:
            return False

    def append(self, blocks: Iterable[Block]) -> None:
        """Add blocks at the end of what is whole."""
        with self._path.open("r+b") as file:
            file.seek(self._end)
            file.truncate()
            end = self._write(file.fileno(), blocks, self._end)
        self._end = end

    def rewrite(self, blocks: Iterable[Block]) -> None:
        """Replace everything."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(self._path.name + ".part")
        try:
            with part.open("wb", buffering=0) as file:
                file.write(_MAGIC)
                end = self._write(file.fileno(), blocks, len(_MAGIC))
            part.replace(self._path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._end = end

    @staticmethod
    def _write(handle: int, blocks: Iterable[Block], end: int) -> int:
        for kind, body in blocks:
            for piece in (_HEADER.pack(_MARK, kind, zlib.crc32(body, kind), len(body)), body):
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(handle, rest) :]
            end += _HEADER.size + len(body)
        os.fsync(handle)
        return end
