"""SpeechTracker: talkers become tracks, and what else sounds in a room does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.bearing_peak import angle_between_deg
from pipeline.geometry import load_array
from pipeline.packets import AudioBlock, Float32Array, Gap, Tracks
from pipeline.stage import Stage
from pipeline.testing import audio_blocks, noise, run_stage
from stages.audio.bearing_tracker import BearingTracker
from stages.audio.speech_tracker import SpeechTracker, SpeechTrackerError
from stages.audio.srp_phat import SrpPhat
from tests.sound_fields import RATE_HZ, clip, diffuse, plane_wave, room

UMA8 = load_array("uma8")
pytestmark = pytest.mark.usefixtures("weights")


def _tracks(samples: Float32Array, tracker: Stage | None = None, name: str = "uma8") -> list[Tracks]:
    blocks = audio_blocks(samples, load_array(name))
    directions = run_stage(SrpPhat(), {"audio": blocks})["directions"]
    packets = run_stage(tracker or SpeechTracker(), {"audio": blocks, "directions": directions})["tracks"]
    return [packet for packet in packets if isinstance(packet, Tracks)]


def _names(tracks: list[Tracks]) -> list[str]:
    return sorted({track.name for packet in tracks for track in packet.tracks})


def music(duration_s: float, seed: int = 1) -> Float32Array:
    """Chords, a melody and a drum, float32, shape (frames,)."""
    random = np.random.default_rng(seed)
    out = np.zeros(round(duration_s * RATE_HZ))
    for beat in range(round(duration_s * 4)):
        root = (220.0, 174.6, 261.6, 196.0)[beat // 8 % 4]
        first = beat * RATE_HZ // 4
        times = np.arange(min(RATE_HZ, len(out) - first)) / RATE_HZ
        played = [(root * ratio, 0.1, 0.6) for ratio in (1.0, 1.25, 1.5)] + [(2 * root * 2 ** (random.integers(0, 12) / 12), 0.5, 0.12)]
        for pitch_hz, loud, decay_s in played:
            tones = sum(np.sin(2 * np.pi * pitch_hz * n * times) / n for n in range(1, 12))
            out[first : first + len(times)] += loud * tones * np.exp(-times / decay_s) * np.minimum(1.0, times / 0.01)
        drum = min(800, len(times))
        out[first : first + drum] += 0.5 * random.standard_normal(drum) * np.exp(-np.arange(drum) / 200.0)
    return np.asarray(0.05 * out / np.sqrt(np.mean(out**2)), dtype=np.float32)


def test_a_talker_is_found_as_soon_as_they_are_heard(shared: Path) -> None:
    speech = clip(shared, "librivox_0880")
    scene = room(UMA8, [(80.0, speech, 0.5)], rt60_s=0.3)
    tracks = _tracks(scene.mix)
    assert _names(tracks) == ["t1"]
    first_s = 0.5 + float(np.argmax(np.abs(speech) > 0.02)) / RATE_HZ
    born_s = next(packet.end_ns for packet in tracks if packet.tracks) / 1e9
    assert born_s < first_s + 0.5, "the look-ahead of the beams covers the first word"
    assert angle_between_deg(tracks[-1].tracks[0].azimuth_deg or 0.0, 80.0) < 4.0


def test_only_music_has_no_track(shared: Path) -> None:
    scene = room(UMA8, [(120.0, music(8.0), 0.2)], rt60_s=0.3)
    assert _names(_tracks(scene.mix)) == []
    assert _names(_tracks(scene.mix, BearingTracker())) != [], "without listening it is a source like any other"
    assert shared.is_dir()


def test_a_fan_that_is_switched_on_has_no_track_and_who_speaks_beside_it_has(shared: Path) -> None:
    fan = np.concatenate([np.zeros(RATE_HZ, dtype=np.float32), noise(5.0, amplitude=0.01)])
    speech = clip(shared, "librivox_0880")
    scene = room(UMA8, [(200.0, fan, 0.0), (60.0, speech, 2.5)], rt60_s=0.3)
    tracks = _tracks(scene.mix)
    assert _names(tracks) == ["t1"]
    assert angle_between_deg(tracks[-1].tracks[0].azimuth_deg or 0.0, 60.0) < 5.0


def test_somebody_leaning_on_the_array_is_no_talker() -> None:
    samples = diffuse(UMA8, 4.0, seed=3, level=0.0005).copy()
    random = np.random.default_rng(2)
    for first in range(RATE_HZ // 2, samples.shape[1] - RATE_HZ // 2, RATE_HZ // 3):
        length = int(random.integers(800, 4000))
        microphone = int(random.integers(0, 7))
        rumble = np.cumsum(random.standard_normal(length)) * 0.01 + random.standard_normal(length) * 0.05
        samples[microphone, first : first + length] += (rumble * np.hanning(length)).astype(np.float32)
        samples[(microphone + 1) % 7, first + 3 : first + 3 + length] += (0.5 * rumble * np.hanning(length)).astype(np.float32)
    assert _names(_tracks(np.clip(samples, -1.0, 1.0).astype(np.float32))) == []


def test_sudden_steps_of_20_db_break_no_track_and_make_none(shared: Path) -> None:
    speech = np.concatenate([clip(shared, "librivox_0880"), clip(shared, "librivox_0890")])[: 8 * RATE_HZ].copy()
    for second in (1, 3, 5, 7):
        speech[second * RATE_HZ : (second + 1) * RATE_HZ] *= 0.1
    assert _names(_tracks(room(UMA8, [(250.0, speech, 0.3)], rt60_s=0.3, snr_db=40.0).mix)) == ["t1"]
    steps = diffuse(UMA8, 4.0, seed=3, level=0.001) * np.where(np.arange(4 * RATE_HZ) // RATE_HZ % 2, 10.0, 1.0).astype(np.float32)
    assert _names(_tracks(steps)) == []


def test_a_talker_right_over_a_flat_array_is_at_most_one_track_and_no_trouble(shared: Path) -> None:
    above = plane_wave(UMA8, 0.0, clip(shared, "librivox_0880"), elevation_deg=90.0)
    tracks = _tracks(above + diffuse(UMA8, above.shape[1] / RATE_HZ, seed=1, level=0.0003))
    assert len(_names(tracks)) <= 2
    assert all(np.isfinite(track.azimuth_deg or 0.0) for packet in tracks for track in packet.tracks)


def test_a_talker_on_the_axis_of_a_line(shared: Path) -> None:
    array = load_array("linear8")
    along = plane_wave(array, 0.0, clip(shared, "librivox_0880"))
    tracks = _tracks(along + diffuse(array, along.shape[1] / RATE_HZ, seed=1, level=0.0003), name="linear8")
    assert _names(tracks) == ["t1"]
    assert (tracks[-1].tracks[0].azimuth_deg or 0.0) < 8.0


def test_nan_in_the_audio_is_no_trouble(shared: Path) -> None:
    samples = plane_wave(UMA8, 40.0, clip(shared, "librivox_0880")) + diffuse(
        UMA8, len(clip(shared, "librivox_0880")) / RATE_HZ, seed=1, level=0.0003
    )
    samples[2, ::1000] = np.nan
    tracks = _tracks(samples)
    assert all(np.isfinite(track.azimuth_deg or 0.0) for packet in tracks for track in packet.tracks)


def test_a_single_microphone_is_a_lane() -> None:
    tracks = _tracks(noise(0.3)[None, :], name="mono")
    assert _names(tracks) == ["t1"]
    assert {track.lane for packet in tracks for track in packet.tracks} == {0}


def test_the_last_second_is_kept_and_no_more() -> None:
    stage = SpeechTracker()
    blocks: list[AudioBlock] = audio_blocks(np.zeros((7, 10 * RATE_HZ), dtype=np.float32), UMA8)
    gap = Gap(pts_ns=blocks[-1].end_ns, duration_ns=10**9, reason="dropped")
    later = audio_blocks(np.zeros((7, 512), dtype=np.float32), UMA8, start_ns=gap.end_ns)
    directions = run_stage(SrpPhat(), {"audio": [*blocks, *later]})["directions"]
    stage.start()
    kept = []
    for block, heard in zip([*blocks, *later], directions, strict=True):
        list(stage.on_audio(block))
        list(stage.on_directions(heard))  # type: ignore[arg-type] # the port has directions alone
        kept.append(len(stage._moment))
    assert max(kept) <= 33
    assert kept[-1] == 1, "what came before the gap is not part of the moment"
    stage.stop()


def test_what_cannot_be_judged_is_said() -> None:
    with pytest.raises(SpeechTrackerError) as caught:
        SpeechTracker(least_speech=1.5)
    assert str(caught.value) == "least_speech must be from 0 to 1, found 1.5: it is a probability"
    assert caught.value.exit_code == 2
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"n_threads": 0}, "n_threads must be at least 1, found 0"),
        ({"max_tracks": 0}, "max_tracks must be at least 1, found 0"),
        ({"gate_deg": 181.0}, "gate_deg must be from 0 to 180, found 181.0: it is an angle between two bearings"),
        ({"birth_s": -0.1}, "birth_s must be at least 0, found -0.1"),
        ({"lead_s": -0.1}, "lead_s must be at least 0, found -0.1"),
        ({"wake_s": float("nan")}, "wake_s must be at least 0, found nan"),
        ({"sleep_after_s": float("inf")}, "sleep_after_s must be at least 0, found inf"),
    ]
    for settings, told in wrong:
        with pytest.raises(SpeechTrackerError) as caught:
            SpeechTracker(**settings)
        assert str(caught.value) == told
    with pytest.raises(SpeechTrackerError) as caught:
        SpeechTracker(least_talk=-0.1)
    assert str(caught.value) == "least_talk must be from 0 to 1, found -0.1: it is a probability"
    blocks = audio_blocks(np.zeros((7, 4410), dtype=np.float32), UMA8, sample_rate_hz=44100)
    with pytest.raises(SpeechTrackerError) as caught:
        run_stage(SpeechTracker(), {"audio": blocks})
    assert str(caught.value) == "SpeechTracker: the array uma8 comes at 44100 Hz; 16000 Hz is needed (BearingTracker takes any rate)"


def test_dishes_that_sound_like_speech_to_one_network_do_not_to_both(shared: Path) -> None:
    import soundfile

    dishes, rate_hz = soundfile.read(shared / "data" / "noise" / "doing_the_dishes.wav", dtype="float32")
    assert rate_hz == RATE_HZ
    dishes = 0.05 * dishes[: 5 * RATE_HZ] / np.sqrt(np.mean(dishes**2))
    scene = room(UMA8, [(200.0, dishes, 1.0)], rt60_s=0.3)
    assert _names(_tracks(scene.mix, SpeechTracker(least_talk=0.0))) == ["t1"]
    assert _names(_tracks(scene.mix)) == []


def test_who_talks_over_music_as_loud_is_found(shared: Path) -> None:
    speech = clip(shared, "librivox_0880")
    scene = room(UMA8, [(120.0, music(8.0), 0.2), (260.0, speech, 2.0)], rt60_s=0.3)
    tracks = _tracks(scene.mix)
    assert _names(tracks) == ["t1"]
    assert angle_between_deg(tracks[-1].tracks[0].azimuth_deg or 0.0, 260.0) < 6.0
