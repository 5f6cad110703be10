from __future__ import annotations

import pytest

from stages.answer.values import values_in


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("The ferry leaves at half past seven on Saturday", {"clock": {"7:30"}, "day": {"saturday"}}),
        ("It must have happened around three in the night", {"clock": {"3:0"}}),
        ("At 8:30, or at quarter to ten", {"clock": {"8:30", "9:45"}}),
        ("Dinner is at 7 p.m.", {"clock": {"19:0"}}),
        ("It opens at nine in the morning, or at half past seven in the evening", {"clock": {"9:0", "19:30"}}),
        ("It weighs 2.5 kilos and costs 5.50 euros", {"count kilo": {"2.5"}, "count euro": {"5.50"}}),
        ("The wedding is on the twenty-sixth of June", {"date": {"26"}, "month": {"june"}}),
        ("We meet on June 22nd, on the third floor", {"date": {"22"}, "month": {"june"}}),
        ("It costs $1,200, or two hundred and forty pounds", {"count dollar": {"1200"}, "count pound": {"240"}}),
        ("The interest is 5%", {"count percent": {"5"}}),
        ("There were twenty other couples", {"count coupl": {"20"}}),
        ("I can wait one week, but not that one", {"count week": {"1"}}),
        ("Eleven, actually", {"bare": {"11"}}),
        ("They live at Anna's house", {"name": {"anna"}}),
        ("You two pay half, and the three of us the rest", {}),
        ("Hold on a second, Speaker-2 was on the first try", {}),
    ],
)
def test_values_are_known_by_kind_however_they_are_written(text: str, values: dict[str, set[str]]) -> None:
    assert values_in(text) == values
