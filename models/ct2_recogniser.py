"""Whisper through faster-whisper (CTranslate2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.recognition import (
    CAREFUL_BEAM,
    MAX_PROMPT_TOKENS,
    SAMPLE_RATE_HZ,
    SHORTEST_S,
    WINDOW_S,
    RecogniserError,
    Recognition,
    SpokenWord,
    best_of,
    checked_length_s,
    nothing_heard,
    token_bound,
)
from models.voice_activity import active_steps
from models.word_times import tightened, whole_words

if TYPE_CHECKING:
    from faster_whisper.tokenizer import Tokenizer

Float32Array = npt.NDArray[np.float32]

_HOP_FRAMES = 160
_MELS_PER_S = SAMPLE_RATE_HZ // _HOP_FRAMES
_MAX_TOKENS = 448
_REPETITION_PENALTY = 1.2


@dataclass(frozen=True)
class _Decoded:
    """What one attempt gave, and what an alignment of it needs."""

    recognition: Recognition
    encoded: Any
    tokenizer: Tokenizer
    tokens: list[int]


class Ct2Recogniser:
    """A loaded model.

    Whisper pads all audio to 30 s and spends most of its time on that silence. Here the first attempt pads it by about
    `padding_s` only. A doubtful result (confidence under `min_confidence`, a loop, or words that are not in the sound) is decoded
    again over the full window with a wider search, and once more with a penalty on repetition if that is a loop or has such words
    too. All attempts are deterministic: Whisper's own second attempt samples at random.
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "cpu",
        compute_type: str = "int8",
        n_threads: int = 2,
        language: str = "en",
        beam_size: int = 1,
        padding_s: float = 2.0,
        min_confidence: float = 0.6,
        vocabulary: str = "",
    ) -> None:
        from faster_whisper import WhisperModel

        kind, _, index = device.partition(":")
        self._model = WhisperModel(
            str(folder),
            device=kind,
            device_index=int(index or 0),
            compute_type=compute_type,
            cpu_threads=n_threads,
            local_files_only=True,
        )
        if language != "auto" and language not in self._model.supported_languages:
            known = ", ".join(sorted(self._model.supported_languages))
            raise RecogniserError(f"language {language!r} is not known; allowed are auto, {known}")
        self._language = language
        self._beam_size = beam_size
        self._padding_s = padding_s
        self._min_confidence = min_confidence
        self._vocabulary = vocabulary.strip()

    def recognise(self, samples: Float32Array) -> Recognition:
        """The words in up to 30 s of audio: float32, shape (frames,), at 16 kHz.

        Raises:
            RecogniserError: there is more audio than that.
        """
        length_s = checked_length_s(len(samples))
        active = active_steps(samples, SAMPLE_RATE_HZ)
        if length_s < SHORTEST_S or not active.any():
            return nothing_heard(self._language)

        def attempt(window_s: float, beam_size: int, repetition_penalty: float = 1.0) -> Recognition:
            decoded = self._decoded(samples, window_s, beam_size, repetition_penalty)
            words = tightened(whole_words(self._aligned(decoded, len(samples))), active)
            return replace(decoded.recognition, words=tuple(words))

        tried = [attempt(min(WINDOW_S, math.ceil(length_s + self._padding_s)), self._beam_size)]
        if tried[-1].is_doubtful(self._min_confidence):
            careful = max(self._beam_size, CAREFUL_BEAM)
            tried.append(attempt(WINDOW_S, careful))
            if tried[-1].is_loop or tried[-1].n_squeezed:
                tried.append(attempt(WINDOW_S, careful, _REPETITION_PENALTY))
        return best_of(tried)

    def _decoded(self, samples: Float32Array, window_s: float, beam_size: int, repetition_penalty: float = 1.0) -> _Decoded:
        from faster_whisper.tokenizer import Tokenizer

        encoded = self._model.encode(self._features(samples, window_s))
        language = self._language
        if language == "auto":
            language = self._model.model.detect_language(encoded)[0][0][0].strip("<|>")
        tokenizer = Tokenizer(self._model.hf_tokenizer, self._model.model.is_multilingual, task="transcribe", language=language)
        prompt = [*self._prompt(tokenizer), *tokenizer.sot_sequence]
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=beam_size,
            repetition_penalty=repetition_penalty,
            max_length=min(_MAX_TOKENS, len(prompt) + token_bound(len(samples) / SAMPLE_RATE_HZ)),
            return_scores=True,
            return_no_speech_prob=True,
            # The model writes times between its words, as it was trained to: without them it repeats itself in a short window.
            max_initial_timestamp_index=50,
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        n_tokens = len(result.sequences_ids[0])
        recognition = Recognition(
            text=tokenizer.decode(tokens).strip(),
            words=(),
            language=language,
            mean_log_probability=result.scores[0] * n_tokens / (n_tokens + 1),
            no_speech_probability=result.no_speech_prob,
        )
        return _Decoded(recognition, encoded, tokenizer, tokens)

    def _features(self, samples: Float32Array, window_s: float) -> Float32Array:
        """The log-mel spectrogram of the audio and of silence up to the window's end, shape (mels, steps)."""
        n_steps = round(window_s * _MELS_PER_S)
        padded = np.zeros(n_steps * _HOP_FRAMES, dtype=np.float32)
        padded[: len(samples)] = samples
        features = self._model.feature_extractor(padded)[:, :n_steps]
        return np.ascontiguousarray(features, dtype=np.float32)

    def _prompt(self, tokenizer: Tokenizer) -> list[int]:
        if not self._vocabulary:
            return []
        return [tokenizer.sot_prev, *tokenizer.encode(" " + self._vocabulary)[:MAX_PROMPT_TOKENS]]

    def _aligned(self, decoded: _Decoded, n_frames: int) -> Iterator[SpokenWord]:
        if not decoded.tokens:
            return
        pieces = self._model.find_alignment(decoded.tokenizer, [decoded.tokens], decoded.encoded, n_frames // _HOP_FRAMES)[0]
        for piece in pieces:
            yield SpokenWord(piece["word"], float(piece["start"]), float(piece["end"]), float(piece["probability"]))
