"""Recall on plain talks written out by hand: each imported and asked, and what came of it as Markdown.

    python -m tools.recall_talks [--only PREFIX ...] [--config YAML] [--keep FILE] [--served GGUF | --base-url URL --model NAME]

Of a question that the talk answers the first line that is cited must be one of those that answer, by its text; one that nothing answers
must be refused. "Did they talk about X?" is asked of what the talk is about, where any line is right, and of what it is not. With
`--served` or `--base-url` all are asked once more, with a language model that says which line answers where that is in doubt
(`stages/recall/second_opinion.py`): a GGUF file behind llama.cpp's server, or a server of chat completions.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from stages.memory.long_term_memory import LongTermMemory
from stages.recall.recall import Recall
from tools.recall_answerers import graph_with, served
from tools.recall_rooms_text import RecallOfRooms
from tools.written_talks import MEASURED, WrittenTalk, talks_named

_STARTED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_WORDS_PER_S = 2.6
_PAUSE_S = 0.4
_APART_DEG = 80.0


class Verdict(NamedTuple):
    """What came of one question: `came` is right, wrong or refused, of kind told, near (nothing answers it), about or not about."""

    talk: str
    kind: str
    question: str
    came: str
    cited: str
    confidence: float


def transcript(talk: WrittenTalk, folder: Path) -> Path:
    """The talk as a transcript that `echoic import` takes, in a file."""
    talkers = {name: number * _APART_DEG for number, name in enumerate(dict.fromkeys(name for _, name, _ in talk.lines))}
    at_s, rows = 0.5, []
    for _, name, text in talk.lines:
        end_s = at_s + len(text.split()) / _WORDS_PER_S
        rows.append({"start_s": at_s, "end_s": end_s, "speaker": name, "azimuth_deg": talkers[name], "text": text})
        at_s = end_s + _PAUSE_S
    path = folder / f"{talk.name}.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def questions(talk: WrittenTalk) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Kind and text of every question, and the texts of the lines that answer it."""
    for asked in talk.asked:
        yield "told" if asked.a else "near", asked.q, tuple(talk.text(number) for number in asked.a)
    every = tuple(text for *_, text in talk.lines)
    for topic in talk.about:
        yield "about", f"Did they talk about {topic}?", every
    for topic in talk.not_about:
        yield "not about", f"Did they talk about {topic}?", ()


def asked_at() -> datetime:
    """When the questions are asked: an hour after the talk began."""
    return _STARTED_AT + timedelta(hours=1)


def in_memory(recalls: RecallOfRooms, talk: WrittenTalk, folder: Path) -> AbstractContextManager[tuple[Recall, LongTermMemory]]:
    """Recall over a memory that holds one talk, and that memory."""
    return recalls.of_transcript(transcript(talk, folder), _STARTED_AT)


def verdicts(talks: Sequence[WrittenTalk], config: Path) -> Iterator[Verdict]:
    """What comes of all questions to some talks, each in a memory of its own."""
    with tempfile.TemporaryDirectory() as folder, RecallOfRooms(config) as recalls:
        for talk in talks:
            with in_memory(recalls, talk, Path(folder)) as (recall, _):
                for kind, text, right in questions(talk):
                    answer = recall.ask(text, now=asked_at())
                    evidence = [one for claim in answer.claims for one in claim.evidence]
                    cited = evidence[0].text if evidence else ""
                    came = "refused" if answer.abstained else "right" if cited in right else "wrong"
                    confidence = max((claim.confidence for claim in answer.claims), default=0.0)
                    yield Verdict(talk.name, kind, text, came, cited, confidence)


def judged(talks: Sequence[WrittenTalk], config: Path, base_url: str, model: str) -> Iterator[Verdict]:
    """The same with a language model that says which line answers where that is in doubt, and words and reads nothing."""
    chat = {"use": "stages.answer.openai_chat.OpenaiChat", "encoder": "encoder", "base_url": base_url, "model": model}
    with tempfile.TemporaryDirectory() as folder:
        resources = {"answerer": {**chat, "most_worded": 0, "restates": False, "judges": True}}
        yield from verdicts(talks, graph_with(config, resources, Path(folder) / "judged.yaml"))


def table(found: Sequence[Verdict]) -> str:
    """Markdown: shares by kind of question."""
    rows = ["| kind | questions | right | refused | wrong |", "|---|---:|---:|---:|---:|"]
    for kind in dict.fromkeys(one.kind for one in found):
        came = Counter(one.came for one in found if one.kind == kind)
        n = sum(came.values())
        shares = " | ".join(f"{came[name] / n:.3f}" for name in ("right", "refused", "wrong"))
        rows.append(f"| {kind} | {n} | {shares} |")
    return "\n".join(rows)


def main() -> None:
    """Parse options, ask, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=MEASURED, help="how the names of the talks begin")
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"))
    parser.add_argument("--keep", type=Path, help="a file for what came of each question, one JSON line each")
    parser.add_argument("--served", type=Path, help="ask once more with this model as judge, behind a server on this machine")
    parser.add_argument("--base-url", help="ask once more with a model of this server of chat completions as judge")
    parser.add_argument("--model", default="model", help="the model's name at that server")
    options = parser.parse_args()
    talks = talks_named(tuple(options.only))
    found = list(verdicts(talks, options.config))
    sys.stdout.write(f"{len(talks)} talks\n\n{table(found)}\n")
    if options.served is not None or options.base_url is not None:
        with nullcontext(options.base_url) if options.base_url else served(options.served) as url:
            found = list(judged(talks, options.config, url, options.model))
        name = options.model if options.base_url else options.served.name
        sys.stdout.write(f"\nWith {name} as judge:\n\n{table(found)}\n")
    if options.keep is not None:
        options.keep.write_text("".join(f"{json.dumps(one._asdict())}\n" for one in found), encoding="utf-8")


if __name__ == "__main__":
    main()
