from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from models.ct2_whisper import AnyArray, Ct2Error, check_whole, openai_weights, read_variables, specification_of
from models.weights import path_of


@pytest.fixture(scope="module")
def variables(weights: Path) -> dict[str, AnyArray]:
    assert weights.is_dir()
    return read_variables(path_of("whisper-base/model.bin"))


def written(
    path: Path, entries: dict[str, AnyArray], aliases: dict[str, str] | None = None, *, name: str = "WhisperSpec", version: int = 6
) -> Path:
    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    content = struct.pack("<I", version) + text(name) + struct.pack("<II", 3, len(entries))
    for key, value in entries.items():
        code = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}[value.dtype.name]
        content += text(key) + struct.pack(f"<B{value.ndim}IBI", value.ndim, *value.shape, code, value.nbytes) + value.tobytes()
    content += struct.pack("<I", len(aliases or {})) + b"".join(text(alias) + text(target) for alias, target in (aliases or {}).items())
    path.write_bytes(content)
    return path


def test_the_weights_fit_openai_whisper_strictly_and_bit_for_bit(variables: dict[str, AnyArray]) -> None:
    from models.torch_recogniser import load_whisper

    dims, weights = openai_weights(variables)
    assert len(weights) == 245
    assert (dims.n_mels, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer) == (80, 1500, 512, 8, 6)
    assert (dims.n_vocab, dims.n_text_ctx, dims.n_text_state, dims.n_text_head, dims.n_text_layer) == (51865, 448, 512, 8, 6)
    model = load_whisper(path_of("whisper-base/config.json").parent)
    state = model.state_dict()
    assert set(state) == set(weights)
    assert all(np.array_equal(state[name].numpy(), value.astype(np.float32)) for name, value in weights.items())
    assert model.alignment_heads.indices().T.tolist() == [[3, 1], [4, 2], [4, 3], [4, 7], [5, 1], [5, 2], [5, 4], [5, 6]]


def test_a_small_file_reads_back(tmp_path: Path) -> None:
    entries: dict[str, AnyArray] = {"a/weight": np.arange(6, dtype=np.float16).reshape(2, 3), "n": np.array(3, dtype=np.int16)}
    found = read_variables(written(tmp_path / "model.bin", entries, {"b": "a/weight"}))
    assert list(found) == ["a/weight", "n", "b"]
    assert np.array_equal(found["b"], entries["a/weight"])
    assert int(found["n"]) == 3
    assert not found["b"].flags.writeable


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content[:-1], "cut short at byte"),
        (lambda content: content + b"??", "2 bytes are left over at the end; the file is damaged, fetch the weights again"),
        (lambda content: content[:0], "the file is empty; fetch the weights again"),
        (lambda content: struct.pack("<I", 5) + content[4:], "CTranslate2 file version 5; only version 6 can be read"),
        (lambda content: content.replace(b"WhisperSpec", b"Whosper_pec"), "holds a 'Whosper_pec' model; a 'WhisperSpec' is needed"),
        (lambda content: content.replace(b"\x02\x02\x00\x00\x00", b"\x02\x03\x00\x00\x00"), "which do not fit shape (3, 3) of float16"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, change: object, message: str) -> None:
    path = written(tmp_path / "model.bin", {"a/weight": np.zeros((2, 3), dtype=np.float16)}, {"b": "a/weight"})
    assert callable(change)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Ct2Error, match="^" + str(path)) as caught:
        read_variables(path)
    assert message in str(caught.value)


def test_a_file_is_known_to_be_whole_without_its_weights(tmp_path: Path) -> None:
    path = written(tmp_path / "model.bin", {"a/weight": np.zeros((2, 3), dtype=np.float16)}, {"b": "a/weight"})
    check_whole(path)
    content = path.read_bytes()
    # Of a type that is unknown here only the number of bytes counts.
    path.write_bytes(content.replace(struct.pack("<BIIB", 2, 2, 3, 4), struct.pack("<BIIB", 2, 2, 3, 9)))
    check_whole(path)
    for damaged, what in (
        (content[:-1], "cut short at byte"),
        (content[:30], "cut short at byte 30"),
        (content + b"?", "1 bytes are left over"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(Ct2Error, match=what):
            check_whole(path)


def test_a_file_says_what_it_holds(tmp_path: Path) -> None:
    assert specification_of(written(tmp_path / "model.bin", {})) == "WhisperSpec"
    assert specification_of(written(tmp_path / "other.bin", {}, name="TransformerSpec", version=7)) == "TransformerSpec"
    for number, content in enumerate((b"", b"GGUF", b"PK\x03\x04\x14\0\0\0", b"\x06\0\0\0\xff\xffWhisperSpec", bytes(64))):
        (tmp_path / f"{number}").write_bytes(content)
        assert specification_of(tmp_path / f"{number}") == "", content


def test_an_alias_of_nothing_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "model.bin", {}, {"b": "a"})
    with pytest.raises(Ct2Error) as caught:
        read_variables(path)
    assert str(caught.value) == f"{path}: 'b' is an alias of 'a', which is not in the file"


def test_nothing_may_be_missing_or_left_over(variables: dict[str, AnyArray]) -> None:
    with pytest.raises(Ct2Error, match="the model has no 'encoder/layer_norm/gamma'"):
        openai_weights({name: value for name, value in variables.items() if name != "encoder/layer_norm/gamma"})
    with pytest.raises(Ct2Error, match="the model has 1 variables that openai-whisper does not know: encoder/adapter"):
        openai_weights({**variables, "encoder/adapter": np.zeros(3)})


def test_keys_with_a_bias_are_refused(variables: dict[str, AnyArray]) -> None:
    name = "encoder/layer_0/self_attention/linear_0/bias"
    with pytest.raises(Ct2Error, match="encoder/layer_0/self_attention/linear_0: the keys have a bias"):
        openai_weights({**variables, name: np.ones_like(variables[name])})
    with pytest.raises(Ct2Error, match="do not split into query, key, value of 512 rows each"):
        openai_weights({**variables, name: np.ones(7)})


def test_the_two_ends_of_the_decoder_are_one_matrix(variables: dict[str, AnyArray]) -> None:
    other = np.array(variables["decoder/projection/weight"])
    other[0, 0] += 1
    with pytest.raises(Ct2Error, match="decoder/projection/weight differs from decoder/embeddings/weight"):
        openai_weights({**variables, "decoder/projection/weight": other})
