from pipeline.app.heard import remarks
from pipeline.packets import NS_PER_S, Gap


def gap(start_s: float, end_s: float, reason: str) -> Gap:
    start_ns = round(start_s * NS_PER_S)
    return Gap(pts_ns=start_ns, duration_ns=round(end_s * NS_PER_S) - start_ns, reason=reason)


def test_nothing_to_say_of_a_whole_recording() -> None:
    assert remarks([gap(1, 2, "dropped")], 3) == []


def test_what_was_cut_off_and_what_was_no_number() -> None:
    found = [gap(4.0, 61.1, "unreadable"), gap(2.0, 2.002, "not a number")]
    assert remarks(found, 1) == [
        "4.0 to 61.1 s cannot be read (file cut off?)",
        "2.0000 to 2.0020 s held samples that are not a number; they were heard as silence",
    ]


def test_what_had_left() -> None:
    assert remarks([gap(0.0, 3600.0, "retention")], 1) == ["0.0 to 3600.0 s had left the recording to keep the bounds of its memory"]


def test_of_many_stretches_the_first_few() -> None:
    told = remarks([gap(index, index + 0.5, "unreadable") for index in range(6)], 1)
    assert told[2:] == ["2.0 to 2.5 s cannot be read (file cut off?)", "3 more stretches, 1.500 s together, cannot be read (file cut off?)"]


def test_nobody_was_heard() -> None:
    assert remarks([], 0) == ["nobody was heard; check the gain and the channels"]
