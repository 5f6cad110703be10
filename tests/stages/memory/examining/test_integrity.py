"""Every invariant of a memory is checked: what is derived is made anew and said, what is not is told in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S
from stages.memory.examining import integrity
from stages.memory.examining.integrity_checks import CHECKS
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.short_term_store.short_term import Leaving, ShortTermStore, Trace
from stages.memory.sleeping.topic_step import NameTopics
from tests.stages.memory.made import ENCODER, event, line, session_row
from tests.stages.memory.made_sounds import sound

TOPIC = (
    "INSERT INTO topics (event, name, terms)"
    """ SELECT id, 'ferry, dogs', '{"dog": 1, "ferri": 2}' FROM events WHERE level = 'episode'"""
)
BROKEN: dict[str, tuple[str, ...]] = {
    "lines without a vector": ("DROP TRIGGER vectors_removed", "DELETE FROM vectors WHERE n = 2"),
    "lines whose vector is of another format than they say": ("UPDATE lines SET vector_format = 1 WHERE n = 1",),
    "vectors without a line": ("INSERT INTO vectors SELECT 99, vector FROM vectors WHERE n = 1",),
    "vectors that are said to be removed": ("INSERT INTO vector_removals (n) VALUES (1)",),
    "lines that end before they start": ("UPDATE lines SET start_ns = end_ns + 1 WHERE n = 1",),
    "lines whose moment does not fit their session": ("UPDATE lines SET ended_at_ns = ended_at_ns - 7 WHERE n = 1",),
    "lines longer than their session knows": ("UPDATE sessions SET longest_line_ns = 5",),
    "lines of a track that is not listed": ("DELETE FROM tracks",),
    "places of a track that is not listed": ("INSERT INTO positions VALUES ('s1', 'far', 5, 10.0, NULL)",),
    "lines whose salience is no share": ("UPDATE lines SET salience = -2.5 WHERE n = 1",),
    "lines whose confidence is no share": ("UPDATE lines SET confidence = 1e30 WHERE n = 1",),
    "lines whose azimuth is no bearing": ("UPDATE lines SET azimuth_deg = -10.0 WHERE n = 1",),
    "lines that were recalled less than once": ("INSERT INTO strengths (n, n_recalls, recalled_at_ns) VALUES (1, -1, 5)",),
    "lines whose words are not JSON": ("UPDATE lines SET words = '[' WHERE n = 1",),
    "lines whose audio lies elsewhere": ("UPDATE lines SET clip = '/etc/passwd' WHERE n = 1",),
    "events that end before they start": ("UPDATE events SET start_ns = end_ns + 5 WHERE level = 'day'",),
    "events that were known before they ended": ("UPDATE events SET ended_at_ns = 5 WHERE level = 'event'",),
    "events whose tracks are not JSON": ("UPDATE events SET tracks = 'x' WHERE level = 'day'",),
    "events of a level that is not known": ("UPDATE events SET level = 'year' WHERE level = 'day'",),
    "events with lines that are not there": ("INSERT INTO event_lines VALUES ('s1-gone', 's1-e')",),
    "lines outside the span of their event": ("UPDATE events SET end_ns = end_ns - 1 WHERE level = 'event'",),
    "events whose parent is not there": ("UPDATE events SET parent = 'gone' WHERE level = 'day'",),
    "events whose parent is in another session": (
        "INSERT INTO sessions SELECT 's2', source, started_at, started_at_ns, 0, array, 1, '', 0, 0, '' FROM sessions",
        "INSERT INTO events (id, session, level, start_ns, end_ns, ended_at_ns, surprise, reason, tracks, summary, vector)"
        " SELECT 's2-e', 's2', level, start_ns, end_ns, ended_at_ns, 1, '', tracks, '', vector FROM events WHERE id = 's1-e'",
        "UPDATE events SET parent = (SELECT id FROM events WHERE level = 'episode') WHERE id = 's2-e'",
    ),
    "episodes and days without any event": (
        "INSERT INTO sessions SELECT 's2', source, started_at, started_at_ns, 0, array, 1, '', 0, 0, '' FROM sessions",
        "UPDATE events SET session = 's2' WHERE level = 'day'",
    ),
    "sounds that end before they start": ("UPDATE sounds SET start_ns = end_ns + 1",),
    "sounds whose moment does not fit their session": ("UPDATE sounds SET ended_at_ns = 5",),
    "sounds without a label or a group": ("UPDATE sounds SET label = NULL",),
    "sounds whose embedding has another length": ("UPDATE sounds SET vector = x'00' WHERE label = 'Door'",),
    "groups of sounds that recurred and have no number": (
        "INSERT INTO sound_groups (n, prototype, n_heard, last_heard_ns) VALUES (9, x'00', 1, 0)",
        "UPDATE sounds SET sound_group = 9",
    ),
    "gaps that end before they start": ("INSERT INTO gaps VALUES ('s1', 9, 5, 'x')",),
    "speakers whose id is not their number": ("INSERT INTO speakers (id, number, name, session) VALUES ('bob', 7, 'bob', 's1')",),
    "speakers whose voice has no length that a voice may have": (
        "INSERT INTO speakers (id, number, name, session, voice) VALUES ('speaker-7', 7, 'bob', 's1', x'0011')",
    ),
    "lines whose voice has no length that a voice may have": ("INSERT INTO line_voices VALUES ('s1-t1-00001000', x'00', 1.0)",),
    "lines whose speaker has a confidence that is no share": (
        "INSERT INTO speakers (id, number, name, session) VALUES ('speaker-7', 7, 'bob', 's1')",
        "INSERT OR REPLACE INTO line_speakers VALUES ('s1-t1-00001000', 'speaker-7', 7.0, 0)",
    ),
    "copies that have a speaker of their own": (
        "INSERT INTO speakers (id, number, name, session) VALUES ('speaker-7', 7, 'bob', 's1')",
        "INSERT INTO line_speakers VALUES ('s1-t1-00001000', 'speaker-7', 1.0, 0) ON CONFLICT DO NOTHING",
        "UPDATE lines SET copy_of = 'x' WHERE n = 1",
    ),
    "turns that end before they start": (
        "INSERT INTO talkers (session, track, talker) VALUES ('s1', 't1', 1)",
        "INSERT INTO talker_turns VALUES ('s1', 't1', 1, 9, 5)",
    ),
    "turns of a talker who is not listed": ("INSERT INTO talker_turns VALUES ('s1', 't1', 1, 5, 9)",),
    "lines of a talker on another track": ("INSERT INTO line_talkers VALUES ('s1-t1-00001000', 's1', 't9', 1, 5)",),
    "events that no key finds": ("DELETE FROM keys WHERE level = 'day'",),
    "keys of events that are not there": ("INSERT INTO keys (level, kind, value, known_at_ns) VALUES ('event', 'lines', 'gone', 5)",),
    "keys whose moment does not fit their event": ("UPDATE keys SET known_at_ns = 5 WHERE level = 'event'",),
    "links of no kind or weight that a link may have": (
        "PRAGMA ignore_check_constraints = ON",
        "INSERT INTO links (a, b, kind, weight, made_at_ns, updated_at_ns) VALUES ('s1-e', 's1-episode-e', 'peoplf', 0.5, 1, 1)",
        "INSERT INTO links (a, b, kind, weight, made_at_ns, updated_at_ns) VALUES ('s1-e', 's1-episode-e', 'people', 8.5, 1, 1)",
    ),
    "links of events that are not there": (
        "INSERT INTO links (a, b, kind, weight, made_at_ns, updated_at_ns) VALUES ('a', 'b', 'people', 0.5, 1, 1)",
    ),
    "people of events that are not there": ("INSERT INTO event_people VALUES ('gone', 'bob', 5)",),
    "events with more than sixteen links of a kind": tuple(
        statement
        for n in range(17)
        for statement in (
            "INSERT INTO events (id, session, level, start_ns, end_ns, ended_at_ns, surprise, reason, tracks, summary, vector)"
            f" SELECT 's1-x{n:02d}', session, level, start_ns, end_ns, ended_at_ns, 1, '', tracks, '', vector FROM events WHERE id='s1-e'",
            f"INSERT INTO links (a, b, kind, weight, made_at_ns, updated_at_ns) VALUES ('s1-e', 's1-x{n:02d}', 'people', 0.5, 1, 1)",
        )
    ),
    "links that gave way to events that are not there": (
        "INSERT INTO links SELECT 's1-e', 's1-episode-e', 'people', 0.5, 1, 1, 'gone', NULL",
    ),
    "copies of events that are not there": ("INSERT INTO duplicates VALUES ('s1-e', 'gone', 1.0, NULL)",),
    "episodes and days whose growth does not fit their events": ("UPDATE growths SET begun_at_ns = ended_at_ns + 5",),
    "growths of events that are not there": ("INSERT INTO growths (event, begun_at_ns, ended_at_ns) VALUES ('gone', 5, 9)",),
    "topics whose terms are not counted in JSON": (TOPIC, 'UPDATE topics SET terms = \'{"ferri": 2, "\''),
    "topics without terms that are not due to be named anew": (TOPIC, "UPDATE topics SET terms = '{}'", "DELETE FROM sleep_due"),
    "terms that no topic has": (TOPIC, "INSERT INTO topic_terms VALUES ('gone', 3)"),
    "terms of topics that are counted wrongly": (TOPIC, "UPDATE topic_terms SET n = 9223372036854775807 WHERE term = 'ferri'"),
    "blocks of lines whose moments do not hold them": ("UPDATE line_blocks SET last_ended_at_ns = 5",),
    "totals of topics that do not add up": (TOPIC, "UPDATE topic_totals SET n_words = 7"),
    "topics of episodes that are not there": (TOPIC, "UPDATE topics SET event = 'gone'"),
    "work of sleep on events that are not there": ("INSERT INTO sleep_due (task, event) VALUES ('topic', 'gone')",),
    "people in summaries that are not there": ("INSERT INTO summary_people VALUES ('gone', 'speaker-1')",),
    "names of topics of episodes that are not there": ("INSERT INTO topic_names VALUES ('gone', 5, 'ferry')",),
    "events to be linked that are not there": ("INSERT INTO links_due (event) VALUES ('gone')",),
    "prototypes that end before they start": ("UPDATE prototypes SET start_ns = end_ns + 1",),
    "lines of prototypes that are not there": ("INSERT INTO prototype_lines SELECT 's1-gone', id FROM prototypes",),
    "prototypes of fewer than two lines": ("DELETE FROM prototype_lines WHERE line = 's1-t1-00003000'",),
    "prototypes that count their lines wrongly": ("UPDATE prototypes SET n_lines = 7",),
    "prototypes whose usage is no share": ("UPDATE prototypes SET usage = 1.5",),
    "prototypes that were known before they ended": ("UPDATE prototypes SET ended_at_ns = 5",),
    "keys of prototypes that are not there": (
        "INSERT INTO keys (level, kind, value, known_at_ns, vector) SELECT level, kind, 'gone', known_at_ns, vector FROM keys"
        " WHERE level = 'prototype'",
    ),
    "prototypes that no key finds": ("DELETE FROM keys WHERE level = 'prototype'",),
    "declarations of what was followed that end before they begin": (
        "INSERT INTO attentions (start_at_ns, end_at_ns, kind, words) VALUES (9, 5, 'away', '')",
    ),
    "declarations that do not say what was followed": ("INSERT INTO attentions (start_at_ns, kind, words) VALUES (9, 'topic', '')",),
    "declarations that name somebody who is not there": (
        "INSERT INTO attentions (start_at_ns, kind, speaker, words) VALUES (9, 'speaker', 'Zoe', '')",
    ),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A whole memory, closed: two lines in an event, an episode, a day, and two sounds."""
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(session_row())
    said = [line("the ferry leaves", 1), line("dogs bark", 3)]
    memory.add_lines("s1", said, 5 * NS_PER_S)
    keys = tuple(entry.transcript.key for entry in said)
    memory.prototypes.keep("s1", ShortTermStore(2), [(Leaving(keys[0], 0.5, Trace(keys[0], said[0].embedding, 1.0, 2, keys, 5, 9)), 9)])
    memory.add_event("s1", event("e", said))
    memory.sounds.add("s1", sound("Door", 2.0))
    memory.sounds.add("s1", sound("Bell", 4.0))
    memory.finish_session("s1", 9 * NS_PER_S)
    assert memory.check() == []
    memory.stop()
    return tmp_path


