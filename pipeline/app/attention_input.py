"""Declarations of attention as people give them, on the command line, over HTTP or in a schedule: checked, with their moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.app import times
from pipeline.app.failures import CallerError
from pipeline.app.open_memory import known_session, start_of
from pipeline.graph import suggestion
from stages.memory.attention.attention_row import Attention, Kind, checked
from stages.memory.tables.row_writer import utc_ns

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

KINDS: tuple[Kind, ...] = ("azimuth", "speaker", "topic", "nothing", "away")
KEYS = (*KINDS, "reason", "from", "to", "session")
MOST_AT_ONCE = 1000
_ONE_OF = "give one of azimuth, speaker, topic, nothing, away"


def attention_of(memory: LongTermMemory, entry: Any, now: datetime, where: str = "") -> Attention:
    """One declaration from what was given; `where` stands before every message.

    `entry` has one of `KINDS` (nothing and away: true), with "reason" (of an absence), "from" (default: now), "to" and "session". Times are
    ISO 8601, or seconds from the start of the session (default: the latest) as "+12.5" or a number: a declaration with such a time is of
    that session alone. Raises CallerError, and SpeakerError for somebody who is not in the memory.
    """
    if not isinstance(entry, Mapping):
        raise CallerError(f'{where}found {entry!r}; give an object such as {{"topic": "dogs", "from": "+10"}}')
    for key in entry:
        if key not in KEYS:
            raise CallerError(f"{where}found {key!r}{suggestion(str(key), KEYS)}")
    given = {key: value for key, value in entry.items() if value is not None and value is not False}
    kinds = [kind for kind in KINDS if kind in given]
    if len(kinds) != 1:
        raise CallerError(f"{where}{_ONE_OF}: found {' and '.join(kinds) if kinds else 'none of them'}")
    kind = kinds[0]
    if "reason" in given and kind != "away":
        raise CallerError(f"{where}reason: only an absence (away) has a reason, found it with {kind}")
    session = _text(given, "session", where)
    session = known_session(memory, session) if session is not None else None
    begin, end = _time(given, "from", where), _time(given, "to", where)
    if any(time is not None and time.startswith("+") for time in (begin, end)):
        session = session or _latest(memory)
    starts = times.parse_moment(begin, f"{where}from", lambda: start_of(memory, session)) if begin is not None else now
    ends = times.parse_moment(end, f"{where}to", lambda: start_of(memory, session)) if end is not None else None
    if ends is not None and ends <= starts:
        since = "" if begin is not None else " (now, as no from was given)"
        raise CallerError(f"{where}to: {_clock(ends)} is not after from, {_clock(starts)}{since}; give a later time")
    _check_heard(memory, session, starts, ends, now, given_from=begin is not None, where=where)
    speaker = None
    if kind == "speaker":
        found = memory.speakers.find(_text(given, "speaker", where) or "")
        speaker = found.id
        # A number that came with a transcript means somebody else in each session.
        session = session or (found.sessions[0] if found.imported and not found.given else None)
    return checked(
        Attention(
            kind=kind,
            start_at_ns=utc_ns(starts),
            end_at_ns=None if ends is None else utc_ns(ends),
            session=session,
            azimuth_deg=_azimuth(given, where) if kind == "azimuth" else None,
            speaker=speaker,
            words=(_text(given, kind if kind == "topic" else "reason", where) or "") if _has_words(given, kind, where) else "",
        )
    )


def schedule_of(memory: LongTermMemory, entries: Any, now: datetime, where: str = "") -> list[Attention]:
    """The declarations of a schedule, a list of what `attention_of` takes. Raises as it does, saying which entry is wrong."""
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise CallerError(f'{where}a schedule is a list of declarations, such as [{{"away": true, "reason": "lunch", "from": "..."}}]')
    if len(entries) > MOST_AT_ONCE:
        raise CallerError(f"{where}{len(entries)} declarations at once; at most {MOST_AT_ONCE} are allowed")
    return [attention_of(memory, entry, now, f"{where}entry {place}: ") for place, entry in enumerate(entries, start=1)]


def declare(memory: LongTermMemory, body: Any, now: datetime) -> list[dict[str, Any]]:
    """Do what the body of a POST /attend says; the declarations that were made, or the one that was cleared.

    Raises CallerError, SpeakerError and AttentionError for what cannot be.
    """
    if isinstance(body, dict) and (doing := [key for key in ("clear", "schedule") if key in body]):
        if len(body) > 1:
            raise CallerError(f"{doing[0]} stands alone, found also {', '.join(sorted(set(body) - {doing[0]}))}")
        if doing == ["schedule"]:
            made = memory.attention.declare(schedule_of(memory, body["schedule"], now))
            return [attention_json(row) for row in made]
        if not isinstance(body["clear"], str):
            raise CallerError(f"clear: found {body['clear']!r}; give the id of a declaration, such as attention-1")
        return [attention_json(memory.attention.clear(body["clear"]))]
    return [attention_json(row) for row in memory.attention.declare([attention_of(memory, body, now)])]


def attention_json(row: Attention) -> dict[str, Any]:
    """A declaration as `attend --json` and the API show it; times in this machine's time zone."""
    return {
        "id": row.id,
        "kind": row.kind,
        "from": moment_at(row.start_at_ns).isoformat(),
        "to": None if row.end_at_ns is None else moment_at(row.end_at_ns).isoformat(),
        "session": row.session,
        "azimuth_deg": row.azimuth_deg,
        "speaker": row.name,
        "topic": row.words if row.kind == "topic" else None,
        "reason": (row.words or None) if row.kind == "away" else None,
        "says": row.told,
    }


