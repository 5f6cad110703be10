"""Recall of questions that are not put plainly: as people talk, and in other languages, by rules alone and with a language model.

    python -m tools.recall_free_questions --folder DIR [--seeds N ...] [--config YAML] [--served GGUF] [--base-url URL --model NAME]

`tools/free_questions/rooms.yaml` has the questions to some generated rooms in other words, written out one by one: each as somebody talks
to a device, and in one of six languages. What answers them is the same. They are asked with rules that read the question alone, and with a
model that is asked to put it plainly first (`stages/answer/restating.py`): the small one of the catalogue or another GGUF file (`--served`)
behind llama.cpp's server, or any server of chat completions (`--base-url`). A model words no answer here. Printed is Markdown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict

from models.weights import path_of
from stages.answer.llama_cpp import LlamaCpp
from tools.recall_answerers import graph_with, served
from tools.recall_rooms import Room, made_room, written
from tools.recall_rooms_questions import Asked, asked_of
from tools.recall_rooms_score import Verdict, scored
from tools.recall_rooms_table import whole_table
from tools.recall_rooms_text import FIRST_SEED, RecallOfRooms, answered, keep

WORDINGS = Path(__file__).with_name("free_questions") / "rooms.yaml"
AS_ASKED, FREE, FOREIGN = "as asked", "free", "foreign"
Json = dict[str, Any]
Rows = list[tuple[Room, Asked, Json, Verdict]]


class Wording(BaseModel):
    """The question at place `n` of a room in other words, and in a language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n: int
    free: str
    foreign: str
    language: str


@cache
def wordings() -> Mapping[int, tuple[Wording, ...]]:
    """All other wordings, by the seed of the room."""
    read = yaml.safe_load(WORDINGS.read_text(encoding="utf-8"))
    return {int(seed): tuple(Wording(**entry) for entry in entries) for seed, entries in read.items()}


def reworded(room: Room, way: str) -> list[Asked]:
    """The questions to a room that have other wordings, in one of them (FREE, FOREIGN), or as they are asked (AS_ASKED)."""
    asked = asked_of(room)
    texts = {AS_ASKED: lambda one: asked[one.n].text, FREE: lambda one: one.free, FOREIGN: lambda one: one.foreign}
    return [replace(asked[one.n], text=texts[way](one)) for one in wordings()[room.seed]]


def asked_in(recalls: RecallOfRooms, seeds: Sequence[int], folder: Path) -> Iterator[tuple[str, Rows]]:
    """Every answer with its verdict, by the way in which it was asked, room by room."""
    for seed in seeds:
        room = made_room(seed)
        with recalls.of_room(room, written(room, folder)) as (recall, _):
            for way in (AS_ASKED, FREE, FOREIGN):
                asked = reworded(room, way)
                answers = answered(recall, room, asked)
                yield way, [(room, one, answer, scored(one, room, answer)) for one, answer in zip(asked, answers, strict=True)]


def answerers(base_url: str, model: str) -> dict[str, Json]:
    """The answerers by the way in which questions are read; neither words an answer."""
    chat = {"use": "stages.answer.openai_chat.OpenaiChat", "encoder": "encoder", "base_url": base_url, "model": model, "most_worded": 0}
    return {"rules": {"use": "stages.answer.extractive.Extractive", "encoder": "encoder"}, "a model and rules": chat}


def times(found: Mapping[str, Rows]) -> str:
    """Markdown: how many questions were put plainly first, and how long reading and the whole answer took."""
    lines = ["| asked | read in plain words | reading, p50 / p95 s | whole answer, p50 / p95 s |", "|---|---:|---:|---:|"]
    for name, rows in found.items():
        answers = [answer for _, _, answer, _ in rows]
        n = sum(answer["answer"].startswith("Read as ") for answer in answers)
        parts = ([answer["timing_ms"][part] / 1e3 for answer in answers] for part in ("parse", "total"))
        told = " | ".join(f"{np.percentile(part, 50):.2f} / {np.percentile(part, 95):.2f}" for part in parts)
        lines.append(f"| {name} | {n} of {len(rows)} | {told} |")
    return "\n".join(lines)


def main() -> None:
    """Parse options, ask, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where rooms, graphs and answers are kept")
    parser.add_argument("--seeds", type=int, nargs="+", help="the rooms; default: the measured ones among those that have other wordings")
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"), help="the graph that answers")
    parser.add_argument("--served", type=Path, help="the model behind a server on this machine; default: the small one of the catalogue")
    parser.add_argument("--base-url", help="ask this server of chat completions instead")
    parser.add_argument("--model", default="model", help="the model's name at that server")
    options = parser.parse_args()
    seeds = options.seeds or [seed for seed in wordings() if seed >= FIRST_SEED]
    options.folder.mkdir(parents=True, exist_ok=True)
    gguf = options.served or path_of(LlamaCpp.weights[0])
    found: dict[str, Rows] = {}
    with nullcontext(options.base_url) if options.base_url else served(gguf) as base_url:
        for reader, answerer in answerers(base_url, options.model).items():
            graph = graph_with(options.config, {"answerer": answerer}, options.folder / f"{reader.replace(' ', '-')}.yaml")
            with RecallOfRooms(graph) as recalls:
                for way, rows in asked_in(recalls, seeds, options.folder / "rooms"):
                    found.setdefault(f"{way}, read by {reader}", []).extend(rows)
    keep(found, options.folder / "answers")
    name = options.model if options.base_url else gguf.name
    verdicts = {way: [verdict for *_, verdict in rows] for way, rows in found.items()}
    sys.stdout.write(f"Rooms {', '.join(map(str, seeds))}; the model is {name}.\n\n{whole_table(verdicts)}\n\n{times(found)}\n")


if __name__ == "__main__":
    main()
