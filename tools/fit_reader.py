"""Teach the reader to judge whether a line answers a question for a fact, and find how much it counts beside the trees.

    python -m tools.fit_reader [--rooms 900] [--first-seed 5000] [--config configs/replay.yaml] [--adapter FILE] [--keep-adapter]
        [--least 0.85] [--least-read 0.6] [--keep-trees]

Rooms on the topics of tools/fit_scripts, as for `tools.fit_fact_support`. The reader (`tools/reader_net.py`) learns on five of six
topics which lines answer questions (`tools/reader_lessons.py`, `tools/fact_lessons.py`), which later lines take back what was said
(`tools/correction_lessons.py`), and which stretches of talk are about a topic (`tools/topic_lessons.py`); at last all of this from talks
written out by hand (`tools/talk_lessons.py`). How trees and reader are weighed is fitted on the other topics, those of `left_out.txt`,
and on the talks that `tools/written_talks.py` names for it, a logistic regression over the lines that would be read
(`stages/recall/reading.py`). Printed is what comes of these topics without and with the reader, by the least log-odds of an answer, and
how many corrections are found there, and found where there are none. How much the reader counts where the topic of a talk is in doubt,
`tools.fit_topic_reading` finds after this.

An answer has log-odds of 0 or more, after trees and regression were moved by the two least values, which were chosen on rooms on the topics
of tools/recall_scripts (seeds below 1300): trees alone are wrong in 5 % of their questions then, and with both in 1.8 %,
where .90 of those that can be answered are answered right. With `--keep-adapter` the reader stays as it is, and is only weighed beside
the trees of another encoder; with `--keep-trees` these stay too, and must not have seen these topics: so it was for MPNet and MiniLM
(--least-read 0.3 for MiniLM).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.mpnet_reader import WEIGHTS, MpnetReader, pair_tokens, started_reader
from models.text_model import Tokeniser, read_safetensors
from models.weights import path_of
from stages.recall.boosted_trees import BoostedTrees
from stages.recall.encoder_fits import ReadingFit, fact_fit, reading_file
from stages.recall.mpnet_reader import ADAPTER
from stages.recall.mpnet_reader import MpnetReader as ReaderOfRecall
from stages.recall.reading import WEIGHED, likeliest, reading_features
from tools.correction_lessons import CorrectionLessons
from tools.fact_lessons import FactLessons
from tools.fit_examples import Example, examples
from tools.fit_fact_support import LEAST, grown, moved, table
from tools.fit_topic_support import fitted
from tools.reader_lessons import Lessons, Read, Rounds, SomeOf
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import FITTED, left_out, topics
from tools.talk_examples import talk_examples
from tools.talk_lessons import TalkLessons
from tools.topic_lessons import TopicLessons, topic_stretches
from tools.written_talks import HELD_OUT, WEIGHED_ON, talks_named

_ROUNDS, _MORE_ROUNDS, _ROUNDS_OF_TALKS = 3, 2, 4
_ROOMS_OF_CORRECTIONS = 220
_ROOMS_OF_TOPICS = 240
_FOUND, _CORRECTIONS, _STRETCHES = 9000, 3500, 5000
"""Pairs of these kinds in a round, beside those made of the topics alone."""
_BESIDE_TALKS = (4000, 3000, 1500, 2000)
"""Pairs in a round that has those of talks by hand: found in rooms, made of the topics alone, corrections, stretches."""
_RATE, _MORE_RATE = 4e-4, 3e-4
_SHARE_OF_MORE = 0.7
_DOUBT = (-5.0, 4.0)
_DIGITS = 4
Rows = npt.NDArray[np.float64]


def apart(rows: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The examples of the topics that the reader is taught with, and those of the others."""
    left = left_out()
    return [example for example in rows if example.topic not in left], [example for example in rows if example.topic in left]


def taught(lessons: Lessons, others: Sequence[Rounds], talks: Rounds, adapter: Path) -> None:
    """Teach a reader, and write its adapter.

    `lessons` come in each round as the `others` do, and easy ones of them at the beginning; in the last rounds fewer of them, and `talks`.
    """
    from tools.reader_net import Lesson, ReaderNet, averaged, known, learnt

    tokeniser = Tokeniser(path_of(WEIGHTS[1]), max_tokens=None)

    def tokenised(read: Sequence[Read], right: Sequence[bool]) -> Lesson:
        return [pair_tokens(tokeniser, *text) for text in read], right

    def lesson(number: int, kinds: Sequence[Rounds] = (lessons, *others)) -> Lesson:
        parts = [kind.round(number) for kind in kinds]
        return tokenised([one for read, _ in parts for one in read], [one for _, right in parts for one in right])

    beside = [SomeOf(kind, n_each) for kind, n_each in zip((lessons, *others), _BESIDE_TALKS, strict=True)]

    net = ReaderNet(read_safetensors(path_of(WEIGHTS[0])))
    net = learnt(net, lesson, lambda number: tokenised(*lessons.easy(number)), rounds=_ROUNDS, rate=_RATE)
    before = known(net)
    net = learnt(net, lambda number: lesson(_ROUNDS + number), None, rounds=_MORE_ROUNDS, rate=_MORE_RATE)
    net = learnt(net, lambda number: lesson(number, (talks, *beside)), None, rounds=_ROUNDS_OF_TALKS, rate=_MORE_RATE)
    net = averaged(net, before, _SHARE_OF_MORE)
    np.savez(adapter, allow_pickle=False, **net.adapter())


