"""Beams of a short recording that lies there whole: the same filters as online, but what they rest on is known from the first sample on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.online_beamformer import Bearing, OnlineBeamformer

STEP_S = 0.176
LOOK_AHEAD_S = 1.408
MEMORY_S = 20.0


def offline_beams(
    positions_m: npt.NDArray[np.float64],
    samples: npt.NDArray[np.float32],
    sample_rate_hz: int,
    bearings: Mapping[str, Bearing],
    reference: int = 0,
    n_passes: int = 2,
) -> dict[str, npt.NDArray[np.float32]]:
    """A beam for each source over all of a recording, by name: float32, shape (frames,), sample for sample as the reference hears it.

    The recording goes through an `OnlineBeamformer` (guided masks, Souden's MVDR) more than once: the passes before the last one learn
    how each source sounds at the microphones, so that its first words are heard with what was learnt from its last ones. Sources stay
    where they are; a minute of 7 channels takes some 3 MB a second while it lasts.

    Args:
        positions_m: microphones, shape (channels, 3).
        samples: shape (channels, frames).
        sample_rate_hz: of the samples.
        bearings: (azimuth, elevation or None) in degrees, by name.
        reference: the microphone as which the beams hear their source.
        n_passes: how often the recording is gone through, at least 1.

    Raises:
        ValueError: no pass, or samples of another number of channels.
    """
    if n_passes < 1 or samples.ndim != 2 or len(samples) != len(positions_m):
        raise ValueError(
            f"offline_beams: n_passes {n_passes} and samples of shape {samples.shape} for {len(positions_m)} microphones; "
            "at least one pass and shape (channels, frames) are needed"
        )
    core = OnlineBeamformer(
        positions_m, sample_rate_hz, reference, step_s=STEP_S, look_ahead_s=LOOK_AHEAD_S, memory_s=MEMORY_S, design="souden", masks="guided"
    )
    for _ in range(n_passes - 1):
        _passed(core, samples, bearings)
        core.reset()
    return _passed(core, samples, bearings)


def _passed(
    core: OnlineBeamformer, samples: npt.NDArray[np.float32], bearings: Mapping[str, Bearing]
) -> dict[str, npt.NDArray[np.float32]]:
    n_frames = samples.shape[1]
    beams = {name: np.zeros(n_frames, dtype=np.float32) for name in bearings}
    core.push(samples)
    core.finish()
    while core.is_ready(at_end=True):
        step = core.step(bearings)
        for name, made in step.samples.items():
            first, last = max(0, step.first_frame), min(n_frames, step.first_frame + len(made))
            if first < last:
                beams[name][first:last] = made[first - step.first_frame : last - step.first_frame]
    return beams
