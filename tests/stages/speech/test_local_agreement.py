from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.speech.local_agreement import LocalAgreement


def test_what_two_hypotheses_in_a_row_begin_with_is_settled() -> None:
    agreement = LocalAgreement()
    assert agreement.take(["Ask", "what"]) == ([], ["Ask", "what"])
    assert agreement.take(["Ask", "not", "what"]) == (["Ask"], ["Ask", "not", "what"])
    assert agreement.take(["ask", "not", "what", "your"]) == (["Ask", "not", "what"], ["Ask", "not", "what", "your"])


def test_what_is_settled_stays_whatever_comes() -> None:
    agreement = LocalAgreement()
    agreement.take(["He", "was"])
    agreement.take(["He", "was,"])
    assert agreement.take(["She", "is", "gone"]) == (["He", "was,"], ["He", "was,", "gone"])
    assert agreement.take([]) == (["He", "was,"], ["He", "was,"])


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=8))
def test_settled_words_only_grow_and_begin_the_text(hypotheses: list[list[str]]) -> None:
    agreement, before = LocalAgreement(), list[str]()
    for hypothesis in hypotheses:
        settled, text = agreement.take(hypothesis)
        assert settled[: len(before)] == before
        assert text[: len(settled)] == settled
        before = settled
