"""Where a Whisper model lies, and what is said of a place where none does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.weights import WeightsError, folder_of
from models.whisper_folder import HOW, WhisperFolderError, memory_bytes, name_of, own_folder, whisper_folder
from tests.models.made_whisper import linked_whisper

BASE_BYTES = 145_217_532


@pytest.fixture
def copy(weights: Path, tmp_path: Path) -> Path:
    """Whisper base in a folder of one's own."""
    return linked_whisper(tmp_path / "mine", weights / "whisper-base")


def told(model: str) -> str:
    with pytest.raises(WhisperFolderError) as caught:
        whisper_folder(model)
    assert caught.value.exit_code == 2
    with pytest.raises(WhisperFolderError) as at_start:
        own_folder(model)
    assert str(at_start.value) == str(caught.value)
    return str(caught.value)


def test_a_group_of_the_catalogue_and_a_folder_are_found(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert whisper_folder("whisper-base") == folder_of("whisper-base")
    assert own_folder("whisper-base") is None
    assert whisper_folder(str(copy)) == own_folder(str(copy)) == copy
    monkeypatch.setenv("HOME", str(copy.parent))
    assert whisper_folder("~/mine") == copy
    monkeypatch.chdir(copy.parent)
    assert whisper_folder("mine") == Path("mine")


def test_the_name_of_a_group_is_never_a_folder(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.rename(copy.with_name("whisper-base"))
    monkeypatch.chdir(copy.parent)
    assert whisper_folder("whisper-base") == folder_of("whisper-base")
    assert whisper_folder("./whisper-base") == Path("whisper-base")


def test_a_newer_vocabulary_will_do_and_one_must_be_there(copy: Path) -> None:
    (copy / "vocabulary.txt").rename(copy / "vocabulary.json")
    assert whisper_folder(str(copy)) == copy
    (copy / "vocabulary.json").unlink()
    assert told(str(copy)) == f"the Whisper model in {copy} lacks vocabulary.json (or vocabulary.txt); {HOW}"


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert told(str(copy)) == f"the Whisper model in {copy} lacks {name}; {HOW}"


def test_all_that_a_folder_lacks_is_told_at_once_and_how_one_is_made(tmp_path: Path) -> None:
    assert told(str(tmp_path)) == (
        f"the Whisper model in {tmp_path} lacks model.bin, config.json, tokenizer.json, vocabulary.json (or vocabulary.txt); "
        "in CTranslate2's format a model is a folder with model.bin, config.json, tokenizer.json and vocabulary.json, such as "
        "`ct2-transformers-converter --model openai/whisper-large-v3-turbo --output_dir DIR --quantization float16 "
        "--copy_files tokenizer.json preprocessor_config.json` makes"
    )


@pytest.mark.parametrize("model", ["whisper-bose", "/no/such/folder", "minilm", ""])
def test_what_is_neither_a_group_nor_a_folder_is_refused(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(model) == (
        f"model {model!r}: there is no such folder, and the catalogue of weights has no such Whisper model (it has whisper-base); {HOW}"
    )


def test_a_file_is_refused(copy: Path) -> None:
    path = copy / "model.bin"
    assert told(str(path)) == f"model {str(path)!r} is a file; give the folder that it lies in; {HOW}"


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "no CTranslate2 file"),
        (b"", "no CTranslate2 file"),
        (b"\x06\0\0\0\x10\0TransformerSpec\0\x07\0\0\0", "a model of the kind 'TransformerSpec'"),
    ],
)
def test_another_kind_of_model_is_refused(copy: Path, begin: bytes, what: str) -> None:
    (copy / "model.bin").unlink()
    (copy / "model.bin").write_bytes(begin)
    assert told(str(copy)) == f"{copy / 'model.bin'} is {what}, where a WhisperSpec is needed; {HOW}"


def test_a_model_of_which_a_part_has_arrived_is_refused(copy: Path) -> None:
    whole = (copy / "model.bin").read_bytes()
    (copy / "model.bin").unlink()
    (copy / "model.bin").write_bytes(whole[:100_000_000])
    assert told(str(copy)) == f"{copy / 'model.bin'}: cut short at byte 100000000; fetch the weights again"
    # How later versions of the format are built is CTranslate2's to know.
    (copy / "model.bin").write_bytes(b"\x07" + whole[1:1000])
    assert whisper_folder(str(copy)) == copy


def test_a_group_that_is_not_here_is_told_with_the_command_that_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path))
    assert own_folder("whisper-base") is None
    with pytest.raises(WeightsError, match=r"Get it with: echoic models fetch whisper-base/model\.bin"):
        whisper_folder("whisper-base")


def test_a_folder_is_known_again_wherever_it_lies(copy: Path) -> None:
    assert name_of("whisper-base") == "whisper-base"
    assert name_of(str(copy)) == name_of(f"{copy}/.") == "mine (145217532 bytes)"
    moved = copy.parent / "elsewhere"
    moved.mkdir()
    shutil.move(copy, moved / "mine")
    assert name_of(str(moved / "mine")) == "mine (145217532 bytes)"
    assert name_of(str(copy)) == "mine (0 bytes)"


def test_memory_follows_the_size_of_the_weights(copy: Path) -> None:
    assert memory_bytes(str(copy), "int8") == memory_bytes("whisper-base", "int8") == BASE_BYTES + 200_000_000
    assert memory_bytes("whisper-base", "float16", 16) == BASE_BYTES + 950_000_000
    assert memory_bytes("whisper-base", "float32") == 2 * BASE_BYTES + 200_000_000
    (copy / "model.bin").unlink()
    with (copy / "model.bin").open("wb") as file:
        file.truncate(9 * BASE_BYTES)
    assert memory_bytes(str(copy), "int8") == 9 * BASE_BYTES + 600_000_000
    # Where there is no model, whoever loads it says so.
    assert memory_bytes("/no/such/folder", "int8") == memory_bytes("whisper-base", "int8")
