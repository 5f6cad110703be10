"""What speakers and sounds may be called."""

from __future__ import annotations

import pytest

from stages.memory.people.given_names import GivenNameError, checked_name, is_automatic


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        (" Ann   B ", "Ann B"),
        ("Zoë", "Zoë"),
        ("李雷", "李雷"),
        ("x" * 80, "x" * 80),
        ("speaker-1", "speaker-1"),
        ("Speaker Smith", "Speaker Smith"),
    ],
)
def test_needless_space_goes(name: str, clean: str) -> None:
    assert checked_name(name, "speaker-1") == clean


@pytest.mark.parametrize("name", ["", " \n", "a\x00b", "a\x1b[31m", "a\u202eb", "\ud800", "x" * 81, "x" * 10**6])
def test_what_cannot_be_printed_or_is_too_long_is_refused(name: str) -> None:
    with pytest.raises(GivenNameError, match="a name must have 1 to 80 printable characters, such as 'Anna'") as caught:
        checked_name(name, "speaker-1")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", ["speaker-2", "Speaker-1", "SPEAKER 4", "speaker2", "sound-7", "speaker-1@talk"])
def test_ids_that_others_have_or_may_get_are_refused(name: str) -> None:
    assert is_automatic(name)
    with pytest.raises(GivenNameError, match="names of this form are given out by Echoic itself; give speaker-1 another one"):
        checked_name(name, "speaker-1")


def test_the_id_of_a_numbered_name_in_a_transcript_is_no_name() -> None:
    with pytest.raises(GivenNameError, match="names of this form"):
        checked_name("speaker-1@talk", "speaker-1@talk")
