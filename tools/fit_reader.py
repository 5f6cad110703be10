"""Teach the reader to judge whether a line answers a question for a fact, and find how much it counts beside the trees.

    python -m tools.fit_reader [--rooms 700] [--first-seed 5000] [--config configs/replay.yaml] [--adapter FILE] [--keep-adapter]

Rooms on the topics of tools/fit_scripts, as for `tools.fit_fact_support`. The reader (`tools/reader_net.py`) learns on four fifths of the
topics: lines that answer, the likeliest that do not by trees grown on the same topics, and one other. How trees and reader are weighed is
fitted on the last fifth, a logistic regression over the lines that would be read (`stages/recall/reading.py`); printed is what comes of
these topics with and without it, by kind of question. With `--keep-adapter` the reader stays as it is and is only weighed beside the trees
of another encoder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.reader_adapter import ReaderAdapter