def change(root: Path, *statements: str) -> None:
    """Break the tables from outside, where nothing refuses it."""
    with sqlite3.connect(root / "memory.sqlite") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def opened(root: Path, read_only: bool = False) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(root), read_only=read_only)
    memory.start()
    return memory


def test_every_invariant_is_broken_by_a_test() -> None:
    assert {check.what for check in CHECKS} == set(BROKEN), "who adds an invariant says here what breaks it"


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_told_and_what_is_derived_is_made_anew(root: Path, what: str) -> None:
    change(root, *BROKEN[what])
    check = next(check for check in CHECKS if check.what == what)
    reader = opened(root, read_only=True)
    told = [fault for fault in reader.check() if f" {what}: " in fault]
    assert len(told) == 1, reader.check()
    assert told[0].endswith("(can be made anew)") == (check.repair is not None)
    reader.stop()
    memory = opened(root)
    found = memory.examine()
    assert any(f" {what}: " in line for line in (found.repairs if check.repair else found.faults))
    assert not any(f" {what}: " in line for line in (found.faults if check.repair else found.repairs))
    if check.repair is not None:
        again = memory.examine()
        assert (again.faults, again.repairs, again.is_whole) == ((), (), True)
    memory.stop()


@pytest.mark.parametrize("blob", [b"", np.full(384, np.nan, dtype="<f4").tobytes(), b"\0" * 7], ids=["none", "nan", "short"])
def test_the_vectors_of_events_come_from_their_lines(root: Path, blob: bytes) -> None:
    with sqlite3.connect(root / "memory.sqlite") as connection:
        before = dict(connection.execute("SELECT id, vector FROM events"))
        connection.execute("UPDATE events SET vector = ?", (blob,))
    connection.close()
    memory = opened(root)
    found = memory.examine()
    assert found.faults == ()
    assert "3 events whose vector is none: " in found.repairs[0]
    with memory._database.reading() as connection:
        for name, vector in connection.execute("SELECT id, vector FROM events"):
            mean, old = (np.frombuffer(part, dtype="<f4") for part in (vector, before[name]))
            assert np.linalg.norm(mean) == pytest.approx(1.0, abs=1e-5)
            assert len(old) == len(mean)
    assert memory.examine().repairs == ()
    memory.stop()


