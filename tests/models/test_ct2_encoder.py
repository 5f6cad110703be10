"""How texts are shared out among threads."""

from hypothesis import given
from hypothesis import strategies as st

from models.ct2_encoder import shared_out


@given(st.lists(st.integers(0, 500), max_size=30), st.integers(1, 6))
def test_every_text_is_in_one_part_and_no_part_is_empty_or_much_longer(lengths: list[int], n_parts: int) -> None:
    parts = shared_out(lengths, n_parts)
    assert sorted(place for part in parts for place in part) == list(range(len(lengths)))
    assert all(part == sorted(part) for part in parts)
    assert all(parts)
    assert len(parts) == min(n_parts, len(lengths))
    totals = [sum(max(lengths[place], 1) for place in part) for part in parts]
    if totals:
        assert max(totals) - min(totals) <= max(max(lengths), 1)


def test_the_long_one_stands_alone() -> None:
    assert shared_out([10, 60, 12, 11], 2) == [[1], [0, 2, 3]]
    assert shared_out([10, 60], 1) == [[0, 1]]
    assert shared_out([], 2) == []
