"""SoundEvents on sounds in a room: what, when, from where; and what is no sound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.bearing_peak import angle_between_deg
from pipeline.app.failures import exit_code
from pipeline.geometry import load_array
from pipeline.packets import NS_PER_S, AudioBlock, Directions, Gap, Packet, SoundEvent
from pipeline.testing import audio_blocks, merged, one_microphone, run_stage
from stages.audio.srp_phat import SrpPhat
from stages.capture.file_source import FileSource
from stages.sound.sound_errors import SoundError
from stages.sound.sound_events import SoundEvents
from tests.sound_fields import clip
from tests.stages.sound.made_sounds import RATE_HZ, Floats, phone, rasp, room_with, smoke_alarm, thump

pytestmark = pytest.mark.usefixtures("weights")
UMA8 = load_array("uma8")
MONO = one_microphone()


def events(packets: Sequence[Packet]) -> list[SoundEvent]:
    return [packet for packet in packets if isinstance(packet, SoundEvent)]


def heard_in_mono(samples: Floats, stage: SoundEvents | None = None, block_frames: int = 512, start_ns: int = 0) -> list[SoundEvent]:
    blocks = audio_blocks(samples[None, :], MONO, block_frames=block_frames, start_ns=start_ns)
    return events(run_stage(stage or SoundEvents(), {"audio": blocks})["sounds"])


def placed(duration_s: float, parts: list[tuple[float, Floats]], noise: float = 0.001) -> Floats:
    mix = (noise * np.random.default_rng(5).standard_normal(round(duration_s * RATE_HZ))).astype(np.float32)
    for start_s, signal in parts:
        first = round(start_s * RATE_HZ)
        mix[first : first + len(signal)] += signal[: len(mix) - first]
    return mix


@pytest.fixture(scope="module")
def room(shared: Path) -> tuple[list[AudioBlock], list[Directions]]:
    """Speech, an alarm, a phone, something that falls, each from elsewhere; and where the localiser hears them."""
    speech = clip(shared, "librivox_0870")[: 2 * RATE_HZ]
    parts = [(0.5, 30.0, speech), (3.5, 120.0, smoke_alarm(3.0)), (9.2, 200.0, phone()), (14.1, 300.0, thump())]
    blocks = audio_blocks(room_with(UMA8, 17.0, parts), UMA8, block_frames=1600)
    directions = run_stage(SrpPhat(), {"audio": blocks})["directions"]
    return blocks, [packet for packet in directions if isinstance(packet, Directions)]


def test_sounds_have_a_name_a_time_and_a_bearing(room: tuple[list[AudioBlock], list[Directions]]) -> None:
    alarm, ring, fall = events(run_stage(SoundEvents(), {"audio": room[0], "directions": room[1]})["sounds"])
    assert (alarm.label, ring.label, fall.label) == ("Smoke detector, smoke alarm", "Busy signal", None)
    for sound, start_s, azimuth_deg in ((alarm, 3.5, 120.0), (ring, 9.2, 200.0), (fall, 14.1, 300.0)):
        assert abs(sound.pts_ns / NS_PER_S - start_s) < 0.1
        assert sound.azimuth_deg is not None
        assert angle_between_deg(sound.azimuth_deg, azimuth_deg) < 3.0
        assert sound.elevation_deg is not None
        assert np.linalg.norm(sound.embedding) == pytest.approx(1.0, abs=1e-5)
        assert sound.embedding.shape == (1024,)
    assert abs(alarm.end_ns / NS_PER_S - 6.0) < 0.1
    assert abs(ring.end_ns / NS_PER_S - 11.7) < 0.1
    assert fall.duration_ns < NS_PER_S
    assert re.fullmatch(r"smoke-detector-smoke-alarm-0000[34]\d{3}", alarm.key)
    assert min(alarm.score, ring.score) > 0.8


def test_blocks_of_another_size_change_nothing_and_a_second_run_is_the_same(room: tuple[list[AudioBlock], list[Directions]]) -> None:
    samples = np.concatenate([block.samples[0] for block in room[0]])
    first, again = heard_in_mono(samples), heard_in_mono(samples, block_frames=4801)
    assert [(s.pts_ns, s.end_ns, s.label, s.score) for s in first] == [(s.pts_ns, s.end_ns, s.label, s.score) for s in again]
    assert all((one.embedding == other.embedding).all() for one, other in zip(first, again, strict=True))
    assert all(sound.azimuth_deg is None and sound.elevation_deg is None for sound in first)


def test_a_run_that_goes_on_in_the_middle_hears_the_same_from_there(room: tuple[list[AudioBlock], list[Directions]]) -> None:
    samples = np.concatenate([block.samples[0] for block in room[0]])
    whole = heard_in_mono(samples)
    late = heard_in_mono(samples[7 * RATE_HZ + 77 :], start_ns=(7 * RATE_HZ + 77) * NS_PER_S // RATE_HZ)
    assert [(s.key, s.end_ns) for s in late] == [(s.key, s.end_ns) for s in whole if s.pts_ns > 7 * NS_PER_S]


def test_sounds_leave_in_the_order_of_their_ends_and_within_the_declared_delay(room: tuple[list[AudioBlock], list[Directions]]) -> None:
    stage = SoundEvents(pause_s=1.0)
    stage.start()
    ends, passed_ns = [], 0
    for port, packet in merged({"audio": room[0], "directions": room[1]}):
        passed_ns = packet.end_ns
        for emit in getattr(stage, f"on_{port}")(packet):
            ends.append(emit.packet.end_ns)
            assert emit.packet.end_ns >= stage.promise(room[0][0].pts_ns)
            assert emit.packet.end_ns > passed_ns - stage.delay_ns
    ends += [emit.packet.end_ns for emit in stage.flush()]
    assert ends == sorted(ends)
    assert len(ends) >= 3
    assert stage.delay_ns < 5 * NS_PER_S
    stage.stop()


@pytest.mark.parametrize("name", ["librivox_0870", "two_cities", "jfk", "asterisk_demo-instruct"])
def test_speech_alone_has_no_sounds(shared: Path, name: str) -> None:
    speech = clip(shared, name)[: 20 * RATE_HZ]
    assert heard_in_mono(placed(len(speech) / RATE_HZ + 2.0, [(0.7, speech)])) == []


def test_silence_and_steady_noise_have_none() -> None:
    assert heard_in_mono(np.zeros(12 * RATE_HZ, np.float32)) == []
    assert heard_in_mono(placed(12.0, [])) == []
    assert heard_in_mono(placed(12.0, [], noise=0.03)) == []


def test_a_sound_during_speech_is_heard(shared: Path) -> None:
    speech = clip(shared, "librivox_0870")[: 10 * RATE_HZ]
    (found,) = heard_in_mono(placed(11.0, [(0.2, speech), (3.0, 3.0 * phone())]))
    assert found.label is not None
    assert found.label.startswith("Telephone")
    assert abs(found.pts_ns / NS_PER_S - 3.0) < 0.6


def test_music_from_a_film_is_music(shared: Path, tmp_path: Path) -> None:
    array = tmp_path / "six.yaml"
    array.write_text(
        "name: six\nsample_rate_hz: 16000\nlanes: true\npositions_m: [[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0], [4, 0, 0], [5, 0, 0]]\n"
    )
    packets = run_stage(FileSource(str(shared / "data/media/bigbuckbunny.mp4"), array=str(array)))["audio"]
    blocks = [block for block in packets if isinstance(block, AudioBlock)]
    found = events(run_stage(SoundEvents(least_dbfs=-60.0), {"audio": blocks})["sounds"])
    assert [sound.label for sound in found] == ["Music"]


def test_a_kitchen_sounds_like_one(shared: Path) -> None:
    samples, rate_hz = soundfile.read(shared / "data/noise/doing_the_dishes.wav", dtype="float32", frames=60 * RATE_HZ)
    assert rate_hz == RATE_HZ
    labels = {sound.label for sound in heard_in_mono(samples)}
    assert "Cutlery, silverware" in labels
    assert not {"Music", "Telephone", "Laughter"} & labels


def test_what_is_ignored_is_not_told_and_what_is_kept_is() -> None:
    samples = placed(9.0, [(2.0, smoke_alarm())])
    alarms = ("Alarm", "Smoke detector, smoke alarm", "Beep, bleep", "Buzzer", "Fire alarm", "Alarm clock", "Sine wave", "Chirp tone")
    labels = [sound.label for sound in heard_in_mono(samples, SoundEvents(ignore=alarms))]
    assert not set(labels) & set(alarms)
    noise = placed(12.0, [(3.0, (0.05 * np.random.default_rng(1).standard_normal(4 * RATE_HZ)).astype(np.float32))])
    assert "White noise" not in {sound.label for sound in heard_in_mono(noise)}
    assert "White noise" in {sound.label for sound in heard_in_mono(noise, SoundEvents(keep=("White noise",)))}


def test_an_unknown_sound_heard_again_is_alike_and_another_is_not() -> None:
    found = heard_in_mono(placed(22.0, [(3.1, thump()), (8.35, 0.7 * rasp()), (13.2, 0.6 * thump()), (18.9, rasp())]))
    assert [sound.label for sound in found] == [None] * 4
    likeness = np.array([sound.embedding for sound in found]) @ np.array([sound.embedding for sound in found]).T
    assert likeness[0, 2] > 0.85
    assert likeness[1, 3] > 0.85
    assert likeness[0, 1] < 0.6


def test_a_gap_ends_a_sound_and_what_comes_after_is_heard_anew() -> None:
    alarm = np.concatenate([placed(2.0, []), smoke_alarm(12.0)])
    before = audio_blocks(alarm[None, : 4 * RATE_HZ], MONO, block_frames=1600)
    gap = Gap(pts_ns=4 * NS_PER_S, duration_ns=2 * NS_PER_S, reason="dropped")
    after = audio_blocks(alarm[None, 4 * RATE_HZ : 8 * RATE_HZ], MONO, block_frames=1600, start_ns=6 * NS_PER_S)
    found = events(run_stage(SoundEvents(), {"audio": [*before, gap, *after]})["sounds"])
    assert len(found) == 2
    assert found[0].end_ns <= 4 * NS_PER_S
    assert found[1].pts_ns >= 6 * NS_PER_S
    # The same where no gap is told of, but the times do not follow.
    assert [(s.pts_ns, s.end_ns) for s in events(run_stage(SoundEvents(), {"audio": [*before, *after]})["sounds"])] == [
        (s.pts_ns, s.end_ns) for s in found
    ]


def test_samples_that_are_not_numbers_count_as_silence() -> None:
    samples = placed(8.0, [(2.0, smoke_alarm())])
    samples[RATE_HZ : RATE_HZ + 100] = np.nan
    samples[RATE_HZ + 200] = np.inf
    found = heard_in_mono(samples)
    assert [sound.label for sound in found] == ["Smoke detector, smoke alarm"]
    assert np.isfinite(found[0].embedding).all()


def test_state_is_bounded_however_long_it_goes_on() -> None:
    stage = SoundEvents(longest_s=4.0)
    stage.start()
    alarm = smoke_alarm(4.0)
    sizes = []
    for round_ in range(8):
        for block in audio_blocks(alarm[None, :], MONO, block_frames=8000, start_ns=round_ * 4 * NS_PER_S):
            list(stage.on_audio(block))
        assert stage._listener is not None
        sizes.append(len(stage._listener._levels_db) + len(stage._energies) + len(stage._held))
    assert max(sizes) < 400
    stage.stop()


def test_audio_or_settings_that_cannot_be_are_refused() -> None:
    stage = SoundEvents()
    block = audio_blocks(np.zeros((1, 800), np.float32), MONO)[0]
    with pytest.raises(SoundError, match="the stage has not been started"):
        list(stage.on_audio(block))
    stage.start()
    with pytest.raises(SoundError, match="audio of mono comes at 48000 Hz; 16000 Hz is needed"):
        list(stage.on_audio(replace(block, sample_rate_hz=48000)))
    for score in (0.0, 1.5):
        with pytest.raises(SoundError, match=f"min_score must be over 0 and at most 1, found {score}"):
            SoundEvents(min_score=score)
    for pause_s, longest_s in ((40.0, 60.0), (5.0, 4.0)):
        with pytest.raises(SoundError, match=f"pause_s must be at most 10 and less than longest_s, found {pause_s} and {longest_s}"):
            SoundEvents(pause_s=pause_s, longest_s=longest_s)
    for pause_s, longest_s in ((-1.0, 30.0), (float("nan"), 30.0), (1.9, 601.0), (1.9, float("nan"))):
        told = f"pause_s must be at least 0 and longest_s at most 600, found {pause_s} and {longest_s}"
        with pytest.raises(SoundError, match=told):
            SoundEvents(pause_s=pause_s, longest_s=longest_s)
    with pytest.raises(SoundError, match=r"pause_s must be at most 10 and less than longest_s, found 0\.0 and -5\.0"):
        SoundEvents(pause_s=0.0, longest_s=-5.0)
    for least_dbfs, rise_db in ((1.0, 15.0), (-121.0, 15.0), (-50.0, -1.0), (-50.0, 121.0), (float("nan"), 15.0)):
        told = f"least_dbfs {least_dbfs}, rise_db {rise_db}: least_dbfs must be from -120 to 0"
        with pytest.raises(SoundError, match=re.escape(told)):
            SoundEvents(least_dbfs=least_dbfs, rise_db=rise_db)
    with pytest.raises(SoundError, match="SoundEvents: n_threads must be at least 1, found 0") as caught:
        SoundEvents(n_threads=0)
    assert exit_code(caught.value) == 2
    with pytest.raises(SoundError, match="ignore and keep name classes of AudioSet: 'Laughing' is no class of sounds; did you mean"):
        SoundEvents(ignore=("Laughing",)).start()
    with pytest.raises(SoundError, match="'Televison' is no class"):
        SoundEvents(keep=("Televison",)).start()
