"""How unlikely the words of a line were to the recogniser that wrote them: surprisal, in nats a word.

The surprisal of a word is -ln of its probability (Hale 2001, "A probabilistic Earley parser as a psycholinguistic model"). Here the
probability is the recogniser's own, given the sound and the words of the line so far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_STORED_DIGITS = 4
"""A memory keeps probabilities with so many digits. They are rounded alike here, so that a line that is read back tells the same."""
_LEAST_PROBABILITY = 0.01
"""Less than this is as good as nothing, and a single word may not say more."""
_LEAST_WORDS = 4


def surprisal_of(probabilities: Sequence[float]) -> float | None:
    """The mean surprisal of a line's words in nats, from the probability (0 to 1) of each; None where they tell nothing.

    The first word is left out: Whisper is in doubt of it whatever it is (0.37 nats, others 0.11, in 270 lines read aloud). Lines of
    fewer than four words tell nothing, and neither do those whose probabilities are all the same or are no numbers: their recogniser
    has none.
    """
    if len(probabilities) < _LEAST_WORDS or not all(math.isfinite(value) for value in probabilities):
        return None
    rounded = [round(value, _STORED_DIGITS) for value in probabilities]
    if min(rounded) == max(rounded):
        return None
    return -math.fsum(math.log(min(1.0, max(_LEAST_PROBABILITY, value))) for value in rounded[1:]) / (len(rounded) - 1)
