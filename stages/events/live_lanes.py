"""What lanes besides the meaning of lines say about a new topic: pauses, who is there, where they are, sounds, and unlikely words.

Each lane has a model of its own of what comes next (`SurpriseModel`), and its surprise is a negative log likelihood under it.
Against a model of what comes where a topic begins, that is a log likelihood ratio. It counts only where it speaks for a new topic, so
that lines without times, places or sounds are judged by their words.
"""

from __future__ import annotations

import math

from stages.events.surprise_model import Surprise

_LONGER_PAUSES = 3.0
"""Pauses between topics are taken to be this many times as long as others."""
_JOINS = 0.2
"""How often somebody joins, or a sound of a new kind is heard, where a topic begins: joining then tells 1.4 nats after 20 lines
(measured on the tuning part of QMSum: 1.5)."""
_BEARING_NATS = 2.3
"""-ln of a move's density where all bearings are alike (360 degrees), over its peak with 15 degrees of deviation."""
_BEARING_SHARE = 0.5

LANES = ("silence", "somebody joined", "bearing", "sound", "surprisal")


def evidence_of(surprise: Surprise, surprisal_ratio: float = 1.0) -> dict[str, float]:
    """What each lane adds to the log odds of a new topic before a line, in nats, at least 0.

    `surprisal_ratio` is how many times as much surprisal the words of a line that begins a topic are taken to have.
    """
    return {
        # Two exponential densities: -ln k + (1 - 1/k) x, for a pause of x mean pauses.
        "silence": max(0.0, surprise.silence * (1.0 - 1.0 / _LONGER_PAUSES) - math.log(_LONGER_PAUSES)),
        "somebody joined": max(0.0, surprise.people + math.log(_JOINS)) if surprise.joined else 0.0,
        "bearing": max(0.0, _BEARING_SHARE * (surprise.bearing - _BEARING_NATS)),
        "sound": max(0.0, surprise.sound + math.log(_JOINS)),
        "surprisal": max(0.0, surprise.surprisal * (1.0 - 1.0 / surprisal_ratio) - math.log(surprisal_ratio)),
    }
