"""Sleep: what it finds out, and that it may be cut short anywhere, costs no more with every hour, and keeps nobody waiting."""

import contextlib
import dataclasses
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.rows import SessionRow
from stages.memory.sleeper import Sleeper
from stages.memory.sleeping.duplicate_step import FindDuplicates
from stages.memory.sleeping.episode_growth import GrowEpisodes
from stages.memory.sleeping.sleep import SleepStep, sleep
from stages.memory.sleeping.sleep_findings import erase
from stages.memory.sleeping.sleep_steps import sleep_steps
from stages.memory.sleeping.summary_step import Summarise
from stages.memory.sleeping.topic_step import NameTopics, most_distinctive
from stages.memory.tables import row_writer
from tests.stages.memory.counted_steps import counted_steps
from tests.stages.memory.made import ENCODER, STARTED_AT, session_row
from tests.stages.memory.made_sleep import NOW_NS, SUBJECTS, contents, nap, opened, say, talk

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    made = opened()
    yield made
    assert made.check() == []
    made.stop()


def test_episodes_grow_while_the_session_runs_as_they_stand_at_its_end(memory: LongTermMemory) -> None:
    talk(memory, 4)
    assert memory.events(level="episode") == []
    nap(memory)
    one, other = memory.events(level="episode")
    assert (one.tracks, other.tracks) == (("t3", "t4"), ("t1", "t2"))
    talk(memory, 4, first=4)
    done = nap(memory).done
    assert done["episodes"] == 4
    one, other = memory.events(level="episode")
    assert [row.id for row in (one, other)] == ["s1-episode-event-0", "s1-episode-event-1"]
    topic = memory.findings.topic(one.id)
    grown = contents(memory)
    memory.finish_session("s1", 400 * NS_PER_S)
    assert memory.findings.topic(one.id) == topic
    assert [(row.level, row.id) for row in memory.events(level=None)].count(("day", "s1-day-2026-11-22")) == 1
    ended = {row[0]: row[:8] for row in contents(memory)["events"]}
    assert all(ended[row[0]] == row[:8] for row in grown["events"])
    assert nap(memory).done["topics"] == 0


def test_a_day_that_is_over_stands_there_while_the_session_goes_on(memory: LongTermMemory) -> None:
    """The session began at ten in the morning: midnight comes after fourteen hours."""
    hour_s = 3600.0
    for place, hours in enumerate((1, 5, 13.99, 15, 20, 37)):
        say(memory, place, SUBJECTS[place % 4], hours * hour_s)
    nap(memory)
    (day,) = memory.events(level="day")
    assert (day.id, day.start_ns) == ("s1-day-2026-11-22", round(hour_s * NS_PER_S))
    assert nap(memory).done["days"] == 0
    inside = [row[0] for row in contents(memory)["events"] if row[8] == day.id]
    assert inside == ["s1-episode-event-0", "s1-episode-event-1", "s1-episode-event-2"]
    made = {row[0]: row for row in contents(memory)["events"]}
    memory.finish_session("s1", round(40 * hour_s * NS_PER_S))
    assert [row.id for row in memory.events(level="day")] == ["s1-day-2026-11-22", "s1-day-2026-11-23"]
    ended = {row[0]: row for row in contents(memory)["events"]}
    assert all(ended[name] == made[name] for name in (*inside, day.id))
    began_ns = row_writer.utc_ns(STARTED_AT)
    # A day is known half an hour after midnight, and what was left of the session when it ended.
    assert {row.id: ended[row.id][4] for row in memory.events(level="day")} == {
        "s1-day-2026-11-22": began_ns + round(14.5 * hour_s * NS_PER_S),
        "s1-day-2026-11-23": began_ns + round(38.5 * hour_s * NS_PER_S),
    }


