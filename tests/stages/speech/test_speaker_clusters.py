from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, Float32Array
from stages.speech.speaker_clusters import Heard, KnownSpeaker, choose, likeness_of, merges, two_voices, voices_mean
from stages.speech.voice_scales import VoiceLengthError


def like(cosine: float, n_numbers: int = 256) -> Float32Array:
    """A voice whose cosine with the first axis is given."""
    voice = np.zeros(n_numbers, dtype=np.float32)
    voice[0], voice[1] = cosine, np.sqrt(1 - cosine**2)
    return voice


ME = like(1.0)


def heard(
    voice: Float32Array | None = ME, seconds: float = 3.0, track: str = "t1", azimuth_deg: float | None = None, start_s: float = 100.0
) -> Heard:
    return Heard(voice, seconds, track, azimuth_deg, int(start_s * NS_PER_S))


def known(name: str, cosine: float, track: str | None = None, azimuth_deg: float | None = None, end_s: float | None = None) -> KnownSpeaker:
    return KnownSpeaker(name, like(cosine), track, azimuth_deg, None if end_s is None else int(end_s * NS_PER_S))


def test_the_first_voice_is_a_stranger() -> None:
    choice = choose(heard(), [])
    assert (choice.speaker, choice.confidence) == (None, 1.0)


def test_a_like_voice_of_another_session_is_known_again_and_an_unlike_one_is_not() -> None:
    assert choose(heard(), [known("speaker-1", 0.6), known("speaker-2", 0.87)]).speaker == "speaker-2"
    assert choose(heard(), [known("speaker-1", 0.6), known("speaker-2", 0.66)]).speaker is None


def test_less_speech_is_less_sure() -> None:
    people = [known("speaker-1", 0.86, "m", end_s=90), known("speaker-2", 0.70, "m", end_s=80)]
    long, short = choose(heard(seconds=3.0, track="m"), people), choose(heard(seconds=0.9, track="m"), people)
    assert long.speaker == short.speaker == "speaker-1"
    assert long.confidence > short.confidence


def test_too_little_of_a_voice_founds_nobody_on_one_microphone() -> None:
    people = [known("speaker-1", 0.3, "m", end_s=99)]
    assert choose(heard(seconds=0.6, track="m"), people).speaker == "speaker-1"
    assert choose(heard(None, seconds=0.2, track="m"), people).speaker == "speaker-1"


def test_on_an_array_the_place_decides_between_like_voices_and_the_voice_when_somebody_moved() -> None:
    twins = [known("speaker-1", 0.80, "t1", 30.0, 90.0), known("speaker-2", 0.81, "t2", 200.0, 90.0)]
    assert choose(heard(track="t1", azimuth_deg=31.0), twins).speaker == "speaker-1"
    assert choose(heard(track="t2", azimuth_deg=201.0), twins).speaker == "speaker-2"
    moved = [known("speaker-1", 0.90, "t1", 30.0, 60.0), known("speaker-2", 0.60, "t2", 200.0, 90.0)]
    assert choose(heard(track="t3", azimuth_deg=120.0), moved).speaker == "speaker-1"
    assert choose(heard(track="t2", azimuth_deg=200.0), moved).speaker == "speaker-1", "they took the other's chair"


def test_nobody_is_in_two_places_at_once() -> None:
    speaking = [known("speaker-1", 0.79, "t1", 30.0, 101.0)]
    assert choose(heard(track="t2", azimuth_deg=200.0), speaking).speaker is None
    assert choose(heard(track="t2", azimuth_deg=200.0, start_s=200.0), speaking).speaker == "speaker-1"


def test_without_a_voice_each_place_is_somebody() -> None:
    people = [KnownSpeaker("speaker-1", None, "t1", 30.0, 10**9), KnownSpeaker("speaker-2", None, None, None, None)]
    assert choose(heard(None, track="t1", azimuth_deg=33.0), people).speaker == "speaker-1"
    assert choose(heard(None, track="t2", azimuth_deg=32.0), people).speaker is None, "a track of its own"
    assert choose(heard(None, track="lane-2"), [KnownSpeaker("speaker-1", None, "lane-1", None, 10**9)]).speaker is None


cosines = st.floats(0.0, 1.0).map(like)
people_ = st.lists(
    st.tuples(cosines, st.sampled_from(["t1", "t2", None]), st.floats(0, 359), st.integers(0, 10**12)), min_size=0, max_size=8
)


@given(people=people_, azimuth=st.none() | st.floats(0, 359), seconds=st.floats(0.0, 20.0), has_voice=st.booleans())
@settings(deadline=None)
def test_a_choice_is_somebody_known_or_nobody_with_a_probability(
    people: list[tuple[Float32Array, str | None, float, int]], azimuth: float | None, seconds: float, has_voice: bool
) -> None:
    speakers = [
        KnownSpeaker(f"s{place}", voice, track, None if azimuth is None else bearing, None if track is None else end)
        for place, (voice, track, bearing, end) in enumerate(people)
    ]
    line = heard(ME if has_voice else None, seconds, azimuth_deg=azimuth)
    choice = choose(line, speakers)
    assert choice.speaker is None or choice.speaker in {entry.id for entry in speakers}
    assert 0.0 < choice.confidence <= 1.0
    assert choose(line, speakers) == choice


