from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.geometry import GeometryError, load_array, shipped_arrays


def test_the_shipped_arrays_load() -> None:
    assert shipped_arrays() == ["linear8", "mono", "respeaker4", "stereo", "two_lanes", "uma8"]
    for name in shipped_arrays():
        array = load_array(name)
        assert array.name == name
        assert array.sample_rate_hz == 16000


def test_uma8_is_a_centre_and_a_ring_of_six() -> None:
    array = load_array("uma8")
    assert array.n_channels == 7
    assert array.channels == (0, 1, 2, 3, 4, 5, 6)
    assert array.rank == 2
    assert array.reference == 0
    for microphone in range(1, 7):
        angle = np.radians((microphone - 1) * 60.0)
        expected = [0.045 * np.cos(angle), 0.045 * np.sin(angle), 0.0]
        np.testing.assert_allclose(array.positions[microphone], expected, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "n_channels", "rank", "width_m"), [("linear8", 8, 1, 0.21), ("stereo", 2, 1, 0.15), ("respeaker4", 4, 2, 0.081)]
)
def test_sizes(name: str, n_channels: int, rank: int, width_m: float) -> None:
    array = load_array(name)
    assert (array.n_channels, array.rank, array.has_bearing) == (n_channels, rank, True)
    assert np.ptp(array.positions[:, 0]) == pytest.approx(width_m)


def test_a_line_points_from_its_first_to_its_last_microphone() -> None:
    np.testing.assert_allclose(load_array("linear8").axis, [1.0, 0.0, 0.0])


@pytest.mark.parametrize(("name", "n_channels"), [("mono", 1), ("two_lanes", 2)])
def test_lanes_have_no_bearing(name: str, n_channels: int) -> None:
    array = load_array(name)
    assert array.lanes
    assert not array.has_bearing
    assert array.n_channels == n_channels


def _message(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GeometryError) as caught:
        load_array(str(path))
    return str(caught.value).replace(str(path), "FILE")


def test_an_array_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    path.write_text("positions_m: [[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0.1]]\nchannels: [2, 0, 1]\nreference: 1\n", encoding="utf-8")
    array = load_array(str(path))
    assert (array.name, array.channels, array.reference, array.rank) == ("table", (2, 0, 1), 1, 2)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(GeometryError) as caught:
        load_array("uma9")
    assert str(caught.value) == (
        "array 'uma9' is not known; the arrays are linear8, mono, respeaker4, stereo, two_lanes, uma8, or give the path of a .yaml file"
    )


def test_a_missing_file() -> None:
    with pytest.raises(GeometryError, match=r"array file nowhere/a\.yaml: there is no such file"):
        load_array("nowhere/a.yaml")


def test_no_positions(tmp_path: Path) -> None:
    assert _message(tmp_path, "name: x\n") == "array FILE: expected name, sample_rate_hz and positions_m: [[x, y, z], ...]"


def test_not_yaml(tmp_path: Path) -> None:
    assert _message(tmp_path, "positions_m: [[0, 0\n").startswith("array FILE: not YAML: ")


def test_an_unknown_key(tmp_path: Path) -> None:
    message = _message(tmp_path, "positions_m: [[0, 0, 0]]\nradius_m: 1\n")
    assert message == "array FILE: unknown radius_m; allowed are channels, lanes, name, positions_m, reference, sample_rate_hz"


@pytest.mark.parametrize("positions", ["[[0, 0]]", "[0, 1, 2]", "[[a, b, c]]", "7"])
def test_positions_of_another_form(tmp_path: Path, positions: str) -> None:
    message = _message(tmp_path, f"positions_m: {positions}\n")
    assert message == "array FILE: positions_m must be [[x, y, z], ...] in metres and channels a list of numbers"


def test_channels_that_do_not_match(tmp_path: Path) -> None:
    message = _message(tmp_path, "positions_m: [[0, 0, 0], [1, 0, 0]]\nchannels: [0]\n")
    assert message == "array FILE: there are 2 positions and 1 channels; they must match"


def test_a_reference_that_is_no_microphone(tmp_path: Path) -> None:
    message = _message(tmp_path, "positions_m: [[0, 0, 0], [1, 0, 0]]\nreference: 2\n")
    assert message == "array FILE: reference 2 is not one of the 2 microphones (counted from 0)"
