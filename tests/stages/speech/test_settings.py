"""What settings the speech stages refuse, how that ends a command, and that each setting is described."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.weights import folder_of
from models.whisper_languages import LANGUAGES
from pipeline.app.cli import main
from pipeline.definition import classes_in, settings_of
from pipeline.packets import Utterance
from pipeline.stage import Stage
from pipeline.testing import beam_blocks, noise, run_stage
from stages.speech.copy_marker import CopyMarker
from stages.speech.energy_vad import EnergyVad
from stages.speech.faster_whisper import FasterWhisper
from stages.speech.fixed_cutter import FixedCutter
from stages.speech.openai_whisper import OpenaiWhisper
from stages.speech.partial_whisper import PartialWhisper
from stages.speech.speech_errors import SpeechError
from stages.speech.utterance_cutter import UtteranceCutter

NAN = float("nan")


@pytest.mark.parametrize(
    ("stage", "settings", "told"),
    [
        (EnergyVad, {"margin_db": -1.0}, "EnergyVad: margin_db must be at least 0, found -1.0"),
        (EnergyVad, {"rise_db_per_s": -0.5}, "EnergyVad: rise_db_per_s must be at least 0, found -0.5"),
        (EnergyVad, {"rise_db_per_s": float("inf")}, "EnergyVad: rise_db_per_s must be at least 0, found inf"),
        (EnergyVad, {"min_dbfs": 3.0}, "EnergyVad: min_dbfs must be at most 0, found 3.0"),
        (FixedCutter, {"threshold": 1.5}, "FixedCutter: threshold must be from 0 to 1, found 1.5"),
        (FixedCutter, {"min_presence": -0.1}, "FixedCutter: min_presence must be from 0 to 1, found -0.1"),
        (UtteranceCutter, {"threshold": 2}, "UtteranceCutter: threshold must be from 0 to 1, found 2"),
        (UtteranceCutter, {"min_presence": NAN}, "UtteranceCutter: min_presence must be from 0 to 1, found nan"),
        (UtteranceCutter, {"presence_floor": -1}, "UtteranceCutter: presence_floor must be from 0 to 1, found -1"),
        (UtteranceCutter, {"partial_every_s": NAN}, "UtteranceCutter: partial_every_s is nan; at least 0 is needed, 0 for none"),
        (UtteranceCutter, {"lead_s": NAN}, "none may be negative"),
        (
            UtteranceCutter,
            {"hang_over_s": 12.0},
            "UtteranceCutter: hang_over_s 12.0, lead_s 0.3, max_s 12.0: hang_over_s must be under max_s",
        ),
        (UtteranceCutter, {"max_s": 28.0, "lead_s": 2.0}, "lead_s + max_s at most 29, since a recogniser hears 30 s at once"),
        (CopyMarker, {"doubtful_presence": 1.1}, "CopyMarker: doubtful_presence must be from 0 to 1, found 1.1"),
        (FasterWhisper, {"language": "english"}, "FasterWhisper: language 'english' is not known; allowed are auto, af, am, ar"),
        (FasterWhisper, {"language": "yue"}, "FasterWhisper: language 'yue' is not known; allowed are auto, af, am, ar"),
        (
            FasterWhisper,
            {"precision": "float16"},
            "FasterWhisper: precision 'float16' on cpu; allowed are int8, float32, and float16 on a GPU",
        ),
        (OpenaiWhisper, {"language": ""}, "OpenaiWhisper: language '' is not known; allowed are auto, af, am, ar"),
        (OpenaiWhisper, {"precision": "int8"}, "OpenaiWhisper: precision 'int8' on cpu; allowed are float32, and float16 on a GPU"),
        (PartialWhisper, {"language": "EN"}, "PartialWhisper: language 'EN' is not known; allowed are auto, af, am, ar"),
        (PartialWhisper, {"padding_s": NAN}, "PartialWhisper: beam_size 1, n_threads 1, padding_s nan"),
    ],
)
def test_settings_without_sense_are_refused_before_anything_loads(stage: Callable[..., Stage], settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SpeechError, match=re.escape(told)) as caught:
        stage(**settings)
    assert caught.value.exit_code == 2


def test_the_widest_settings_are_taken() -> None:
    assert EnergyVad(margin_db=0.0, rise_db_per_s=0.0, min_dbfs=0.0)
    assert FixedCutter(threshold=0.0, min_presence=1.0)
    assert CopyMarker(doubtful_presence=0.0)
    assert FasterWhisper(language="auto", precision="float32").language == "auto"
    assert FasterWhisper(device="cuda:0", precision="float16").precision == "float16"
    assert OpenaiWhisper(device="cuda:0", precision="float16").precision == "float16"


def test_the_longest_utterance_with_its_lead_is_no_more_than_a_recogniser_hears() -> None:
    samples = np.concatenate([noise(2.0, amplitude=1e-4), noise(60.0, amplitude=0.1)])
    heard = run_stage(EnergyVad(rise_db_per_s=0.0), {"beam": beam_blocks(samples)})["speech"]
    cut = run_stage(UtteranceCutter(max_s=27.8, lead_s=1.2), {"speech": heard})["utterances"]
    lengths = [len(utterance.samples) / utterance.sample_rate_hz for utterance in cut if isinstance(utterance, Utterance)]
    assert 20.0 < max(lengths) <= 30.0


def test_the_languages_are_those_that_the_weights_have_a_token_for(weights: Path) -> None:
    assert weights.is_dir()
    text = (folder_of("whisper-base") / "tokenizer.json").read_text(encoding="utf-8")
    assert set(re.findall(r'"<\|([a-z]{2,3})\|>"', text)) == LANGUAGES


GRAPH = Path("configs/minimal.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("wordless.Wordless", "faster_whisper.FasterWhisper, language: klingon", "language 'klingon' is not known"),
        ("energy_vad.EnergyVad", "energy_vad.EnergyVad, margin_db: -3", "margin_db must be at least 0, found -3"),
        ("bearing_tracker.BearingTracker", "speech_tracker.SpeechTracker, n_threads: 0", "n_threads must be at least 1, found 0"),
    ],
)
def test_check_and_replay_end_with_2(old: str, new: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert GRAPH.count(old) == 1
    (tmp_path / "graph.yaml").write_text(GRAPH.replace(old, new), encoding="utf-8")
    soundfile.write(tmp_path / "room.wav", np.zeros(16000), 16000)
    config = str(tmp_path / "graph.yaml")
    for command in (["check", config], ["replay", str(tmp_path / "room.wav"), "--memory", str(tmp_path / "m"), "--config", config]):
        with pytest.raises(SystemExit) as stopped:
            main(command)
        assert stopped.value.code == 2
        assert told in capsys.readouterr().err


def test_check_judges_settings_for_the_device_that_they_are_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = GRAPH.replace("wordless.Wordless", "faster_whisper.FasterWhisper, device: 'cuda:63', precision: float16")
    (tmp_path / "graph.yaml").write_text(graph, encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["check", str(tmp_path / "graph.yaml")])
    assert (stopped.value.code or 0) == 0
    assert "note: transcribe: device 'cuda:63' is not there" in capsys.readouterr().err


@pytest.mark.parametrize("cls", classes_in(("stages.speech", "stages.sound", "stages.sinks"), Stage), ids=lambda cls: cls.__name__)
def test_every_setting_is_described(cls: type[Stage]) -> None:
    described = " ".join(inspect.getdoc(base) or "" for base in cls.__mro__ if base not in {Stage, object})
    # These two mean the same at every stage.
    settings = set(settings_of(cls)) - {"n_threads", "device"}
    assert [name for name in settings if not re.search(rf"\b{name}\b", described)] == []


def test_what_the_whisper_stages_share_is_no_stage_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "graph.yaml").write_text(GRAPH.replace("wordless.Wordless", "whisper_stage.WhisperStage"), encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["check", str(tmp_path / "graph.yaml")])
    assert stopped.value.code == 2
    assert "transcribe: stages.speech.whisper_stage.WhisperStage is only a base class" in capsys.readouterr().err
