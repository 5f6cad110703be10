"""What sleep finds out, read as of a moment, is what it had found out by then, however much comes later and whenever it sleeps."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.granules import granule_store
from stages.memory.hashed_words import HashedWords
from stages.memory.links import link_step, link_store
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import EventRow, LineRow, SessionRow
from stages.memory.short_term_store.short_term import Leaving, ShortTermStore, Trace
from stages.memory.sleeping import duplicate_step, episode_rows
from stages.memory.sleeping.episode_rows import WORDED_BY
from stages.memory.sleeping.sleep import sleep
from stages.memory.sleeping.sleep_findings import FindingError
from stages.memory.sleeping.sleep_steps import sleep_steps
from stages.memory.sleeping.summary_step import Write
from stages.memory.tables.row_writer import utc_ns
from tests.stages.memory.counted_steps import counted_steps
from tests.stages.memory.made import STARTED_AT, event, line
from tests.stages.memory.made_older import made_older
from tests.stages.memory.made_sleep import NOW_NS, SUBJECTS

BEGAN = STARTED_AT.replace(hour=23, minute=40)
"""Midnight comes after 1200 s, and the first day is told after 3000 s."""
BEGINS_S = {"s0": 0, "s1": 100}
LEVELS = ("line", "event", "episode", "day", "prototype")


class Quick(HashedWords):
    """Encodes each text once, since the same few come again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Float32Array] = {}

    def encode(self, texts: Sequence[str]) -> Float32Array:
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        self.known.update(zip(new, super().encode(new), strict=True))
        return np.array([self.known[text] for text in texts], dtype=np.float32).reshape(len(texts), self.dimension)


QUICK = Quick()
QUERIES = QUICK.encode(["the ferry to the island", "bees and paper", "a wooden fence"])


@dataclass(frozen=True)
class Told:
    """Something that was talked about: seconds after the first session began, and how much later its end was known.

    Four subjects are told in several ways: with the fewer words, the greater the number is.
    """

    session: str
    start_s: int
    length_s: int
    lag_s: int
    people: tuple[str, ...]
    subject: int


