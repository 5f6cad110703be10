"""The peak of directions on the circle."""

from __future__ import annotations

import numpy as np
import pytest

from models.direction_histogram import DirectionHistogram


def test_the_peak_is_where_most_came_from_not_the_mean_of_all() -> None:
    histogram = DirectionHistogram()
    for offset in (-6.0, -2.0, 0.0, 2.0, 6.0):
        histogram.add(200.0 + offset, 10.0 + offset, 1.0)
    for offset in (-1.0, 1.0):
        histogram.add(80.0 + offset, 40.0, 1.0)
    peak = histogram.peak(0.25)
    assert peak is not None
    assert peak[0] == pytest.approx(200.0, abs=0.1)
    assert peak[1] == pytest.approx(10.0, abs=0.1)


def test_it_goes_round_the_circle() -> None:
    histogram = DirectionHistogram()
    for azimuth_deg in (356.0, 358.0, 0.0, 2.0, 4.0):
        histogram.add(azimuth_deg, None, 2.0)
    peak = histogram.peak(0.25)
    assert peak is not None
    assert min(peak[0], 360.0 - peak[0]) < 0.1
    assert peak[1] is None


def test_sound_from_all_sides_and_no_sound_have_no_peak() -> None:
    histogram = DirectionHistogram()
    assert histogram.peak(0.0) is None
    for azimuth_deg in np.arange(0.0, 360.0, 5.0):
        histogram.add(float(azimuth_deg), None, 1.0)
    assert histogram.peak(0.25) is None
    for weight in (0.0, -1.0, float("nan"), float("inf")):
        histogram.add(90.0, None, weight)
    assert histogram.peak(0.25) is None


def test_sums_of_histograms_count_by_their_weight() -> None:
    one, other, both = DirectionHistogram(), DirectionHistogram(), DirectionHistogram()
    one.add(10.0, None, 1.0)
    other.add(100.0, None, 1.0)
    both.add_all(one, 0.4)
    both.add_all(other, 0.6)
    peak = both.peak(0.25)
    assert peak is not None
    assert peak[0] == pytest.approx(100.0)
