"""What tests of several folders need: the weights and the shared data."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.weights import cache_folder, missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked gpu skip where torch sees no CUDA device."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of weights, with every file of the catalogue in it; `make test` fetches them first."""
    if lacking := missing():
        pytest.fail(f"{len(lacking)} weight files are not in {cache_folder()}, {lacking[0].name} first. Run: make test", pytrace=False)
    return cache_folder()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the checkout, with real recordings in `data`."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"needs the recordings in {folder / 'data'}")
    return folder