@dataclass(frozen=True)
class Scene:
    """What was talked about, when the sessions ended, the moment that is asked about, and when the memory slept besides."""

    told: list[Told]
    ends_s: dict[str, int]
    moment_s: int
    naps_s: list[int]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Most is said around the moment, or around midnight, so that much is still going on then."""
    moment_s = draw(st.sampled_from([650, 1190, 1650, 3130, 3900]))
    # Lags of more than the pauses between them let events of one conversation be known out of the order in which they began.
    tuples = st.tuples(
        st.sampled_from(["s0", "s0", "s0", "s1"]),
        st.sampled_from([moment_s - 180, moment_s - 180, moment_s - 180, 1080]),
        st.integers(0, 24),
        st.integers(4, 60),
        st.sampled_from([0, 5, 100, 2100]),
        st.sampled_from([("t1", "t2"), ("t1", "t2"), ("t3", "t4"), ("t2",), ("t1", "t2", "t3")]),
        st.sampled_from([0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 2, 6]),
    )
    made = draw(st.lists(tuples, min_size=4, max_size=16))
    told = [Told(session, near + 15 * step, length, lag, who, what) for session, near, step, length, lag, who, what in made]
    ends_s = draw(st.fixed_dictionaries({"s0": st.sampled_from([3600, 9000]), "s1": st.sampled_from([900, 4100])}))
    naps = st.integers(200, 4000) | st.sampled_from([moment_s - 80, moment_s - 30, moment_s + 40, moment_s + 90])
    return Scene(told, ends_s, moment_s, draw(st.lists(naps, max_size=4, unique=True)))


@dataclass(frozen=True)
class Happening:
    """What reaches the memory at a moment, in seconds after the first session began."""

    at_s: float
    kind: str
    session: str
    what: Any


def happenings(told: Sequence[Told], ends_s: dict[str, int]) -> list[Happening]:
    found: list[Happening] = []
    known: set[tuple[str, str]] = set()
    for place, entry in enumerate(told):
        start_s = entry.start_s - BEGINS_S[entry.session]
        n_lines = len(entry.people) + 1
        each_s = entry.length_s / n_lines
        texts = SUBJECTS[entry.subject % 4].split()[: 11 - entry.subject // 4]
        said = [
            line(" ".join(texts[number % 3 :]), start_s + number * each_s, 0.9 * each_s, track=who, audio_s=0.0)
            for number, who in enumerate((*entry.people, entry.people[0]))
        ]
        keys = tuple(row.transcript.key for row in said)
        if known & {(entry.session, key) for key in keys}:
            continue
        known |= {(entry.session, key) for key in keys}
        last_s = BEGINS_S[entry.session] + said[-1].end_ns / NS_PER_S
        found += [Happening(BEGINS_S[entry.session] + row.end_ns / NS_PER_S, "line", entry.session, row) for row in said]
        closed = event(f"e{place:02d}", said, closed_s=last_s + entry.lag_s - BEGINS_S[entry.session])
        found.append(Happening(last_s + entry.lag_s, "event", entry.session, closed))
        trace = Trace(keys[0], said[0].embedding, 1.0, len(keys), keys, said[0].pts_ns, said[-1].end_ns)
        found.append(Happening(last_s + entry.lag_s + 1, "prototype", entry.session, trace))
        for later_s in (7, 40, 90)[: place % 4]:
            together = (f"{entry.session}-{keys[0]}", _first_line(told[place // 2]), _first_line(told[0]))
            found.append(Happening(last_s + entry.lag_s + later_s, "recall", entry.session, together))
    found += [Happening(end_s, "end", session, None) for session, end_s in ends_s.items()]
    return sorted(found, key=lambda entry: (entry.at_s, entry.kind))


def _first_line(told: Told) -> str:
    start_ms = 1000 * (told.start_s - BEGINS_S[told.session])
    return f"{told.session}-{told.people[0]}-{start_ms:08d}"


def store(memory: LongTermMemory, part: Sequence[Happening]) -> None:
    for entry in part:
        time_ns = round((entry.at_s - BEGINS_S[entry.session]) * NS_PER_S)
        if entry.kind == "line":
            said = entry.what.transcript
            row = LineRow(
                f"{entry.session}-{said.key}", entry.session, said.utterance.track.name, entry.what.pts_ns, entry.what.end_ns, 10.0, None,
                None, said.text, (), 0.9, "en",
            )  # fmt: skip
            memory.add_rows(entry.session, [row], entry.what.embedding[None, :], time_ns)
        elif entry.kind == "event":
            memory.add_event(entry.session, entry.what)
        elif entry.kind == "prototype":
            memory.prototypes.keep(entry.session, ShortTermStore(2), [(Leaving(entry.what.key, 0.0, entry.what), time_ns)])
        elif entry.kind == "recall":
            memory.strengths.recalled(list(entry.what), utc_ns(BEGAN + timedelta(seconds=entry.at_s)))
        else:
            memory.finish_session(entry.session, time_ns)


def nap(memory: LongTermMemory, at_s: float | None = None, write: Write | None = None) -> None:
    at_ns = NOW_NS if at_s is None else utc_ns(BEGAN + timedelta(seconds=at_s))
    for session in memory.sessions():
        if at_s is not None and not session.complete:
            memory.set_passed(session.id, round((at_s - BEGINS_S[session.id]) * NS_PER_S))
    sleep(memory, sleep_steps(write, 10_000), at_ns)


@contextlib.contextmanager
def crowded() -> Iterator[None]:
    """Bounds so narrow that a few events fill them: what is near is crowded out, and strong links take the places of others."""
    with (
        patch.object(link_store, "MOST_LINKS", 3),
        patch.object(link_step, "_N_NEAREST", 3),
        patch.object(duplicate_step, "_NEAR", 3),
        patch.object(granule_store, "_AROUND", 9),
    ):
        yield


def opened() -> LongTermMemory:
    memory = LongTermMemory(QUICK)
    memory.start()
    for session, begins_s in BEGINS_S.items():
        memory.begin_session(SessionRow(session, "x", BEGAN + timedelta(seconds=begins_s), 0, "mono", complete=False))
    return memory


def everything(memory: LongTermMemory, at: datetime | None) -> dict[str, Any]:
    """What sleep makes, as of a moment: each read by what it is called."""
    events = memory.events(level=None, at=at)
    seen: dict[str, Any] = {f"every {level}": memory.events(level=level, at=at) for level in ("event", "episode", "day")}
    seen["events of a session"] = memory.events("s1", level=None, at=at)
    for row in events:
        assert memory.event(row.id, at=at) == row
        if row.level == "event":
            seen[f"links of {row.id}"] = memory.links.of(row.id, at)
            seen[f"duplicates of {row.id}"] = (memory.findings.same_as(row.id, at=at), memory.findings.copies_of(row.id, at=at))
        else:
            seen[f"topic of {row.id}"] = memory.findings.topic(row.id, at=at)
    for level in LEVELS:
        for place, query in enumerate(QUERIES):
            for k in (1, 3, 50):
                found = memory.granules.search(query, k, level, at)
                # The cosines of what has grown since are taken without FAISS: they may differ in their last digits.
                seen[f"search {place} for {k} of level {level}"] = [
                    (entry.id, entry.key, entry.session, entry.start_ns, entry.end_ns, pytest.approx(entry.score, abs=1e-6))
                    for entry in found
                ]
            for entry in memory.granules.search(query, 50, level, at) if level != "line" else ():
                seen[f"lines of {level} {entry.id}, {place}"] = memory.granules.lines(entry, 9, query, at)
                seen[f"all lines of {level} {entry.id}"] = [hit.line for hit in memory.granules.lines(entry, 99, at=at)]
    seen["spans"] = memory.granules.search(QUERIES[0], 2, "span", at)
    some = [row.id for row in events][::2]
    seen["search among some"] = [entry.id for entry in memory.granules.search(QUERIES[0], 9, "episode", at, among=some)]
    seen["prototypes"] = [{**vars(row), "vector": None} for row in memory.prototypes.of(at=at)]
    seen["sessions"] = memory.sessions(at=at)
    seen["lines"] = memory.lines(at=at)
    return seen


def now(memory: LongTermMemory, seen: dict[str, Any]) -> None:
    """As of now is what is read without a moment, but that links of recall fade."""
    found = everything(memory, None)
    for what, as_of in seen.items():
        if what.startswith(("every", "events", "topic", "duplicates", "prototypes")):
            assert found[what] == as_of, what
        elif what.startswith("links"):
            kinds = [
                {
                    linked.event: {kind: weight if kind != "recall" else weight > 0 for kind, weight in linked.kinds.items()}
                    for linked in links
                }
                for links in (found[what], as_of)
            ]
            assert kinds[0] == kinds[1], what


def compared(before: dict[str, Any], after: dict[str, Any], without: Sequence[str] = ()) -> None:
    for what, found in before.items():
        if not any(part in what for part in without):
            assert after.get(what) == found, what
    assert set(before) == set(after)


def heard(scene: Scene) -> list[Happening]:
    """What happens in a scene, by time; nothing comes after the end of its session."""
    found = happenings(scene.told, scene.ends_s)
    return [entry for entry in found if entry.kind == "end" or entry.at_s < scene.ends_s[entry.session]]


def lived(memory: LongTermMemory, scene: Scene, borders: Sequence[int], write: Write | None = None) -> Iterator[int | None]:
    """Let a memory hear a scene, and sleep at each border and in the end; after each sleep when that was."""
    happened, last_s = heard(scene), -1.0
    for border_s in (*borders, None):
        upto_s = float("inf") if border_s is None else border_s
        store(memory, [entry for entry in happened if last_s < entry.at_s <= upto_s])
        last_s = upto_s
        nap(memory, border_s, write)
        yield border_s


@settings(max_examples=50, deadline=None)
@given(scene=scenes())
def test_what_comes_later_changes_nothing_that_sleep_had_found(scene: Scene) -> None:
    memory = opened()
    at = BEGAN + timedelta(seconds=scene.moment_s)
    seen: dict[str, Any] = {}
    with crowded():
        for border_s in lived(memory, scene, sorted({*scene.naps_s, scene.moment_s})):
            if border_s == scene.moment_s:
                seen = everything(memory, at)
                now(memory, seen)
            elif seen:
                compared(seen, everything(memory, at))
    assert memory.check() == []
    memory.stop()


@settings(max_examples=30, deadline=None)
@given(scene=scenes())
def test_it_makes_no_difference_when_sleep_comes(scene: Scene) -> None:
    """All but the names of topics, which depend on which episodes were named before."""
    found = []
    for borders in (sorted({*scene.naps_s, 2000}), []):
        memory = opened()
        with crowded():
            assert list(lived(memory, scene, borders))[-1] is None
            found.append([everything(memory, BEGAN + timedelta(seconds=seconds)) for seconds in (scene.moment_s, 20_000)])
        memory.stop()
    for once, other in zip(*found, strict=True):
        # The name of its topic may be what an episode is found by.
        compared(once, other, ("topic of", "of level episode", "search among"))


def test_a_day_that_was_told_has_an_event_that_was_known_later_only_from_then_on() -> None:
    memory = opened()
    told = [Told("s0", 1080, 20, 5, ("t1", "t2"), 0), Told("s0", 1095, 40, 2100, ("t1", "t2"), 1), Told("s0", 1125, 20, 0, ("t2",), 2)]
    moments = [2999, 3000, 3130, 3240]
    found: list[list[list[tuple[int, int]]]] = []
    for _ in lived(memory, Scene(told, {"s0": 9000, "s1": 900}, 0, []), [3130, 6000]):
        found.append([])
        for moment_s in moments:
            at = BEGAN + timedelta(seconds=moment_s)
            rows = memory.events("s0", level="day", at=at)
            hits = memory.granules.search(QUERIES[0], 9, "day", at)
            lines = [len(memory.granules.lines(hit, 99, at=at)) for hit in hits]
            assert [(hit.start_ns, hit.end_ns) for hit in hits] == [(row.start_ns, row.end_ns) for row in rows]
            found[-1].append([(row.summary.count(" … "), count) for row, count in zip(rows, lines, strict=True)])
    assert found == [[[], [(1, 5)], [(1, 5)], [(1, 5)]]] + [[[], [(1, 5)], [(1, 5)], [(2, 8)]]] * 2
    memory.stop()


def test_an_episode_that_turns_out_to_have_begun_before_midnight_leaves_the_days_their_lines() -> None:
    memory = opened()
    told = [Told("s0", 1080, 4, 0, ("t1",), 0), Told("s0", 1200, 4, 0, ("t1",), 0), Told("s0", 1155, 60, 2100, ("t1",), 1)]
    moments = [3130, 3315, 3600]
    found: list[list[list[str]]] = []
    for _ in lived(memory, Scene(told, {"s0": 9000, "s1": 900}, 0, []), [3130, 6000]):
        found.append([])
        for moment_s in moments:
            at = BEGAN + timedelta(seconds=moment_s)
            (day,) = memory.granules.search(QUERIES[0], 9, "day", at)
            found[-1].append([hit.line for hit in memory.granules.lines(day, 99, at=at)])
    before, after = ["s0-t1-01080000", "s0-t1-01082000"], ["s0-t1-01155000", "s0-t1-01185000"]
    assert found == [[before] * 3] + [[before, before + after, before + after]] * 2
    assert [row.start_ns // NS_PER_S for row in memory.events("s0", level="episode")] == [1080, 1155]
    memory.stop()


def test_two_that_turn_out_to_be_one_were_two_before() -> None:
    memory = opened()
    first = "alpha beta gamma delta epsilon zeta eta theta iota kappa"
    last = "gamma delta epsilon zeta eta theta iota kappa lambda mu"
    both = "beta gamma delta epsilon zeta eta theta iota kappa lambda"
    names = []
    for place, text in enumerate((first, last, first, both)):
        said = line(text, 100.0 * place, audio_s=0.0)
        memory.add_lines("s0", [said], 0)
        # Near by meaning all of them are; which say the same is told by their words.
        memory.add_event("s0", replace(event(f"e{place}", [said]), embedding=QUERIES[0].copy()))
        names.append(f"s0-e{place}")
    nap(memory)
    originals = {
        seconds: [memory.findings.same_as(name, at=BEGAN + timedelta(seconds=seconds)) for name in names] for seconds in (50, 150, 250, 350)
    }
    assert originals == {
        50: [None] * 4,
        150: [None] * 4,
        250: [None, None, names[0], None],
        350: [None, names[0], names[0], names[0]],
    }
    assert memory.findings.copies_of(names[0]) == names[1:]
    assert memory.findings.copies_of(names[0], at=BEGAN + timedelta(seconds=250)) == [names[2]]
    assert memory.findings.copies_of(names[1]) == []
    with memory.findings.database.writing() as connection:
        assert connection.execute("SELECT event, since FROM duplicates WHERE since IS NOT NULL").fetchall() == [(names[1], names[3])]
        connection.execute("DELETE FROM event_lines WHERE event = ?", (names[3],))
        connection.execute("DELETE FROM events WHERE id = ?", (names[3],))
    nap(memory)
    assert [memory.findings.same_as(name) for name in names[:3]] == [None, None, names[0]], "without what joined them they are two again"
    assert memory.check() == []
    with pytest.raises(FindingError, match="must carry its UTC offset"):
        memory.findings.same_as(names[0], at=datetime(2026, 11, 22))
    memory.stop()


@settings(max_examples=25, deadline=None)
@given(scene=scenes())
def test_a_models_words_are_of_what_was_known_and_of_what_has_not_grown_since(scene: Scene) -> None:
    """Words of a model for an episode that has grown since are not kept: it is told in its speakers' own words then."""
    memory = opened()
    at = BEGAN + timedelta(seconds=scene.moment_s)
    before: dict[str, EventRow] = {}
    for border_s in lived(memory, scene, sorted({*scene.naps_s, scene.moment_s}), lambda lines: " ".join(row.id for row in lines)):
        seen = {row.id: row for row in memory.events(level="episode", at=at)}
        known = {row.id for row in memory.lines(at=at)}
        # Over for a minute, an episode is told by the model; as of then only such episodes were.
        long_over = {row.id for row in memory.events(level="episode", at=at - timedelta(seconds=60))}
        for name, row in seen.items():
            if row.made_by == WORDED_BY:
                assert set(row.summary.split()) <= known
                assert name in long_over
        if border_s == scene.moment_s:
            before = seen
        elif before:
            assert set(seen) == set(before)
            for name, row in seen.items():
                if row != before[name]:
                    assert (before[name].made_by, row.made_by) == (WORDED_BY, "consolidation")
                    assert memory.event(name).end_ns > row.end_ns or memory.event(name).tracks != row.tracks or memory.event(name) != row
                    assert replace(row, summary="", made_by="") == replace(before[name], summary="", made_by="")
    assert (memory.examine().faults, memory.examine().repairs) == ((), ())
    memory.stop()


