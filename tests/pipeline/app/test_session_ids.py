from datetime import UTC, datetime

from pipeline.app.session_ids import again_id, latest_of, new_live_id

BEGAN = datetime(2026, 11, 22, 19, 45, 2, tzinfo=UTC)


def test_the_first_hearing_of_a_recording_has_its_own_id() -> None:
    assert latest_of("r-1", []) == "r-1"
    assert again_id("r-1", []) == "r-1"


def test_again_counts_on() -> None:
    assert again_id("r-1", ["r-1"]) == "r-1.2"
    assert again_id("r-1", ["r-1", "r-1.2", "r-1.10", "r-12.44"]) == "r-1.11"


def test_without_again_the_latest_is_meant() -> None:
    assert latest_of("r-1", ["r-1", "r-1.2", "r-1.3", "r-1.x", "r-12.9"]) == "r-1.3"


def test_two_live_sessions_in_one_second_differ() -> None:
    assert new_live_id(BEGAN, []) == "20261122-194502"
    assert new_live_id(BEGAN, ["20261122-194502", "20261122-194502-2"]) == "20261122-194502-3"
