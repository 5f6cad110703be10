from __future__ import annotations

import re
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from models.text_model import TextModelError
from stages.memory.hashed_words import HashedWords
from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.minilm_torch import MinilmTorch
from stages.memory.mpnet import Mpnet
from stages.memory.text_encoder import TextEncoder
from stages.memory.words.words_query import COMMON_WORDS
from stages.recall.mpnet_reader import MpnetReader

DOCUMENTS = [
    "The quarterly budget meeting starts at ten thirty in the blue conference room.",
    "I left the spare keys in the top drawer of the kitchen cabinet.",
    "The train to Boston was delayed because of heavy snow.",
    "My doctor told me to take two tablets after breakfast every day.",
    "Please water the tomato plants and feed the cat.",
]
QUESTIONS = [
    "When is the finance discussion?",
    "Where can I find the keys?",
    "weather affecting travel",
    "medicine instructions",
    "care for pets and garden",
]


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("make", [MinilmOnnx, MinilmTorch, Mpnet])
def test_meaning_is_found_without_shared_words(make: type[MinilmOnnx | MinilmTorch | Mpnet]) -> None:
    encoder = make()
    encoder.start()
    encoder.start()
    documents, questions = encoder.encode(DOCUMENTS), encoder.encode(QUESTIONS)
    assert (questions @ documents.T).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
    assert np.abs(np.linalg.norm(documents, axis=1) - 1.0).max() < 1e-5
    alone = np.concatenate([encoder.encode([text]) for text in DOCUMENTS])
    assert np.array_equal(alone, documents)
    # In eight bits some CPUs round otherwise where a product has fewer than 16 rows; both are as near to what full precision says.
    assert (encoder.encode_together(DOCUMENTS) * documents).sum(axis=1).min() > 0.995
    assert encoder.encode([]).shape == encoder.encode_together([]).shape == (0, encoder.dimension)
    assert encoder.encode(["", "word " * 5000, "犬が吠える 🐕"]).shape == (3, encoder.dimension)
    encoder.stop()
    encoder.stop()
    with pytest.raises(TextModelError, match=r"start\(\) has not been called"):
        encoder.encode(["x"])
    with pytest.raises(TextModelError, match=r"start\(\) has not been called"):
        encoder.encode_together(["x"])


@pytest.mark.parametrize("make", [MinilmOnnx, Mpnet, MpnetReader])
def test_threads_are_at_least_one(make: type[MinilmOnnx | Mpnet | MpnetReader]) -> None:
    with pytest.raises(ValueError, match="n_threads must be at least 1, found -1"):
        make(n_threads=-1)


@pytest.mark.usefixtures("weights")
def test_both_runtimes_mean_the_same() -> None:
    one, other = MinilmOnnx(), MinilmTorch()
    one.start()
    other.start()
    assert (one.name, one.dimension) == (other.name, other.dimension)
    assert (one.encode(DOCUMENTS) * other.encode(DOCUMENTS)).sum(axis=1).min() > 0.998


@pytest.mark.usefixtures("weights")
def test_weights_that_may_only_be_read_are_converted_for_each_start(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Mpnet()
    known.start()
    (tmp_path / "mpnet").symlink_to(weights / "mpnet")
    (tmp_path / ".verified").symlink_to(weights / ".verified")
    (tmp_path / ".derived").write_text("a file where the folder should be")
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path))
    encoder = Mpnet()
    encoder.start()
    assert np.array_equal(encoder.encode(DOCUMENTS), known.encode(DOCUMENTS))


def test_a_converted_model_that_is_damaged_is_made_anew_and_a_bad_device_leaves_it(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mpnet", ".verified"):
        (tmp_path / name).symlink_to(weights / name)
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path))
    encoder = Mpnet()
    encoder.start()
    (model,) = (tmp_path / ".derived").glob("*/model.bin")
    whole, known = model.stat(), encoder.encode(DOCUMENTS)
    with pytest.raises(TextModelError, match="cuda:63"):
        Mpnet("cuda:63").start()
    assert model.stat().st_ino == whole.st_ino
    model.write_bytes(model.read_bytes()[:1_000_000])
    other = Mpnet()
    other.start()
    assert model.stat().st_size == whole.st_size
    assert np.array_equal(other.encode(DOCUMENTS), known)
    # Zeros instead of weights load as well as weights do.
    content, middle = model.read_bytes(), whole.st_size // 2
    model.write_bytes(content[:middle] + bytes(10_000_000) + content[middle + 10_000_000 :])
    other = Mpnet()
    other.start()
    assert np.array_equal(other.encode(DOCUMENTS), known)
    assert model.read_bytes() == content


@pytest.mark.gpu
@pytest.mark.usefixtures("weights")
def test_half_precision_on_a_gpu_means_the_same() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    one, other = MinilmTorch("cuda:0"), MinilmTorch()
    one.start()
    other.start()
    assert (one.encode(DOCUMENTS) * other.encode(DOCUMENTS)).sum(axis=1).min() > 0.999


def test_hashed_words_know_words_and_their_parts() -> None:
    encoder: TextEncoder = HashedWords()
    dog, dogs, ship = encoder.encode(["the dog barks", "dogs barking", "a ferry at sea"])
    assert dog @ dogs > 0.2 > 0.1 > dog @ ship
    assert np.abs(np.linalg.norm(encoder.encode(["", "?!", "猫"]), axis=1) - 1.0).max() < 1e-6
    with pytest.raises(ValueError, match="dimension must be at least 16, found 3"):
        HashedWords(dimension=3)


def test_hashed_words_add_words_and_their_parts_one_after_the_other() -> None:
    texts = ["I think the ferry, the FERRY leaves", "ab a ab", f"{'long' * 20} word {'long' * 20}", "", "猫 café"]
    expected = np.zeros((len(texts), 96))
    for row, text in zip(expected, texts, strict=True):
        for word in re.findall(r"\w+", text.lower()):
            weight = 0.15 if word in COMMON_WORDS else 1.0
            parts = [f"<{word}>"[first : first + n] for n in (3, 4) for first in range(len(word) + 2 - n + 1)]
            for feature, part in [(word, weight), *((part, weight / len(parts) ** 0.5) for part in parts)]:
                code = zlib.crc32(feature.encode())
                row[(code >> 1) % 96] += part if code & 1 else -part
        if not row.any():
            row[0] = 1.0
        row /= float(np.linalg.norm(row))
    found = HashedWords(dimension=96).encode(texts)
    assert found.tobytes() == expected.astype(np.float32).tobytes()
    assert HashedWords(dimension=96).encode(texts[1:3]).tobytes() == found[1:3].tobytes()


def test_hashed_words_are_the_same_in_every_process() -> None:
    program = "from stages.memory.hashed_words import HashedWords; print(HashedWords().encode(['the dog barks']).tobytes().hex())"
    root = Path(__file__).parents[3]
    found = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=root, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_stages_are_cheap_to_import() -> None:
    program = (
        "import sys, stages.memory.minilm_onnx, stages.memory.minilm_torch, stages.memory.long_term_memory, stages.memory.remember,"
        " stages.events.surprise; print([name for name in ('torch', 'onnxruntime', 'faiss', 'tokenizers', 'scipy') if name in sys.modules])"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=root).stdout == "[]\n"
