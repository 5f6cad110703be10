"""Whisper through faster-whisper (CTranslate2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.recogniser import Recogniser, Search, placed
from models.recognition import MAX_PROMPT_TOKENS, SAMPLE_RATE_HZ, RecogniserError, RecogniserLoadError, Recognition, SpokenWord
from models.whisper_languages import LANGUAGES
from models.whisper_tokens import with_first_merge

if TYPE_CHECKING:
    from faster_whisper.tokenizer import Tokenizer

Float32Array = npt.NDArray[np.float32]

_HOP_FRAMES = 160
_MELS_PER_S = SAMPLE_RATE_HZ // _HOP_FRAMES
_MAX_TOKENS = 448


class Ct2Recogniser(Recogniser):
    """A loaded model. On a CPU a batch gives bit for bit what each piece gives alone.

    Args:
        folder: where the model lies (`models/whisper_folder.py` finds and checks it).
        device: "cpu", or a GPU such as "cuda:0".
        compute_type: the precision that it computes in, by CTranslate2's names; "auto" is int8 on a CPU and float16 on a GPU.
        n_threads: CPU threads.
        language: a code such as "en", or "auto"; a model that knows English only takes "en".
        beam_size, padding_s, min_confidence, vocabulary: see `Recogniser`.

    Raises:
        RecogniserLoadError: the model does not load.
        RecogniserError: the model does not know the language.
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "cpu",
        compute_type: str = "auto",
        n_threads: int = 2,
        language: str = "en",
        beam_size: int = 1,
        padding_s: float = 2.0,
        min_confidence: float = 0.6,
        vocabulary: Sequence[str] = (),
    ) -> None:
        super().__init__(language, LANGUAGES, beam_size, padding_s, min_confidence, vocabulary)
        from faster_whisper import WhisperModel
        from faster_whisper.feature_extractor import FeatureExtractor

        kind, _, index = device.partition(":")
        usual = "int8" if kind == "cpu" else "float16"
        try:
            self._model = WhisperModel(
                str(folder),
                device=kind,
                device_index=int(index or 0),
                compute_type=usual if compute_type == "auto" else compute_type,
                cpu_threads=n_threads,
                local_files_only=True,
            )
        except Exception as error:  # tokenizers raises nothing narrower for a file that it cannot read
            raise RecogniserLoadError(f"the Whisper model in {folder} does not load on {device}: {error}") from error
        self._knows_languages = bool(self._model.model.is_multilingual)
        if not self._knows_languages and language != "en":
            raise RecogniserError(f"the Whisper model in {folder} knows English only, so language must be 'en', found {language!r}")
        self._model.hf_tokenizer = with_first_merge(self._model.hf_tokenizer)
        # The weights say how many bands they hear; faster-whisper goes by a file that need not be there.
        self._extractor = FeatureExtractor(feature_size=self._model.model.n_mels)

    def decoded(self, pieces: Sequence[Float32Array], window_s: float, search: Search) -> list[Recognition]:
        """One attempt at each piece, in one batch."""
        encoded = self._model.encode(np.stack([self._features(samples, window_s) for samples in pieces]))
        languages = self._languages(encoded, len(pieces))
        tokenizers = [self._tokenizer(language) for language, _ in languages]
        prompts = [[*self._prompt(tokenizer, search), *tokenizer.sot_sequence] for tokenizer in tokenizers]
        results = self._model.model.generate(
            encoded,
            prompts,
            beam_size=search.beam_size,
            repetition_penalty=search.repetition_penalty,
            max_length=min(_MAX_TOKENS, len(prompts[0]) + search.n_tokens),
            return_scores=True,
            return_no_speech_prob=True,
            # The model writes times between its words, as it was trained to: without them it repeats itself in a short window.
            max_initial_timestamp_index=50,
        )
        found = []
        for index, (samples, tokenizer, (language, fit), result) in enumerate(zip(pieces, tokenizers, languages, results, strict=True)):
            tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
            n_tokens = len(result.sequences_ids[0])
            found.append(
                Recognition(
                    text=tokenizer.decode(tokens).strip(),
                    words=placed(self._aligned(tokenizer, tokens, _row(encoded, index), len(samples)), samples),
                    language=language,
                    mean_log_probability=result.scores[0] * n_tokens / (n_tokens + 1),
                    no_speech_probability=result.no_speech_prob,
                    language_fit=fit,
                )
            )
        return found

    def _languages(self, encoded: Any, n_pieces: int) -> list[tuple[str, float]]:
        """The language of each piece, and how well the audio fits it; a model that knows one cannot tell."""
        if not self._knows_languages:
            return [("en", 1.0)] * n_pieces
        return [
            self.language_of([(token.strip("<|>"), probability) for token, probability in found])
            for found in self._model.model.detect_language(encoded)
        ]

    def _tokenizer(self, language: str) -> Tokenizer:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self._model.hf_tokenizer, self._knows_languages, task="transcribe", language=language)

    def _features(self, samples: Float32Array, window_s: float) -> Float32Array:
        """The log-mel spectrogram of the audio and of silence up to the window's end, shape (mels, steps)."""
        n_steps = round(window_s * _MELS_PER_S)
        padded = np.zeros(n_steps * _HOP_FRAMES, dtype=np.float32)
        padded[: len(samples)] = samples
        features = self._extractor(padded)[:, :n_steps]
        return np.ascontiguousarray(features, dtype=np.float32)

    def _prompt(self, tokenizer: Tokenizer, search: Search) -> list[int]:
        if not self.vocabulary or not search.with_vocabulary:
            return []
        return [tokenizer.sot_prev, *tokenizer.encode(self.vocabulary_text)[:MAX_PROMPT_TOKENS]]

    def _aligned(self, tokenizer: Tokenizer, tokens: list[int], encoded: Any, n_frames: int) -> Iterator[SpokenWord]:
        if not tokens:
            return
        pieces = self._model.find_alignment(tokenizer, [tokens], encoded, n_frames // _HOP_FRAMES)[0]
        for piece in pieces:
            yield SpokenWord(piece["word"], float(piece["start"]), float(piece["end"]), float(piece["probability"]))


def _row(encoded: Any, index: int) -> Any:
    """One piece of an encoded batch: an alignment of texts of unlike lengths together would move the words of the shorter ones."""
    if encoded.shape[0] == 1:
        return encoded
    from ctranslate2 import Device, StorageView

    here = encoded.to_device(Device.cpu) if encoded.device != "cpu" else encoded
    return StorageView.from_array(np.ascontiguousarray(np.asarray(here)[index : index + 1]))
