from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import oaconvolve

from models.kokoro import SpokenWord
from pipeline.geometry import ArrayGeometry, load_array
from tools.make_scene import Clip, Samples, Scene, Speaking, main, mix_script, render, write_scene
from tools.room import SPEED_OF_SOUND_M_PER_S
from tools.scene_script import Noise, Room, SceneError, SceneScript, SpokenLine, Talker, load_script, parse_script

RATE_HZ = 16000


class Noises(Speaking):
    """Says every line as half a second of noise of its own with one word: no weights, and sharp correlations."""

    def clip(self, line: SpokenLine, talker: Talker) -> Clip:
        random = np.random.default_rng([*(line.text or "").encode(), *(talker.voice or "").encode()])
        samples = np.zeros(RATE_HZ, dtype=np.float32)
        samples[1600:9600] = random.standard_normal(8000)
        return Clip(samples, line.text or "", (SpokenWord(line.text or "", 0.1, 0.6),))


def script(azimuths_deg: Sequence[float] = (40.0,), array: str = "uma8", **changes: Any) -> SceneScript:
    names = [f"t{index}" for index in range(len(azimuths_deg))]
    talkers = {name: {"azimuth_deg": deg, "distance_m": 1.4, "voice": name} for name, deg in zip(names, azimuths_deg, strict=True)}
    conversations = {name: [{"topic": name, "lines": [{name: f"hello-{name}"}, {name: f"again-{name}"}]}] for name in names}
    data = {"session": "s", "array": array, "noise": {"kind": "none"}, "talkers": talkers, "conversations": conversations, **changes}
    return parse_script(data, "test")


def scene(azimuths_deg: Sequence[float] = (40.0,), array: str = "uma8", **changes: Any) -> Scene:
    return render(script(azimuths_deg, array, **changes), Noises())


def lag_s(one: Samples, other: Samples) -> float:
    """How much later `one` hears what `other` hears, to a sixteenth of a sample, by GCC-PHAT."""
    n = 1 << (len(one) + len(other)).bit_length()
    cross = np.fft.rfft(one, n) * np.conj(np.fft.rfft(other, n))
    correlation = np.fft.irfft(cross / np.maximum(np.abs(cross), 1e-9), 16 * n)
    best = int(np.argmax(correlation))
    return (best if best < 8 * n else best - 16 * n) / (16 * RATE_HZ)


def expected_lag_s(array: ArrayGeometry, one: int, other: int, azimuth_deg: float) -> float:
    """What a far source on the level of the array gives."""
    way = np.array([np.cos(np.radians(azimuth_deg)), np.sin(np.radians(azimuth_deg)), 0.0])
    return float((array.positions[other] - array.positions[one]) @ way / SPEED_OF_SOUND_M_PER_S)


@pytest.mark.parametrize("azimuth_deg", [0.0, 40.0, 135.0, 270.0, 359.0])
def test_the_sound_comes_from_where_the_truth_says(azimuth_deg: float) -> None:
    made = scene([azimuth_deg], room={"rt60_s": 0.25})
    assert made.truth[0].azimuth_deg == pytest.approx(azimuth_deg, abs=0.05)
    for one, other in [(1, 4), (2, 5), (3, 6)]:
        assert lag_s(made.samples[one], made.samples[other]) == pytest.approx(
            expected_lag_s(made.array, one, other, azimuth_deg), abs=15e-6
        )


def test_an_array_that_is_turned_in_the_room_hears_the_same_bearing() -> None:
    made = scene([40.0], room={"rt60_s": 0.0, "array_yaw_deg": 75.0})
    assert made.truth[0].azimuth_deg == pytest.approx(40.0, abs=0.05)
    assert lag_s(made.samples[1], made.samples[4]) == pytest.approx(expected_lag_s(made.array, 1, 4, 40.0), abs=15e-6)


@pytest.mark.parametrize("azimuth_deg", [20.0, 60.0, 90.0, 160.0])
def test_a_line_hears_the_angle_to_its_axis_from_first_to_last(azimuth_deg: float) -> None:
    made = scene([azimuth_deg], "linear8", room={"rt60_s": 0.0})
    assert made.truth[0].azimuth_deg == pytest.approx(azimuth_deg, abs=0.05)
    # A source at 0 degrees is beyond the last microphone, so the last one hears first.
    later_at_first = 0.21 * np.cos(np.radians(azimuth_deg)) / SPEED_OF_SOUND_M_PER_S
    assert lag_s(made.samples[0], made.samples[7]) == pytest.approx(later_at_first, abs=8e-6)


