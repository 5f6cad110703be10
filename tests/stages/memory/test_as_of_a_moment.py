"""Every read as of a moment gives what it gave before anything later was stored."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, Gap, TalkerBlock, Track, Tracks
from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow
from stages.memory.tables.row_writer import utc_ns
from stages.memory.vectors.vector_index import IndexKind
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.keyword_recall import KeywordRecall
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line
from tests.stages.memory.made_sleep import nap
from tests.stages.memory.made_sounds import sound

MOMENT_S = 30
AT = STARTED_AT + timedelta(seconds=MOMENT_S)
BEGINS_S = {"s0": 0, "s1": 10, "s2": 20}
"""Two sessions were heard by the moment, one had only begun."""
WORDS = ("dogs", "bark", "ferry", "lunch", "budget", "numbers", "garden", "rain", "doctor", "station")
QUESTIONS = ("What did I miss?", "Who said something about the ferry?", "What about dogs and the budget?", "Did anybody hear a door?")

TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


@dataclass(frozen=True)
class Heard:
    """Something that was heard: when it began and ended, in seconds after the first session began."""

    kind: str
    session: str
    start_s: int
    end_s: int
    track: str
    text: str
    seed: int


@st.composite
def heard(draw: st.DrawFn, later: bool) -> list[Heard]:
    """What had ended by the moment, or what ended later."""
    found = []
    for place in range(draw(st.integers(1, 8))):
        session = draw(st.sampled_from(["s0", "s1", "s2"] if later else ["s0", "s1"]))
        if later:
            end_s = draw(st.integers(MOMENT_S + 1, 90))
            start_s = draw(st.integers(BEGINS_S[session], end_s - 1))
        else:
            start_s = draw(st.integers(BEGINS_S[session], MOMENT_S - 1))
            end_s = draw(st.integers(start_s + 1, MOMENT_S))
        kind = draw(st.sampled_from(["line", "line", "line", "copy", "gap", "sound", "unknown", "place"]))
        track = draw(st.sampled_from(["t1", "t2"])) + ("" if later and draw(st.booleans()) else f"-{place % 2}")
        found.append(Heard(kind, session, start_s, end_s, track, draw(TEXTS), draw(st.integers(0, 2))))
    return found


def store(memory: LongTermMemory, entries: Sequence[Heard], name: str) -> None:
    """Store what was heard: lines with their names in the order given, and an event of what was said in each session."""
    for session, begins_s in BEGINS_S.items():
        part = [entry for entry in entries if entry.session == session]
        if not part:
            continue
        memory.begin_session(SessionRow(session, "x", STARTED_AT + timedelta(seconds=begins_s), 0, "mono", complete=False))
        said = []
        for entry in part:
            start_s, length_s = entry.start_s - begins_s, entry.end_s - entry.start_s
            span = {"pts_ns": start_s * NS_PER_S, "duration_ns": length_s * NS_PER_S}
            if entry.kind in {"line", "copy"}:
                said.append(line(entry.text, start_s, length_s, entry.track, copy_of="x" if entry.kind == "copy" else None))
            elif entry.kind == "gap":
                memory.add_gap(session, Gap(**span, reason="dropped"))
            elif entry.kind == "place":
                end = Tracks(
                    pts_ns=(start_s + length_s) * NS_PER_S, duration_ns=1, tracks=(Track(name=entry.track, azimuth_deg=40.0 * entry.seed),)
                )
                memory.add_tracks(session, end)
            else:
                label = "Door" if entry.kind == "sound" else None
                memory.sounds.add(session, sound(label, start_s, length_s, seed=entry.seed, noise=0.1))
        there = {row.id for row in memory.lines(session, copies=True)}
        fresh = list({f"{session}-{entry.transcript.key}": entry for entry in said}.items())
        new = [entry for key, entry in fresh if key not in there]
        rows = [_row(session, entry) for entry in new]
        vectors = np.stack([entry.embedding for entry in new]) if new else np.zeros((0, 384), dtype=np.float32)
        memory.add_rows(session, rows, vectors, max(entry.end_s for entry in part) * NS_PER_S)
        if new:
            memory.add_event(session, event(f"event-{name}", new))


def _row(session: str, said: Any) -> LineRow:
    transcript = said.transcript
    track = transcript.utterance.track
    return LineRow(
        f"{session}-{transcript.key}", session, track.name, said.pts_ns, said.end_ns, track.azimuth_deg, None, f"Anna {track.name}",
        transcript.text, (), 0.9, "en", copy_of=transcript.copy_of,
    )  # fmt: skip


def talk(memory: LongTermMemory, start_s: int, n_s: int) -> None:
    """Two talkers on one microphone, one of whom speaks on from the block before."""
    active = np.zeros((2, n_s), dtype=np.bool_)
    active[0, :] = True
    active[1, n_s // 2 :] = True
    block = TalkerBlock(
        pts_ns=start_s * NS_PER_S,
        duration_ns=n_s * NS_PER_S,
        track=Track(name="m", azimuth_deg=None),
        talkers=(0, 5),
        active=active,
        step_ns=NS_PER_S,
    )
    memory.talkers.add_block("s0", block)


def everything(memory: LongTermMemory, at: datetime) -> dict[str, Any]:
    """Every public read that takes a moment, as of one."""
    at_ns = utc_ns(at)
    spans = {"s0": (0, 25 * NS_PER_S), "s1": (5 * NS_PER_S, 40 * NS_PER_S)}
    query = ENCODER.encode(["dogs bark at the ferry"])[0]
    seen = {
        "sessions": memory.sessions(at=at),
        "lines": memory.lines(copies=True, at=at),
        "lines in a span": memory.lines("s0", start_ns=3 * NS_PER_S, end_ns=20 * NS_PER_S, at=at),
        "events": memory.events(level=None, at=at),
        "tracks": memory.tracks(at=at),
        "positions": [memory.positions(session, at=at) for session in BEGINS_S],
        "gaps": memory.gaps(at=at),
        "sounds": memory.sounds.rows(at=at),
        "groups": memory.sounds.groups(at=at),
        "turns": memory.talkers.turns("s0", at=at),
        "speakers": memory.speakers.rows(at_ns),
        "names": memory.speakers.names(at_ns),
        "meaning": memory.search_dense(query, 4, at),
        "rows": [_ids(memory, memory.rows_among(spans, at=at)), _ids(memory, memory.rows_among(spans, "Anna t1-0", at=at))],
        "meaning in spans": memory.search_dense(query, 4, at, memory.rows_among(spans, at=at)),
        "words in spans": memory.search_words("ferry budget dogs", 4, at, memory.rows_among(spans, at=at)),
    }
    seen |= {f"words {text}": memory.search_words(text, 3, at) for text in ("dogs", "budget and rain", " ".join(WORDS))}
    seen["event"] = [memory.event(row.id, at=at) for row in memory.events(level=None, at=at)]
    for recall in (KeywordRecall(memory, Extractive()), HybridRecall(memory, ENCODER, Extractive(ENCODER))):
        for text in QUESTIONS:
            answer = recall.ask(text, at=at, now=STARTED_AT + timedelta(days=9)).to_json()
            del answer["timing_ms"]
            seen[f"{type(recall).__name__} {text}"] = json.loads(json.dumps(answer))
    return seen


def _ids(memory: LongTermMemory, rows: Any) -> list[str]:
    with memory._database.reading() as connection:
        return [connection.execute("SELECT id FROM lines WHERE n = ?", (int(row),)).fetchone()[0] for row in rows]


@settings(max_examples=40, deadline=None)
@given(before=heard(later=False), after=heard(later=True))
def test_what_came_later_changes_no_read(before: list[Heard], after: list[Heard]) -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    for session, begins_s in BEGINS_S.items():
        memory.begin_session(SessionRow(session, "x", STARTED_AT + timedelta(seconds=begins_s), 0, "mono", complete=False))
    store(memory, before, "before")
    talk(memory, 10, 20)
    nap(memory)
    seen = everything(memory, AT)
    store(memory, after, "after")
    memory.begin_session(SessionRow("s9", "x", AT + timedelta(seconds=1), 0, "mono", complete=False))
    talk(memory, MOMENT_S, 8)
    for found in memory.sessions():
        memory.finish_session(found.id, 95 * NS_PER_S)
    nap(memory)
    again = everything(memory, AT)
    for what, answer in seen.items():
        assert again[what] == answer, what
    assert memory.check() == []
    memory.stop()


@pytest.mark.parametrize("index", ["flat", "hnsw", "ivf_sq8", "ivf_pq"])
def test_lines_that_came_later_are_never_found(index: IndexKind) -> None:
    memory = LongTermMemory(ENCODER, index=index)
    memory.start()
    memory.begin_session(SessionRow("s0", "x", STARTED_AT, 0, "mono", complete=False))
    said = [line(f"dogs bark at ferry {n}", n, 1.0) for n in range(60)]
    memory.add_lines("s0", said, 60 * NS_PER_S)
    for among in (None, memory.rows_among({"s0": (0, 50 * NS_PER_S)}, at=AT)):
        for hits in (memory.search_dense(said[50].embedding, 50, AT, among), memory.search_words("dogs ferry 50", 50, AT, among)):
            assert len(hits) == 30
            assert {hit.line for hit in hits} == {row.id for row in memory.lines(at=AT)}
    memory.stop()


def test_words_that_are_everywhere_later_are_found_as_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without counting as of then, the newest lines would be looked at, none of which had been said."""
    monkeypatch.setattr("stages.memory.words.word_search._BUDGET", 20)
    monkeypatch.setattr("stages.memory.words.word_search._NEWEST", 10)
    monkeypatch.setattr("stages.memory.tables.row_filters.MOST_ROWS", 5)
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(SessionRow("s0", "x", STARTED_AT, 0, "mono", complete=False))
    said = [line(f"the ferry leaves {'soon' if n == 7 else 'late'}", n, 1.0) for n in range(100)]
    memory.add_lines("s0", said, 100 * NS_PER_S)
    found = memory.search_words("soon ferry", 3, STARTED_AT + timedelta(seconds=15))
    assert found[0].line == "s0-t1-00007000"
    assert len(found) == 3
    assert len(memory.search_words("ferry", 20, STARTED_AT + timedelta(seconds=40))) == 10
    memory.stop()


