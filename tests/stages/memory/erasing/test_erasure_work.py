"""How much work a selection is to resolve: it grows with the lines, not with their square; and which copies go with lines."""

from __future__ import annotations

from stages.memory.erasing.erasure_plan import Selection
from stages.memory.long_term_memory import LongTermMemory
from tests.stages.memory.counted_steps import counted_steps
from tests.stages.memory.made import ENCODER, line, session_row

NORTH = Selection(sector_deg=(0.0, 20.0))


def steps(n_lines: int) -> int:
    """How many steps SQLite's machine takes to find every other line of a session."""
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row("s1"))
    told = [line("over there", 2.0 * number, 1.0, f"t{number % 2}", 10.0 + 90.0 * (number % 2), audio_s=0.0) for number in range(n_lines)]
    memory.add_lines("s1", told, 0)
    with memory._database.reading() as connection:
        pass  # in RAM there is one connection for everything
    with counted_steps(connection) as counted:
        assert memory.erasures.preview(NORTH).n_lines == n_lines // 2
    memory.stop()
    return counted.count


def test_finding_lines_and_their_copies_takes_work_that_grows_with_the_lines() -> None:
    some, more = steps(400), steps(1600)
    assert some > 1000, "the steps are counted"
    assert more < 6 * some


def test_copies_go_with_lines_of_their_track_that_they_overlap_and_no_others() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row("s1"))
    spoken = [
        line("a long one", 10.0, 20.0, "t1"),
        line("a short one", 12.0, 1.0, "t1"),
        line("another", 40.0, 2.0, "t1"),
        line("somebody else", 40.0, 2.0, "t3", 200.0),
    ]
    copies = [
        line("late in the long one", 28.0, 1.0, "t2", 100.0, "t1"),
        line("touches the end", 30.0, 1.0, "t2", 100.0, "t1"),
        line("touches the start", 39.0, 1.0, "t2", 100.0, "t1"),
        line("begins inside", 41.0, 5.0, "t2", 100.0, "t1"),
        line("of another track", 40.5, 1.0, "t2", 100.0, "t3"),
        line("no copy", 40.6, 1.0, "t2", 100.0),
    ]
    memory.add_lines("s1", [*spoken, *copies], 0)
    before = {row.id: row.text for row in memory.lines("s1", copies=True)}
    memory.erasures.erase(memory.erasures.preview(NORTH).plan)
    left = {row.id for row in memory.lines("s1", copies=True)}
    memory.stop()
    gone = {text for name, text in before.items() if name not in left}
    assert gone == {"a long one", "a short one", "another", "late in the long one", "begins inside"}
