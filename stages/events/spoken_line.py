"""What the segmenters see of a line, and what they make of lines: plain data."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.packets import Float32Array, Line
from stages.events.surprisal import surprisal_of


@dataclass(frozen=True)
class SpokenLine:
    """One line of a conversation. `vector` is float32, shape (dimension,), of unit length.

    `azimuth_deg` is where it was said, None where nobody knows; `confidence` (0 to 1) how sure the recogniser was; `surprisal_nats`
    how unlikely a word of it was to the recogniser (`surprisal_of`), None where that is not known.
    """

    key: str
    track: str
    start_ns: int
    end_ns: int
    text: str
    vector: Float32Array
    azimuth_deg: float | None = None
    confidence: float = 1.0
    surprisal_nats: float | None = None


@dataclass(frozen=True)
class Stretch:
    """Lines of one conversation between two boundaries, in the order in which they came.

    `reason` says why it began where it did, `surprise` how surprising that was in nats, and `closed_ns` when its end was known.
    """

    lines: tuple[SpokenLine, ...]
    reason: str
    surprise: float
    closed_ns: int

    @property
    def start_ns(self) -> int:
        """When its first words began."""
        return min(line.start_ns for line in self.lines)

    @property
    def end_ns(self) -> int:
        """When its last words ended."""
        return max(line.end_ns for line in self.lines)

    @property
    def tracks(self) -> tuple[str, ...]:
        """Who took part, by name."""
        return tuple(sorted({line.track for line in self.lines}))


def spoken(line: Line) -> SpokenLine:
    """What a segmenter needs of a packet."""
    return SpokenLine(
        key=line.transcript.key,
        track=line.transcript.utterance.track.name,
        start_ns=line.pts_ns,
        end_ns=line.end_ns,
        text=line.transcript.text,
        vector=line.embedding,
        azimuth_deg=line.transcript.utterance.track.azimuth_deg,
        confidence=line.transcript.confidence,
        surprisal_nats=surprisal_of([word.probability for word in line.transcript.words]),
    )
