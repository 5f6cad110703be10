from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, Packet, Track, Transcript, Utterance, Word
from pipeline.stage import Emit
from pipeline.testing import noise, run_stage
from stages.speech.copy_marker import CopyMarker
from stages.speech.keep_all import KeepAll
from stages.speech.ownership import Owner, OwnershipRules, owner_of
from stages.speech.speech_errors import SpeechError
from stages.speech.word_match import word_match

MS = 10**6


ROOM = noise(40.0, amplitude=1.0)


def line(track: str, start_s: float, text: str, presence: float = 1.0, level: float = 0.1, pace_s: float = 0.3) -> Transcript:
    """A line whose beam held what sounded in the room at that time: all beams that are not separated hold the same sound."""
    start = round(start_s * 1000) * MS
    pace = round(pace_s * 1000) * MS
    words = tuple(Word(word, start + i * pace, start + (i + 1) * pace, 0.9) for i, word in enumerate(text.split()))
    utterance = Utterance(
        pts_ns=start,
        duration_ns=words[-1].end_ns - start,
        samples=level * ROOM[start * 16000 // NS_PER_S : words[-1].end_ns * 16000 // NS_PER_S],
        sample_rate_hz=16000,
        track=Track(name=track, azimuth_deg=None),
        presence=presence,
    )
    return Transcript(
        pts_ns=start, duration_ns=utterance.duration_ns, utterance=utterance, text=text, words=words, language="en", confidence=0.8
    )


def copies(*lines: Transcript, stage: CopyMarker | None = None) -> dict[tuple[str, str], str | None]:
    out = run_stage(stage or CopyMarker(), {"transcript": list(lines)})["transcripts"]
    assert len(out) == len(lines)
    return {(t.utterance.track.name, t.text): t.copy_of for t in out if isinstance(t, Transcript)}


SENTENCE = "we could take the dogs to the lake on Saturday"


def test_what_leaked_is_a_copy_of_the_beam_that_owns_it() -> None:
    found = copies(line("a", 1.0, SENTENCE, presence=0.8), line("b", 1.05, SENTENCE, presence=0.4, level=0.03))
    assert found == {("a", SENTENCE): None, ("b", SENTENCE): "a"}


def test_a_misheard_leak_is_recognised_by_its_letters() -> None:
    garbled = "could take the dog stew the lake on Saturday"
    found = copies(line("a", 1.0, SENTENCE, presence=0.8), line("b", 1.3, garbled, presence=0.4, level=0.03))
    assert found == {("a", SENTENCE): None, ("b", garbled): "a"}


def test_other_words_at_the_same_time_are_ones_own() -> None:
    other = "the train was late again this morning so I walked"
    found = copies(line("a", 1.0, SENTENCE, presence=0.5), line("b", 1.0, other, presence=0.4, level=0.03))
    assert set(found.values()) == {None}


def test_the_same_sentence_by_somebody_else_later_is_no_copy() -> None:
    found = copies(line("a", 1.0, SENTENCE, presence=0.8), line("b", 4.5, SENTENCE, presence=0.4, level=0.03))
    assert set(found.values()) == {None}


def test_an_echo_that_overlaps_the_end_of_the_sentence_is_no_copy() -> None:
    found = copies(line("a", 1.0, SENTENCE, presence=0.8), line("b", 3.0, SENTENCE, presence=0.5, level=0.05))
    assert set(found.values()) == {None}


def test_two_people_may_say_yes_at_once() -> None:
    assert set(copies(line("a", 1.0, "Yes.", presence=0.7), line("b", 1.1, "Yes!", presence=0.65)).values()) == {None}
    found = copies(line("a", 1.0, "Yes.", presence=0.8), line("b", 1.1, "Yes!", presence=0.4, level=0.02))
    assert found == {("a", "Yes."): None, ("b", "Yes!"): "a"}


def test_a_fragment_that_leaked_out_of_a_long_utterance_waits_for_it() -> None:
    long = SENTENCE + " and then come back for the big dinner at our house with everybody"
    found = copies(line("a", 1.0, long, presence=0.8), line("b", 1.6, "take the dogs to the", presence=0.35, level=0.02))
    assert found[("b", "take the dogs to the")] == "a"


def test_only_what_ends_within_the_hold_is_compared() -> None:
    long = line("a", 1.0, SENTENCE + " and " + "then some more " * 8, presence=0.9)
    leak = line("b", 1.0, SENTENCE, presence=0.7, level=0.02)
    assert long.end_ns - leak.end_ns > 2 * NS_PER_S
    assert copies(leak, long)[("b", SENTENCE)] is None
    assert copies(leak, long, stage=CopyMarker(hold_s=8.0))[("b", SENTENCE)] == "a"
    doubtful = line("b", 1.0, SENTENCE, presence=0.4, level=0.02)
    assert copies(doubtful, long)[("b", SENTENCE)] == "a"


def test_two_beams_that_hear_exactly_the_same_keep_the_words_once() -> None:
    found = copies(line("b", 1.0, SENTENCE), line("a", 1.0, SENTENCE))
    assert found == {("a", SENTENCE): None, ("b", SENTENCE): "a"}


def by_another_voice(transcript: Transcript, seed: int = 7) -> Transcript:
    """The same words as a sound of their own."""
    samples = noise(transcript.duration_ns / NS_PER_S, amplitude=0.1, seed=seed)
    return replace(transcript, utterance=replace(transcript.utterance, samples=samples))


@pytest.mark.parametrize("shift_s", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("presence", [0.5, 0.8])
def test_two_people_who_say_the_same_sentence_at_once_both_own_it(shift_s: float, presence: float) -> None:
    second = by_another_voice(line("b", 1.0 + shift_s, SENTENCE, presence=presence))
    assert copies(line("a", 1.0, SENTENCE, presence=0.6), second) == {("a", SENTENCE): None, ("b", SENTENCE): None}


def test_two_people_who_say_yes_of_course_at_once_both_own_it_though_one_is_louder() -> None:
    louder = by_another_voice(line("b", 1.0, "yes of course", presence=0.9))
    assert set(copies(line("a", 1.0, "yes of course", presence=0.6, level=0.05), louder).values()) == {None}


def test_what_a_filter_left_of_somebody_is_a_copy_although_its_sound_has_changed() -> None:
    left_over = by_another_voice(line("b", 1.0, SENTENCE, presence=0.3))
    assert copies(line("a", 1.0, SENTENCE, presence=0.8, level=0.4), left_over)[("b", SENTENCE)] == "a"


def test_the_clearest_of_several_beams_owns_the_words() -> None:
    lines = [line("a", 1.0, SENTENCE, presence=0.5), line("b", 1.0, SENTENCE, presence=0.9), line("c", 1.0, SENTENCE, presence=0.4)]
    assert list(copies(*lines).values()) == ["b", None, "b"]


def test_the_long_form_of_one_track_may_cover_two_lines_of_another() -> None:
    owner = [line("a", 1.0, "we could take the dogs", presence=0.9), line("a", 2.8, "to the lake on Saturday", presence=0.9)]
    leak = line("b", 1.1, SENTENCE, presence=0.4, level=0.03)
    assert owner_of(leak, owner, OwnershipRules(0.6)) == Owner("a", tuple(owner))
    assert owner_of(leak, owner[:1], OwnershipRules(0.6)) is None
    assert owner_of(leak, [], OwnershipRules(0.6)) is None


def test_a_line_waits_no_longer_than_its_hold_and_says_so() -> None:
    stage = CopyMarker()
    sure, doubtful = line("a", 0.0, "one two three"), line("b", 5.0, "four five six", presence=0.4)
    assert list(stage.on_transcript(sure)) == []
    assert stage.promise(2 * NS_PER_S) == sure.end_ns
    assert list(stage.on_passed(sure.end_ns + 2 * NS_PER_S)) == []
    assert [emit.packet for emit in stage.on_passed(sure.end_ns + 2 * NS_PER_S + 1)] == [sure]
    assert stage.promise(4 * NS_PER_S) == 4 * NS_PER_S
    assert list(stage.on_transcript(doubtful)) == []
    assert list(stage.on_passed(doubtful.end_ns + stage.delay_ns)) == []
    assert [emit.packet for emit in stage.on_passed(doubtful.end_ns + stage.delay_ns + 1)] == [doubtful]


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SpeechError) as caught:
        CopyMarker(hold_s=9.0)
    assert str(caught.value) == (
        "CopyMarker: min_likeness 0.6, hold_s 9.0, doubtful_hold_s 8.0: 0 < min_likeness <= 1 and "
        "0 <= hold_s <= doubtful_hold_s <= 30 are needed"
    )


def test_words_match_by_time_and_likeness() -> None:
    ours, theirs = line("a", 1.0, "the dogs ran").words, line("b", 1.2, "the dog's run away").words
    assert word_match(ours, theirs).n_words == 2
    assert word_match(ours, ()).likeness == 0.0
    assert word_match(line("a", 1.0, "... -").words, theirs).n_words == 0
    assert word_match(ours, line("b", 9.0, "the dogs ran").words).likeness == 0.0


def test_keep_all_passes_everything_on_as_it_came() -> None:
    lines: list[Packet] = [line("a", 1.0, SENTENCE), line("b", 1.0, SENTENCE)]
    assert run_stage(KeepAll(), {"transcript": lines})["transcripts"] == lines


drawn = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 200),
        st.sampled_from([SENTENCE, "take the dogs", "yes", "no and then some more words that go on and on and on"]),
        st.sampled_from([0.35, 0.5, 0.7, 0.9]),
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=60, deadline=None)
@given(drawn, st.integers(0, 2**16))
def test_order_and_marks_do_not_depend_on_when_it_is_told(rows: list[tuple[str, int, str, float]], seed: int) -> None:
    lines = sorted((line(track, start / 10, text, presence) for track, start, text, presence in rows), key=lambda t: t.end_ns)
    told, stage = np.random.default_rng(seed), CopyMarker()
    out: list[Emit[Transcript]] = []
    for transcript in lines:
        out += stage.on_transcript(transcript)
        if told.random() < 0.5:
            out += stage.on_passed(transcript.end_ns)
            assert stage.promise(transcript.end_ns) >= transcript.end_ns - stage.delay_ns
    out += stage.flush()
    found = [emit.packet for emit in out]
    assert [t.utterance for t in found] == [t.utterance for t in lines], "nothing is lost, and the order stays"
    assert all(x.end_ns <= y.end_ns for x, y in pairwise(found))
    marks = [t.copy_of for t in run_stage(CopyMarker(), {"transcript": list(lines)})["transcripts"] if isinstance(t, Transcript)]
    assert [t.copy_of for t in found] == marks
    assert all(t.copy_of != t.utterance.track.name for t in found)


