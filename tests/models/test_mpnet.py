"""MPNet in CTranslate2's format: the numbers of the published weights, compared with the same network in torch."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from models.mpnet import DIMENSION, FIRST_PLACE, LAYER_NORM_EPSILON, N_HEADS, N_LAYERS, Mpnet, converted
from models.text_model import Float32Array, TextModelError, Tokeniser, read_safetensors, unit_mean
from models.weights import path_of

TEXTS = (
    "How old is the dog?",
    "The ferry leaves at half past nine, and not a minute later.",
    "We went down to the harbour, and he told us what the boats had caught. " * 9,
)


def reference(tensors: dict[str, Any], tokens: list[int]) -> Float32Array:
    """The last layer's states in single precision, after the paper and T5's buckets of distances; float32, shape (tokens, 768)."""
    known = {name.removeprefix("mpnet."): torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()}
    n = len(tokens)

    def linear(state: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(state, known[f"{name}.weight"], known[f"{name}.bias"])

    def normal(state: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(state, (DIMENSION,), known[f"{name}.weight"], known[f"{name}.bias"], LAYER_NORM_EPSILON)

    state = known["embeddings.word_embeddings.weight"][tokens] + known["embeddings.position_embeddings.weight"][FIRST_PLACE:][:n]
    state = normal(state, "embeddings.LayerNorm")
    apart = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    far = 8 + (torch.log(apart.abs().clamp(min=1) / 8) / math.log(128 / 8) * 8).long().clamp(max=7)
    bucket = torch.where(apart.abs() < 8, apart.abs(), far) + 16 * (apart > 0)
    bias = known["encoder.relative_attention_bias.weight"][bucket].permute(2, 0, 1)
    for layer in range(N_LAYERS):
        prefix = f"encoder.layer.{layer}."
        query, key, value = (linear(state, f"{prefix}attention.attn.{name}").view(n, N_HEADS, -1).transpose(0, 1) for name in "qkv")
        read = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias).transpose(0, 1).reshape(n, DIMENSION)
        state = normal(linear(read, f"{prefix}attention.attn.o") + state, f"{prefix}attention.LayerNorm")
        inner = functional.gelu(linear(state, f"{prefix}intermediate.dense"))
        state = normal(linear(inner, f"{prefix}output.dense") + state, f"{prefix}output.LayerNorm")
    return np.asarray(state.numpy(), dtype=np.float32)


@pytest.mark.usefixtures("weights")
def test_eight_bits_mean_what_the_published_weights_mean(tmp_path: Path) -> None:
    tokeniser = Tokeniser(path_of("mpnet/tokenizer.json"))
    tensors = read_safetensors(path_of("mpnet/model.safetensors"))
    model = Mpnet(converted(tensors, tokeniser.vocabulary(), tmp_path / "made"))
    for text in TEXTS:
        tokens = tokeniser.tokens(text)
        found = model.hidden(tokens)
        assert found.shape == (len(tokens), DIMENSION)
        assert float(unit_mean(found) @ unit_mean(reference(tensors, tokens.tolist()))) > 0.985
    assert converted({}, (), tmp_path / "made") == tmp_path / "made"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_weights_that_lack_something_are_told_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(TextModelError, match=r"the weights have no embeddings\.word_embeddings\.weight; `echoic models fetch mpnet`"):
        converted({"mpnet.pooler.dense.bias": np.zeros(3, dtype=np.float32)}, ("a",), tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_conversion_left_is_removed_by_a_later_one(tmp_path: Path) -> None:
    old, young = tmp_path / "made.old", tmp_path / "made.young"
    for folder, age_s in ((old, 4000.0), (young, 60.0)):
        folder.mkdir()
        changed_s = tmp_path.stat().st_mtime - age_s
        os.utime(folder, (changed_s, changed_s))
    with pytest.raises(TextModelError, match="the weights have no"):
        converted({}, (), tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["made.young"]


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(TextModelError, match=r"model\.bin"):
        Mpnet(tmp_path)
