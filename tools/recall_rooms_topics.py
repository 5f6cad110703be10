"""What people in generated rooms talk about: topics with facts, from the YAML files in tools/recall_scripts and tools/fit_scripts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

SCRIPTS = Path(__file__).with_name("recall_scripts")
"""What the measured rooms talk about."""
FITTED = Path(__file__).with_name("fit_scripts")
"""What the rooms talk about by which judges are fitted."""


LEFT_OUT = FITTED / "left_out.txt"


class TopicError(ValueError):
    """A file of topics that cannot be used."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(_Part):
    """A thing that can be told: `a` with a value of `v` in the place of {v}, maybe after the question `q`, followed by `then`.

    `ask` asks for the value, first in words of the line, then in others. `that` is what somebody said, as in "When did Anna say
    ...?". `fix` takes the value back and gives another one. For teaching alone: `also` asks for the value in still other ways, and
    `near` are questions that sound as if the line answered them, while nothing in the topic does; `fixes` take it back in other words;
    `adds` may be said later and takes nothing back, nor does `again`, which says the value once more.
    """

    a: str
    then: str
    ask: tuple[str, str]
    that: str
    v: tuple[str, ...] = Field(min_length=2)
    q: str | None = None
    fix: str | None = None
    also: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    adds: str | None = None
    again: str | None = None

    @model_validator(mode="after")
    def _has_a_value(self) -> Fact:
        if any("{v}" not in text for text in (self.a, self.fix or self.a, self.again or self.a, *self.fixes)):
            raise ValueError("{v} must stand in a, and in fix, fixes and again where there are such")
        return self


class Topic(_Part):
    """What one stretch of talk is about.

    `about` are two names of it, the first in words that are said, the second in others; `thing` is a word that only this topic
    has, `sense` one that another topic has in another meaning. Topics with the same `like` have similar facts.
    """

    name: str
    like: str
    about: tuple[str, str]
    thing: str
    open: str
    fill: tuple[str, ...] = Field(min_length=4)
    facts: tuple[Fact, ...] = Field(min_length=3)
    sense: str | None = None


def left_out() -> frozenset[str]:
    """The names of the topics of `FITTED` that nothing is taught with. One that was taught with once is not left out any more."""
    return frozenset(LEFT_OUT.read_text(encoding="utf-8").split())


@cache
def topics(folder: Path = SCRIPTS) -> tuple[Topic, ...]:
    """Every topic of a folder, by file and place in it. Raises TopicError for files that cannot be used, and for names given twice."""
    found: list[Topic] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found += [Topic.model_validate(entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]
        except (yaml.YAMLError, TypeError, ValidationError) as error:
            raise TopicError(f"topics {path}: cannot be used: {error}") from error
    names = [topic.name for topic in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not found:
        raise TopicError(f"topics {folder}: {'given twice: ' + ', '.join(twice) if twice else 'there are no topics in it'}")
    return tuple(found)