def test_voices_that_turn_out_to_be_one_are_merged_into_the_longer_heard() -> None:
    means = {"a": like(0.95), "b": like(1.0), "c": like(0.2)}
    weights = {"a": 3.0, "b": 9.0, "c": 5.0}
    assert merges(means, set(), weights) == [("a", "b")]
    assert merges(means, {frozenset("ab")}, weights) == []
    assert merges({}, set(), {}) == []


def test_who_cannot_be_merged_cannot_be_merged_by_way_of_a_third() -> None:
    means = {"a": like(1.0), "b": like(0.99), "c": like(0.98)}
    done = merges(means, {frozenset("ac")}, {"a": 1.0, "b": 2.0, "c": 3.0})
    assert len(done) == 1, "b goes to one of them, and these two stay apart"


def test_a_mixed_speaker_is_parted_by_voice() -> None:
    assert two_voices(np.stack([like(1.0), like(0.2), like(0.97), like(0.25), like(0.95)])) == [False, True, False, True, False]
    assert two_voices(np.stack([like(1.0)])) == [False]


def test_the_mean_voice_has_unit_length() -> None:
    mean = voices_mean([like(1.0), like(0.5)], [1.0, 3.0])
    assert mean is not None
    assert np.linalg.norm(mean) == pytest.approx(1.0, abs=1e-6)
    assert voices_mean([], []) is None


NEAR = like(1.0, 192)


def test_campplus_voices_have_a_scale_of_their_own() -> None:
    people = [KnownSpeaker("speaker-1", like(0.10, 192)), KnownSpeaker("speaker-2", like(0.60, 192))]
    assert choose(heard(NEAR), people).speaker == "speaker-2"
    assert choose(heard(NEAR), people).confidence > 0.95
    assert choose(heard(NEAR), people[:1]).speaker is None
    assert choose(heard(ME), [known("speaker-1", 0.6)]).speaker is None, "Resemblyzer's voices are likelier alike"
    assert merges({"a": like(0.7, 192), "b": NEAR}, set(), {"a": 1.0, "b": 2.0}) == [("a", "b")]
    assert merges({"a": like(0.7), "b": ME}, set(), {"a": 1.0, "b": 2.0}) == []
    assert merges({"a": like(0.6, 192), "b": NEAR}, set(), {"a": 1.0, "b": 2.0}) == []


def test_on_an_array_campplus_hears_a_stranger_in_the_chair_and_who_moved_and_nobody_twice() -> None:
    owner = KnownSpeaker("speaker-1", like(0.05, 192), "t1", 30.0, 90 * NS_PER_S)
    assert choose(heard(NEAR, track="t1", azimuth_deg=30.0), [owner]).speaker is None
    assert choose(heard(like(0.4, 192), track="t1", azimuth_deg=30.0), [replace(owner, voice=NEAR)]).speaker == "speaker-1"
    moved = KnownSpeaker("speaker-2", like(0.7, 192), "t2", 200.0, 60 * NS_PER_S)
    assert choose(heard(NEAR, track="t1", azimuth_deg=30.0), [owner, moved]).speaker == "speaker-2"
    twice = replace(moved, voice=like(0.999, 192), end_ns=102 * NS_PER_S)
    assert choose(heard(NEAR, track="t1", azimuth_deg=30.0), [twice]).speaker is None


def test_voices_of_two_encoders_are_unknown_to_each_other() -> None:
    old = KnownSpeaker("speaker-1", ME)
    assert choose(heard(NEAR), [old]) == choose(heard(NEAR), [])
    assert choose(heard(NEAR), [old, KnownSpeaker("speaker-2", like(0.8, 192))]).speaker == "speaker-2"
    here = KnownSpeaker("speaker-1", ME, "t1", 30.0, 90 * NS_PER_S)
    unheard = replace(here, voice=None)
    line = heard(NEAR, track="t1", azimuth_deg=31.0)
    assert choose(line, [here]) == choose(line, [unheard]), "only their place speaks for them"
    assert choose(line, [here]).speaker == "speaker-1"
    ways = KnownSpeaker("speaker-3", np.stack([ME, like(0.2)]))
    assert choose(heard(NEAR), [ways]).speaker is None
    assert merges({"a": ME, "b": NEAR, "c": like(0.99)}, set(), {"a": 3.0, "b": 2.0, "c": 1.0}) == [("c", "a")]
    for mixed in (lambda: likeness_of(ME, NEAR), lambda: voices_mean([ME, NEAR], [1.0, 1.0])):
        with pytest.raises(VoiceLengthError, match="voices of 192 and 256 numbers come from different encoders"):
            mixed()


def test_a_mixed_speaker_is_parted_by_the_voices_of_one_encoder() -> None:
    voices = [NEAR, ME, like(0.1, 192), like(0.97, 192), like(0.15, 192), like(0.2)]
    assert two_voices(voices) == [False, False, True, False, True, False]
    assert two_voices([ME, NEAR]) == [False, False]
    assert two_voices([]) == []
