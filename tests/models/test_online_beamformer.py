from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from models.online_beamformer import Bearing, Design, Masks, OnlineBeamformer
from models.torch_threads import limit_torch_threads
from pipeline.geometry import ArrayGeometry, load_array
from pipeline.packets import Float32Array
from tests.sound_fields import RATE_HZ, bursts, diffuse, plane_wave, room, si_sdr_db

UMA8 = load_array("uma8")
DESIGNS: list[Design] = ["souden", "fixed", "delay_and_sum"]
MASKS: list[Masks] = ["guided", "direction"]
DEAD = {"dead channel": [3], "dead reference": [0], "all dead": list(range(7))}


def _beams(
    core: OnlineBeamformer, samples: Float32Array, bearings: Callable[[int], dict[str, Bearing]], cut: int = 512
) -> dict[str, Float32Array]:
    """Run a whole stream; the audio of each beam, with 0 where it had none. `bearings` is asked with the number of the step."""
    out: dict[str, Float32Array] = {}
    n_step = 0

    def take(at_end: bool) -> None:
        nonlocal n_step
        while core.is_ready(at_end=at_end):
            step = core.step(bearings(n_step))
            n_step += 1
            for name, audio in step.samples.items():
                line = out.setdefault(name, np.zeros(samples.shape[1], dtype=np.float32))
                skipped = max(0, -step.first_frame)
                first = step.first_frame + skipped
                piece = audio[skipped:][: max(0, len(line) - first)]
                line[first : first + len(piece)] = piece

    for start in range(0, samples.shape[1], cut):
        core.push(samples[:, start : start + cut])
        take(at_end=False)
    core.finish()
    take(at_end=True)
    return out


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    limit_torch_threads(1)


def _two(_: int) -> dict[str, Bearing]:
    return {"a": (40.0, 0.0), "b": (150.0, 0.0)}


