"""How many layers of a model go on a GPU: all, or none where there is no room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

ALL = 999
"""More layers than any model has."""


def gpu_layers(device: str, needed_bytes: int, devices: Callable[[], Sequence[Mapping[str, Any]]]) -> tuple[int, str]:
    """The layers for a `device` ("cpu", "cuda:0"), and why there are none although a GPU was asked for ("" where that is not so).

    `devices` lists what llama.cpp can compute on, as xllamacpp's `get_device_info` does; it is asked only for a GPU.
    """
    if not device.startswith("cuda"):
        return 0, ""
    gpus = [entry for entry in devices() if str(entry["type"]).upper().endswith("_GPU")]
    number = int(device.partition(":")[2] or 0)
    if number >= len(gpus):
        found = f"{len(gpus)} GPU{'' if len(gpus) == 1 else 's'}" if gpus else "no GPU"
        return 0, f"device {device} was asked for, but this build of llama.cpp finds {found}"
    free_bytes = int(gpus[number]["memory_free"])
    if free_bytes < needed_bytes:
        return 0, f"{device} has {free_bytes / 1e6:.0f} MB free, and the model needs {needed_bytes / 1e6:.0f} MB"
    return ALL, ""
