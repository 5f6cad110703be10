from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.tools.scene_voices import RATE_HZ, lag_s, made, one, plane_lag_s
from tools.make_scene import write_images, write_scene
from tools.scene_script import SceneError

TWO: dict[str, Any] = {
    "talkers": {"ann": {"voice": "a", "azimuth_deg": 20}, "bob": {"voice": "b", "azimuth_deg": 200, "level_db": -6}},
    "conversations": {"c": [{"topic": "c", "lines": [{"ann": "hello 1"}, {"bob": {"text": "hello 2", "at_s": 1.0}}]}]},
}


def db(samples: np.ndarray[Any, Any]) -> float:
    return float(10 * np.log10(np.mean(np.asarray(samples, dtype=np.float64) ** 2) + 1e-40))


def test_images_and_noise_are_together_the_scene() -> None:
    fan = {"azimuth_deg": 100, "snr_db": 12, "slope_db_per_octave": -3}
    scene = made(one({}, **TWO, room={"rt60_s": 0.2}, noise={"kind": "diffuse", "snr_db": 20}, points={"fan": fan}), images=True)
    assert scene.noise is not None
    total = sum(scene.images.values()) + scene.noise
    assert np.abs(total - scene.samples).max() < 2e-5  # half a step of 16 bits
    assert scene.images["ann"].shape == scene.samples.shape
    first = slice(0, int(0.9 * RATE_HZ))
    assert db(scene.images["bob"][:, first]) < -300
    assert set(scene.positions) == {"ann", "bob", "fan"}


def test_images_are_made_only_on_request_and_change_nothing() -> None:
    with_images, without = (made(one({"azimuth_deg": 1}), images=images) for images in (True, False))
    np.testing.assert_array_equal(with_images.samples, without.samples)
    assert (without.images, without.noise) == ({}, None)


def test_images_are_files_on_request(tmp_path: Path) -> None:
    scene = made(one({}, **TWO), images=True)
    write_scene(scene, tmp_path / "two.flac")
    paths = write_images(scene, tmp_path / "two")
    assert [path.name for path in paths] == ["ann.wav", "bob.wav", "noise.wav", "positions.jsonl"]
    samples, rate_hz = soundfile.read(tmp_path / "two" / "bob.wav", dtype="float32")
    assert rate_hz == RATE_HZ
    np.testing.assert_array_equal(samples.T, scene.images["bob"])
    assert '{"name": "bob", "at_s": 0.0, "azimuth_deg": 200.0' in paths[-1].read_text()


def test_images_that_cannot_be_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="rendered without images; render it with images=True"):
        write_images(made(one({"azimuth_deg": 1})), tmp_path)
    lines = [{"speaker": "a/b", "text": "hello"}]
    data = one({}, talkers={"a/b": {"voice": "a", "azimuth_deg": 1}}, conversations={"c": [{"topic": "c", "lines": lines}]})
    with pytest.raises(SceneError, match="talker 'a/b': the images are files by the talkers' names"):
        write_images(made(data, images=True), tmp_path)


def test_a_noise_from_one_place_comes_from_there_as_loud_as_asked_while_it_is_on() -> None:
    fan = {"azimuth_deg": 100, "height_m": 0.9, "snr_db": 6, "start_s": 1.5, "end_s": 2.5}
    scene = made(one({"azimuth_deg": 10}, "hello 3", points={"fan": fan}), images=True)
    assert scene.noise is not None
    on = scene.noise[:, int(1.55 * RATE_HZ) : int(2.45 * RATE_HZ)]
    assert db(on[0]) == pytest.approx(-26 - 6, abs=0.5)
    assert lag_s(on[2], on[5]) == pytest.approx(plane_lag_s(scene, 2, 5, 100.0), abs=10e-6)
    assert db(scene.noise[:, : int(1.5 * RATE_HZ)]) < -300
    assert db(scene.noise[:, int(2.6 * RATE_HZ) :]) < -300


