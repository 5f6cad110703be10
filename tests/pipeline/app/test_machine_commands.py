"""check, stages, models and doctor: what a machine has, and what a graph needs of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.sealing import seal
from models.weights import derived_folder
from tests.pipeline.app.command_line import Done

Echoic = Callable[..., Done]


@pytest.mark.parametrize("config", ["configs/replay.yaml", "configs/minimal.yaml", "configs/live.yaml"])
def test_the_shipped_graphs_have_no_mistakes(echoic: Echoic, config: str) -> None:
    done = echoic("check", config)
    assert done.code == 0, done.err
    assert done.out.startswith(f"{config}: no mistakes; ")


def test_check_notes_missing_weights(echoic: Echoic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path))
    done = echoic("check", "configs/replay.yaml")
    assert done.code == 0
    assert "note: weights are missing (" in done.err
    assert "`echoic models fetch --config configs/replay.yaml` gets them" in done.err
    assert "weights" not in echoic("check", "configs/minimal.yaml").err


def own_models(config: Path, language: object, speech: object) -> None:
    """A graph like the minimal one, with models of the catalogue's or one's own."""
    graph = Path("configs/minimal.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("extractive.Extractive", f"llama_cpp.LlamaCpp, model: {language}"),
        ("wordless.Wordless", f"faster_whisper.FasterWhisper, model: {speech}"),
        ("answerer: answerer}", "answerer: answerer, second_look: look}"),
        ("  recall:", f"  look: {{use: stages.recall.second_look.SecondLook, memory: memory, model: {speech}}}\n  recall:"),
    ):
        assert graph.count(old) == 1
        graph = graph.replace(old, new)
    config.write_text(graph, encoding="utf-8")


def test_models_of_ones_own_ask_for_none_of_the_catalogue(echoic: Echoic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path / "none"))
    (tmp_path / "whisper-large").mkdir()
    (tmp_path / "large.gguf").write_bytes(b"GGUF")
    config = tmp_path / "own.yaml"
    own_models(config, tmp_path / "large.gguf", tmp_path / "whisper-large")
    done = echoic("check", config)
    assert (done.code, done.err) == (0, "")
    assert "0 files are here and verified" in echoic("models", "fetch", "--config", config).err
    assert echoic("models", "list", "--config", config).out == ""
    own_models(config, tmp_path / "large.gguf", "whisper-base")
    assert "note: weights are missing (whisper-base/model.bin, " in echoic("check", config).err


def test_models_that_are_nowhere_are_told_before_anything_begins(echoic: Echoic, tmp_path: Path, mono_file: Path, weights: Path) -> None:
    assert weights.is_dir()
    config = tmp_path / "own.yaml"
    own_models(config, tmp_path / "large.gguf", "whisper-bose")
    told = (
        f"no file or folder is called '{tmp_path}/large.gguf', 'whisper-bose', "
        "and the catalogue of weights has none of that name (`echoic models list` shows all)"
    )
    done = echoic("check", config)
    assert (done.code, done.err) == (0, f"note: {told}\n")
    done = echoic("replay", mono_file, "--memory", tmp_path / "m", "--config", config)
    assert (done.code, done.out, done.err) == (2, "", f"echoic: {config}: {told}\n")
    assert not (tmp_path / "m").exists()


def test_check_notes_a_device_that_is_not_there(echoic: Echoic, tmp_path: Path) -> None:
    config = tmp_path / "far.yaml"
    config.write_text(
        "resources:\n  encoder: {use: stages.memory.minilm_torch.MinilmTorch, device: 'cuda:63'}\n"
        "stages:\n  room: {use: stages.capture.file_source.FileSource}\n"
    )
    done = echoic("check", config)
    assert done.code == 0
    assert "note: encoder: device 'cuda:63' is not there" in done.err


def test_check_reports_what_a_stage_refuses(echoic: Echoic, tmp_path: Path) -> None:
    config = tmp_path / "bad.yaml"
    config.write_text(
        "resources:\n  encoder: {use: stages.memory.hashed_words.HashedWords, dimension: 3}\n"
        "stages:\n  room: {use: stages.capture.file_source.FileSource}\n"
    )
    done = echoic("check", config)
    assert (done.code, done.out) == (2, "")
    assert f"{config}: encoder: dimension must be at least 16, found 3" in done.err


def test_stages_lists_ports_settings_and_defaults(echoic: Echoic) -> None:
    text = echoic("stages").out
    pieces = ("stages.capture.file_source.FileSource  [source]", "out: audio (AudioBlock)", "block_s", "0.032")
    assert [piece for piece in pieces if piece not in text] == []


def test_stages_as_json_and_markdown(echoic: Echoic) -> None:
    rows = {row["use"]: row for row in echoic("stages", "--format", "json").json}
    vad = rows["stages.speech.energy_vad.EnergyVad"]
    assert (vad["kind"], vad["in"], vad["out"]) == ("stage", {"beam": "BeamBlock"}, {"speech": "SpeechBlock"})
    memory = rows["stages.memory.long_term_memory.LongTermMemory"]
    assert memory["kind"] == "resource"
    assert memory["settings"]["encoder"] == {"type": "TextEncoder", "required": True, "default": None}
    assert memory["settings"]["directory"] == {"type": "str", "required": False, "default": "''"}
    assert all(row["about"] for row in rows.values())
    markdown = echoic("stages", "--format", "markdown").out
    assert "### `stages.speech.energy_vad.EnergyVad`" in markdown
    assert "| setting | type | default |" in markdown


def test_models_list_and_verify(echoic: Echoic, weights: Path) -> None:
    done = echoic("models", "list")
    assert done.code == 0
    assert f"weights lie in {weights}" in done.err
    rows = echoic("models", "list", "--json", "--config", "configs/replay.yaml").json
    assert "silero_vad.onnx" in {row["name"] for row in rows}
    assert "kokoro/vocab.json" not in {row["name"] for row in rows}
    assert all(row["here"] for row in rows)
    done = echoic("models", "verify", "silero_vad.onnx")
    assert (done.code, done.out) == (0, "good     silero_vad.onnx\n")


def test_a_model_with_a_wrong_hash(echoic: Echoic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path))
    (tmp_path / "silero_vad.onnx").write_bytes(b"something else")
    done = echoic("models", "verify")
    assert done.code == 1
    assert "WRONG    silero_vad.onnx" in done.out
    assert "not here whisper-base/model.bin" in done.out
    assert "is not the one that is meant: found 14 bytes" in done.err
    assert "echoic models fetch" in done.err
    assert echoic("models", "verify", "minilm").code == 1


def test_a_damaged_form_of_a_model_is_told_and_needs_no_fetching(
    echoic: Echoic, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "silero_vad.onnx").symlink_to(weights / "silero_vad.onnx")
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path))
    made = derived_folder("silero_vad.onnx", "half")
    made.mkdir(parents=True)
    (made / "model.bin").write_bytes(b"what a machine made")
    seal(made)
    done = echoic("models", "verify", "silero_vad.onnx")
    assert (done.code, done.out) == (0, f"good     silero_vad.onnx\ngood     .derived/{made.name}\n")
    (made / "model.bin").write_bytes(b"what a machine madE")
    done = echoic("models", "verify", "silero_vad.onnx")
    assert (done.code, done.out) == (1, f"good     silero_vad.onnx\nWRONG    .derived/{made.name}\n")
    assert "made of silero_vad.onnx, is damaged; it is made anew when used." in done.err
    assert "fetch" not in done.err


def test_fetching_what_is_here_needs_no_network(echoic: Echoic, weights: Path) -> None:
    done = echoic("models", "fetch", "silero_vad.onnx", "minilm/tokenizer.json")
    assert (done.code, done.out) == (0, "")
    assert f"2 files are here and verified, in {weights}" in done.err


def test_missing_weights_stop_a_replay_before_it_begins(
    echoic: Echoic, tmp_path: Path, mono_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path / "none"))
    done = echoic("replay", mono_file, "--memory", tmp_path / "m", "--config", "configs/replay.yaml")
    assert (done.code, done.out) == (1, "")
    assert "configs/replay.yaml: weights are missing (" in done.err
    assert "echoic models fetch" in done.err
    assert not (tmp_path / "m").exists()


def test_a_model_with_a_wrong_hash_stops_a_replay_before_it_begins(
    echoic: Echoic, tmp_path: Path, mono_file: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in weights.rglob("*"):
        if path.is_file() and ".verified" not in path.parts and ".partial" not in path.parts:
            link = tmp_path / "models" / path.relative_to(weights)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    (tmp_path / "models" / "silero_vad.onnx").unlink()
    (tmp_path / "models" / "silero_vad.onnx").write_bytes(b"something else")
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path / "models"))
    done = echoic("replay", mono_file, "--memory", tmp_path / "m", "--config", "configs/replay.yaml")
    assert (done.code, done.out) == (1, "")
    assert "silero_vad.onnx is not the one that is meant: found 14 bytes" in done.err
    assert "Get it with: echoic models fetch silero_vad.onnx" in done.err
    assert not (tmp_path / "m").exists()


def test_fetching_for_a_graph_that_needs_none(echoic: Echoic) -> None:
    done = echoic("models", "fetch", "--config", "configs/minimal.yaml")
    assert done.code == 0
    assert "0 files are here and verified" in done.err


def test_without_weights_a_new_memory_is_made_with_the_minimal_graph(
    echoic: Echoic, tmp_path: Path, mono_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path / "none"))
    done = echoic("replay", mono_file, "--memory", tmp_path / "m")
    assert done.code == 0, done.err
    assert "configs/replay.yaml needs weights that are not on this machine (" in done.err
    assert "so configs/minimal.yaml is used" in done.err
    assert "encoder: hashed-words" in (tmp_path / "m" / "memory.yaml").read_text()
    assert "stages.memory.hashed_words.HashedWords" in (tmp_path / "m" / "graph.yaml").read_text()


def test_doctor_describes_the_machine(echoic: Echoic) -> None:
    done = echoic("doctor")
    assert done.code == 0
    heads = [line.split()[0] for line in done.out.splitlines() if not line.startswith(" ")]
    assert heads == ["python", "echoic", "packages", "models", "gstreamer", "devices", "weights", "disk"]
    assert json.dumps(done.err) == '""'


def test_check_lets_gstreamer_read_the_source(echoic: Echoic, tmp_path: Path) -> None:
    pytest.importorskip("gi", reason="GStreamer's Python binding is not here")
    config = tmp_path / "live.yaml"
    source = "stages:\n  room: {use: stages.capture.gst_source.GstSource, array: mono, pipeline: audiotestsrcx}\n"
    config.write_text(source)
    done = echoic("check", config)
    assert (done.code, done.out) == (2, "")
    assert f"{config}: room: " in done.err
    assert "audiotestsrcx" in done.err
    config.write_text(source.replace("audiotestsrcx", "audiotestsrc"))
    assert echoic("check", config).code == 0
