"""One declaration of attention, and what makes one good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from stages.memory.memory_errors import MemoryError_

Kind = Literal["azimuth", "speaker", "topic", "nothing", "away"]
MOST_CHARACTERS = 200
"""How long a topic or a reason may be."""


class AttentionError(MemoryError_):
    """A declaration that cannot be, or that is not there; the message says what can be given."""

    exit_code = 2


@dataclass(frozen=True)
class Attention:
    """What the user followed from a moment on.

    Times are wall-clock nanoseconds since 1970 in UTC; without `end_at_ns` it holds until the next one begins. `session` None: in every
    session of that time. `azimuth_deg` (0 to 360) and `speaker` (an id; `name` is what they are called) belong to the kinds of these names;
    `words` are the topic, or why the user was away. `n` numbers those that are stored, from 1.
    """

    kind: Kind
    start_at_ns: int
    end_at_ns: int | None = None
    session: str | None = None
    azimuth_deg: float | None = None
    speaker: str | None = None
    words: str = ""
    n: int = 0
    name: str | None = None

    @property
    def id(self) -> str:
        """By which it is cleared."""
        return f"attention-{self.n}"

    @property
    def follows(self) -> bool:
        """Whether anything was followed."""
        return self.kind not in {"nothing", "away"}

    @property
    def told(self) -> str:
        """What it says, as part of a sentence after "You had declared that".

        It has no quotation marks: in answers these hold what was said in the room.
        """
        words = self.words.replace('"', "'")
        match self.kind:
            case "azimuth":
                return f"you followed whoever was at {self.azimuth_deg:g} degrees"
            case "speaker":
                return f"you followed {self.name or self.speaker}"
            case "topic":
                return f"you followed the talk about {words}"
            case "nothing":
                return "you followed nothing"
            case "away":
                return f"you were away ({words})" if words else "you were away"


def checked(attention: Attention) -> Attention:
    """The same with needless space taken out of its words. Raises AttentionError where it says too little, too much or what cannot be."""
    words = " ".join(attention.words.split())
    if words and (not words.isprintable() or len(words) > MOST_CHARACTERS):
        shown = repr(words) if len(words) <= MOST_CHARACTERS else f"{words[:20]!r}... ({len(words)} characters)"
        raise AttentionError(f"{_named(attention)} {shown}: it must have 1 to {MOST_CHARACTERS} printable characters")
    if attention.kind == "topic" and not any(character.isalnum() for character in words):
        raise AttentionError(f"topic {attention.words!r}: say in words what it is about, such as 'dogs'")
    if attention.kind == "azimuth" and (attention.azimuth_deg is None or not 0.0 <= attention.azimuth_deg <= 360.0):
        raise AttentionError(f"azimuth {attention.azimuth_deg}: it must be from 0 to 360 degrees, counter-clockwise from the array's +x")
    if attention.end_at_ns is not None and attention.end_at_ns <= attention.start_at_ns:
        raise AttentionError("a declaration must end after it begins; give a --to that is later than --from")
    return replace(attention, words=words)


def _named(attention: Attention) -> str:
    return "reason" if attention.kind == "away" else attention.kind
