"""`echoic ask`: over the daemon's HTTP API while it runs, else straight from the memory."""

from __future__ import annotations

import json
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from pipeline.app import times
from pipeline.app.answer_text import answer_text
from pipeline.app.console import result, result_json, say
from pipeline.app.daemon_file import DaemonFile, DaemonGoneError, call, running_daemon
from pipeline.app.failures import CallerError
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import recall_to_ask, start_of
from stages.memory.tables.row_writer import utc_ns

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

MAX_QUESTION_CHARACTERS = 2000


def ask(
    question: str,
    memory: MemoryDirectory,
    config: str | None,
    at: str | None,
    session: str | None,
    as_json: bool,
    facing_deg: float | None = None,
) -> None:
    """Answer a question and print the answer."""
    checked_question(question)
    facing_deg = None if facing_deg is None else checked_facing(facing_deg, "--facing")
    daemon = running_daemon(memory) if config is None else None
    asked = _ask_daemon(daemon, question, at, session, facing_deg) if daemon is not None else None
    answer, starts = asked or _ask_memory(question, memory, config, at, session, facing_deg)
    if as_json:
        result_json(answer)
    else:
        result(answer_text(answer, starts, memory.path))


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
    daemon: DaemonFile, question: str, at: str | None, session: str | None, facing_deg: float | None
) -> tuple[dict[str, Any], dict[str, datetime]] | None:
    """The daemon's answer; None when it has ended in the meantime, and everything it heard is in the memory."""
    body: dict[str, Any] = {"question": question, **({"at": at} if at else {}), **({"session": session} if session else {})}
    if facing_deg is not None:
        body["facing"] = facing_deg
    try:
        answer = call(daemon, "POST", "/ask", body)
        rows = call(daemon, "GET", "/sessions")
    except DaemonGoneError:
        return None
    return answer, {row["id"]: datetime.fromisoformat(row["started_at"]) for row in rows}


def _ask_memory(
    question: str, memory: MemoryDirectory, config: str | None, at: str | None, session: str | None, facing_deg: float | None
) -> tuple[dict[str, Any], dict[str, datetime]]:
    with recall_to_ask(memory, config) as (recall, long_term, _):
        moment = times.parse_moment(at, "--at", lambda: start_of(long_term, session)) if at else None
        rows = long_term.sessions()
        if not rows:
            say(f"nothing has been heard in {memory.path} yet; `echoic replay` and `echoic run` fill it")
        answer = recall.ask(question, at=moment, now=times.now(), facing_deg=facing_deg).to_json()
        note_recalled(long_term, answer)
        return json.loads(json.dumps(answer)), {row.id: row.started_at for row in rows}