def weighed(
    left: Sequence[Example], trees: BoostedTrees, reader: MpnetReader, least: float
) -> tuple[ReadingFit, list[tuple[Example, Rows]]]:
    """How trees and reader are weighed, moved by the least log-odds of an answer, and the log-odds of every line with both."""
    odds = [trees.log_odds(example.rows) for example in left]
    picked = [likeliest(own) for own in odds]
    read = [
        reading_features(
            example.rows[places],
            own[places],
            reader.scores([(example.question, *example.lines[place]) for place in places]).astype(np.float64),
        )
        for example, own, places in zip(left, odds, picked, strict=True)
    ]
    kept = [~example.related[places] for example, places in zip(left, picked, strict=True)]
    inputs = np.concatenate([rows[keep] for rows, keep in zip(read, kept, strict=True)])
    truth = np.concatenate([example.right[places][keep] for example, places, keep in zip(left, picked, kept, strict=True)])
    weights = fitted(inputs, truth)
    rounded = [round(float(weight), _DIGITS) for weight in weights]
    fit = ReadingFit(_DOUBT, WEIGHED, tuple(rounded[1:]), round(rounded[0] - least, _DIGITS))
    judged = []
    for example, own, places, rows in zip(left, odds, picked, read, strict=True):
        both = np.full(len(own), -np.inf)
        both[places] = fit.log_odds(rows)
        judged.append((example, both if fit.in_doubt(float(own.max())) else own))
    return fit, judged


def corrections_table(lessons: CorrectionLessons, reader: MpnetReader) -> str:
    """The share of corrections that are found and of other lines that are taken for one, by the least logit, as Markdown."""
    read, right = lessons.round(0)
    scores = np.array([reader.scores([(question, "", line)])[0] for question, _, line in read])
    is_right = np.array(right)
    rows = [f"| {least} | {np.mean(scores[is_right] >= least):.3f} | {np.mean(scores[~is_right] >= least):.4f} |" for least in range(-1, 5)]
    heading = f"| least logit | found, of {is_right.sum()} | false, of {(~is_right).sum()} |"
    return "\n".join([heading, "|---:|---:|---:|", *rows])


def main() -> None:
    """Parse options, collect, teach, weigh, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=900)
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"))
    parser.add_argument("--adapter", type=Path, default=ADAPTER, help="the file of the reader's adapter")
    parser.add_argument("--least", type=float, default=LEAST, help="the trees' log-odds from which on a line is an answer")
    parser.add_argument("--least-read", type=float, default=0.6, help="the log-odds of both from which on a line is an answer")
    parser.add_argument("--keep-adapter", action="store_true", help="only weigh the reader that there is")
    parser.add_argument("--keep-trees", action="store_true", help="weigh the reader beside the trees that the encoder has")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.rooms)
    with tempfile.TemporaryDirectory() as folder, RecallOfRooms(options.config) as recalls:
        rows = [example for example in examples(recalls, topics(FITTED), seeds, Path(folder)) if len(example.rows)]
        rooms_of_topics = seeds[:_ROOMS_OF_TOPICS] if not options.keep_adapter else ()
        every = topic_stretches(recalls, topics(FITTED), rooms_of_topics, Path(folder))
        stretches = [one for one in every if one.topic not in left_out()]
        encoder = recalls.encoder.name
        taught_with = {topic.name for topic in topics(FITTED)} - left_out()
        encode = recalls.encoder.encode
        facts = None if options.keep_adapter else FactLessons(topics(FITTED), taught_with, encode)
        by_hand = None if options.keep_adapter else TalkLessons(talks_named(HELD_OUT, apart=True), encode)
        plain = [example for example in talk_examples(recalls, talks_named(WEIGHED_ON), Path(folder)) if len(example.rows)]
    seen, left = apart(rows)
    trees = fact_fit(encoder) if options.keep_trees else moved(grown(seen), options.least)
    if facts is not None and by_hand is not None:
        rooms = range(seeds.stop, seeds.stop + (_ROUNDS + _MORE_ROUNDS) * _ROOMS_OF_CORRECTIONS)
        of_seen = CorrectionLessons(rooms, topics(FITTED), taught_with, _ROUNDS + _MORE_ROUNDS, _CORRECTIONS)
        taught(Lessons(seen, trees, _FOUND), (facts, of_seen, TopicLessons(stretches, _STRETCHES)), by_hand, options.adapter)
    reader = started_reader(options.adapter)
    fit, judged = weighed([*left, *plain], trees, reader, options.least_read)
    judged = [one for one in judged if one[0].topic in left_out()]
    alone = [(example, trees.log_odds(example.rows)) for example in left]
    sys.stdout.write(f"Trees alone:\n\n{table(alone)}\n\nWith the reader, {fit}:\n\n{table(judged)}\n\n")
    of_left = CorrectionLessons(seeds, topics(FITTED), {example.topic for example in left})
    sys.stdout.write(f"Corrections:\n\n{corrections_table(of_left, reader)}\n")
    reading_file(encoder, ReaderOfRecall.name).write_text(fit.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