def test_a_file_from_one_place_is_played_in_a_loop(tmp_path: Path) -> None:
    ring = np.random.default_rng(1).standard_normal(RATE_HZ // 2) * 0.1
    soundfile.write(tmp_path / "ring.wav", ring, RATE_HZ)
    point = {"file": str(tmp_path / "ring.wav"), "azimuth_deg": 100, "snr_db": 0}
    scene = made(one({"azimuth_deg": 10}, "hello 2", points={"ring": point}), images=True)
    assert scene.noise is not None
    heard = scene.noise[0]
    assert np.corrcoef(heard[4000:8000], heard[12000:16000])[0, 1] > 0.999
    assert lag_s(heard[4000:8000], ring[4000:].astype(np.float32)) == pytest.approx(1.4 / 343.0, abs=20e-6)


def test_a_noise_file_of_one_channel_comes_from_all_around(shared: Path) -> None:
    file = shared / "data" / "noise" / "doing_the_dishes.wav"
    scene = made(one({"azimuth_deg": 10}, "hello 4", noise={"kind": "file", "file": str(file), "snr_db": 15}), images=True)
    assert scene.noise is not None
    assert db(scene.noise[0]) == pytest.approx(-26 - 15, abs=0.1)
    near = np.corrcoef(scene.noise[1], scene.noise[2])[0, 1]
    across = np.corrcoef(scene.noise[1], scene.noise[4])[0, 1]
    assert across < near < 0.99
    # No direction is preferred, as it is in the noise of one place.
    likeness = [np.corrcoef(scene.noise[one], scene.noise[other])[0, 1] for one, other in [(1, 4), (2, 5), (3, 6)]]
    assert max(likeness) - min(likeness) < 0.1


def test_a_noise_file_of_the_array_is_taken_as_it_is(tmp_path: Path) -> None:
    recorded = np.random.default_rng(2).standard_normal((RATE_HZ, 7)) * [[0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1]]
    soundfile.write(tmp_path / "n.wav", recorded, RATE_HZ, subtype="FLOAT")
    scene = made(one({"azimuth_deg": 10}, "hello 2", noise={"kind": "file", "file": str(tmp_path / "n.wav"), "snr_db": 15}), images=True)
    assert scene.noise is not None
    assert db(scene.noise[3]) - db(scene.noise[0]) == pytest.approx(6.0, abs=0.3)
    np.testing.assert_array_equal(scene.noise[:, :8000], scene.noise[:, RATE_HZ : RATE_HZ + 8000])


def test_the_slope_of_diffuse_noise_can_be_chosen() -> None:
    levels = []
    for slope in (0.0, -5.0):
        scene = made(one({"azimuth_deg": 10}, noise={"kind": "diffuse", "slope_db_per_octave": slope}), images=True)
        assert scene.noise is not None
        power = np.abs(np.fft.rfft(scene.noise[0])) ** 2
        hz = np.fft.rfftfreq(scene.noise.shape[1], 1 / RATE_HZ)
        levels.append(10 * np.log10(power[(hz > 400) & (hz < 500)].mean() / power[(hz > 3200) & (hz < 4000)].mean()))
    assert levels[0] == pytest.approx(0.0, abs=1.5)
    assert levels[1] == pytest.approx(15.0, abs=1.5)


BAD = [
    ({"noise": {"kind": "file"}}, "kind: file and file: PATH belong together"),
    ({"noise": {"kind": "white", "file": "x.wav"}}, "kind: file and file: PATH belong together"),
    ({"noise": {"kind": "file", "file": "/no/x.wav"}}, "noise file /no/x.wav: there is no such file"),
    ({"points": {"fan": {"azimuth_deg": 1, "file": "/no/x.wav"}}}, "point fan: file /no/x.wav: there is no such file"),
    ({"points": {"fan": {"azimuth_deg": 1, "start_s": 99}}}, "point fan: start_s 99 is after the scene's end at 2.0 s"),
    ({"points": {"fan": {"azimuth_deg": 1, "start_s": 2, "end_s": 1}}}, "end_s 1 must be later than start_s 2"),
    ({"points": {"ann": {"azimuth_deg": 1}}}, "ann: the name of a talker and of a point noise; each needs its own"),
    ({"points": {"fan": {}}}, "points.fan: Value error, expected one of azimuth_deg, position_m, path"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_noises_that_cannot_be_are_refused_in_words(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SceneError) as caught:
        made(one({"azimuth_deg": 10}, **changes))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("samples", "message"),
    [(np.zeros(800), "is silent, or has samples that are not finite"), (np.ones((800, 3)) * 0.1, "found 3 channels; allowed are 1 or 7")],
)
def test_noise_files_that_do_not_fit_are_refused(tmp_path: Path, samples: np.ndarray[Any, Any], message: str) -> None:
    soundfile.write(tmp_path / "n.wav", samples, RATE_HZ)
    with pytest.raises(SceneError) as caught:
        made(one({"azimuth_deg": 10}, noise={"kind": "file", "file": str(tmp_path / "n.wav")}))
    assert message in str(caught.value)
