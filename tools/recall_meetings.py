"""How well Echoic's search finds what meetings say about a question, beside BM25, dense search and their fusions: a markdown table.

    python -m tools.recall_meetings --data ../shared/data/qmsum

QMSum's meetings are imported as sessions, each into a memory of its own and all into one, with the encoder of a config. Each
specific question is read as `echoic ask` reads it, and asked of `Searcher`. What the figures mean stands in
`recall_meetings_score.py`. What search weighs, and where questions are moved, was learnt from the tuning half
(`tools/fit_relevance.py`, `fit_query_adapter.py`); what counts is "held-out".
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.graph import load_graph
from pipeline.packets import Float32Array
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.text_encoder import TextEncoder
from stages.memory.transcript_files import import_transcript
from stages.recall.encoder_fits import SearchFit
from stages.recall.question import Question, parse
from stages.recall.scope import Scope, scope_of
from stages.recall.search import Searcher
from stages.recall.time_phrase import Moments
from tools.recall_baselines import Baselines
from tools.recall_meetings_data import Meeting, MeetingsError, read_meetings, tuning_half
from tools.recall_meetings_score import Scores, Turn, score, table

OURS = "Echoic"
_STARTED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def _key(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class KeepingEncoder(TextEncoder):
    """An encoder that encodes each text once."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self.name = encoder.name
        self.dimension = encoder.dimension
        self.kept: dict[str, Float32Array] = {}

    def start(self) -> None:
        """Start the encoder."""
        self._encoder.start()

    def stop(self) -> None:
        """Stop the encoder."""
        self._encoder.stop()

    @contextmanager
    def keeping(self, path: Path | None) -> Iterator[KeepingEncoder]:
        """The encoder started, with the vectors of its own that a file has, if any; all that it made are in the file afterwards."""
        if path is not None and path.is_file():
            with np.load(path) as kept:
                if str(kept["encoder"]) == self.name:
                    self.kept.update(zip(kept["keys"].tolist(), kept["vectors"], strict=True))
        self.start()
        try:
            yield self
        finally:
            self.stop()
        if path is not None:
            np.savez(path, encoder=np.array(self.name), keys=np.array(list(self.kept)), vectors=np.stack(list(self.kept.values())))

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Float32, shape (len(texts), dimension)."""
        new = [text for text in dict.fromkeys(texts) if _key(text) not in self.kept]
        if new:
            self.kept.update(zip(map(_key, new), self._encoder.encode(new), strict=True))
        return np.stack([self.kept[_key(text)] for text in texts]) if texts else np.zeros((0, self.dimension), dtype=np.float32)


class Asked(NamedTuple):
    """The scores of one question by method, and the meeting that it is about."""

    meeting: str
    scores: dict[str, Scores]


def ask_all(meetings: Sequence[Meeting], encoder: TextEncoder, fits: Mapping[str, SearchFit] | None = None) -> list[Asked]:
    """Import meetings into one memory and ask every question about them, with each method.

    `fits` are what search goes by in questions about a meeting, by its name, where that is not what was learnt for the encoder.
    """
    with heard(meetings, encoder) as (memory, turn_of):
        lines = memory.lines(words=False)
        baselines = Baselines([line.text for line in lines], memory.vectors([line.id for line in lines]))
        turns = [turn_of[line.session, line.start_ns] for line in lines]
        asked = []
        for meeting in meetings:
            searcher = Searcher(memory, encoder, None, (fits or {}).get(meeting.name))
            for question in meeting.questions:
                others = baselines.rankings(question.text, encoder.encode([question.text])[0])
                found = {method: [turns[place] for place in places] for method, places in others.items()}
                found[OURS] = list(_ours(question.text, memory, searcher, turn_of))
                scores = {method: score(ranking, meeting.name, question.relevant) for method, ranking in found.items()}
                asked.append(Asked(meeting.name, scores))
        baselines.close()
    return asked


def settings(name: str, asked: Iterable[Asked], tuning: frozenset[str]) -> dict[str, dict[str, list[Scores]]]:
    """The scores by half of the meetings and method, for the table."""
    asked = list(asked)
    halves = {
        f"{name}, held-out half": [entry for entry in asked if entry.meeting not in tuning],
        f"{name}, tuning half": [entry for entry in asked if entry.meeting in tuning],
        f"{name}, all": asked,
    }
    return {half: {method: [entry.scores[method] for entry in part] for method in part[0].scores} for half, part in halves.items() if part}


@contextmanager
def heard(meetings: Sequence[Meeting], encoder: TextEncoder) -> Iterator[tuple[LongTermMemory, dict[tuple[str, int], Turn]]]:
    """A memory in RAM that has heard meetings, and which turn the line that starts at a time of a session is."""
    memory = LongTermMemory(encoder)
    memory.start()
    turn_of: dict[tuple[str, int], Turn] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            for number, meeting in enumerate(meetings):
                report = import_transcript(meeting.write(Path(folder)), memory, encoder, _STARTED_AT + timedelta(days=number))
                turn_of.update(((report.session, turn.start_ns), (meeting.name, turn.place)) for turn in meeting.turns)
        yield memory, turn_of
    finally:
        memory.stop()


def _ours(text: str, memory: LongTermMemory, searcher: Searcher, turn_of: dict[tuple[str, int], Turn]) -> Iterator[Turn]:
    """The turns that a search gives."""
    for line in searcher.search(*read(text, memory)).lines:
        yield turn_of[line.session, line.start_ns]


def read(text: str, memory: LongTermMemory) -> tuple[str, str, Scope]:
    """What is searched for, topic, gist and scope, for a question read as `echoic ask` reads it."""
    sessions = memory.sessions()
    last = sessions[-1]
    ends_ns = {row.id: row.duration_ns for row in sessions}
    names = memory.speakers.names(None)
    question: Question = parse(text, Moments(last.moment(last.duration_ns), last.moment(last.duration_ns), last.started_at), lambda: names)
    if question.speaker is not None and question.speaker.lower() not in {name.lower() for name in names}:
        question = replace(question, speaker=None)
    topic, gist = question.topic, question.gist
    if question.attended is not None and question.attended.topic:
        topic, gist = f"a conversation about {question.attended.topic}", question.attended.topic
    return topic or text, gist or topic or text, scope_of(question, sessions, ends_ns)


def main() -> None:
    """Parse options, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder of QMSum's meetings, one JSON file each")
    parser.add_argument("--config", default="configs/replay.yaml", help="the config whose text encoder is used")
    parser.add_argument("--vectors", type=Path, help="an .npz file to keep vectors of texts in, so that a second run is faster")
    options = parser.parse_args()
    meetings = read_meetings(options.data)
    tuning = tuning_half(meetings)
    with KeepingEncoder(encoder_of(options.config)).keeping(options.vectors) as encoder:
        alone = [entry for meeting in meetings for entry in ask_all([meeting], encoder)]
        together = ask_all(meetings, encoder)
    n_turns = sum(len(meeting.turns) for meeting in meetings)
    sys.stdout.write(
        f"{len(meetings)} meetings with {n_turns} turns; weights were fitted on the {len(tuning)} of the tuning half (every other series by"
        f" name). A hit is a turn in a relevant span.\n\n"
    )
    found = settings("per meeting", alone, tuning) | settings("one memory", together, tuning)
    sys.stdout.write(table(found, OURS) + "\n")


def encoder_of(config: str) -> TextEncoder:
    """The text encoder of a config, not started. Raises MeetingsError where it has none."""
    nodes = [node for node in load_graph(config).resources.values() if issubclass(node.cls, TextEncoder)]
    if not nodes:
        raise MeetingsError(f"{config}: it has no text encoder; give a config that has one")
    encoder: TextEncoder = nodes[0].cls(**nodes[0].settings)
    return encoder


if __name__ == "__main__":
    main()