def test_words_are_timed_when_they_reach_the_reference_microphone() -> None:
    made = scene([40.0], room={"rt60_s": 0.0})
    heard = np.flatnonzero(np.abs(made.samples[0]) > 0.1 * np.abs(made.samples[0]).max())
    assert heard[0] / RATE_HZ == pytest.approx(made.truth[0].start_s, abs=0.002)
    assert heard[-1] / RATE_HZ == pytest.approx(made.truth[-1].end_s, abs=0.002)
    flight_s = lag_s(made.samples[0], made.dry["t0"])
    assert flight_s == pytest.approx(1.4 / SPEED_OF_SOUND_M_PER_S, abs=20e-6)
    assert made.truth[0].start_s == pytest.approx(0.5 + flight_s, abs=0.001)


def test_lines_of_a_conversation_take_turns_and_conversations_overlap() -> None:
    made = scene([10.0, 190.0], pause_s=[0.2, 0.4])
    rows = [(line.speaker, line.start_s, line.end_s) for line in made.truth]
    assert [name for name, _, _ in rows] == ["t0", "t1", "t0", "t1"] or [name for name, _, _ in rows] == ["t0", "t1", "t1", "t0"]
    for name in ("t0", "t1"):
        (_, _, end_s), (_, start_s, _) = [row for row in rows if row[0] == name]
        assert 0.2 <= start_s - end_s <= 0.4
    assert rows[1][1] < rows[0][2]


def test_the_room_rings_as_long_as_it_was_asked_to() -> None:
    made = scene([40.0], room={"rt60_s": 0.4})
    dry = made.dry["t0"].astype(np.float64)
    n = 1 << (2 * len(dry)).bit_length()
    spectrum = np.fft.rfft(dry, n)
    response = np.fft.irfft(np.fft.rfft(made.samples[0], n) * np.conj(spectrum) / (np.abs(spectrum) ** 2 + 1.0), n)[:8000]
    left_db = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2))
    t5, t20 = (int(np.argmax(left_db < level)) for level in (-5, -20))
    assert 4 * (t20 - t5) / RATE_HZ == pytest.approx(0.4, rel=0.35)


@pytest.mark.parametrize("kind", ["white", "diffuse"])
def test_noise_is_as_far_under_the_speech_as_asked(kind: str) -> None:
    quiet, loud = scene(), scene(noise={"kind": kind, "snr_db": 20.0}, level_dbfs=-30)
    noise = loud.samples[0] - quiet.samples[0]
    assert 10 * np.log10(np.mean(noise**2)) == pytest.approx(-50.0, abs=0.5)


def test_diffuse_noise_is_alike_at_near_microphones_and_white_noise_is_not() -> None:
    likeness = {}
    for kind in ("white", "diffuse"):
        noise = scene(noise={"kind": kind, "snr_db": 0.0}).samples - scene().samples
        likeness[kind] = float(np.corrcoef(noise[1], noise[2])[0, 1])
    assert abs(likeness["white"]) < 0.05
    assert likeness["diffuse"] > 0.8


def test_the_same_seed_gives_the_same_samples_and_another_one_does_not() -> None:
    noise = {"kind": "diffuse"}
    first, again, other = scene(noise=noise, seed=5), scene(noise=noise, seed=5), scene(noise=noise, seed=6)
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.truth == again.truth
    assert first.truth != other.truth


def test_arrays_without_bearing_get_none() -> None:
    made = scene([10.0, 190.0], "mono")
    assert made.samples.shape[0] == 1
    assert {line.azimuth_deg for line in made.truth} == {None}


def test_the_file_has_the_channels_that_the_array_names(tmp_path: Path) -> None:
    positions = "[[0, 0, 0], [0.05, 0, 0]]"
    (tmp_path / "pair.yaml").write_text(f"name: pair\nsample_rate_hz: 16000\nchannels: [3, 1]\npositions_m: {positions}\n")
    made = scene([60.0], str(tmp_path / "pair.yaml"))
    truth = write_scene(made, tmp_path / "pair.flac")
    samples, rate = soundfile.read(tmp_path / "pair.flac", dtype="float32")
    assert (samples.shape[1], rate, truth.name) == (4, 16000, "pair.jsonl")
    np.testing.assert_array_equal(samples[:, [3, 1]].T, made.samples)
    assert not samples[:, [0, 2]].any()