def test_a_grown_episode_is_seen_as_of_when_its_events_were_known(memory: LongTermMemory) -> None:
    talk(memory, 2)
    nap(memory)
    (first, _) = memory.events(level="episode")
    assert memory.events(level="episode", at=STARTED_AT + timedelta(seconds=5)) == [first]
    assert memory.events(level="episode", at=STARTED_AT + timedelta(seconds=1)) == []
    talk(memory, 2, first=2)
    nap(memory)
    grown, _ = memory.events(level="episode")
    assert (grown.id, grown.summary != first.summary, grown.end_ns > first.end_ns) == (first.id, True, True)
    assert memory.events(level="episode", at=STARTED_AT + timedelta(seconds=5)) == [first]
    assert memory.event(first.id, at=STARTED_AT + timedelta(seconds=5)) == first


def test_the_same_told_again_is_a_copy_of_the_earliest_and_keeps_its_lines(memory: LongTermMemory) -> None:
    once = say(memory, 1, SUBJECTS[0], 10.0)
    say(memory, 2, SUBJECTS[1], 30.0)
    again = say(memory, 3, SUBJECTS[0], 50.0)
    short = [say(memory, 4 + place, "yes okay then", 70.0 + 20 * place) for place in range(2)]
    nap(memory)
    assert (memory.findings.same_as(again), memory.findings.copies_of(once)) == (once, [again])
    assert [memory.findings.same_as(name) for name in (once, "s1-event-2", *short)] == [None] * 4
    assert len(memory.lines()) == 10
    memory.begin_session(session_of_earlier())
    earlier = say(memory, 1, SUBJECTS[0], 5.0, session="s0")
    nap(memory)
    assert memory.findings.copies_of(earlier) == [once, again]
    with memory.findings.database.writing() as connection:
        connection.execute("DELETE FROM event_lines WHERE event = ?", (earlier,))
        connection.execute("DELETE FROM events WHERE id = ?", (earlier,))
    nap(memory)
    assert memory.findings.copies_of(once) == [again]


def session_of_earlier() -> SessionRow:
    return dataclasses.replace(session_row("s0"), started_at=STARTED_AT - timedelta(days=1))


def test_topics_are_the_words_that_set_an_episode_apart(memory: LongTermMemory) -> None:
    for place, subject in enumerate(("ferry island harbour", "bees honey village", "printer toner paper")):
        for turn in range(3):
            say(memory, 3 * place + turn, f"well everybody we really talked plan about {subject} plan plan", 400.0 * place + 10 * turn)
    nap(memory)
    names = [memory.findings.topic(row.id) for row in memory.events(level="episode")]
    # "plan" falls most often, but in every episode: once three are known it is nobody's topic.
    assert names == ["plan, ferry, harbour", "plan, bees, honey", "paper, printer, toner"]
    assert most_distinctive({"plan": 5, "ferry": 3}, {"plan": 500, "ferry": 3}, 30.0) == ["ferry", "plan"]
    assert most_distinctive({"b": 1, "a": 1}, {"a": 2, "b": 2}, 4.0) == ["a", "b"]


def test_a_topic_that_was_named_anew_had_its_name_before(memory: LongTermMemory) -> None:
    texts = (
        "the ferry ferry island harbour island",
        "the ferry bees honey bees honey bees",
        "paper toner paper toner paper paper toner toner",
    )
    names = []
    for place, text in enumerate(texts):
        say(memory, place, text, 20.0 * place)
        nap(memory)
        names.append(memory.findings.topic("s1-episode-event-0"))
    assert len(set(names)) == 3
    moments = [STARTED_AT + timedelta(seconds=20 * place + 15) for place in range(3)]
    assert [memory.findings.topic("s1-episode-event-0", at=at) for at in moments] == names
    assert memory.findings.topics(["s1-episode-event-0"], at=moments[1]) == {"s1-episode-event-0": names[1]}
    assert memory.findings.topic("s1-episode-event-0", at=STARTED_AT) is None


