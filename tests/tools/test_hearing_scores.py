"""The scoring of the benchmark, on small cases whose figures are known by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tools.hearing_der import Diarisation, RttmError, Turn, diarisation_error, turns_of
from tools.hearing_leaks import leaked_words
from tools.hearing_places import Place, apart_deg, bearing_errors_deg, by_talker, count_tracks, owner
from tools.hearing_separation import gains_db, si_sdr_db
from tools.hearing_times import time_errors
from tools.hearing_words import WordError, normal, session_error, word_error

PLACES = {"anna": Place((0.0,), (30.0,)), "ben": Place((0.0, 10.0), (350.0, 100.0))}


def line(track: str, start_s: float, text: str, azimuth_deg: float | None = None, word_s: float = 0.5, **more: Any) -> dict[str, Any]:
    """A line with words of `word_s` each, one after the other."""
    words = [
        {"text": word, "start_s": start_s + word_s * place, "end_s": start_s + word_s * (place + 1)}
        for place, word in enumerate(text.split())
    ]
    end_s = words[-1]["end_s"]
    return {"track": track, "start_s": start_s, "end_s": end_s, "text": text, "azimuth_deg": azimuth_deg, "words": words, **more}


def test_words_are_compared_after_whispers_normaliser() -> None:
    assert normal("I'll pay TWENTY five Dollars, Mr. Smith.") == normal("i will pay $25 mister smith")
    assert word_error("It's twenty five past two.", "it is 25 past two") == WordError(0, 5)


def test_word_error_counts_each_kind() -> None:
    error = word_error("one dog saw the red ball", "one dog the red big bell")
    assert (error.n_wrong, error.n_words, error.n_inserted, error.n_deleted) == (3, 6, 1, 1)
    assert error.rate == pytest.approx(0.5)
    assert (error + WordError(1, 4)).rate == pytest.approx(0.4)


def test_nothing_said_and_nothing_heard() -> None:
    assert math.isnan(word_error("", "").rate)
    assert word_error("", "thank you") == WordError(2, 0, 2)
    assert word_error("some words", "").rate == 1.0


def test_cpwer_takes_the_best_permutation_and_counts_streams_of_nobody() -> None:
    truth = [line("anna", 0, "my dog is old"), line("ben", 1, "the ferry leaves at noon")]
    heard = [line("t1", 1, "the ferry leaves at noon"), line("t2", 0, "my dog is cold")]
    assert session_error(truth, heard) == WordError(1, 9)
    stray = session_error(truth, [*heard, line("t3", 5, "thank you")])
    assert (stray.n_wrong, stray.n_inserted) == (3, 2)
    assert session_error(truth, []) == WordError(9, 9, 0, 9)


def test_streams_are_speakers_where_they_are_known() -> None:
    truth = [line("anna", 0, "my dog is old"), line("anna", 9, "he likes the snow")]
    heard = [line("t1", 0, "my dog is old", speaker="speaker-1"), line("t2", 9, "he likes the snow", speaker="speaker-1")]
    assert session_error(truth, heard).n_wrong == 0
    assert session_error(truth, heard, who="track").n_wrong == 8


def test_tcpwer_refuses_words_at_another_time() -> None:
    truth = [line("anna", 0, "my dog is old")]
    late = [line("t1", 60, "my dog is old")]
    assert session_error(truth, late).n_wrong == 0
    assert session_error(truth, late, timed=True).n_wrong == 8
    assert session_error(truth, [line("t1", 2, "my dog is old")], timed=True).n_wrong == 0


def test_a_place_goes_the_shorter_way_between_its_points() -> None:
    assert [PLACES["ben"].bearing_deg(time_s) for time_s in (-1.0, 0.0, 5.0, 20.0)] == pytest.approx([350.0, 350.0, 45.0, 100.0])
    assert PLACES["anna"].bearing_deg(7.0) == 30.0
    assert apart_deg(350.0, 20.0) == 30.0


def test_a_line_is_whose_bearing_is_nearest_at_that_time() -> None:
    assert owner(20.0, 0.0, PLACES) == "anna"
    assert owner(345.0, 0.0, PLACES) == "ben"
    assert owner(345.0, 10.0, PLACES) is None
    heard = [line("t1", 0, "a b", 28.0), line("t2", 9, "c", 97.0), line("t3", 9, "d", 200.0)]
    lines = by_talker(heard, PLACES)
    assert {who: [row["text"] for row in rows] for who, rows in lines.items()} == {"anna": ["a b"], "ben": ["c"], None: ["d"]}
    assert bearing_errors_deg(lines, PLACES) == pytest.approx([2.0, 97.0 - (350.0 + 0.925 * 110.0 - 360.0)])


def test_lines_without_bearing_are_everybodys() -> None:
    lines = by_talker([line("t1", 0, "a b")], PLACES)
    assert [len(lines[who]) for who in ("anna", "ben", None)] == [1, 1, 0]
    assert bearing_errors_deg(lines, PLACES) == []


def waking(*rows: tuple[float, float, list[list[Any]]]) -> list[dict[str, Any]]:
    """Where tracks were: from, to, and pairs of name and bearing; in steps of 0.1 s."""
    return [
        {"at_s": round(first + 0.1 * (step + 1), 3), "lasts_s": 0.1, "awake": awake}
        for first, last, awake in rows
        for step in range(round((last - first) / 0.1))
    ]


STILL = {"anna": Place((0.0,), (30.0,)), "ben": Place((0.0,), (120.0,)), "cleo": Place((0.0,), (250.0,))}
SAID = [line("anna", 0, "a b c d e f g h"), line("ben", 4, "a b c d e f g h"), line("cleo", 8, "a b")]


def test_tracks_are_found_false_and_broken() -> None:
    tracks = waking((0, 2, [["t1", 31.0]]), (2, 4, [["t2", 25.0]]), (4, 5, [["t3", 118.0], ["t4", 300.0]]))
    counts = count_tracks(tracks, SAID, STILL)
    assert counts is not None
    # Cleo speaks for one second only; Ben has a track for a quarter of his words.
    assert (counts.n_talkers, counts.n_found, counts.n_false, counts.n_broken) == (2, 1, 1, 1)


def test_arrays_without_bearing_have_no_tracks_to_count() -> None:
    assert count_tracks(waking((0, 1, [["t1", None]])), SAID, STILL) is None


LEAKY = [line("anna", 0, "my dog is old"), line("ben", 0, "the ferry leaves now")]
FERRY = line("t2", 0, "the ferry leaves now")


@pytest.mark.parametrize(
    ("anna", "ben", "n_leaked"),
    [
        (line("t1", 0, "my dog leaves now"), FERRY, 2),
        (line("t1", 1.0, "leaves"), FERRY, 1),
        (line("t1", 0, "my dog leaves old"), FERRY, 0),  # one word alone: by chance
        (line("t1", 0, "my dog leaves now"), line("t2", 0, "the ferry"), 0),  # stored once
        (line("t1", 20, "my dog leaves now"), FERRY, 0),  # not said then
    ],
)
def test_leaked_words_stand_with_both_though_only_the_other_said_them(anna: dict[str, Any], ben: dict[str, Any], n_leaked: int) -> None:
    n_words = len(anna["words"]) + len(ben["words"])
    assert leaked_words(LEAKY, {"anna": [anna], "ben": [ben], None: []}) == (n_leaked, n_words)


def test_two_people_who_say_the_same_word_at_once_leak_nothing() -> None:
    truth = [line("anna", 0, "yes please"), line("ben", 0, "yes indeed")]
    assert leaked_words(truth, {"anna": [line("t1", 0, "yes please")], "ben": [line("t2", 0, "yes indeed")], None: []}) == (0, 4)


def test_times_are_compared_over_the_words_that_were_read_right() -> None:
    said = [line("anna", 1.0, "my dog is old")]
    heard = [line("t1", 1.1, "my cat is old")]
    errors = time_errors(said, heard)
    assert errors.word_starts_s == pytest.approx([0.1] * 3)
    assert errors.word_ends_s == pytest.approx([0.1] * 3)
    assert errors.line_starts_s == pytest.approx([0.1])
    assert errors.line_ends_s == pytest.approx([0.1])
    assert time_errors(said, [line("t1", 60.0, "my dog is old")]).word_starts_s == []


def test_si_sdr_of_known_signals() -> None:
    random = np.random.default_rng(1)
    target = random.standard_normal(16000).astype(np.float32)
    noise = random.standard_normal(16000).astype(np.float32)
    noise -= (noise @ target) / (target @ target) * target
    noise *= np.linalg.norm(target) / np.linalg.norm(noise) / 10
    assert si_sdr_db(target + noise, target) == pytest.approx(20.0, abs=0.01)
    assert si_sdr_db(3 * (target + noise), target) == pytest.approx(20.0, abs=0.01)
    assert si_sdr_db(np.zeros_like(target), target) == -math.inf


def test_gains_are_told_of_lines_that_a_beam_stands_for() -> None:
    random = np.random.default_rng(2)
    voices = {who: (0.1 * random.standard_normal(64000)).astype(np.float32) for who in ("anna", "ben")}
    microphone = voices["anna"] + voices["ben"]
    beam = voices["anna"] + 0.1 * voices["ben"]
    beam[48000:] = 0
    truth = [line("anna", 0, "a b c d"), line("anna", 2.5, "a b c"), line("ben", 1, "a")]
    assert gains_db({"t1": beam}, voices, microphone, truth) == pytest.approx([20.0], abs=0.3)


def test_diarisation_error_by_hand() -> None:
    truth = [Turn("anna", 0, 10), Turn("ben", 8, 20)]
    found = [Turn("s1", 0, 9), Turn("s2", 11, 22), Turn("s3", 2, 3)]
    error = diarisation_error(truth, found)
    # Missed: 8 to 9 one of two (1 s), 9 to 10 both (2 s), 10 to 11 ben (1 s). False: s3 beside anna (1 s), 20 to 22 (2 s).
    assert (error.missed_s, error.false_s, error.confused_s, error.spoken_s) == pytest.approx((4.0, 3.0, 0.0, 22.0))
    assert error.rate == pytest.approx(7 / 22)


def test_confused_speakers_are_mapped_as_well_as_can_be() -> None:
    truth = [Turn("anna", 0, 6), Turn("ben", 6, 10)]
    error = diarisation_error(truth, [Turn("s1", 0, 10)])
    assert (error.missed_s, error.false_s, error.confused_s) == pytest.approx((0.0, 0.0, 4.0))
    assert diarisation_error(truth, []).rate == 1.0
    assert diarisation_error([], []) == Diarisation(0.0, 0.0, 0.0, 0.0)


def test_rttm_is_read_and_faults_are_named() -> None:
    text = "SPEAKER a 1 0.5 1.5 <NA> <NA> anna <NA> <NA>\nSPEAKER b 1 0 1 <NA> <NA> ben <NA> <NA>\n"
    assert turns_of(text, "a") == [Turn("anna", 0.5, 2.0)]
    assert len(turns_of(text)) == 2
    with pytest.raises(RttmError, match=r"line 1: .* is not SPEAKER"):
        turns_of("SPEAKER a 1 soon 1.5")