def moment_at(at_ns: int) -> datetime:
    """A moment from nanoseconds since 1970, with the offset of this machine's time zone."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_ns // 1000)).astimezone()


def _has_words(given: Mapping[str, Any], kind: Kind, where: str) -> bool:
    """Whether a kind has words; those that stand for themselves must be true. Raises CallerError."""
    if kind in {"nothing", "away"} and given[kind] is not True:
        why = "; what it was stands in reason" if kind == "away" else ""
        raise CallerError(f"{where}{kind}: found {given[kind]!r}, but it must be true{why}")
    return kind in {"topic", "away"}


def _text(given: Mapping[str, Any], key: str, where: str) -> str | None:
    value = given.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise CallerError(f"{where}{key}: found {value!r}; give it as text that is not empty")
    return value


def _time(given: Mapping[str, Any], key: str, where: str) -> str | None:
    """A time as text; a plain number is seconds from a session's start."""
    value = given.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:+}"
    return _text(given, key, where)


def _azimuth(given: Mapping[str, Any], where: str) -> float:
    value = given["azimuth"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 360.0:
        raise CallerError(f"{where}azimuth: found {value!r}; give degrees from 0 to 360, counter-clockwise from the array's +x")
    return float(value)


def _latest(memory: LongTermMemory) -> str:
    start_of(memory, None)
    return max(memory.sessions(), key=lambda row: row.started_at).id


def _check_heard(
    memory: LongTermMemory, session: str | None, starts: datetime, ends: datetime | None, now: datetime, *, given_from: bool, where: str
) -> None:
    """A declaration is of time in which something was heard, or of time to come."""
    spans = []
    for row in memory.sessions():
        if session in (None, row.id):
            heard_ns = max(row.duration_ns, memory.passed_ns(row.id))
            spans.append((row.started_at, row.moment(heard_ns) if row.complete else None))
    if any((end is None or starts < end) and (ends is None or ends > start) for start, end in spans):
        return
    if session is None and (not given_from or starts >= now):
        return
    told = f"{_clock(starts)} to {_clock(ends)}" if ends is not None else f"{_clock(starts)} on"
    if not spans:
        raise CallerError(f"{where}from: nothing was heard from {told}: this memory has no session yet; leave it out for from now on")
    first, last = min(start for start, _ in spans), max(end or now for _, end in spans)
    which = f"session {session} goes" if session is not None else "its sessions go"
    raise CallerError(f"{where}from: nothing was heard from {told}: {which} from {_clock(first)} to {_clock(last)} (`echoic sessions`)")


def _clock(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="seconds")
