"""The reader: CTranslate2 with an adapter in it against the same network in torch, batches, and one folder for each adapter."""

from __future__ import annotations

import shutil
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from models.minilm import DIMENSION, LAYER_NORM_EPSILON, N_HEADS, N_LAYERS
from models.minilm_reader import MinilmReader, specification, started_reader
from models.reader_adapter import ReaderAdapter
from models.sealing import sha256_of
from models.text_model import TextModelError, Tokeniser, read_safetensors
from models.weights import WeightsError, path_of
from tests.models.made_adapter import made_adapter, written_adapter

QUESTION = "How old is the dog?"
QUESTIONS = (QUESTION, "What did the boiler cost?", "When does Tom come back?", "Where does Anna work?")
LINES = (
    ("", "I think she is four years old now."),
    ("How old is the dog?", "We got her just before the summer, when the ferry was still running."),
    ("It rained all week, and the cellar was under water again, so we had to carry everything upstairs.", "Yes."),
    ("", "The meeting was moved to Thursday because Anna is ill."),
    ("Which one do you mean?", "The red one, the green one is too small for me."),
    ("", "Nine hundred and forty, and that was with the discount."),
    ("Did you hear from Tom?", "Tom is in Canada until Easter, and he says that it is cold there."),
    ("", "The dog sleeps under the table."),
)

Pair = tuple[str, str, str]


