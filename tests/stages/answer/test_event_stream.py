from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.answer.completion import CompletionError, parsed, piece_text, whole_text, yes_share
from stages.answer.event_stream import EventStreamError, event_data

STREAM = ': ping\r\nevent: message\r\ndata: {"a": 1}\r\n\r\nid: 5\ndata: one\ndata: two\n\nretry: 9\n\ndata:[DONE]\n\ndata: cut'


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_wherever_the_pieces_are_cut(cuts: list[int]) -> None:
    places = sorted({0, *cuts, len(STREAM)})
    pieces = [STREAM[first:last] for first, last in pairwise(places)]
    assert list(event_data(pieces, 10_000)) == ['{"a": 1}', "one\ntwo", "[DONE]", "cut"]


def test_what_is_no_stream_or_never_ends_is_told() -> None:
    with pytest.raises(EventStreamError, match=r"^a line that is no event: '<html>'$"):
        list(event_data(["<html>\n"], 100))
    with pytest.raises(EventStreamError, match=r"^more than 100 characters and no end$"):
        list(event_data(("x" for _ in iter(int, 1)), 100))


def test_completions_are_read_whole_and_in_pieces() -> None:
    assert whole_text(parsed('{"choices": [{"message": {"content": "hello"}}]}')) == "hello"
    assert [piece_text({"choices": [{"delta": delta}]}) for delta in ({"content": "a"}, {"role": "assistant"}, {"content": None})] == [
        "a",
        "",
        "",
    ]
    assert piece_text({"choices": [], "usage": {}}) == ""
    with pytest.raises(CompletionError, match=r"^an error: out of memory$"):
        parsed('{"error": "out of memory"}')
    with pytest.raises(CompletionError, match=r"^no chat completion: \{\}$"):
        whole_text({})


@pytest.mark.parametrize(
    ("likeliest", "share"),
    [
        ([("Yes", 0.0), ("No", -50.0)], 1.0),
        ([(" yes", -1.0), ("NO", -1.0)], 0.5),
        ([("maybe", 0.0)], None),
        ([("Yes", "x")], None),
        ([], None),
    ],
)
def test_the_share_of_yes(likeliest: list[tuple[str, object]], share: float | None) -> None:
    found = [{"token": token, "logprob": logprob} for token, logprob in likeliest]
    assert yes_share({"choices": [{"logprobs": {"content": [{"top_logprobs": found}]}}]}) == pytest.approx(share)
    assert yes_share({"choices": [{"message": {"content": "Yes"}}]}) is None
