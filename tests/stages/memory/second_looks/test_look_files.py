"""Second looks lie beside the tables, whole or not at all, and go with their lines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from stages.memory.erasing.erasure_plan import Selection
from stages.memory.rows import LineRow, WordRow
from stages.memory.second_looks import look_files
from stages.memory.second_looks.look import Look, LookDamaged
from tests.stages.memory.made_forgotten import SECRET, T0_NS, files_with, made, seconds_of

LOOK = Look(
    "s1-t1-2000", "a ferry", (WordRow("a", 5, 7, 0.5), WordRow("ferry", 7, 9, 0.9)), 0.8, "a fairy", "line audio", "SecondLook", "0.1"
)


def look_at(row: LineRow) -> Look:
    return Look(row.id, f"{row.text} indeed", row.words, 0.9, row.text, "line audio", "SecondLook", "0.1")


def test_what_was_kept_is_read_again_for_the_text_that_it_is_of(tmp_path: Path) -> None:
    look_files.keep(tmp_path, LOOK)
    assert look_files.kept(tmp_path, LOOK.line, "a fairy") == LOOK
    assert look_files.kept(tmp_path, LOOK.line, "another text") is None
    assert look_files.kept(tmp_path, "s1-t1-3000", "a fairy") is None
    assert LOOK.is_news
    assert not replace(LOOK, text="a fairy").is_news


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"line": "s1-t1-2000"}', b"\xff\xfe", b"null"])
def test_a_damaged_look_is_none(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    look_files.keep(tmp_path, LOOK)
    path = tmp_path / look_files.FOLDER / f"{LOOK.line}.json"
    path.write_bytes(content)
    assert look_files.kept(tmp_path, LOOK.line, LOOK.first_text) is None
    assert f"{path} cannot be read, so the recording is heard again" in caplog.text


def test_json_of_another_kind_is_refused_with_what_to_do() -> None:
    row = {**LOOK.to_json(), "confidence": 1.5}
    with pytest.raises(LookDamaged) as refused:
        Look.of_json(row, "x.json")
    assert str(refused.value) == "x.json: this is no second look at a line (texts or confidence); remove the file, it is made anew"
    assert Look.of_json(json.loads(json.dumps(LOOK.to_json())), "x.json") == LOOK


def test_erased_lines_and_those_beside_them_lose_their_looks_and_others_keep_them(tmp_path: Path) -> None:
    memory = made(tmp_path)
    rows = memory.lines("s1")
    for row in rows:
        look_files.keep(tmp_path, look_at(row))
    secret = next(row for row in rows if row.text == SECRET)
    start_ns, end_ns = seconds_of(11.0, 14.5)
    done = memory.erasures.erase(memory.erasures.preview(Selection(from_ns=T0_NS + start_ns, to_ns=T0_NS + end_ns, session="s1")).plan)
    # The line that begins at 15 s reaches into the second around what was erased: somebody may be heard in it.
    gone = [row.id for row in rows if row.text == SECRET or row.start_ns == 15 * 10**9]
    assert done.proof.holds
    assert done.files["second looks"] == len(gone) == 2
    assert look_files.lines_looked_at(tmp_path) == sorted(row.id for row in rows if row.id not in gone)
    assert files_with(tmp_path, secret.text) == []
    memory.stop()


def test_doctor_removes_looks_of_no_line_and_damaged_ones(tmp_path: Path) -> None:
    memory = made(tmp_path)
    first, second, *_ = memory.lines("s1")
    for look in (look_at(first), look_at(second), LOOK):
        look_files.keep(tmp_path, look)
    (tmp_path / look_files.FOLDER / f"{second.id}.json").write_bytes(b"{")
    examined = memory.examine()
    assert examined.faults == ()
    assert "2 second looks that belong to no line or are damaged: removed" in examined.repairs
    assert look_files.lines_looked_at(tmp_path) == [first.id]
    assert memory.examine().repairs == ()
    memory.stop()
