"""The reader: CTranslate2 with an adapter in it against the same network in torch, batches, and one folder for each adapter."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from models.mpnet import DIMENSION, LAYER_NORM_EPSILON, N_HEADS
from models.mpnet_reader import MpnetReader, pair_tokens, specification, started_reader, table_rows
from models.reader_adapter import N_LAYERS, ReaderAdapter
from models.sealing import sha256_of
from models.text_model import TextModelError, Tokeniser, read_safetensors
from models.weights import WeightsError, path_of
from tests.models.made_adapter import made_adapter, written_adapter

QUESTION = "How old is the dog?"
QUESTIONS = (QUESTION, "What did the boiler cost?", "When does Tom come back?", "Where does Anna work?")
LINES = (
    ("", "I think she is four years old now."),
    ("How old is the dog?", "We got her just before the summer, when the ferry was still running."),
    ("", "Yes."),
    ("", "The meeting was moved to Thursday because Anna is ill."),
    ("Which one do you mean?", "The red one, the green one is too small for me."),
    ("", "Nine hundred and forty, and that was with the discount."),
    ("Did you hear from Tom?", "Tom is in Canada until Easter, and he says that it is cold there."),
    ("", "The dog sleeps under the table."),
)
ASKED = tuple((QUESTION, *line) for line in LINES)
ROUNDING = 0.05
"""Of the spread of scores: what differs in its last bits, in a batch of longer texts, say, may be rounded to another of eight bits."""

Pair = tuple[str, str, str]


class Reference:
    """The published network with low-rank changes beside its linear maps, single precision, one text at a time."""

    def __init__(self, adapter: Path) -> None:
        self.tokens = Tokeniser(path_of("mpnet/tokenizer.json"), max_tokens=None)
        with np.load(adapter) as file:
            known = {**read_safetensors(path_of("mpnet/model.safetensors")), **{name: file[name] for name in file.files}}
        self.known = {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in known.items()}

    def states(self, question: str, asked: str, line: str) -> torch.Tensor:
        tokens, types = self.tokens_of(question, asked, line)
        n = len(tokens)
        state = self.known["embeddings.word_embeddings.weight"][tokens] + self.known["embeddings.position_embeddings.weight"][2 : 2 + n]
        state = self._normal(state + self.known["embeddings.types.weight"][types], "embeddings.LayerNorm")
        apart = torch.arange(n)[None, :] - torch.arange(n)[:, None]
        far = 8 + (torch.log(apart.abs().clamp(min=1) / 8) / math.log(128 / 8) * 8).long().clamp(max=7)
        bucket = torch.where(apart.abs() < 8, apart.abs(), far) + 16 * (apart > 0)
        bias = self.known["encoder.relative_attention_bias.weight"][bucket].permute(2, 0, 1)
        for layer in range(N_LAYERS):
            prefix = f"encoder.layer.{layer}."
            query, key, value = (
                self._linear(state, f"{prefix}attention.attn.{name}").view(n, N_HEADS, -1).transpose(0, 1) for name in "qkv"
            )
            read = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias).transpose(0, 1).reshape(n, DIMENSION)
            state = self._normal(self._linear(read, f"{prefix}attention.attn.o") + state, f"{prefix}attention.LayerNorm")
            inner = functional.gelu(self._linear(state, f"{prefix}intermediate.dense"))
            state = self._normal(self._linear(inner, f"{prefix}output.dense") + state, f"{prefix}output.LayerNorm")
        return state

    def tokens_of(self, question: str, asked: str, line: str) -> tuple[list[int], list[int]]:
        parts = [
            [0, *self.tokens.unmarked(question)[:64], 2],
            [2, *self.tokens.unmarked(asked)[-24:], 2] if asked else [],
            [2, *self.tokens.unmarked(line)[:60], 2],
        ]
        return [token for part in parts for token in part], [kind for kind, part in enumerate(parts) for _ in part]

    def score(self, states: torch.Tensor, types: list[int]) -> float:
        kinds = torch.tensor(types)
        question, line = (functional.normalize(states[kinds == kind].mean(dim=0), dim=0) for kind in (0, 2))
        read = torch.cat([states[0], question, line, question * line])
        inner = functional.linear(read, self.known["head.0.weight"], self.known["head.0.bias"])
        return float(functional.linear(functional.gelu(inner), self.known["head.1.weight"], self.known["head.1.bias"]))

    def scores(self, question: str) -> list[float]:
        pairs = LINES
        return [self.score(self.states(question, *pair), self.tokens_of(question, *pair)[1]) for pair in pairs]

    def _linear(self, state: torch.Tensor, name: str) -> torch.Tensor:
        changed = functional.linear(functional.linear(state, self.known[f"{name}.down"]), self.known[f"{name}.up"])
        return functional.linear(state, self.known[f"{name}.weight"], self.known[f"{name}.bias"]) + changed

    def _normal(self, state: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(state, (DIMENSION,), self.known[f"{name}.weight"], self.known[f"{name}.bias"], LAYER_NORM_EPSILON)


def own_folder(folder: Path, weights: Path) -> Path:
    """A folder of weights of a test's own, with nothing made of them yet."""
    folder.mkdir()
    for name in ("mpnet", ".verified"):
        (folder / name).symlink_to(weights / name)
    return folder


