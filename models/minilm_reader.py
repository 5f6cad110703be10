"""A reader: all-MiniLM-L6-v2 fitted to judge whether a line answers a question, both read together.

This is a cross-encoder (Nogueira and Cho 2019, arXiv 1901.04085). Question, what was said before, and line go through the six layers as one
text; types of tokens say which is which (0 the question, 1 the rest). The state of the first token and the mean over all tokens go through
a small head to one number. The published weights with the adapter in them are brought into CTranslate2's format in eight bits once for each
adapter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.ct2_encoder import Ct2Encoder
from models.ct2_specification import AttentionNames, NamedTensors, write_in_eight_bits
from models.derived_models import loaded, remove_others, written_once
from models.minilm import LAYER_NORM_EPSILON, N_HEADS, N_LAYERS
from models.reader_adapter import ReaderAdapter, ReaderHead
from models.sealing import sha256_of
from models.text_model import Float32Array, Tokeniser, read_safetensors
from models.weights import derived_folder, path_of

WEIGHTS = ("minilm/model.safetensors", "minilm/tokenizer.json")
MAX_QUESTION_TOKENS = 64
MAX_BEFORE_TOKENS = 40
"""Of what was said before a line, the last ones are read."""
MAX_LINE_TOKENS = 60
_MOST_CHARACTERS = 32
_FORM = "reader-ct2-int8"
_OF_SHA = 12
_ATTENTION = AttentionNames(
    ("attention.self.query", "attention.self.key", "attention.self.value"), "attention.output.dense", "attention.output.LayerNorm"
)


class MinilmReader:
    """A reader on the CPU.

    Args:
        folder: where `converted` wrote the encoder; it is not needed any more once this is made.
        head: from the same adapter.
        tokeniser: MiniLM's, which does not cut.
        n_threads: threads of one question.

    Raises:
        TextModelError: the folder holds no model that CTranslate2 takes.
    """

    def __init__(self, folder: Path, head: ReaderHead, tokeniser: Tokeniser, n_threads: int = 1) -> None:
        self._encoder = Ct2Encoder(folder, n_threads=n_threads)
        self._head = head
        self._tokeniser = tokeniser

    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        """How surely each line answers a question: float32, shape (len(lines),), the logarithm of odds.

        Args:
            question: of which the first 64 tokens are read.
            lines: what was said before ("" for nothing; the last 40 tokens are read) and the line (the first 60). All go through the
                network as one batch, which takes memory for each of them.
        """
        if not lines:
            return np.zeros(0, dtype=np.float32)
        pairs = [pair_tokens(self._tokeniser, question, before, line) for before, line in lines]
        states = self._encoder.states([tokens for tokens, _ in pairs], [types for _, types in pairs])
        means = [state[: len(tokens)].mean(axis=0) for state, (tokens, _) in zip(states, pairs, strict=True)]
        return self._head.scores(states[:, 0], np.stack(means))


def pair_tokens(tokeniser: Tokeniser, question: str, before: str, line: str) -> tuple[list[int], list[int]]:
    """The tokens of a question, of what was said before a line and of the line, as they are read together, and the type of each."""
    first, last = tokeniser.number("[CLS]"), tokeniser.number("[SEP]")
    # Cutting characters first keeps a text of megabytes from being taken apart whole.
    question, before, line = (
        question[: MAX_QUESTION_TOKENS * _MOST_CHARACTERS],
        before[-MAX_BEFORE_TOKENS * _MOST_CHARACTERS :],
        line[: MAX_LINE_TOKENS * _MOST_CHARACTERS],
    )
    asked = [first, *tokeniser.unmarked(question)[:MAX_QUESTION_TOKENS], last]
    context = [*tokeniser.unmarked(before)[-MAX_BEFORE_TOKENS:], last] if before else []
    told = [*context, *tokeniser.unmarked(line)[:MAX_LINE_TOKENS], last]
    return asked + told, [0] * len(asked) + [1] * len(told)


def started_reader(adapter: Path, n_threads: int = 1) -> MinilmReader:
    """The reader of an adapter's file, converted (half a second) where that was not done yet, which removes those of other adapters.

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

    return loaded(made_of, load=lambda folder: MinilmReader(folder, known.head(), tokeniser, n_threads), make=make)


def converted(tensors: Mapping[str, Any], vocabulary: Sequence[str], folder: Path) -> Path:
    """Write a reader's encoder in CTranslate2's format, in eight bits, to a folder, which is there whole and sealed or not at all.

    Args:
        tensors: the published tensors with an adapter in them, by their published names.
        vocabulary: the tokens by number.
        folder: where to; left alone where it is there already.

    Raises:
        TextModelError: a tensor is missing, or the vocabulary has another size.
        OSError: the folder cannot be written.
    """
    return written_once(folder, lambda made: write_in_eight_bits(specification(tensors, vocabulary), made))


def specification(tensors: Mapping[str, Any], vocabulary: Sequence[str]) -> Any:
    """A reader's encoder in CTranslate2's format, in single precision; arguments and errors are those of `converted`."""
    known = NamedTensors(tensors, "all-MiniLM-L6-v2", "minilm")
    encoder = known.bert_encoder(N_LAYERS, N_HEADS, ("word", "token_type"), _ATTENTION)
    encoder.position_encodings.encodings = np.array(known["embeddings.position_embeddings.weight"])
    return known.finished(encoder, vocabulary, LAYER_NORM_EPSILON)
