"""What can be wrong with audio or settings of the sound stages."""

from __future__ import annotations


class SoundError(ValueError):
    """Audio that cannot be judged, a setting that is no choice, or a stage that was not started: the graph or the audio must change."""

    exit_code = 2
