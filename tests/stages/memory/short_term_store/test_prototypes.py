"""Prototypes: what several lines had in common, as short-term memory leaves it; and short-term memory through a crash."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import Float32Array, Line
from pipeline.testing import run_stage
from stages.memory.erasing import erasure_rows
from stages.memory.erasing.erasure_plan import Plan
from stages.memory.granules.granule_store import Granule
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.remember import Remember
from stages.memory.short_term_store import prototype_rows
from stages.memory.short_term_store.prototype_store import PrototypeError, PrototypeRow
from stages.memory.vectors.reencoding import reencode
from tests.stages.memory.made import ENCODER, STARTED_AT, line, session_row

ROOT = Path(__file__).parents[4]
TOPICS = ("ferry island harbour boat", "fence paint brush wood", "apple cake oven recipe", "coffee machine broken repair")
SETTINGS = {"short_term_capacity": 4, "merge_likeness": 0.6, "gate_likeness": 0.97}


def talk(n_lines: int = 60) -> list[Line]:
    """Lines that go from topic to topic and come back, some of them said twice, some saying nothing."""
    made = []
    for n in range(n_lines):
        words = TOPICS[(n // 5) % 4].split()
        text = "yeah okay" if n % 11 == 7 else " ".join(words[k] for k in range(4) if (n * 7 + k) % 5) + f" thing{n % 3}"
        made.append(line(text, 3.0 * n, 2.0))
    return made


def opened(directory: Path | str = "") -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory) if directory else "")
    memory.start()
    memory.begin_session(session_row())
    return memory


def heard(lines: list[Line], **settings: float) -> LongTermMemory:
    memory = opened()
    run_stage(Remember(memory, **{**SETTINGS, **settings}), {"line": lines})  # type: ignore[arg-type] # numbers as the settings take them
    return memory


def told(memory: LongTermMemory) -> list[tuple[object, ...]]:
    return [
        (row.id, row.start_ns, row.end_ns, row.usage, row.lines, row.vector.tobytes(), found.id)
        for row in memory.prototypes.of()
        for found in memory.granules.search(row.vector, 1, "prototype")
    ]


def meaning(text: str) -> Float32Array:
    vector: Float32Array = ENCODER.encode([text])[0]
    return vector


def test_what_lines_have_in_common_is_found_and_gives_them_back() -> None:
    memory = heard(talk())
    rows = memory.prototypes.of("s1")
    assert len(rows) > 5
    texts = {row.id: row.text for row in memory.lines()}
    for row in rows:
        assert len(row.lines) >= 2
        assert float(np.linalg.norm(row.vector)) == pytest.approx(1.0, abs=1e-5)
        spans = [(said.start_ns, said.end_ns) for said in memory.lines(ids=row.lines)]
        assert (row.start_ns, row.end_ns) == (min(start for start, _ in spans), max(end for _, end in spans))
    found = memory.granules.search(meaning("cake from the oven"), 2, "prototype")
    assert all(granule.session == "s1" and granule.end_ns > granule.start_ns for granule in found)
    for granule in found:
        hits = memory.granules.lines(granule, 20)
        assert {hit.line for hit in hits} == set(next(row.lines for row in rows if row.id == granule.id))
        assert any("cake" in texts[hit.line] or "oven" in texts[hit.line] for hit in hits)
    assert memory.prototypes.of("s2") == []
    assert memory.check() == []


@pytest.mark.parametrize("cuts", [(1,), (15,), (16,), (17,), (31, 33, 52), (59,)])
def test_a_cut_changes_neither_salience_nor_prototypes(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    lines = talk()
    whole = heard(lines)
    for first, cut in zip((0, *cuts), cuts, strict=False):
        memory = opened(tmp_path)
        stage = Remember(memory, **SETTINGS)  # type: ignore[arg-type] # numbers as the settings take them
        stage.start()
        for said in lines[max(0, first - 2) : cut]:
            list(stage.on_line(said))
        memory.stop()  # and the stage is gone without a flush, as with kill -9
    memory = opened(tmp_path)
    run_stage(Remember(memory, **SETTINGS), {"line": lines[cuts[-1] - 1 :]})  # type: ignore[arg-type] # as above
    assert memory.salience("s1") == whole.salience("s1")
    assert told(memory) == told(whole)
    assert len(told(whole)) > 5
    assert memory.check() == []
    memory.stop()


def remember(directory: str) -> None:
    """Hear the talk from where the memory stands, and say what has been stored; killed by the test below."""
    memory = opened(directory)
    stage = Remember(memory, **SETTINGS)  # type: ignore[arg-type] # numbers as the settings take them
    stage.start()
    for n, said in enumerate(talk()):
        list(stage.on_line(said))
        print(n, flush=True)


def test_kill_9_changes_neither_salience_nor_prototypes(tmp_path: Path) -> None:
    code = f"from tests.stages.memory.short_term_store.test_prototypes import remember; remember({str(tmp_path)!r})"
    for last in ("21", "38"):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            for told_line in process.stdout:
                if told_line.strip() == last:
                    process.send_signal(signal.SIGKILL)
                    break
        assert process.returncode == -signal.SIGKILL
    memory = opened(tmp_path)
    run_stage(Remember(memory, **SETTINGS), {"line": talk()})  # type: ignore[arg-type] # numbers as the settings take them
    whole = heard(talk())
    assert memory.salience("s1") == whole.salience("s1")
    assert told(memory) == told(whole)
    assert memory.check() == []
    memory.stop()


def test_without_its_state_a_session_is_gone_through_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = talk()
    memory = opened(tmp_path)
    stage = Remember(memory, **SETTINGS)  # type: ignore[arg-type] # numbers as the settings take them
    stage.start()
    for said in lines[:40]:
        list(stage.on_line(said))
    memory.stop()
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        connection.execute("UPDATE short_terms SET state = x'0011'")
    connection.close()
    memory = opened(tmp_path)
    run_stage(Remember(memory, **SETTINGS), {"line": lines[38:]})  # type: ignore[arg-type] # as above
    assert "session s1: short-term memory: the stored state of 2 bytes is damaged" in caplog.text
    whole = heard(lines)
    assert memory.salience("s1") == whole.salience("s1")
    assert told(memory) == told(whole)
    memory.stop()


def test_questions_rehearse_short_term_memory_and_that_outlives_a_crash() -> None:
    lines = talk(12)
    quiet, asked = opened(), opened()
    for memory in (quiet, asked):
        stage = Remember(memory, short_term_capacity=64)
        stage.start()
        for said in lines[:11]:
            list(stage.on_line(said))
        if memory is asked:
            for _ in range(100):
                memory.search_dense(lines[0].embedding, 3)
        list(stage.on_line(lines[11]))
        run_stage(Remember(memory, short_term_capacity=64), {"line": lines[11:]})
    first, other = lines[0].transcript.key, lines[5].transcript.key
    assert asked.salience("s1")[f"s1-{first}"] > 0.8 > quiet.salience("s1")[f"s1-{first}"]
    assert asked.salience("s1")[f"s1-{other}"] < quiet.salience("s1")[f"s1-{other}"]
    assert asked.rehearsals.drain() == []


def test_waiting_questions_are_bounded() -> None:
    memory = heard(talk(3))
    for n in range(70):
        memory.search_dense(meaning(f"thing{n}"), 1)
    waiting = memory.rehearsals.drain()
    assert len(waiting) == 64
    assert (waiting[-1] == meaning("thing69")).all()


def test_gated_lines_take_no_place_and_are_found_as_before() -> None:
    texts = ("the ferry leaves at five", "yeah right", "dogs bark at night", "the ferry leaves at five")
    said = [line(text, 3.0 * n) for n, text in enumerate(texts)]
    open_memory, gated = opened(), opened()
    sizes = {}
    for name, memory, settings in (("open", open_memory, (1.01, 0)), ("gated", gated, (0.85, 2))):
        stage = Remember(memory, gate_likeness=settings[0], gate_words=settings[1])
        stage.start()
        for entry in said:
            list(stage.on_line(entry))
        sizes[name] = stage.short_term_used_bytes()
        list(stage.flush())
    assert sizes["gated"] < 0.6 * sizes["open"]
    assert [row.text for row in gated.lines("s1")] == [row.text for row in open_memory.lines("s1")]
    for text in ("yeah right", "the ferry leaves at five"):
        assert gated.search_dense(meaning(text), 4) == open_memory.search_dense(meaning(text), 4)
        assert gated.search_words(text, 4) == open_memory.search_words(text, 4)
    assert [row.lines for row in gated.prototypes.of()] == [("s1-t1-00000000", "s1-t1-00009000")]
    assert gated.salience("s1")["s1-t1-00003000"] == 0.0
    assert gated.salience("s1")["s1-t1-00009000"] > 0.3
    assert open_memory.salience("s1")["s1-t1-00009000"] == 0.0


def test_bytes_are_strictly_kept() -> None:
    memory = opened()
    stage = Remember(memory, short_term_bytes=5000)
    stage.start()
    for said in talk():
        list(stage.on_line(said))
        assert stage.short_term_used_bytes() <= 5000
    with memory._database.reading() as connection:
        assert connection.execute("SELECT length(state) FROM short_terms").fetchone()[0] <= 5000
    list(stage.flush())
    assert memory.check() == []


def test_prototypes_are_known_from_when_they_left() -> None:
    lines = talk()
    part, whole = heard(lines[:30]), heard(lines)
    moment = STARTED_AT + timedelta(seconds=3.0 * 30 - 1.0)
    before = [row for row in part.prototypes.of() if row.id in {now.id for now in whole.prototypes.of(at=moment)}]
    now = whole.prototypes.of(at=moment)
    assert 0 < len(now) < len(whole.prototypes.of())
    assert [(row.id, row.lines, row.usage) for row in now] == [(row.id, row.lines, row.usage) for row in before]
    later = next(row for row in whole.prototypes.of() if row.id not in {row.id for row in now})
    assert later.id not in {found.id for found in whole.granules.search(later.vector, 50, "prototype", moment)}
    as_granule = Granule("prototype", later.id, 1.0, "lines")
    assert whole.granules.lines(as_granule, 20, at=moment) == []
    assert len(whole.granules.lines(as_granule, 20)) == len(later.lines)
    with pytest.raises(PrototypeError, match="must carry its UTC offset"):
        whole.prototypes.of(at=datetime(2026, 11, 22))


def test_a_corrected_start_moves_prototypes_and_their_keys() -> None:
    memory = heard(talk())
    moment = STARTED_AT + timedelta(seconds=90)
    before = [row.id for row in memory.prototypes.of(at=moment)]
    memory.correct_start("s1", STARTED_AT + timedelta(hours=1))
    assert memory.prototypes.of(at=moment) == []
    assert [row.id for row in memory.prototypes.of(at=moment + timedelta(hours=1))] == before
    assert memory.check() == []


def test_erased_lines_leave_prototypes_and_short_term_memory() -> None:
    memory = heard(talk())
    row = next(row for row in memory.prototypes.of() if len(row.lines) > 2)
    with memory._database.writing() as connection:
        assert prototype_rows.erase(connection, row.lines[:1]) == {"prototypes": 0, "prototype_lines": 1, "short_terms": 0}
    left = next(other for other in memory.prototypes.of() if other.id == row.id)
    assert left.lines == row.lines[1:]
    mean = memory.vectors(left.lines).mean(axis=0)
    assert left.vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    (found,) = memory.granules.search(left.vector, 1, "prototype", among=[row.id])
    assert found.score == pytest.approx(1.0, abs=1e-4)
    with memory._database.writing() as connection:
        counts = prototype_rows.erase(connection, row.lines)
        assert counts == {"prototypes": 1, "prototype_lines": len(left.lines), "short_terms": 0}
    assert row.id not in {other.id for other in memory.prototypes.of()}
    assert memory.check() == []
    with memory._database.writing() as connection:
        counts = prototype_rows.drop_session(connection, "s1")
        assert counts["prototypes"] > 3
        assert connection.execute("SELECT count(*) FROM keys WHERE level = 'prototype'").fetchone() == (0,)
    assert memory.prototypes.of() == []


def test_a_running_short_term_memory_lets_go_of_erased_lines() -> None:
    memory = opened()
    stage = Remember(memory, short_term_capacity=64)
    stage.start()
    lines = talk(40)
    for said in lines[:20]:
        list(stage.on_line(said))
    gone = [f"s1-{said.transcript.key}" for said in lines[:5]]
    with memory._database.writing() as connection:
        assert erasure_rows.erase(connection, Plan(lines=(1, 2, 3, 4, 5)), ENCODER.dimension)["short_terms"] == 1
    for said in lines[20:]:
        list(stage.on_line(said))
    with memory._database.reading() as connection:
        stored = prototype_rows.short_term(connection, "s1")
    assert stored is not None
    kept = {f"s1-{key}" for trace in stored[1] for key in trace.lines}
    assert kept
    assert not kept & set(gone)
    assert not set(gone) & {row.id for row in memory.lines("s1")}
    list(stage.flush())
    assert not {name for row in memory.prototypes.of() for name in row.lines} & set(gone)
    assert memory.check() == []


def test_another_encoder_makes_prototypes_anew(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    run_stage(Remember(memory, **SETTINGS), {"line": talk()})  # type: ignore[arg-type] # numbers as the settings take them
    before: list[PrototypeRow] = memory.prototypes.of()
    memory.stop()

    class Reversed(HashedWords):
        """Another encoder: each text backwards."""

        name = "reversed-words"

        def encode(self, texts: Sequence[str]) -> Float32Array:
            return super().encode([text[::-1] for text in texts])

    reencode(tmp_path, Reversed(), "flat")
    memory = LongTermMemory(Reversed(), str(tmp_path))
    memory.start()
    now = memory.prototypes.of()
    assert [(row.id, row.lines) for row in now] == [(row.id, row.lines) for row in before]
    for row in now:
        mean = memory.vectors(row.lines).mean(axis=0)
        assert row.vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
        assert memory.granules.search(row.vector, 1, "prototype")[0].score == pytest.approx(1.0, abs=1e-4)
    assert memory.check() == []
    memory.stop()
