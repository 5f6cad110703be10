"""Places tokens in time by what the decoder of a speech recogniser looked at while it wrote each of them.

Some heads of Whisper's cross-attention follow the audio. Their attention, one row for each token over the steps of the audio,
is made into one cost matrix, and dynamic time warping (Sakoe and Chiba 1978) finds the cheapest monotonic path through it:
where the path enters a token's row, the token starts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]

_MEDIAN_STEPS = 7
_DIAGONAL, _NEXT_TOKEN, _NEXT_STEP = 0, 1, 2


def token_starts(attention: FloatArray) -> npt.NDArray[np.intp]:
    """The step at which each token starts.

    Args:
        attention: shape (heads, tokens, steps), each row a distribution over the steps.

    Returns:
        Shape (tokens,), never falling.
    """
    from scipy.ndimage import median_filter

    deviation = attention.std(axis=1, keepdims=True)
    # Every step is judged against what the other tokens do there: some steps draw attention all the time.
    relative = (attention - attention.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-10)
    smooth = median_filter(relative, size=(1, 1, _MEDIAN_STEPS), mode="reflect")
    starts = np.zeros(attention.shape[1], dtype=np.intp)
    for token, step in reversed(cheapest_path(-smooth.mean(axis=0))):
        starts[token] = step
    return starts


def cheapest_path(cost: FloatArray) -> list[tuple[int, int]]:
    """The cells from corner to corner with the lowest sum, for costs of shape (tokens, steps), as (token, step)."""
    moves = _cheapest_moves(np.asarray(cost, dtype=np.float64))
    token, step = cost.shape[0] - 1, cost.shape[1] - 1
    path = [(token, step)]
    while token > 0 or step > 0:
        move = moves[token, step]
        token -= int(move != _NEXT_STEP)
        step -= int(move != _NEXT_TOKEN)
        path.append((token, step))
    return path[::-1]


def _cheapest_moves(cost: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """By which move the cheapest path comes to each cell. Works along anti-diagonals, whose cells do not need each other."""
    n_tokens, n_steps = cost.shape
    total = np.full((n_tokens + 1, n_steps + 1), np.inf)
    total[0, 0] = 0.0
    moves = np.zeros((n_tokens, n_steps), dtype=np.int8)
    for diagonal in range(n_tokens + n_steps - 1):
        token = np.arange(max(0, diagonal - n_steps + 1), min(n_tokens, diagonal + 1))
        step = diagonal - token
        ways = np.stack([total[token, step], total[token, step + 1], total[token + 1, step]])
        best = ways.argmin(axis=0)
        moves[token, step] = best
        total[token + 1, step + 1] = cost[token, step] + ways[best, np.arange(len(token))]
    # The borders have one way only.
    moves[0, :] = _NEXT_STEP
    moves[1:, 0] = _NEXT_TOKEN
    return moves
