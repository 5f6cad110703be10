"""Whisper through openai-whisper (torch), from the same weights that faster-whisper reads."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.ct2_whisper import openai_weights, read_variables
from models.recogniser import Recogniser, Search, placed
from models.recognition import MAX_PROMPT_TOKENS, SAMPLE_RATE_HZ, Recognition, SpokenWord
from models.token_alignment import token_starts
from models.whisper_languages import LANGUAGES

if TYPE_CHECKING:
    import torch
    from whisper.decoding import DecodingResult
    from whisper.model import Whisper
    from whisper.tokenizer import Tokenizer

Float32Array = npt.NDArray[np.float32]

_STEPS_PER_S = 50


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


class TorchRecogniser(Recogniser):
    """A loaded model. On a GPU it computes in half precision, unless `half` says otherwise."""

    window_step_s = 2.5
    can_penalise = False

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "cpu",
        half: bool | None = None,
        n_threads: int = 2,
        language: str = "en",
        beam_size: int = 1,
        padding_s: float = 2.0,
        min_confidence: float = 0.6,
        vocabulary: Sequence[str] = (),
    ) -> None:
        from whisper.tokenizer import get_tokenizer

        super().__init__(language, LANGUAGES, beam_size, padding_s, min_confidence, vocabulary)
        self._half = device.startswith("cuda") if half is None else half
        self._n_threads = n_threads
        with warnings.catch_warnings():
            # openai-whisper leaves closing its vocabulary file to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            get_tokenizer(multilingual=True)
        self._model = load_whisper(folder, device)
        self._positions: torch.Tensor = self._model.encoder.positional_embedding

    def recognise(self, pieces: Sequence[Float32Array]) -> list[Recognition]:
        """The words in each piece of up to 30 s: float32, shape (frames,), at 16 kHz.

        Raises:
            RecogniserError: a piece is longer.
        """
        import torch

        from models.torch_threads import limit_torch_threads

        # Per thread of the program, so here, where the work is done.
        limit_torch_threads(self._n_threads)
        with torch.inference_mode():
            return super().recognise(pieces)

    def decoded(self, pieces: Sequence[Float32Array], window_s: float, search: Search) -> list[Recognition]:
        """One attempt at each piece, in one batch."""
        import torch
        from whisper.audio import log_mel_spectrogram, pad_or_trim
        from whisper.decoding import DecodingOptions, DecodingTask, detect_language

        n_frames = round(window_s * SAMPLE_RATE_HZ)
        mels = [log_mel_spectrogram(pad_or_trim(np.array(samples), n_frames), self._model.dims.n_mels) for samples in pieces]
        options = DecodingOptions(
            language=self.language,
            beam_size=search.beam_size if search.beam_size > 1 else None,
            sample_len=min(search.n_tokens, self._model.dims.n_text_ctx // 2),
            prompt=self._prompt() if self.vocabulary and search.with_vocabulary else None,
            fp16=self._half,
        )
        self._set_window(window_s)
        results: list[DecodingResult] = DecodingTask(self._model, options).run(torch.stack(mels).to(self._model.device))
        _, probabilities = detect_language(self._model, torch.stack([result.audio_features for result in results]))
        found = []
        for samples, result, chances in zip(pieces, results, probabilities, strict=True):
            _, fit = self.language_of(list(chances.items()))
            words = placed(self._aligned(result.tokens, result.audio_features, result.language, len(samples)), samples)
            found.append(Recognition(result.text.strip(), words, result.language, result.avg_logprob, result.no_speech_prob, fit))
        return found

    def _set_window(self, window_s: float) -> None:
        """Let the encoder take shorter audio: it insists on as many steps as it has positions, and the decoder on their number."""
        n_steps = round(window_s * _STEPS_PER_S)
        self._model.encoder.positional_embedding = self._positions[:n_steps]
        self._model.dims.n_audio_ctx = n_steps

    def _prompt(self) -> list[int]:
        from whisper.tokenizer import get_tokenizer

        tokens: list[int] = get_tokenizer(self._model.is_multilingual).encode(self.vocabulary_text)
        return tokens[:MAX_PROMPT_TOKENS]

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
