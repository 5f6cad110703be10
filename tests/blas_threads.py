"""Tests run with one thread for numpy's matrices, as the command does: threads that spin between small ones count as work."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
