"""Whether the files beside a memory's tables fit them: the audio of lines, clips, and recordings."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import yaml

from pipeline import retention
from pipeline.session import SessionReader
from pipeline.session_info import INFO_FILE, SessionError, has_session, load_info
from stages.memory import line_audio
from stages.memory.disk.disk_use import CLIPS, RECORDINGS, lines_of_clip
from stages.memory.examining.integrity import told
from stages.memory.second_looks import look_files
from stages.memory.tables.database import Database

_DECODED = 256


class FileChecks:
    """Compares files with tables, one session's folder at a time.

    `faults` are what is broken, `repairs` what was put in order, `notes` what is strange and no fault.
    """

    def __init__(self, database: Database, root: Path, *, may_repair: bool) -> None:
        self.faults: list[str] = []
        self.repairs: list[str] = []
        self.notes: list[str] = []
        self._database = database
        self._root = root
        self._may_repair = may_repair

    def check(self) -> None:
        """The audio of every line is there (of 256, spread over all, it is also decoded), nothing is there that belongs to nobody."""
        gone = told("lines whose audio is gone", self._without_audio())
        damaged = told("lines whose audio cannot be decoded", self._undecodable())
        self.faults += [line for line in (gone, damaged) if line]
        if self._may_repair:
            self._remove_orphans()
            self._remove_clips()
            self._remove_second_looks()
        self._check_recordings()
        gone = told("sessions whose recording is gone from sessions/", self._without_recording())
        strange = told("recordings under sessions/ that the memory does not know (`echoic replay` hears them)", self._unknown_recordings())
        self.faults += [gone] if gone else []
        self.notes += [strange] if strange else []

    def _without_audio(self) -> Iterator[str]:
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, clip FROM lines WHERE clip IS NOT NULL ORDER BY n")
            for name, clip in rows:
                # Beside a writer audio may have left since this reading began.
                if not (self._root / clip).is_file() and self._still_names(name, clip):
                    yield name

    def _still_names(self, line: str, clip: str) -> bool:
        if self._may_repair:
            return True
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM lines WHERE id = ? AND clip = ?", (line, clip)).fetchone() is not None

    def _undecodable(self) -> Iterator[str]:
        import soundfile

        with self._database.reading() as connection:
            (last,) = connection.execute("SELECT coalesce(max(n), 0) FROM lines").fetchone()
            edges = sorted({1 + place * last // _DECODED for place in range(_DECODED + 1)})
            first = "SELECT id, clip FROM lines WHERE n >= ? AND n < ? AND clip IS NOT NULL ORDER BY n LIMIT 1"
            chosen = [row for span in pairwise(edges) for row in connection.execute(first, span)]
        for name, clip in chosen:
            path = self._root / clip
            if path.is_file():
                try:
                    soundfile.read(path, dtype="int16")
                except RuntimeError:  # what soundfile raises for audio that it cannot decode
                    yield name

    def _remove_orphans(self) -> None:
        n_orphans = 0
        folder = self._root / line_audio.FOLDER
        for session in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()) if folder.is_dir() else []:
            with self._database.writing() as connection:
                named = {row[0] for row in connection.execute("SELECT clip FROM lines WHERE session = ? AND clip IS NOT NULL", (session,))}
                orphans = [
                    path
                    for path in (f"{line_audio.FOLDER}/{session}/{entry.name}" for entry in os.scandir(folder / session) if entry.is_file())
                    if path not in named
                ]
                line_audio.remove(self._root, orphans)
            n_orphans += len(orphans)
        if n_orphans:
            self.repairs.append(f"{n_orphans} audio files that no line names: removed")

    def _remove_clips(self) -> None:
        """Clips are cut anew when they are asked for: those of lines that are gone, and those without sound, need not stay."""
        folder = self._root / CLIPS
        if not folder.is_dir():
            return
        with self._database.reading() as connection:
            strange = [
                entry.name
                for entry in os.scandir(folder)
                if entry.name.endswith(".flac") and (entry.stat().st_size == 0 or not _is_of_a_line(connection, entry.name))
            ]
        for name in strange:
            (folder / name).unlink(missing_ok=True)
        if strange:
            self.repairs.append(f"{len(strange)} clips that belong to no line: removed")

    def _remove_second_looks(self) -> None:
        """A doubtful line is heard again when it is asked about: looks at lines that are gone, and damaged ones, need not stay."""
        with self._database.reading() as connection:
            n_strange = look_files.remove_strange(self._root, connection)
        if n_strange:
            self.repairs.append(f"{n_strange} second looks that belong to no line or are damaged: removed")

    def _check_recordings(self) -> None:
        folder = self._root / RECORDINGS
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if retention.renamed_bytes(path) is not None:
                told = f"session {path.name}: {retention.RENAMED_AUDIO}, audio that was to leave, was still there"
                if self._may_repair:
                    retention.remove_renamed(path)
                    self.repairs.append(f"{told}: removed")
                else:
                    self.notes.append(told)
            if not has_session(path):
                if retention.segments(path):
                    self.faults.append(f"{path}: there is audio but no {INFO_FILE}; the audio is whole and can be replayed as a file")
                continue
            try:
                if self._may_repair and retention.mend(path, load_info(path)):
                    self.repairs.append(f"session {path.name}: {retention.RETAINED_FILE} was damaged: told anew by the audio that is there")
                with SessionReader(path) as reader:
                    if reader.info.complete or self._may_repair:
                        self.faults += reader.faults()
            except SessionError as error:
                self.faults.append(str(error))

    def _without_recording(self) -> Iterator[str]:
        """Sessions that were recorded, as the graph says that they were heard with; of one that has only begun nothing may be there yet."""
        with self._database.reading() as connection:
            known = (
                "SELECT id, graph FROM sessions WHERE (complete = 1 OR passed_ns > 0) AND instr(graph, ? || '/' || id) > 0"
                " ORDER BY started_at_ns, id"
            )
            for session, graph in connection.execute(known, (RECORDINGS,)):
                folder = self._root / RECORDINGS / session
                if has_session(folder) or retention.segments(folder):
                    continue
                # Beside a writer a session may be erased since this reading began.
                if _was_recorded(session, graph) and self._is_known(session):
                    yield session

    def _unknown_recordings(self) -> Iterator[str]:
        folder = self._root / RECORDINGS
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if has_session(path) and not self._is_known(path.name):
                yield path.name

    def _is_known(self, session: str) -> bool:
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session,)).fetchone() is not None


def _was_recorded(session: str, graph: str) -> bool:
    """Whether a resource of a graph, in YAML, wrote to the folder of a session; where that folder lay then says nothing."""
    try:
        resources = yaml.safe_load(graph)["resources"].values()
        folders = [Path(str(settings.get("directory") or "")) for settings in resources]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return False
    return any(folder.parts[-2:] == (RECORDINGS, session) for folder in folders)


def _is_of_a_line(connection: sqlite3.Connection, name: str) -> bool:
    """Whether a clip is called after a line that there is."""
    return connection.execute("SELECT 1 FROM lines WHERE id IN (?, ?)", lines_of_clip(name.removesuffix(".flac"))).fetchone() is not None
