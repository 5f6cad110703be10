"""The pinned versions name everything that pyproject.toml asks for, and the CPU's hold no CUDA."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.lock import CONSTRAINTS, CUDA, WITHOUT_DEPENDENCIES, LockError, requirements_of, resolve


def pinned(accelerator: str) -> dict[str, str]:
    lines = (CONSTRAINTS / f"{accelerator}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("accelerator", ["cpu", "gpu"])
def test_everything_asked_for_is_pinned(accelerator: str) -> None:
    asked = {re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-") for requirement in requirements_of(accelerator)}
    asked |= set(WITHOUT_DEPENDENCIES[accelerator])
    assert asked - set(pinned(accelerator)) == set()
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in pinned(accelerator).values())


def test_the_two_sets_differ_only_in_what_a_gpu_needs() -> None:
    cpu, gpu = pinned("cpu"), pinned("gpu")
    assert not [name for name in cpu if name.startswith(CUDA)]
    assert {name: version for name, version in cpu.items() if gpu.get(name) != version}.keys() == {"faiss-cpu", "onnxruntime"}
    assert {name for name in gpu if name not in cpu and not name.startswith(CUDA)} == {"faiss-gpu", "onnxruntime-gpu"}


def test_what_cannot_be_resolved_is_an_error_with_pips_words(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="No matching distribution found for echoic-needs-this==1"):
        resolve(["echoic-needs-this==1"], None, "--no-index", "--find-links", str(tmp_path))
