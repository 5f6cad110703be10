"""What was fitted to each encoder is whole, of the features that there are, and found by the encoder's name."""

from __future__ import annotations

import numpy as np
import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.minilm_torch import MinilmTorch
from stages.memory.mpnet import Mpnet
from stages.recall import fact_features, topic_support
from stages.recall.encoder_fits import FIRST, FOLDER, TopicFit, fact_fit, topic_file, topic_fit


def test_every_shipped_encoder_of_meaning_has_fits() -> None:
    assert {folder.name for folder in FOLDER.iterdir()} == {encoder.name for encoder in (MinilmOnnx, MinilmTorch, Mpnet)}


@pytest.mark.parametrize("encoder", sorted(folder.name for folder in FOLDER.iterdir()))
def test_fits_are_of_the_features_that_there_are(encoder: str) -> None:
    assert fact_fit(encoder).names == fact_features.NAMES
    assert topic_fit(encoder).names == topic_support.FEATURES


def test_an_encoder_that_nothing_was_fitted_to_is_judged_as_the_first() -> None:
    assert topic_fit("somebody's own") == topic_fit("") == topic_fit(FIRST)
    assert topic_fit("all-mpnet-base-v2") != topic_fit(FIRST)


def test_a_regression_is_kept_as_it_was_fitted_and_gives_shares() -> None:
    fit = TopicFit(("a", "b"), (2.0, -1.0), 0.5)
    assert fit.support(np.array([[0.0, 0.5], [10.0, 0.0]], dtype=np.float32)).tolist() == pytest.approx([0.5, 1.0], abs=1e-6)
    assert topic_fit(FIRST).to_json() == topic_file(FIRST).read_text(encoding="utf-8")
