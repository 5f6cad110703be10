"""Plain talks written out line by line, with questions and what answers them: the YAML files in tools/plain_talks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

PLAIN = Path(__file__).with_name("plain_talks")
MEASURED = ("mixed", "other")
"""How the names of the talks begin that are only measured on."""
WEIGHED_ON = ("meet",)
"""How those begin by which it is fitted how much the reader counts."""
HELD_OUT = (*MEASURED, *WEIGHED_ON)
"""How those begin that the reader is not taught with."""
# The library's own loader takes ten times as long.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TalkError(ValueError):
    """A file of talks that cannot be used."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Part):
    """A question: either the lines that answer it (`a`), or those that only seem to (`near`) where nothing in the talk does."""

    q: str
    a: tuple[int, ...] = ()
    near: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Asked:
        if bool(self.a) == bool(self.near):
            raise ValueError(f"{self.q!r} needs either a or near")
        return self


class WrittenTalk(_Part):
    """A talk of some people.

    `lines` are (number from 1, talker, text), in order. `about` are names of what is talked about, in other words than those that fall;
    `not_about` are names near to these, of what nobody talks about. `taken_back` are pairs of numbers: a line, and a later one that says
    that something else holds.
    """

    name: str
    lines: tuple[tuple[int, str, str], ...]
    asked: tuple[Asked, ...]
    about: tuple[str, ...]
    not_about: tuple[str, ...]
    taken_back: tuple[tuple[int, int], ...] = ()

    @model_validator(mode="after")
    def _numbers_are_lines(self) -> WrittenTalk:
        if [number for number, *_ in self.lines] != list(range(1, len(self.lines) + 1)):
            raise ValueError(f"{self.name}: lines must be numbered from 1")
        named = [number for asked in self.asked for number in (*asked.a, *asked.near)]
        named += [number for pair in self.taken_back for number in pair]
        if named and not 1 <= min(named) <= max(named) <= len(self.lines):
            raise ValueError(f"{self.name}: there are {len(self.lines)} lines")
        if any(first >= later for first, later in self.taken_back):
            raise ValueError(f"{self.name}: a line is taken back by a later one")
        return self

    def text(self, number: int) -> str:
        """What was said in a line, by its number."""
        return self.lines[number - 1][2]


@cache
def written_talks(folder: Path = PLAIN) -> tuple[WrittenTalk, ...]:
    """All talks of a folder, by file and place. Raises TalkError where a file is wrong, naming it."""
    found: list[WrittenTalk] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found += [WrittenTalk.model_validate(talk) for talk in yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)]
        except (yaml.YAMLError, ValidationError, TypeError) as error:
            raise TalkError(f"{path}: {error}") from error
    names = [talk.name for talk in found]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise TalkError(f"{folder}: {', '.join(sorted(doubled))} twice")
    return tuple(found)


def talks_named(beginnings: tuple[str, ...], *, apart: bool = False) -> list[WrittenTalk]:
    """The talks whose names begin with one of some texts; all others with `apart`."""
    return [talk for talk in written_talks() if talk.name.startswith(beginnings) is not apart]