def test_a_sound_that_recurs_only_later_is_no_group_before() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(SessionRow("s0", "x", STARTED_AT, 0, "mono", complete=False))
    for start_s in (5, 50, 70):
        memory.sounds.add("s0", sound(None, start_s, seed=1, noise=0.1))
    assert [(group.id, group.n_heard) for group in memory.sounds.groups()] == [("sound-1", 3)]
    assert (memory.sounds.groups(at=AT), memory.sounds.rows(at=AT)) == ([], [])
    assert [group.n_heard for group in memory.sounds.groups(at=AT + timedelta(seconds=30))] == [2]
    memory.stop()


def test_a_longer_line_later_lets_no_other_lines_in() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(SessionRow("s0", "x", STARTED_AT, 0, "mono", complete=False))
    memory.add_lines("s0", [line("before", 5, 2.0), line("inside", 11, 2.0)], 20 * NS_PER_S)
    spans = {"s0": (10 * NS_PER_S, 20 * NS_PER_S)}
    before = _ids(memory, memory.rows_among(spans, at=AT))
    memory.add_lines("s0", [line("long", 31, 50.0)], 90 * NS_PER_S)
    assert before == _ids(memory, memory.rows_among(spans, at=AT)) == ["s0-t1-00011000"]
    memory.stop()


