from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.scene_voices import RATE_HZ, lag_s, made, one, plane_lag_s
from tools.make_scene import write_scene
from tools.scene_script import SceneError

LEVEL = {"height_m": 0.9}
"""On the level of the array."""
WALK = {**LEVEL, "path": [{"at_s": 1.0, "azimuth_deg": 20}, {"at_s": 3.0, "azimuth_deg": 80}]}


@pytest.mark.parametrize("rt60_s", [0.0, 0.2])
def test_a_talker_who_walks_is_heard_where_the_truth_says(rt60_s: float) -> None:
    scene = made(one(WALK, "hello 3", room={"rt60_s": rt60_s}))
    (line,) = scene.truth
    assert [position.at_s for position in line.positions[:3]] == pytest.approx(
        [line.start_s, line.start_s + 0.1, line.start_s + 0.2], abs=2e-3
    )
    for position in line.positions[2:-2:6]:
        span = slice(round((position.at_s - 0.1) * RATE_HZ), round((position.at_s + 0.1) * RATE_HZ))
        for pair in [(1, 4), (2, 5), (3, 6)]:
            lag = lag_s(*(scene.samples[channel, span] for channel in pair))
            # 20 microseconds: 4 degrees at broadside
            assert lag == pytest.approx(plane_lag_s(scene, *pair, position.azimuth_deg or 0.0), abs=20e-6)
    bearings = [position.azimuth_deg for position in line.positions]
    assert (bearings[0], bearings[-1]) == (20.0, 80.0)
    assert bearings == sorted(bearings, key=lambda x: x or 0.0)
    assert line.azimuth_deg == pytest.approx(20 + 60 * ((line.start_s + line.end_s) / 2 - 1.0) / 2, abs=0.2)


def test_walking_no_further_than_a_hair_sounds_like_sitting_still() -> None:
    room = {"rt60_s": 0.3}
    still = made(one({"azimuth_deg": 40}, room=room))
    path = [{"at_s": 0.0, "azimuth_deg": 40}, {"at_s": 1.5, "azimuth_deg": 40.001}]
    moved = made(one({"path": path}, room=room))
    band = np.fft.rfft(still.samples[0]), np.fft.rfft(moved.samples[0])
    low = slice(0, int(0.4 * len(still.samples[0])))  # the top fifth is where the two interpolations end
    error = np.sum(np.abs(band[0][low] - band[1][low]) ** 2) / np.sum(np.abs(band[0][low]) ** 2)
    assert 10 * np.log10(error) < -30


def test_walking_away_makes_later_and_weaker() -> None:
    path = [{"at_s": 0.0, "position_m": [3.3, 2.4, 0.9]}, {"at_s": 10.0, "position_m": [5.3, 2.4, 0.9]}]
    scene = made(one({"path": path}, "hello 9"))
    (line,) = scene.truth
    far_m = {at_s: 0.5 + 0.2 * at_s for at_s in (1.0, 9.0)}
    level = {at_s: np.std(scene.samples[0, int((at_s - 0.3) * RATE_HZ) : int((at_s + 0.3) * RATE_HZ)]) for at_s in far_m}
    assert level[1.0] / level[9.0] == pytest.approx(far_m[9.0] / far_m[1.0], rel=0.05)
    for at_s, distance_m in far_m.items():
        span = slice(int((at_s - 0.05) * RATE_HZ), int((at_s + 0.05) * RATE_HZ))
        assert lag_s(scene.samples[0, span], scene.dry["ann"][span]) == pytest.approx(distance_m / 343.0, abs=60e-6)
    assert line.start_s == pytest.approx(0.5 + 0.6 / 343, abs=1e-3)
    assert line.end_s == pytest.approx(9.5 + 2.4 / 343, abs=1e-3)
    assert [position.distance_m for position in scene.positions["ann"]][::50] == pytest.approx([0.5, 1.5, 2.5], abs=1e-3)