def _mix(duration_s: float = 4.0, array: ArrayGeometry = UMA8) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Two sources and a little noise, and each source as the reference microphone hears it."""
    a, b = bursts(duration_s, seed=1), bursts(duration_s, seed=6)
    mix = plane_wave(array, 40.0, a) + plane_wave(array, 150.0, b) + diffuse(array, duration_s, seed=2, level=0.002)
    return mix, a, b


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("azimuth_deg", [40.0, 222.0])
def test_a_beam_is_not_a_sample_early_or_late(design: Design, azimuth_deg: float) -> None:
    signal = bursts(2.0, seed=3)
    samples = plane_wave(UMA8, azimuth_deg, signal) + diffuse(UMA8, 2.0, seed=2, level=0.0005)
    beam = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ, design=design), samples, lambda _: {"a": (azimuth_deg, 0.0)})["a"]
    correlation = np.fft.irfft(np.fft.rfft(beam, 65536) * np.fft.rfft(signal, 65536).conj())
    assert int(np.argmax(correlation)) == 0
    assert si_sdr_db(beam, signal) > 15.0


def test_the_reference_need_not_be_the_first_microphone() -> None:
    array = ArrayGeometry(name="other", positions_m=UMA8.positions_m, reference=4)
    signal = bursts(2.0, seed=3)
    samples = plane_wave(array, 0.0, signal) + diffuse(array, 2.0, seed=2, level=0.0005)
    for design in DESIGNS:
        core = OnlineBeamformer(array.positions, RATE_HZ, reference=4, design=design)
        assert si_sdr_db(_beams(core, samples, lambda _: {"a": (0.0, 0.0)})["a"], signal) > 15.0


def test_mvdr_separates_where_delay_and_sum_does_not() -> None:
    mix, a, b = _mix()
    souden = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ), mix, _two)
    summed = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ, design="delay_and_sum"), mix, _two)
    for name, source in (("a", a), ("b", b)):
        before, by_sum, by_mvdr = si_sdr_db(mix[0], source), si_sdr_db(summed[name], source), si_sdr_db(souden[name], source)
        assert by_sum > before
        assert by_mvdr > before + 12.0
        assert by_mvdr > by_sum + 8.0


def test_nothing_past_the_look_ahead_is_used() -> None:
    mix, _, _ = _mix(3.0)
    core = OnlineBeamformer(UMA8.positions, RATE_HZ)
    later = mix.copy()
    change = 2 * RATE_HZ
    later[:, change:] = np.random.default_rng(5).standard_normal(later[:, change:].shape)
    first, second = _beams(core, mix, _two), _beams(OnlineBeamformer(UMA8.positions, RATE_HZ), later, _two)
    same = change - core.sizes.latency_frames
    np.testing.assert_array_equal(first["a"][:same], second["a"][:same])
    assert np.abs(first["a"][change:] - second["a"][change:]).max() > 0.01


@pytest.mark.parametrize("cut", [77, 1024, 48000])
def test_cuts_make_no_difference(cut: int) -> None:
    mix, _, _ = _mix(1.5)
    whole = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ), mix, _two)
    again = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ), mix, _two, cut=cut)
    for name in whole:
        np.testing.assert_allclose(again[name], whole[name], atol=1e-5)


def test_a_source_that_comes_later_begins_whole_and_without_a_click() -> None:
    mix, a, _ = _mix(4.0)
    beams = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ), mix, lambda step: _two(0) if step >= 8 else {"b": (150.0, 0.0)})
    first = (8 * 11 - 3) * 256
    assert np.abs(beams["a"][:first]).max() == 0.0
    assert si_sdr_db(beams["a"][first : first + RATE_HZ], a[first : first + RATE_HZ]) > 10.0


def test_presence_tells_the_own_source_from_leakage() -> None:
    signal = bursts(3.0, seed=1)
    samples = plane_wave(UMA8, 40.0, signal) + diffuse(UMA8, 3.0, seed=2, level=0.001)
    core = OnlineBeamformer(UMA8.positions, RATE_HZ)
    own, whole = dict.fromkeys("ab", 0.0), dict.fromkeys("ab", 0.0)
    core.push(samples)
    while core.is_ready():
        step = core.step(_two(0))
        for name in own:
            own[name] += float(step.own[name].sum())
            whole[name] += float(step.whole[name].sum())
    assert own["a"] / whole["a"] > 0.9
    assert own["b"] / whole["b"] < 0.2


def test_silence_and_nan_give_finite_beams() -> None:
    samples = np.zeros((7, RATE_HZ), dtype=np.float32)
    samples[2, 5000] = np.nan
    beams = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ), samples, _two)
    assert all(np.abs(beam).max() == 0.0 for beam in beams.values())


def test_what_was_learnt_outlives_a_reset_until_it_is_forgotten() -> None:
    mix, a, _ = _mix(3.0)
    core = OnlineBeamformer(UMA8.positions, RATE_HZ)
    cold = _beams(core, mix, _two)["a"]
    core.reset()
    warm = _beams(core, mix, _two)["a"]
    start = slice(0, RATE_HZ // 2)
    assert si_sdr_db(warm[start], a[start]) > si_sdr_db(cold[start], a[start])
    core.reset()
    core.forget([])
    noise_only = _beams(core, mix, _two)["a"]
    assert np.abs(noise_only[start] - warm[start]).max() > 0.0


@pytest.mark.gpu
@pytest.mark.parametrize("design", DESIGNS)
def test_cuda_gives_the_same_beams(design: Design) -> None:
    mix, _, _ = _mix(3.0)
    here = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ, design=design), mix, _two)
    there = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ, design=design, device="cuda:0"), mix, _two)
    for name in here:
        assert si_sdr_db(there[name], here[name]) > 40.0


@pytest.mark.gpu
def test_cuda_gives_the_same_beams_with_masks_of_directions() -> None:
    mix, _, _ = _mix(3.0)
    here = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ, masks="direction"), mix, _two)
    there = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ, masks="direction", device="cuda:0"), mix, _two)
    for name in here:
        assert si_sdr_db(there[name], here[name]) > 40.0


def test_guided_masks_separate_better_in_a_room() -> None:
    scene = room(UMA8, [(40.0, bursts(5.0, seed=1), 0.0), (130.0, bursts(5.0, seed=6), 0.0)], rt60_s=0.3)

    def gains_db(masks: Masks) -> list[float]:
        beams = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ, masks=masks), scene.mix, lambda _: {"0": (40.0, 0.0), "1": (130.0, 0.0)})
        return [si_sdr_db(beams[str(index)], image[0]) - si_sdr_db(scene.mix[0], image[0]) for index, image in enumerate(scene.images)]

    guided, direction = gains_db("guided"), gains_db("direction")
    assert min(guided) > 4.0
    assert np.mean(guided) > np.mean(direction) + 0.5


@pytest.mark.parametrize("masks", MASKS)
def test_a_walking_talker_is_not_smeared(masks: Masks) -> None:
    """Around the array at 30 degrees a second, in steps of 2 degrees, past somebody who stays."""
    a, b = bursts(4.0, seed=1), bursts(4.0, seed=6)
    mix = plane_wave(UMA8, 200.0, b) + diffuse(UMA8, 4.0, seed=2, level=0.002)
    length = RATE_HZ // 15
    fade = np.hanning(2 * length)
    for index in range(4 * 15 + 1):
        start = (index - 1) * length
        window = np.zeros(len(a))
        inside = slice(max(0, start), min(len(a), start + 2 * length))
        window[inside] = fade[inside.start - start : inside.stop - start]
        mix = mix + plane_wave(UMA8, 40.0 + 2.0 * index, a * window)
    step_s = 0.176
    beams = _beams(
        OnlineBeamformer(UMA8.positions, RATE_HZ, masks=masks),
        mix.astype(np.float32),
        lambda step: {"a": (40.0 + 30.0 * step_s * step, 0.0), "b": (200.0, 0.0)},
    )
    assert si_sdr_db(beams["a"], a) > si_sdr_db(mix[0], a) + 6.0
    assert si_sdr_db(beams["b"], b) > si_sdr_db(mix[0], b) + 8.0


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(
    "fault",
    ["nan block", "infinite block", "huge", "dead channel", "dead reference", "all dead", "20 dB up", "20 dB down", "digital silence"],
)
def test_no_beam_has_a_nan_whatever_comes_in(design: Design, fault: str) -> None:
    mix = _mix(2.5)[0].copy()
    middle = slice(RATE_HZ, RATE_HZ + 8000)
    if fault == "nan block":
        mix[:, middle] = np.nan
    elif fault == "infinite block":
        mix[2, middle], mix[4, middle] = np.inf, -np.inf
    elif fault == "huge":
        mix[:, middle] = 3e38
    elif fault in DEAD:
        mix[DEAD[fault]] = 0.0
    elif fault.startswith("20"):
        mix[:, RATE_HZ:] *= 10.0 if fault.endswith("up") else 0.1
    else:
        mix[:, middle] = 0.0
    beams = _beams(OnlineBeamformer(UMA8.positions, RATE_HZ, design=design), mix, _two)
    for beam in beams.values():
        assert np.isfinite(beam).all()
        if 0 not in DEAD.get(fault, []):
            assert np.abs(beam[-RATE_HZ // 2 :]).max() > 1e-4, "sound goes on after the fault"


def test_two_microphones_separate_too() -> None:
    stereo = load_array("stereo")
    a, b = bursts(4.0, seed=1), bursts(4.0, seed=6)
    mix = plane_wave(stereo, 30.0, a) + plane_wave(stereo, 130.0, b) + diffuse(stereo, 4.0, seed=2, level=0.001)
    beams = _beams(OnlineBeamformer(stereo.positions, RATE_HZ), mix, lambda _: {"a": (30.0, None), "b": (130.0, None)})
    for name, source in (("a", a), ("b", b)):
        assert si_sdr_db(beams[name], source) > si_sdr_db(mix[0], source) + 5.0


def _state_bytes(core: OnlineBeamformer) -> int:
    """All tensors that hang on a beamformer."""
    seen: set[int] = set()

    def size(thing: object) -> int:
        if id(thing) in seen:
            return 0
        seen.add(id(thing))
        if isinstance(thing, torch.Tensor):
            return thing.untyped_storage().nbytes()
        if isinstance(thing, dict):
            return sum(size(value) for value in thing.values())
        if isinstance(thing, list | tuple):
            return sum(size(value) for value in thing)
        return sum(size(value) for value in vars(thing).values()) if hasattr(thing, "__dict__") else 0

    return size(core)


def test_the_state_does_not_grow() -> None:
    mix, _, _ = _mix(4.0)
    core = OnlineBeamformer(UMA8.positions, RATE_HZ)
    sizes = []
    for _ in range(4):
        core.push(mix)
        while core.is_ready():
            core.step(_two(0))
        sizes.append(_state_bytes(core))
    assert max(sizes[1:]) <= 1.1 * sizes[0]


def test_two_runs_are_equal_to_the_last_bit() -> None:
    mix, _, _ = _mix(2.0)
    first, second = (_beams(OnlineBeamformer(UMA8.positions, RATE_HZ), mix, _two) for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
