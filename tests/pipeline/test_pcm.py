"""24-bit levels: exact both ways, and the AU file that any tool reads."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.pcm import AU_HEADER_BYTES, au_header, pack, quantise, runs, to_float, unpack

LEVELS = arrays(np.int32, st.tuples(st.integers(1, 12), st.integers(0, 50)), elements=st.integers(-(2**23), 2**23 - 1))


@given(LEVELS)
def test_levels_survive_the_file_and_the_floats(levels: npt.NDArray[np.int32]) -> None:
    np.testing.assert_array_equal(unpack(pack(levels), len(levels)), levels)
    np.testing.assert_array_equal(quantise(to_float(levels)).levels, levels)


@given(arrays(np.float32, (2, 30), elements=st.floats(-1.5, 1.5, width=32)))
def test_rounding_is_at_most_half_a_level_and_happens_once(samples: npt.NDArray[np.float32]) -> None:
    once = to_float(quantise(samples).levels)
    assert np.abs(once - np.clip(samples, -1, 1 - 2**-23)).max() <= 2**-24
    np.testing.assert_array_equal(to_float(quantise(once).levels), once)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_samples_of_a_file_are_not_changed_at_all(subtype: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.linspace(-1, 0.999, 1000), 16000, subtype=subtype, format="WAV")
    file.seek(0)
    samples = soundfile.read(file, dtype="float32", always_2d=True)[0].T
    np.testing.assert_array_equal(to_float(quantise(samples).levels), samples)


def test_an_unfinished_last_frame_is_left_out() -> None:
    levels = np.array([[1, -2, 3], [4, 5, -6]], dtype=np.int32)
    data = pack(levels)
    for size in range(len(data) + 1):
        np.testing.assert_array_equal(unpack(data[:size], 2), levels[:, : size // 6])


def test_clipping_and_values_that_are_no_numbers() -> None:
    samples = np.array([[0.0, np.nan, np.inf, 0.5], [2.0, 0.25, -0.5, -1.0]], dtype=np.float32)
    quantised = quantise(samples)
    assert quantised.bad == ((1, 2),)
    assert quantised.n_clipped == 2
    assert to_float(quantised.levels).tolist() == [[0.0, 0.0, 0.0, 0.5], [1 - 2**-23, 0.25, -0.5, -1.0]]
    assert np.isnan(samples[0, 1]), "what was handed in is left alone"


def test_runs() -> None:
    assert runs(np.array([], dtype=bool)) == ()
    assert runs(np.array([1, 1, 0, 1, 0, 0, 1], dtype=bool)) == ((0, 2), (3, 1), (6, 1))


def test_an_au_file_that_may_grow_is_read_by_others() -> None:
    levels = np.array([[2**23 - 1, -(2**23), 5], [0, -1, 1]], dtype=np.int32)
    header = au_header(16000, 2)
    assert len(header) == AU_HEADER_BYTES
    samples, rate = soundfile.read(io.BytesIO(header + pack(levels)), dtype="int32", always_2d=True)
    assert rate == 16000
    np.testing.assert_array_equal(samples.T >> 8, levels)
