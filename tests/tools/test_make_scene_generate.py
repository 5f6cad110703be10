from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.tools.scene_voices import Bursts, made, one
from tools.make_scene import Scene, make
from tools.scene_script import SceneError, load_script, parse_script

DRY = {"session": "g", "room": {"rt60_s": 0.0}, "noise": {"kind": "none"}}


def rule(n_talkers: int = 2, **changes: Any) -> dict[str, Any]:
    """What the YAML of a script by rule would hold: talkers with twenty lines each of 1.2 to 2 s."""
    speech = [{"voice": f"v{n}", "texts": [f"line {m} {1.2 + 0.2 * (m % 5):.1f}" for m in range(20)]} for n in range(n_talkers)]
    return {**DRY, "generate": {"n_talkers": n_talkers, "speech": speech, "duration_s": 12.0, "distance_m": 1.2, **changes}}


def overlap_share(scene: Scene) -> float:
    """The share of the time from the first word to the last in which two or more speak."""
    time_s = np.arange(min(line.start_s for line in scene.truth), max(line.end_s for line in scene.truth), 0.01)
    speaking = sum(((time_s >= line.start_s) & (time_s < line.end_s)).astype(int) for line in scene.truth)
    return float(np.mean(np.asarray(speaking) >= 2))


def test_talkers_take_turns_overlap_by_half_or_speak_all_the_time() -> None:
    shares = {kind: overlap_share(made(rule(overlap=kind))) for kind in ("turns", "half", "full")}
    assert shares["turns"] == 0.0
    assert 0.35 < shares["half"] < 0.75
    assert 0.5 < shares["full"] < 0.85
    half = made(rule(overlap="half")).truth
    for before, line in pairwise(half):
        assert line.speaker != before.speaker
        assert line.start_s >= (before.start_s + before.end_s) / 2 - 0.01


@pytest.mark.parametrize("kind", ["turns", "half", "full"])
@pytest.mark.parametrize("n_talkers", [1, 4])
def test_everybody_speaks_nobody_over_themselves_or_too_long(kind: str, n_talkers: int) -> None:
    scene = made(rule(n_talkers, overlap=kind, apart_deg=60))
    assert {line.speaker for line in scene.truth} == {f"talker-{n + 1}" for n in range(n_talkers)}
    assert max(line.end_s for line in scene.truth) < 12.05
    assert max(line.end_s for line in scene.truth) > 10.0
    for who in scene.dry:
        own = [line for line in scene.truth if line.speaker == who]
        assert all(earlier.end_s <= later.start_s for earlier, later in pairwise(own))


def test_talkers_sit_as_far_apart_as_asked() -> None:
    scene = made(rule(3, apart_deg=90, first_deg=250))
    assert [scene.positions[name][0].azimuth_deg for name in sorted(scene.positions)] == [250.0, 340.0, 70.0]
    with pytest.raises(SceneError, match="talker talker-3: azimuth_deg 220 is not possible for the array linear8"):
        made(rule(3, apart_deg=90, first_deg=40, array="linear8"))


def test_the_first_talker_walks_as_far_as_asked() -> None:
    scene = made(rule(walk_deg=-200, first_deg=40, duration_s=4.0))
    way = [position for position in scene.positions["talker-1"] if position.at_s < 4.0]
    bearings = np.unwrap([position.azimuth_deg or 0.0 for position in way], period=360.0)
    np.testing.assert_allclose(bearings - bearings[0], [-200 * position.at_s / 4 for position in way], atol=0.15)
    assert bearings[-1] < -100
    assert len(scene.positions["talker-2"]) == 1


