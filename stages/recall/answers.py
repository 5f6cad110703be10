"""An answer made of claims, each with the evidence that proves it."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.packets import seconds
from stages.memory.rows import GapRow, LineRow
from stages.recall.untranscribed import INSTEAD_OF_WORDS, is_untranscribed

MOST_RETRIEVED = 50


@dataclass(frozen=True)
class Evidence:
    """A line, or a part of one, that proves a claim. `clip` is the path of its audio relative to the memory directory.

    `first_heard` is what the line was taken to say before it was heard again (`second_look.py`); None where it was not, or with no news.
    """

    utterance: str
    session: str
    start_ns: int
    end_ns: int
    azimuth_deg: float | None
    speaker: str
    text: str
    clip: str | None = None
    first_heard: str | None = None

    @classmethod
    def of(cls, line: LineRow) -> Evidence:
        """A whole line as evidence, without a clip yet. A line without words shows INSTEAD_OF_WORDS."""
        return cls(
            utterance=line.id,
            session=line.session,
            start_ns=line.start_ns,
            end_ns=line.end_ns,
            azimuth_deg=line.azimuth_deg,
            speaker=speaker_of(line),
            text=INSTEAD_OF_WORDS if is_untranscribed(line) else line.text,
        )

    def to_json(self) -> dict[str, Any]:
        """As `ask --json` shows it."""
        return {
            "utterance": self.utterance,
            "session": self.session,
            "start_s": round(seconds(self.start_ns), 3),
            "end_s": round(seconds(self.end_ns), 3),
            "azimuth_deg": rounded_azimuth(self.azimuth_deg),
            "speaker": self.speaker,
            "text": self.text,
            "clip": self.clip,
            **({"first_heard": self.first_heard} if self.first_heard is not None else {}),
        }


@dataclass(frozen=True)
class Claim:
    """One sentence of an answer, and what proves it.

    `confidence` (0 to 1) is how well the evidence answers the question, times how surely its words were recognised, times how closely
    other words than the talkers' keep to it (1 for a quote); stages/answer/README.md tells each.
    """

    text: str
    confidence: float
    evidence: tuple[Evidence, ...]

    def to_json(self) -> dict[str, Any]:
        """As `ask --json` shows it."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 3),
            "evidence": [evidence.to_json() for evidence in self.evidence],
        }


@dataclass(frozen=True)
class Stretch:
    """A stretch of one conversation that was attended or missed: an event, or the part of it that was heard so far.

    `lines` are its lines by start; `importance` (at least 0) says how much there is in it. `event` is None where the event has
    not ended yet. Of what was attended `source` says how that is known ("declared", "question" or "inferred") and `says` what was followed;
    there are no lines where nothing was, or nothing of it was heard. `opening` is how a claim on what was missed then begins.
    """

    session: str
    start_ns: int
    end_ns: int
    event: str | None
    summary: str
    lines: tuple[LineRow, ...]
    importance: float = 0.0
    source: str | None = None
    says: str = ""
    opening: str = ""

    @property
    def tracks(self) -> tuple[str, ...]:
        """Its tracks, the one that spoke most first."""
        return tuple(sorted(self.speech_ns, key=lambda track: (-self.speech_ns[track], track)))

    @property
    def speech_ns(self) -> Mapping[str, int]:
        """How long each track spoke."""
        spoken: dict[str, int] = {}
        for line in self.lines:
            spoken[line.track] = spoken.get(line.track, 0) + line.end_ns - line.start_ns
        return spoken

    def azimuth_deg(self, track: str) -> float | None:
        """Where a track was during this stretch: the mean direction of its lines, each counted for as long as it lasted."""
        return mean_azimuth(line for line in self.lines if line.track == track)

    def to_json(self) -> dict[str, Any]:
        """As `ask --json` shows it. `azimuth_deg` is that of the track that spoke most; what was attended also has `source` and `says`."""
        azimuths = [rounded_azimuth(self.azimuth_deg(track)) for track in self.tracks]
        return {
            "session": self.session,
            "start_s": round(seconds(self.start_ns), 3),
            "end_s": round(seconds(self.end_ns), 3),
            "tracks": list(self.tracks),
            "azimuth_deg": azimuths[0] if azimuths else None,
            "azimuths_deg": azimuths,
            "event": self.event,
            "summary": self.summary,
            **({"source": self.source, "says": self.says} if self.source is not None else {}),
        }


@dataclass(frozen=True)
class Answer:
    """What Echoic answers. When it abstained, `text` says what the nearest thing heard was, and there are no claims.

    `retrieved` are ids of lines, best first, at most 50. `gaps` is all that was lost in the asked time, or of the asked sessions.
    """

    question: str
    intent: str
    abstained: bool
    text: str
    claims: tuple[Claim, ...] = ()
    attended: tuple[Stretch, ...] = ()
    missed: tuple[Stretch, ...] = ()
    retrieved: tuple[str, ...] = ()
    gaps: tuple[GapRow, ...] = ()
    timing_ms: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What `ask --json` prints."""
        return {
            "question": self.question,
            "intent": self.intent,
            "abstained": self.abstained,
            "answer": self.text,
            "claims": [claim.to_json() for claim in self.claims],
            "attended": [stretch.to_json() for stretch in self.attended],
            "missed": [stretch.to_json() for stretch in self.missed],
            "retrieved": list(self.retrieved[:MOST_RETRIEVED]),
            "gaps": [
                {
                    "session": gap.session,
                    "start_s": round(seconds(gap.start_ns), 3),
                    "end_s": round(seconds(gap.end_ns), 3),
                    "reason": gap.reason,
                }
                for gap in self.gaps
            ],
            "timing_ms": {name: round(value, 1) for name, value in self.timing_ms.items()},
        }


def speaker_of(line: LineRow) -> str:
    """Who said a line: the speaker's name, or the track where there is none yet."""
    return line.speaker or line.track


def mean_azimuth(lines: Iterable[LineRow]) -> float | None:
    """The mean direction of some lines, each counted for as long as it lasted; None where none has a bearing."""
    total = sum(
        (line.end_ns - line.start_ns + 1) * cmath.exp(1j * math.radians(line.azimuth_deg)) for line in lines if line.azimuth_deg is not None
    )
    return math.degrees(cmath.phase(total)) % 360.0 if abs(total) > 0 else None


def rounded_azimuth(azimuth_deg: float | None) -> float | None:
    """A bearing to a tenth of a degree, in [0, 360)."""
    return None if azimuth_deg is None else round(azimuth_deg, 1) % 360.0
