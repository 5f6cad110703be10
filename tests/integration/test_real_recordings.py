"""Real recorded speech through the whole graph, as users replay it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import echoic, exported
from tests.integration.test_demo import plain

JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


@pytest.mark.usefixtures("weights")
def test_the_jfk_speech_is_transcribed_word_for_word(shared: Path, tmp_path: Path) -> None:
    echoic("replay", shared / "data" / "speech" / "jfk.flac", "--memory", tmp_path / "memory")
    lines = exported(tmp_path / "memory")
    assert plain(" ".join(row["text"] for row in lines)) == JFK
    assert {row["azimuth_deg"] for row in lines} == {None}
    assert {row["track"] for row in lines} == {"t1"}


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(("recording", "n_lines"), [("an101-mtms-arr4A", 1), ("an102-mtms-arr4A", 0)])
def test_the_cmu_array_recordings_hold_one_talker_at_about_90_degrees(recording: str, n_lines: int, shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "array_real"
    geometry = json.loads((folder / "geometry_arr4A.json").read_text(encoding="utf-8"))
    array = tmp_path / "arr4A.yaml"
    positions = [[x, float(geometry["y_m"]), 0.0] for x in geometry["x_m"]]
    array.write_text(yaml.safe_dump({"name": "arr4A", "sample_rate_hz": 16000, "positions_m": positions}), encoding="utf-8")
    echoic("replay", folder / f"{recording}.wav", "--array", array, "--memory", tmp_path / "memory")
    (track,) = json.loads(echoic("tracks", "--memory", tmp_path / "memory", "--json"))
    assert track["azimuth_deg"] == pytest.approx(90.0, abs=10.0)
    # an102 is a word and a half that this recogniser cannot read; saying nothing is right then.
    assert len(exported(tmp_path / "memory")) == n_lines
