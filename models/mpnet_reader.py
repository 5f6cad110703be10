"""A reader: all-mpnet-base-v2 fitted to judge whether a line answers a question, both read together.

This is a cross-encoder (Nogueira and Cho 2019, arXiv 1901.04085). Question, what was asked right before the line, and line go through the
layers as one text; types of tokens say which is which. What the question and the line have come to mean in that text, and what both have in
common, go through a small head to one number. The published weights with the adapter in them are brought into CTranslate2's format in eight
bits once for each adapter. The places of tokens stand in BERT's table of types there (`models/mpnet.py`), so here that table has a row for
every type at every place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.ct2_encoder import Ct2Encoder
from models.ct2_specification import NamedTensors, write_in_eight_bits
from models.derived_models import loaded, remove_others, written_once
from models.mpnet import DIMENSION, FIRST_PLACE, N_PLACES
from models.mpnet import specification as encoder_specification
from models.reader_adapter import N_LAYERS, N_TYPES, ReaderAdapter, ReaderHead
from models.sealing import sha256_of
from models.text_model import Float32Array, TextModelError, Tokeniser, read_safetensors, unit_mean
from models.weights import derived_folder, path_of

WEIGHTS = ("mpnet/model.safetensors", "mpnet/tokenizer.json")
MAX_QUESTION_TOKENS = 64
MAX_BEFORE_TOKENS = 24
"""Of what was asked before a line, the last ones are read."""
MAX_LINE_TOKENS = 60
QUESTION, BEFORE, LINE = range(N_TYPES)
"""The types of tokens."""
_MOST_CHARACTERS = 32
_FORM = "reader-ct2-int8"
_OF_SHA = 12


class MpnetReader:
    """A reader on the CPU.

    Args:
        folder: where `converted` wrote the encoder; it is not needed any more once this is made.
        head: from the same adapter.
        tokeniser: MPNet's, which does not cut.
        n_threads: among which the lines of one question are shared out.

    Raises:
        TextModelError: the folder holds no model that CTranslate2 takes.
    """

    def __init__(self, folder: Path, head: ReaderHead, tokeniser: Tokeniser, n_threads: int = 1) -> None:
        self._encoder = Ct2Encoder(folder, n_threads=n_threads)
        self._head = head
        self._tokeniser = tokeniser

    def scores(self, asked: Sequence[tuple[str, str, str]]) -> Float32Array:
        """How surely each line answers its question: float32, shape (len(asked),), the logarithm of odds.

        Args:
            asked: a question (of which the first 64 tokens are read), what was asked before a line ("" for nothing; the last 24 tokens
                are read) and the line (the first 60). All go through the network together, which takes memory for each of them.
        """
        if not asked:
            return np.zeros(0, dtype=np.float32)
        pairs = [pair_tokens(self._tokeniser, *texts) for texts in asked]
        states = self._encoder.states([tokens for tokens, _ in pairs], [table_rows(types) for _, types in pairs])
        return self._head.scores(np.stack([features(own, types) for own, (_, types) in zip(states, pairs, strict=True)]))


def pair_tokens(tokeniser: Tokeniser, question: str, before: str, line: str) -> tuple[list[int], list[int]]:
    """The tokens of a question, of what was asked before a line and of the line, as they are read together, and the type of each."""
    first, last = tokeniser.number("<s>"), tokeniser.number("</s>")
    # Cutting characters first keeps a text of megabytes from being taken apart whole.
    question, before, line = (
        question[: MAX_QUESTION_TOKENS * _MOST_CHARACTERS],
        before[-MAX_BEFORE_TOKENS * _MOST_CHARACTERS :],
        line[: MAX_LINE_TOKENS * _MOST_CHARACTERS],
    )
    asked = [first, *tokeniser.unmarked(question)[:MAX_QUESTION_TOKENS], last]
    context = [last, *tokeniser.unmarked(before)[-MAX_BEFORE_TOKENS:], last] if before else []
    told = [last, *tokeniser.unmarked(line)[:MAX_LINE_TOKENS], last]
    return asked + context + told, [QUESTION] * len(asked) + [BEFORE] * len(context) + [LINE] * len(told)


def table_rows(types: Sequence[int]) -> list[int]:
    """The rows of the second table of embeddings for the tokens of one text, by their types."""
    return [kind * N_PLACES + place for place, kind in enumerate(types, start=FIRST_PLACE)]


def features(states: Float32Array, types: Sequence[int]) -> Float32Array:
    """What the head goes by: float32, shape (4 * 768,), of a text's states, float32, shape (len(types) or more, 768).

    The first token's state, the means of the question's and of the line's at unit length, and the product of these two.
    """
    own, kinds = states[: len(types)], np.array(types)
    question, line = (unit_mean(own[kinds == kind]) for kind in (QUESTION, LINE))
    return np.concatenate([own[0], question, line, question * line])


def started_reader(adapter: Path, n_threads: int = 1) -> MpnetReader:
    """The reader of an adapter's file, converted (some seconds) where that was not done yet, which removes those of other adapters.

    Raises:
        WeightsError: the published weights are not here; the message names the command that fetches them.
        TextModelError: the adapter is not one, or the weights are not those that it changes.
    """
    known = ReaderAdapter(adapter)
    published, tokeniser = path_of(WEIGHTS[0]), Tokeniser(path_of(WEIGHTS[1]), max_tokens=None)
    made_of = derived_folder(WEIGHTS[0], f"{_FORM}-{sha256_of(adapter)[:_OF_SHA]}")
    others = f"{Path(WEIGHTS[0]).parent}-{_FORM}-*"

    def make(folder: Path) -> Path:
        converted(known.merged(read_safetensors(published)), tokeniser.vocabulary(), folder)
        remove_others(folder, others)
        return folder

    return loaded(made_of, load=lambda folder: MpnetReader(folder, known.head(), tokeniser, n_threads), make=make)


def converted(tensors: Mapping[str, Any], vocabulary: Sequence[str], folder: Path) -> Path:
    """Write a reader's encoder in CTranslate2's format, in eight bits, to a folder, which is there whole and sealed or not at all.

    Args:
        tensors: the published tensors with an adapter in them, by their published names.
        vocabulary: the tokens by number.
        folder: where to; left alone where it is there already.

    Raises:
        TextModelError: a tensor is missing or has another shape than the model needs, or the vocabulary has another size.
        OSError: the folder cannot be written.
    """
    return written_once(folder, lambda made: write_in_eight_bits(specification(tensors, vocabulary), made))


def specification(tensors: Mapping[str, Any], vocabulary: Sequence[str]) -> Any:
    """A reader's encoder in CTranslate2's format, in single precision; arguments and errors are those of `converted`."""
    known = NamedTensors(tensors, "all-mpnet-base-v2", "mpnet")
    places, types = known["embeddings.position_embeddings.weight"], known["embeddings.types.weight"]
    if places.shape != (N_PLACES, DIMENSION):
        raise TextModelError(
            f"all-mpnet-base-v2: the table of places has shape {places.shape}, not {(N_PLACES, DIMENSION)}; "
            "`echoic models fetch mpnet` brings it anew"
        )
    of_all = (types[:, None] + places).reshape(N_TYPES * N_PLACES, DIMENSION)
    return encoder_specification(tensors, vocabulary, n_layers=N_LAYERS, second_table=of_all)
