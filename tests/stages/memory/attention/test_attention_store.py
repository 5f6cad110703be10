from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S
from stages.memory.attention.attention_row import Attention, AttentionError
from stages.memory.erasing.erasure_plan import Selection
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow
from stages.memory.tables.row_writer import utc_ns
from tests.stages.memory.made import ENCODER, STARTED_AT, session_row

T0_NS = utc_ns(STARTED_AT)


def moment(start_s: float) -> int:
    return T0_NS + round(start_s * NS_PER_S)


def add(memory: LongTermMemory, session: str, said: list[tuple[str, str, float]]) -> None:
    """Lines of three seconds each, imported: (speaker, text, start_s)."""
    memory.begin_session(session_row(session))
    rows = [
        LineRow(
            f"{session}-{who}-{round(start_s * 1000):08d}",
            session,
            who,
            round(start_s * NS_PER_S),
            round((start_s + 3) * NS_PER_S),
            10.0,
            None,
            who,
            text,
            (),
            0.9,
            "en",
        )
        for who, text, start_s in said
    ]
    memory.add_rows(session, rows, ENCODER.encode([row.text for row in rows]), rows[-1].end_ns)
    memory.finish_session(session, round(60 * NS_PER_S))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[LongTermMemory]:
    opened = LongTermMemory(ENCODER, str(tmp_path / "m"))
    opened.start()
    add(opened, "s1", [("Anna", "the dog ran into the quagmire", 1.0), ("Bob", "poor animal", 5.0), ("Anna", "he is fine", 30.0)])
    # As in a process that did not hear it: stopping notes how far the session went, which may have been erased.
    opened.session = ""
    yield opened
    opened.stop()


def told(memory: LongTermMemory) -> list[str]:
    return [row.told for row in memory.attention.rows()]


def test_what_is_declared_is_listed_by_start_and_found_again_after_reopening(memory: LongTermMemory) -> None:
    made = memory.attention.declare(
        [
            Attention("topic", moment(20), words="  the   dogs "),
            Attention("away", moment(5), moment(9), "s1", words="on the phone"),
            Attention("azimuth", moment(30), azimuth_deg=90.0),
            Attention("speaker", moment(40), speaker="Anna"),
            Attention("nothing", moment(50)),
        ]
    )
    assert [row.id for row in made] == ["attention-1", "attention-2", "attention-3", "attention-4", "attention-5"]
    assert memory.attention.clear("attention-3").azimuth_deg == 90.0
    reader = LongTermMemory(ENCODER, memory.directory, read_only=True)
    reader.start()
    wanted = ["you were away (on the phone)", "you followed the talk about the dogs", "you followed Anna", "you followed nothing"]
    assert told(reader) == wanted
    reader.stop()


def test_as_of_a_moment_those_that_begin_later_are_not_seen(memory: LongTermMemory) -> None:
    memory.attention.declare([Attention("topic", moment(20), words="dogs"), Attention("away", moment(5), moment(50))])
    kinds = [[row.kind for row in memory.attention.rows(at=STARTED_AT + timedelta(seconds=at_s))] for at_s in (4, 5, 19, 20)]
    assert kinds == [[], ["away"], ["away"], ["away", "topic"]]


@pytest.mark.parametrize(
    ("attention", "message"),
    [
        (Attention("topic", 5, words=" ?! "), "topic ' ?! ': say in words what it is about, such as 'dogs'"),
        (Attention("topic", 5, words="a\x07b"), "topic 'a\\x07b': it must have 1 to 200 printable characters"),
        (
            Attention("away", 5, words="x" * 201),
            "reason 'xxxxxxxxxxxxxxxxxxxx'... (201 characters): it must have 1 to 200 printable characters",
        ),
        (
            Attention("azimuth", 5, azimuth_deg=361.0),
            "azimuth 361.0: it must be from 0 to 360 degrees, counter-clockwise from the array's +x",
        ),
        (
            Attention("azimuth", 5, azimuth_deg=float("nan")),
            "azimuth nan: it must be from 0 to 360 degrees, counter-clockwise from the array's +x",
        ),
        (Attention("away", 5, 5), "a declaration must end after it begins; give a --to that is later than --from"),
        (Attention("away", 5, 9, "s9"), "session 's9' is not in this memory; `echoic sessions` lists them"),
    ],
)
def test_what_cannot_be_declared_is_refused_and_nothing_of_its_batch_is_stored(
    memory: LongTermMemory, attention: Attention, message: str
) -> None:
    with pytest.raises(AttentionError) as caught:
        memory.attention.declare([Attention("nothing", moment(1)), attention])
    assert str(caught.value) == message
    assert memory.attention.rows() == []


def test_clearing_what_is_not_there(memory: LongTermMemory) -> None:
    with pytest.raises(AttentionError) as caught:
        memory.attention.clear("attention-1")
    assert str(caught.value) == "declaration 'attention-1' is not in this memory; there are 0; `echoic attend --list` lists them"
    memory.attention.declare([Attention("nothing", moment(1))])
    with pytest.raises(AttentionError, match=re.escape("did you mean attention-1? `echoic attend --list`")):
        memory.attention.clear("atention-1")


def test_a_declaration_follows_its_speaker_through_names_and_merges(memory: LongTermMemory) -> None:
    memory.attention.declare([Attention("speaker", moment(1), speaker="Anna")])
    memory.speakers.rename("Anna", "Anna Lee")
    assert told(memory) == ["you followed Anna Lee"]
    memory.speakers.merge("Anna Lee", "Bob")
    assert told(memory) == [f"you followed {memory.speakers.rows()[0].name}"]
    assert len(memory.speakers.rows()) == 1
    assert memory.check() == []


