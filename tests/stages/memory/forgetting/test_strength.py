import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S
from stages.memory.forgetting import recall_spool
from stages.memory.forgetting.fading import AbsorbRecalls, FadeAudio
from stages.memory.forgetting.strength_curve import STABILITY_NS, age_at_ns, salience_class, stability_ns, strength
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.tables.row_writer import utc_ns
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row

DAY_NS = 86_400 * NS_PER_S
BEGAN_NS = utc_ns(STARTED_AT)


def memory_of(directory: Path, n_lines: int = 4, *, read_only: bool = False) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory), read_only=read_only)
    memory.start()
    if not read_only:
        memory.begin_session(session_row("s1"))
        said = [line(f"number {place} of the ferry", 10.0 * place) for place in range(n_lines)]
        memory.add_lines("s1", said, said[-1].end_ns)
        for place, spoken in enumerate(said):
            memory.add_event("s1", event(f"event-{place}", [spoken]))
    return memory


def ids_of(memory: LongTermMemory) -> list[str]:
    return [row.id for row in memory.lines("s1")]


@given(st.floats(0, 1), st.integers(0, 20), st.integers(0, 400), st.integers(0, 400))
def test_strength_falls_with_age_and_rises_with_recalls_and_salience(salience: float, n_recalls: int, age: int, later: int) -> None:
    stability = stability_ns(salience_class(salience), n_recalls)
    now, then = strength(age * DAY_NS, stability), strength((age + later) * DAY_NS, stability)
    assert 0.0 <= then <= now <= 1.0
    assert strength(age * DAY_NS, stability_ns(salience_class(salience), n_recalls + 1)) >= now
    assert strength(age * DAY_NS, stability_ns(3, n_recalls)) >= now
    assert strength(-age * DAY_NS, stability) == 1.0


def test_a_strength_is_reached_at_its_age() -> None:
    assert age_at_ns(1.0, STABILITY_NS) == 0
    assert strength(age_at_ns(0.25, STABILITY_NS), STABILITY_NS) == pytest.approx(0.25)


