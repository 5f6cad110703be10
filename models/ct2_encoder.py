"""A transformer encoder in CTranslate2's format, loaded: batches of token numbers to the last layer's states."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from models.text_model import Float32Array, TextModelError


class Ct2Encoder:
    """An encoder with two tables of embeddings on one device: weights in eight bits, and halves for the rest on a GPU.

    On a CPU the texts of a batch are shared out among `n_threads`, each with a batch of its own: threads that share one batch wait for each
    other at every layer, which made them slower than one alone. Threads do not outlive a fork: a forked process makes one of its own.

    Raises TextModelError where the folder holds no model that CTranslate2 takes, or the device cannot be had.
    """

    def __init__(self, folder: Path, device: str = "cpu", n_threads: int = 1) -> None:
        import ctranslate2

        # CTranslate2's own exception would end a process in which torch and then GStreamer were loaded before.
        if not (folder / "model.bin").is_file():
            raise TextModelError(f"{folder}: there is no model.bin in it")
        kind, _, number = device.partition(":")
        self._n_parts = n_threads if kind == "cpu" else 1
        self._threads = ThreadPoolExecutor(n_threads, "encoder") if self._n_parts > 1 else None
        try:
            self._encoder = ctranslate2.Encoder(
                str(folder),
                device=kind,
                device_index=int(number or 0),
                compute_type="int8" if kind == "cpu" else "int8_float16",
                inter_threads=self._n_parts,
                intra_threads=1,
            )
        except (RuntimeError, ValueError) as error:
            raise TextModelError(f"{folder} on {device}: {error}") from error

    def states(self, tokens: Sequence[Sequence[int]], types: Sequence[Sequence[int]]) -> list[Float32Array]:
        """The last layer's states of some texts, each float32, shape (tokens, dimension).

        Args:
            tokens: token numbers of each text, any length but 0.
            types: rows of the second table of embeddings, one for each token.
        """
        parts = shared_out([len(text) for text in tokens], self._n_parts)

        def read(part: Sequence[int]) -> Float32Array:
            return self._batch([tokens[place] for place in part], [types[place] for place in part])

        batches = map(read, parts) if self._threads is None or len(parts) == 1 else self._threads.map(read, parts)
        found = {
            place: own[: len(tokens[place])]
            for part, states in zip(parts, batches, strict=True)
            for place, own in zip(part, states, strict=True)
        }
        return [found[place] for place in range(len(tokens))]

    def _batch(self, tokens: Sequence[Sequence[int]], types: Sequence[Sequence[int]]) -> Float32Array:
        """The states of texts as one batch, shape (texts, tokens of the longest, dimension); behind a text's last they mean nothing."""
        import ctranslate2

        states = self._encoder.forward_batch([list(text) for text in tokens], token_type_ids=[list(text) for text in types])
        # On a GPU the states are halves, and lie there.
        found = states.last_hidden_state.to_device(ctranslate2.Device.cpu).to(ctranslate2.DataType.float32)
        return np.array(found, dtype=np.float32)


def shared_out(lengths: Sequence[int], n_parts: int) -> list[list[int]]:
    """The places of texts of some lengths in at most so many parts, each about as long as the others; none is empty."""
    parts: list[list[int]] = [[] for _ in range(n_parts)]
    totals = [0] * n_parts
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        least = totals.index(min(totals))
        parts[least].append(place)
        totals[least] += max(lengths[place], 1)
    return [sorted(part) for part in parts if part]
