"""`echoic ask`: over the daemon's HTTP API while it runs, else straight from the memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from pipeline.app import times
from pipeline.app.answer_audio import AnswerAudio
from pipeline.app.answer_screen import AnswerScreen
from pipeline.app.console import on_terminal, result_json, say
from pipeline.app.daemon_file import DaemonFile, DaemonGoneError, call, events, running_daemon
from pipeline.app.failures import CallerError, WorkError
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import recall_to_ask, start_of
from stages.memory.tables.row_writer import utc_ns

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

MAX_QUESTION_CHARACTERS = 2000

_Starts = dict[str, datetime]
"""When each session began."""


def ask(
    question: str,
    memory: MemoryDirectory,
    config: str | None,
    at: str | None,
    session: str | None,
    as_json: bool,
    audio: AnswerAudio | None = None,
    facing_deg: float | None = None,
) -> None:
    """Answer a question, print the answer, and let it be heard as `audio` says.

    On a terminal its first words are printed at once, everywhere else when it is whole.
    """
    checked_question(question)
    facing_deg = None if facing_deg is None else checked_facing(facing_deg, "--facing")
    screen = None if as_json else AnswerScreen(memory.path, at_once=on_terminal())
    daemon = running_daemon(memory) if config is None else None
    asked = _ask_daemon(daemon, question, at, session, facing_deg, screen) if daemon is not None else None
    answer, starts = asked or _ask_memory(question, memory, config, at, session, facing_deg, screen)
    if audio is not None:
        audio.add_raw(answer, memory)
    if screen is None:
        result_json(answer)
    else:
        screen.final(answer, starts)
    if audio is not None:
        audio.let_hear(answer, starts, memory, config)


def checked_question(question: str) -> str:
    """The question without the space around it. Raises CallerError where there is nothing to ask, or far too much."""
    text = question.strip()
    if not any(character.isalnum() for character in text):
        raise CallerError(f'the question is {question!r}; ask in words, such as "What did I miss?"')
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise CallerError(f"the question has {len(text)} characters; at most {MAX_QUESTION_CHARACTERS} are allowed")
    return text


def checked_facing(facing: Any, option: str) -> float:
    """The azimuth that the asker faces, in degrees. Raises CallerError for what is no such number."""
    if isinstance(facing, bool) or not isinstance(facing, int | float) or not isfinite(facing):
        raise CallerError(f"{option} is {facing!r}; give the azimuth that you face in degrees, such as 90")
    return float(facing)


def note_recalled(memory: LongTermMemory, answer: dict[str, Any]) -> None:
    """What an answer quotes grows stronger in memory."""
    lines = [entry["utterance"] for claim in answer["claims"] for entry in claim["evidence"]]
    memory.strengths.recalled(list(dict.fromkeys(lines)), utc_ns(times.now()))


def _ask_daemon(
    daemon: DaemonFile, question: str, at: str | None, session: str | None, facing_deg: float | None, screen: AnswerScreen | None
) -> tuple[dict[str, Any], _Starts] | None:
    """The daemon's answer; None when it has ended in the meantime, and everything it heard is in the memory."""
    body: dict[str, Any] = {"question": question, **({"at": at} if at else {}), **({"session": session} if session else {})}
    if facing_deg is not None:
        body["facing"] = facing_deg
    try:
        if screen is None or not screen.at_once:
            answer = call(daemon, "POST", "/ask", body)
        else:
            answer = _final(events(daemon, "/ask?stream=1", body), screen)
        rows = call(daemon, "GET", "/sessions")
    except DaemonGoneError:
        return None
    return answer, {row["id"]: datetime.fromisoformat(row["started_at"]) for row in rows}


def _final(parts: Iterator[tuple[str, Any]], screen: AnswerScreen) -> dict[str, Any]:
    """The whole answer of a stream of events, with its first words on the screen as they come. Raises WorkError, DaemonGoneError."""
    for name, data in parts:
        if name == "draft":
            screen.draft(data)
        elif name == "error":
            raise WorkError(f"the daemon failed: {data['error']}")
        elif name == "final":
            return dict(data)
    raise DaemonGoneError("the daemon ended in the middle of its answer; ask again")


def _ask_memory(
    question: str,
    memory: MemoryDirectory,
    config: str | None,
    at: str | None,
    session: str | None,
    facing_deg: float | None,
    screen: AnswerScreen | None,
) -> tuple[dict[str, Any], _Starts]:
    from stages.recall.answer_parts import Draft

    with recall_to_ask(memory, config) as (recall, long_term, _):
        moment = times.parse_moment(at, "--at", lambda: start_of(long_term, session)) if at else None
        rows = long_term.sessions()
        if not rows:
            say(f"nothing has been heard in {memory.path} yet; `echoic replay` and `echoic run` fill it")
        answer: dict[str, Any] = {}
        for part in recall.ask_stream(question, at=moment, now=times.now(), facing_deg=facing_deg):
            answer = part.to_json()
            if screen is not None and isinstance(part, Draft):
                screen.draft(answer)
        note_recalled(long_term, answer)
        return json.loads(json.dumps(answer)), {row.id: row.started_at for row in rows}
