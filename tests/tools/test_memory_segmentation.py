"""The measuring of segmentation, on small cases whose figures are known by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.memory.hashed_words import HashedWords
from tools.memory_segmentation import GROUPS, Part, measured, tuned
from tools.memory_segmentation_methods import at_random, even, none, refined, text_tiling
from tools.memory_segmentation_score import Boundaries, n_matched, score_of, window_errors
from tools.memory_segmentation_talks import Part as PartName
from tools.memory_segmentation_talks import Talk, TalksError, qmsum, some, tiage, vectors_of
from tools.memory_segmentation_weights import CHAT, MEETING, as_yaml, fitted, logistic, signals_of


def at(n_lines: int, *places: int) -> Boundaries:
    begins = np.zeros(n_lines, dtype=bool)
    begins[list(places)] = True
    return begins


def test_window_errors_by_hand() -> None:
    # Two segments of four lines: windows of two lines, six of them, two of which (from 2 and 3) hold the boundary.
    truth = at(8, 4)
    assert window_errors(truth, truth) == (0.0, 0.0)
    assert list(window_errors(truth, at(8))) == pytest.approx([2 / 6, 2 / 6])
    # One line late: the windows from 2 and from 4 are wrong.
    assert list(window_errors(truth, at(8, 5))) == pytest.approx([2 / 6, 2 / 6])
    # Twice as many in the same windows: WindowDiff sees it where both are inside, Pk only where one was not.
    assert list(window_errors(truth, at(8, 4, 5))) == pytest.approx([1 / 6, 2 / 6])
    assert window_errors(at(1), at(1)) == (0.0, 0.0)


def test_boundaries_are_paired_one_to_one() -> None:
    assert n_matched(at(20, 5, 10), at(20, 5, 11), 0) == 1
    assert n_matched(at(20, 5, 10), at(20, 5, 11), 2) == 2
    assert n_matched(at(20, 10), at(20, 8, 9, 11, 12), 2) == 1
    assert n_matched(at(20, 10, 12), at(20, 11, 12), 2) == 2
    assert n_matched(at(20), at(20, 3), 2) == 0


def test_a_score_is_of_all_boundaries_together() -> None:
    score = score_of([at(8, 4), at(8, 2, 6)], [at(8, 4), at(8, 4)])
    assert score.f1 == pytest.approx(2 / 5)
    assert score.f1_near == pytest.approx(4 / 5)
    assert score.made_per_true == pytest.approx(2 / 3)
    assert score.pk > 0.0


def talk(name: str, part: PartName, n_each: int = 6, n_topics: int = 4) -> Talk:
    subjects = ("the dog in the snow", "six ferry tickets", "the broken heating", "apple cakes for the concert")
    texts = tuple(
        f"{'Okay, what about ' if place == 0 else 'I say that '}{subjects[topic % 4]} number {place}{'?' if place == 0 else ''}"
        for topic in range(n_topics)
        for place in range(n_each)
    )
    begins = at(len(texts), *range(n_each, len(texts), n_each))
    return Talk(name, tuple("ab"[place % 2] for place in range(len(texts))), texts, begins, part)


def encoded(talks: list[Talk]) -> list[Float32Array]:
    return [HashedWords().encode(list(entry.texts)) for entry in talks]


def test_baselines_make_what_they_say() -> None:
    talks = [talk("one", "tuning")]
    vectors = encoded(talks)
    assert [int(entry.sum()) for entry in (*none(talks, vectors), *even(talks, vectors), *at_random(0)(talks, vectors))] == [0, 3, 3]
    assert not at_random(1)(talks, vectors)[0][0]
    assert list(np.flatnonzero(even(talks, vectors)[0])) == [6, 12, 18]
    shifted = refined(lambda *_: [at(24, 5, 13)], 1)(talks, vectors)
    assert list(np.flatnonzero(shifted[0])) == [6, 12]
    (tiled,) = text_tiling(3, 0.5)(talks, vectors)
    assert n_matched(talks[0].begins, tiled, 1) == 3


def test_tuning_takes_the_best_that_makes_a_fit_number() -> None:
    talks = [talk("one", "tuning")]
    part = Part(talks, encoded(talks), is_near=False)
    everywhere = at(24, *range(1, 24))
    choices = [("all", lambda *_: [everywhere]), ("true", lambda *_: [at(24, 6, 12, 18)]), ("off", lambda *_: [at(24, 7, 12, 18)])]
    assert tuned(part, choices)[0] == "true"


def test_learning_finds_the_weights_that_made_the_data() -> None:
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(4000, 3))
    true = np.array([1.5, -0.7, 0.0])
    begins = generator.random(4000) < 1.0 / (1.0 + np.exp(-(rows @ true - 1.0)))
    np.testing.assert_allclose(logistic(rows, begins, 10.0), [*true, -1.0], atol=0.15)
    assert np.abs(logistic(rows, begins, 1e-4)[:3]).max() < 0.6


def test_a_profile_is_learnt_written_and_ablated() -> None:
    talks = [talk("one", "tuning"), talk("two", "held out", n_each=5)]
    rows = signals_of(talks[0], encoded(talks)[0], CHAT)
    assert len(rows) == len(talks[0].texts) - 1
    profile = fitted(CHAT, rows, talks[0].begins[1:], frozenset(GROUPS["who talks"]))
    text = as_yaml(CHAT, profile)
    assert text.startswith("chat:\n  # Learnt from TIAGE")
    assert "    company: [" in text
    assert ", 0.0]" in next(entry for entry in text.splitlines() if entry.startswith("    company:"))


def test_the_tables_hold_every_method_on_both_parts() -> None:
    talks = [talk(f"{part}-{number}", part, n_each=6 + number) for part in ("tuning", "held out") for number in range(3)]
    lines = measured("made talks", MEETING, talks, encoded(talks), is_near=True)
    text = "\n".join(lines)
    for label in (
        "random, true number, refined",
        "no boundaries",
        "even, true number, refined",
        "TextTiling",
        "change points",
        "**surprise",
    ):
        assert sum(label in entry for entry in lines) >= 2, label
    assert all(f"| without {name} |" in text for name in GROUPS)


def test_data_sets_are_read_and_split_for_good(shared: Path) -> None:
    meetings, dialogues = qmsum(shared / "data/qmsum"), tiage(shared / "data/tiage")
    assert {part: sum(entry.part == part for entry in meetings) for part in ("tuning", "held out")} == {"tuning": 40, "held out": 26}
    assert {part: sum(entry.part == part for entry in dialogues) for part in ("tuning", "held out")} == {"tuning": 300, "held out": 100}
    series: dict[str, set[str]] = {}
    for entry in meetings:
        series.setdefault(entry.name.rstrip("abcd"), set()).add(entry.part)
        assert not entry.begins[0]
        assert "{" not in "".join(entry.texts)
    assert all(len(parts) == 1 for parts in series.values())
    assert sum(int(entry.begins.sum()) for entry in dialogues) == 1198


def test_some_talks_are_the_first_of_each_part(shared: Path) -> None:
    talks = tiage(shared / "data/tiage")
    few = some(talks, 3)
    assert [talk.part for talk in few] == ["tuning"] * 3 + ["held out"] * 3
    assert few[0] == next(talk for talk in talks if talk.part == "tuning")
    assert len(some(talks, 0)) == len(talks)


def test_vectors_are_computed_once(tmp_path: Path) -> None:
    class Counting(HashedWords):
        n_calls = 0

        def encode(self, texts: Sequence[str]) -> Float32Array:
            Counting.n_calls += 1
            return super().encode(texts)

    talks = [talk("one", "tuning")]
    first, again = (vectors_of(talks, Counting(), tmp_path)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert Counting.n_calls == 1


def test_a_data_set_that_is_not_there_or_is_not_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(TalksError, match=r"no \.json file of a meeting"):
        qmsum(tmp_path)
    with pytest.raises(TalksError, match=r"anno_train\.json is not there"):
        tiage(tmp_path)
    (tmp_path / "broken.json").write_text(json.dumps({"topic_list": []}))
    with pytest.raises(TalksError, match="is not a meeting with topic_list and meeting_transcripts"):
        qmsum(tmp_path)
