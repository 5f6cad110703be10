"""From a model's tensors by their published names to the parts of CTranslate2's format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.text_model import TextModelError


@dataclass(frozen=True)
class AttentionNames:
    """What a model calls the parts of its attention, behind the name of a layer."""

    query_key_value: tuple[str, str, str]
    output: str
    norm: str


class NamedTensors:
    """Tensors that are asked for by name.

    Args:
        tensors: the tensors by their published names.
        model: the model's name, for messages.
        group: what `echoic models fetch` calls its files.
    """

    def __init__(self, tensors: Mapping[str, Any], model: str, group: str) -> None:
        self._tensors = {name: np.asarray(tensor) for name, tensor in tensors.items()}
        self._model = model
        self._group = group

    def __getitem__(self, name: str) -> Any:
        """One tensor. Raises TextModelError where there is none."""
        if name not in self._tensors:
            raise TextModelError(f"{self._model}: the weights have no {name}; `echoic models fetch {self._group}` brings them anew")
        return self._tensors[name]

    def fill_norm(self, layer: Any, name: str) -> None:
        """Give a layer normalisation its scale and shift."""
        layer.gamma, layer.beta = self[f"{name}.weight"], self[f"{name}.bias"]

    def fill_linear(self, layer: Any, *names: str) -> None:
        """Give a linear layer its weights; those of several that read the same states, one under the other."""
        layer.weight = np.concatenate([self[f"{name}.weight"] for name in names])
        layer.bias = np.concatenate([self[f"{name}.bias"] for name in names])

    def bert_encoder(
        self, n_layers: int, n_heads: int, tables: tuple[str, str], names: AttentionNames, *, relative_attention_bias: bool = False
    ) -> Any:
        """An encoder like BERT's (Devlin et al. 2018, arXiv 1810.04805) with its weights; `tables` are its two embeddings that are added.

        What a model has besides (places, biases of distance) is the caller's. Raises TextModelError where a tensor is missing.
        """
        from ctranslate2.specs import common_spec, transformer_spec

        encoder = transformer_spec.TransformerEncoderSpec(
            n_layers,
            n_heads,
            pre_norm=False,
            activation=common_spec.Activation.GELU,
            num_source_embeddings=2,
            embeddings_merge=common_spec.EmbeddingsMerge.ADD,
            layernorm_embedding=True,
            relative_attention_bias=relative_attention_bias,
        )
        encoder.scale_embeddings = False
        for table, name in zip(encoder.embeddings, tables, strict=True):
            table.weight = np.array(self[f"embeddings.{name}_embeddings.weight"])
        self.fill_norm(encoder.layernorm_embedding, "embeddings.LayerNorm")
        for number, layer in enumerate(encoder.layer):
            prefix = f"encoder.layer.{number}."
            attention = layer.self_attention
            self.fill_linear(attention.linear[0], *(f"{prefix}{name}" for name in names.query_key_value))
            self.fill_linear(attention.linear[1], f"{prefix}{names.output}")
            self.fill_norm(attention.layer_norm, f"{prefix}{names.norm}")
            self.fill_linear(layer.ffn.linear_0, f"{prefix}intermediate.dense")
            self.fill_linear(layer.ffn.linear_1, f"{prefix}output.dense")
            self.fill_norm(layer.ffn.layer_norm, f"{prefix}output.LayerNorm")
        return encoder

    def finished(self, encoder: Any, vocabulary: Sequence[str], layer_norm_epsilon: float) -> Any:
        """The model around an encoder that has all its weights, ready to be written (`write_in_eight_bits`) or saved as it is.

        Raises TextModelError where the vocabulary is not as long as the first table of embeddings.
        """
        from ctranslate2.specs import transformer_spec

        model = transformer_spec.TransformerEncoderModelSpec(encoder)
        n_rows = encoder.embeddings[0].weight.shape[0]
        if len(vocabulary) != n_rows:
            raise TextModelError(
                f"{self._model}: {len(vocabulary)} tokens for a table of {n_rows}; `echoic models fetch {self._group}` brings both anew"
            )
        model.register_vocabulary(list(vocabulary))
        model.config.unk_token = "[UNK]"
        model.config.layer_norm_epsilon = layer_norm_epsilon
        model.validate()
        return model


def write_in_eight_bits(model: Any, folder: Path) -> None:
    """Write a finished model to a folder, its tables and linear maps in eight bits with a scale for each row. Raises OSError."""
    model.optimize(quantization="int8")
    model.save(str(folder))