def test_what_is_recalled_is_stronger_than_what_is_not(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    first, second, *_ = ids_of(memory)
    memory.strengths.recalled([first], BEGAN_NS + 10 * DAY_NS)
    assert AbsorbRecalls().work(memory, BEGAN_NS + 11 * DAY_NS, 16) == 1
    assert AbsorbRecalls().work(memory, BEGAN_NS + 11 * DAY_NS, 16) == 0
    found = memory.strengths.of([first, second, "nobody"], BEGAN_NS + 20 * DAY_NS)
    assert set(found) == {first, second}
    assert found[first] == pytest.approx(strength(10 * DAY_NS, 2 * STABILITY_NS), abs=1e-4)
    assert found[second] == pytest.approx(strength(20 * DAY_NS, STABILITY_NS), abs=1e-4)
    assert memory.strengths.of_event("s1-event-0", BEGAN_NS + 20 * DAY_NS) == found[first]
    memory.stop()


def test_events_that_are_recalled_together_are_linked(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    first, second, *_ = ids_of(memory)
    memory.strengths.recalled([first, second], BEGAN_NS + DAY_NS)
    assert memory.links.of("s1-event-0") == []
    memory.strengths.absorb(16)
    (found,) = memory.links.of("s1-event-0")
    assert (found.event, round(found.weight, 6)) == ("s1-event-1", 0.2)
    memory.stop()


def test_a_reader_notes_what_it_recalled_and_the_writer_takes_it_up(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    first = ids_of(memory)[0]
    reader = memory_of(tmp_path, read_only=True)
    reader.strengths.recalled([first], BEGAN_NS + 5 * DAY_NS)
    reader.stop()
    before = memory.strengths.of([first], BEGAN_NS + 6 * DAY_NS)[first]
    memory.strengths.absorb(16)
    assert memory.strengths.of([first], BEGAN_NS + 6 * DAY_NS)[first] > before
    memory.stop()


def test_every_recall_is_taken_up_once_however_it_is_cut_and_whatever_is_torn(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    first = ids_of(memory)[0]
    for day in range(5):
        memory.strengths.recalled([first], BEGAN_NS + day * DAY_NS)
    waiting = tmp_path / recall_spool.FOLDER / "waiting.jsonl"
    with waiting.open("ab") as file:
        file.write(b'{"at_ns": true, "lines": 7}\n[]\n\xff\xfe\n{"at_ns": 1, "lin')
    assert memory.strengths.absorb(2) == 2
    memory.strengths.recalled([first], BEGAN_NS + 9 * DAY_NS)
    memory.stop()
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    while memory.strengths.absorb(2):
        pass
    found = memory.strengths.of([first], BEGAN_NS + 10 * DAY_NS)[first]
    assert found == pytest.approx(strength(DAY_NS, stability_ns(0, 6)), abs=1e-4)
    assert list((tmp_path / recall_spool.FOLDER).iterdir()) == []
    assert memory.check() == []
    memory.stop()


@pytest.mark.parametrize(
    "row",
    [
        '{"at_ns": 9' + "9" * 30 + ', "lines": ["%s"]}',
        '{"at_ns": 9' + "9" * 17 + ', "lines": ["%s", "s1-\\ud800"]}',
        '{"at_ns": 7258118400000000000, "lines": ["%s"]}',
        '{"at_ns": -2208988800000000001, "lines": ["%s"]}',
        '{"at_ns": 5, "lines": ["%s", 7]}',
        '{"at_ns": ' + "9" * 5000 + ', "lines": ["%s"]}',
        "[" * 200_000,
    ],
    ids=["64 bits", "surrogate", "2200", "1899", "number", "digits", "deep"],
)
def test_damaged_recalls_are_passed_over_and_counted_and_sleep_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture, row: str) -> None:
    memory = memory_of(tmp_path)
    first, second, *_ = ids_of(memory)
    damaged = f"{row.replace('%s', first)}\n".encode() * 2
    memory.strengths.recalled([second], BEGAN_NS)
    waiting = tmp_path / recall_spool.FOLDER / "waiting.jsonl"
    waiting.write_bytes(damaged + waiting.read_bytes())
    assert AbsorbRecalls().work(memory, BEGAN_NS + DAY_NS, 16) == 3
    assert AbsorbRecalls().work(memory, BEGAN_NS + DAY_NS, 16) == 0
    assert [record.getMessage() for record in caplog.records if "recalls" in record.getMessage()] == [
        f"memory {tmp_path}: 2 damaged recalls were passed over"
    ]
    with memory.findings.database.reading() as connection:
        rows = connection.execute("SELECT l.id, s.n_recalls, s.recalled_at_ns FROM strengths s JOIN lines l ON l.n = s.n").fetchall()
    assert rows == [(second, 1, BEGAN_NS)]
    memory.stop()


def test_a_clock_that_is_wrong_costs_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row("s1"))
    memory.add_lines("s1", [line("the ferry", 1.0)], 5 * NS_PER_S)
    memory.strengths.recalled(ids_of(memory), 10**30)
    assert "the clock of this machine is wrong" in caplog.text
    with memory.findings.database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM strengths").fetchone() == (0,)
    memory.stop()


def test_a_full_spool_and_a_disk_that_fails_cost_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    memory = memory_of(tmp_path)
    monkeypatch.setattr(recall_spool, "_MOST_BYTES", 10)
    memory.strengths.recalled(ids_of(memory), BEGAN_NS)
    assert "too many recalls wait for sleep" in caplog.text
    (tmp_path / recall_spool.FOLDER / "waiting.jsonl").unlink()
    (tmp_path / recall_spool.FOLDER).rmdir()
    (tmp_path / recall_spool.FOLDER).write_text("a file where the folder belongs")
    memory.strengths.recalled(ids_of(memory), BEGAN_NS)
    assert "what was recalled could not be noted" in caplog.text
    memory.stop()


def test_audio_fades_when_it_is_weak_unless_it_was_recalled_and_the_words_stay(tmp_path: Path) -> None:
    memory = memory_of(tmp_path, n_lines=5)
    ids = ids_of(memory)
    memory.strengths.recalled([ids[0]], BEGAN_NS + 20 * DAY_NS)
    memory.strengths.absorb(16)
    step, late_ns = FadeAudio(below=0.25), BEGAN_NS + 42 * DAY_NS
    assert step.work(memory, BEGAN_NS + 41 * DAY_NS, 16) == 0
    assert [step.work(memory, late_ns, 3), step.work(memory, late_ns, 3), step.work(memory, late_ns, 3)] == [3, 1, 0]
    rows = memory.lines("s1")
    assert [row.clip is not None for row in rows] == [True, False, False, False, False]
    assert [(tmp_path / row.clip).is_file() for row in rows if row.clip] == [True]
    assert [row.text for row in rows] == [f"number {place} of the ferry" for place in range(5)]
    assert step.work(memory, BEGAN_NS + 200 * DAY_NS, 16) == 1
    assert memory.check() == []
    memory.stop()


def test_nothing_fades_unless_it_is_asked_for(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    assert FadeAudio().work(memory, BEGAN_NS + 10_000 * DAY_NS, 16) == 0
    memory.stop()
    with pytest.raises(MemorySettingsError, match=r"audio fades below a strength of 0 \(never\) to under 1, found 1"):
        FadeAudio(below=1.0)


def test_what_fades_is_found_by_an_index(tmp_path: Path) -> None:
    memory = memory_of(tmp_path)
    with memory.strengths.database.reading() as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT l.n FROM lines l LEFT JOIN strengths s ON s.n = l.n WHERE"
            " min(3, max(0, CAST(4 * l.salience AS INTEGER))) = 0 AND l.ended_at_ns <= 5 AND l.clip IS NOT NULL AND s.n IS NULL"
            " ORDER BY l.ended_at_ns, l.n LIMIT 3"
        ).fetchall()
    assert "USING INDEX lines_with_audio" in json.dumps([row[3] for row in plan])
    assert "SCAN" not in json.dumps([row[3] for row in plan])
    memory.stop()


def test_an_answer_makes_what_it_quotes_stronger(tmp_path: Path) -> None:
    from pipeline.app.asking import note_recalled

    memory = memory_of(tmp_path)
    first, second, *_ = ids_of(memory)
    note_recalled(memory, {"claims": [{"evidence": [{"utterance": first}]}, {"evidence": [{"utterance": first}]}]})
    memory.strengths.absorb(16)
    far_ns = utc_ns(STARTED_AT + timedelta(days=3650))
    assert memory.strengths.of([first], far_ns)[first] > memory.strengths.of([second], far_ns)[second]
    memory.stop()
