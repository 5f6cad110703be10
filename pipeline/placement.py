"""Where stages run: `auto` becomes a device, and what the graph needs is compared with what the device has before weights load.

Packets hold host arrays; a stage on a GPU copies in and out itself, in one piece per packet (an array of 7 microphones is
0.4 MB a second, so these copies cost nothing next to the kernels).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


class PlacementError(RuntimeError):
    """A device is not there, or has too little memory."""


def resolve_device(device: str) -> str:
    """`cpu`, `cuda:N` or `auto` as a device that is there. Raises PlacementError."""
    if device == "cpu":
        return device
    if device == "auto":
        return "cuda:0" if _n_cuda_devices() else "cpu"
    match = re.fullmatch(r"cuda:(\d+)", device)
    if match is None:
        raise PlacementError(f"device {device!r} is not known; allowed are cpu, cuda:N (such as cuda:0) and auto")
    if int(match[1]) >= _n_cuda_devices():
        raise PlacementError(
            f"device {device!r} is not there: this machine has {_n_cuda_devices()} CUDA devices that torch can see; use cpu or auto"
        )
    return device


def _n_cuda_devices() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def free_bytes(device: str) -> int:
    """The memory of a device that is free now."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return 2**63 - 1
    match = re.search(r"MemAvailable:\s+(\d+) kB", text)
    return int(match[1]) * 1024 if match else 2**63 - 1


def check_budget(needs: Mapping[str, tuple[str, int]], free: Mapping[str, int] | None = None) -> None:
    """Compare what each stage or resource needs, as {name: (device, bytes)}, with what its device has free.

    Raises PlacementError that lists the largest.
    """
    for device in sorted({device for device, _ in needs.values()}):
        here = {name: n_bytes for name, (where, n_bytes) in needs.items() if where == device and n_bytes}
        has = free[device] if free is not None else free_bytes(device)
        total = sum(here.values())
        if total > has:
            largest = sorted(here.items(), key=lambda item: -item[1])[:3]
            names = ", ".join(f"{name} {n_bytes / 1e6:.0f} MB" for name, n_bytes in largest)
            raise PlacementError(
                f"{device} has {has / 1e6:.0f} MB free, but the graph needs {total / 1e6:.0f} MB (most of it: {names}); "
                "use smaller models or move a stage with device:"
            )
