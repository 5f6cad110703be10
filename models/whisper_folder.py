"""Where a Whisper model in CTranslate2's format lies: in a group of the catalogue of weights, or in a folder of one's own."""

from __future__ import annotations

import math
from pathlib import Path

from models.catalog import shipped_catalog
from models.ct2_whisper import SPECIFICATION, Ct2Error, check_whole, specification_of
from models.weights import folder_of

HOW = (
    "in CTranslate2's format a model is a folder with model.bin, config.json, tokenizer.json and vocabulary.json, such as "
    "`ct2-transformers-converter --model openai/whisper-large-v3-turbo --output_dir DIR --quantization float16 "
    "--copy_files tokenizer.json preprocessor_config.json` makes"
)
"""The end of every message on a folder."""

_WEIGHTS = "model.bin"
# Without tokenizer.json faster-whisper would fetch one from the net, so it must be there.
_NEEDED = (_WEIGHTS, "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")

# Whisper base: its weights, and what was measured beside them (0.26 GB in all with int8, 0.45 GB with float32).
_BASE_BYTES = 145_217_532
_BASE_WORK_BYTES = 150_000_000
_BASE_PIECE_BYTES = 50_000_000


class WhisperFolderError(ValueError):
    """What was given as a Whisper model is none: the setting must change, or what lies in the folder."""

    exit_code = 2


def whisper_folder(model: str) -> Path:
    """The folder of a Whisper model with all that it needs to be loaded without a network.

    Args:
        model: a group of the catalogue ("whisper-base"), or else the path of a folder; "~" is the user's home.

    Raises:
        WeightsError: a file of the group is missing or wrong; the message names the command that gets it.
        WhisperFolderError: `model` is neither, or the folder lacks a file, or holds another kind of model or one that is cut short.
    """
    return own_folder(model) or folder_of(model)


def own_folder(model: str) -> Path | None:
    """The folder of a model that is not the catalogue's, looked through; None for a group of the catalogue.

    Raises:
        WhisperFolderError: as `whisper_folder` does.
    """
    if model in _groups():
        return None
    folder = Path(model).expanduser()
    if folder.is_file():
        raise WhisperFolderError(f"model {model!r} is a file; give the folder that it lies in; {HOW}")
    if not model or not folder.is_dir():
        known = ", ".join(_groups())
        raise WhisperFolderError(
            f"model {model!r}: there is no such folder, and the catalogue of weights has no such Whisper model (it has {known}); {HOW}"
        )
    lacking = [name for name in _NEEDED if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        lacking.append(f"{_VOCABULARIES[0]} (or {_VOCABULARIES[1]})")
    if lacking:
        raise WhisperFolderError(f"the Whisper model in {folder} lacks {', '.join(lacking)}; {HOW}")
    kind = specification_of(folder / _WEIGHTS)
    if kind != SPECIFICATION:
        what = f"a model of the kind {kind!r}" if kind else "no CTranslate2 file"
        raise WhisperFolderError(f"{folder / _WEIGHTS} is {what}, where a {SPECIFICATION} is needed; {HOW}")
    try:
        check_whole(folder / _WEIGHTS)
    except Ct2Error as error:
        raise WhisperFolderError(str(error)) from error
    return folder


def name_of(model: str) -> str:
    """What a model is called where it is kept what made something: the group, or the folder's name with the size of its weights.

    Not its path, so that a model is known again after its folder was moved, and another one in the same place is taken for another.
    """
    if model in _groups():
        return model
    return f"{Path(model).expanduser().resolve().name} ({_weights_bytes(model)} bytes)"


def memory_bytes(model: str, precision: str, n_pieces: int = 1) -> int:
    """How many bytes of memory a model takes together with what decoding `n_pieces` stretches of audio at once needs.

    The weights count as the file has them, which as a rule is in float16; with the precision "float32" they take twice that. What
    decoding needs goes with the width and the depth of a network and not with their product, so with the root of the weights'
    size. A model that is not there counts as Whisper base: whoever loads it says that it is missing.
    """
    weights = _weights_bytes(model) or _BASE_BYTES
    work = _BASE_WORK_BYTES + _BASE_PIECE_BYTES * n_pieces
    return weights * (2 if precision == "float32" else 1) + round(work * max(1.0, math.sqrt(weights / _BASE_BYTES)))


def _groups() -> tuple[str, ...]:
    """The groups of the catalogue that are Whisper models in this format."""
    catalog = shipped_catalog()
    return tuple(group for group in catalog.groups() if all(f"{group}/{name}" in catalog.entries for name in _NEEDED))


def _weights_bytes(model: str) -> int:
    """The size of a model's weights on the disk, 0 where there are none."""
    if model in _groups():
        return shipped_catalog().entries[f"{model}/{_WEIGHTS}"].n_bytes
    try:
        return (Path(model).expanduser() / _WEIGHTS).stat().st_size
    except OSError:
        return 0