def test_a_declaration_follows_a_speaker_who_is_numbered_anew(memory: LongTermMemory) -> None:
    memory.begin_session(session_row("s2"))
    voices = np.eye(2, 192, dtype=np.float32)
    said = [("t1", 1.0, voices[0]), ("t2", 6.0, voices[1])]
    rows = [
        LineRow(f"s2-{track}", "s2", track, round(s * NS_PER_S), round((s + 4) * NS_PER_S), a, None, None, "we talk", (), 0.9, "en")
        for (track, s, _), a in zip(said, (10.0, 200.0), strict=True)
    ]
    # Stored in the other order than they spoke, so that the end of the session numbers them anew.
    for row, (_, _, voice) in reversed(list(zip(rows, said, strict=True))):
        memory.add_rows("s2", [row], ENCODER.encode([row.text]), row.end_ns, {row.id: voice})
    first = next(line.speaker for line in memory.lines("s2") if line.track == "t1")
    memory.attention.declare([Attention("speaker", moment(1), speaker=first)])
    memory.finish_session("s2", round(20 * NS_PER_S))
    now = next(line.speaker for line in memory.lines("s2") if line.track == "t1")
    assert (first, now) == ("speaker-2", "speaker-1")
    assert memory.attention.rows()[0].name == now


def test_one_of_a_session_moves_with_it(memory: LongTermMemory) -> None:
    memory.attention.declare([Attention("away", moment(5), moment(9), "s1"), Attention("nothing", moment(5))])
    memory.correct_start("s1", STARTED_AT + timedelta(seconds=2))
    assert {(row.kind, row.start_at_ns, row.end_at_ns) for row in memory.attention.rows()} == {
        ("away", moment(7), moment(11)),
        ("nothing", moment(5), None),
    }


def test_one_of_a_session_in_which_nothing_was_said_goes_with_it(memory: LongTermMemory) -> None:
    memory.begin_session(session_row("s2"))
    memory.attention.declare([Attention("away", moment(5), session="s2")])
    memory.drop_empty_session("s2")
    assert memory.attention.rows() == []


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        # Those of a time of which nothing stays: "quagmires" counted until the call began, and the call itself.
        (Selection(from_ns=moment(0), to_ns=moment(11)), ["you followed Anna", "you followed whoever was at 20 degrees"]),
        # A part of it stays, and with it what was declared.
        (
            Selection(from_ns=moment(6), to_ns=moment(11)),
            ["you followed the talk about quagmires", "you followed Anna", "you followed whoever was at 20 degrees"],
        ),
        (Selection(session="s1"), ["you followed whoever was at 20 degrees"]),
    ],
)
def test_erasing_time_takes_along_what_was_declared_of_it(memory: LongTermMemory, selection: Selection, left: list[str]) -> None:
    memory.attention.declare(
        [
            Attention("topic", moment(0), words="quagmires"),
            Attention("away", moment(6), moment(10), words="call with the quagmire agency"),
            Attention("speaker", moment(10), speaker="Anna"),
            # Of a time in which nothing was heard yet.
            Attention("azimuth", moment(7200), azimuth_deg=20.0),
        ]
    )
    erased = memory.erasures.erase(memory.erasures.preview(selection).plan)
    assert erased.proof.left == []
    assert told(memory) == left
    assert memory.check() == []
    if "quagmires" not in str(left):
        files = [path for path in Path(memory.directory).rglob("*") if path.is_file()]
        assert [path.name for path in files if b"quagmire" in path.read_bytes()] == []


def test_erasing_a_person_takes_along_what_names_them(memory: LongTermMemory) -> None:
    memory.attention.declare(
        [
            Attention("speaker", moment(0), speaker="Anna"),
            Attention("topic", moment(5), words="anna's birthday"),
            Attention("topic", moment(5), words="the annals of Rome"),
            Attention("speaker", moment(10), speaker="Bob"),
        ]
    )
    plan = memory.erasures.preview(Selection(speaker=memory.speakers.find("Anna"))).plan
    assert memory.erasures.erase(plan).rows["attentions"] == 2
    assert told(memory) == ["you followed the talk about the annals of Rome", "you followed Bob"]


def test_where_nothing_of_somebody_stays_what_names_them_goes(memory: LongTermMemory) -> None:
    memory.attention.declare([Attention("speaker", moment(20), speaker="Bob"), Attention("nothing", moment(30))])
    memory.erasures.erase(memory.erasures.preview(Selection(from_ns=moment(4), to_ns=moment(9))).plan)
    assert told(memory) == ["you followed nothing"]


@pytest.mark.broken_memory
def test_doctor_tells_what_is_broken(memory: LongTermMemory) -> None:
    memory.attention.declare([Attention("nothing", moment(n)) for n in range(4)])
    with memory.findings.database.writing() as connection:
        connection.execute("UPDATE attentions SET end_at_ns = start_at_ns WHERE n = 1")
        connection.execute("UPDATE attentions SET kind = 'azimuth', azimuth_deg = 400 WHERE n = 2")
        connection.execute("UPDATE attentions SET kind = 'dream' WHERE n = 3")
        connection.execute("UPDATE attentions SET kind = 'speaker', speaker = 'Zoe' WHERE n = 4")
    assert memory.check() == [
        "1 declarations of what was followed that end before they begin: 1",
        "2 declarations that do not say what was followed: 2, 3",
        "1 declarations that name somebody who is not there: 4",
    ]
