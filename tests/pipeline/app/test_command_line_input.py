"""What a caller can get wrong: each time exit code 2 and one message that says what to do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.pipeline.app.command_line import Done

Echoic = Callable[..., Done]


def faults(done: Done, *pieces: str) -> list[str]:
    """In what this is no refusal: exit code 2, nothing on stdout, and one message with these pieces."""
    found = [f"exit {done.code}: {done.err}"] if done.code != 2 else []
    found += [f"on stdout: {done.out}"] if done.out else []
    found += [done.err] if "Traceback" in done.err else []
    return found + [f"not told: {piece}; told: {done.err}" for piece in pieces if piece not in done.err]


def test_help_names_every_command(echoic: Echoic) -> None:
    done = echoic("--help")
    assert done.code == 0
    commands = ["run", "replay", "ask", "import", "export", "sessions", "events", "tracks", "models", "check", "stages", "doctor"]
    assert [command for command in commands if f"\n  {command} " not in done.out] == []


def test_an_unknown_command_is_guessed(echoic: Echoic) -> None:
    assert faults(echoic("replai"), "No such command 'replai'", "replay", "echoic --help") == []


def test_a_missing_argument_is_named(echoic: Echoic) -> None:
    assert faults(echoic("replay", "--memory", "m"), "Missing argument 'SOURCE'", "echoic COMMAND --help") == []


def test_an_unknown_option(echoic: Echoic) -> None:
    assert faults(echoic("sessions", "--memori", "m"), "No such option: --memori", "--memory") == []


def test_a_number_that_is_none(echoic: Echoic) -> None:
    assert faults(echoic("run", "configs/live.yaml", "--port", "99999"), "65535", "--port") == []


@pytest.mark.parametrize(
    "command", [["sessions"], ["events"], ["tracks"], ["ask", "What did I miss?"], ["export", "s"], ["doctor"]], ids=lambda value: value[0]
)
def test_a_memory_that_is_not_there(echoic: Echoic, tmp_path: Path, command: list[str]) -> None:
    gone = tmp_path / "gone"
    assert (
        faults(echoic(*command, "--memory", gone), f"--memory {gone}: there is no such directory; make a memory with `echoic replay SOURCE")
        == []
    )
    assert not gone.exists()


def test_a_directory_that_is_no_memory(echoic: Echoic, tmp_path: Path, mono_file: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert faults(echoic("ask", "Who?", "--memory", tmp_path), "there is no memory.yaml in it, so it is no memory") == []
    done = echoic("replay", mono_file, "--memory", tmp_path, "--config", "configs/minimal.yaml")
    assert (
        faults(done, f"--memory {tmp_path}: it is no memory and has other things in it (notes.txt); give a new or an empty directory") == []
    )


def test_a_memory_that_is_a_file(echoic: Echoic, mono_file: Path) -> None:
    assert faults(echoic("sessions", "--memory", mono_file), "it is a file") == []
    assert faults(echoic("replay", mono_file, "--memory", mono_file), "it is a file; give a directory") == []


def test_ask_needs_one_question(echoic: Echoic, tmp_path: Path) -> None:
    assert faults(echoic("ask", "--memory", tmp_path), "either a QUESTION in words or --voice FILE") == []
    assert faults(echoic("ask", "Who?", "--voice", "q.wav", "--memory", tmp_path), "either a QUESTION in words or --voice FILE") == []


def test_a_question_of_nothing(echoic: Echoic, tmp_path: Path) -> None:
    assert faults(echoic("ask", " ?! ", "--memory", tmp_path), "the question is ' ?! '; ask in words") == []
    assert faults(echoic("ask", "why " * 1000, "--memory", tmp_path), "the question has 3999 characters; at most 2000 are allowed") == []


def replayed(echoic: Echoic, source: object, memory: Path, *options: object) -> Done:
    return echoic("replay", source, "--memory", memory, "--config", "configs/minimal.yaml", *options)


def test_a_source_that_is_not_there(echoic: Echoic, tmp_path: Path) -> None:
    assert (
        faults(replayed(echoic, "room.flac", tmp_path / "m"), "room.flac: there is no such file, nor a session of that name recorded in")
        == []
    )
    assert not (tmp_path / "m").exists()


def test_a_directory_that_is_no_session(echoic: Echoic, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert faults(replayed(echoic, tmp_path / "d", tmp_path / "m"), "this directory is no recorded session") == []


def test_an_empty_file_and_one_that_is_no_sound(echoic: Echoic, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    assert faults(replayed(echoic, tmp_path / "empty.wav", tmp_path / "m"), "empty.wav: the file is empty") == []
    (tmp_path / "text.wav").write_text("this is no sound at all " * 100)
    assert faults(replayed(echoic, tmp_path / "text.wav", tmp_path / "m"), "text.wav") == []
    assert not (tmp_path / "m").exists()


def test_seven_channels_need_an_array(echoic: Echoic, tmp_path: Path) -> None:
    path = tmp_path / "seven.wav"
    soundfile.write(path, np.zeros((16000, 7)), 16000)
    assert faults(replayed(echoic, path, tmp_path / "m"), "7 channels, but an array must be named", "uma8") == []
    assert faults(replayed(echoic, path, tmp_path / "m", "--array", "linear8"), "linear8", "7 channels", "uma8") == []
    assert faults(replayed(echoic, path, tmp_path / "m", "--array", "uma9"), "array 'uma9' is not known", "uma8") == []
    assert not (tmp_path / "m").exists()


def test_a_started_at_that_is_no_time(echoic: Echoic, tmp_path: Path, mono_file: Path) -> None:
    assert (
        faults(replayed(echoic, mono_file, tmp_path / "m", "--started-at", "noon"), "--started-at: found 'noon'; give a time as ISO 8601")
        == []
    )


def test_a_config_with_mistakes_lists_all(echoic: Echoic, tmp_path: Path, mono_file: Path) -> None:
    config = tmp_path / "bad.yaml"
    config.write_text("resources: {}\nstages:\n  a: {use: stages.capture.file_source.FileSourse}\n  b: {use: nowhere.Thing}\n")
    assert (
        faults(echoic("replay", mono_file, "--memory", tmp_path / "m", "--config", config), f"{config}:3:", "FileSourse", f"{config}:4:")
        == []
    )
    assert faults(echoic("check", config), f"{config}:3:", f"{config}:4:") == []
    assert faults(echoic("check", tmp_path / "gone.yaml"), "gone.yaml: there is no such file") == []


def test_a_graph_without_memory_cannot_remember(echoic: Echoic, tmp_path: Path, mono_file: Path) -> None:
    config = tmp_path / "deaf.yaml"
    config.write_text("stages:\n  room: {use: stages.capture.file_source.FileSource}\n")
    assert faults(echoic("replay", mono_file, "--memory", tmp_path / "m", "--config", config), "found 0 long-term memories") == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "talk", "--format", "srt"], "--format srt: allowed are jsonl, vtt, rttm"),
        (["events", "--level", "week"], "--level week: allowed are event, episode, day"),
    ],
)
def test_values_that_are_not_allowed(echoic: Echoic, tmp_path: Path, arguments: list[str], told: str) -> None:
    assert faults(echoic(*arguments, "--memory", tmp_path), told) == []


def test_stages_format(echoic: Echoic) -> None:
    assert faults(echoic("stages", "--format", "xml"), "--format xml: allowed are text, markdown, json") == []


def test_weights_that_the_catalogue_does_not_have(echoic: Echoic) -> None:
    assert (
        faults(echoic("models", "fetch", "whisper-bas"), "no weight file or group is called 'whisper-bas'; did you mean 'whisper-base'?")
        == []
    )
    assert faults(echoic("models", "verify", "nothing-of-the-kind"), "no weight file or group is called 'nothing-of-the-kind'") == []


@pytest.mark.parametrize("speed", ["-1", "nan", "inf"])
def test_a_speed_that_is_none(echoic: Echoic, tmp_path: Path, mono_file: Path, speed: str) -> None:
    assert faults(replayed(echoic, mono_file, tmp_path / "m", "--speed", speed), "--speed") == []


@pytest.mark.parametrize("arguments", [[], ["models"]])
def test_without_a_command_there_is_the_help(echoic: Echoic, arguments: list[str]) -> None:
    assert faults(echoic(*arguments), "Usage: echoic ", "Commands:") == []
