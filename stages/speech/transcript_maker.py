"""Puts what a recogniser heard in an utterance onto the session clock, if it is to be believed."""

from __future__ import annotations

from typing import ClassVar

from models.recognition import SAMPLE_RATE_HZ, WINDOW_S, Recognition, SpokenWord
from models.text_guard import believed_words
from pipeline.packets import Transcript, Utterance, Word, nanoseconds
from stages.speech.setting_checks import check_language
from stages.speech.speech_errors import SpeechError
from stages.speech.word_text import joined


class TranscriptMaker:
    """Makes the transcripts of one stream of utterances, in the order of their ends.

    Utterances come in the order of their ends, but the last word of a later one can end before the last word of an earlier one
    on another track. A transcript then ends with the earlier one; it never ends after its utterance, and so never before a
    transcript that left earlier. It ends at most `delay_ns` before its utterance does, which bounds how long others wait.
    """

    delay_ns: ClassVar[int] = 300_000_000

    def __init__(self) -> None:
        self._last_end_ns = 0

    def transcript(self, utterance: Utterance, heard: Recognition) -> Transcript | None:
        """The transcript; None when nothing in it is to be believed."""
        spoken = believed_words(heard, utterance.samples, utterance.sample_rate_hz)
        if not spoken:
            return None
        words = tuple(_placed(word, utterance) for word in spoken)
        end_ns = max(words[-1].end_ns, min(self._last_end_ns, utterance.end_ns), utterance.end_ns - self.delay_ns)
        self._last_end_ns = end_ns
        return Transcript(
            pts_ns=words[0].start_ns,
            duration_ns=end_ns - words[0].start_ns,
            utterance=utterance,
            text=heard.text if len(spoken) == len(heard.words) else joined((word.text for word in spoken), heard.text),
            words=words,
            language=heard.language,
            confidence=heard.confidence,
        )


def check_rate(utterance: Utterance, stage: str) -> None:
    """Raises SpeechError for audio at a rate that Whisper does not read."""
    if utterance.sample_rate_hz != SAMPLE_RATE_HZ:
        raise SpeechError(
            f"{stage}: an utterance of track {utterance.track.name} comes at {utterance.sample_rate_hz} Hz; {SAMPLE_RATE_HZ} Hz is needed"
        )


def check_settings(
    stage: str, language: str, beam_size: int, n_threads: int, padding_s: float, min_confidence: float, max_batch: int = 0
) -> None:
    """Raises SpeechError for settings that no recogniser can work with."""
    check_language(stage, language)
    if beam_size < 1 or n_threads < 1 or not 0 <= padding_s <= WINDOW_S or not 0 <= min_confidence <= 1:
        raise SpeechError(
            f"{stage}: beam_size {beam_size}, n_threads {n_threads}, padding_s {padding_s}, min_confidence {min_confidence}: the first "
            f"two must be at least 1, padding_s 0 to {WINDOW_S:.0f}, min_confidence 0 to 1"
        )
    if max_batch < 0:
        raise SpeechError(f"{stage}: max_batch is {max_batch}; at least 1 is needed, or 0 to choose by the device")


def _placed(word: SpokenWord, utterance: Utterance) -> Word:
    start_ns = min(utterance.audio_pts_ns + nanoseconds(word.start_s), utterance.end_ns)
    end_ns = min(utterance.audio_pts_ns + nanoseconds(word.end_s), utterance.end_ns)
    return Word(word.text, start_ns, max(start_ns, end_ns), min(1.0, word.probability))