@given(st.sampled_from([0.35, 0.5, 0.8]), st.sampled_from([0.35, 0.5, 0.8]), st.integers(-200, 200), st.sampled_from([0.02, 0.1]))
def test_of_two_that_heard_the_same_exactly_one_keeps_it(first: float, second: float, shift_ms: int, level: float) -> None:
    found = copies(line("a", 5.0, SENTENCE, first), line("b", 5.0 + shift_ms / 1000, SENTENCE, second, level))
    assert sorted(mark is None for mark in found.values()) == [False, True]


FERRY = "the ferry leaves on saturday at half past nine from the harbour near the old lighthouse tonight"


@pytest.mark.parametrize("n_first", [5, 8])
def test_two_beams_do_not_leave_the_same_words_to_each_other(n_first: int) -> None:
    first, second = " ".join(FERRY.split()[:n_first]), " ".join(FERRY.split()[n_first:])
    lines = [
        line("b", 0.0, first, presence=0.4, level=0.08),
        line("a", 0.0, FERRY, presence=0.6),
        line("b", 0.3 * n_first, second, presence=0.8, level=0.15),
    ]
    assert copies(*lines) == {("b", first): "a", ("a", FERRY): None, ("b", second): None}


def test_the_advantage_is_that_over_all_the_words() -> None:
    first, second = " ".join(FERRY.split()[:14]), " ".join(FERRY.split()[14:])
    others = [line("b", 0.0, first, presence=0.4), line("b", 4.2, second, presence=0.9)]
    assert owner_of(line("a", 0.0, FERRY, presence=0.6), others, OwnershipRules(0.6)) is None
    found = owner_of(line("a", 0.0, FERRY, presence=0.3), others, OwnershipRules(0.6))
    assert found == Owner("b", tuple(others))


