"""all-mpnet-base-v2 (Song et al. 2020, arXiv 2004.09297; Reimers and Gurevych 2019, arXiv 1908.10084): texts to vectors of 768.

A BERT encoder of twelve layers that also weighs how far two tokens lie apart (one table of biases for all layers, in T5's buckets); the
mean of the last layer over the tokens, at unit length, is the vector. CTranslate2 runs it with weights in eight bits, which takes a
quarter of the memory and on a CPU a seventh of the time.

CTranslate2 has no MPNet. What it has is put together: T5's biases leave no room for a table of places, so the places go where BERT has
its types of tokens, and are given as such with every text.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.sealing import seal
from models.text_model import Float32Array, Int64Array, TextModelError

DIMENSION = 768
N_LAYERS = 12
N_HEADS = 12
LAYER_NORM_EPSILON = 1e-5
FIRST_PLACE = 2
"""The place of a text's first token in the table of places: those before it are for padding."""
_FARTHEST = 128
_LONGEST_S = 3600.0
_QUERY_KEY_VALUE = ("attention.attn.q", "attention.attn.k", "attention.attn.v")


class Mpnet:
    """The encoder on one device, from a folder that `converted` wrote.

    Raises TextModelError where the folder holds no model that CTranslate2 takes.
    """

    def __init__(self, folder: Path, device: str = "cpu", n_threads: int = 1) -> None:
        import ctranslate2

        kind, _, number = device.partition(":")
        try:
            self._encoder = ctranslate2.Encoder(
                str(folder),
                device=kind,
                device_index=int(number or 0),
                compute_type="int8" if kind == "cpu" else "int8_float16",
                inter_threads=1,
                intra_threads=n_threads,
            )
        except (RuntimeError, ValueError) as error:
            raise TextModelError(f"{folder} on {device}: {error}") from error

    def hidden(self, tokens: Int64Array) -> Float32Array:
        """The last layer's states for one text: int64, shape (tokens,), to float32, shape (tokens, 768)."""
        import ctranslate2

        places = list(range(FIRST_PLACE, FIRST_PLACE + len(tokens)))
        states = self._encoder.forward_batch([tokens.tolist()], token_type_ids=[places]).last_hidden_state
        # On a GPU the states are halves, and lie there.
        states = states.to_device(ctranslate2.Device.cpu).to(ctranslate2.DataType.float32)
        found: Float32Array = np.array(states, dtype=np.float32)[0]
        return found


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
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        _remove_leftovers(folder, made)
        # Other users of this machine may read it, as they may read the weights.
        made.chmod(0o755)
        _specification(tensors, vocabulary).save(str(made))
        seal(made)
        made.replace(folder)
    except OSError:
        if not folder.is_dir():  # another process may have been quicker
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _remove_leftovers(folder: Path, made: Path) -> None:
    """Remove what conversions that were killed have left an hour or more before this one: none takes so long."""
    for other in folder.parent.glob(f"{folder.name}.*"):
        if other.stat().st_mtime < made.stat().st_mtime - _LONGEST_S:
            shutil.rmtree(other, ignore_errors=True)


def _specification(tensors: Mapping[str, Any], vocabulary: Sequence[str]) -> Any:
    from ctranslate2.specs import common_spec, transformer_spec

    known = {name.removeprefix("mpnet."): np.asarray(tensor) for name, tensor in tensors.items()}

    def tensor(name: str) -> Any:
        if name not in known:
            raise TextModelError(f"all-mpnet-base-v2: the weights have no {name}; `echoic models fetch mpnet` brings them anew")
        return known[name]

    def normal(layer: Any, name: str) -> None:
        layer.gamma, layer.beta = tensor(f"{name}.weight"), tensor(f"{name}.bias")

    def linear(layer: Any, *names: str) -> None:
        layer.weight = np.concatenate([tensor(f"{name}.weight") for name in names])
        layer.bias = np.concatenate([tensor(f"{name}.bias") for name in names])

    encoder = transformer_spec.TransformerEncoderSpec(
        N_LAYERS,
        N_HEADS,
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        num_source_embeddings=2,
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
        layernorm_embedding=True,
        relative_attention_bias=True,
    )
    encoder.scale_embeddings = False
    words, places = encoder.embeddings
    words.weight, places.weight = (np.array(tensor(f"embeddings.{name}_embeddings.weight")) for name in ("word", "position"))
    normal(encoder.layernorm_embedding, "embeddings.LayerNorm")
    for number, layer in enumerate(encoder.layer):
        prefix = f"encoder.layer.{number}."
        attention = layer.self_attention
        linear(attention.linear[0], *(f"{prefix}{name}" for name in _QUERY_KEY_VALUE))
        linear(attention.linear[1], f"{prefix}attention.attn.o")
        normal(attention.layer_norm, f"{prefix}attention.LayerNorm")
        attention.relative_attention_bias = tensor("encoder.relative_attention_bias.weight")
        attention.relative_attention_max_distance = np.dtype("int32").type(_FARTHEST)
        linear(layer.ffn.linear_0, f"{prefix}intermediate.dense")
        linear(layer.ffn.linear_1, f"{prefix}output.dense")
        normal(layer.ffn.layer_norm, f"{prefix}output.LayerNorm")
    model = transformer_spec.TransformerEncoderModelSpec(encoder)
    n_rows = words.weight.shape[0]
    if len(vocabulary) != n_rows:
        raise TextModelError(
            f"all-mpnet-base-v2: {len(vocabulary)} tokens for a table of {n_rows}; `echoic models fetch mpnet` brings both anew"
        )
    model.register_vocabulary(list(vocabulary))
    model.config.unk_token = "[UNK]"
    model.config.layer_norm_epsilon = LAYER_NORM_EPSILON
    model.validate()
    model.optimize(quantization="int8")
    return model
