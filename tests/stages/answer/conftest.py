"""The real encoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.memory.minilm_onnx import MinilmOnnx


@pytest.fixture(scope="session")
def encoder(weights: Path) -> Iterator[MinilmOnnx]:
    assert weights.is_dir()
    resource = MinilmOnnx()
    resource.start()
    yield resource
    resource.stop()