@pytest.mark.parametrize("limits", [[1, 1, 1], [3, 7], [1, 16, 2]])
def test_cut_short_anywhere_it_comes_to_the_same(tmp_path: Path, limits: list[int]) -> None:
    whole = opened(tmp_path / "whole")
    talk(whole, 24)
    nap(whole)
    cut = opened(tmp_path / "cut")
    talk(cut, 24)
    for limit in limits:
        for step in sleep_steps():
            step.work(cut, NOW_NS, limit)
            cut.stop()
            cut = LongTermMemory(ENCODER, str(tmp_path / "cut"))
            cut.start()
    finish_growing(cut)
    # A topic is named after those before it, in the order in which episodes came; words that came to it later are named anew.
    found, wanted = contents(cut), contents(whole)
    for table in ("events", "terms", "totals", "duplicates", "due", "links", "growths"):
        assert found[table] == wanted[table], table
    for each in (whole, cut):
        assert each.check() == []
        each.stop()


def finish_growing(memory: LongTermMemory) -> None:
    while not nap(memory, items=5).finished:
        continue


def test_killed_again_and_again_it_comes_to_the_same(tmp_path: Path) -> None:
    made = opened(tmp_path / "whole")
    talk(made, 40)
    made.stop()
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    generator = random.Random(7)
    n_killed = 0
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.stages.memory.made_sleep", str(tmp_path / "killed")], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "asleep\n"
        time.sleep(generator.uniform(0.02, 0.15))
        child.kill()
        n_killed += child.wait() != 0
        child.stdout.close()
    assert n_killed >= 2
    found = []
    for name in ("whole", "killed"):
        memory = LongTermMemory(ENCODER, str(tmp_path / name))
        memory.start()
        nap(memory, items=1)
        assert memory.check() == []
        found.append(contents(memory))
        memory.stop()
    for table in found[0]:
        assert found[0][table] == found[1][table], table


def test_an_hour_costs_no_more_after_many(memory: LongTermMemory) -> None:
    """Counted are the operations of SQLite's machine, which rise with each row that is read, and the rows that are written."""
    connection = memory.findings.database._writer
    assert connection is not None
    costs = []
    for hour in range(6):
        talk(memory, 60, first=60 * hour)
        changed = connection.total_changes
        with counted_steps(connection) as steps:
            nap(memory)
        costs.append((steps.count, connection.total_changes - changed))
    (read, written), (later_read, later_written) = costs[1], costs[-1]
    assert later_written <= 1.25 * written, costs
    assert later_read <= 1.25 * read, costs


def test_ending_a_session_costs_no_more_in_a_larger_memory(memory: LongTermMemory) -> None:
    connection = memory.findings.database._writer
    assert connection is not None
    costs = []
    for number in range(1, 7):
        if number > 1:
            memory.begin_session(session_row(f"s{number}"))
        talk(memory, 24, session=f"s{number}")
        nap(memory)
        with counted_steps(connection) as steps:
            memory.finish_session(f"s{number}", 600 * NS_PER_S)
        costs.append(steps.count)
    assert costs[-1] <= 1.25 * costs[0], costs


