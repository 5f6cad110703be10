"""Whisper models in folders of one's own: Whisper base once more, and small ones of random numbers, of the right form and deaf."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

WIDTH = 8
N_STEPS, N_TEXT = 1500, 448
_EMPTY = 50256
"""The number of the token that Whisper's multilingual vocabulary has and its English one lacks; all special ones come after it."""


def linked_whisper(folder: Path, base: Path) -> Path:
    """A new folder with links to the files in `base`."""
    folder.mkdir()
    for path in base.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def made_whisper(folder: Path, base: Path, *, n_mels: int = 80, english_only: bool = False) -> Path:
    """A new folder with a model that hears `n_mels` bands. Its tokens are those in `base`, Whisper base's folder.

    One that knows English only has one token less, so that the special ones have the numbers by which CTranslate2 tells such models.
    """
    from ctranslate2.specs import WhisperSpec

    tokens = (base / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:51865]
    tokenizer = (base / "tokenizer.json").read_text(encoding="utf-8")
    if english_only:
        del tokens[_EMPTY]
        tokenizer = _without_the_empty_one(tokenizer)
    draw = np.random.default_rng(1)

    def some(*shape: int) -> Any:
        return draw.normal(0, 0.1, shape).astype(np.float32)

    def norm(spec: Any) -> None:
        spec.gamma, spec.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def linear(spec: Any, n_out: int, n_in: int = WIDTH) -> None:
        spec.weight, spec.bias = some(n_out, n_in), np.zeros(n_out, np.float32)

    def attention(spec: Any, *widths: int) -> None:
        for part, width in zip(spec.linear, widths, strict=True):
            linear(part, width)
        norm(spec.layer_norm)

    spec = WhisperSpec(1, 2, 1, 2)
    spec.encoder.conv1.weight, spec.encoder.conv1.bias = some(WIDTH, n_mels, 3), some(WIDTH)
    spec.encoder.conv2.weight, spec.encoder.conv2.bias = some(WIDTH, WIDTH, 3), some(WIDTH)
    spec.decoder.embeddings.weight = some(len(tokens), WIDTH)
    linear(spec.decoder.projection, len(tokens))
    for side, n_positions in ((spec.encoder, N_STEPS), (spec.decoder, N_TEXT)):
        side.position_encodings.encodings = some(n_positions, WIDTH)
        norm(side.layer_norm)
        attention(side.layer[0].self_attention, 3 * WIDTH, WIDTH)
        linear(side.layer[0].ffn.linear_0, 4 * WIDTH)
        linear(side.layer[0].ffn.linear_1, WIDTH, 4 * WIDTH)
        norm(side.layer[0].ffn.layer_norm)
    attention(spec.decoder.layer[0].attention, WIDTH, 2 * WIDTH, WIDTH)
    spec.register_vocabulary(tokens)
    spec.config.alignment_heads = [[0, 0], [0, 1]]
    spec.config.lang_ids = [number for number, token in enumerate(tokens) if re.fullmatch(r"<\|[a-z]{2,3}\|>", token)]
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.validate()
    folder.mkdir()
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    return folder


def _without_the_empty_one(tokenizer: str) -> str:
    content = json.loads(tokenizer)
    content["model"]["vocab"] = {text: number - (number > _EMPTY) for text, number in content["model"]["vocab"].items() if number != _EMPTY}
    for token in content["added_tokens"]:
        token["id"] -= 1
    for token in content["post_processor"]["special_tokens"].values():
        token["ids"] = [number - 1 for number in token["ids"]]
    return json.dumps(content)
