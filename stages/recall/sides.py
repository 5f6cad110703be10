"""Left, right, behind and in front, as bearings of somebody who faces a known way."""

from __future__ import annotations

import re

SIDE_TOLERANCE_DEG = 45.0
"""How far from the middle of a side something may be and still lie on it: the four sides make a whole turn."""

_AFTER_SIDE = (
    r"sa(?:y|ys|id|ying)|talk\w*|sp(?:eak|oke)\w*|chat\w*|discuss\w*|mention\w*|ask\w*|t(?:ell|old)|answer\w*|repl\w+|want\w*|think|thought"
    r"|did|do|does|was|were|is|are|has|have|had|will|would|who|that|about|after|before|and|or|while|when|in|at|between|since|just|during|ever"
    r"|also|then|yesterday|today|this|last|of me"
)
# "The left knee" is no place in the room.
SIDE = re.compile(
    r"\b(?:(?:to|on|from|at|toward|towards) )?(?:my|the) (?P<hand>left|right)"
    rf"(?:(?:[- ]hand)? side\b|(?=\s*(?:[?.!,;]|$)|\s+(?:{_AFTER_SIDE})\b))"
    r"|\b(?P<behind>behind me|behind my back|at my back)\b|\b(?P<front>in front of me|opposite me|facing me|ahead of me)\b",
    re.I,
)
_TURNS = {"left": 90.0, "right": -90.0, "behind": 180.0, "front": 0.0}


def side_in(text: str) -> tuple[str | None, str]:
    """The side that a text names (left, right, behind, front; None for no side), and the text without it.

    "The person on my left" is left as "they": somebody who is known by their place.
    """
    match = SIDE.search(text)
    if match is None:
        return None, text
    side = match["hand"].lower() if match["hand"] else "behind" if match["behind"] else "front"
    before = re.sub(
        r"\b(?:the|a) (?:person|people|man|woman|one|guy|lady|speaker|talker|voice)s?(?: (?:sitting|standing))?\s*$",
        "they ",
        text[: match.start()],
        flags=re.I,
    )
    return side, f"{before} {text[match.end() :]}"


def sides_in(text: str) -> tuple[str, ...]:
    """Every side that a text names, each once, in their order."""
    found: list[str] = []
    side, rest = side_in(text)
    while side is not None:
        found.append(side)
        side, rest = side_in(rest)
    return tuple(dict.fromkeys(found))


def bearing_of(side: str, facing_deg: float) -> float:
    """The azimuth of the middle of a side, in degrees, [0, 360), for somebody who faces `facing_deg`; azimuths grow counter-clockwise."""
    return (facing_deg + _TURNS[side]) % 360.0
