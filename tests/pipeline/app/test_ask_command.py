import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.app.command_line import ROOT, Done

Echoic = Callable[..., Done]
CONFIG = ("--config", "configs/minimal.yaml")
QUESTION = "When does the ferry leave?"


@pytest.fixture
def memory(echoic: Echoic, transcript: Path, tmp_path: Path) -> Path:
    """A memory with the transcript in it."""
    assert echoic("import", transcript, "--memory", tmp_path / "m", "--started-at", "2026-11-22T19:00:00+01:00", *CONFIG).code == 0
    return tmp_path / "m"


def shape_of(answer: dict[str, Any]) -> None:
    """The JSON has the keys of the design, in its order, with its types."""
    assert list(answer) == [
        "question",
        "intent",
        "abstained",
        "answer",
        "claims",
        "attended",
        "missed",
        "retrieved",
        "gaps",
        "timing_ms",
    ]
    assert isinstance(answer["abstained"], bool)
    assert {"parse", "retrieve", "answer", "total"} <= set(answer["timing_ms"])
    assert len(answer["retrieved"]) <= 50
    for claim in answer["claims"]:
        assert list(claim) == ["text", "confidence", "evidence"]
        assert 0 <= claim["confidence"] <= 1
        for evidence in claim["evidence"]:
            assert list(evidence) == ["utterance", "session", "start_s", "end_s", "azimuth_deg", "speaker", "text", "clip"]


def test_json_has_the_shape_that_scripts_rely_on(echoic: Echoic, memory: Path) -> None:
    done = echoic("ask", QUESTION, "--memory", memory, "--json")
    assert (done.code, done.err) == (0, "")
    answer = done.json
    shape_of(answer)
    assert answer["question"] == QUESTION
    assert not answer["abstained"]
    evidence = answer["claims"][0]["evidence"][0]
    assert (evidence["speaker"], evidence["azimuth_deg"], evidence["start_s"], evidence["end_s"]) == ("ann", 20.0, 0.0, 3.0)
    assert evidence["text"] == "The ferry leaves on Saturday at half past nine."
    assert evidence["utterance"] in answer["retrieved"]


def test_text_for_people(echoic: Echoic, memory: Path) -> None:
    done = echoic("ask", QUESTION, "--memory", memory)
    assert done.code == 0
    pieces = ("ann, at 20°", "2026-11-22 19:00:00", "+0.0 to +3.0 s", "“The ferry leaves on Saturday at half past nine.”")
    assert [piece for piece in pieces if piece not in done.out] == []


def test_an_answer_that_nobody_gave_is_declined_with_exit_0(echoic: Echoic, memory: Path) -> None:
    done = echoic("ask", "Who won the football match?", "--memory", memory, "--json")
    assert done.code == 0
    shape_of(done.json)
    assert done.json["abstained"]
    assert done.json["claims"] == []
    assert done.json["answer"]


@pytest.mark.parametrize("at", ["2026-11-22T19:00:03.2+01:00", "+3.2"])
def test_as_of_a_moment_nothing_later_is_known(echoic: Echoic, memory: Path, at: str) -> None:
    done = echoic("ask", "Where do we meet?", "--memory", memory, "--at", at, "--json")
    assert done.code == 0
    assert "lighthouse" not in done.out
    assert all(not name.endswith("-00003500") for name in done.json["retrieved"])
    assert "lighthouse" in echoic("ask", "Where do we meet?", "--memory", memory, "--at", "+100", "--json").out


def test_a_moment_that_is_none(echoic: Echoic, memory: Path) -> None:
    done = echoic("ask", QUESTION, "--memory", memory, "--at", "yesterday")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "echoic: --at: found 'yesterday'; give a time as ISO 8601, such as 2026-11-22T19:45:00+01:00, "
        "or +SECONDS from the session's start, such as +12.5\n"
    )


def test_plus_seconds_of_an_unknown_session(echoic: Echoic, memory: Path) -> None:
    done = echoic("ask", QUESTION, "--memory", memory, "--at", "+5", "--session", "tulk")
    assert (done.code, done.out) == (2, "")
    assert "session 'tulk' is not in this memory" in done.err


