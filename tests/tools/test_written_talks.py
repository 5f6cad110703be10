"""Talks written out by hand: what a file may hold, and what those that Echoic brings hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tools.written_talks import HELD_OUT, MEASURED, WEIGHED_ON, TalkError, WrittenTalk, talks_named, written_talks

_A_LONG_LINE = 8
_TALK = """
- name: a_shed
  lines:
    - [1, Ana, "My shed is falling apart."]
    - [2, Ben, "Who will mend it?"]
    - [3, Ana, "My cousin."]
  asked:
    - {q: "What state is the shed in?", a: [1]}
    - {q: "Who built it?", near: [3]}
  about: ["a broken shed"]
  not_about: ["a new car"]
"""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[2, Ben", "[4, Ben", "numbered from 1"),
        ("a: [1]", "a: [4]", "there are 3 lines"),
        ("a: [1]", "a: [1], near: [2]", "either a or near"),
        (", a: [1]", "", "either a or near"),
        ("not_about: [", "taken_back: [[3, 1]]\n  not_about: [", "by a later one"),
        ("name: a_shed", "nam: a_shed", "nam"),
        ("- name", "  name", "not a mapping|validation|expected"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_the_reason(tmp_path: Path, old: str, new: str, why: str) -> None:
    (tmp_path / "a.yaml").write_text(_TALK.replace(old, new), encoding="utf-8")
    with pytest.raises(TalkError, match=rf"a\.yaml: (?s:.*)(?:{why})"):
        written_talks(tmp_path)


def test_a_name_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(_TALK, encoding="utf-8")
    assert [talk.text(3) for talk in written_talks(tmp_path)] == ["My cousin."]
    other = tmp_path / "other"
    other.mkdir()
    for name in ("a.yaml", "b.yaml"):
        (other / name).write_text(_TALK, encoding="utf-8")
    with pytest.raises(TalkError, match="a_shed twice"):
        written_talks(other)


def test_the_talks_that_there_are() -> None:
    talks = written_talks()
    fields = Counter(talk.name.split("_")[0] for talk in talks)
    assert set(HELD_OUT) < set(fields)
    assert set(fields.values()) == {18}
    for talk in talks:
        answered = [asked for asked in talk.asked if asked.a]
        assert 13 <= len(answered) <= 15, talk.name
        assert 10 <= len(talk.asked) - len(answered) <= 13, talk.name
        assert len({asked.q for asked in talk.asked}) == len(talk.asked), talk.name
        assert len({who for _, who, _ in talk.lines}) >= 2, talk.name
        assert talk.taken_back, talk.name


def test_talks_are_chosen_by_how_their_names_begin() -> None:
    measured, weighed_on, taught = talks_named(MEASURED), talks_named(WEIGHED_ON), talks_named(HELD_OUT, apart=True)
    assert measured
    assert weighed_on
    assert sorted(talk.name for talk in (*measured, *weighed_on, *taught)) == sorted(talk.name for talk in written_talks())


def test_no_talk_is_one_of_those_that_are_held_out() -> None:
    said = {True: set[str](), False: set[str]()}
    for talk in written_talks():
        said[talk.name.startswith(HELD_OUT)] |= {text for *_, text in talk.lines if len(text.split()) > _A_LONG_LINE}
    assert not said[True] & said[False]


def test_a_line_is_found_by_its_number() -> None:
    talk = WrittenTalk(name="a", lines=((1, "A", "One."), (2, "B", "Two.")), asked=(), about=(), not_about=())
    assert [talk.text(number) for number in (1, 2)] == ["One.", "Two."]
