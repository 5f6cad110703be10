"""What EM-LLM's two steps do to a boundary: a threshold from the recent past, and a move to the modularity optimum nearby."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.events.boundary_finder import Boundary
from stages.events.spoken_line import SpokenLine
from stages.events.surprise_finder import FinderSettings, SurpriseFinder
from stages.events.talk_profile import talk_profile
from tests.stages.events.talks import spoken_line

DIMENSION = 48
N_BEFORE, N_AFTER = 60, 20


def rows_around(topic: int, n_lines: int, noise: float, seed: int) -> Float32Array:
    rows = np.random.default_rng(seed).normal(size=(n_lines, DIMENSION)) * noise
    rows[:, topic] += 0.8
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def talk(pause_at: int, restless: bool = False) -> list[SpokenLine]:
    """One topic, then another; a long pause before one of the lines, and where it is restless a shorter one before every fifth."""
    rows = np.concatenate([rows_around(0, N_BEFORE, 0.08, 1), rows_around(1, N_AFTER, 0.08, 2)])
    lines, now_s = [], 0.0
    for place, row in enumerate(rows):
        now_s += 40.0 if place == pause_at else 12.0 if restless and place % 5 == 3 else 0.4
        lines.append(spoken_line(f"{place:04d}", f"t{place % 2}", now_s, now_s + 3.0, row, "some words that say what it is"))
        now_s += 3.0
    return lines


def boundaries(lines: list[SpokenLine], gamma: float, modularity_nats: float) -> list[Boundary]:
    finder = SurpriseFinder(FinderSettings(gamma, 100, 1, 3, 3, modularity_nats), talk_profile("conversation"))
    return [entry for line in lines for entry in finder.take(line)] + finder.settle()


def threshold(found: list[Boundary]) -> float:
    """The threshold that the last boundary was held against, as its reason tells."""
    told = re.search(r"> (-?\d+\.\d+)", found[-1].reason)
    assert told is not None
    return float(told[1])


@pytest.mark.parametrize(("modularity_nats", "place"), [(0.0, N_BEFORE + 1), (200.0, N_BEFORE)])
def test_a_boundary_moves_from_where_the_odds_are_greatest_to_where_the_lines_part(modularity_nats: float, place: int) -> None:
    """Somebody says the first line of the new topic, and everybody thinks about it."""
    found = boundaries(talk(N_BEFORE + 1), 1.3, modularity_nats)
    assert [entry.place for entry in found if entry.place >= N_BEFORE - 3] == [place]


def test_the_threshold_is_mu_and_gamma_sigma_of_the_recent_past() -> None:
    """Where odds have gone up and down, a boundary must stand out from more."""
    sigmas = {}
    for restless in (False, True):
        lines = talk(N_BEFORE, restless)[: N_BEFORE + 4]
        zero, one, two = (threshold(boundaries(lines, gamma, 0.0)) for gamma in (0.0, 1.0, 2.0))
        assert two - one == pytest.approx(one - zero, abs=0.02)
        sigmas[restless] = one - zero
    assert sigmas[True] > 1.2 * sigmas[False] > 0.0


def test_lines_of_long_ago_no_longer_count() -> None:
    """A restless beginning is forgotten after `n_recent` lines."""
    restless = talk(0, restless=True)[:N_BEFORE]
    calm = talk(N_BEFORE)[: N_BEFORE + 4]
    shift = restless[-1].end_ns
    later = [
        spoken_line(f"x{line.key}", line.track, (line.start_ns + shift) / 1e9, (line.end_ns + shift) / 1e9, line.vector, line.text)
        for line in calm
    ]

    def held_against(n_recent: int) -> float:
        finder = SurpriseFinder(FinderSettings(2.0, n_recent, 1, 3, 3, 0.0), talk_profile("conversation"))
        return threshold([entry for line in [*restless, *later] for entry in finder.take(line)] + finder.settle())

    assert held_against(40) < held_against(200)