def test_fewer_bits_make_a_smaller_file_that_reads_back_exactly(tmp_path: Path) -> None:
    sizes = []
    for bits in (16, 12):
        made = scene(resolution_bits=bits, noise={"kind": "diffuse"})
        write_scene(made, tmp_path / "x.flac")
        samples, _ = soundfile.read(tmp_path / "x.flac", dtype="float32")
        np.testing.assert_array_equal(samples.T, made.samples)
        sizes.append((tmp_path / "x.flac").stat().st_size)
    assert sizes[1] < 0.8 * sizes[0]


def test_truth_has_the_fields_of_an_export(tmp_path: Path) -> None:
    path = write_scene(scene([40.0]), tmp_path / "a.wav")
    row = json.loads(path.read_text().splitlines()[0])
    exported = {"id", "session", "start_s", "end_s", "track", "azimuth_deg", "speaker", "text", "words", "event", "copy_of"}
    assert set(row) == exported | {"conversation"}
    assert set(row["words"][0]) == {"text", "start_s", "end_s"}
    assert (row["speaker"], row["event"], row["copy_of"], row["text"]) == ("t0", "t0", None, "hello-t0")


BAD = [
    (
        {"azimuths_deg": [200.0], "array": "linear8"},
        "talker t0: azimuth_deg 200 is not possible for the array linear8; allowed is from 0 to 180 "
        "(a line cannot tell its two sides apart)",
    ),
    ({"azimuths_deg": [360.0]}, "talker t0: azimuth_deg 360 is not possible for the array uma8; allowed is at least 0 and under 360"),
    (
        {"room": {"size_m": [3.0, 3.0, 2.5], "array_at_m": [1.5, 2.5, 0.9]}},
        "talker t0: at (2.56, 3.39, 1.15) m, outside the room of 3 x 3 x 2.5 m (5 cm from the walls are kept);"
        " move the talker closer, the array, or make the room larger",
    ),
    (
        {"room": {"array_at_m": [2.8, 2.4, 2.7]}},
        "talker t0: distance_m 1.4 cannot reach from the array at 2.7 m to the height 1.15 m; put the talker further away",
    ),
    (
        {"room": {"rt60_s": 0.02}},
        "room: rt60_s 0.02 is too short for (6.0, 5.0, 2.8) m whatever the walls; use 0 for no echo",
    ),
    ({"level_dbfs": 0.0}, "lower it"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_a_scene_that_cannot_be_is_refused_in_words(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SceneError) as caught:
        scene(**changes)
    assert message in str(caught.value)


def test_all_mistakes_of_a_script_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "session: s\ntalkers: {a: {azimuth_deg: north, colour: red}}\nconversations: {}\nnoise: {kind: pink}\n"
    )
    with pytest.raises(SceneError) as caught:
        load_script(tmp_path / "s.yaml")
    for part in ("s.yaml: cannot be used", "talkers.a.azimuth_deg:", "talkers.a.colour:", "noise.kind:"):
        assert part in str(caught.value)


def test_a_speaker_who_is_not_there_is_named() -> None:
    with pytest.raises(SceneError, match="conversation c: 'bob' is not a talker; talkers are t0"):
        script(conversations={"c": [{"topic": "x", "lines": [{"bob": "hello"}]}]})


def test_files_that_are_missing_or_not_audio_are_refused(tmp_path: Path) -> None:
    missing = mix_script([f"60:1.5:{tmp_path / 'none.wav'}"], "uma8", Room(), Noise(), 0)
    with pytest.raises(SceneError) as caught:
        render(missing)
    assert str(caught.value) == f"speech file {tmp_path / 'none.wav'}: there is no such file"
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(SceneError, match=r"text\.wav: cannot be read"):
        render(mix_script([f"60:1.5:{tmp_path / 'text.wav'}"], "uma8", Room(), Noise(), 0))
    with pytest.raises(SceneError, match=r"expected AZIMUTH:DISTANCE:FILE\[@START_S\]"):
        mix_script(["north:a.wav"], "uma8", Room(), Noise(), 0)


def test_flac_holds_eight_channels_and_no_more(tmp_path: Path) -> None:
    positions = [[0.02 * index, 0.0, 0.0] for index in range(9)]
    (tmp_path / "nine.yaml").write_text(json.dumps({"name": "nine", "positions_m": positions}))
    made = scene([60.0], str(tmp_path / "nine.yaml"), room={"rt60_s": 0.0})
    with pytest.raises(SceneError, match=r"FLAC holds at most 8 channels and this has 9; write a \.wav"):
        write_scene(made, tmp_path / "nine.flac")
    write_scene(made, tmp_path / "nine.wav")
    assert soundfile.info(tmp_path / "nine.wav").channels == 9
    with pytest.raises(SceneError, match=r"scenes are written as \.flac or \.wav"):
        write_scene(made, tmp_path / "nine.mp3")


def test_the_command_line_ends_with_2_and_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["make_scene", "render", str(tmp_path / "no.yaml"), "--out", str(tmp_path / "x.flac")])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"scene {tmp_path / 'no.yaml'}: there is no such file\n"


