"""Checks of settings that several speech stages have in common."""

from __future__ import annotations

import math

from models.whisper_languages import LANGUAGES
from stages.speech.speech_errors import SpeechError


def check_range(stage: str, lowest: float, highest: float = math.inf, **settings: float) -> None:
    """Raises SpeechError for a setting that is not finite or not from `lowest` to `highest` (both allowed)."""
    for name, value in settings.items():
        if not lowest <= value <= highest or not math.isfinite(value):
            allowed = f"at least {lowest:g}" if math.isinf(highest) else f"from {lowest:g} to {highest:g}"
            if math.isinf(lowest):
                allowed = f"at most {highest:g}"
            raise SpeechError(f"{stage}: {name} must be {allowed}, found {value}")


def check_language(stage: str, language: str) -> None:
    """Raises SpeechError for what is neither "auto" nor the code of a language that Whisper base can write."""
    if language != "auto" and language not in LANGUAGES:
        raise SpeechError(f"{stage}: language {language!r} is not known; allowed are auto, {', '.join(sorted(LANGUAGES))}")
