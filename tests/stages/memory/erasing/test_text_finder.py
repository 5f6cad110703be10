"""The search for many byte strings at once: exact, and no slower because they begin alike."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.memory.erasing.text_finder import KEY_BYTES, TextFinder

# Few letters, so that strings begin one another, overlap and stand in the data.
few = st.text(alphabet="ab", min_size=KEY_BYTES, max_size=14).map(str.encode)


@given(st.sets(few, max_size=20), st.lists(few | st.binary(max_size=4), max_size=12).map(b"".join))
def test_it_finds_exactly_what_stands_there(sought: set[bytes], data: bytes) -> None:
    assert TextFinder(sought).found_in(data) == {text for text in sought if text in data}


def test_strings_that_begin_others_are_found_where_the_longer_ones_do_not_stand() -> None:
    sought = {b"I think", b"I think so", b"I think so too", b"I think that", b"I thinz"}
    finder = TextFinder(sought)
    assert finder.n_sought == 5
    assert finder.found_in(b"I think so to") == {b"I think", b"I think so"}
    assert finder.found_in(b"I think tha") == {b"I think"}
    assert finder.found_in(b"I think that. I think so too") == sought - {b"I thinz"}
    assert finder.found_in(b"I thin") == set()


def test_a_string_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 6 bytes, found b'short'"):
        TextFinder({b"long enough", b"short"})


def calls(n_texts: int) -> int:
    """How many functions are called when texts that all begin alike are sought in as many places where others begin so too."""
    finder = TextFinder(f"I think that {number:05d} is so".encode() for number in range(n_texts))
    data = b"\n".join(f"I think that {number:05d} is not".encode() for number in range(n_texts))
    count = 0

    def note(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        found = finder.found_in(data)
    finally:
        sys.setprofile(before)
    assert found == set()
    return count


def test_the_work_grows_with_the_bytes_and_not_with_how_many_strings_begin_alike() -> None:
    few_texts, many_texts = calls(500), calls(2000)
    assert few_texts > 500, "the calls are counted"
    assert many_texts < 5 * few_texts
