"""all-mpnet-base-v2 (Song et al. 2020, arXiv 2004.09297; Reimers and Gurevych 2019, arXiv 1908.10084): texts to vectors of 768.

A BERT encoder of twelve layers that also weighs how far two tokens lie apart (one table of biases for all layers, in T5's buckets); the
mean of the last layer over the tokens, at unit length, is the vector. CTranslate2 runs it with weights in eight bits, which takes a
quarter of the memory and on a CPU a seventh of the time.

CTranslate2 has no MPNet. What it has is put together: T5's biases leave no room for a table of places, so the places go where BERT has
its types of tokens, and are given as such with every text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.ct2_encoder import Ct2Encoder
from models.ct2_specification import AttentionNames, NamedTensors, write_in_eight_bits
from models.derived_models import written_once
from models.text_model import Float32Array, Int64Array

DIMENSION = 768
N_LAYERS = 12
N_HEADS = 12
LAYER_NORM_EPSILON = 1e-5
FIRST_PLACE = 2
"""The place of a text's first token in the table of places: those before it are for padding."""
N_PLACES = 514
"""Rows of the table of places."""
_FARTHEST = 128
_ATTENTION = AttentionNames(("attention.attn.q", "attention.attn.k", "attention.attn.v"), "attention.attn.o", "attention.LayerNorm")


class Mpnet:
    """The encoder on one device, from a folder that `converted` wrote.

    Raises TextModelError where the folder holds no model that CTranslate2 takes.
    """

    def __init__(self, folder: Path, device: str = "cpu", n_threads: int = 1) -> None:
        self._encoder = Ct2Encoder(folder, device, n_threads)

    def hidden(self, tokens: Int64Array) -> Float32Array:
        """The last layer's states for one text: int64, shape (tokens,), to float32, shape (tokens, 768)."""
        return self.hidden_together([tokens])[0]

    def hidden_together(self, tokens: Sequence[Int64Array]) -> list[Float32Array]:
        """The last layer's states for several texts, as `hidden` gives them but for rounding, read in one pass over the weights."""
        if not tokens:
            return []
        states = self._encoder.states([text.tolist() for text in tokens], [range(FIRST_PLACE, FIRST_PLACE + len(text)) for text in tokens])
        return [state[: len(text)] for state, text in zip(states, tokens, strict=True)]


def converted(tensors: Mapping[str, Any], vocabulary: Sequence[str], folder: Path) -> Path:
    """Write the published weights in CTranslate2's format, in eight bits, to a folder, which is there whole and sealed or not at all.

    Args:
        tensors: the model's tensors by their published names.
        vocabulary: its tokens by number.
        folder: where to; left alone where it is there already.

    Raises:
        TextModelError: a tensor is missing, or has another shape than the model needs.
        OSError: the folder cannot be written.
    """
    return written_once(folder, lambda made: write_in_eight_bits(specification(tensors, vocabulary), made))


def specification(
    tensors: Mapping[str, Any], vocabulary: Sequence[str], *, n_layers: int = N_LAYERS, second_table: Float32Array | None = None
) -> Any:
    """The encoder in CTranslate2's format, in single precision.

    Args:
        tensors: as for `converted`.
        vocabulary: as for `converted`.
        n_layers: how many layers it has, the first ones of the model.
        second_table: the table of which a row is given with every token, float32, shape (rows, 768); None for the model's places.

    Raises:
        TextModelError: as `converted`.
    """
    known = NamedTensors({name.removeprefix("mpnet."): tensor for name, tensor in tensors.items()}, "all-mpnet-base-v2", "mpnet")
    encoder = known.bert_encoder(n_layers, N_HEADS, ("word", "position"), _ATTENTION, relative_attention_bias=True)
    if second_table is not None:
        encoder.embeddings[1].weight = second_table
    for layer in encoder.layer:
        layer.self_attention.relative_attention_bias = known["encoder.relative_attention_bias.weight"]
        layer.self_attention.relative_attention_max_distance = np.dtype("int32").type(_FARTHEST)
    return known.finished(encoder, vocabulary, LAYER_NORM_EPSILON)
