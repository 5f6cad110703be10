from __future__ import annotations

import threading
from collections.abc import Callable

import torch

from models.torch_threads import limit_torch_threads


def _in_a_thread(work: Callable[[], int]) -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_only_the_calling_thread_is_limited() -> None:
    def limited() -> int:
        limit_torch_threads(before + 2)
        return torch.get_num_threads()

    before = torch.get_num_threads()
    new_before = _in_a_thread(torch.get_num_threads)
    assert _in_a_thread(limited) == before + 2
    assert torch.get_num_threads() == before
    assert _in_a_thread(torch.get_num_threads) == new_before