def test_what_is_a_copy_owns_nothing() -> None:
    owner, leak = line("a", 0.0, SENTENCE, presence=0.9), line("b", 0.0, SENTENCE, presence=0.4)
    assert owner_of(leak, [replace(owner, copy_of="c")], OwnershipRules(0.6)) is None


BOX = "the key is in the blue box under the stairs"


def with_leak(own: str, at_s: float, leak_level: float, seed: int | None = None) -> Transcript:
    """A line on beam b that holds BOX, said on beam a from `at_s` on, and then words of its own."""
    leak, rest = line("b", at_s, BOX, level=leak_level), line("b", at_s + 0.3 * len(BOX.split()), own, level=0.1)
    if seed is not None:
        leak = replace(leak, utterance=replace(leak.utterance, samples=noise(leak.duration_ns / NS_PER_S, amplitude=leak_level, seed=seed)))
    samples = np.concatenate([leak.utterance.samples, rest.utterance.samples])
    duration_ns = rest.end_ns - leak.pts_ns
    utterance = replace(leak.utterance, samples=samples, duration_ns=duration_ns, presence=0.6)
    words = (*leak.words, *rest.words)
    return replace(leak, utterance=utterance, duration_ns=duration_ns, words=words, text=f"{BOX} {own}")


OWN = "we have to paint the kitchen again before the winter comes with all its rain"


