"""What tests of several folders need: the weights and the shared data, and doctor on every memory that a test made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.blas_threads  # noqa: F401 - before anything imports numpy
from models.weights import cache_folder, missing
from tests.whole_memories import MemoryWatch

BREAKS_MEMORIES = ("test_integrity.py",)
"""Files whose tests break memories on purpose, all of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked gpu skip where torch sees no CUDA device; files that only break memories are marked as such."""
    for item in items:
        if item.path.name in BREAKS_MEMORIES:
            item.add_marker("broken_memory")
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


@pytest.fixture(autouse=True)
def whole_memories(request: pytest.FixtureRequest) -> Iterator[None]:
    """Doctor finds nothing in any memory that a test leaves, unless the test is marked broken_memory."""
    if request.node.get_closest_marker("broken_memory"):
        yield
        return
    watch = MemoryWatch()
    with watch.watching():
        yield
    # The arguments are gone where the run was interrupted.
    watch.examine((request.node.funcargs or {}).get("tmp_path"))
    if watch.faults:
        pytest.fail(
            "doctor finds in memories that the test left: " + "; ".join(watch.faults[:5]) + ". Where the test breaks them on purpose,"
            " mark it broken_memory",
            pytrace=False,
        )
