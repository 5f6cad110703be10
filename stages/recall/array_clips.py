"""The room itself as proof: all channels of the array over the span of a clip, cut from the session's recording."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from pipeline.packets import Float32Array
from pipeline.recorded import ns_to_frames
from pipeline.session import SessionReader
from pipeline.session_info import SessionError
from stages.memory.disk.disk_use import RAW_CLIP, RECORDINGS
from stages.memory.rows import LineRow
from stages.recall.clips import FOLDER, clip_stem, cut_span, faded, words_between, write_clip

_MOST_FLAC_CHANNELS = 8
_EARLIEST_NS = 0

_log = logging.getLogger(__name__)


class ArrayCutter:
    """Cuts what all microphones heard below a memory directory; "" is a memory in RAM, which has no recordings."""

    def __init__(self, directory: str) -> None:
        self._root = Path(directory) if directory else None

    def cut(self, line: LineRow, start_ns: int, end_ns: int) -> str | None:
        """The path, relative to the memory directory, of the recording around a line's words between two session times.

        It has the channels of the array in their order, 24 bit, at the recording's rate; FLAC holds eight, so more are WAV. The cut
        goes through no word of the line. The same cut gives the same file, which is made once. None where the session was imported,
        heard without a copy, or its audio has left or was erased there, and where the disk takes no clip.
        """
        if self._root is None:
            return None
        words = words_between(line.words, start_ns, end_ns)
        stem = f"{FOLDER}/{clip_stem(line, words)}{RAW_CLIP}"
        for made in (f"{stem}.flac", f"{stem}.wav"):
            if (self._root / made).is_file():
                return made
        begin_ns, finish_ns = cut_span(line, words, _EARLIEST_NS)
        try:
            read = self._read(line.session, max(0, begin_ns), finish_ns)
            if read is None:
                return None
            samples, sample_rate_hz = read
            suffix, form = ("flac", "FLAC") if len(samples) <= _MOST_FLAC_CHANNELS else ("wav", "WAV")
            target = f"{stem}.{suffix}"
            write_clip(self._root / target, faded(samples, sample_rate_hz).T, sample_rate_hz, form, "PCM_24")
        except (OSError, RuntimeError, SessionError) as error:
            _log.warning("no clip of the array for line %s: %s", line.id, error)
            return None
        return target

    def _read(self, session: str, begin_ns: int, finish_ns: int) -> tuple[Float32Array, int] | None:
        """The recording, shape (channels, frames), and its rate; None where not all of it is kept, or all of it is silence."""
        folder = (self._root or Path()) / RECORDINGS / session
        if not folder.is_dir():
            return None
        with SessionReader(folder) as reader:
            rate = reader.info.sample_rate_hz
            first = ns_to_frames(begin_ns, rate)
            last = min(ns_to_frames(finish_ns, rate), reader.frames)
            if first < reader.first_frame or last <= first:
                return None
            samples = reader.read(first, last - first)
            lost = reader.take_lost()
        # Microphones are never at exactly 0 for so long: this was erased, or never held.
        return None if lost or not np.any(samples) else (samples, rate)
