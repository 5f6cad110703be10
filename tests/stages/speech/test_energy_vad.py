from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Float32Array, Packet, SpeechBlock
from pipeline.testing import beam_blocks, noise, run_stage
from stages.speech.energy_vad import EnergyVad


def speaking(samples: Float32Array, **settings: float) -> np.ndarray:
    found = run_stage(EnergyVad(**settings), {"beam": list(beam_blocks(samples))})["speech"]
    return np.array([block.probability > 0.5 for block in found if isinstance(block, SpeechBlock)])


@pytest.mark.parametrize("level", [0.0003, 0.003])
def test_speech_stands_out_from_any_background(speech: Callable[[str], Float32Array], level: float) -> None:
    voice = speech("librivox_0890")
    samples = np.concatenate([np.zeros(32000, np.float32), voice, np.zeros(32000, np.float32)])
    samples += noise(len(samples) / 16000, amplitude=level)[: len(samples)]
    found = speaking(samples)
    assert found[: 2 * 31].mean() < 0.05
    assert found[2 * 31 + 10 : -2 * 31 - 10].mean() > 0.6
    assert found[-50:].mean() < 0.05


def test_a_noise_that_has_come_to_stay_becomes_the_floor() -> None:
    found = speaking(np.concatenate([noise(2.0, amplitude=0.001), noise(20.0, amplitude=0.02)]))
    assert found[70:90].all()
    assert not found[-60:].any()


def test_what_is_too_soft_is_silence() -> None:
    burst = np.concatenate([np.zeros(16000, np.float32), noise(0.5, amplitude=0.0003), np.zeros(16000, np.float32)])
    assert not speaking(burst).any()
    assert speaking(burst, min_dbfs=-90.0).any()


def test_blocks_leave_whole_and_a_break_starts_the_floor_anew() -> None:
    loud = [*beam_blocks(noise(0.5, amplitude=0.001)), *beam_blocks(noise(0.5, amplitude=0.1), start_ns=3 * NS_PER_S)]
    packets: list[Packet] = list(loud)
    found = run_stage(EnergyVad(), {"beam": packets})["speech"]
    assert [block.beam for block in found if isinstance(block, SpeechBlock)] == packets
    assert not any(block.probability > 0.5 for block in found if isinstance(block, SpeechBlock))
    stage = EnergyVad()
    list(stage.on_beam(loud[0]))
    assert list(stage.on_passed(100 * NS_PER_S)) == []
    assert not stage._floors
