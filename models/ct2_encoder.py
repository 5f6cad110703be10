"""A transformer encoder in CTranslate2's format, loaded: batches of token numbers to the last layer's states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.text_model import Float32Array, TextModelError


class Ct2Encoder:
    """An encoder with two tables of embeddings on one device: weights in eight bits, and halves for the rest on a GPU.

    Raises TextModelError where the folder holds no model that CTranslate2 takes, or the device cannot be had.
    """

    def __init__(self, folder: Path, device: str = "cpu", n_threads: int = 1) -> None:
        import ctranslate2

        # CTranslate2's own exception would end a process in which torch and then GStreamer were loaded before.
        if not (folder / "model.bin").is_file():
            raise TextModelError(f"{folder}: there is no model.bin in it")
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

    def states(self, tokens: Sequence[Sequence[int]], types: Sequence[Sequence[int]]) -> Float32Array:
        """The last layer's states of a batch of texts, float32, shape (texts, tokens of the longest, dimension).

        Args:
            tokens: token numbers of each text, any length but 0.
            types: rows of the second table of embeddings, one for each token.

        Returns:
            States; what stands after a text's last token means nothing.
        """
        import ctranslate2

        states = self._encoder.forward_batch([list(text) for text in tokens], token_type_ids=[list(text) for text in types])
        # On a GPU the states are halves, and lie there.
        found = states.last_hidden_state.to_device(ctranslate2.Device.cpu).to(ctranslate2.DataType.float32)
        return np.array(found, dtype=np.float32)
