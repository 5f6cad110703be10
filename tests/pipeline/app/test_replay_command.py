"""replay: the same recording is the same session; what was cut short goes on; nothing is half-written."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import memory_to_read
from pipeline.app.recovery import unfinished
from tests.pipeline.app.command_line import RATE_HZ, Done, Process, burst_starts_s, bursts, until

Echoic = Callable[..., Done]
CONFIG = ("--config", "configs/minimal.yaml")


def export(echoic: Echoic, memory: Path, session: str) -> list[str]:
    done = echoic("export", session, "--memory", memory)
    assert done.code == 0, done.err
    return done.out.splitlines()


def test_a_recording_becomes_a_session_with_lines_events_and_a_copy(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    done = echoic("replay", mono_file, "--memory", memory, "--started-at", "2026-11-22T19:00:00+01:00", *CONFIG)
    assert done.code == 0, done.err
    session = done.out.strip()
    (row,) = echoic("sessions", "--memory", memory, "--json").json
    assert row == {
        "id": session,
        "source": str(mono_file),
        "started_at": "2026-11-22T19:00:00+01:00",
        "duration_s": 12.0,
        "array": "mono",
        "complete": True,
    }
    lines = [json.loads(line) for line in export(echoic, memory, session)]
    assert [line["start_s"] for line in lines] == pytest.approx(burst_starts_s(4), abs=0.2)
    assert all(line["azimuth_deg"] is None for line in lines)
    assert echoic("events", "--memory", memory, "--json").json
    assert echoic("doctor", "--memory", memory).code == 0
    (copy,) = sorted((memory / "sessions" / session / "audio").iterdir())
    samples, rate = soundfile.read(copy)
    assert (samples.shape, rate) == ((12 * RATE_HZ,), RATE_HZ)
    np.testing.assert_allclose(samples, soundfile.read(mono_file)[0], atol=2e-7)


def test_the_same_content_is_the_same_session_whatever_it_is_called(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    session = echoic("replay", mono_file, "--memory", memory, *CONFIG).out.strip()
    soundfile.write(tmp_path / "renamed.wav", soundfile.read(mono_file)[0], RATE_HZ, subtype="PCM_16")
    done = echoic("replay", tmp_path / "renamed.wav", "--memory", memory)
    assert (done.code, done.out.strip()) == (0, session)
    assert f"is in the memory already, as session {session}; nothing to do (--again hears it anew)" in done.err
    again = echoic("replay", mono_file, "--memory", memory, "--again")
    assert (again.code, again.out.strip()) == (0, f"{session}.2")
    first, second = export(echoic, memory, session), export(echoic, memory, f"{session}.2")
    # Without voices nobody can tell whether a stranger has come again, so the second hearing gets a speaker of its own.
    second = [line.replace(f"{session}.2", session).replace('"speaker": "speaker-2"', '"speaker": "speaker-1"') for line in second]
    assert second == first


def test_two_channels_are_two_lanes(echoic: Echoic, tmp_path: Path) -> None:
    left, right = bursts(3), np.roll(bursts(3, seed=6), RATE_HZ)
    soundfile.write(tmp_path / "two.wav", np.stack([left, right], axis=1), RATE_HZ)
    assert echoic("replay", tmp_path / "two.wav", "--memory", tmp_path / "m", *CONFIG).code == 0
    (row,) = echoic("sessions", "--memory", tmp_path / "m", "--json").json
    assert row["array"] == "two_lanes"
    tracks = echoic("tracks", "--memory", tmp_path / "m", "--json").json
    assert [(track["azimuth_deg"], track["n_lines"]) for track in tracks] == [(None, 3), (None, 3)]


def test_no_copy_leaves_no_recording(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    done = echoic("replay", mono_file, "--memory", tmp_path / "m", "--no-copy", *CONFIG)
    assert done.code == 0
    assert not (tmp_path / "m" / "sessions").exists()
    assert len(export(echoic, tmp_path / "m", done.out.strip())) == 4


def test_a_recorded_session_can_be_replayed_into_another_memory(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    session = echoic("replay", mono_file, "--memory", tmp_path / "m", *CONFIG).out.strip()
    recording = tmp_path / "m" / "sessions" / session
    done = echoic("replay", recording, "--memory", tmp_path / "m2", *CONFIG)
    assert (done.code, done.out.strip()) == (0, session)
    assert export(echoic, tmp_path / "m2", session) == export(echoic, tmp_path / "m", session)
    known = echoic("replay", session, "--memory", tmp_path / "m")
    assert (known.code, known.out.strip()) == (0, session)
    assert "nothing to do" in known.err


def test_a_session_of_a_newer_version_is_refused(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    session = echoic("replay", mono_file, "--memory", tmp_path / "m", *CONFIG).out.strip()
    recording = tmp_path / "new"
    shutil.copytree(tmp_path / "m" / "sessions" / session, recording)
    info = recording / "session.json"
    info.write_text(info.read_text().replace('"version": 1', '"version": 9'))
    done = echoic("replay", recording, "--memory", tmp_path / "m2", *CONFIG)
    assert (done.code, done.out) == (2, "")
    assert "written by a newer Echoic (version 9" in done.err


def test_a_live_graph_replays_a_recording_too(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.yaml"
    text = Path("configs/minimal.yaml").read_text()
    source = "use: stages.capture.gst_source.GstSource, pipeline: autoaudiosrc, array: mono, recording: recording"
    live.write_text(text.replace("use: stages.capture.file_source.FileSource, recording: recording", source))
    assert "gst_source" in live.read_text()
    done = echoic("replay", mono_file, "--memory", tmp_path / "m", "--config", live)
    assert done.code == 0, done.err
    assert len(export(echoic, tmp_path / "m", done.out.strip())) == 4


def test_silence_is_a_session_without_lines(echoic: Echoic, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(5 * RATE_HZ), RATE_HZ)
    done = echoic("replay", tmp_path / "silent.wav", "--memory", tmp_path / "m", *CONFIG)
    assert done.code == 0, done.err
    assert export(echoic, tmp_path / "m", done.out.strip()) == []
    assert "nobody was heard; check the gain and the channels" in done.err
    assert echoic("ask", "What was said?", "--memory", tmp_path / "m", "--json").json["abstained"]


def test_another_sample_rate_numbers_that_are_none_and_clipping(echoic: Echoic, tmp_path: Path) -> None:
    import soxr

    samples = soxr.resample(bursts(3), RATE_HZ, 44100)
    samples[44100 * 4 : 44100 * 4 + 100] = np.nan
    samples[44100 * 5 : 44100 * 5 + 50] = 9.0
    soundfile.write(tmp_path / "odd.wav", samples, 44100, subtype="FLOAT")
    done = echoic("replay", tmp_path / "odd.wav", "--memory", tmp_path / "m", *CONFIG)
    assert done.code == 0, done.err
    assert "s held samples that are not a number; they were heard as silence" in done.err
    assert "nobody was heard" not in done.err
    lines = [json.loads(line) for line in export(echoic, tmp_path / "m", done.out.strip())]
    starts = [line["start_s"] for line in lines]
    assert [min(abs(start - found) for found in starts) < 0.2 for start in burst_starts_s(3)] == [True] * 3
    (row,) = echoic("sessions", "--memory", tmp_path / "m", "--json").json
    assert row["duration_s"] == pytest.approx(9.0, abs=0.01)


def test_a_truncated_file_is_heard_as_far_as_it_goes(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.wav", soundfile.read(mono_file)[0], RATE_HZ, subtype="PCM_16")
    data = (tmp_path / "whole.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 2])
    done = echoic("replay", tmp_path / "cut.wav", "--memory", tmp_path / "m", *CONFIG)
    assert done.code == 0, done.err
    assert len(export(echoic, tmp_path / "m", done.out.strip())) == 2
    assert echoic("doctor", "--memory", tmp_path / "m").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_was_cut_short_goes_on_and_ends_the_same(
    echoic: Echoic, process: Callable[..., Process], mono_file: Path, tmp_path: Path, number: signal.Signals
) -> None:
    whole = echoic("replay", mono_file, "--memory", tmp_path / "whole", *CONFIG).out.strip()
    memory = tmp_path / "m"
    run = process("replay", mono_file, "--memory", memory, "--speed", "2", *CONFIG)
    tail = memory / "sessions" / whole / "audio" / "000000.au"
    until(lambda: tail.exists() and tail.stat().st_size > 5 * RATE_HZ * 3)
    done = run.signal(number)
    assert done.out == ""
    assert done.code == (-9 if number == signal.SIGKILL else 130)
    if number != signal.SIGKILL:
        assert f"session {whole} was cut short; the same command goes on from there" in done.err
    assert "Traceback" not in done.err
    (row,) = echoic("sessions", "--memory", memory, "--json").json
    assert not row["complete"]
    assert echoic("doctor", "--memory", memory).code == 0
    resumed = echoic("replay", mono_file, "--memory", memory)
    assert (resumed.code, resumed.out.strip()) == (0, whole)
    assert f"session {whole} was cut short; going on from" in resumed.err
    assert export(echoic, memory, whole) == export(echoic, tmp_path / "whole", whole)
    assert echoic("events", "--memory", memory, "--json").json == echoic("events", "--memory", tmp_path / "whole", "--json").json


def test_a_full_disk_is_exit_1_and_the_same_command_goes_on(
    echoic: Echoic, process: Callable[..., Process], mono_file: Path, tmp_path: Path
) -> None:
    import resource

    memory = tmp_path / "m"
    run = process("replay", mono_file, "--memory", memory, "--speed", "2", *CONFIG)
    tail = until(lambda: next(memory.glob("sessions/*/audio/000000.au"), None))
    # The kernel refuses to let any file of the process grow beyond this: what a full disk does to the recording.
    resource.prlimit(run.child.pid, resource.RLIMIT_FSIZE, (tail.stat().st_size + 30_000, resource.RLIM_INFINITY))
    done = run.end()
    assert done.code == 1, done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    resumed = echoic("replay", mono_file, "--memory", memory)
    assert resumed.code == 0, resumed.err
    assert len(export(echoic, memory, resumed.out.strip())) == 4
    assert echoic("doctor", "--memory", memory).code == 0


def test_an_interrupted_copy_of_a_recorded_session_is_not_taken_for_a_live_one(
    echoic: Echoic, process: Callable[..., Process], mono_file: Path, tmp_path: Path
) -> None:
    source_memory, memory = tmp_path / "a", tmp_path / "b"
    session = echoic("replay", mono_file, "--memory", source_memory, *CONFIG).out.strip()
    recording = source_memory / "sessions" / session
    run = process("replay", recording, "--memory", memory, "--speed", "2", *CONFIG)
    tail = memory / "sessions" / session / "audio" / "000000.au"
    until(lambda: tail.exists() and tail.stat().st_size > 4 * RATE_HZ * 3)
    assert run.signal(signal.SIGINT).code == 130
    with memory_to_read(MemoryDirectory(memory)) as long_term:
        assert unfinished(MemoryDirectory(memory), long_term) == []
    own = echoic("replay", session, "--memory", memory)
    assert (own.code, own.out) == (2, "")
    assert "this is a copy that was cut short at " in own.err
    assert f"go on with its own source instead: echoic replay {recording} --memory {memory}" in own.err
    resumed = echoic("replay", recording, "--memory", memory)
    assert (resumed.code, resumed.out.strip()) == (0, session)
    (row,) = echoic("sessions", "--memory", memory, "--json").json
    assert (row["complete"], row["duration_s"]) == (True, 12.0)
    assert export(echoic, memory, session) == export(echoic, source_memory, session)


def test_a_known_session_keeps_its_start(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    echoic("replay", mono_file, "--memory", tmp_path / "m", "--started-at", "2026-11-22T19:00:00+01:00", *CONFIG)
    done = echoic("replay", mono_file, "--memory", tmp_path / "m", "--started-at", "2026-11-23T19:00:00+01:00")
    assert done.code == 0
    assert "keeps its start, 2026-11-22T19:00:00+01:00; --started-at changes nothing" in done.err


def test_a_moment_that_no_memory_can_hold(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    done = echoic("replay", mono_file, "--memory", tmp_path / "m", "--started-at", "0001-01-01T00:00:00", *CONFIG)
    assert (done.code, done.out) == (2, "")
    assert "--started-at: found '0001-01-01T00:00:00'; the year must be from 1900 to 2199" in done.err


def test_what_is_cut_off_inside_is_told(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    data = mono_file.read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) // 2])
    done = echoic("replay", tmp_path / "cut.flac", "--memory", tmp_path / "m", *CONFIG)
    assert done.code == 0, done.err
    assert " to 12.0 s cannot be read (file cut off?)" in done.err
