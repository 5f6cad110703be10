import errno

import pytest

from pipeline.app.failures import CallerError, WorkError, exit_code, message, report
from pipeline.geometry import GeometryError
from pipeline.graph import GraphError
from pipeline.runner import StageFailedError
from pipeline.session_info import SessionDiskError, SessionError
from stages.capture.source_info import SourceError
from stages.memory.memory_errors import MemoryDamaged, MemoryFull, MemoryInUse, MemorySettingsError
from stages.memory.transcript_parser import TranscriptFileError


@pytest.mark.parametrize(
    "error",
    [
        CallerError("x"),
        GraphError(["x"]),
        GeometryError("x"),
        SessionError("x"),
        SourceError("x"),
        MemoryInUse("x"),
        MemorySettingsError("x"),
        TranscriptFileError("x"),
    ],
)
def test_what_the_caller_must_change_is_2(error: Exception) -> None:
    assert exit_code(error) == 2
    assert message(error) == "x"


@pytest.mark.parametrize(
    "error",
    [
        WorkError("x"),
        SessionDiskError("x"),
        MemoryFull("x"),
        MemoryDamaged("x"),
        OSError("x"),
        StageFailedError("vad", "on x", ValueError("y")),
    ],
)
def test_what_failed_in_the_work_is_1(error: Exception) -> None:
    assert exit_code(error) == 1


def test_a_full_disk_says_what_to_do() -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/data/m/graph.yaml")
    assert message(error) == (
        "the disk is full for /data/m/graph.yaml: make room, then give the same command again; it goes on from where the memory stands"
    )


def test_an_error_of_nobody_names_its_class() -> None:
    assert message(KeyError("a")) == "KeyError: 'a' (set ECHOIC_TRACEBACK=1 to see where)"


def test_a_traceback_only_where_it_is_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECHOIC_TRACEBACK", raising=False)
    assert report(CallerError("the option is wrong")) == 2
    assert capsys.readouterr().err == "echoic: the option is wrong\n"
    monkeypatch.setenv("ECHOIC_TRACEBACK", "1")
    assert report(WorkError("the disk is gone")) == 1
    try:
        raise WorkError("the disk is gone")
    except WorkError as error:
        report(error)
    assert "Traceback" in capsys.readouterr().err