def test_no_transaction_grows_with_the_memory(memory: LongTermMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line waits for one transaction at most: counted are the rows that it writes."""
    database = memory.findings.database
    writing, written = database.writing, [0]

    @contextlib.contextmanager
    def counted() -> Iterator[sqlite3.Connection]:
        with writing() as connection:
            before = connection.total_changes
            yield connection
            written.append(connection.total_changes - before)

    longest = []
    for hour in range(4):
        talk(memory, 60, first=60 * hour)
        with monkeypatch.context() as patched:
            patched.setattr(database, "writing", counted)
            nap(memory)
        longest.append(max(written))
        written.clear()
    assert max(longest) < 2000, longest
    assert longest[-1] <= 1.25 * max(longest[:2]), longest


def test_sleep_is_bounded_and_ends_where_it_is_told(memory: LongTermMemory) -> None:
    talk(memory, 12)
    assert (sleep(memory, sleep_steps(), NOW_NS, items=2, most=5).done["episodes"], nap(memory, most=1).finished) == (5, False)
    asked = []

    def thrice() -> bool:
        asked.append(1)
        return len(asked) <= 3

    # Recalls are asked for first, and there are none.
    cut = sleep(memory, sleep_steps(), NOW_NS, items=1, go_on=thrice)
    assert (cut.n_items, cut.finished) == (2, False)
    assert nap(memory).finished
    assert nap(memory).n_items == 0
    with pytest.raises(MemorySettingsError, match="items must be 1 to 1024, found 0"):
        sleep(memory, [], NOW_NS, items=0)


def test_small_items_are_done_many_at_a_time(memory: LongTermMemory) -> None:
    class Small(SleepStep):
        name = "small"
        light = 8

        def __init__(self) -> None:
            self.limits: list[int] = []

        def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - as steps have it
            self.limits.append(limit)
            return limit if len(self.limits) < 4 else 0

    bounded, all_of_it = Small(), Small()
    slept = sleep(memory, [bounded], NOW_NS, items=4, most=10)
    assert (bounded.limits, slept.done, slept.finished) == ([32, 32, 16], {"small": 80}, False)
    slept = sleep(memory, [all_of_it], NOW_NS, items=4)
    assert (all_of_it.limits, slept.done, slept.finished) == ([32, 32, 32, 32], {"small": 96}, True)


def test_a_step_that_dies_in_its_transaction_leaves_what_was_due(memory: LongTermMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    talk(memory, 6)
    for step, broken in (
        (GrowEpisodes(), "stages.memory.sleeping.episode_growth.row_writer.add_event"),
        (FindDuplicates(), "stages.memory.sleeping.duplicate_step._mark"),
        (NameTopics(), "stages.memory.sleeping.topic_step.most_distinctive"),
        (Summarise(), "stages.memory.sleeping.summary_step._store"),
    ):
        before = contents(memory)
        with monkeypatch.context() as patched:
            patched.setattr(broken, lambda *_: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                step.work(memory, NOW_NS, 3)
        assert contents(memory) == before
        while step.work(memory, NOW_NS, 3):
            continue
        assert contents(memory) != before


def test_erased_findings_leave_nothing_behind(memory: LongTermMemory) -> None:
    talk(memory, 8)
    once, again = say(memory, 50, "zyxomma dragonflies hover over quiet ponds at dusk", 900.0), None
    again = say(memory, 51, "zyxomma dragonflies hover over quiet ponds at dusk", 2000.0)
    nap(memory)
    episodes = [row.id for row in memory.events(level="episode") if row.start_ns >= 900 * NS_PER_S]
    with memory.findings.database.writing() as connection:
        counts = erase(connection, [once, again, *episodes], ["speaker-1"])
        for event in (*episodes, once, again):
            connection.execute("DELETE FROM event_lines WHERE event = ?", (event,))
            connection.execute("DELETE FROM events WHERE id = ?", (event,))
    assert counts["topics"] == len(episodes)
    assert counts["duplicates"] == 1
    assert counts["topic_terms"] >= 5
    found = contents(memory)
    assert "zyxomma" not in str([found[name] for name in ("topics", "names", "terms", "duplicates", "due")])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"quiet_s": 0.0}, "quiet_s must be 1 to 86400, found 0"),
        ({"at_times": ("3 am",)}, "at_times are like 03:00, found '3 am'"),
        ({"items": 0, "most_worded": 0}, "items must be 1 to 256, found 0; most_worded must be 1 to 1000, found 0"),
    ],
)
def test_settings_out_of_bounds_are_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(MemorySettingsError, match=told):
        Sleeper(**settings)  # type: ignore[arg-type] # settings of several types


def test_a_schedule_asks_once_for_each_of_its_times() -> None:
    sleeper = Sleeper(every_min=0, at_times=("03:00", "13:30"))
    night = STARTED_AT.replace(hour=2, minute=59)
    assert not sleeper.is_due(night, night + timedelta(seconds=59))
    assert sleeper.is_due(night, night + timedelta(seconds=61))
    assert not sleeper.is_due(night + timedelta(minutes=1), night + timedelta(hours=10))
    assert sleeper.is_due(night + timedelta(minutes=1), night + timedelta(hours=11))
    assert sleeper.is_due(night + timedelta(minutes=1), night + timedelta(days=1, hours=1))
    every = Sleeper(every_min=30)
    assert [every.is_due(night, night + timedelta(minutes=minutes)) for minutes in (29, 30)] == [False, True]
