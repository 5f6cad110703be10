"""The rule that some copies of Whisper's tokenizer lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from models.ct2_recogniser import Ct2Recogniser
from models.weights import folder_of
from models.whisper_tokens import with_first_merge


@pytest.fixture(scope="module")
def lacking(weights: Path) -> Tokenizer:
    assert weights.is_dir()
    return Tokenizer.from_file(str(folder_of("whisper-base") / "tokenizer.json"))


def cut(tokenizer: Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text, add_special_tokens=False).tokens)


def test_a_space_and_a_t_are_one_token_again(lacking: Tokenizer) -> None:
    assert cut(lacking, " the tennis court") == ["Ġ", "the", "Ġ", "ten", "nis", "Ġcourt"]
    whole = with_first_merge(lacking)
    assert cut(whole, " the tennis court") == ["Ġthe", "Ġtennis", "Ġcourt"]
    # What holds no such word is cut as before, and every number means the same piece.
    for text in (" Siobhan Okonkwo, Project Falcon.", " An hour on Monday", "<|startoftranscript|>"):
        assert whole.encode(text).ids == lacking.encode(text).ids
    assert whole.get_vocab() == lacking.get_vocab()
    assert whole.decode(whole.encode(" the tennis court").ids) == lacking.decode(lacking.encode(" the tennis court").ids)


def test_a_tokenizer_that_has_the_rule_or_no_such_token_is_left(lacking: Tokenizer) -> None:
    whole = with_first_merge(lacking)
    assert with_first_merge(whole) is whole
    told = json.loads(lacking.to_str())
    told["model"] |= {"vocab": {"a": 0}, "merges": []}
    other = Tokenizer.from_str(json.dumps(told))
    assert with_first_merge(other) is other


def test_a_recogniser_shows_its_vocabulary_in_whole_words(weights: Path) -> None:
    assert weights.is_dir()
    recogniser = Ct2Recogniser(folder_of("whisper-base"), n_threads=1, vocabulary=["the tennis court"])
    assert cut(recogniser._model.hf_tokenizer, recogniser.vocabulary_text) == ["Ġthe", "Ġtennis", "Ġcourt", "."]
