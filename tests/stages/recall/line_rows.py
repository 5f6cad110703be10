"""Lines made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow, WordRow


def line_row(
    text: str,
    start_s: float = 0.0,
    *,
    track: str = "t1",
    session: str = "s",
    speaker: str | None = None,
    azimuth_deg: float | None = 30.0,
    event: str | None = None,
    clip: str | None = None,
    clip_start_s: float | None = None,
    confidence: float = 0.9,
) -> LineRow:
    """A line whose words last 0.4 s each, one after the other."""
    words = tuple(
        WordRow(word, nanoseconds(start_s + 0.4 * n), nanoseconds(start_s + 0.4 * (n + 1))) for n, word in enumerate(text.split())
    )
    start_ns = nanoseconds(start_s)
    return LineRow(
        id=f"{session}-{track}-{start_ns // 10**6:08d}",
        session=session,
        track=track,
        start_ns=start_ns,
        end_ns=words[-1].end_ns if words else start_ns,
        azimuth_deg=azimuth_deg,
        elevation_deg=None,
        speaker=speaker or f"speaker-{track[1:]}",
        text=text,
        words=words,
        confidence=confidence,
        language="en",
        event=event,
        clip=clip,
        clip_start_ns=nanoseconds(start_s if clip_start_s is None else clip_start_s),
    )


def talk_rows(said: Sequence[tuple[str, str]]) -> list[LineRow]:
    """One talk: who said what, four seconds from line to line, each talker on a track of their own."""
    return [line_row(text, 4.0 * place, track=f"t{who}", speaker=who, event="ward") for place, (who, text) in enumerate(said)]
