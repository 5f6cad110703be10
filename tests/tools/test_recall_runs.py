from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tools.bench_recall import PARTS, heading, main, parts, without_places
from tools.recall_rooms import made_room, written
from tools.recall_rooms_audio import labels_of, script_of
from tools.recall_rooms_questions import asked_of
from tools.recall_rooms_text import RecallOfRooms, answered, keep, measured
from tools.scene_script import parse_script


def test_every_part_has_its_folder_and_its_data(tmp_path: Path) -> None:
    for quick in (True, False):
        known = parts(tmp_path, tmp_path, quick=quick, n_rooms=40, configs=[Path("some.yaml")])
        assert tuple(part.title for part in known) == PARTS
    assert known[0].command[-2:] == ("--config", "some.yaml")
    assert known[1].command == ("tools.recall_answerers", "--folder", str(tmp_path / "answerers"), "--config", "some.yaml")
    assert known[2].command == ("tools.recall_free_questions", "--folder", str(tmp_path / "free"), "--config", "some.yaml")
    assert known[3].command == ("tools.recall_talks",)
    assert known[4].command[-1] == "40"
    assert known[5].needed == tmp_path / "qmsum"
    assert (known[6].command[0], known[6].needed) == ("tools.recall_meetings_crossed", tmp_path / "qmsum")
    assert known[7].command[-4:] == ("1000", "10000", "100000", "1000000")
    own = [part.command[0] for part in known]
    assert all(importlib.util.find_spec(name) is not None for name in own)


def test_the_report_is_written_without_the_places_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    monkeypatch.setattr(
        "sys.argv", ["bench_recall", "--only", "Meetings", "--data", str(tmp_path), "--work", str(work), "--out", str(tmp_path / "out.md")]
    )
    assert main() == 1
    told = capsys.readouterr().out
    assert (tmp_path / "out.md").read_text(encoding="utf-8") == told
    assert [part for part in PARTS if f"## {part}\n" in told] == ["Meetings"]
    assert "DATA/qmsum is not there" in told
    assert "FOLDER/meetings" in told
    assert without_places("a /x/w b /x", Path("/x"), Path("/x/w")) == "a FOLDER b DATA"
    assert "`python -m tools.bench_recall`" in heading(["python", "-m", "tools.bench_recall"])


def test_a_room_becomes_a_scene_of_the_same_lines() -> None:
    room = made_room(4, short=True)
    script = parse_script(script_of(room), "made")
    assert {name: talker.azimuth_deg for name, talker in script.talkers.items()} == dict(room.talkers)
    assert len({talker.voice for talker in script.talkers.values()}) == len(room.talkers)
    said = {topic.topic: line.text for topics in script.conversations.values() for topic in topics for line in topic.lines}
    assert said == {line.key: line.text for line in room.said}


def test_talkers_get_the_label_of_most_of_what_was_heard_from_their_bearing() -> None:
    room = made_room(4, short=True)
    (first, first_deg), (second, second_deg), *others = room.talkers.items()
    row = {"start_s": 0.0, "track": "t"}
    lines = [
        {**row, "end_s": 9.0, "azimuth_deg": first_deg + 3.0, "speaker": "speaker-1"},
        {**row, "end_s": 2.0, "azimuth_deg": first_deg, "speaker": "speaker-2"},
        {**row, "end_s": 1.0, "azimuth_deg": second_deg, "speaker": "speaker-1"},
        {**row, "end_s": 1.0, "azimuth_deg": None, "speaker": "speaker-4"},
    ]
    labels = labels_of(room, lines)
    assert labels[first] == "speaker-1"
    assert labels[second] == "unheard-2"
    assert len(set(labels.values())) == 2 + len(others)


@pytest.mark.usefixtures("weights")
def test_rooms_are_asked_through_the_graph_and_beside_two_baselines(tmp_path: Path) -> None:
    config = Path("configs/replay.yaml")
    found = measured([config], [1], tmp_path)
    assert list(found) == ["the seed's way", "dense top 5", "extractive"]
    asked = asked_of(made_room(1))
    assert all([question.text for _, question, *_ in rows] == [question.text for question in asked] for rows in found.values())
    by_kind = {question.kind: verdict for _, question, _, verdict in found["extractive"]}
    assert by_kind["no such person"].refused
    assert by_kind["mentioned"].all_four == 1.0
    assert not any(verdict.refused for *_, verdict in found["dense top 5"])
    keep(found, tmp_path)
    assert len((tmp_path / "the-seed-s-way.jsonl").read_text(encoding="utf-8").splitlines()) == len(asked)


@pytest.mark.usefixtures("weights")
def test_rooms_that_are_asked_in_turn_know_nothing_of_each_other(tmp_path: Path) -> None:
    with RecallOfRooms(Path("configs/replay.yaml")) as recalls:
        for seed in (1, 2):
            room = made_room(seed)
            with recalls.of_room(room, written(room, tmp_path)) as (recall, _):
                for answer in answered(recall, room, asked_of(room)[:3]):
                    assert all(entry["session"].startswith(room.name) for claim in answer["claims"] for entry in claim["evidence"])