@pytest.mark.parametrize(("level", "seed"), [(0.02, 9), (0.02, None), (0.08, None)])
def test_words_that_leaked_into_a_line_are_taken_out_and_kept_as_a_copy(level: float, seed: int | None) -> None:
    mixed = with_leak(OWN, 1.0, level, seed)
    out = [t for t in run_stage(CopyMarker(), {"transcript": [line("a", 1.0, BOX), mixed]})["transcripts"] if isinstance(t, Transcript)]
    assert [(t.utterance.track.name, t.text, t.copy_of) for t in out] == [("a", BOX, None), ("b", OWN, None), ("b", BOX, "a")]
    assert (out[1].pts_ns, out[1].spoken_end_ns) == (mixed.words[10].start_ns, mixed.words[-1].end_ns)
    assert (out[2].pts_ns, out[2].spoken_end_ns) == (mixed.pts_ns, mixed.words[9].end_ns)
    assert all(x.end_ns <= y.end_ns for x, y in pairwise(out))
    assert len({t.key for t in out}) == 3


def test_the_same_words_inside_a_line_as_loud_and_by_another_voice_stay() -> None:
    mixed = with_leak(OWN, 1.0, 0.08, seed=9)
    assert copies(line("a", 1.0, BOX), mixed) == {("a", BOX): None, ("b", mixed.text): None}


pieces = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 16), st.integers(1, 17), st.sampled_from([0.35, 0.5, 0.6, 0.9]), st.integers(0, 3)),
    min_size=2,
    max_size=9,
)


