"""Running time to session frames: steps, jumps, and time that goes back."""

from __future__ import annotations

from stages.capture.running_time import RunningTime

RATE = 1000


def place(time: RunningTime, buffers: list[tuple[int, int | None]], frames: int = 0) -> list[int]:
    """What is missing before each buffer (frames, time in milliseconds, which are frames here), with the losses filled."""
    lost = []
    for n_frames, time_ms in buffers:
        missing = time.missing(None if time_ms is None else time_ms * 10**6, frames)
        lost.append(missing)
        frames += missing + n_frames
    return lost


def test_the_first_samples_are_where_the_session_stands() -> None:
    time = RunningTime(RATE, 0.1)
    assert not time.begun
    assert place(time, [(100, 5000), (100, 5100)], frames=7) == [0, 0]
    assert time.begun


def test_only_jumps_over_the_tolerance_are_losses() -> None:
    # 50 frames are within the tolerance, but steps add up: 100 are, and 101 are not.
    assert place(RunningTime(RATE, 0.1), [(100, 0), (100, 150), (100, 300), (100, 401), (100, 501)]) == [0, 0, 0, 101, 0]


def test_samples_without_a_time_follow_what_there_is() -> None:
    assert place(RunningTime(RATE, 0.1), [(100, None), (100, 500), (100, None), (100, 700), (100, 1000)]) == [0, 0, 0, 0, 200]


def test_time_that_goes_back_goes_on_from_where_the_session_stands() -> None:
    assert place(RunningTime(RATE, 0.1), [(100, 5000), (100, 100), (100, 200), (100, 500)]) == [0, 0, 0, 200]


def test_another_pipeline_begins_anew() -> None:
    time = RunningTime(RATE, 0.1)
    assert place(time, [(100, 0)]) == [0]
    time.begin()
    assert place(time, [(100, 9000), (100, 9300)], frames=5000) == [0, 200]