class Reference:
    """The published network with low-rank changes beside its linear maps, single precision, one text at a time."""

    def __init__(self, adapter: Path) -> None:
        self.tokens = Tokeniser(path_of("minilm/tokenizer.json"), max_tokens=None)
        with np.load(adapter) as file:
            known = {**read_safetensors(path_of("minilm/model.safetensors")), **{name: file[name] for name in file.files}}
        self.known = {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in known.items()}

    def states(self, question: str, before: str, line: str) -> torch.Tensor:
        asked, told = self.tokens_of(question, before, line)
        n = len(asked) + len(told)
        state = self.known["embeddings.word_embeddings.weight"][asked + told] + self.known["embeddings.position_embeddings.weight"][:n]
        state = state + self.known["embeddings.token_type_embeddings.weight"][[0] * len(asked) + [1] * len(told)]
        state = self._normal(state, "embeddings.LayerNorm")
        for layer in range(N_LAYERS):
            prefix = f"encoder.layer.{layer}."
            query, key, value = (
                self._linear(state, f"{prefix}attention.self.{name}").view(n, N_HEADS, -1).transpose(0, 1)
                for name in ("query", "key", "value")
            )
            read = functional.scaled_dot_product_attention(query, key, value).transpose(0, 1).reshape(n, DIMENSION)
            state = self._normal(self._linear(read, f"{prefix}attention.output.dense") + state, f"{prefix}attention.output.LayerNorm")
            inner = functional.gelu(self._linear(state, f"{prefix}intermediate.dense"))
            state = self._normal(self._linear(inner, f"{prefix}output.dense") + state, f"{prefix}output.LayerNorm")
        return state

    def tokens_of(self, question: str, before: str, line: str) -> tuple[list[int], list[int]]:
        context = [*self.tokens.unmarked(before)[-40:], 102] if before else []
        return [101, *self.tokens.unmarked(question)[:64], 102], [*context, *self.tokens.unmarked(line)[:60], 102]

    def score(self, state: torch.Tensor) -> float:
        inner = functional.linear(torch.cat([state[0], state.mean(dim=0)]), self.known["head.0.weight"], self.known["head.0.bias"])
        return float(functional.linear(functional.gelu(inner), self.known["head.1.weight"], self.known["head.1.bias"]))

    def _linear(self, state: torch.Tensor, name: str) -> torch.Tensor:
        changed = functional.linear(functional.linear(state, self.known[f"{name}.down"]), self.known[f"{name}.up"])
        return functional.linear(state, self.known[f"{name}.weight"], self.known[f"{name}.bias"]) + changed

    def _normal(self, state: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(state, (DIMENSION,), self.known[f"{name}.weight"], self.known[f"{name}.bias"], LAYER_NORM_EPSILON)


@pytest.fixture
def adapter(weights: Path, tmp_path: Path) -> Path:
    return written_adapter(tmp_path / "adapter.npz", made_adapter(0, read_safetensors(weights / "minilm/model.safetensors")))


@pytest.fixture
def cache(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights of the test's own, with nothing made of them yet."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("minilm", ".verified"):
        (folder / name).symlink_to(weights / name)
    monkeypatch.setenv("ECHOIC_MODELS", str(folder))
    return folder


@pytest.fixture
def reader(cache: Path, adapter: Path) -> MinilmReader:
    assert cache.is_dir()
    return started_reader(adapter)


def test_in_single_precision_a_batch_has_the_states_of_the_published_network(adapter: Path, tmp_path: Path) -> None:
    reference = Reference(adapter)
    tensors = ReaderAdapter(adapter).merged(read_safetensors(path_of("minilm/model.safetensors")))
    specification(tensors, reference.tokens.vocabulary()).save(str(tmp_path))
    encoder = ctranslate2.Encoder(str(tmp_path), device="cpu", compute_type="float32")
    batch = [reference.tokens_of(QUESTION, *line) for line in LINES]
    types = [[0] * len(asked) + [1] * len(told) for asked, told in batch]
    found = np.array(encoder.forward_batch([asked + told for asked, told in batch], token_type_ids=types).last_hidden_state)
    for states, line in zip(found, LINES, strict=True):
        expected = reference.states(QUESTION, *line).numpy()
        assert np.abs(states[: len(expected)] - expected).max() < 1e-4


def test_eight_bits_score_as_the_published_network_does(reader: MinilmReader, adapter: Path) -> None:
    reference = Reference(adapter)
    found = np.concatenate([reader.scores(question, LINES) for question in QUESTIONS])
    expected = np.array([reference.score(reference.states(question, *line)) for question in QUESTIONS for line in LINES])
    assert found.shape == (len(QUESTIONS) * len(LINES),)
    assert found.dtype == np.float32
    assert float(np.corrcoef(found, expected)[0, 1]) > 0.97
    assert np.abs(found - expected).max() < 0.8 * expected.std()


def test_scores_are_of_the_first_state_and_the_mean_of_a_texts_own(reader: MinilmReader, cache: Path, adapter: Path) -> None:
    reference = Reference(adapter)
    (folder,) = (cache / ".derived").glob("minilm-*")
    encoder = ctranslate2.Encoder(str(folder), device="cpu", compute_type="int8", intra_threads=1)
    expected = []
    for line in LINES:
        asked, told = reference.tokens_of(QUESTION, *line)
        states = encoder.forward_batch([asked + told], token_type_ids=[[0] * len(asked) + [1] * len(told)]).last_hidden_state
        expected.append(reference.score(torch.from_numpy(np.array(states)[0])))
    assert np.abs(reader.scores(QUESTION, LINES) - expected).max() < 1e-4


def test_a_line_has_its_score_whatever_else_is_asked_about(reader: MinilmReader) -> None:
    together = reader.scores(QUESTION, LINES)
    assert np.array_equal(reader.scores(QUESTION, LINES), together)
    assert np.abs(reader.scores(QUESTION, LINES[::-1])[::-1] - together).max() < 1e-4
    alone = np.concatenate([reader.scores(QUESTION, [line]) for line in LINES])
    assert np.abs(alone - together).max() < 1e-4 < together.std()
    assert reader.scores(QUESTION, []).shape == (0,)
    assert np.isfinite(reader.scores("", [("", ""), (" ", "犬が吠える 🐕")])).all()


@pytest.mark.parametrize(
    ("uncut", "cut", "shorter"),
    [
        (("dog " * 64 + "ferry", "", "yes"), ("dog " * 64, "", "yes"), ("dog " * 63, "", "yes")),
        ((QUESTION, "ferry " + "dog " * 40, "yes"), (QUESTION, "dog " * 40, "yes"), (QUESTION, "dog " * 39, "yes")),
        ((QUESTION, "ferry " * 300 + "dog " * 40, "yes"), (QUESTION, "dog " * 40, "yes"), (QUESTION, "ferry " * 40, "yes")),
        ((QUESTION, "", "dog " * 60 + "ferry"), (QUESTION, "", "dog " * 60), (QUESTION, "", "dog " * 59)),
    ],
)
def test_what_is_too_long_is_cut(reader: MinilmReader, uncut: Pair, cut: Pair, shorter: Pair) -> None:
    scores = [float(reader.scores(question, [(before, line)])[0]) for question, before, line in (uncut, cut, shorter)]
    assert scores[0] == scores[1]
    assert scores[0] != scores[2]


def test_it_is_converted_once_for_each_adapter_and_others_are_removed(cache: Path, adapter: Path, tmp_path: Path) -> None:
    known = started_reader(adapter).scores(QUESTION, LINES)
    (folder,) = (cache / ".derived").glob("minilm-*")
    assert folder.name.startswith(f"minilm-reader-ct2-int8-{sha256_of(adapter)[:12]}-")
    written = (folder / "model.bin").stat()
    assert np.array_equal(started_reader(adapter).scores(QUESTION, LINES), known)
    assert (folder / "model.bin").stat() == written
    other = written_adapter(tmp_path / "other.npz", made_adapter(1, read_safetensors(cache / "minilm/model.safetensors")))
    (cache / ".derived" / "mpnet-ct2-int8-78c0197b6159").mkdir()
    assert np.abs(started_reader(other).scores(QUESTION, LINES) - known).min() > 1e-3
    (mpnet,) = (cache / ".derived").glob("mpnet-*")
    (only,) = (cache / ".derived").glob("minilm-*")
    assert mpnet.is_dir()
    assert only.name.startswith(f"minilm-reader-ct2-int8-{sha256_of(other)[:12]}-")
    assert np.array_equal(started_reader(adapter).scores(QUESTION, LINES), known)


def test_damage_is_made_good_and_what_may_only_be_read_converted_each_time(cache: Path, adapter: Path) -> None:
    known = started_reader(adapter).scores(QUESTION, LINES)
    (model,) = (cache / ".derived").glob("*/model.bin")
    content = model.read_bytes()
    model.write_bytes(content[:5_000_000] + bytes(1_000_000) + content[6_000_000:])
    assert np.array_equal(started_reader(adapter).scores(QUESTION, LINES), known)
    assert model.read_bytes() == content
    shutil.rmtree(cache / ".derived")
    (cache / ".derived").write_text("a file where the folder should be")
    assert np.array_equal(started_reader(adapter).scores(QUESTION, LINES), known)


def test_weights_that_are_not_here_and_a_bad_adapter_are_told(cache: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TextModelError, match="not a reader's adapter"):
        started_reader(cache / "none.npz")
    assert not (cache / ".derived").exists()
    monkeypatch.setenv("ECHOIC_MODELS", str(cache / "none"))
    with pytest.raises(WeightsError, match=r"echoic models fetch minilm/model\.safetensors"):
        started_reader(adapter)
