"""The front end in rooms: real speech in simulated rooms, and real recordings of arrays."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.bearing_peak import angle_between_deg
from pipeline.geometry import ArrayGeometry, load_array
from pipeline.packets import Float32Array
from stages.audio.delay_and_sum import DelayAndSum
from stages.audio.music import Music
from tests.sound_fields import RATE_HZ, Scene, clip, diffuse, room, si_sdr_db
from tests.stages.audio.front_end import Heard, hear

UMA8 = load_array("uma8")


def _speech(shared: Path, *names: str) -> Float32Array:
    pause = np.zeros(RATE_HZ // 4, dtype=np.float32)
    return np.concatenate([part for name in names for part in (clip(shared, name), pause)])


def _two(shared: Path, rt60_s: float = 0.3, array: ArrayGeometry = UMA8, azimuths_deg: tuple[float, float] = (40.0, 130.0)) -> Scene:
    a = _speech(shared, "libri_2412-153948-0000")
    b = _speech(shared, "librivox_0870", "librivox_0890")
    return room(array, [(azimuths_deg[0], a, 0.5), (azimuths_deg[1], b, 0.8)], rt60_s)


def _assigned(heard: Heard, scene: Scene) -> dict[int, str]:
    """Which track is which talker; fails unless there is exactly one near each."""
    assert len(heard.names) == len(scene.azimuths_deg), f"tracks at {[round(heard.azimuth_deg(name)) for name in heard.names]}"
    found = {}
    for index, azimuth_deg in enumerate(scene.azimuths_deg):
        near = [n for n in heard.names if angle_between_deg(heard.azimuth_deg(n), azimuth_deg, scene.array.rank > 1) < 5.0]
        assert len(near) == 1, f"talker at {azimuth_deg}: tracks at {[round(heard.azimuth_deg(name), 1) for name in heard.names]}"
        found[index] = near[0]
    return found


def _while_both_speak(scene: Scene) -> slice:
    return slice(RATE_HZ, min(int(np.flatnonzero(np.abs(image[0]) > 1e-3)[-1]) for image in scene.images))


def _gains_db(beams: dict[str, Float32Array], names: dict[int, str], scene: Scene) -> list[float]:
    """How much better each talker's beam is than the reference microphone, while both speak."""
    spoken, reference = _while_both_speak(scene), scene.array.reference
    return [
        si_sdr_db(beams[name][spoken], scene.images[index, reference][spoken])
        - si_sdr_db(scene.mix[reference][spoken], scene.images[index, reference][spoken])
        for index, name in names.items()
    ]


def test_two_talkers_at_once_are_two_tracks_and_two_clean_beams(shared: Path) -> None:
    scene = _two(shared)
    heard = hear(UMA8, scene.mix)
    names = _assigned(heard, scene)
    by_mvdr = _gains_db(heard.beams, names, scene)
    by_sum = _gains_db(hear(UMA8, scene.mix, beam=DelayAndSum()).beams, names, scene)
    assert min(by_mvdr) > 3.0
    assert np.mean(by_mvdr) > 5.0
    assert all(mvdr > summed + 2.0 for mvdr, summed in zip(by_mvdr, by_sum, strict=True))
    for index, name in names.items():
        first_s = int(np.argmax(np.abs(scene.images[index, 0]) > 0.02)) / RATE_HZ
        assert heard.born_s(name) < first_s + 0.7, "the look-ahead of the beam covers the first word"


@pytest.mark.parametrize(("name", "azimuths_deg"), [("linear8", (50.0, 120.0)), ("respeaker4", (210.0, 310.0))])
def test_other_arrays(shared: Path, name: str, azimuths_deg: tuple[float, float]) -> None:
    scene = _two(shared, array=load_array(name), azimuths_deg=azimuths_deg)
    heard = hear(scene.array, scene.mix)
    gains = _gains_db(heard.beams, _assigned(heard, scene), scene)
    assert min(gains) > 3.0
    assert np.mean(gains) > 4.0


