"""The voice of espeak-ng: a robot's, but at once, and without any weights."""

from __future__ import annotations

from pipeline.packets import Float32Array
from stages.speaking.speaking_errors import SpeakingError
from stages.speaking.synthesiser import Synthesiser


class EspeakNg(Synthesiser):
    """Speaks with espeak-ng's own voice, through its command.

    Args:
        voice: one of `espeak-ng --voices`, such as "en-us" or "en-gb".
        words_per_minute: how fast, 80 to 450.
    """

    def __init__(self, voice: str = "en-us", words_per_minute: int = 165) -> None:
        if not 80 <= words_per_minute <= 450:
            raise ValueError(f"EspeakNg: words_per_minute is {words_per_minute}; allowed are 80 to 450")
        self._voice = voice
        self._words_per_minute = words_per_minute
        self.sample_rate_hz = 22050

    def start(self) -> None:
        """Say something once. Raises SpeakingError where espeak-ng is not installed, or does not have the voice."""
        self.say("yes")

    def say(self, sentence: str) -> Float32Array:
        """See `Synthesiser`."""
        from models.espeak import EspeakError, speech

        try:
            samples, self.sample_rate_hz = speech(sentence, self._voice, self._words_per_minute)
        except EspeakError as error:
            raise SpeakingError(str(error)) from error
        return samples
