"""How much work a question is over four thousand and over sixteen thousand lines, counted: times would tell of the machine."""

from __future__ import annotations

import cProfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.rows import SessionRow
from stages.recall.hybrid_recall import HybridRecall
from tests.stages.recall.room_memory import load_rooms, remember


@dataclass(frozen=True)
class Work:
    """Calls of functions, texts that were encoded, and lines that were found."""

    n_calls: int
    n_encoded: int
    n_retrieved: int


def filled(encoder: MinilmOnnx, n_lines: int) -> LongTermMemory:
    """The kitchen, and so many lines with the other rooms' words in another order and random meanings, in five sessions."""
    kitchen, *others = load_rooms("rooms.yaml")
    memory = LongTermMemory(encoder)
    memory.start()
    generator = np.random.default_rng(7)
    lines = [line for room in others for line in room.lines]
    vectors = generator.standard_normal((n_lines, encoder.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    per_session = n_lines // 5
    for session in range(n_lines // per_session):
        name = f"busy{session}"
        memory.begin_session(SessionRow(name, "made", kitchen.started_at - timedelta(days=session + 1), 0, "circle", False))
        rows = []
        for place in range(per_session):
            line = lines[int(generator.integers(len(lines)))]
            shift = place * 2 * 10**9 - line.start_ns
            rows.append(
                replace(
                    line,
                    id=f"{name}-{line.track}-{place}",
                    session=name,
                    start_ns=line.start_ns + shift,
                    end_ns=line.end_ns + shift,
                    speaker=f"speaker-{line.track[1:]}",
                )
            )
        part = vectors[session * per_session : (session + 1) * per_session]
        memory.add_rows(name, rows, part, rows[-1].end_ns)
        memory.finish_session(name, rows[-1].end_ns)
    remember(kitchen, memory, encoder)
    return memory


@pytest.fixture(scope="module")
def small(encoder: MinilmOnnx) -> Iterator[HybridRecall]:
    memory = filled(encoder, 4000)
    yield HybridRecall(memory, encoder, Extractive(encoder))
    memory.stop()


@pytest.fixture(scope="module")
def large(encoder: MinilmOnnx) -> Iterator[HybridRecall]:
    memory = filled(encoder, 16_000)
    yield HybridRecall(memory, encoder, Extractive(encoder))
    memory.stop()


def work(recall: HybridRecall, question: str) -> Work:
    """What one question takes when it is asked for the second time: what is kept from the first is kept for all that follow."""
    now = load_rooms("rooms.yaml")[0].started_at + timedelta(minutes=5)
    recall.ask(question, now=now)
    profile = cProfile.Profile()
    profile.enable()
    answer = recall.ask(question, now=now)
    profile.disable()
    stats = profile.getstats()
    return Work(
        n_calls=sum(entry.callcount for entry in stats),
        n_encoded=sum(entry.callcount for entry in stats if entry.code is MinilmOnnx.encode.__code__),
        n_retrieved=len(answer.retrieved),
    )


@pytest.mark.parametrize(
    "question",
    [
        "What did I miss while I was following the conversation about dogs?",
        "When does the roofer come?",
        "What did they say about the volcano?",
        "What did speaker-4 say about the planetarium?",
        "Catch me up",
    ],
)
def test_the_work_of_a_question_does_not_grow_with_the_memory(small: HybridRecall, large: HybridRecall, question: str) -> None:
    few, many = work(small, question), work(large, question)
    assert many.n_retrieved
    assert many.n_encoded <= 2
    # Four times the lines.
    assert many.n_calls < 1.5 * few.n_calls
    assert many.n_calls < 110_000
