"""How many CPU threads torch may use, for one thread of the program only."""

from __future__ import annotations

import threading

import torch


def limit_torch_threads(n_threads: int) -> None:
    """Let torch use so many CPU threads for work that the calling thread starts.

    Small arrays on many threads cost ten times the work when the cores are busy: the threads wait for each other while they
    spin. torch keeps the number per thread, and gives new threads the number that was set last anywhere; that one is set
    back, so that nobody else is touched.
    """
    usual = torch.get_num_threads()
    if usual == n_threads:
        return
    torch.set_num_threads(n_threads)
    restorer = threading.Thread(target=torch.set_num_threads, args=(usual,), name="torch-threads")
    restorer.start()
    restorer.join()