def test_a_session_is_as_long_as_it_had_been_heard() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(SessionRow("s0", "x", STARTED_AT, 0, "mono", complete=False))
    memory.add_lines("s0", [line("one", 3, 2.0), line("two", 28, 9.0)], 40 * NS_PER_S)
    memory.finish_session("s0", 60 * NS_PER_S)
    assert [(row.duration_ns, row.complete) for row in memory.sessions(at=AT)] == [(5 * NS_PER_S, False)]
    assert [(row.duration_ns, row.complete) for row in memory.sessions(at=AT + timedelta(seconds=30))] == [(60 * NS_PER_S, True)]
    assert memory.sessions(at=STARTED_AT - timedelta(seconds=1)) == []
    memory.stop()


def test_every_read_takes_a_moment_or_is_named_here() -> None:
    """A new read has to take `at`, or has a reason to stand in this list."""
    without = {
        "session_row": "one session by its id, as it is now",
        "vectors": "of lines that the caller has",
        "salience": "how much lines matter is known only later",
        "passed_ns": "where a crashed session goes on",
        "arrivals": "where a crashed session goes on",
        "tend_index": "no read",
        "check": "all of the memory, as it is now",
        "examine": "all of the memory, as it is now",
    }
    writes = {"start", "stop", "memory_bytes", "begin_session", "correct_start", "finish_session", "drop_empty_session"}
    reads = {}
    for name, method in inspect.getmembers(LongTermMemory, inspect.isfunction):
        if not name.startswith(("_", "add_", "set_", "name_")) and name not in writes:
            reads[name] = "at" in inspect.signature(method).parameters
    assert {name for name, takes in reads.items() if not takes} <= set(without)
    assert {"sessions", "lines", "events", "event", "tracks", "positions", "gaps", "search_dense", "search_words", "rows_among"} <= {
        name for name, takes in reads.items() if takes
    }


def test_every_read_of_the_parts_takes_a_moment_or_is_named_here() -> None:
    without = {
        "speakers": {
            "name_of": "who somebody is, is told as it is known now",
            "find": "whom a correction means",
            "likely": "who speaks just now",
        },
        "talkers": {"ends_ns": "where a crashed session goes on"},
        "sounds": {"last_ends": "where a crashed session goes on", "heard": "where a crashed session goes on"},
        "links": {"n_due": "what sleep has to do"},
        "findings": {"n_due": "what sleep has to do"},
        "strengths": {"of": "takes the moment in nanoseconds", "of_event": "takes the moment in nanoseconds"},
        "granules": {"neighbours": "takes the moment in nanoseconds", "used_bytes": "the index, as it is now"},
        "prototypes": {"take_up": "where a crashed session goes on"},
    }
    writes = {
        "add",
        "add_block",
        "add_voice",
        "rename",
        "merge",
        "split",
        "name",
        "strengthen",
        "recalled",
        "absorb",
        "keep",
        "attach",
        "purge",
    }
    memory = LongTermMemory(ENCODER)
    for part, names in without.items():
        reads = {
            name: bool({"at", "at_ns"} & set(inspect.signature(method).parameters))
            for name, method in inspect.getmembers(getattr(memory, part), inspect.ismethod)
            if not name.startswith("_") and name not in writes
        }
        assert {name for name, takes in reads.items() if not takes} <= set(names), part
        assert any(reads.values()), part
