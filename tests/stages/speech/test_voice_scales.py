"""Scales of voices: what they say of likenesses that were measured, and that encoders are never mixed."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.speech.voice_scales import SCALES, UNHEARD_S, VoiceLengthError, VoiceScale, check_comparable, comparable, scale_of

scales = st.sampled_from(sorted(SCALES)).map(SCALES.__getitem__)
cosines, seconds_ = st.floats(-1.0, 1.0), st.floats(0.0, 30.0)


@given(scale=scales, one=cosines, other=cosines, seconds=seconds_)
def test_the_liker_the_more_probable_and_what_was_not_heard_says_nothing(
    scale: VoiceScale, one: float, other: float, seconds: float
) -> None:
    assert (scale.odds(one, seconds) <= scale.odds(other, seconds)) or one > other
    assert scale.odds(one, UNHEARD_S) == 0.0
    assert scale.odds(scale.even, 30.0) == 0.0
    assert scale.odds(one, scale.full_s) == scale.odds(one, 30.0), "more than enough is enough"
    assert scale.odds(one, seconds) < scale.two_places, "no voice outweighs being in two places at once"


def test_campplus_knows_people_whose_pieces_were_measured_and_mistakes_none() -> None:
    """The first hundredth of one person and the last of two, pieces against means of three, in rooms and out of them."""
    scale = SCALES[192]
    for length_s, one, two in ((3.0, 0.52, 0.29), (1.5, 0.43, 0.29)):
        assert scale.odds(one, length_s) > 1.0
        assert scale.odds(two, length_s) < -1.0
    # 0.8 s: one person in twenty times 0.31 and more, two people one in twenty times 0.23 and more.
    assert scale.odds(0.31, 0.8) > 0.0 > scale.odds(0.23, 0.8)
    assert 0.41 + 0.15 < scale.merge < 0.85, "two people's means are at most 0.41 alike"


def test_short_pieces_need_less_likeness_and_count_less() -> None:
    scale = SCALES[192]
    evens = []
    for length_s in (0.6, 0.8, 1.1, 1.5, 3.0):
        grid = np.linspace(0.0, 1.0, 1001)
        evens.append(grid[np.argmin([abs(scale.odds(float(value), length_s)) for value in grid])])
    assert evens[0] == pytest.approx(0.245, abs=0.01)
    assert all(one <= other for one, other in pairwise(evens))
    assert evens[-1] == evens[-2] == pytest.approx(0.36)
    assert abs(scale.odds(0.9, 0.8)) < abs(scale.odds(0.9, 1.5))


def test_resemblyzer_is_weighed_as_ever() -> None:
    scale = SCALES[256]
    assert scale.odds(0.85, 2.0) == pytest.approx(3.0)
    assert scale.odds(0.85, 1.2) == pytest.approx(1.5)
    assert scale.two_places == 8.0


def test_the_scale_is_found_by_the_length_and_encoders_are_not_mixed() -> None:
    assert scale_of(np.zeros(192, dtype=np.float32)).encoder == "CAM++"
    assert scale_of(np.zeros((3, 256), dtype=np.float32)).encoder == "Resemblyzer"
    with pytest.raises(VoiceLengthError, match=re.escape("a voice of 7 numbers: known encoders make 256 (Resemblyzer), 192 (CAM++)")):
        scale_of(np.zeros(7, dtype=np.float32))
    short, long = np.zeros(192, dtype=np.float32), np.zeros(256, dtype=np.float32)
    assert comparable(short, np.zeros((2, 192), dtype=np.float32))
    assert not comparable(short, long)
    with pytest.raises(VoiceLengthError, match="voices of 192 and 256 numbers come from different encoders and cannot be compared"):
        check_comparable([long, short])
    check_comparable([])
