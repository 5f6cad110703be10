"""A recording whose oldest audio has left is heard from where it is kept; what is missing is one gap, in words too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.geometry import load_array
from pipeline.packets import NS_PER_S
from pipeline.retention import let_go
from pipeline.session import SessionReader, SessionWriter
from pipeline.session_info import SessionInfo, load_info
from stages.capture.file_source import FileSource
from tests.pipeline.app.command_line import RATE_HZ, bursts
from tests.pipeline.app.conftest import Echoic
from tests.pipeline.test_session import STARTED

CONFIG = ("--config", "configs/minimal.yaml")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Bursts in twelve seconds, in segments of two."""
    info = SessionInfo(id="talk", source="x", array=load_array("mono"), started_at=STARTED, segment_frames=2 * RATE_HZ)
    writer = SessionWriter(tmp_path / "talk", info)
    writer.append(bursts(4).astype("float32")[None])
    writer.finish()
    return tmp_path / "talk"


def starts(echoic: Echoic, memory: Path, session: str) -> list[float]:
    return [json.loads(line)["start_s"] for line in echoic("export", session, "--memory", memory).out.splitlines()]


def test_it_is_heard_from_where_it_is_kept(echoic: Echoic, recorded: Path, tmp_path: Path) -> None:
    whole, memory = tmp_path / "whole", tmp_path / "m"
    assert echoic("replay", recorded, "--memory", whole, *CONFIG).code == 0
    let_go(recorded, load_info(recorded), range(2))
    done = echoic("replay", recorded, "--memory", memory, *CONFIG)
    assert done.code == 0
    assert "session talk: 0.0 to 4.0 s had left the recording to keep the bounds of its memory" in done.err
    assert starts(echoic, memory, "talk") == pytest.approx([start for start in starts(echoic, whole, "talk") if start > 4], abs=0.1)
    with SessionReader(memory / "sessions/talk") as reader:
        assert [(gap.reason, gap.pts_ns, gap.end_ns) for gap in reader.gaps] == [("retention", 0, 4 * NS_PER_S)]
        assert reader.frames == 12 * RATE_HZ
    assert echoic("doctor", "--memory", memory).code == 0
    answer = echoic("ask", "What was said?", "--memory", memory, "--json").json
    assert "0:00 to 0:04 is missing (its audio had left before it was heard)" in json.dumps(answer)


def test_one_that_is_gone_says_so(echoic: Echoic, recorded: Path, tmp_path: Path) -> None:
    let_go(recorded, load_info(recorded), range(6))
    done = echoic("replay", recorded, "--memory", tmp_path / "m", *CONFIG)
    assert done.code == 2
    assert "all audio of this session has left to keep the bounds of its memory, so it cannot be heard again" in done.err


def test_played_as_a_source_it_is_gaps_first(recorded: Path) -> None:
    let_go(recorded, load_info(recorded), range(1))
    source = FileSource(str(recorded))
    source.start()
    ends = [(type(emit.packet).__name__, emit.packet.end_ns) for emit in source.packets()]
    source.stop()
    assert ends[:2] == [("Gap", NS_PER_S), ("Gap", 2 * NS_PER_S)]
    assert {name for name, _ in ends[2:]} == {"AudioBlock"}
