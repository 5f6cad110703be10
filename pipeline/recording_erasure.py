"""Stretches of a recorded session erased: every channel becomes zeros there, and a gap says so."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio_folder import AudioFolder, audio_folder
from pipeline.durable import lock_folder, sync_folder
from pipeline.gap_log import GapLog, n_gap_lines, read_gaps
from pipeline.packets import NS_PER_S
from pipeline.pcm import runs
from pipeline.recorded import UNREADABLE, gap_at
from pipeline.retention import remove_renamed
from pipeline.session_info import SessionError, SessionInfo, disk_errors, has_session, load_info, save_info

FORGOTTEN = "forgotten"
Spans = Sequence[tuple[int, int]]
"""Stretches of session time, (start, end) in nanoseconds."""


@dataclass(frozen=True)
class Silenced:
    """What was erased of a recording: frames (each of all channels), how long they were, and the bytes of the files written anew."""

    n_frames: int = 0
    duration_ns: int = 0
    n_bytes: int = 0


def silence(directory: Path, spans: Spans) -> Silenced:
    """Overwrite stretches of a recording with zeros, in all channels, and note them as gaps.

    Each segment is written anew beside the old one and put in its place in one step, so a crash leaves whole segments; given again, the
    rest is done. A recording whose audio is gone is left as it is. Audio that an older version was removing (`RENAMED_AUDIO`) goes whole:
    it was to leave anyway. Raises SessionError where another process records it, SessionDiskError.
    """
    with disk_errors(f"session {directory}"):
        remove_renamed(directory)
    if not has_session(directory) or not (directory / "audio").is_dir():
        return Silenced()
    with _locked(directory), disk_errors(f"session {directory}"):
        info = load_info(directory)
        audio = audio_folder(directory, info)
        try:
            audio.mend()
            done = _silenced(audio, info, spans, directory / "gaps.jsonl")
        finally:
            audio.close()
        n_gaps = n_gap_lines(directory / "gaps.jsonl")
        if info.complete and info.n_gaps != n_gaps:
            save_info(directory, dataclasses.replace(info, n_gaps=n_gaps))
    return done


def sounding(directory: Path, spans: Spans) -> list[tuple[int, int]]:
    """Where stretches of a recording are not zero in every channel when they are read back: (first frame, number of frames)."""
    if not has_session(directory) or not (directory / "audio").is_dir():
        return []
    info = load_info(directory)
    audio = audio_folder(directory, info)
    found: list[tuple[int, int]] = []
    try:
        for index, first, last in _segments(audio, spans):
            levels, _ = audio.read(index, first, last - first)
            start = index * info.segment_frames + first
            found += [(start + place, length) for place, length in runs(np.any(levels != 0, axis=0))]
    finally:
        audio.close()
    return found


def remove(directory: Path) -> int:
    """Remove a whole recording; how many bytes that were. Raises SessionError where another process records it, SessionDiskError."""
    if not directory.is_dir():
        return 0
    with _locked(directory), disk_errors(f"session {directory}"):
        n_bytes = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
        shutil.rmtree(directory)
        sync_folder(directory.parent)
    return n_bytes


def _silenced(audio: AudioFolder, info: SessionInfo, spans: Spans, gaps_file: Path) -> Silenced:
    n_frames = n_bytes = 0
    for index in sorted({index for index, _, _ in _segments(audio, spans)}):
        parts = [(first, last) for place, first, last in _segments(audio, spans) if place == index]
        held = audio.frames_of(index)
        levels, lost = audio.read(index, 0, held)
        marked = np.zeros(held, dtype=bool)
        for first, last in parts:
            marked[first:last] = True
        n_frames += int(marked.sum())
        # Also where every level is zero already: what a FLAC holds beside its levels is not known.
        levels[:, marked] = 0
        is_tail = audio.tail_frames(index) > audio.flac_frames(index)
        _note(gaps_file, [(index * info.segment_frames + first, n, UNREADABLE) for first, n in lost], info.sample_rate_hz)
        _note(gaps_file, [(index * info.segment_frames + first, n, FORGOTTEN) for first, n in runs(marked)], info.sample_rate_hz)
        if is_tail:
            audio.write_tail(index, levels)
        else:
            audio.write_flac(index, levels)
        paths = [audio.tail_path(index)] if is_tail else audio.flac_paths(index)
        n_bytes += sum(path.stat().st_size for path in paths)
    return Silenced(n_frames, n_frames * NS_PER_S // info.sample_rate_hz, n_bytes)


def _segments(audio: AudioFolder, spans: Spans) -> Iterator[tuple[int, int, int]]:
    """The parts of segments that stretches lie in: index, first frame in the segment, and the frame after the last."""
    newest = audio.last_index()
    for start_ns, end_ns in spans:
        first = max(0, start_ns) * audio.sample_rate_hz // NS_PER_S
        end = -(-max(0, end_ns) * audio.sample_rate_hz // NS_PER_S)
        for index in range(first // audio.segment_frames, min(newest, (end - 1) // audio.segment_frames) + 1):
            base = index * audio.segment_frames
            begin, finish = max(first - base, 0), min(end - base, audio.frames_of(index))
            if begin < finish:
                yield index, begin, finish


def _note(gaps_file: Path, stretches: Sequence[tuple[int, int, str]], sample_rate_hz: int) -> None:
    """Write down gaps that are not there yet, before the audio changes."""
    known = read_gaps(gaps_file)
    fresh = [
        gap
        for gap in (gap_at(first, n_frames, sample_rate_hz, reason) for first, n_frames, reason in stretches)
        if not any(had.reason == gap.reason and had.pts_ns <= gap.pts_ns and gap.end_ns <= had.end_ns for had in known)
    ]
    if fresh:
        log = GapLog(gaps_file)
        try:
            for gap in fresh:
                log.append(gap)
            log.sync()
        finally:
            log.close()


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with disk_errors(f"session {directory}"):
        try:
            descriptor = lock_folder(directory)
        except BlockingIOError as error:
            raise SessionError(f"session {directory} is being recorded by another process; wait until it has ended") from error
    try:
        yield
    finally:
        os.close(descriptor)