@settings(max_examples=150, deadline=None)
@given(pieces)
def test_words_of_a_copy_are_always_in_lines_that_are_none(rows: list[tuple[str, int, int, float, int]]) -> None:
    lines = [
        line(track, 0.3 * first + 0.05 * late, " ".join(FERRY.split()[first : first + n]), presence, 0.02 * (late + 1))
        for track, first, n, presence, late in rows
    ]
    lines.sort(key=lambda t: t.end_ns)
    out = [t for t in run_stage(CopyMarker(), {"transcript": list(lines)})["transcripts"] if isinstance(t, Transcript)]
    for copy in out:
        if copy.copy_of is None:
            continue
        kept = [t for t in out if t.utterance.track.name == copy.copy_of and t.copy_of is None]
        assert word_match(copy.words, [word for t in kept for word in t.words]).likeness >= 0.6
    group = {0}
    while grown := {j for i in group for j in range(len(out)) if j not in group and match_each_other(out[i], out[j])}:
        group |= grown
    assert any(out[index].copy_of is None for index in group)


def match_each_other(first: Transcript, second: Transcript) -> bool:
    return first.utterance.track.name != second.utterance.track.name and word_match(first.words, second.words).n_words > 0


def with_presences(transcript: Transcript, *stretches: tuple[int, float]) -> Transcript:
    """A line whose beam had these presences over so many words each."""
    n_samples = len(transcript.utterance.samples)
    per_word = np.concatenate([np.full(n, value, dtype=np.float32) for n, value in stretches])
    presences = per_word[np.arange(n_samples // 512) * len(per_word) // (n_samples // 512)]
    return replace(transcript, utterance=replace(transcript.utterance, presences=presences))


MINE, THEIRS = "he was not an ill-disposed young man", "the garden is full of birds since we stopped cutting the grass"


def ended_by_another(heard: str, theirs_presence: float = 0.25) -> tuple[Transcript, Transcript]:
    """Who begins while the other's beam is still open: the end of b's line is the beginning of a's, heard otherwise."""
    mine = line("b", 1.0, f"{MINE} {heard}", presence=0.7)
    samples = mine.utterance.samples.copy()
    first = len(MINE.split()) * 4800
    samples[first:] = noise((len(samples) - first) / 16000, amplitude=0.05, seed=9)[: len(samples) - first]
    mine = replace(mine, utterance=replace(mine.utterance, samples=samples))
    theirs = line("a", 1.0 + 0.3 * len(MINE.split()), THEIRS, presence=0.9)
    n_words = len(heard.split())
    return with_presences(mine, (len(MINE.split()), 0.9), (n_words, theirs_presence)), with_presences(theirs, (12, 0.9))


def test_the_beginning_of_somebody_elses_line_at_the_end_of_ones_own_is_a_copy_with_what_was_misheard_of_it() -> None:
    mine, theirs = ended_by_another("the horn is full of birds")
    assert copies_in_parts(mine, theirs) == [("b", MINE, None), ("b", "the horn is full of birds", "a"), ("a", THEIRS, None)]


def test_such_an_end_waits_for_the_line_that_it_is_of() -> None:
    mine, theirs = ended_by_another("the garden is full")
    assert theirs.end_ns - mine.end_ns > 2 * NS_PER_S
    assert copies_in_parts(mine, theirs) == [("b", MINE, None), ("b", "the garden is full", "a"), ("a", THEIRS, None)]


def test_who_says_the_same_with_as_much_presence_keeps_the_words() -> None:
    mine, theirs = ended_by_another("the garden is full of birds", theirs_presence=0.7)
    assert copies_in_parts(mine, theirs) == [("b", mine.text, None), ("a", THEIRS, None)]


def copies_in_parts(*lines: Transcript) -> list[tuple[str, str, str | None]]:
    out = run_stage(CopyMarker(), {"transcript": list(lines)})["transcripts"]
    return [(t.utterance.track.name, t.text, t.copy_of) for t in out if isinstance(t, Transcript)]
