"""The command line in a process of its own, and what a test needs around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.packets import Float32Array

ROOT = Path(__file__).resolve().parents[3]
RATE_HZ = 16000
PERIOD_S = 3.0


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def bursts(n_bursts: int, seed: int = 5) -> Float32Array:
    """A second of loud noise in every `PERIOD_S` of quiet noise, float32, shape (frames,): speech to a level detector."""
    generator = np.random.default_rng(seed)
    samples = (generator.standard_normal(round(n_bursts * PERIOD_S * RATE_HZ)) * 0.0005).astype(np.float32)
    for start_s in burst_starts_s(n_bursts):
        first = round(start_s * RATE_HZ)
        samples[first : first + RATE_HZ] *= 60
    return samples


def burst_starts_s(n_bursts: int) -> list[float]:
    """When each burst begins."""
    return [0.5 + PERIOD_S * index for index in range(n_bursts)]


class Process:
    """The command in a process of its own."""

    def __init__(self, *arguments: object) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "pipeline.app.cli", *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def end(self, timeout_s: float = 60.0) -> Done:
        """Wait until it has ended."""
        out, err = self.child.communicate(timeout=timeout_s)
        return Done(self.child.returncode, out, err)

    def signal(self, number: signal.Signals, timeout_s: float = 60.0) -> Done:
        """Send a signal and wait for the end."""
        self.child.send_signal(number)
        return self.end(timeout_s)


def until(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """Wait until something is true, and give it back."""
    begin = time.monotonic()
    while time.monotonic() - begin < timeout_s:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing came within {timeout_s:.0f} s")


def http(url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """A request; the status and the JSON (or the text) of the answer."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text
