from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.bearing_peak import angle_between_deg
from models.direction_peaks import PeakPicker, Votes, pick_peaks
from models.steering import DirectionGrid, direction_grid
from pipeline.geometry import load_array

RING = direction_grid(load_array("uma8").positions)
LINE = direction_grid(load_array("linear8").positions)


def _votes(grid: DirectionGrid, *bumps: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Votes with bumps of a width of 5 degrees: (azimuth, height)."""
    total = np.full(len(grid.azimuth_deg), 0.01)
    for azimuth_deg, height in bumps:
        apart = np.array([angle_between_deg(azimuth_deg, float(other), grid.circular) for other in grid.azimuth_deg])
        total += height * np.exp(-0.5 * (apart / 5.0) ** 2)
    return total


def test_one_bump_between_grid_points() -> None:
    (peak,) = pick_peaks(_votes(RING, (91.7, 1.0)), 20.0, RING)
    assert peak.azimuth_deg == pytest.approx(91.7, abs=0.3)
    assert 0.0 < peak.share <= 1.0


def test_a_bump_across_north() -> None:
    (peak,) = pick_peaks(_votes(RING, (359.2, 1.0)), 20.0, RING)
    assert angle_between_deg(peak.azimuth_deg, 359.2) < 0.3
    assert 0.0 <= peak.azimuth_deg < 360.0


@pytest.mark.parametrize("grid", [RING, LINE], ids=["ring", "line"])
def test_several_bumps_strongest_first(grid: DirectionGrid) -> None:
    peaks = pick_peaks(_votes(grid, (30.0, 0.5), (80.0, 1.0), (150.0, 0.7)), 20.0, grid)
    assert [round(peak.azimuth_deg) for peak in peaks] == [80, 150, 30]
    assert [peak.share for peak in peaks] == sorted((peak.share for peak in peaks), reverse=True)


def test_the_shoulder_of_a_peak_is_no_peak() -> None:
    wide = np.array([max(0.0, 1.0 - angle_between_deg(180.0, float(azimuth)) / 60.0) for azimuth in RING.azimuth_deg])
    assert len(pick_peaks(wide, 5.0, RING)) == 1


def test_at_most_so_many() -> None:
    assert len(pick_peaks(_votes(RING, (10.0, 1.0), (100.0, 0.9), (200.0, 0.8)), 20.0, RING, n_most=2)) == 2


def test_even_votes_or_none_are_no_bearing() -> None:
    assert pick_peaks(np.ones(len(RING.azimuth_deg)), 100.0, RING) == []
    assert pick_peaks(np.zeros(len(RING.azimuth_deg)), 100.0, RING) == []
    assert pick_peaks(_votes(RING, (10.0, 1.0)), 0.0, RING) == []


def test_elevation_is_the_mean_of_the_votes_near_the_peak() -> None:
    assert RING.elevation_deg is not None
    (peak,) = pick_peaks(_votes(RING, (90.0, 1.0)) * (RING.elevation_deg == 30.0), 20.0, RING)
    assert peak.elevation_deg == pytest.approx(30.0, abs=0.1)
    (peak,) = pick_peaks(_votes(LINE, (90.0, 1.0)), 20.0, LINE)
    assert peak.elevation_deg is None


def test_a_picker_averages_and_keeps_what_it_had_where_nothing_was_looked_at() -> None:
    picker = PeakPicker(RING, memory_s=0.1)
    heard = Votes(_votes(RING, (45.0, 1.0)), 60.0, 300.0)
    nothing = Votes(np.zeros(len(RING.azimuth_deg)), 0.0, 0.0)
    first = picker.push(heard, 0.03)
    assert [round(peak.azimuth_deg) for peak in first] == [45]
    assert picker.push(nothing, 0.001) == first
    silence = Votes(np.zeros(len(RING.azimuth_deg)), 0.0, 300.0)
    for _ in range(30):
        last = picker.push(silence, 0.03)
    assert last == []
    picker.push(heard, 0.03)
    picker.reset()
    assert picker.push(nothing, 0.03) == []


def test_a_few_stray_bins_are_no_bearing() -> None:
    picker = PeakPicker(RING)
    votes = _votes(RING, (45.0, 1.0))
    assert picker.push(Votes(votes / votes.sum(), 1.0, 300.0), 0.03) == []


def test_angles() -> None:
    assert angle_between_deg(350.0, 10.0) == 20.0
    assert angle_between_deg(10.0, 190.0) == 180.0
    assert angle_between_deg(170.0, 10.0, circular=False) == 160.0
