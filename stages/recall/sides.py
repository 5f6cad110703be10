"""Left, right, behind and in front, as bearings of somebody who faces a known way."""

from __future__ import annotations

import re

from stages.recall import cues

BEARING_TOLERANCE_DEG = 25.0
"""How far from a bearing that a person names a line may be: people point with about this accuracy."""
NEAR_DEG = 15.0
"""Where somebody was heard this near to a bearing, nobody farther from it is meant."""
SIDE_TOLERANCE_DEG = 45.0
"""How far from the middle of a side something may be and still lie on it: the four sides make a whole turn."""

_OF_A_THING = (
    r"(?:knee|ear|eye|hand|arm|leg|foot|shoulder|hip|ankle|wrist|thumb|finger|elbow|tooth|cheek|lung|kidney|shoe|boot|sock|glove|sleeve|pocket"
    r"|wing|wheel|tyre|lane|bank|shelf|drawer|door|window|wall|corner|lens|glass|button|key|half|page|column|screen|chair|seat|bed|lamp|light"
    r"|answer|thing|time|one|now|track|way|size|order|word|moment|place|code|day|date|number|amount|person|people|man|woman)s?\b"
)
_SPEAKS = r"(?:sa(?:y|ys|id|ying)|talk(?:ed|ing|s)?|sp(?:eak|oke|eaks|eaking)|discuss(?:ed|es|ing)?)\b"
# "The left knee" and "the right answer" are no places in the room.
SIDE = re.compile(
    r"\b(?:(?:(?:to|on|from|at|toward|towards) )(?:my|the) (?P<hand>left|right)(?:[- ]hand side| side)?\b"
    rf"(?! {_OF_A_THING})|(?:my|the) (?P<bare>left|right)(?:(?:[- ]hand)? side\b|(?= {_SPEAKS})))"
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
    hand = match["hand"] or match["bare"]
    side = hand.lower() if hand else "behind" if match["behind"] else "front"
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


def bearings_in(text: str) -> list[float]:
    """Every bearing that a text names, in degrees as it gives them; they may be none that there are."""
    return [float(re.sub(r"minus ", "-", found, flags=re.I)) for found in cues.BEARING.findall(text)]
