"""What a process of Echoic settles for itself before its libraries are loaded: numpy's threads, and memory that is kept when freed."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of `mallopt` in glibc's malloc.h."""
_LARGEST_ON_THE_HEAP = 32 * 2**20
"""Larger blocks come from the system and go back to it; glibc takes no more than this."""
_KEPT = 64 * 2**20


def settle_process() -> None:
    """Settle both. Where the environment says something else (OPENBLAS_NUM_THREADS, MALLOC_*_), that counts."""
    # numpy's own threads spin between the small matrices of the beamformer: on two cores that cost a tenth of all time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let glibc keep up to 64 MiB that was freed, in place of giving large blocks back to the system. False where there is no glibc.

    A model that reads some texts takes and frees blocks of megabytes in every layer. Given back, each of their pages is a fault when it is
    touched again, which on a virtual machine took a third of the time of reading eight lines.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(number, value) == 1 for number, value in ((_MMAP_THRESHOLD, _LARGEST_ON_THE_HEAP), (_TRIM_THRESHOLD, _KEPT)))