def test_shorthands_reach_the_script_and_the_seed_draws_the_lines() -> None:
    script = parse_script(rule(array="respeaker4", rt60_s=0.3, snr_db=5, seed=7, session="x"), "test")
    assert (script.array, script.room.rt60_s, script.noise.snr_db, script.noise.kind, script.seed, script.session) == (
        ("respeaker4", 0.3, 5, "none", 7, "x")
    )
    texts = [[line.text for line in parse_script(rule(seed=seed), "test").conversations["talk"][0].lines] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    first, again = made(rule(seed=3)), made(rule(seed=3))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.truth == again.truth


def test_recordings_with_transcripts_beside_the_script_are_spoken(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    for name in ("ann_1", "ann_2", "bob_1"):
        soundfile.write(tmp_path / f"{name}.wav", np.pad(random.standard_normal(8000) * 0.1, 4000), 16000)
    (tmp_path / "transcripts.tsv").write_text("ann_1.wav\tone two\tfree\nann_2.wav\tthree\tfree\nbob_1.wav\tfour\tfree\n")
    (tmp_path / "s.yaml").write_text(
        "session: s\ngenerate: {n_talkers: 2, overlap: turns, speech: [{folder: ., prefix: ann_}, {folder: ., prefix: bob_}]}\n"
    )
    script = load_script(tmp_path / "s.yaml")
    (topic,) = script.conversations["talk"]
    assert sorted((line.speaker, line.file, line.text) for line in topic.lines) == [
        ("talker-1", tmp_path / "ann_1.wav", "one two"),
        ("talker-1", tmp_path / "ann_2.wav", "three"),
        ("talker-2", tmp_path / "bob_1.wav", "four"),
    ]


def test_recordings_can_do_without_word_times(tmp_path: Path) -> None:
    sound = np.pad(np.random.default_rng(4).standard_normal(8000) * 0.1, 4000)
    soundfile.write(tmp_path / "a.wav", sound, 16000)
    line = {"speaker": "ann", "file": str(tmp_path / "a.wav"), "text": "one two", "word_times": False, "at_s": 1.0}
    scene = made(one({"azimuth_deg": 10}, conversations={"c": [{"topic": "c", "lines": [line]}]}))
    (truth,) = scene.truth
    assert (truth.text, truth.words) == ("one two", ())
    assert (truth.start_s, truth.end_s) == pytest.approx((1.004, 1.504), abs=0.015)


def test_make_takes_a_path_a_mapping_or_a_script(tmp_path: Path) -> None:
    import yaml

    (tmp_path / "s.yaml").write_text(yaml.safe_dump(one({"azimuth_deg": 10})))
    scenes = [
        make(script, speaking=Bursts()) for script in (tmp_path / "s.yaml", one({"azimuth_deg": 10}), load_script(tmp_path / "s.yaml"))
    ]
    assert {scene.samples.tobytes() for scene in scenes} == {scenes[0].samples.tobytes()}
    assert scenes[0].sample_rate_hz == 16000


BAD = [
    ({"n_talkers": 0}, "n_talkers: Input should be greater than or equal to 1"),
    ({"n_talkers": 3}, "3 talkers need as many entries in speech; found 2"),
    ({"overlap": "some"}, "overlap: Input should be 'turns', 'half' or 'full'"),
    ({"speech": [{"voice": "a"}] * 2}, "expected voice and texts, or files, or folder (with prefix)"),
    ({"speech": [{"folder": "/no"}] * 2}, "speech of talker-1: there is no /no/transcripts.tsv"),
    ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    ({"duration_s": 0.3}, "nobody says anything; add lines to its conversations, or time to until_s"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_rules_that_cannot_be_are_refused_in_words(changes: dict[str, Any], message: str) -> None:
    data = rule()
    with pytest.raises(SceneError) as caught:
        made({**data, "generate": {**data["generate"], **changes}})
    assert message in str(caught.value)


def test_rule_and_hand_do_not_mix_and_a_line_begins_one_way(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="generate makes the talkers and conversations; leave out talkers"):
        made({**rule(), "talkers": {}})
    lines = [{"speaker": "ann", "text": "hello", "at_s": 1, "overlap": 0.5}]
    with pytest.raises(SceneError, match="a line begins by one of pause_s, at_s, overlap; found at_s and overlap"):
        made(one({"azimuth_deg": 1}, conversations={"c": [{"topic": "c", "lines": lines}]}))
    (tmp_path / "transcripts.tsv").write_text("a.wav\ttext\n")
    speech = [{"folder": str(tmp_path), "prefix": "b"}]
    with pytest.raises(SceneError, match="begins with 'b'"):
        made(rule(1, speech=speech))
