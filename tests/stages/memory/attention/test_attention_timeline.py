from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from stages.memory.attention.attention_row import Attention
from stages.memory.attention.attention_timeline import timeline

MOMENTS = st.integers(0, 12)


@st.composite
def declared(draw: st.DrawFn) -> list[Attention]:
    made = []
    for n in range(1, draw(st.integers(0, 7)) + 1):
        start = draw(MOMENTS)
        end = draw(st.none() | st.integers(start + 1, 14))
        made.append(Attention("topic", start, end, draw(st.sampled_from([None, "a", "b"])), words=str(n), n=n))
    return made


@given(declared(), st.sampled_from([None, "a", "b"]), MOMENTS, MOMENTS)
def test_at_each_moment_the_one_counts_that_began_last_of_those_that_cover_it(
    attentions: list[Attention], session: str | None, first: int, last: int
) -> None:
    spans = timeline(attentions, session, first, last)
    for moment in range(first, last):
        covering = [
            one
            for one in attentions
            if one.session in (None, session) and one.start_at_ns <= moment and (one.end_at_ns is None or moment < one.end_at_ns)
        ]
        wanted = max(covering, key=lambda one: (one.start_at_ns, one.n), default=None)
        found = [span.attention for span in spans if span.start_at_ns <= moment < span.end_at_ns]
        assert found == ([] if wanted is None else [wanted])
    assert all(first <= span.start_at_ns < span.end_at_ns <= last for span in spans)
    assert all(one.end_at_ns <= other.start_at_ns for one, other in itertools.pairwise(spans))
    assert not any(one.attention is other.attention and one.end_at_ns == other.start_at_ns for one, other in itertools.pairwise(spans))


def test_an_open_one_holds_until_the_next_and_goes_on_after_a_call() -> None:
    dogs = Attention("topic", 0, words="dogs", n=1)
    call = Attention("away", 10, 20, words="on the phone", n=2)
    anna = Attention("speaker", 40, speaker="speaker-1", n=3)
    spans = timeline([dogs, call, anna], "a", 0, 60)
    assert [(span.attention.n, span.start_at_ns, span.end_at_ns) for span in spans] == [(1, 0, 10), (2, 10, 20), (1, 20, 40), (3, 40, 60)]
