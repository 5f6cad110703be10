"""Reads the Whisper weights of a CTranslate2 `model.bin` as plain data and gives them the names that openai-whisper uses.

CTranslate2 stores a model as: version, name of the specification, revision, the variables (name, shape, type, bytes) and
aliases. Its Whisper fuses the projections of one attention: query, key and value of a self-attention are one matrix, key and
value of a cross-attention another. openai-whisper keeps them apart, and its keys have no bias.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

AnyArray = npt.NDArray[Any]

_TYPES: dict[int, type[np.generic]] = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_FILE_VERSION = 6
_IMPOSSIBLE_VERSION = 1000
# Version and length of the name stand before it; a name is short.
_NAME_AT = struct.calcsize("<IH")
_HEAD_BYTES = _NAME_AT + 256
SPECIFICATION = "WhisperSpec"
"""What a file says that holds a Whisper model."""


class Ct2Error(ValueError):
    """A file is not the CTranslate2 Whisper model that it should be."""


@dataclass(frozen=True)
class WhisperDims:
    """The sizes of a Whisper model, by the names that openai-whisper gives them."""

    n_mels: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_vocab: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int

    def as_dict(self) -> dict[str, int]:
        """The keywords of openai-whisper's ModelDimensions."""
        return asdict(self)


def read_variables(path: Path) -> dict[str, AnyArray]:
    """Every variable of a CTranslate2 Whisper model by name, aliases included.

    The arrays are read-only views of the mapped file.

    Raises:
        Ct2Error: the file is cut short, has bytes left over, or is another kind of model.
    """
    reader = _opened(path)
    version = reader.number("I")
    if version != _FILE_VERSION:
        raise Ct2Error(f"{path}: CTranslate2 file version {version}; only version {_FILE_VERSION} can be read")
    name = reader.text()
    if name != SPECIFICATION:
        raise Ct2Error(f"{path}: holds a {name!r} model; a {SPECIFICATION!r} is needed")
    reader.number("I")  # the revision of the specification: its variables are checked by name and shape below
    variables = dict(reader.variable() for _ in range(reader.number("I")))
    for _ in range(reader.number("I")):
        alias, target = reader.text(), reader.text()
        if target not in variables:
            raise Ct2Error(f"{path}: {alias!r} is an alias of {target!r}, which is not in the file")
        variables[alias] = variables[target]
    reader.expect_end()
    return variables


