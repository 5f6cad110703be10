"""Whisper through openai-whisper (torch), from the same weights that faster-whisper reads."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.ct2_whisper import openai_weights, read_variables
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
from models.token_alignment import token_starts
from models.voice_activity import active_steps
from models.word_times import tightened, whole_words

if TYPE_CHECKING:
    import torch
    from whisper.decoding import DecodingResult
    from whisper.model import Whisper
    from whisper.tokenizer import Tokenizer

Float32Array = npt.NDArray[np.float32]

_STEPS_PER_S = 50
# Windows are multiples of this, so that utterances of like length share a batch.
_WINDOW_STEP_S = 2.5


def load_whisper(folder: Path, device: str = "cpu") -> Whisper:
    """An openai-whisper model with the weights of a CTranslate2 folder (`model.bin`, `config.json`), in float32.

    Raises:
        Ct2Error: the file is damaged or holds another model.
        RuntimeError: a weight is missing or left over (torch's strict loading).
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    dims, weights = openai_weights(read_variables(folder / "model.bin"))
    model = Whisper(ModelDimensions(**dims.as_dict()))
    model.load_state_dict({name: torch.from_numpy(value.astype(np.float32)) for name, value in weights.items()}, strict=True)
    follows_audio = torch.zeros(dims.n_text_layer, dims.n_text_head, dtype=torch.bool)
    for layer, head in json.loads((folder / "config.json").read_text(encoding="utf-8"))["alignment_heads"]:
        follows_audio[layer, head] = True
    model.register_buffer("alignment_heads", follows_audio.to_sparse(), persistent=False)
    return model.eval().to(device)


class TorchRecogniser:
    """A loaded model that hears several stretches of audio at once.

    On a GPU it computes in half precision. Attempts are those of `Ct2Recogniser`: a window that fits the audio first, the full
    window with a wider search for a doubtful result. What is decoded together has the same window, so what comes out does not
    depend on what else was in the batch.
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "cpu",
        n_threads: int = 2,
        language: str = "en",
        beam_size: int = 1,
        padding_s: float = 2.0,
        min_confidence: float = 0.6,
        vocabulary: str = "",
    ) -> None:
        from whisper.tokenizer import LANGUAGES, get_tokenizer

        if language != "auto" and language not in LANGUAGES:
            raise RecogniserError(f"language {language!r} is not known; allowed are auto, {', '.join(sorted(LANGUAGES))}")
        self._half = device.startswith("cuda")
        self._n_threads = n_threads
        with warnings.catch_warnings():
            # openai-whisper leaves closing its vocabulary file to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            get_tokenizer(multilingual=True)
        self._model = load_whisper(folder, device)
        self._positions: torch.Tensor = self._model.encoder.positional_embedding
        self._language = None if language == "auto" else language
        self._beam_size = beam_size
        self._padding_s = padding_s
        self._min_confidence = min_confidence
        self._vocabulary = vocabulary.strip()

    def recognise(self, pieces: Sequence[Float32Array]) -> list[Recognition]:
        """The words in each piece of up to 30 s: float32, shape (frames,), at 16 kHz.

        Raises:
            RecogniserError: a piece is longer.
        """
        import torch

        from models.torch_threads import limit_torch_threads

        # Per thread of the program, so here, where the work is done.
        limit_torch_threads(self._n_threads)
        by_window: dict[float, list[int]] = {}
        found = [nothing_heard(self._language or "") for _ in pieces]
        for index, samples in enumerate(pieces):
            length_s = checked_length_s(len(samples))
            if length_s >= SHORTEST_S and active_steps(samples, SAMPLE_RATE_HZ).any():
                padded_s = math.ceil((length_s + self._padding_s) / _WINDOW_STEP_S) * _WINDOW_STEP_S
                by_window.setdefault(min(WINDOW_S, padded_s), []).append(index)
        with torch.inference_mode():
            for window_s, group in sorted(by_window.items()):
                # The bound on the text is that of the window: the same for every batch.
                results = self._decoded([pieces[index] for index in group], window_s, self._beam_size, token_bound(window_s))
                for index, result in zip(group, results, strict=True):
                    found[index] = self._careful(result, pieces[index])
        return found

    def _decoded(self, pieces: Sequence[Float32Array], window_s: float, beam_size: int, n_tokens: int) -> list[DecodingResult]:
        import torch
        from whisper.audio import log_mel_spectrogram, pad_or_trim
        from whisper.decoding import DecodingOptions, DecodingTask

        n_frames = round(window_s * SAMPLE_RATE_HZ)
        mels = [log_mel_spectrogram(pad_or_trim(np.array(samples), n_frames), self._model.dims.n_mels) for samples in pieces]
        options = DecodingOptions(
            language=self._language,
            beam_size=beam_size if beam_size > 1 else None,
            sample_len=min(n_tokens, self._model.dims.n_text_ctx // 2),
            prompt=self._prompt(),
            fp16=self._half,
        )
        self._set_window(window_s)
        results: list[DecodingResult] = DecodingTask(self._model, options).run(torch.stack(mels).to(self._model.device))
        return results

    def _set_window(self, window_s: float) -> None:
        """Let the encoder take shorter audio: it insists on as many steps as it has positions, and the decoder on their number."""
        n_steps = round(window_s * _STEPS_PER_S)
        self._model.encoder.positional_embedding = self._positions[:n_steps]
        self._model.dims.n_audio_ctx = n_steps

    def _prompt(self) -> list[int] | None:
        from whisper.tokenizer import get_tokenizer

        if not self._vocabulary:
            return None
        tokens: list[int] = get_tokenizer(self._model.is_multilingual).encode(" " + self._vocabulary)
        return tokens[:MAX_PROMPT_TOKENS]

    def _careful(self, result: DecodingResult, samples: Float32Array) -> Recognition:
        """The result, or a better one where it is doubtful, with its words."""
        tried = [self._with_words(result, samples)]
        if tried[0].is_doubtful(self._min_confidence):
            bound = token_bound(len(samples) / SAMPLE_RATE_HZ)
            wider = self._decoded([samples], WINDOW_S, max(self._beam_size, CAREFUL_BEAM), bound)[0]
            tried.append(self._with_words(wider, samples))
        return best_of(tried)

    def _with_words(self, result: DecodingResult, samples: Float32Array) -> Recognition:
        words = whole_words(self._aligned(result.tokens, result.audio_features, result.language, len(samples)))
        placed = tuple(tightened(words, active_steps(samples, SAMPLE_RATE_HZ)))
        return Recognition(result.text.strip(), placed, result.language, result.avg_logprob, result.no_speech_prob)

    def _aligned(self, tokens: list[int], features: torch.Tensor, language: str, n_frames: int) -> Iterator[SpokenWord]:
        import torch
        from whisper.tokenizer import get_tokenizer

        tokenizer: Tokenizer = get_tokenizer(self._model.is_multilingual, language=language, task="transcribe")
        text = [token for token in tokens if token < tokenizer.eot]
        n_steps = n_frames * _STEPS_PER_S // SAMPLE_RATE_HZ
        if not text or not n_steps:
            return
        first = len(tokenizer.sot_sequence)
        fed = torch.tensor([[*tokenizer.sot_sequence, tokenizer.no_timestamps, *text, tokenizer.eot]], device=self._model.device)
        logits, attention = self._attention(fed, features[None])
        chances = logits[0, first : first + len(text), : tokenizer.eot].float().softmax(dim=-1)
        probabilities = chances[torch.arange(len(text)), torch.tensor(text, device=chances.device)].tolist()
        # The row of each token says where the next one is; the last row is the end of the text.
        rows = attention[:, first:-1, :n_steps].float().softmax(dim=-1).cpu().numpy()
        times_s = token_starts(rows) / _STEPS_PER_S
        words, groups = tokenizer.split_to_word_tokens([*text, tokenizer.eot])
        at = 0
        for word, group in zip(words[:-1], groups[:-1], strict=True):
            end = at + len(group)
            yield SpokenWord(word, float(times_s[at]), float(times_s[end]), float(np.mean(probabilities[at:end])))
            at = end

    def _attention(self, tokens: torch.Tensor, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits and the raw attention of the heads that follow the audio, shape (heads, tokens, steps)."""
        import torch
        from whisper.model import disable_sdpa

        seen: dict[int, torch.Tensor] = {}
        hooks = [block.cross_attn.register_forward_hook(_keeper(seen, index)) for index, block in enumerate(self._model.decoder.blocks)]
        try:
            with disable_sdpa():
                logits = self._model.decoder(tokens, features)
        finally:
            for hook in hooks:
                hook.remove()
        heads = self._model.alignment_heads.indices().T.tolist()
        return logits, torch.stack([seen[layer][0, head] for layer, head in heads])


def _keeper(seen: dict[int, torch.Tensor], index: int) -> Any:
    def keep(_module: Any, _inputs: Any, outputs: tuple[Any, torch.Tensor]) -> None:
        seen[index] = outputs[1]

    return keep
