from __future__ import annotations

from typing import Any

import pytest

from stages.answer.gpu_layers import ALL, gpu_layers

CPU = {"name": "CPU", "type": "GGML_BACKEND_DEVICE_TYPE_CPU", "memory_free": 10**12}
GPU = {"name": "CUDA0", "type": "GGML_BACKEND_DEVICE_TYPE_GPU", "memory_free": 600 * 10**6}


@pytest.mark.parametrize(
    ("device", "devices", "layers", "why"),
    [
        ("cuda:0", [CPU, GPU], ALL, ""),
        ("cuda:0", [CPU], 0, "device cuda:0 was asked for, but this build of llama.cpp finds no GPU"),
        ("cuda:1", [CPU, GPU], 0, "device cuda:1 was asked for, but this build of llama.cpp finds 1 GPU"),
        ("cuda:0", [CPU, {**GPU, "memory_free": 499_000_000}], 0, "cuda:0 has 499 MB free, and the model needs 500 MB"),
    ],
)
def test_all_layers_or_none(device: str, devices: list[dict[str, Any]], layers: int, why: str) -> None:
    assert gpu_layers(device, 500 * 10**6, lambda: devices) == (layers, why)


def test_on_a_cpu_no_gpu_is_looked_for() -> None:
    assert gpu_layers("cpu", 1, lambda: pytest.fail("nobody asked for a GPU")) == (0, "")
