"""How much of a beam's sound came from its own direction over a time."""

from __future__ import annotations

import numpy as np

from pipeline.packets import NS_PER_S, Utterance


def presence_over(utterance: Utterance, start_ns: int, end_ns: int) -> float | None:
    """The presence (0 to 1) of an utterance's beam from `start_ns` to `end_ns` of the session, the mean weighed by energy.

    None where the utterance does not know it over time, or where nothing sounds then.
    """
    n_parts, n_samples = len(utterance.presences), len(utterance.samples)
    if n_parts == 0 or n_samples == 0:
        return None
    first, last = (
        min(n_samples, max(0, (time_ns - utterance.audio_pts_ns) * utterance.sample_rate_hz // NS_PER_S)) for time_ns in (start_ns, end_ns)
    )
    energy = np.square(utterance.samples[first:last], dtype=np.float64)
    whole = float(energy.sum())
    if whole <= 0.0:
        return None
    # The parts are of one length, only the last one may be shorter: to half of one it does not matter.
    parts = np.arange(first, last) * n_parts // n_samples
    return float(energy @ utterance.presences[parts].astype(np.float64)) / whole
