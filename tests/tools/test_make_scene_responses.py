from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import soundfile

from pipeline.geometry import load_array
from tests.tools.scene_voices import RATE_HZ, lag_s, made, one
from tools.measured_responses import load_responses
from tools.scene_script import SceneError

PAIR = "name: pair\nsample_rate_hz: 16000\npositions_m: [[0, 0.09, 0], [0, -0.09, 0]]\n"


@pytest.fixture
def pair(tmp_path: Path) -> str:
    """Two microphones at the ears of a head that looks along +x, the left one first."""
    (tmp_path / "pair.yaml").write_text(PAIR)
    return str(tmp_path / "pair.yaml")


def pulses(delays: list[list[int]], n_frames: int = 200) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Responses of one pulse each, shape (sources, channels, frames)."""
    samples = np.zeros((len(delays), len(delays[0]), n_frames))
    for source, channel in np.ndindex(samples.shape[:2]):
        samples[source, channel, delays[source][channel]] = 1.0
    return samples


def test_a_measured_head_hears_the_nearest_measured_direction(shared: Path, pair: str) -> None:
    file = shared / "data" / "array_measured" / "mit_kemar_normal_pinna.sofa"
    scene = made(one({"azimuth_deg": 31, "distance_m": 1.4, "height_m": 0.9}, room={"responses": str(file)}, array=pair, level_dbfs=-40))
    # The line's axis goes from the left ear to the right.
    assert scene.truth[0].azimuth_deg == pytest.approx(31.0, abs=3.0)
    assert scene.positions["ann"][0].distance_m is None
    measured = load_responses(file, load_array(pair))
    assert measured.samples.shape[:2] == (710, 2)
    assert measured.ways is not None
    np.testing.assert_allclose(np.linalg.norm(measured.ways, axis=1), 1.4)
    # Axis angle 31: far to the right, so the right ear hears first.
    assert 0.3e-3 < lag_s(scene.samples[0], scene.samples[1]) < 0.8e-3


def test_a_measured_office_is_used_as_it_is(shared: Path) -> None:
    file = shared / "data" / "array_measured" / "rir_real_8ch.wav"
    scene = made(one({"responses": str(file)}, array="linear8"), images=True)
    response, _ = soundfile.read(file)
    for channel in (0, 5):
        wet = np.convolve(scene.dry["ann"].astype(np.float64), response[:, channel])[: scene.samples.shape[1]]
        assert np.corrcoef(wet, scene.samples[channel])[0, 1] > 0.9999
    line = scene.truth[0]
    assert line.azimuth_deg is None
    onset_s = np.argmax(np.abs(response[:, 0]) >= 0.5 * np.abs(response[:, 0]).max()) / RATE_HZ
    assert line.start_s == pytest.approx(0.5 + onset_s, abs=1e-3)
    assert made(one({"responses": str(file), "azimuth_deg": 70}, array="linear8")).truth[0].azimuth_deg == 70.0


def test_npz_responses_have_sources_by_bearing_or_by_number(tmp_path: Path, pair: str) -> None:
    samples = pulses([[50, 60], [55, 55], [60, 50]])
    np.savez(tmp_path / "r.npz", responses=samples, sample_rate_hz=RATE_HZ, azimuth_deg=[90.0, 0.0, -90.0])
    room = {"responses": str(tmp_path / "r.npz")}
    # Of this line 0 degrees is on the right.
    for azimuth_deg, source, lag in [(10, 2, 10), (85, 1, 0), (150, 0, -10)]:
        for talker in ({"azimuth_deg": azimuth_deg, "height_m": 0.9}, {"source": source}):
            scene = made(one(talker, room=room, array=pair))
            assert lag_s(scene.samples[0], scene.samples[1]) == pytest.approx(lag / RATE_HZ, abs=1e-6)
            assert scene.truth[0].azimuth_deg == pytest.approx({2: 0.0, 1: 90.0, 0: 180.0}[source], abs=0.05)
    assert made(one({"source": 2}, room=room, array=pair)).truth[0].start_s == pytest.approx(0.5 + 60 / RATE_HZ, abs=1e-3)


def test_a_walk_goes_through_the_measured_directions(tmp_path: Path, pair: str) -> None:
    np.savez(tmp_path / "r.npz", responses=pulses([[50, 60], [55, 55], [60, 50]]), sample_rate_hz=RATE_HZ, azimuth_deg=[90.0, 0.0, -90.0])
    path = [{"at_s": 0.0, "azimuth_deg": 5}, {"at_s": 4.0, "azimuth_deg": 175}]
    scene = made(one({"path": path, "height_m": 0.9}, "hello 4", room={"responses": str(tmp_path / "r.npz")}, array=pair))
    assert [position.azimuth_deg for position in scene.positions["ann"]][5:40:15] == [0.0, 90.0, 180.0]
    for at_s, lag in [(0.8, 10), (2.0, 0), (3.5, -10)]:
        span = slice(int((at_s - 0.1) * RATE_HZ), int((at_s + 0.1) * RATE_HZ))
        assert lag_s(scene.samples[0, span], scene.samples[1, span]) == pytest.approx(lag / RATE_HZ, abs=1e-6)


def test_sofa_delays_rates_and_room_coordinates_count(tmp_path: Path, pair: str) -> None:
    with h5py.File(tmp_path / "r.sofa", "w") as file:
        file["Data.IR"] = pulses([[100, 100], [100, 100]], 400)
        file["Data.SamplingRate"] = [32000.0]
        file["Data.Delay"] = [[0.0, 32.0], [0.0, 0.0]]
        # Listener in the middle of a room, looking along +y: a source further along +y is straight ahead, one along +x to the right.
        file["ListenerPosition"] = [[2.0, 2.0, 1.0]]
        file["ListenerView"] = [[0.0, 1.0, 0.0]]
        file["SourcePosition"] = [[2.0, 4.0, 1.0], [4.0, 2.0, 1.0]]
        for name in ("ListenerPosition", "ListenerView", "SourcePosition"):
            file[name].attrs["Type"] = "cartesian"
    measured = load_responses(tmp_path / "r.sofa", load_array(pair))
    assert measured.ways is not None
    np.testing.assert_allclose(measured.ways, [[2.0, 0.0, 0.0], [0.0, -2.0, 0.0]], atol=1e-12)
    assert [measured.delay_s(0, channel) for channel in (0, 1)] == pytest.approx([50 / RATE_HZ, 66 / RATE_HZ])
    assert measured.samples.sum(axis=2) == pytest.approx(1.0, rel=0.05)


def test_files_with_more_channels_are_cut_to_those_of_the_array(tmp_path: Path) -> None:
    (tmp_path / "pair.yaml").write_text(PAIR.replace("positions_m", "channels: [3, 1]\npositions_m"))
    soundfile.write(tmp_path / "r.wav", pulses([[10, 20, 30, 40]])[0].T * 0.5, RATE_HZ, subtype="FLOAT")
    measured = load_responses(tmp_path / "r.wav", load_array(str(tmp_path / "pair.yaml")))
    assert [measured.delay_s(0, channel) for channel in (0, 1)] == [40 / RATE_HZ, 20 / RATE_HZ]


def _npz(folder: Path, **parts: Any) -> Path:
    np.savez(folder / "r.npz", **parts)
    return folder / "r.npz"


def _text(folder: Path, name: str) -> Path:
    (folder / name).write_text("no sound")
    return folder / name


def _h5(folder: Path, **parts: Any) -> Path:
    with h5py.File(folder / "r.sofa", "w") as file:
        for name, value in parts.items():
            file[name.replace("__", ".")] = value
    return folder / "r.sofa"


BAD = [
    (lambda folder: folder / "none.wav", {}, "there is no such file"),
    (lambda folder: _text(folder, "r.txt"), {}, "the type .txt is not known; allowed are .sofa, .npz, .wav, .flac"),
    (lambda folder: _text(folder, "r.wav"), {}, "r.wav: cannot be read"),
    (lambda folder: _text(folder, "r.sofa"), {}, "r.sofa: cannot be read as SOFA (HDF5)"),
    (lambda folder: _text(folder, "r.npz"), {}, "r.npz: cannot be read"),
    (lambda folder: _npz(folder, h=np.zeros(3)), {}, "expected the arrays responses (sources, channels, frames) and sample_rate_hz"),
    (lambda folder: _npz(folder, responses=pulses([[1, 2, 3]]), sample_rate_hz=16000), {}, "found 3 channels, but the array pair has 2"),
    (lambda folder: _npz(folder, responses=np.zeros((1, 2, 9)), sample_rate_hz=16000), {}, "a source has no sound, or samples that are"),
    (lambda folder: _npz(folder, responses=pulses([[1, 2]]), sample_rate_hz=0), {}, "found a sample rate of 0 Hz; it must be over 0"),
    (
        lambda folder: _npz(folder, responses=pulses([[1, 2], [2, 1]]), sample_rate_hz=16000, azimuth_deg=[1.0]),
        {},
        "2 sources need as many azimuth_deg and elevation_deg; found 1",
    ),
    (
        lambda folder: _npz(folder, responses=pulses([[1, 2], [2, 1]]), sample_rate_hz=16000),
        {},
        "has 2 sources; say which with source: 0 to 1",
    ),
    (
        lambda folder: _npz(folder, responses=pulses([[1, 2], [2, 1]]), sample_rate_hz=16000),
        {"source": 2},
        "talker ann: source 2 is not in",
    ),
    (
        lambda folder: _npz(folder, responses=pulses([[1, 2]]), sample_rate_hz=16000),
        {"azimuth_deg": None, "path": [{"at_s": 0, "azimuth_deg": 10}, {"at_s": 1, "azimuth_deg": 90}]},
        "is used without the directions of its sources; let the talker stand still",
    ),
    (lambda folder: _h5(folder, Data__Real=[1.0]), {}, "Data.IR and Data.SamplingRate not in it; only SOFA files of impulse responses"),
    (lambda folder: _h5(folder, Data__IR=np.ones((1, 2, 3, 4)), Data__SamplingRate=[16000.0]), {}, "Data.IR has the shape (1, 2, 3, 4)"),
]


@pytest.mark.parametrize(("file", "talker", "message"), BAD)
def test_responses_that_do_not_fit_are_refused_in_words(tmp_path: Path, pair: str, file: Any, talker: dict[str, Any], message: str) -> None:
    with pytest.raises(SceneError) as caught:
        made(one({"azimuth_deg": 60, "responses": str(file(tmp_path)), **talker}, array=pair))
    assert message in str(caught.value)
