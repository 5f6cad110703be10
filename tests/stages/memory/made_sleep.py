"""A memory in which several conversations were heard, for the tests of sleep; run as a program it sleeps until it is killed."""

import sys
from pathlib import Path

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.sleeping.sleep import Slept, sleep
from stages.memory.sleeping.sleep_steps import sleep_steps
from stages.memory.tables.row_writer import utc_ns
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row

NOW_NS = utc_ns(STARTED_AT) + 30 * 86_400 * NS_PER_S
SUBJECTS = (
    "the ferry to the island leaves on saturday from the small harbour",
    "we paint that wooden fence green before the guests arrive",
    "my grandmother keeps bees behind her house in the village",
    "the printer in the office needs more toner and paper",
)


def opened(directory: Path | str = "", session: str = "s1") -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory))
    memory.start()
    memory.begin_session(session_row(session))
    return memory


def say(memory: LongTermMemory, number: int, text: str, start_s: float, tracks: tuple[str, ...] = ("t1", "t2"), session: str = "s1") -> str:
    """An event of two lines; its id."""
    halves = text.split()[: len(text.split()) // 2], text.split()[len(text.split()) // 2 :]
    lines = [line(" ".join(half), start_s + place, track=tracks[place % len(tracks)], audio_s=0.0) for place, half in enumerate(halves)]
    memory.add_lines(session, lines, lines[-1].end_ns)
    memory.add_event(session, event(f"event-{number}", lines))
    return f"{session}-event-{number}"


def talk(memory: LongTermMemory, n_events: int, *, first: int = 0, session: str = "s1") -> None:
    """Events of two conversations at once, with every subject told again and again."""
    for place in range(first, first + n_events):
        tracks = ("t1", "t2") if place % 2 else ("t3", "t4")
        say(memory, place, f"{SUBJECTS[place % 4]} number{place // 8}", 20.0 * place, tracks, session)


def nap(memory: LongTermMemory, items: int = 16, most: int | None = None) -> Slept:
    return sleep(memory, sleep_steps(), NOW_NS, items=items, most=most)


def contents(memory: LongTermMemory) -> dict[str, list[tuple[object, ...]]]:
    """Everything that sleep writes, as it stands in the tables."""
    queries = {
        "events": "SELECT id, level, start_ns, end_ns, ended_at_ns, tracks, summary, vector, parent FROM events ORDER BY id",
        "topics": "SELECT * FROM topics ORDER BY event",
        "terms": "SELECT * FROM topic_terms ORDER BY term",
        "totals": "SELECT * FROM topic_totals",
        "duplicates": "SELECT * FROM duplicates ORDER BY event",
        "due": "SELECT task, event FROM sleep_due ORDER BY task, event",
        "keys": "SELECT level, kind, value, known_at_ns, vector, summary_due FROM keys ORDER BY value, kind",
        "links": "SELECT a, b, kind, weight, dropped_by, history FROM links ORDER BY a, b, kind",
        "growths": "SELECT event, begun_at_ns, ended_at_ns FROM growths ORDER BY event",
        "names": "SELECT * FROM topic_names ORDER BY event, known_at_ns",
    }
    with memory.findings.database.reading() as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


if __name__ == "__main__":
    killed = LongTermMemory(ENCODER, sys.argv[1])
    killed.start()
    sys.stdout.write("asleep\n")
    sys.stdout.flush()
    nap(killed, items=1)
    killed.stop()
