"""What a process settles: freed memory is kept, unless the environment says otherwise."""

import os
import subprocess
import sys

import pytest

from pipeline.process_settings import keep_freed_memory, settle_process

_FAULTS = """
import resource
from pipeline.process_settings import keep_freed_memory
kept = keep_freed_memory() if {keep} else False
for _ in range(50):
    blocks = [bytearray(b"x") * (6 * 2**20) for _ in range(6)]
    del blocks
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def _faults(*, keep: bool) -> tuple[bool, int]:
    done = subprocess.run([sys.executable, "-c", _FAULTS.format(keep=keep)], check=True, capture_output=True, text=True, env={})
    kept, faults = done.stdout.split()
    return kept == "True", int(faults)


def test_pages_of_freed_blocks_are_not_touched_anew() -> None:
    kept, with_it = _faults(keep=True)
    if not kept:
        pytest.skip("this system's memory is not glibc's")
    _, without = _faults(keep=False)
    assert with_it < without / 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("MALLOC_TRIM_THRESHOLD_", "131072"), ("MALLOC_MMAP_THRESHOLD_", "131072"), ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=131072")],
)
def test_what_the_environment_says_of_memory_counts(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert not keep_freed_memory()


def test_what_the_environment_says_of_threads_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    settle_process()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    settle_process()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
