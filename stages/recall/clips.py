"""Playable proof: each evidence's audio, cut from its line's beam at word boundaries."""

from __future__ import annotations

import io
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, WordRow
from stages.recall.answers import Claim

FOLDER = "clips"
FADE_NS = 10 * 10**6
LEAD_NS = 80 * 10**6
TAIL_NS = 160 * 10**6

_log = logging.getLogger(__name__)


class ClipCutter:
    """Cuts clips below a memory directory; "" is a memory in RAM, which has none."""

    def __init__(self, directory: str) -> None:
        self._root = Path(directory) if directory else None

    def cut(self, line: LineRow, start_ns: int | None = None, end_ns: int | None = None) -> str | None:
        """The path, relative to the memory directory, of a line's audio, or of its words between two session times.

        The same cut gives the same file, which is made once. None where the line has no audio or the disk takes no clip.
        """
        if self._root is None or line.clip is None:
            return None
        words = words_between(line.words, line.start_ns if start_ns is None else start_ns, line.end_ns if end_ns is None else end_ns)
        target = f"{FOLDER}/{clip_stem(line, words)}.flac"
        if (self._root / target).is_file():
            return target
        try:
            self._write(line, words, self._root / target)
        except (OSError, RuntimeError) as error:  # soundfile raises RuntimeError for audio that it cannot read
            _log.warning("no clip of line %s: %s", line.id, error)
            return None
        return target

    def _write(self, line: LineRow, words: Sequence[WordRow], target: Path) -> None:
        import soundfile

        source = self._root / (line.clip or "") if self._root is not None else Path()
        samples, sample_rate_hz = soundfile.read(source, dtype="float32")
        first, last = cut_points(line, words, len(samples), sample_rate_hz)
        piece = faded(samples[first:last], sample_rate_hz)
        write_clip(target, piece, sample_rate_hz, "FLAC", "PCM_16")


def write_clip(target: Path, samples: Float32Array, sample_rate_hz: int, form: str, subtype: str) -> None:
    """Samples, shape (frames,) or (frames, channels), as a sound file that is there whole or not at all.

    Raises OSError, RuntimeError.
    """
    import soundfile

    encoded = io.BytesIO()
    soundfile.write(encoded, samples, sample_rate_hz, format=form, subtype=subtype)
    target.parent.mkdir(exist_ok=True)
    handle, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(encoded.getbuffer())
        Path(part).chmod(0o644)
        Path(part).replace(target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def clip_stem(line: LineRow, words: Sequence[WordRow]) -> str:
    """What the cut of some words of a line is called: after the line, and after their span where they are not all of it."""
    part = "" if len(words) == len(line.words) else f"-{words[0].start_ns // 10**6:08d}-{words[-1].end_ns // 10**6:08d}"
    return f"{line.id}{part}"


def words_between(words: Sequence[WordRow], start_ns: int, end_ns: int) -> tuple[WordRow, ...]:
    """The words of which at least half lies in a span; all words where none does."""
    inside = tuple(word for word in words if 2 * (min(word.end_ns, end_ns) - max(word.start_ns, start_ns)) >= word.end_ns - word.start_ns)
    return inside or tuple(words)


def cut_points(line: LineRow, words: Sequence[WordRow], n_frames: int, sample_rate_hz: int) -> tuple[int, int]:
    """First frame and the frame after the last one of a cut that never goes through a word.

    The cut leaves a little room around its words, but goes at most half-way to the words beside them.
    """
    begin, finish = cut_span(line, words, line.clip_start_ns)
    first = min(max(0, (begin - line.clip_start_ns) * sample_rate_hz // NS_PER_S), n_frames)
    last = min(max(first, (finish - line.clip_start_ns) * sample_rate_hz // NS_PER_S), n_frames)
    # Word times that do not lie in the audio at all would leave nothing to play: then the whole line is the clip.
    return (first, last) if last > first else (0, n_frames)


def cut_span(line: LineRow, words: Sequence[WordRow], first_ns: int) -> tuple[int, int]:
    """The session times of a cut around some words of a line that goes through no other word.

    Before the first word of the line it may begin as early as `first_ns`, where the audio begins.
    """
    start_ns, end_ns = (words[0].start_ns, words[-1].end_ns) if words else (line.start_ns, line.end_ns)
    before = [word.end_ns for word in line.words if word.end_ns <= start_ns]
    after = [word.start_ns for word in line.words if word.start_ns >= end_ns]
    begin = max(start_ns - LEAD_NS, (start_ns + max(before)) // 2 if before else first_ns)
    finish = min(end_ns + TAIL_NS, (end_ns + min(after)) // 2) if after else end_ns + TAIL_NS
    return begin, finish


def faded(samples: Float32Array, sample_rate_hz: int) -> Float32Array:
    """Samples, float32, shape (..., frames), with short raised-cosine fades, so that a cut does not click."""
    n_fade = min(FADE_NS * sample_rate_hz // NS_PER_S, samples.shape[-1] // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(n_fade) + 0.5) / max(1, n_fade))).astype(np.float32)
    out = samples.astype(np.float32, copy=True)
    out[..., :n_fade] *= ramp
    out[..., out.shape[-1] - n_fade :] *= ramp[::-1]
    return out


def with_clips(claims: Sequence[Claim], memory: LongTermMemory) -> list[Claim]:
    """Claims with the clips of their evidence, cut from the lines of the memory: what was found by ranking has no words."""
    cutter = ClipCutter(memory.directory)
    cited = sorted({evidence.utterance for claim in claims for evidence in claim.evidence})
    lines = {line.id: line for line in memory.lines(ids=cited, copies=True)} if cited else {}
    return [
        replace(
            claim,
            evidence=tuple(
                replace(evidence, clip=cutter.cut(lines[evidence.utterance], evidence.start_ns, evidence.end_ns))
                for evidence in claim.evidence
            ),
        )
        for claim in claims
    ]
