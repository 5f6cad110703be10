"""Finds how much a reader counts beside `stages/recall/topic_support.py` where that is in doubt whether a talk is about a topic.

    python -m tools.fit_topic_reading [--rooms 60] [--first-seed 5000] [--config configs/replay.yaml] [--false 0.03]

A logistic regression over the log-odds of both, fitted on stretches of rooms on topics that the reader was not taught with
(`tools/fit_scripts/left_out.txt`), moved so that of the topics of tools/recall_scripts that nobody talked about in other rooms (seeds from
1000) so many pass as --false says. Printed is how many are found, and how many of the others pass, without and with the reader.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.build import build_resources
from pipeline.graph import load_graph
from stages.recall.encoder_fits import ReadingFit, topic_reading_file
from stages.recall.reader import Reader, whether_about
from stages.recall.topic_reading import MOST_READ, WEIGHED, log_odds
from tools.fit_topic_support import fitted
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import FITTED, left_out, topics
from tools.topic_lessons import TopicStretch, topic_stretches

_TRIED_FROM = 1000
_TRIED_ROOMS = 120
_DOUBT = (-3.5, 4.5)
_DIGITS = 3
_Floats = npt.NDArray[np.float64]


def features(stretches: Sequence[TopicStretch], reader: Reader) -> _Floats:
    """What is weighed for each stretch, float64, shape (stretches, 2); those that are not in doubt are not read, and have a score of 0."""
    odds = [log_odds(one.support) for one in stretches]
    scores = [
        float(reader.scores(whether_about(one.name), [("", one.text)])[0]) if is_doubted(own) else 0.0
        for one, own in zip(stretches, odds, strict=True)
    ]
    return np.column_stack([odds, scores])


def is_doubted(odds: float) -> bool:
    """Whether log-odds of a support lie where the reader is asked."""
    return _DOUBT[0] <= odds <= _DOUBT[1]


def read(fit: ReadingFit, stretches: Sequence[TopicStretch], rows: _Floats) -> _Floats:
    """The log-odds of each stretch as recall has them: of each question the likeliest in doubt are read."""
    found, likely = rows[:, 0].copy(), fit.log_odds(rows)
    by_question: dict[int, list[int]] = {}
    for place in np.argsort(-rows[:, 0], kind="stable"):
        if fit.in_doubt(float(rows[place, 0])):
            by_question.setdefault(stretches[place].question, []).append(int(place))
    for places in by_question.values():
        found[places[:MOST_READ]] = likely[places[:MOST_READ]]
    return found


def rates(stretches: Sequence[TopicStretch], odds: _Floats) -> tuple[float, float]:
    """The share of topics that were talked about for which a right stretch passes first, and of the others for which any passes."""
    best: dict[int, int] = {}
    for place, one in enumerate(stretches):
        if one.question not in best or odds[place] > odds[best[one.question]]:
            best[one.question] = place
    hits = [odds[place] >= 0.0 and stretches[place].right for place in best.values() if stretches[place].heard]
    false = [odds[place] >= 0.0 for place in best.values() if not stretches[place].heard]
    return float(np.mean(hits)), float(np.mean(false))


def level(fit: ReadingFit, stretches: Sequence[TopicStretch], rows: _Floats, false: float) -> ReadingFit:
    """The fit moved so that a share of the topics passes that nobody talked about."""
    low, high = -10.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2.0
        tried = replace(fit, intercept=fit.intercept - middle)
        low, high = (middle, high) if rates(stretches, read(tried, stretches, rows))[1] > false else (low, middle)
    return replace(fit, intercept=round(fit.intercept - high, _DIGITS))


def main() -> None:
    """Parse options, collect, fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"))
    parser.add_argument("--false", type=float, default=0.03, help="the share that passes of topics that nobody talked about")
    options = parser.parse_args()
    graph = load_graph(options.config)
    (name,) = (name for name, node in graph.resources.items() if issubclass(node.cls, Reader))
    reader = build_resources(graph, only=[name])[name]
    assert isinstance(reader, Reader)
    if not reader.knows_topics:
        sys.exit(f"{options.config}: reader {reader.name} was not taught topics")
    reader.start()
    with tempfile.TemporaryDirectory() as folder, RecallOfRooms(options.config) as recalls:
        seeds = range(options.first_seed, options.first_seed + options.rooms)
        left = list(topic_stretches(recalls, topics(FITTED), seeds, Path(folder), left_out()))
        tried_on = range(_TRIED_FROM, _TRIED_FROM + _TRIED_ROOMS)
        tried = list(topic_stretches(recalls, topics(), tried_on, Path(folder), {topic.name for topic in topics()}))
        encoder = recalls.encoder.name
    rows, tried_rows = features(left, reader), features(tried, reader)
    doubted = np.array([is_doubted(float(odds)) for odds in rows[:, 0]])
    reader.stop()
    weights = fitted(rows[doubted], np.array([one.right for one in left])[doubted])
    fit = ReadingFit(_DOUBT, WEIGHED, tuple(round(float(weight), _DIGITS) for weight in weights[1:]), float(weights[0]))
    fit = level(fit, tried, tried_rows, options.false)
    sys.stdout.write(f"{fit}\n")
    for heading, some, own in (("topics left out", left, rows), ("topics of the measured rooms", tried, tried_rows)):
        without, with_it = rates(some, own[:, 0]), rates(some, read(fit, some, own))
        sys.stdout.write(f"{heading}: found {without[0]:.3f}, false {without[1]:.3f}; read {with_it[0]:.3f}, {with_it[1]:.3f}\n")
    topic_reading_file(encoder, reader.name).write_text(fit.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
