"""How many bytes a memory takes on the disk, store by store, without looking at every file each time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from stages.memory import line_audio

CLIPS, RECORDINGS, INDEX = "clips", "sessions", "index"
RAW_CLIP = "-raw"
"""What the names of cuts of all channels of the array end with."""


@dataclass
class _Folder:
    """A folder as it was when its files were last counted."""

    changed_ns: int
    files_bytes: int
    folders: tuple[str, ...]


@dataclass
class DiskUse:
    """Counts the bytes below a memory's directory.

    A file that comes, goes or is replaced changes its folder's time, so only folders that changed since are read again: the first
    count takes some five seconds a million files, later ones a look at each session's folder. Files that grow in place (the newest
    seconds of a recording) are counted anew wherever something else in their folder changes. One thread at a time.
    """

    root: Path
    _folders: dict[str, _Folder] = field(default_factory=dict)

    def bytes_of(self, folder: str) -> int:
        """The bytes of all files below a folder of the memory; 0 where there is none."""
        waiting, total = [str(self.root / folder)], 0
        while waiting:
            path = waiting.pop()
            try:
                changed_ns = os.stat(path).st_mtime_ns
                known = self._folders.get(path)
                if known is None or known.changed_ns != changed_ns:
                    known = self._folders[path] = _read(path, changed_ns)
            except OSError:
                self._folders.pop(path, None)
                continue
            total += known.files_bytes
            waiting += known.folders
        return total

    def fresh_bytes_of(self, folder: str) -> int:
        """The same for a folder with few files that grow in place."""
        start = str(self.root / folder)
        for path in [path for path in self._folders if path == start or path.startswith(f"{start}/")]:
            del self._folders[path]
        return self.bytes_of(folder)

    def changed(self, folder: str) -> None:
        """Files in a folder were removed: count it and the one around it anew, since times may be too coarse to tell changes apart."""
        for path in (self.root / folder, (self.root / folder).parent):
            self._folders.pop(str(path), None)


def stores_bytes(disk: DiskUse) -> dict[str, int]:
    """The bytes of the stores that are files: clips, recordings, audio of lines and index."""
    return {
        "clips": disk.bytes_of(CLIPS),
        "recordings": disk.bytes_of(RECORDINGS),
        "line_audio": disk.bytes_of(line_audio.FOLDER),
        "index": disk.fresh_bytes_of(INDEX),
    }


def database_bytes(connection: sqlite3.Connection) -> int:
    """The bytes of the pages in use of a database. What waits in its write-ahead log is not counted twice."""
    pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
    return int((pages - free) * size)


def _read(path: str, changed_ns: int) -> _Folder:
    files_bytes, folders = 0, []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                # A file may be put in its place by another process, under another name, while this looks.
                with contextlib.suppress(FileNotFoundError):
                    files_bytes += entry.stat(follow_symlinks=False).st_size
    return _Folder(changed_ns, files_bytes, tuple(sorted(folders)))


def lines_of_clip(stem: str) -> tuple[str, str]:
    """The two lines, one of which a clip is of, by its name: LINE, or LINE-00001200-00001900 where it is a part; RAW_CLIP may follow."""
    whole = stem.removesuffix(RAW_CLIP)
    return whole, whole.rpartition("-")[0].rpartition("-")[0]
