"""QMSum's meetings as transcripts that Echoic imports, with their questions and what is relevant to them.

QMSum: Zhong et al., NAACL 2021 (MIT). It has no times: turns follow each other at 2.5 words a second with half a second between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.packets import nanoseconds

_WORDS_PER_S = 2.5
_PAUSE_S = 0.5
_ANNOTATION = re.compile(r"\{[^}]*\}")


class MeetingsError(Exception):
    """The meetings are not where they were said to be."""


@dataclass(frozen=True)
class MeetingQuestion:
    """A question about a meeting; `relevant` are the places of the turns that answer it."""

    text: str
    relevant: frozenset[int]


@dataclass(frozen=True)
class MeetingTurn:
    """What somebody said in one go, at its place in the meeting."""

    place: int
    start_s: float
    end_s: float
    speaker: str
    text: str

    @property
    def start_ns(self) -> int:
        """When it starts, as an import keeps it."""
        return nanoseconds(self.start_s)


@dataclass(frozen=True)
class Meeting:
    """One meeting: its turns with words, and its specific questions."""

    name: str
    turns: tuple[MeetingTurn, ...]
    questions: tuple[MeetingQuestion, ...]

    @property
    def series(self) -> str:
        """The group that it is a meeting of: ES2004a to ES2004d are four meetings of one group."""
        return self.name.rstrip("abcd")

    def write(self, folder: Path) -> Path:
        """The meeting as JSON lines in the form that `echoic import` reads."""
        path = folder / f"{self.name}.jsonl"
        rows = ({"start_s": turn.start_s, "end_s": turn.end_s, "speaker": turn.speaker, "text": turn.text} for turn in self.turns)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path


def read_meetings(folder: Path) -> list[Meeting]:
    """Every meeting of a folder, by name. Raises MeetingsError."""
    meetings = [_meeting(path) for path in sorted(folder.glob("*.json"))]
    if not meetings:
        raise MeetingsError(f"{folder}: no .json file in it; give the folder of QMSum's meetings with --data")
    return meetings


def with_questions_of(meeting: Meeting, folder: Path) -> Meeting:
    """A meeting with the questions that a folder has for it in place of its own, a JSON file for each meeting. Raises MeetingsError."""
    path = folder / f"{meeting.name}.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        questions = tuple(MeetingQuestion(entry["q"], _turns(_inside(entry["q"], entry["spans"], meeting))) for entry in told)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise MeetingsError(f"{path}: not a file of questions to a meeting ({type(error).__name__}: {error})") from error
    return replace(meeting, questions=questions)


def tuning_half(meetings: Iterable[Meeting]) -> frozenset[str]:
    """The names of the meetings that constants were fitted on: those of every other series by name, from the first on.

    Meetings of one series are about one project, so they are all on one side.
    """
    meetings = list(meetings)
    series = sorted({meeting.series for meeting in meetings})
    return frozenset(meeting.name for meeting in meetings if series.index(meeting.series) % 2 == 0)


def _inside(question: str, spans: list[tuple[int, int]], meeting: Meeting) -> list[tuple[int, int]]:
    """The spans, where the meeting has all of their turns. Raises ValueError where it has not, and where there are no spans."""
    last = max((turn.place for turn in meeting.turns), default=-1)
    for first, to in spans:
        if not 0 <= first <= to <= last:
            raise ValueError(f"{question!r} is about turns {first} to {to}, and the meeting has 0 to {last}")
    if not spans:
        raise ValueError(f"{question!r} is about no turn")
    return spans


def _turns(spans: Iterable[tuple[int | str, int | str]]) -> frozenset[int]:
    """The places of the turns of some spans, each with its first and its last one."""
    return frozenset(place for first, last in spans for place in range(int(first), int(last) + 1))


def _meeting(path: Path) -> Meeting:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        turns: list[MeetingTurn] = []
        passed_s = 0.0
        for place, entry in enumerate(told["meeting_transcripts"]):
            text = " ".join(_ANNOTATION.sub(" ", entry["content"]).split())
            if text:
                end_s = round(passed_s + len(text.split()) / _WORDS_PER_S, 3)
                turns.append(MeetingTurn(place, passed_s, end_s, entry["speaker"], text))
                passed_s = round(end_s + _PAUSE_S, 3)
        questions = tuple(MeetingQuestion(entry["query"], _turns(entry["relevant_text_span"])) for entry in told["specific_query_list"])
    except (KeyError, TypeError, ValueError) as error:
        raise MeetingsError(f"{path}: not a meeting of QMSum ({type(error).__name__}: {error})") from error
    return Meeting(path.stem, tuple(turns), questions)
