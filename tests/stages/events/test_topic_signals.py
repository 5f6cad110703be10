from __future__ import annotations

import numpy as np
import pytest

from stages.events.spoken_line import SpokenLine
from stages.events.topic_signals import SIGNALS, TopicSignals
from stages.events.wording import wording_of
from tests.stages.events.talks import spoken_line


def talk(n_lines: int, n_tracks: int = 3) -> list[SpokenLine]:
    generator = np.random.default_rng(7)
    vectors = generator.normal(size=(n_lines, 12)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = ("Okay, so what about you?", "and that is it", "some words about it", "yes")
    return [
        spoken_line(f"{n:05d}", f"t{n % n_tracks}", n * 4.0, n * 4.0 + 3.0, vector, texts[n % len(texts)])
        for n, vector in enumerate(vectors)
    ]


def named(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(SIGNALS, values, strict=True)}


def test_a_change_of_meaning_company_and_wording_shows_in_its_signals() -> None:
    signals = TopicSignals(12, n_near=4, n_past=8, n_ahead=4)
    east, north = np.eye(12, dtype=np.float32)[:2]
    for n in range(8):
        signals.take(spoken_line(f"{n}", f"t{n % 2}", n, n + 0.9, east, "it is a dog of ours"), 1.0)
    for n in range(8, 12):
        text = "Okay, where does your ferry leave?" if n == 8 else "from the harbour"
        signals.take(spoken_line(f"{n}", f"t{2 + n % 2}", n, n + 0.9, north, text), 5.0)
    within, change = named(signals.at(4)), named(signals.at(8))
    for name in ("kernel", "slow_kernel", "before", "two_before", "across", "windows", "past", "past_evidence", "company", "slow_company"):
        assert change[name] > within[name] + 0.3, name
    assert (change["question"], change["opener"], change["address"], change["refers_back"]) == (1.0, 1.0, 1.0, 0.0)
    assert (within["question"], within["opener"], within["refers_back"]) == (0.0, 0.0, 1.0)
    assert named(signals.at(9))["answer"] == 1.0
    assert change["length"] == pytest.approx(np.log1p(6))


def test_signals_do_not_depend_on_how_often_old_lines_were_forgotten() -> None:
    """The same lines, once after a long talk: what the window holds is the same, except for the talk's slow centre."""
    lines = talk(400)
    long = TopicSignals(12, n_near=4, n_past=8, n_ahead=4)
    for line in lines:
        long.take(line, 1.0)
        assert long.n_lines < 6 or np.isfinite(long.at(long.n_lines - 4)).all()
    assert long.n_lines == 400
    wording = [name for name in SIGNALS if name.startswith(("length", "question", "answer", "opener", "company", "slow_company"))]
    short = TopicSignals(12, n_near=4, n_past=8, n_ahead=4)
    for line in lines[-60:]:
        short.take(line, 1.0)
    one, other = named(long.at(396)), named(short.at(56))
    assert all(one[name] == other[name] for name in wording)
    assert abs(one["windows"] - other["windows"]) < 0.2


def test_nothing_from_beyond_the_declared_lines_is_looked_at() -> None:
    lines = talk(60)
    now, later = (TopicSignals(12, n_near=4, n_past=8, n_ahead=3) for _ in range(2))
    for line in lines[:40]:
        now.take(line, 1.0)
        later.take(line, 1.0)
    seen = named(now.at(37))
    for line in lines[40:43]:
        later.take(line, 1.0)
    # Only the slow centre of the talk knows of what came since.
    moved = {name for name, value in named(later.at(37)).items() if abs(value - seen[name]) > 1e-12}
    assert moved <= {"windows", "past", "past_evidence"}


def test_lines_without_words_or_meaning_are_taken() -> None:
    signals = TopicSignals(12, n_near=2, n_past=6, n_ahead=2)
    nothing = np.zeros(12, dtype=np.float32)
    for n in range(9):
        signals.take(spoken_line(f"{n}", "t1", n, n + 0.9, nothing, ""), 0.0)
    assert np.isfinite(signals.at(4)).all()


@pytest.mark.parametrize(
    ("text", "n_words", "flags"),
    [
        ("", 0, ""),
        ("…  !", 0, ""),
        ("Okay, that's it.", 3, "opens refers_back"),
        ("and your dog?", 3, "asks goes_on addresses"),
        ("你好吗\uff1f", 1, "asks"),
        ("هل أنت بخير؟", 3, "asks"),
        ("'; DROP TABLE lines; --", 3, ""),
        ("\x00\x1b[31m\ud800", 1, ""),
    ],
)
def test_wording_of_any_text(text: str, n_words: int, flags: str) -> None:
    wording = wording_of(text)
    assert wording.n_words == n_words
    told = {name for name in ("asks", "opens", "refers_back", "goes_on", "addresses") if getattr(wording, name)}
    assert told == set(flags.split())
