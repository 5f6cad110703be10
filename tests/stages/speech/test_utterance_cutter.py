from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, BeamBlock, Gap, Packet, SpeechBlock, Track, Utterance
from pipeline.testing import run_stage
from stages.speech.fixed_cutter import FixedCutter
from stages.speech.speech_errors import SpeechError
from stages.speech.utterance_cutter import UtteranceCutter

RATE = 16000
CHUNK = 512
S = NS_PER_S

# A track as a list of chunks of 32 ms: (probability, presence). The samples count up, so that each one can be told.
Chunks = list[tuple[float, float]]


def blocks(chunks: Chunks, track: str = "t1", first_sample: int = 0, cut: int = 1, amplitudes: list[float] | None = None) -> list[Packet]:
    """The blocks of a track; each chunk is cut into `cut` blocks of the same probability."""
    made: list[Packet] = []
    size = CHUNK // cut
    for index, (probability, presence) in enumerate(chunks):
        for part in range(cut):
            first = first_sample + index * CHUNK + part * size
            start, end = (sample * S // RATE for sample in (first, first + size))
            samples = np.arange(first, first + size, dtype=np.float32) + 1
            if amplitudes is not None:
                samples = np.full(size, amplitudes[index], np.float32)
            beam = BeamBlock(
                pts_ns=start,
                duration_ns=end - start,
                samples=samples,
                sample_rate_hz=RATE,
                track=Track(name=track, azimuth_deg=None),
                presence=presence,
            )
            made.append(SpeechBlock(pts_ns=start, duration_ns=end - start, beam=beam, probability=probability))
    return made


def said(length_s: float, probability: float = 0.9, presence: float = 1.0) -> Chunks:
    return [(probability, presence)] * round(length_s * RATE / CHUNK)


def cut(packets: list[Packet], stage: Any = None) -> list[Utterance]:
    found = run_stage(stage or UtteranceCutter(), {"speech": packets})["utterances"]
    assert all(isinstance(packet, Utterance) for packet in found)
    return [packet for packet in found if isinstance(packet, Utterance)]


def spans(utterances: list[Utterance]) -> list[tuple[float, float]]:
    return [(round(u.pts_ns / S, 3), round(u.end_ns / S, 3)) for u in utterances]


def is_whole(utterance: Utterance) -> bool:
    """No sample lost or doubled: they count up from the one at the audio's start."""
    first = utterance.audio_pts_ns * RATE / S
    return np.array_equal(utterance.samples, np.arange(len(utterance.samples)) + round(first) + 1)


def test_an_utterance_runs_from_first_to_last_speech_with_lead_and_tail() -> None:
    (only,) = cut(blocks(said(1.6, 0.0) + said(1.6) + said(1.6, 0.0)))
    assert spans([only]) == [(1.6, 3.2)]
    assert only.lead_ns == 288_000_000
    assert only.audio_pts_ns == only.pts_ns - only.lead_ns
    assert len(only.samples) / RATE == pytest.approx(0.288 + 1.6 + 0.224)
    assert is_whole(only)
    assert only.presence == 1.0


def test_short_pauses_stay_inside_and_long_ones_part() -> None:
    chunks = said(1.0) + said(0.5, 0.0) + said(1.0) + said(0.7, 0.0) + said(1.0)
    assert len(cut(blocks(chunks))) == 2
    assert len(cut(blocks(chunks), UtteranceCutter(hang_over_s=0.9))) == 1
    assert len(cut(blocks(chunks), UtteranceCutter(hang_over_s=0.4))) == 3


def test_it_leaves_speech_at_a_lower_probability_than_it_enters_it() -> None:
    chunks = said(0.96, 0.4) + said(0.96) + said(0.96, 0.4) + said(0.96, 0.2)
    assert spans(cut(blocks(chunks))) == [(0.96, 2.88)]


def test_a_click_is_no_utterance() -> None:
    assert cut(blocks(said(1.0, 0.0) + said(0.16) + said(1.0, 0.0))) == []
    assert len(cut(blocks(said(1.0, 0.0) + said(0.16) + said(1.0, 0.0)), UtteranceCutter(min_speech_s=0.1))) == 1


def test_the_tail_of_the_stream_comes_out() -> None:
    (only,) = cut(blocks(said(1.0, 0.0) + said(0.96)))
    assert spans([only]) == [(0.992, 1.952)]


def test_a_long_speech_is_cut_where_it_is_quietest() -> None:
    chunks = said(30.0)
    amplitudes = [0.1] * len(chunks)
    quiet = round(10.5 * RATE / CHUNK)
    amplitudes[quiet - 1 : quiet + 1] = [0.01, 0.01]
    first, second, third = cut(blocks(chunks, amplitudes=amplitudes))
    assert spans([first])[0] == (0.0, round(quiet * CHUNK / RATE, 3))
    assert second.pts_ns == first.end_ns
    assert second.lead_ns == 0
    assert second.end_ns - second.pts_ns <= 12 * S
    assert third.end_ns == pytest.approx(30 * S, abs=S)


def test_a_long_speech_is_cut_at_the_lowest_probability_too() -> None:
    chunks = said(20.0)
    chunks[320] = chunks[321] = (0.4, 1.0)
    first = cut(blocks(chunks, amplitudes=[0.1] * len(chunks)))[0]
    assert first.end_ns == 321 * CHUNK * S // RATE


def test_leakage_is_dropped_and_ones_own_words_stay() -> None:
    assert cut(blocks(said(2.0, presence=0.2))) == []
    (kept,) = cut(blocks(said(2.0, presence=0.2)), UtteranceCutter(min_presence=0.0, presence_floor=0.0))
    assert kept.presence == pytest.approx(0.2)
    turns = said(3.0, presence=0.05) + said(3.0, presence=0.8) + said(3.0, presence=0.05)
    (own,) = cut(blocks(turns))
    assert own.pts_ns / S == pytest.approx(3.0, abs=0.15)
    assert own.end_ns / S == pytest.approx(6.0, abs=0.3)
    assert own.presence > 0.6


def test_what_was_lost_parts_an_utterance() -> None:
    before, after = blocks(said(2.0)), blocks(said(2.0), first_sample=round(2.5 * RATE))
    assert spans(cut([*before, *after])) == [(0.0, 1.984), (2.5, 4.484)]
    gap = Gap(pts_ns=1984 * 10**6, duration_ns=516 * 10**6, reason="dropped")
    assert spans(cut([*before, gap, *after])) == [(0.0, 1.984), (2.5, 4.484)]
    stage = UtteranceCutter()
    for packet in before:
        assert isinstance(packet, SpeechBlock)
        assert list(stage.on_speech(packet)) == []
    assert stage.promise(gap.end_ns) == 1984 * 10**6, "the open utterance may end where it stands"
    list(stage.on_gap(gap))
    assert stage.promise(10 * S) == 10 * S - S // 2
    assert len(list(stage.on_passed(10 * S))) == 0


def test_utterances_of_two_tracks_leave_by_end_though_the_longer_one_was_open() -> None:
    long = blocks(said(6.0) + said(2.0, 0.0), "long")
    short = blocks(said(1.0) + said(7.0, 0.0), "short")
    assert [(u.track.name, round(u.end_ns / S)) for u in cut([*long, *short])] == [("short", 1), ("long", 6)]


def test_settings_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(SpeechError) as caught:
        UtteranceCutter(max_s=2.0)
    assert str(caught.value) == "UtteranceCutter: max_s is 2.0 and cut_window_s 3.0; 0 < cut_window_s < max_s <= 28 is needed"
    with pytest.raises(SpeechError, match="the tail must fit into the hang-over"):
        UtteranceCutter(tail_s=1.0)
    with pytest.raises(SpeechError) as caught:
        FixedCutter(window_s=40.0)
    assert str(caught.value) == "FixedCutter: window_s is 40.0 and min_speech_s 0.2; 0 <= min_speech_s < window_s <= 28 is needed"


def test_a_rate_that_changes_is_refused() -> None:
    stage = UtteranceCutter()
    (first,) = blocks([(0.9, 1.0)])
    assert isinstance(first, SpeechBlock)
    list(stage.on_speech(first))
    beam = BeamBlock(pts_ns=first.end_ns, duration_ns=8, samples=np.zeros(1, np.float32), sample_rate_hz=8000, track=first.beam.track)
    with pytest.raises(SpeechError) as caught:
        list(stage.on_speech(SpeechBlock(pts_ns=first.end_ns, duration_ns=8, beam=beam, probability=0.0)))
    assert str(caught.value) == "track t1: the sample rate changed from 16000 to 8000 Hz at 0.032 s; a track must keep its rate"


runs = st.lists(
    st.tuples(st.integers(1, 120), st.sampled_from([0.0, 0.3, 0.45, 0.9]), st.sampled_from([0.0, 0.2, 0.5, 1.0])), min_size=1, max_size=10
)
cutters = st.sampled_from(["speech", "tight", "fixed"])


def made(kind: str) -> UtteranceCutter | FixedCutter:
    if kind == "fixed":
        return FixedCutter(window_s=2.0)
    return UtteranceCutter() if kind == "speech" else UtteranceCutter(hang_over_s=0.3, max_s=3.0, cut_window_s=1.0, min_presence=0.1)


def chunks_of(pattern: list[tuple[int, float, float]]) -> Chunks:
    return [(probability, presence) for n, probability, presence in pattern for _ in range(n)]


@settings(max_examples=60, deadline=None)
@given(runs, cutters)
def test_no_sample_is_lost_or_doubled_and_no_utterance_is_too_long(pattern: list[tuple[int, float, float]], kind: str) -> None:
    utterances = cut(blocks(chunks_of(pattern)), made(kind))
    longest_s = {"speech": 12.0, "tight": 3.0, "fixed": 2.0}[kind]
    for utterance in utterances:
        assert is_whole(utterance)
        assert 0 < utterance.duration_ns <= (longest_s + 0.032) * S
        assert utterance.audio_pts_ns <= utterance.pts_ns
        assert utterance.end_ns <= utterance.audio_pts_ns + len(utterance.samples) * S // RATE + 1
    for before, after in pairwise(utterances):
        assert before.audio_pts_ns + len(before.samples) * S // RATE <= after.audio_pts_ns + 1


@settings(max_examples=40, deadline=None)
@given(runs, cutters, st.sampled_from([2, 4, 8]))
def test_the_block_size_does_not_matter(pattern: list[tuple[int, float, float]], kind: str, parts: int) -> None:
    whole, parted = (cut(blocks(chunks_of(pattern), cut=n), made(kind)) for n in (1, parts))
    assert spans(whole) == spans(parted)
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(whole, parted, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(runs, st.integers(0, 90_000)), min_size=1, max_size=3), cutters, st.integers(0, 2**16))
def test_ends_never_fall_and_promises_are_kept_whatever_is_told_when(
    tracks: list[tuple[list[tuple[int, float, float]], int]], kind: str, seed: int
) -> None:
    packets = [packet for i, (pattern, first) in enumerate(tracks) for packet in blocks(chunks_of(pattern), f"t{i}", first)]
    packets.sort(key=lambda packet: (packet.end_ns, packet.pts_ns))
    told = np.random.default_rng(seed)
    reference = cut(packets, made(kind))
    stage, out, promised = made(kind), [], 0
    stage.start()
    for packet in packets:
        assert isinstance(packet, SpeechBlock)
        fresh = list(stage.on_speech(packet))
        if told.random() < 0.3:
            fresh += stage.on_passed(packet.end_ns)
        if told.random() < 0.3:
            promise = stage.promise(packet.end_ns)
            assert promise >= packet.end_ns - stage.delay_ns
            out += fresh
            fresh = []
            promised = max(promised, promise)
        assert all(emit.packet.end_ns >= promised for emit in fresh)
        out += fresh
    rest = list(stage.flush())
    assert all(emit.packet.end_ns >= promised for emit in rest)
    found = [emit.packet for emit in out + rest if isinstance(emit.packet, Utterance)]
    assert len(found) == len(out + rest)
    assert all(a.end_ns <= b.end_ns for a, b in pairwise(found))
    assert [(u.track.name, u.pts_ns, u.end_ns) for u in found] == [(u.track.name, u.pts_ns, u.end_ns) for u in reference]


def test_fixed_windows_keep_speech_and_drop_silence() -> None:
    chunks = said(2.0, 0.0) + said(1.0) + said(4.0, 0.0) + said(0.1) + said(3.0, 0.0) + said(6.0)
    first, second = cut(blocks(chunks), FixedCutter(window_s=5.0))[:2]
    assert spans([first]) == [(1.984, 2.976)]
    assert first.lead_ns == first.pts_ns
    assert len(first.samples) / RATE == pytest.approx(5.0, abs=0.032)
    assert second.pts_ns > 9 * S
    assert cut(blocks(said(4.0, presence=0.1)), FixedCutter()) == []
