from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, BeamBlock, Float32Array, Gap, Packet, SpeechBlock, Track
from pipeline.testing import beam_blocks, noise, run_stage
from stages.speech.silero_vad import SileroVad
from stages.speech.speech_errors import SpeechError


@pytest.fixture
def vad(weights: Path) -> Iterator[SileroVad]:
    assert weights.is_dir()
    stage = SileroVad()
    yield stage
    stage.stop()


def judged(stage: SileroVad, packets: list[Packet]) -> list[SpeechBlock]:
    return [packet for packet in run_stage(stage, {"beam": packets})["speech"] if isinstance(packet, SpeechBlock)]


def uneven(samples: Float32Array, track: Track, seed: int, start_ns: int = 0) -> list[Packet]:
    """Blocks of random sizes."""
    generator, first, made = np.random.default_rng(seed), 0, []
    while first < len(samples):
        last = min(len(samples), first + int(generator.integers(1, 2000)))
        start, end = (start_ns + sample * NS_PER_S // 16000 for sample in (first, last))
        made.append(
            BeamBlock(
                pts_ns=start, duration_ns=end - start, samples=samples[first:last].copy(), sample_rate_hz=16000, track=track, presence=0.5
            )
        )
        first = last
    return list(made)


def test_speech_is_found_and_noise_is_not(vad: SileroVad, speech: Callable[[str], Float32Array]) -> None:
    samples = np.concatenate([noise(2.0), speech("librivox_0890"), noise(2.0)])
    found = judged(vad, list(beam_blocks(samples)))
    speaking = [block.probability > 0.5 for block in found]
    assert np.mean(speaking[: 2 * 31]) < 0.05
    assert np.mean(speaking[2 * 31 + 10 : -2 * 31 - 10]) > 0.8
    assert np.mean(speaking[-50:]) < 0.05


def test_every_block_leaves_as_it_came_whatever_its_size(vad: SileroVad, speech: Callable[[str], Float32Array]) -> None:
    samples = speech("librivox_0880")
    packets = uneven(samples, Track(name="t1", azimuth_deg=10.0), seed=1)
    found = judged(vad, packets)
    assert [block.beam for block in found] == packets
    assert all((block.pts_ns, block.end_ns) == (block.beam.pts_ns, block.beam.end_ns) for block in found)
    whole = judged(vad, list(beam_blocks(samples)))
    for block in found:
        inside = [w.probability for w in whole if w.end_ns > block.pts_ns and w.pts_ns < block.end_ns]
        assert min(inside, default=0.0) - 0.2 <= block.probability <= max(inside, default=1.0) + 0.2


def test_tracks_keep_their_own_state_and_leave_in_the_order_of_their_ends(vad: SileroVad, speech: Callable[[str], Float32Array]) -> None:
    one, two = speech("librivox_0880"), speech("librivox_0890")[:50_000]
    first = uneven(one, Track(name="a", azimuth_deg=1.0), seed=2)
    second = uneven(two, Track(name="b", azimuth_deg=2.0), seed=3, start_ns=700_000_123)
    alone = {block.beam.pts_ns: block.probability for block in judged(vad, first)}
    both = judged(vad, [*first, *second])
    assert len(both) == len(first) + len(second)
    assert all(x.end_ns <= y.end_ns for x, y in pairwise(both))
    assert {block.beam.pts_ns: block.probability for block in both if block.beam.track.name == "a"} == alone


def test_the_network_starts_anew_behind_a_gap(vad: SileroVad, speech: Callable[[str], Float32Array]) -> None:
    samples = speech("librivox_0880")[:32_000]
    again = list(beam_blocks(samples, start_ns=5 * NS_PER_S))
    found = judged(vad, [*beam_blocks(samples), *again])
    half = len(found) // 2
    assert [block.probability for block in found[:half]] == [block.probability for block in found[half:]]
    short = list(beam_blocks(samples[:700]))
    with_gap = judged(vad, [*short, Gap(pts_ns=short[-1].end_ns, duration_ns=NS_PER_S, reason="dropped"), *again])
    assert [block.probability for block in with_gap[2:]] == [block.probability for block in found[half:]]


def test_a_block_that_waits_for_its_chunk_is_promised(vad: SileroVad) -> None:
    vad.start()
    first, second = beam_blocks(noise(0.06), block_frames=480)[:2]
    assert list(vad.on_beam(first)) == []
    assert vad.promise(first.end_ns) == first.end_ns
    assert vad.promise(first.end_ns + 10) == first.end_ns
    assert [emit.packet.beam for emit in vad.on_beam(second)] == [first]
    assert [emit.packet.beam for emit in vad.on_passed(2 * NS_PER_S)] == [second]
    assert vad.promise(2 * NS_PER_S) == 2 * NS_PER_S


def test_another_rate_and_a_stage_that_was_not_started_are_refused(vad: SileroVad) -> None:
    vad.start()
    (block,) = beam_blocks(noise(0.01, 48000), sample_rate_hz=48000)
    with pytest.raises(SpeechError) as caught:
        list(vad.on_beam(block))
    assert str(caught.value) == "SileroVad: track t1 comes at 48000 Hz; 16000 Hz is needed"
    with pytest.raises(SpeechError) as caught:
        list(SileroVad().flush())
    assert str(caught.value) == "SileroVad: the stage has not been started; call start() first"


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(SpeechError, match="SileroVad: n_threads must be at least 1, found 0"):
        SileroVad(n_threads=0)
