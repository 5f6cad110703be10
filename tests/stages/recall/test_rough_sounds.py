"""How words roughly sound, and how unlike two of them sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.recall.rough_sounds import distance, sound_of


@pytest.mark.parametrize(("one", "other"), [("phone", "fone"), ("echo", "eko"), ("knock", "nok"), ("queue", "kweue")])
def test_what_sounds_alike_is_the_same(one: str, other: str) -> None:
    assert sound_of(one) == sound_of(other)


def test_a_vowel_is_cheaper_to_swap_than_a_consonant() -> None:
    assert 0.0 < distance("kat", "kot") < distance("kat", "gat") < distance("kat", "mat")


@given(st.text(alphabet="aeiouckqgthxyzsw", max_size=10), st.text(alphabet="aeiouckqgthxyzsw", max_size=10))
def test_the_distance_is_one(one: str, other: str) -> None:
    one, other = sound_of(one), sound_of(other)
    assert distance(one, one) == 0.0
    assert 0.0 <= distance(one, other) <= len(one) + len(other)
    for most in (0.5, 2.0):
        assert distance(one, other, most) == distance(one, other) or min(distance(one, other, most), distance(one, other)) > most
