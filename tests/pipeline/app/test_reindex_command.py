from collections.abc import Callable
from pathlib import Path

from tests.pipeline.app.command_line import Done

Echoic = Callable[..., Done]
CONFIG = ("--config", "configs/minimal.yaml")


def test_a_memory_is_encoded_anew_and_keeps_the_graph_of_its_encoder(echoic: Echoic, transcript: Path, tmp_path: Path) -> None:
    directory = tmp_path / "m"
    assert echoic("import", transcript, "--memory", directory, "--started-at", "2026-11-22T19:00:00+01:00", *CONFIG).code == 0
    before = echoic("events", "--memory", directory, "--json").json
    smaller = tmp_path / "smaller.yaml"
    text = Path("configs/minimal.yaml").read_text()
    plain = "{use: stages.memory.hashed_words.HashedWords}"
    assert plain in text
    smaller.write_text(text.replace(plain, "{use: stages.memory.hashed_words.HashedWords, dimension: 64}"))
    refused = echoic("ask", "What was said?", "--memory", directory, "--config", smaller)
    assert refused.code == 2
    assert f"echoic reindex --memory {directory} --config CONFIG" in refused.err
    done = echoic("reindex", "--memory", directory, "--config", smaller)
    assert done.code == 0
    assert "now have the vectors of 'hashed-words'" in done.err
    assert "dimension: 64" in (directory / "graph.yaml").read_text()
    assert echoic("events", "--memory", directory, "--json").json == before
    assert echoic("doctor", "--memory", directory).code == 0
    again = echoic("reindex", "--memory", directory)
    assert (again.code, "nothing to do" in again.err) == (0, True)


def test_a_directory_without_a_memory_is_refused(echoic: Echoic, tmp_path: Path) -> None:
    done = echoic("reindex", "--memory", tmp_path, *CONFIG)
    assert done.code == 2
    assert "nothing was heard in it yet" in done.err
