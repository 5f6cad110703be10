"""What can go wrong in the speech stages."""

from __future__ import annotations


class SpeechError(ValueError):
    """A speech stage was handed audio or settings that it cannot work with: the graph or the audio must change."""

    exit_code = 2
