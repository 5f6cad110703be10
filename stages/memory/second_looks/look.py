"""A line as it was heard when somebody went back to its recording."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from stages.memory.memory_errors import MemoryError_
from stages.memory.rows import WordRow


class LookDamaged(MemoryError_):
    """What was kept of a second look cannot be read; it is made anew from the recording."""


@dataclass(frozen=True)
class Look:
    """One line heard again.

    `text`, `words` and `confidence` (0 to 1) are as they are believed now; they equal the line's own where hearing again told nothing
    new. `first_text` is what the line says in the tables, which stay as they are. `sound` says what was heard: "beam" for a new beam out
    of the recording, "line audio" for the audio that was kept with the line. `made_by` and `version` say by what.
    """

    line: str
    text: str
    words: tuple[WordRow, ...]
    confidence: float
    first_text: str
    sound: str
    made_by: str
    version: str

    @property
    def is_news(self) -> bool:
        """Whether the line says something else now."""
        return self.text != self.first_text

    def to_json(self) -> dict[str, Any]:
        """As it is kept; times in nanoseconds on the session's clock."""
        return {**asdict(self), "words": [list(word) for word in self.words]}

    @classmethod
    def of_json(cls, row: Any, where: str) -> Look:
        """What `to_json` made. Raises LookDamaged for anything else; `where` is for its message."""
        try:
            words = tuple(WordRow(str(text), int(start), int(end), float(probability)) for text, start, end, probability in row["words"])
            texts = {name: row[name] for name in ("line", "text", "first_text", "sound", "made_by", "version")}
            confidence = float(row["confidence"])
        except (KeyError, TypeError, ValueError) as error:
            raise LookDamaged(f"{where}: this is no second look at a line ({error!r}); remove the file, it is made anew") from error
        if not all(isinstance(text, str) for text in texts.values()) or not 0.0 <= confidence <= 1.0:
            raise LookDamaged(f"{where}: this is no second look at a line (texts or confidence); remove the file, it is made anew")
        return cls(words=words, confidence=confidence, **texts)