@pytest.mark.usefixtures("weights")
def test_recordings_are_put_around_a_line_with_their_words(shared: Path, tmp_path: Path) -> None:
    speech = shared / "data" / "speech" / "jfk.flac"
    speech = speech if speech.is_file() else next((shared / "data" / "speech").glob("jfk*"))
    made = render(mix_script([f"120:1.2:{speech}@1.0"], "linear8", Room(rt60_s=0.0), Noise(), 0))
    line = made.truth[0]
    assert line.azimuth_deg == pytest.approx(120.0, abs=0.05)
    assert line.start_s == pytest.approx(1.0035, abs=0.002)
    assert "ask not what your country can do for you" in line.text.lower().replace(",", "")
    assert all(one.end_s <= other.start_s + 1e-6 for one, other in zip(line.words, line.words[1:], strict=False))
    write_scene(made, tmp_path / "jfk.flac")


GOLDEN = Path(__file__).parents[1] / "sessions" / "two_talkers"


@pytest.mark.usefixtures("weights")
def test_the_committed_scene_is_what_its_script_makes() -> None:
    golden, _ = soundfile.read(GOLDEN.with_suffix(".flac"), dtype="float32")
    made = render(load_script(GOLDEN.with_suffix(".yaml")))
    rows = [json.loads(row) for row in GOLDEN.with_suffix(".jsonl").read_text().splitlines()]
    assert [(row["speaker"], row["text"], row["azimuth_deg"]) for row in rows] == [
        (line.speaker, line.text, line.azimuth_deg) for line in made.truth
    ]
    for row, line in zip(rows, made.truth, strict=True):
        assert row["start_s"] == pytest.approx(line.start_s, abs=0.1)
        assert row["end_s"] == pytest.approx(line.end_s, abs=0.1)
    # Another machine's kernels may round another way, so the voices are compared by their level over time, not by the bit.
    frames = min(len(golden), made.samples.shape[1]) // 1600 * 1600
    levels = [np.sqrt(np.mean(x[:frames].reshape(-1, 1600) ** 2, axis=1)) for x in (golden[:, 0], made.samples[0])]
    assert np.corrcoef(levels[0], levels[1])[0, 1] > 0.9


def test_the_committed_scene_holds_its_two_talkers_at_their_bearings() -> None:
    samples, rate = soundfile.read(GOLDEN.with_suffix(".flac"), dtype="float32")
    rows = [json.loads(row) for row in GOLDEN.with_suffix(".jsonl").read_text().splitlines()]
    assert (samples.shape[1], rate) == (7, 16000)
    assert rows[1]["start_s"] < rows[0]["end_s"]
    array = load_array("uma8")
    alone = samples[int(rows[0]["start_s"] * rate) : int(rows[1]["start_s"] * rate)].T
    for one, other in [(1, 4), (2, 5), (3, 6)]:
        assert lag_s(alone[one], alone[other]) == pytest.approx(expected_lag_s(array, one, other, rows[0]["azimuth_deg"]), abs=40e-6)


def test_one_talker_is_the_dry_voice_through_the_room() -> None:
    made = scene([40.0], room={"rt60_s": 0.0}, resolution_bits=16)
    delay_frames = round(1.4 / SPEED_OF_SOUND_M_PER_S * RATE_HZ)
    band = np.sinc(np.arange(-40, 41) * 0.25) * np.hanning(81) * 0.25  # under 2 kHz, where a delay of a part of a sample is exact enough
    heard, said = (oaconvolve(x, band)[:RATE_HZ] for x in (made.samples[0][delay_frames:], made.dry["t0"]))
    assert np.corrcoef(heard, said)[0, 1] > 0.98