def test_nobody_walks_before_the_first_point_or_after_the_last() -> None:
    scene = made(one(WALK, "hello 4"))
    bearings = {position.at_s: position.azimuth_deg for position in scene.positions["ann"]}
    assert {bearings[0.0], bearings[0.9]} == {20.0}
    assert {bearings[3.1], bearings[4.5]} == {80.0}
    assert bearings[2.0] == pytest.approx(50.0, abs=0.1)


def test_bearings_go_the_shorter_way_round_and_on_a_line_between() -> None:
    path = [{"at_s": 0.0, "azimuth_deg": 350}, {"at_s": 2.0, "azimuth_deg": 30}]
    scene = made(one({"path": path}))
    assert [position.azimuth_deg for position in scene.positions["ann"]][:20:5] == pytest.approx([350, 0, 10, 20], abs=0.1)
    path = [{"at_s": 0.0, "azimuth_deg": 20}, {"at_s": 1.0, "azimuth_deg": 160}]
    on_line = made(one({"path": path}, array="linear8"))
    assert [position.azimuth_deg for position in on_line.positions["ann"]][:11:5] == pytest.approx([20, 90, 160], abs=0.1)


def test_a_walk_is_the_same_every_time_and_in_the_truth_file(tmp_path: Path) -> None:
    first, again = (made(one(WALK, room={"rt60_s": 0.2})) for _ in range(2))
    np.testing.assert_array_equal(first.samples, again.samples)
    row = json.loads(write_scene(first, tmp_path / "walk.flac").read_text())
    assert set(row["positions"][0]) == {"at_s", "azimuth_deg", "elevation_deg", "distance_m"}
    assert "positions" not in made(one({"azimuth_deg": 40})).truth[0].to_json()


def test_a_talker_can_be_put_by_place() -> None:
    scene = made(one({"position_m": [2.8, 3.4, 0.9]}))
    assert scene.positions["ann"] == scene.positions["ann"][:1]
    position = scene.positions["ann"][0]
    assert (position.azimuth_deg, position.elevation_deg, position.distance_m) == (90.0, 0.0, 1.0)
    assert lag_s(scene.samples[1], scene.samples[4]) == pytest.approx(plane_lag_s(scene, 1, 4, 90.0), abs=8e-6)


BAD = [
    ({"path": []}, "talkers.ann.path: Tuple should have at least 1 item"),
    ({"path": [{"at_s": 1}]}, "a point of a path needs azimuth_deg or position_m, and not both"),
    ({"path": [{"at_s": 2, "azimuth_deg": 1}, {"at_s": 1, "azimuth_deg": 2}]}, "must be in order of at_s; found 2, 1"),
    ({"azimuth_deg": 3, "position_m": [1, 1, 1]}, "expected one of azimuth_deg, position_m, path"),
    ({}, "expected one of azimuth_deg, position_m, path"),
    ({"position_m": [7, 1, 1]}, "talker ann: at (7.00, 1.00, 1.00) m, outside the room of 6 x 5 x 2.8 m"),
    ({"position_m": [2.8, 2.42, 0.9]}, "talker ann: at (2.80, 2.42, 0.90) m, within 5 cm of a microphone of the array uma8; move it away"),
    (
        {"path": [{"at_s": 0, "azimuth_deg": 1}, {"at_s": 1, "azimuth_deg": 90, "distance_m": 4}]},
        "talker ann at 0.65 s: at (4.39, 5.04, 1.15) m, outside the room",
    ),
    ({"azimuth_deg": 10, "source": 2}, "talker ann: source 2 is of measured responses, but there are none; give responses: FILE"),
]


@pytest.mark.parametrize(("talker", "message"), BAD)
def test_places_that_cannot_be_are_refused_in_words(talker: dict[str, Any], message: str) -> None:
    with pytest.raises(SceneError) as caught:
        made(one(talker))
    assert message in str(caught.value)
