"""The truth of a scene: every line as it was said, with the times at which it reaches the array and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.kokoro import SpokenWord
from tools.room import SAMPLE_RATE_HZ
from tools.scene_place import Position
from tools.scene_source import Source
from tools.scene_turns import Turn


@dataclass(frozen=True)
class TruthLine:
    """One line as it was really said; times are when it reaches the array's reference microphone.

    Somebody who walks has `positions`, every 0.1 s, and the azimuth of the middle of the line.
    """

    id: str
    session: str
    start_s: float
    end_s: float
    track: str
    azimuth_deg: float | None
    speaker: str
    text: str
    words: tuple[SpokenWord, ...]
    event: str
    conversation: str
    copy_of: str | None = None
    positions: tuple[Position, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The line as `echoic export --format jsonl` would give it, the name of its conversation, and the positions if it walks."""
        row = {name: getattr(self, name) for name in ("id", "session", "start_s", "end_s", "track", "azimuth_deg", "speaker", "text")}
        words = [{"text": word.text, "start_s": round(word.start_s, 3), "end_s": round(word.end_s, 3)} for word in self.words]
        walk = {"positions": [position.to_json() for position in self.positions]} if self.positions else {}
        return {**row, "words": words, "event": self.event, "copy_of": self.copy_of, "conversation": self.conversation, **walk}


def truth_lines(session: str, turns: Sequence[Turn], sources: Mapping[str, Source]) -> tuple[TruthLine, ...]:
    """The truth of the lines that were said, in order of their starts."""
    lines = []
    for turn in sorted(turns, key=lambda turn: (turn.mouth_s + turn.clip.words[0].start_s, turn.line.speaker)):
        who = turn.line.speaker
        source, mouth_s = sources[who], turn.mouth_frame / SAMPLE_RATE_HZ
        words = tuple(
            replace(
                word,
                start_s=word.start_s + (mouth_s + source.delay_s(mouth_s + word.start_s)),
                end_s=word.end_s + (mouth_s + source.delay_s(mouth_s + word.end_s)),
            )
            for word in turn.clip.words
        )
        start_s, end_s = words[0].start_s, words[-1].end_s
        lines.append(
            TruthLine(
                id=f"{session}-{who}-{round(start_s * 1000):08d}",
                session=session,
                start_s=round(start_s, 3),
                end_s=round(end_s, 3),
                track=who,
                azimuth_deg=source.position((start_s + end_s) / 2).azimuth_deg,
                speaker=who,
                text=turn.clip.text,
                words=words if turn.clip.word_times else (),
                event=turn.topic,
                conversation=turn.conversation,
                positions=source.positions(start_s, end_s) if source.moves else (),
            )
        )
    return tuple(lines)
