"""`echoic sounds`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.app.command_line import Done
from tests.stages.memory.made import session_row
from tests.stages.memory.made_sounds import sound

Echoic = Callable[..., Done]


@pytest.fixture
def directory(echoic: Echoic, transcript: Path, tmp_path: Path) -> Path:
    """A memory in which a door and an unknown sound were heard."""
    from pipeline.app.graph_choice import choose_graph, for_writing
    from pipeline.app.memory_directory import MemoryDirectory
    from pipeline.app.open_memory import live_memory
    from pipeline.build import build_resources

    path = tmp_path / "memory"
    assert echoic("import", transcript, "--memory", path, "--config", "configs/minimal.yaml").code == 0
    memory = MemoryDirectory(path)
    graph, roles = for_writing(choose_graph(None, memory), memory, "", record=False)
    opened = live_memory(build_resources(graph, only=[roles.memory]), roles)
    opened.start()
    opened.begin_session(session_row("s1", complete=True))
    for one in (sound("Door", 1.0, azimuth_deg=None), sound(None, 2.0, seed=1), sound(None, 3.0, seed=1, noise=0.2)):
        opened.sounds.add("s1", one)
    opened.stop()
    return path


def test_sounds_are_listed_for_people_and_for_scripts(echoic: Echoic, directory: Path) -> None:
    table = echoic("sounds", "--memory", directory)
    assert table.code == 0
    assert [word in table.out for word in ("Door", "sound-1", "40°", "bearing")] == [True] * 4
    listed = echoic("sounds", "--memory", directory, "--json", "--session", "s1").json
    assert listed[0] == {
        "id": "s1-door-00001000",
        "session": "s1",
        "start_s": 1.0,
        "end_s": 1.5,
        "label": "Door",
        "group": None,
        "score": 0.8,
        "azimuth_deg": None,
        "elevation_deg": None,
    }
    assert [(row["label"], row["group"]) for row in listed[1:]] == [("sound-1", "sound-1")] * 2


def test_a_name_relabels_the_past(echoic: Echoic, directory: Path) -> None:
    named = echoic("sounds", "name", "sound-1", "coffee machine", "--memory", directory)
    assert (named.code, named.out) == (0, "sound-1 is called coffee machine (2 times heard)\n")
    assert [row["label"] for row in echoic("sounds", "--memory", directory, "--json").json] == ["Door", "coffee machine", "coffee machine"]
    assert echoic("doctor", "--memory", directory).code == 0


def test_what_cannot_be_is_refused_with_the_way_out(echoic: Echoic, directory: Path, tmp_path: Path) -> None:
    for arguments, said in (
        (("sounds",), "sounds needs --memory DIR"),
        (("sounds", "--memory", tmp_path / "nothing"), "there is no such directory"),
        (("sounds", "--memory", directory, "--session", "s9"), "session 's9' is not in this memory"),
        (("sounds", "name", "sound-7", "fan", "--memory", directory), "did you mean sound-1? (`echoic sounds` lists the sounds)"),
        (
            ("sounds", "name", "sound-1", " ", "--memory", directory),
            "name ' ': a name must have 1 to 80 printable characters, such as 'Anna'",
        ),
        (("sounds", "name", "sound-1", "sound-9", "--memory", directory), "names of this form are given out by Echoic itself"),
        (("sounds", "name", "sound-1", "fan"), "--memory"),
    ):
        done = echoic(*arguments)
        assert done.code == 2, arguments
        assert said in done.err
