"""What was fitted to each encoder is whole, of the features that there are, and found by the encoder's name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.minilm_torch import MinilmTorch
from stages.memory.mpnet import Mpnet
from stages.recall import encoder_fits, fact_features, relevance, topic_support
from stages.recall.encoder_fits import FIRST, FOLDER, RelevanceFit, TopicFit, fact_fit, relevance_file, relevance_fit, topic_file, topic_fit


def test_every_shipped_encoder_of_meaning_has_fits() -> None:
    assert {folder.name for folder in FOLDER.iterdir()} == {encoder.name for encoder in (MinilmOnnx, MinilmTorch, Mpnet)}


@pytest.mark.parametrize("encoder", sorted(folder.name for folder in FOLDER.iterdir()))
def test_fits_are_of_the_features_that_there_are(encoder: str) -> None:
    assert fact_fit(encoder).names == fact_features.NAMES
    assert topic_fit(encoder).names == topic_support.FEATURES
    assert relevance_fit(encoder).names == relevance.FEATURES


def test_an_encoder_that_nothing_was_fitted_to_is_judged_as_the_first() -> None:
    assert topic_fit("somebody's own") == topic_fit("") == topic_fit(FIRST)
    assert topic_fit("all-mpnet-base-v2") != topic_fit(FIRST)


def test_weights_of_search_are_those_of_the_encoder_or_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert relevance_fit(FIRST).to_json() == relevance_file(FIRST).read_text(encoding="utf-8")
    monkeypatch.setattr(encoder_fits, "FOLDER", tmp_path)
    own = RelevanceFit(relevance.FEATURES, np.arange(len(relevance.FEATURES), dtype=np.float32))
    relevance_file("own").parent.mkdir()
    relevance_file("own").write_text(own.to_json(), encoding="utf-8")
    assert relevance_fit("own").weights.tolist() == own.weights.tolist()
    monkeypatch.undo()
    assert relevance_fit("").weights.tolist() == relevance_fit(FIRST).weights.tolist() != own.weights.tolist()


def test_a_regression_is_kept_as_it_was_fitted_and_gives_shares() -> None:
    fit = TopicFit(("a", "b"), (2.0, -1.0), 0.5)
    assert fit.support(np.array([[0.0, 0.5], [10.0, 0.0]], dtype=np.float32)).tolist() == pytest.approx([0.5, 1.0], abs=1e-6)
    assert topic_fit(FIRST).to_json() == topic_file(FIRST).read_text(encoding="utf-8")
