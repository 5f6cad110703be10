from __future__ import annotations

from stages.answer.openings import with_openings
from stages.recall.answers import Stretch


def stretch(opening: str) -> Stretch:
    return Stretch("s", 0, 1, None, "", (), opening=opening)


def test_what_was_followed_is_said_once_for_all_that_was_missed_meanwhile() -> None:
    given = [stretch("While you were away, "), stretch("While you were away, "), stretch(""), stretch(""), stretch("While you were away, ")]
    told = [opening for _, opening in with_openings(given, "While you followed Bob, ")]
    assert told == ["While you were away, ", "Meanwhile, ", "While you followed Bob, ", "Meanwhile, ", "While you were away, "]
    assert list(with_openings([], "x")) == []