def test_music_hears_the_same_two(shared: Path) -> None:
    scene = _two(shared, rt60_s=0.2)
    assert len(_assigned(hear(UMA8, scene.mix, localise=Music(), beam=DelayAndSum()), scene)) == 2


def test_one_talker_in_a_hard_room_has_no_reflections_as_tracks(shared: Path) -> None:
    scene = room(UMA8, [(250.0, _speech(shared, "jfk"), 0.5)], rt60_s=0.5, at_m=(1.4, 3.4, 1.0), distance_m=1.1)
    assert len(_assigned(hear(UMA8, scene.mix, beam=DelayAndSum()), scene)) == 1


def test_a_talker_who_pauses_wakes_under_the_same_name(shared: Path) -> None:
    speech = np.concatenate([clip(shared, "librivox_0880"), np.zeros(4 * RATE_HZ, dtype=np.float32), clip(shared, "librivox_0890")])
    heard = hear(UMA8, room(UMA8, [(80.0, speech, 0.3)], rt60_s=0.3).mix, beam=DelayAndSum())
    assert heard.names == ["t1"]
    active = [packet.tracks[0].active for packet in heard.tracks if packet.tracks]
    assert sum(before and not after for before, after in pairwise(active)) >= 1
    assert active[-30]


def test_the_beam_of_who_is_silent_has_little_presence(shared: Path) -> None:
    a = np.concatenate([clip(shared, "librivox_0880"), np.zeros(6 * RATE_HZ, dtype=np.float32), clip(shared, "librivox_0880")])
    b = np.concatenate([np.zeros(4 * RATE_HZ, dtype=np.float32), clip(shared, "librivox_0890")])
    scene = room(UMA8, [(40.0, a, 0.3), (130.0, b, 0.3)], rt60_s=0.3)
    heard = hear(UMA8, scene.mix)
    names = _assigned(heard, scene)
    alone = slice(int(0.6 / 0.032), int(2.5 / 0.032))
    assert float(np.mean(heard.presence[names[0]][alone])) > 0.4
    leaked = slice(int(4.4 / 0.032), int(4.9 / 0.032))
    assert float(np.mean(heard.presence[names[0]][leaked])) < 0.3


@pytest.mark.parametrize("name", ["uma8", "respeaker4", "linear8"])
def test_diffuse_noise_has_no_tracks(name: str) -> None:
    array = load_array(name)
    heard = hear(array, diffuse(array, 4.0, seed=3), beam=DelayAndSum())
    assert heard.names == []
    assert heard.beams == {}


@pytest.mark.parametrize("recording", ["an101", "an102"])
def test_a_real_talker_before_a_line_of_15_microphones(shared: Path, recording: str) -> None:
    folder = shared / "data" / "array_real"
    places = json.loads((folder / "geometry_arr4A.json").read_text(encoding="utf-8"))["x_m"]
    array = ArrayGeometry(name="arr4A", positions_m=tuple((x, 0.0, 0.0) for x in places), reference=7)
    samples, rate_hz = soundfile.read(folder / f"{recording}-mtms-arr4A.wav", dtype="float32")
    assert rate_hz == RATE_HZ
    heard = hear(array, np.ascontiguousarray(samples.T))
    assert heard.names == ["t1"]
    assert heard.azimuth_deg("t1") == pytest.approx(90.0, abs=5.0)


def test_a_simulated_recording_whose_direction_is_in_its_name(shared: Path) -> None:
    folder = shared / "data" / "array_sim"
    places = json.loads((folder / "geometry.json").read_text(encoding="utf-8"))["mics_m"]
    array = ArrayGeometry(name="sim", positions_m=tuple((x, y, z) for x, y, z in places))
    samples, _ = soundfile.read(folder / "speech_-0.98894_0_0.14834.flac", dtype="float32")
    heard = hear(array, np.ascontiguousarray(samples.T), beam=DelayAndSum())
    assert heard.names == ["t1"]
    assert heard.azimuth_deg("t1") == pytest.approx(180.0, abs=5.0)
    noise, _ = soundfile.read(folder / "noise_diffuse.flac", dtype="float32")
    assert hear(array, np.ascontiguousarray(noise.T), beam=DelayAndSum()).names == []