def test_an_empty_memory_declines(echoic: Echoic, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = echoic("ask", QUESTION, "--memory", empty, "--json", *CONFIG)
    assert done.code == 0
    shape_of(done.json)
    assert done.json["abstained"]
    assert f"nothing has been heard in {empty} yet" in done.err
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    "question", ["何を逃しましたか", "Сколько стоит билет?", "xyzzy plugh?", "'; DROP TABLE lines; --", '"AND" OR NEAR(*']
)
def test_questions_that_it_cannot_serve_are_declined(echoic: Echoic, memory: Path, question: str) -> None:
    done = echoic("ask", question, "--memory", memory, "--json")
    assert done.code == 0
    shape_of(done.json)
    assert done.json["abstained"]


def test_another_encoder_is_refused_with_the_way_out(echoic: Echoic, memory: Path, weights: Path) -> None:
    assert weights.is_dir()
    done = echoic("ask", QUESTION, "--memory", memory, "--config", "configs/replay.yaml")
    assert (done.code, done.out) == (2, "")
    pieces = ("made with the encoder 'hashed-words'", "'all-mpnet-base-v2'", "use a config with 'hashed-words'", "another --memory")
    assert [piece for piece in pieces if piece not in done.err] == []


@pytest.mark.broken_memory
def test_a_memory_of_a_newer_version_is_refused(echoic: Echoic, memory: Path) -> None:
    settings = memory / "memory.yaml"
    settings.write_text(settings.read_text().replace("version: 1", "version: 99"))
    done = echoic("ask", QUESTION, "--memory", memory)
    assert (done.code, done.out) == (2, "")
    assert "the memory is of version 99" in done.err
    assert "update Echoic" in done.err


def test_a_memory_whose_graph_is_of_another_time_can_still_be_asked(
    echoic: Echoic, transcript: Path, mono_file: Path, tmp_path: Path, weights: Path
) -> None:
    assert weights.is_dir()
    memory = tmp_path / "old"
    assert echoic("import", transcript, "--memory", memory, "--config", "configs/replay.yaml").code == 0
    graph = memory / "graph.yaml"
    graph.write_text(graph.read_text().replace("block_s: 0.032", "block_s: 0.032\n    gain_of_old: 3"))
    done = echoic("ask", QUESTION, "--memory", memory, "--json")
    assert done.code == 0, done.err
    assert not done.json["abstained"]
    assert "graph.yaml cannot be loaded any more, so configs/replay.yaml is used" in done.err
    refused = echoic("replay", mono_file, "--memory", memory)
    assert (refused.code, refused.out) == (2, "")
    assert "FileSource has no setting 'gain_of_old'" in refused.err
    assert "this is the graph that the memory was made with; give another one with --config" in refused.err


def test_voice_needs_a_recogniser(echoic: Echoic, memory: Path, mono_file: Path) -> None:
    done = echoic("ask", "--voice", mono_file, "--memory", memory)
    assert (done.code, done.out) == (2, "")
    assert "--config, such as configs/replay.yaml" in done.err


def test_a_cold_start_is_quick_and_loads_no_torch(memory: Path) -> None:
    heavy = {"torch", "faster_whisper", "whisper", "gi", "scipy", "pyroomacoustics", "rich"}
    code = (
        "import sys\nfrom pipeline.app.cli import main\n"
        f"try:\n    main(sys.argv[1:])\nfinally:\n    print(sorted({heavy} & set(sys.modules)), file=sys.stderr)\n"
    )
    arguments = [sys.executable, "-c", code, "ask", QUESTION, "--memory", str(memory), "--json"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_ask_from_a_cold_start_takes_under_two_seconds(echoic: Echoic, transcript: Path, tmp_path: Path, weights: Path) -> None:
    assert weights.is_dir()
    memory = tmp_path / "full"
    assert echoic("import", transcript, "--memory", memory, "--config", "configs/replay.yaml").code == 0
    took_s: list[float] = []
    # Other work on the machine must not decide: the quickest of a few counts.
    while len(took_s) < 8 and min(took_s, default=9.0) >= 2.0:
        begin = time.perf_counter()
        arguments = [sys.executable, "-m", "pipeline.app.cli", "ask", QUESTION, "--memory", str(memory)]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
        took_s.append(time.perf_counter() - begin)
        assert "half past nine" in done.stdout
    assert min(took_s) < 2.0
