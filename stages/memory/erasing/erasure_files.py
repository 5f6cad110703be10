"""The files of an erasure: recordings, the audio of lines, clips, and the indexes. Every step may be repeated."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline import recording_erasure, retention
from pipeline.durable import write_whole
from pipeline.packets import NS_PER_S
from stages.memory import line_audio
from stages.memory.disk.disk_use import CLIPS, RECORDINGS, lines_of_clip
from stages.memory.erasing.erasure_plan import Plan, Span, overlaps
from stages.memory.second_looks import look_files
from stages.memory.tables.database import Database
from stages.memory.vectors.vector_index import IndexKind

_INDEX_FILES = {"flat": "vectors.faiss", "hnsw": "vectors.faiss", "ivf_sq8": "vectors.ivf", "ivf_pq": "vectors.ivf"}


def erase_recordings(root: Path, plan: Plan) -> int:
    """Overwrite the spans of each recording with zeros, and remove those of whole sessions; how many nanoseconds of sound went."""
    gone_ns = 0
    for session, spans in plan.spans.items():
        folder = root / RECORDINGS / session
        if session not in plan.sessions:
            gone_ns += recording_erasure.silence(folder, spans).duration_ns
        elif folder.is_dir():
            recording_erasure.remove(folder)
            gone_ns += sum(end - start for start, end in spans)
    return gone_ns


def erase_line_audio(database: Database, root: Path, plan: Plan) -> int:
    """Remove the audio of lines that are gone; how many files.

    Lines that stay and were said at the same time keep theirs, but for the spans: what is erased was heard in every beam.
    """
    n_gone = 0
    for session in sorted({*plan.spans, *plan.sessions}):
        folder = root / line_audio.FOLDER / session
        if not folder.is_dir():
            continue
        with database.reading() as connection:
            named = {row[0] for row in connection.execute("SELECT clip FROM lines WHERE session = ? AND clip IS NOT NULL", (session,))}
        orphans = [path for path in folder.iterdir() if path.is_file() and path.relative_to(root).as_posix() not in named]
        line_audio.remove(root, [path.relative_to(root).as_posix() for path in orphans])
        n_gone += sum(path.suffix == ".flac" for path in orphans)
        if session in plan.sessions and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
        line_audio.sync_folder(folder)
    for name, path, parts in _overlapping(database, root, plan):
        checksum = _silence(path, parts) if parts else None
        with database.writing() as connection:
            if checksum is None:
                connection.execute("UPDATE lines SET clip = NULL WHERE id = ?", (name,))
                path.unlink()
                continue
            connection.execute("UPDATE line_checksums SET audio = ? WHERE n = (SELECT n FROM lines WHERE id = ?)", (checksum, name))
    return n_gone


def erase_clips(database: Database, root: Path, plan: Plan) -> int:
    """Remove clips of lines that are gone and of lines that reach into a span; they are cut anew when they are asked for. How many."""
    folder = root / CLIPS
    if not folder.is_dir():
        return 0
    n_gone = 0
    for path in sorted(entry for entry in folder.iterdir() if entry.is_file()):
        if path.suffix != ".flac" or _is_erased(database, path.stem, plan):
            path.unlink(missing_ok=True)
            n_gone += path.suffix == ".flac"
    line_audio.sync_folder(folder)
    return n_gone


def erase_second_looks(database: Database, root: Path, plan: Plan) -> int:
    """Remove second looks at lines that are gone and at lines that reach into a span: somebody else may be heard in them. How many."""
    gone = [line for line in look_files.lines_looked_at(root) if _is_erased(database, line, plan)]
    for line in gone:
        look_files.remove(root, line)
    if gone:
        line_audio.sync_folder(root / look_files.FOLDER)
    return len(gone)


def audible(database: Database, root: Path, plan: Plan) -> list[str]:
    """Audio of lines that still sounds in a span, and recordings that an older version was removing, in words."""
    found = [
        f"session {session}: {retention.RENAMED_AUDIO}, audio that was to leave, is still there"
        for session in plan.spans
        if retention.renamed_bytes(root / RECORDINGS / session) is not None
    ]
    for name, path, parts in _overlapping(database, root, plan):
        samples, _ = _read(path) if parts else (np.zeros(0, dtype=np.int16), 0)
        if not parts or any(np.any(samples[first:last]) for first, last in parts):
            found.append(f"the audio of line {name} still sounds in what was erased")
    return found


def strange_index_files(root: Path, kind: IndexKind) -> list[Path]:
    """Files below index/ that an index of this kind does not have: of a kind that the memory had before, or cut short by a crash."""
    folder = root / "index"
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return sorted(path for path in files if path.name != _INDEX_FILES[kind])


def _is_erased(database: Database, stem: str, plan: Plan) -> bool:
    """Whether a clip is of a line that is gone or of one that reaches into a span."""
    with database.reading() as connection:
        query = "SELECT session, start_ns, end_ns FROM lines WHERE id IN (?, ?)"
        rows = connection.execute(query, lines_of_clip(stem)).fetchall()
    margin_ns = NS_PER_S
    return not rows or any(overlaps(plan.spans.get(session, []), start - margin_ns, end + margin_ns) for session, start, end in rows)


def _overlapping(database: Database, root: Path, plan: Plan) -> Iterator[tuple[str, Path, list[Span]]]:
    """Lines that stay whose audio reaches into a span: id, file, and the frames (first, after the last) that lie in spans.

    There are no frames where the audio cannot be read.
    """
    import soundfile

    query = "SELECT id, clip, clip_start_ns FROM lines WHERE session = ? AND clip IS NOT NULL ORDER BY n"
    for session, spans in plan.spans.items():
        with database.reading() as connection:
            rows = connection.execute(query, (session,)).fetchall()
        for name, clip, start_ns in rows:
            # What begins after the last span cannot reach into one: no need to look how long it is.
            if not (root / clip).is_file() or start_ns >= spans[-1][1]:
                continue
            try:
                found = soundfile.info(root / clip)
            except RuntimeError:  # what soundfile raises for audio that it cannot read
                yield name, root / clip, []
                continue
            parts = list(_frames(spans, start_ns, found.frames, found.samplerate))
            if parts:
                yield name, root / clip, parts


def _frames(spans: Sequence[Span], start_ns: int, n_frames: int, sample_rate_hz: int) -> Iterator[Span]:
    for begin, end in spans:
        first = max(0, (begin - start_ns) * sample_rate_hz // NS_PER_S)
        last = min(n_frames, -(-(end - start_ns) * sample_rate_hz // NS_PER_S))
        if first < last:
            yield first, last


def _silence(path: Path, parts: Sequence[Span]) -> int:
    """Zeros in stretches of a FLAC, in one step; the CRC-32 of the file."""
    import soundfile

    samples, sample_rate_hz = _read(path)
    for first, last in parts:
        samples[first:last] = 0
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, sample_rate_hz, format="FLAC", subtype="PCM_16")
    write_whole(path, encoded.getvalue())
    return zlib.crc32(encoded.getvalue())


def _read(path: Path) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int16]], int]:
    import soundfile

    samples, sample_rate_hz = soundfile.read(path, dtype="int16")
    return samples, int(sample_rate_hz)