@pytest.fixture(scope="module")
def adapter(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("adapter") / "adapter.npz"
    return written_adapter(path, made_adapter(0, read_safetensors(weights / "mpnet/model.safetensors")))


@pytest.fixture(scope="module")
def reference(adapter: Path) -> Reference:
    return Reference(adapter)


@pytest.fixture(scope="module", params=[1, 2])
def made(
    request: pytest.FixtureRequest, weights: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MpnetReader, Path]]:
    """A reader, and the folder that it was converted to."""
    cache = own_folder(tmp_path_factory.mktemp("made") / "models", weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECHOIC_MODELS", str(cache))
        reader = started_reader(adapter, request.param)
    (folder,) = (cache / ".derived").glob("mpnet-*")
    yield reader, folder
    shutil.rmtree(folder)


@pytest.fixture
def reader(made: tuple[MpnetReader, Path]) -> MpnetReader:
    return made[0]


@pytest.fixture
def cache(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = own_folder(tmp_path / "models", weights)
    monkeypatch.setenv("ECHOIC_MODELS", str(folder))
    return folder


def test_the_parts_of_a_pair_are_told_apart_by_their_types(reference: Reference) -> None:
    for line in LINES:
        assert pair_tokens(reference.tokens, QUESTION, *line) == reference.tokens_of(QUESTION, *line)
    tokens, types = pair_tokens(reference.tokens, "dog", "Who?", "a cat")
    assert types == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert [tokens[place] for place in (0, 2, 3, 6, 7, 10)] == [0, 2, 2, 2, 2, 2]
    assert table_rows([0, 0, 1, 2]) == [2, 3, 514 + 4, 2 * 514 + 5]


def test_in_single_precision_a_batch_has_the_states_of_the_published_network(reference: Reference, adapter: Path, tmp_path: Path) -> None:
    tensors = ReaderAdapter(adapter).merged(read_safetensors(path_of("mpnet/model.safetensors")))
    specification(tensors, reference.tokens.vocabulary()).save(str(tmp_path))
    encoder = ctranslate2.Encoder(str(tmp_path), device="cpu", compute_type="float32")
    batch = [pair_tokens(reference.tokens, QUESTION, *line) for line in LINES]
    given = [[kind * 514 + 2 + place for place, kind in enumerate(types)] for _, types in batch]
    found = np.array(encoder.forward_batch([tokens for tokens, _ in batch], token_type_ids=given).last_hidden_state)
    for states, line in zip(found, LINES, strict=True):
        expected = reference.states(QUESTION, *line).numpy()
        assert np.abs(states[: len(expected)] - expected).max() < 1e-4


def test_eight_bits_score_as_the_published_network_does(reader: MpnetReader, reference: Reference) -> None:
    found = reader.scores([(question, *line) for question in QUESTIONS for line in LINES])
    expected = np.array([score for question in QUESTIONS for score in reference.scores(question)])
    assert found.shape == (len(QUESTIONS) * len(LINES),)
    assert found.dtype == np.float32
    assert float(np.corrcoef(found, expected)[0, 1]) > 0.97
    assert np.abs(found - expected).max() < 0.8 * expected.std()


def test_scores_are_of_the_states_of_a_texts_own(made: tuple[MpnetReader, Path], reference: Reference) -> None:
    reader, folder = made
    encoder = ctranslate2.Encoder(str(folder), device="cpu", compute_type="int8", intra_threads=1)
    expected = []
    for line in LINES:
        tokens, types = pair_tokens(reference.tokens, QUESTION, *line)
        states = encoder.forward_batch([tokens], token_type_ids=[table_rows(types)]).last_hidden_state
        expected.append(reference.score(torch.from_numpy(np.array(states)[0]), types))
    assert np.abs(reader.scores(ASKED) - expected).max() < ROUNDING * np.std(expected)


def test_a_line_has_its_score_whatever_else_is_asked_about(reader: MpnetReader) -> None:
    together = reader.scores(ASKED)
    assert np.array_equal(reader.scores(ASKED), together)
    assert np.abs(reader.scores(ASKED[::-1])[::-1] - together).max() < ROUNDING * together.std()
    alone = np.concatenate([reader.scores([one]) for one in ASKED])
    assert np.abs(alone - together).max() < ROUNDING * together.std()
    assert reader.scores([]).shape == (0,)
    assert np.isfinite(reader.scores([("", "", ""), ("", " ", "犬が吠える 🐕")])).all()


@pytest.mark.parametrize(
    ("uncut", "cut", "shorter"),
    [
        (("dog " * 64 + "ferry", "", "yes"), ("dog " * 64, "", "yes"), ("dog " * 63, "", "yes")),
        ((QUESTION, "ferry " + "dog " * 23 + "?", "yes"), (QUESTION, "dog " * 23 + "?", "yes"), (QUESTION, "dog " * 22 + "?", "yes")),
        (
            (QUESTION, "ferry " * 300 + "dog " * 23 + "?", "yes"),
            (QUESTION, "dog " * 23 + "?", "yes"),
            (QUESTION, "ferry " * 23 + "?", "yes"),
        ),
        ((QUESTION, "", "dog " * 60 + "ferry"), (QUESTION, "", "dog " * 60), (QUESTION, "", "dog " * 59)),
    ],
)
def test_what_is_too_long_is_cut(reader: MpnetReader, uncut: Pair, cut: Pair, shorter: Pair) -> None:
    scores = [float(reader.scores([asked])[0]) for asked in (uncut, cut, shorter)]
    assert scores[0] == scores[1]
    assert scores[0] != scores[2]


def test_it_is_converted_once_for_each_adapter_and_others_are_removed(cache: Path, adapter: Path, tmp_path: Path) -> None:
    known = started_reader(adapter).scores(ASKED)
    (folder,) = (cache / ".derived").glob("mpnet-reader-*")
    assert folder.name.startswith(f"mpnet-reader-ct2-int8-{sha256_of(adapter)[:12]}-")
    written = (folder / "model.bin").stat()
    assert np.array_equal(started_reader(adapter).scores(ASKED), known)
    assert (folder / "model.bin").stat() == written
    other = written_adapter(tmp_path / "other.npz", made_adapter(1, read_safetensors(cache / "mpnet/model.safetensors")))
    (cache / ".derived" / "mpnet-ct2-int8-78c0197b6159").mkdir()
    assert np.abs(started_reader(other).scores(ASKED) - known).min() > 1e-3
    (only,) = (cache / ".derived").glob("mpnet-reader-*")
    assert (cache / ".derived" / "mpnet-ct2-int8-78c0197b6159").is_dir()
    assert only.name.startswith(f"mpnet-reader-ct2-int8-{sha256_of(other)[:12]}-")
    assert np.array_equal(started_reader(adapter).scores(ASKED), known)


def test_damage_is_made_good_and_what_may_only_be_read_converted_each_time(cache: Path, adapter: Path) -> None:
    known = started_reader(adapter).scores(ASKED)
    (model,) = (cache / ".derived").glob("*/model.bin")
    content = model.read_bytes()
    model.write_bytes(content[:5_000_000] + bytes(1_000_000) + content[6_000_000:])
    assert np.array_equal(started_reader(adapter).scores(ASKED), known)
    assert model.read_bytes() == content
    shutil.rmtree(cache / ".derived")
    (cache / ".derived").write_text("a file where the folder should be")
    assert np.array_equal(started_reader(adapter).scores(ASKED), known)


def test_weights_that_are_not_here_and_a_bad_adapter_are_told(cache: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TextModelError, match="not a reader's adapter"):
        started_reader(cache / "none.npz")
    assert not (cache / ".derived").exists()
    monkeypatch.setenv("ECHOIC_MODELS", str(cache / "none"))
    with pytest.raises(WeightsError, match=r"echoic models fetch mpnet/model\.safetensors"):
        started_reader(adapter)
