"""Which files and folders are synced to the disk while a test looks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


def synced_paths(patch: pytest.MonkeyPatch, then: Callable[[Path], None] = lambda _: None) -> list[Path]:
    """The paths that fsync and fdatasync are called for from now on, in their order; they are still synced. `then` is called with each."""
    found: list[Path] = []

    def noting(plain: Callable[[int], None]) -> Callable[[int], None]:
        def call(descriptor: int) -> None:
            found.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
            then(found[-1])
            plain(descriptor)

        return call

    patch.setattr(os, "fsync", noting(os.fsync))
    patch.setattr(os, "fdatasync", noting(os.fdatasync))
    return found
