"""The layers of all-MiniLM-L6-v2 in torch: a BERT encoder (Devlin et al. 2019, arXiv 1810.04805) of six layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional

from models.minilm import DIMENSION, LAYER_NORM_EPSILON, N_HEADS, N_LAYERS
from models.text_model import Float32Array, Int64Array


class MinilmLayers:
    """The encoder with its weights on one device; half precision on a GPU."""

    def __init__(self, tensors: Mapping[str, Any], device: str) -> None:
        self._device = torch.device(device)
        kind = torch.float16 if self._device.type == "cuda" else torch.float32
        self._weights = {
            name: torch.from_numpy(np.array(tensor, dtype=np.float32)).to(self._device, kind)
            for name, tensor in tensors.items()
            if np.issubdtype(tensor.dtype, np.floating)
        }

    @torch.inference_mode()
    def hidden(self, tokens: Int64Array) -> Float32Array:
        """The last layer's states for one text: int64, shape (tokens,), to float32, shape (tokens, 384)."""
        ids = torch.from_numpy(tokens).to(self._device)[None, :]
        count = ids.shape[1]
        weights = self._weights
        state = weights["embeddings.word_embeddings.weight"][ids]
        state = state + weights["embeddings.position_embeddings.weight"][:count] + weights["embeddings.token_type_embeddings.weight"][0]
        state = self._normalised(state, "embeddings.LayerNorm")
        for layer in range(N_LAYERS):
            prefix = f"encoder.layer.{layer}."
            query, key, value = (
                self._linear(state, f"{prefix}attention.self.{name}").view(1, count, N_HEADS, DIMENSION // N_HEADS).transpose(1, 2)
                for name in ("query", "key", "value")
            )
            read = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(1, count, DIMENSION)
            state = self._normalised(self._linear(read, f"{prefix}attention.output.dense") + state, f"{prefix}attention.output.LayerNorm")
            inner = functional.gelu(self._linear(state, f"{prefix}intermediate.dense"))
            state = self._normalised(self._linear(inner, f"{prefix}output.dense") + state, f"{prefix}output.LayerNorm")
        return np.asarray(state[0].float().cpu().numpy(), dtype=np.float32)

    def _linear(self, state: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(state, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _normalised(self, state: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(
            state, (DIMENSION,), self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], LAYER_NORM_EPSILON
        )
