"""What a process of Echoic settles for itself before its libraries are loaded: numpy's threads, and memory that is kept when freed."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of `mallopt` in glibc's malloc.h."""
_LARGEST_ON_THE_HEAP = 32 * 2**20
"""Larger blocks come from the system and go back to it; glibc takes no more than this."""
_KEPT = 64 * 2**20
_SAID_OTHERWISE = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}


def settle_process() -> None:
    """Settle both. For the command `echoic`; where the environment says something else, that counts."""
    # numpy's own threads spin between the small matrices of the beamformer: on two cores that cost a tenth of all time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let glibc keep up to 64 MiB that was freed (in each of its arenas), not give large blocks back. False without glibc.

    A model that reads some texts takes and frees blocks of megabytes in every layer. Given back, each of their pages is a fault when it is
    touched again, which on a virtual machine took a third of the time of reading eight lines.
    """
    if os.environ.keys() & _SAID_OTHERWISE or "malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(number, value) == 1 for number, value in ((_MMAP_THRESHOLD, _LARGEST_ON_THE_HEAP), (_TRIM_THRESHOLD, _KEPT)))
