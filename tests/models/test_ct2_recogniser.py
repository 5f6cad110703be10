"""Models of other forms than Whisper base's in the same recogniser: made of random numbers, so what they write is nonsense."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.ct2_recogniser import Ct2Recogniser
from models.recogniser import Search
from models.recognition import RecogniserError, RecogniserLoadError
from models.weights import folder_of
from pipeline.testing import noise
from tests.models.made_whisper import made_whisper


@pytest.fixture(scope="module")
def base(weights: Path) -> Path:
    assert weights.is_dir()
    return folder_of("whisper-base")


def test_a_model_that_hears_more_bands_needs_no_word_of_it_in_its_folder(base: Path, tmp_path: Path) -> None:
    # large-v3 hears 128; preprocessor_config.json, which says so, is not always copied when a model is converted.
    recogniser = Ct2Recogniser(made_whisper(tmp_path / "large", base, n_mels=128), n_threads=1)
    (found,) = recogniser.decoded([noise(2.0)], 4.0, Search(1, 8))
    assert found.text
    assert found.language == "en"
    assert 0.0 < found.language_fit <= 1.0


def test_a_model_that_knows_english_only_is_not_asked_for_the_language(base: Path, tmp_path: Path) -> None:
    folder = made_whisper(tmp_path / "tiny.en", base, english_only=True)
    recogniser = Ct2Recogniser(folder, n_threads=1, vocabulary=["Siobhan"])
    one, other = recogniser.decoded([noise(2.0), noise(1.0, seed=3)], 4.0, Search(2, 8))
    for found in (one, other):
        assert found.text
        assert (found.language, found.language_fit) == ("en", 1.0)
    assert len(recogniser.recognise([noise(2.0), np.zeros(16000, np.float32)])) == 2
    for language in ("auto", "de"):
        with pytest.raises(RecogniserError) as caught:
            Ct2Recogniser(folder, n_threads=1, language=language)
        assert caught.value.exit_code == 2
        assert str(caught.value) == f"the Whisper model in {folder} knows English only, so language must be 'en', found {language!r}"


def test_a_model_that_does_not_load_is_told_with_its_folder(base: Path, tmp_path: Path) -> None:
    folder = made_whisper(tmp_path / "cut", base)
    with (folder / "model.bin").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(RecogniserLoadError) as caught:
        Ct2Recogniser(folder)
    assert str(caught.value).startswith(f"the Whisper model in {folder} does not load on cpu: ")
    shutil.copy(base / "model.bin", folder / "model.bin")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(RecogniserLoadError, match="does not load on cpu: "):
        Ct2Recogniser(folder)
