"""Missed-conversation recall on true transcripts: rooms through import and recall, scored beside two baselines, as Markdown.

    python -m tools.recall_rooms_text --folder DIR [--rooms 300] [--first-seed 100000] [--config YAML ...] [--examples N]

Each room is written as a transcript, imported into a memory of its own, and asked with the resources of the graph. Answers are kept
in the folder. Constants of recall must never be fitted to the rooms from seed 100000 on; those below 50000 are for that.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.app.graph_roles import roles_of
from pipeline.app.open_memory import live_memory, live_recall, started
from pipeline.build import build_resources, needs
from pipeline.graph import Graph, load_graph
from pipeline.stage import Resource
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.text_encoder import TextEncoder
from stages.memory.transcript_files import import_transcript
from stages.recall.recall import Recall
from tools.recall_rooms import Room, made_room, written
from tools.recall_rooms_baselines import Baselines
from tools.recall_rooms_questions import Asked, asked_of, now_of
from tools.recall_rooms_score import Verdict, scored
from tools.recall_rooms_table import kind_table, whole_table

FIRST_SEED = 100_000
SEED, TOP_K = "the seed's way", "dense top 5"
Json = dict[str, Any]
Found = dict[str, list[tuple[Room, Asked, Json, Verdict]]]


class RecallOfRooms:
    """The recall of one graph, for one room after the other: models are loaded once, each room has a memory of its own in RAM."""

    def __init__(self, config: Path) -> None:
        self._graph: Graph = load_graph(config)
        roles = roles_of(self._graph)
        if roles.recall is None:
            raise ValueError(f"{config}: there is no recall under resources:, so nothing can be asked")
        self._roles = roles
        wanted = [name for name in needs(self._graph.resources[roles.recall]) if name != roles.memory]
        wanted += needs(self._graph.resources[roles.memory])
        self._shared = build_resources(self._graph, only=wanted)

    def __enter__(self) -> RecallOfRooms:
        for resource in self._shared.values():
            resource.start()
        return self

    def __exit__(self, *error: object) -> None:
        for resource in reversed(list(self._shared.values())):
            resource.stop()

    @property
    def encoder(self) -> TextEncoder:
        """The graph's encoder of texts."""
        return next(resource for resource in self._shared.values() if isinstance(resource, TextEncoder))

    @contextmanager
    def of_transcript(self, transcript: Path, started_at: datetime) -> Iterator[tuple[Recall, LongTermMemory]]:
        """Recall over a memory that holds a transcript, and that memory."""
        made: dict[str, Resource] = dict(self._shared)
        for name in (self._roles.memory, str(self._roles.recall)):
            node = self._graph.resources[name]
            resources = {key: setting.resource is not None for key, setting in node.definition.settings.items()}
            arguments = {key: made[value] if resources.get(key) and value else value for key, value in node.settings.items()}
            made[name] = node.cls(**arguments)
        own = {name: made[name] for name in (self._roles.memory, str(self._roles.recall))}
        with started(own):
            memory = live_memory(own, self._roles)
            import_transcript(transcript, memory, self.encoder, started_at)
            yield live_recall(own, str(self._roles.recall)), memory

    def of_room(self, room: Room, transcript: Path) -> AbstractContextManager[tuple[Recall, LongTermMemory]]:
        """Recall over a memory that holds the transcript of a room, and that memory."""
        return self.of_transcript(transcript, room.started_at)


def answered(recall: Recall, room: Room, asked: Sequence[Asked]) -> list[Json]:
    """The answers to questions, as `ask --json` prints them; what has to be asked before is asked before."""
    found = []
    for question in asked:
        for text in (*question.before, question.text):
            answer = recall.ask(text, now=now_of(room)).to_json()
        found.append(answer)
    return found


def asked_in_rooms(recalls: RecallOfRooms, seeds: Sequence[int], folder: Path) -> Iterator[list[tuple[Room, Asked, Json, Verdict]]]:
    """Every answer to the questions of a room with its verdict, room by room."""
    for seed in seeds:
        room = made_room(seed)
        asked = asked_of(room)
        with recalls.of_room(room, written(room, folder)) as (recall, _):
            answers = answered(recall, room, asked)
        yield [(room, question, answer, scored(question, room, answer)) for question, answer in zip(asked, answers, strict=True)]


def measured(configs: Sequence[Path], seeds: Sequence[int], folder: Path) -> Found:
    """Every answer with its verdict, by the way of answering: the baselines first, then each graph."""
    found: Found = {SEED: [], TOP_K: []}
    for number, config in enumerate(configs):
        kept = found.setdefault(config.stem if len(configs) > 1 else "extractive" if config.stem == "replay" else config.stem, [])
        with RecallOfRooms(config) as recalls:
            for n, rows in enumerate(asked_in_rooms(recalls, seeds, folder / "rooms"), 1):
                kept += rows
                if number == 0:
                    room = rows[0][0]
                    plain = Baselines(room, recalls.encoder)
                    for name, ask in ((SEED, plain.seed), (TOP_K, plain.top_k)):
                        answers = [(question, ask(question)) for _, question, *_ in rows]
                        found[name] += [(room, question, answer, scored(question, room, answer)) for question, answer in answers]
                if n % 50 == 0:
                    sys.stderr.write(f"{config}: {n} of {len(seeds)} rooms\n")
    return found


def keep(found: Found, folder: Path) -> None:
    """Write every answer with its verdict: one JSON line each, a file for each way of answering."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in found.items():
        lines = [
            json.dumps({"seed": room.seed, "kind": asked.kind, "verdict": vars(verdict), "true": _true(room, asked), "answer": answer})
            for room, asked, answer, verdict in rows
        ]
        path = folder / f"{re.sub('[^a-z0-9-]', '-', name.lower())}.jsonl"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _true(room: Room, asked: Asked) -> Json | None:
    if asked.truth is None:
        return None
    by_key = {line.key: line for line in room.said}
    return {"value": asked.truth.value, "lines": [f"{by_key[key].speaker}: {by_key[key].text}" for key in asked.truth.lines]}


def main() -> None:
    """Parse options, measure, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where rooms and answers are kept")
    parser.add_argument("--rooms", type=int, default=300)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--config", type=Path, action="append", help="a graph whose recall is asked; may be given more than once")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.rooms)
    found = measured(options.config or [Path("configs/replay.yaml")], seeds, options.folder)
    keep(found, options.folder / "answers")
    verdicts = {name: [verdict for *_, verdict in rows] for name, rows in found.items()}
    parts = [f"{options.rooms} rooms, seeds {seeds[0]} to {seeds[-1]}.", whole_table(verdicts)]
    parts += [f"{name}, by kind of question:\n\n{kind_table(rows)}" for name, rows in verdicts.items() if name not in {SEED, TOP_K}]
    sys.stdout.write("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