@pytest.mark.parametrize(
    ("blob", "told"), [(b"\0" * 8, "1 vectors that are not 384 numbers"), (None, "1 vectors with numbers that are not finite")]
)
def test_vectors_of_lines_that_are_none_are_told(root: Path, blob: bytes | None, told: str) -> None:
    nan = np.full(384, np.nan, dtype="<f4").tobytes()
    with sqlite3.connect(root / "memory.sqlite") as connection:
        connection.execute("UPDATE vectors SET vector = ? WHERE n = 2", (nan if blob is None else blob,))
    connection.close()
    tables = integrity.Integrity(opened(root, read_only=True)._database, 384, may_repair=False)
    tables.check()
    assert [fault for fault in tables.faults if fault.startswith(told)] == [f"{told}: s1-t1-00003000"]


def test_a_topic_whose_terms_were_damaged_is_named_anew_and_counted_as_it_is(root: Path) -> None:
    memory = opened(root)
    assert NameTopics().work(memory, 0, 16) == 1
    query = "SELECT (SELECT terms FROM topics), (SELECT json_group_object(term, n) FROM topic_terms), n_topics, n_words FROM topic_totals"
    with memory.findings.database.reading() as connection:
        before = connection.execute(query).fetchone()
    assert before[1:] == ('{"bark":1,"dog":1,"ferri":1,"leav":1}', 1, 4)
    memory.stop()
    change(root, "UPDATE topics SET terms = '[' || terms", "UPDATE topic_terms SET n = -5", "UPDATE topic_totals SET n_topics = 9")
    memory = opened(root)
    assert memory.examine().faults == ()
    assert NameTopics().work(memory, 0, 16) == 1
    with memory.findings.database.reading() as connection:
        assert connection.execute(query).fetchone() == before
    assert memory.examine().repairs == ()
    memory.stop()


