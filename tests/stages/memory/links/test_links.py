"""Links between events: made in sleep, strengthened by recall, bounded, as of a moment, and gone with their event."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.packets import NS_PER_S
from stages.memory.links import link_store
from stages.memory.links.link_history import MOST_CHANGES, appended, changes, weight_at
from stages.memory.links.link_step import Link
from stages.memory.links.link_store import LinkedEvent, LinkError
from stages.memory.links.link_weights import HALF_LIFE_NS, MOST_LINKS, RATE, decayed, joined, shared, strengthened
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.rows import LineRow
from stages.memory.tables import row_writer
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row
from tests.stages.memory.made_older import made_older

NOW_NS = row_writer.utc_ns(STARTED_AT) + 3600 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S


def opened(directory: Path | str = "", session: str = "s1") -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory) if directory else "")
    memory.start()
    memory.begin_session(session_row(session))
    return memory


def say(memory: LongTermMemory, name: str, text: str, start_s: float, tracks: Sequence[str] = ("t1",), session: str = "s1") -> str:
    """An event of one line for each track."""
    lines = [line(f"{text} {place}", start_s + place, 0.9, track=track, audio_s=0.0) for place, track in enumerate(tracks)]
    memory.add_lines(session, lines, 0)
    memory.add_event(session, event(name, lines))
    return f"{session}-{name}"


def sleep(memory: LongTermMemory, limit: int = 3, at_ns: int = NOW_NS) -> int:
    done = 0
    while count := Link().work(memory, at_ns, limit):
        assert count <= limit
        done += count
    return done


def kinds(memory: LongTermMemory, name: str, at: datetime | None = None) -> dict[str, set[str]]:
    return {entry.event: set(entry.kinds) for entry in memory.links.of(name, at)}


def recall(memory: LongTermMemory, names: Sequence[str], at_ns: int = NOW_NS) -> int:
    with memory.links.database.writing() as connection:
        return memory.links.strengthen(connection, names, at_ns)


def weight(memory: LongTermMemory, one: str, other: str, at: datetime | None = None) -> float:
    return next((entry.kinds.get("recall", 0.0) for entry in memory.links.of(one, at) if entry.event == other), 0.0)


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    made = opened()
    yield made
    assert made.check() == []
    made.stop()


def test_weights_rise_by_recall_fade_with_time_and_stay_below_one() -> None:
    held = 0.0
    for _ in range(200):
        risen = strengthened(held, 0)
        assert held <= risen <= 1.0
        held = risen
    assert strengthened(0.0, 0) == RATE
    assert strengthened(RATE, 0) == pytest.approx(0.36)
    assert decayed(0.8, HALF_LIFE_NS) == pytest.approx(0.4)
    assert decayed(0.8, -5) == 0.8
    assert strengthened(0.5, HALF_LIFE_NS) == pytest.approx(0.25 + RATE * 0.75)
    assert shared(["a", "b"], ["b", "c", "d"]) == 0.125
    assert shared(["a", "b"], ["b", "a"]) == 0.5
    assert shared([], []) == 0.0
    assert joined([0.5, 0.5]) == 0.75
    assert joined([]) == 0.0


def test_sleep_links_events_about_the_same_and_of_the_same_people(memory: LongTermMemory) -> None:
    ferry = say(memory, "ferry", "the ferry to the island leaves on saturday", 1, ["t1", "t2"])
    fence = say(memory, "fence", "painting that old wooden fence", 10, ["t2"])
    again = say(memory, "again", "the ferry to the island leaves on sunday", 20, ["t3"])
    assert memory.links.of(ferry) == []
    assert memory.links.n_due() == 3
    assert sleep(memory) == 3
    assert memory.links.n_due() == 0
    assert kinds(memory, ferry) == {again: {"topic"}, fence: {"people"}}
    topic, people = memory.links.of(ferry)
    assert (topic.event, people.event, people.kinds) == (again, fence, {"people": 0.25})
    assert 0.5 < topic.weight == topic.kinds["topic"] <= 1.0
    assert kinds(memory, again) == {ferry: {"topic"}}
    assert sleep(memory) == 0


def test_interrupted_or_not_the_links_are_the_same(tmp_path: Path) -> None:
    def made(name: str, limits: Sequence[int]) -> list[tuple[object, ...]]:
        memory = opened(tmp_path / name)
        for place in range(24):
            say(memory, f"e{place}", f"about subject{place % 3} once more", 4.0 * place, [f"t{place % 4}", f"t{place % 5}"])
        for limit in limits:
            Link().work(memory, NOW_NS, limit)
            memory.stop()
            memory = LongTermMemory(ENCODER, str(tmp_path / name))
            memory.start()
        sleep(memory, 100)
        with memory.links.database.reading() as connection:
            rows = connection.execute("SELECT a, b, kind, weight FROM links ORDER BY a, b, kind").fetchall()
        memory.stop()
        return rows

    whole = made("whole", [])
    assert len(whole) > 30
    assert made("cut", [1, 5, 2]) == whole


def test_a_transaction_that_dies_leaves_what_was_due(memory: LongTermMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in range(4):
        say(memory, f"e{place}", "about the same thing", 5.0 * place)

    def dies(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("stages.memory.links.link_step.keep_strongest", dies)
        with pytest.raises(KeyboardInterrupt):
            Link().work(memory, NOW_NS, 4)
    assert memory.links.n_due() == 4
    assert memory.links.of("s1-e0") == []
    assert sleep(memory) == 4
    assert len(memory.links.of("s1-e0")) == 3


def test_recalled_together_is_linked_and_fades_again(memory: LongTermMemory) -> None:
    names = [say(memory, f"e{place}", f"subject{place}", 5.0 * place) for place in range(10)]
    assert recall(memory, [names[0], names[1], names[0], "nothing"]) == 1
    assert weight(memory, names[0], names[1]) == RATE
    assert weight(memory, names[1], names[0]) == RATE
    recall(memory, names[:2], NOW_NS + HALF_LIFE_NS)
    assert weight(memory, names[0], names[1]) == pytest.approx(RATE / 2 + RATE * (1 - RATE / 2))
    assert weight(memory, names[0], names[1], STARTED_AT + timedelta(seconds=3600)) == RATE, "what came later is not known yet"
    later = STARTED_AT + timedelta(seconds=3600, days=60)
    assert weight(memory, names[0], names[1], later) == pytest.approx(0.5 * weight(memory, names[0], names[1]))
    assert memory.links.of(names[0], STARTED_AT + timedelta(seconds=3599)) == []
    assert recall(memory, names) == 28, "eight at most"
    assert recall(memory, names[:1]) == recall(memory, []) == 0


def test_a_clock_that_was_set_back_breaks_nothing(memory: LongTermMemory) -> None:
    one, other = (say(memory, f"e{place}", f"subject{place}", 5.0 * place) for place in range(2))
    recall(memory, [one, other], NOW_NS)
    recall(memory, [one, other], NOW_NS - 100 * DAY_NS)
    assert weight(memory, one, other) == pytest.approx(strengthened(RATE, 0))
    with memory.links.database.reading() as connection:
        assert connection.execute("SELECT made_at_ns, updated_at_ns FROM links WHERE kind = 'recall'").fetchall() == [(NOW_NS, NOW_NS)]


def test_as_of_a_moment_no_later_event_is_linked(memory: LongTermMemory) -> None:
    early, late = (say(memory, name, "the ferry to the island", start_s) for name, start_s in (("early", 1), ("late", 100)))
    sleep(memory)
    before = STARTED_AT + timedelta(seconds=50)
    assert kinds(memory, early) == {late: {"people", "topic"}}
    assert memory.links.of(early, before) == []
    assert memory.links.of(late, before) == [], "an event that was not known yet has no links"
    assert kinds(memory, late, STARTED_AT + timedelta(seconds=102)) == {early: {"people", "topic"}}
    with pytest.raises(LinkError, match="must carry its UTC offset"):
        memory.links.of(early, datetime(2026, 11, 22))
    with pytest.raises(LinkError, match="event 'none' is not in this memory; `echoic events` lists them"):
        memory.links.of("none")
    with pytest.raises(MemorySettingsError, match="links: min_cosine must be 0 to 1, found 2"):
        Link(2)


def test_a_link_that_gave_way_to_stronger_ones_was_there_before(memory: LongTermMemory) -> None:
    """Each is like the first, but for a word; the later, the more like it they are."""
    text = "the ferry to the small island leaves on saturday from the harbour"
    words = text.split()
    first = say(memory, "first", text, 1, ["t0"])
    far = say(memory, "far", " ".join(words[:8]), 5, ["t1"])
    others = [say(memory, f"e{place:02}", text, 10.0 + 5 * place, [f"t{place + 2}"]) for place in range(20)]
    sleep(memory, 100)
    whole = {"topic"}
    assert far not in kinds(memory, first)
    assert len(kinds(memory, first)) == MOST_LINKS
    before = STARTED_AT + timedelta(seconds=60)
    assert kinds(memory, first, before) == {far: whole, **dict.fromkeys([name for name in others if name < "s1-e10"], whole)}
    after = STARTED_AT + timedelta(seconds=1000)
    assert kinds(memory, first, after) == kinds(memory, first)
    assert far not in kinds(memory, others[-1], after)
    with memory.links.database.writing() as connection:
        (newest,) = connection.execute(
            "SELECT dropped_by FROM links WHERE dropped_by IS NOT NULL AND a = ? AND b = ?", (far, first)
        ).fetchone()
        connection.execute("DELETE FROM event_lines WHERE event = ?", (newest,))
        connection.execute("DELETE FROM events WHERE id = ?", (newest,))
    assert far not in kinds(memory, first, before), "with what took its place the trace of it is gone"


def test_as_of_a_moment_recalls_weigh_what_they_weighed_then(memory: LongTermMemory) -> None:
    one, other, *more = (say(memory, f"e{place:02}", f"subject{place}", 5.0 * place) for place in range(20))
    moments = [3600 + 60 * place for place in range(4)]
    weights = []
    for seconds in moments:
        recall(memory, [one, other], row_writer.utc_ns(STARTED_AT) + seconds * NS_PER_S)
        weights.append(weight(memory, one, other))
    assert weights == sorted(set(weights))
    for name in more[:16]:
        for seconds in (4000, 4001, 4002, 4003, 4004):
            recall(memory, [one, name], row_writer.utc_ns(STARTED_AT) + seconds * NS_PER_S)
    gone = weight(memory, one, other)
    assert gone == 0.0, "sixteen others are stronger"
    assert [weight(memory, one, other, STARTED_AT + timedelta(seconds=seconds)) for seconds in moments] == weights
    assert weight(memory, one, other, STARTED_AT + timedelta(seconds=3599)) == 0.0
    recall(memory, [one, other], row_writer.utc_ns(STARTED_AT) + 9000 * NS_PER_S)
    assert weight(memory, one, other) == RATE, "it begins anew"
    assert weight(memory, one, other, STARTED_AT + timedelta(seconds=5000)) == 0.0


def test_a_history_keeps_the_latest_changes() -> None:
    known: list[tuple[int, float]] = [(0, RATE)]
    for moment in range(1, 200):
        known = changes(0, moment, 0.5, appended(known, moment, 0.5))
    assert len(known) == MOST_CHANGES
    assert known[0][0] == 200 - MOST_CHANGES
    assert weight_at(known, 100) == 0.0
    assert weight_at(known, 150) == 0.5


def test_an_event_keeps_its_strongest_links(memory: LongTermMemory) -> None:
    names = [say(memory, f"e{place:02}", "quite the same words all over", 5.0 * place) for place in range(30)]
    sleep(memory, 100)
    for place in range(1, 30):
        for _ in range(1 + place % 3):
            recall(memory, [names[0], names[place]])
    for name in names:
        counts = [sum(kind in entry.kinds for entry in memory.links.of(name)) for kind in link_store.KINDS]
        assert max(counts) <= MOST_LINKS
    kept = [entry for entry in memory.links.of(names[0]) if "recall" in entry.kinds]
    assert len(kept) == MOST_LINKS
    assert {entry.event for entry in kept} >= {names[place] for place in range(1, 30) if place % 3 == 2}, "the strongest"
    weakest = next(name for name in names[1:] if name not in {entry.event for entry in kept})
    recall(memory, [names[0], weakest])
    assert weight(memory, names[0], weakest) == RATE, "one that has just begun may grow"
    assert sum("recall" in entry.kinds for entry in memory.links.of(names[0])) == MOST_LINKS


def test_an_event_that_is_recalled_without_end_keeps_a_bounded_number_of_links(memory: LongTermMemory) -> None:
    """Each time with another: what gave way is there for who asks as of before, but not all of it for ever."""
    names = [say(memory, f"e{number}", f"text {number}", 10.0 * number) for number in range(120)]
    for number, name in enumerate(names[1:]):
        recall(memory, [names[0], name], NOW_NS + number)
    with memory.links.database.reading() as connection:
        count = "SELECT count(*), sum(dropped_by IS NULL) FROM links WHERE kind = 'recall' AND (a = ? OR b = ?)"
        n_links, n_held = connection.execute(count, (names[0], names[0])).fetchone()
    assert n_held == MOST_LINKS
    assert n_links <= MOST_LINKS + 64
    assert weight(memory, names[0], names[-1]) > 0.0


def test_changed_words_and_corrected_people_are_linked_anew(memory: LongTermMemory) -> None:
    one = say(memory, "one", "the ferry to the island", 1, ["t1"])
    other = say(memory, "other", "the ferry to the island", 10, ["t2"])
    sleep(memory)
    assert kinds(memory, one) == {other: {"topic"}}
    memory.speakers.merge("speaker-2", "speaker-1")
    assert sleep(memory) == 1
    assert kinds(memory, one) == {other: {"people", "topic"}}
    memory.speakers.split("speaker-1", [memory.lines("s1")[0].id])
    assert sleep(memory) == 1
    assert kinds(memory, one) == {other: {"topic"}}
    lines = [line("painting that wooden fence", 1.0, 0.9, audio_s=0.0)]
    memory.add_event("s1", event("one", lines))
    assert sleep(memory) == 1
    assert memory.links.of(one) == memory.links.of(other) == []


def test_imported_numbers_are_other_people_in_each_session_and_names_are_not() -> None:
    memory = opened()
    memory.begin_session(session_row("s2"))
    for session in ("s1", "s2"):
        for place, (track, speaker, text) in enumerate(
            (("t1", "speaker-1", f"apples of {session}"), ("t2", "Ann", f"{session} has pears"))
        ):
            spoken = line(text, 10.0 * place, track=track, audio_s=0.0)
            row = LineRow(
                f"{session}-{spoken.transcript.key}", session, track, spoken.pts_ns, spoken.end_ns, None, None, speaker, text, (), 1, "en"
            )
            memory.add_rows(session, [row], spoken.embedding[None, :], 0)
            memory.add_event(session, event(speaker, [spoken]))
    sleep(memory)
    assert [entry.event for entry in memory.links.of("s1-Ann") if "people" in entry.kinds] == ["s2-Ann"]
    assert [entry.event for entry in memory.links.of("s1-speaker-1") if "people" in entry.kinds] == []
    memory.stop()


def test_erased_events_and_people_leave_nothing(memory: LongTermMemory) -> None:
    names = [say(memory, f"e{place}", "the ferry to the island", 5.0 * place, ["t1", f"t{place + 2}"]) for place in range(4)]
    sleep(memory)
    recall(memory, names)
    person = next(row.speaker for row in memory.lines("s1") if row.track == "t3")
    assert person is not None
    with memory.links.database.writing() as connection:
        counts = link_store.erase(connection, [names[0]], [person])
        assert counts == {"links": 9 + 2, "event_people": 2 + 1, "links_due": 0}
        tables = ("links", "event_people", "links_due")
        assert not [
            row
            for table in ("links", "event_people")
            for row in connection.execute(f"SELECT * FROM {table}")
            if names[0] in row or person in row
        ]
        connection.execute("DELETE FROM event_lines WHERE event = ?", (names[0],))
        connection.execute("DELETE FROM events WHERE id = ?", (names[0],))
        assert not [row for table in tables for row in connection.execute(f"SELECT * FROM {table}") if names[0] in row]
    assert memory.links.n_due() == 1, "the event of whoever was erased is linked anew"
    sleep(memory)
    assert {entry.event for entry in memory.links.of(names[1])} == set(names[2:])


def test_an_older_memory_is_linked_in_its_first_sleep(tmp_path: Path) -> None:
    one, other = made_older(tmp_path, "2026-11 links", ["the ferry to the island", "the ferry to the islands"])
    memory = opened(tmp_path)
    assert memory.links.n_due() == 2
    sleep(memory)
    assert kinds(memory, one) == {other: {"people", "topic"}}
    memory.stop()


class LinksOfAMemory(RuleBasedStateMachine):
    """Events come, go, are recalled and linked in any order; what links are holds throughout."""

    @initialize()
    def begin(self) -> None:
        self.memory = opened()
        self.names: list[str] = []
        self.count = 0
        self.now_ns = NOW_NS

    @rule(theme=st.integers(0, 2), person=st.integers(0, 3))
    def hear(self, theme: int, person: int) -> None:
        self.names.append(say(self.memory, f"e{self.count}", f"subject{theme} of the talk", 2.0 * self.count, [f"t{person}"]))
        self.count += 1

    @rule(chosen=st.lists(st.integers(0, 30), max_size=10), seconds=st.integers(-1000, 10**7))
    def remember(self, chosen: list[int], seconds: int) -> None:
        self.now_ns += seconds * NS_PER_S
        recall(self.memory, [self.names[place % len(self.names)] for place in chosen if self.names], self.now_ns)

    @rule(limit=st.integers(1, 4))
    def nap(self, limit: int) -> None:
        Link().work(self.memory, self.now_ns, limit)

    @rule(place=st.integers(0, 30))
    def forget(self, place: int) -> None:
        if self.names:
            gone = self.names.pop(place % len(self.names))
            with self.memory.links.database.writing() as connection:
                link_store.erase(connection, [gone])
                connection.execute("DELETE FROM event_lines WHERE event = ?", (gone,))
                connection.execute("DELETE FROM events WHERE id = ?", (gone,))

    @invariant()
    def links_are_whole(self) -> None:
        if not hasattr(self, "memory"):
            return
        linked: dict[str, list[LinkedEvent]] = {name: self.memory.links.of(name) for name in self.names}
        for name, others in linked.items():
            assert name not in {entry.event for entry in others}
            assert all(0.0 <= entry.weight <= 1.0 and all(0.0 <= value <= 1.0 for value in entry.kinds.values()) for entry in others)
            assert [entry.weight for entry in others] == sorted((entry.weight for entry in others), reverse=True)
            for kind in link_store.KINDS:
                assert sum(kind in entry.kinds for entry in others) <= MOST_LINKS
            for entry in others:
                assert name in {back.event for back in linked[entry.event]}, "links go both ways, to events that are there"
        with self.memory.links.database.reading() as connection:
            ends = connection.execute("SELECT a FROM links UNION SELECT b FROM links UNION SELECT event FROM event_people").fetchall()
        assert {row[0] for row in ends} <= set(self.names)

    def teardown(self) -> None:
        if hasattr(self, "memory"):
            assert self.memory.check() == []
            self.memory.stop()


TestLinksOfAMemory = LinksOfAMemory.TestCase
TestLinksOfAMemory.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), min_size=2, max_size=10, unique_by=lambda pair: pair[0]), st.integers(0, 70)
)
def test_as_of_any_moment_links_never_reach_into_the_future(heard: list[tuple[int, int]], moment_s: int) -> None:
    memory = opened()
    ends = {
        say(memory, f"e{place}", f"subject{theme} of the talk", float(start_s)): start_s + 0.9
        for place, (start_s, theme) in enumerate(heard)
    }
    sleep(memory, 100)
    recall(memory, list(ends)[:3], NOW_NS)
    moment = STARTED_AT + timedelta(seconds=moment_s)
    for name, end_s in ends.items():
        found = memory.links.of(name, moment)
        assert all(ends[entry.event] <= moment_s and "recall" not in entry.kinds for entry in found)
        assert not found or end_s <= moment_s
    memory.stop()


@pytest.mark.broken_memory
def test_links_and_keys_that_do_not_fit_their_events_are_told_and_mended(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    one, other = (say(memory, name, "the ferry to the island", start_s) for name, start_s in (("one", 1), ("other", 10)))
    sleep(memory)
    memory.stop()
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        columns = "(a, b, kind, weight, made_at_ns, updated_at_ns)"
        connection.execute(f"INSERT INTO links {columns} VALUES ('gone', ?, 'recall', 0.5, 0, 0)", (one,))
        connection.execute("INSERT INTO event_people VALUES ('gone', 'Ann', 0)")
        connection.execute("DELETE FROM keys WHERE value = ?", (one,))
        connection.execute("INSERT INTO keys (level, kind, value, known_at_ns) VALUES ('day', 'lines', 'gone', 0)")
        connection.execute("UPDATE keys SET known_at_ns = 5 WHERE value = ?", (other,))
    connection.close()
    memory = opened(tmp_path)
    repairs = " | ".join(memory.examine().repairs)
    for told in (
        "links of events that are not there: gone s1-one",
        "people of events that are not there: gone Ann",
        "events that no key finds: s1-one",
        "keys of events that are not there",
        "keys whose moment does not fit their event",
    ):
        assert told in repairs
    assert memory.examine().repairs == ()
    assert {found.id for found in memory.granules.search(ENCODER.encode(["ferry"])[0], 5)} == {one, other}
    names = [say(memory, f"x{place:02}", f"subject{place}", 100.0 + 5 * place) for place in range(17)]
    with memory.links.database.writing() as connection:
        connection.executemany(f"INSERT INTO links {columns} VALUES (?, ?, 'recall', 0.5, 0, 0)", [(one, name) for name in names])
    assert memory.check() == ["1 events with more than sixteen links of a kind: s1-one"]
    memory.stop()