def test_a_day_on_which_no_episode_began_is_whole_and_grows_too() -> None:
    """All that was said on it belongs to an episode that began just before midnight."""
    told = [Told("s0", start_s, 4, 0, ("t1", "t2"), 0) for start_s in (1145, 1205)]
    memory = opened()
    assert list(lived(memory, Scene(told, {"s0": 3600, "s1": 900}, 1190, []), [1190])) == [1190, None]
    (episode,) = memory.events("s0", level="episode")
    days = memory.events("s0", level="day")
    assert [(day.start_ns // NS_PER_S, day.end_ns // NS_PER_S) for day in days] == [(1145, 1148), (1205, 1208)]
    assert episode.end_ns == days[1].end_ns
    told_ns = 1200 + 1800
    assert memory.events("s0", level="day", at=BEGAN + timedelta(seconds=told_ns - 1)) == []
    assert [day.id for day in memory.events("s0", level="day", at=BEGAN + timedelta(seconds=3600))] == [day.id for day in days]
    assert (memory.examine().faults, memory.examine().repairs) == ((), ())
    memory.stop()


def test_moments_move_with_their_session() -> None:
    memory = opened()
    told = [Told("s0", 560 + 30 * place, 20, 5, ("t1", "t2"), place % 4) for place in range(6)]
    scene = Scene(told, {"s0": 9000, "s1": 900}, 650, [])
    assert list(lived(memory, scene, [650])) == [650, None]
    at = BEGAN + timedelta(seconds=650)
    seen = everything(memory, at)
    assert seen["topic of s0-episode-e00"]
    (grown,) = memory.events("s0", level="episode")
    assert seen["every episode"] != [grown]
    assert seen["search 0 for 3 of level episode"]
    memory.correct_start("s0", BEGAN + timedelta(hours=1))
    moved = everything(memory, at + timedelta(hours=1))
    for what, found in seen.items():
        # Questions were asked when they were asked, wherever the session lies.
        if what.startswith(("every episode", "topic", "duplicates", "search")):
            assert moved[what] == found, what
    assert memory.events("s0", level="episode", at=at) == []
    memory.stop()


def test_an_older_memory_is_read_as_of_a_moment(tmp_path: Path) -> None:
    names = made_older(tmp_path, "2026-11 as of a moment", [f"the ferry leaves at {hour}" for hour in ("noon", "one", "two")])
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        whole = "SELECT {}, session, {}, 0, end_ns, ended_at_ns, 1.0, 'x', tracks, 'all of it', vector, {} FROM events WHERE id = ?"
        columns = "(id, session, level, start_ns, end_ns, ended_at_ns, surprise, reason, tracks, summary, vector, parent)"
        for name, level, parent in (("'s1-day-2026-11-22'", "'day'", "NULL"), ("'s1-episode-e0'", "'episode'", "'s1-day-2026-11-22'")):
            connection.execute(f"INSERT INTO events {columns} {whole.format(name, level, parent)}", (names[-1],))
        connection.execute("UPDATE events SET parent = 's1-episode-e0' WHERE level = 'event'")
        connection.execute("UPDATE sessions SET complete = 1, duration_ns = 30 * 1000000000")
        connection.execute("INSERT INTO topics (event, name, terms) VALUES ('s1-episode-e0', 'ferry', '{}')")
        connection.execute("INSERT INTO duplicates (event, same_as, likeness) VALUES (?, ?, 1.0)", (names[2], names[0]))
        link = "INSERT INTO links (a, b, kind, weight, made_at_ns, updated_at_ns) VALUES (?, ?, ?, 0.5, ?, ?)"
        recalled_ns = utc_ns(STARTED_AT) + 100 * NS_PER_S
        connection.execute(link, (names[0], names[1], "topic", NOW_NS, NOW_NS))
        connection.execute(link, (names[0], names[1], "recall", recalled_ns, recalled_ns + 50 * NS_PER_S))
    connection.close()
    memory = LongTermMemory(QUICK, str(tmp_path))
    memory.start()
    then, later = STARTED_AT + timedelta(seconds=15), STARTED_AT + timedelta(seconds=40)
    (row,) = memory.events(level="episode", at=then)
    assert (row.id, row.end_ns, row.summary) == ("s1-episode-e0", 11 * NS_PER_S, "the ferry leaves at noon … the ferry leaves at one")
    assert [row.summary for row in memory.events(level="episode", at=later)] == ["all of it"]
    assert [len(memory.events(level="day", at=at)) for at in (then, later)] == [0, 1]
    assert [memory.findings.topic("s1-episode-e0", at=at) for at in (then, later)] == [None, "ferry"]
    assert [memory.findings.same_as(names[2], at=at) for at in (then, later)] == [None, names[0]]
    assert [[set(entry.kinds) for entry in memory.links.of(names[0], at)] for at in (then, later)] == [[{"topic"}]] * 2
    recalls = [memory.links.of(names[0], STARTED_AT + timedelta(seconds=seconds))[0].kinds["recall"] for seconds in (100, 150)]
    assert recalls == [0.2, 0.5]
    assert [entry.id for entry in memory.granules.search(QUERIES[0], 3, "episode", then)] == ["s1-episode-e0"]
    assert memory.check() == []
    memory.stop()


def test_what_grew_at_a_moment_is_found_without_reading_what_came_before_or_after() -> None:
    """Counted are the operations of SQLite's machine."""
    memory = opened()
    connection = memory._database._writer
    assert connection is not None
    talked = [Told("s0", 560 + 30 * place, 20, 5, ("t1", "t2"), place % 4) for place in range(4)]
    found, costs = [], []
    for hours in (1, 40):
        told = [*talked, *(Told("s1", 1000 + 130 * place, 60, 5, ("t3", "t4"), place % 4) for place in range(25 * hours))]
        memory = opened()
        list(lived(memory, Scene(told, {"s0": 9000, "s1": 10**6}, 650, []), []))
        connection = memory._database._writer
        assert connection is not None
        with memory._database.reading() as reading, counted_steps(connection, 1) as steps:
            found.append(list(episode_rows.otherwise(reading, "episode", utc_ns(BEGAN + timedelta(seconds=650)))))
        costs.append(steps.count)
        memory.stop()
    assert found == [["s0-episode-e00"]] * 2
    assert costs[1] <= 1.25 * costs[0], costs