def test_a_session_knows_its_start_once(root: Path) -> None:
    change(root, "UPDATE sessions SET started_at_ns = started_at_ns + 3600000000000")
    memory = opened(root)
    found = memory.examine()
    # Lines and sounds had stayed where they were, so they fit again.
    assert (found.faults, found.repairs) == ((), ("1 sessions whose start is told in two ways: s1",))
    memory.stop()
    change(root, "UPDATE sessions SET started_at = 'yesterday'")
    memory = opened(root)
    tables = integrity.Integrity(memory._database, 384, may_repair=True)
    tables.check()
    assert "1 sessions whose start is no moment: s1" in tables.faults
    memory.stop()


def test_rows_that_refer_to_nothing_are_told(root: Path) -> None:
    change(root, "DELETE FROM sessions")
    memory = opened(root)
    assert any("refers to a missing row of sessions" in fault for fault in memory.check())
    memory.stop()


def test_audio_that_cannot_be_decoded_is_told(root: Path) -> None:
    (root / "lines/s1/t1-00003000.flac").write_bytes(b"fLaC and then nothing of the kind")
    memory = opened(root)
    assert any("1 lines whose audio cannot be decoded: s1-t1-00003000" in fault for fault in memory.check())
    memory.stop()


def test_clips_and_audio_of_nobody_leave(root: Path) -> None:
    (root / "clips").mkdir()
    kept = ("s1-t1-00001000.flac", "s1-t1-00003000-00003000-00003500.flac")
    for name in (*kept, "s1-t9-00000001.flac", "notes.flac"):
        (root / "clips" / name).write_bytes(b"x")
    (root / "lines" / "gone").mkdir()
    (root / "lines" / "gone" / "t1-00000000.part").write_bytes(b"x")
    reader = opened(root, read_only=True)
    assert reader.examine().repairs == ()
    reader.stop()
    memory = opened(root)
    assert memory.examine().repairs == ("1 audio files that no line names: removed", "2 clips that belong to no line: removed")
    assert sorted(path.name for path in (root / "clips").iterdir()) == sorted(kept)
    memory.stop()


def test_many_faults_take_no_room() -> None:
    found = integrity.told("lines", (f"line-{n}" for n in range(200_000)))
    assert found == "200000 lines: line-0, line-1, line-2 and 199997 more"
