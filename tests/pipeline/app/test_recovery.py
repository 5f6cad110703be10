"""Only the one recording of a live session is recovered; a copy goes on from what it is a copy of."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.geometry import load_array
from pipeline.session_info import SessionInfo, load_info, save_info


@pytest.mark.parametrize(
    ("session", "source", "origin"),
    [
        ("20260131-184502", "autoaudiosrc", "live"),
        ("20260131-184502-2", "autoaudiosrc", "live"),
        ("20260131-184502.2", "autoaudiosrc", "replay"),
        ("20260131-184502", "other/sessions/20260131-184502", "replay"),
        ("r-0123456789ab", "talk.wav", "replay"),
    ],
)
def test_a_recording_from_before_origin_was_kept(tmp_path: Path, session: str, source: str, origin: str) -> None:
    began = datetime(2026, 1, 31, 18, 45, 2, tzinfo=UTC)
    save_info(tmp_path, SessionInfo(id=session, source=source, array=load_array("mono"), started_at=began, origin="live"))
    assert load_info(tmp_path).origin == "live"
    path = tmp_path / "session.json"
    row = json.loads(path.read_text())
    del row["origin"]
    path.write_text(json.dumps(row))
    assert load_info(tmp_path).origin == origin