def specification_of(path: Path) -> str:
    """What kind of model a CTranslate2 file says that it holds, such as "WhisperSpec"; "" for a file that is none of its own."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if len(head) < _NAME_AT:
        return ""
    version, length = struct.unpack_from("<IH", head)
    name = head[_NAME_AT : _NAME_AT + length]
    # The first letters of a text, read as a version, are a number of many millions.
    if not 0 < version < _IMPOSSIBLE_VERSION or not name.endswith(b"\0"):
        return ""
    return name.rstrip(b"\0").decode("ascii", errors="replace")


def check_whole(path: Path) -> None:
    """Walk over a CTranslate2 file without reading its weights. Files of another version are left to CTranslate2.

    Raises:
        Ct2Error: the file is cut short, or has bytes left over.
    """
    reader = _opened(path)
    if reader.number("I") != _FILE_VERSION:
        return
    reader.text()
    reader.number("I")
    for _ in range(reader.number("I")):
        reader.head()
        reader.pass_over(reader.number("I"))
    for _ in range(reader.number("I")):
        reader.text()
        reader.text()
    reader.expect_end()


def openai_weights(variables: Mapping[str, AnyArray]) -> tuple[WhisperDims, dict[str, AnyArray]]:
    """The weights under the names of openai-whisper's state dict, bit for bit, and the model's sizes.

    Raises:
        Ct2Error: a variable is missing, was left over, or has an unexpected shape or value.
    """
    source = _Source(variables)
    weights: dict[str, AnyArray] = {}
    state = source.take("encoder/conv1/weight", keep=True).shape[0]
    for conv in ("conv1", "conv2"):
        _put(weights, f"encoder.{conv}", source, f"encoder/{conv}")
    layers = {}
    for side in ("encoder", "decoder"):
        weights[f"{side}.positional_embedding"] = source.take(f"{side}/position_encodings/encodings")
        layers[side] = source.n_layers(side)
        for index in range(layers[side]):
            weights |= _layer(source, side, index, state)
    _put_norm(weights, "encoder.ln_post", source, "encoder/layer_norm")
    _put_norm(weights, "decoder.ln", source, "decoder/layer_norm")
    embedding = source.take("decoder/embeddings/weight")
    weights["decoder.token_embedding.weight"] = embedding
    if not np.array_equal(source.take("decoder/projection/weight"), embedding):
        raise Ct2Error("decoder/projection/weight differs from decoder/embeddings/weight; in Whisper they are one matrix")
    source.expect_used_up()
    n_mels = weights["encoder.conv1.weight"].shape[1]
    n_vocab = embedding.shape[0]
    dims = WhisperDims(
        n_mels=n_mels,
        n_audio_ctx=weights["encoder.positional_embedding"].shape[0],
        n_audio_state=state,
        n_audio_head=source.number("encoder/num_heads"),
        n_audio_layer=layers["encoder"],
        n_vocab=n_vocab,
        n_text_ctx=weights["decoder.positional_embedding"].shape[0],
        n_text_state=state,
        n_text_head=source.number("decoder/num_heads"),
        n_text_layer=layers["decoder"],
    )
    return dims, weights


def _opened(path: Path) -> _Reader:
    with path.open("rb") as file:
        try:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise Ct2Error(f"{path}: the file is empty; fetch the weights again") from error
    return _Reader(memoryview(content), path)


class _Reader:
    """Walks over the bytes of a model file."""

    def __init__(self, content: memoryview, path: Path) -> None:
        self._content = content
        self._path = path
        self._at = 0

    def number(self, kind: str) -> int:
        """A little-endian unsigned number: "B", "H" or "I" for one, two or four bytes."""
        return int(struct.unpack("<" + kind, self._bytes(struct.calcsize(kind)))[0])

    def text(self) -> str:
        """A string: its length, then its bytes with a zero at the end."""
        return bytes(self._bytes(self.number("H"))).rstrip(b"\0").decode("utf-8", errors="replace")

    def head(self) -> tuple[str, tuple[int, ...], int]:
        """What a variable begins with: name, rank, shape, type."""
        name = self.text()
        shape = tuple(self.number("I") for _ in range(self.number("B")))
        return name, shape, self.number("B")

    def pass_over(self, n_bytes: int) -> None:
        """Leave bytes out."""
        self._bytes(n_bytes)

    def variable(self) -> tuple[str, AnyArray]:
        """A variable: its head, number of bytes, bytes."""
        name, shape, code = self.head()
        if code not in _TYPES:
            raise Ct2Error(f"{self._path}: {name!r} has the type {code}; known are {', '.join(map(str, _TYPES))}")
        kind = np.dtype(_TYPES[code])
        n_bytes = self.number("I")
        if n_bytes != kind.itemsize * int(np.prod(shape, dtype=np.int64)):
            raise Ct2Error(f"{self._path}: {name!r} has {n_bytes} bytes, which do not fit shape {shape} of {kind.name}")
        return name, np.frombuffer(self._bytes(n_bytes), dtype=kind).reshape(shape)

    def expect_end(self) -> None:
        """The file must be used up."""
        left = len(self._content) - self._at
        if left:
            raise Ct2Error(f"{self._path}: {left} bytes are left over at the end; the file is damaged, fetch the weights again")

    def _bytes(self, n_bytes: int) -> memoryview:
        piece = self._content[self._at : self._at + n_bytes]
        if len(piece) < n_bytes:
            raise Ct2Error(f"{self._path}: cut short at byte {len(self._content)}; fetch the weights again")
        self._at += n_bytes
        return piece


class _Source:
    """The variables, each taken once, so that nothing is forgotten."""

    def __init__(self, variables: Mapping[str, AnyArray]) -> None:
        self._variables = variables
        # The scalars are switches of CTranslate2's own code; openai-whisper has them in its code too.
        self._left = {name for name, value in variables.items() if value.ndim > 0}

    def take(self, name: str, *, keep: bool = False) -> AnyArray:
        if name not in self._variables:
            raise Ct2Error(f"the model has no {name!r}; it is not a Whisper model of the layout that can be read")
        if not keep:
            self._left.discard(name)
        return self._variables[name]

    def number(self, name: str) -> int:
        return int(self.take(name))

    def n_layers(self, side: str) -> int:
        layers = {name.split("/")[1] for name in self._variables if name.startswith(f"{side}/layer_") and "/self_attention/" in name}
        return len(layers)

    def expect_used_up(self) -> None:
        if left := sorted(self._left):
            raise Ct2Error(f"the model has {len(left)} variables that openai-whisper does not know: {', '.join(left[:5])}")


def _layer(source: _Source, side: str, index: int, state: int) -> dict[str, AnyArray]:
    theirs, ours = f"{side}/layer_{index}", f"{side}.blocks.{index}"
    weights: dict[str, AnyArray] = {}
    weights |= _split(source, f"{theirs}/self_attention/linear_0", f"{ours}.attn", ("query", "key", "value"), state)
    _put(weights, f"{ours}.attn.out", source, f"{theirs}/self_attention/linear_1")
    _put_norm(weights, f"{ours}.attn_ln", source, f"{theirs}/self_attention/layer_norm")
    if side == "decoder":
        _put(weights, f"{ours}.cross_attn.query", source, f"{theirs}/attention/linear_0")
        weights |= _split(source, f"{theirs}/attention/linear_1", f"{ours}.cross_attn", ("key", "value"), state)
        _put(weights, f"{ours}.cross_attn.out", source, f"{theirs}/attention/linear_2")
        _put_norm(weights, f"{ours}.cross_attn_ln", source, f"{theirs}/attention/layer_norm")
    _put(weights, f"{ours}.mlp.0", source, f"{theirs}/ffn/linear_0")
    _put(weights, f"{ours}.mlp.2", source, f"{theirs}/ffn/linear_1")
    _put_norm(weights, f"{ours}.mlp_ln", source, f"{theirs}/ffn/layer_norm")
    return weights


def _put(weights: dict[str, AnyArray], ours: str, source: _Source, theirs: str) -> None:
    weights[f"{ours}.weight"] = source.take(f"{theirs}/weight")
    weights[f"{ours}.bias"] = source.take(f"{theirs}/bias")


def _put_norm(weights: dict[str, AnyArray], ours: str, source: _Source, theirs: str) -> None:
    weights[f"{ours}.weight"] = source.take(f"{theirs}/gamma")
    weights[f"{ours}.bias"] = source.take(f"{theirs}/beta")


def _split(source: _Source, theirs: str, ours: str, parts: tuple[str, ...], state: int) -> Iterator[tuple[str, AnyArray]]:
    matrix, bias = source.take(f"{theirs}/weight"), source.take(f"{theirs}/bias")
    if matrix.shape[0] != state * len(parts) or bias.shape != (state * len(parts),):
        raise Ct2Error(f"{theirs}: shapes {matrix.shape} and {bias.shape} do not split into {', '.join(parts)} of {state} rows each")
    for number, part in enumerate(parts):
        rows = slice(number * state, (number + 1) * state)
        yield f"{ours}.{part}.weight", matrix[rows]
        if part != "key":
            yield f"{ours}.{part}.bias", bias[rows]
        elif np.any(bias[rows]):
            raise Ct2Error(f"{theirs}: the keys have a bias; openai-whisper has no place for it")
