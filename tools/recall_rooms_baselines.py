"""What recall is compared with, on the same lines and with the same encoder: the way of the seed project, and plain top-k retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.text_encoder import TextEncoder
from tools.recall_rooms import Room, Said
from tools.recall_rooms_questions import Asked

CHUNK_LINES = 3
NEIGHBOURS = 2
TOP_K = 5
Json = dict[str, Any]


class Baselines:
    """Two ways of answering for one room; neither ever refuses. They are told which talkers talk with each other."""

    def __init__(self, room: Room, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._lines = sorted(room.said, key=lambda line: line.start_s)
        self._vectors = encoder.encode([line.text for line in self._lines])
        self._chunks: list[tuple[Said, ...]] = []
        for number in range(len(room.conversations)):
            own = [line for line in self._lines if line.conversation == number]
            self._chunks += [tuple(own[first : first + CHUNK_LINES]) for first in range(0, len(own), CHUNK_LINES)]
        self._chunk_vectors = encoder.encode([" ".join(line.text for line in chunk) for chunk in self._chunks])

    def seed(self, asked: Asked) -> Json:
        """The chunk of three lines most like the question and two on each side; for what was missed, all chunks of others that overlap."""
        place = int(np.argmax(self._likeness(asked.text, self._chunk_vectors)))
        own = self._chunks[place][0].conversation
        near = [chunk for chunk in self._chunks[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1] if chunk[0].conversation == own]
        if not asked.kind.startswith("missed"):
            return _answer([[line for chunk in near for line in chunk]])
        start_s, end_s = near[0][0].start_s, near[-1][-1].end_s
        others = [chunk for chunk in self._chunks if chunk[0].conversation != own]
        return _answer([list(chunk) for chunk in others if chunk[0].start_s < end_s and chunk[-1].end_s > start_s])

    def top_k(self, asked: Asked) -> Json:
        """The five lines that are most like the question, each quoted."""
        best = np.argsort(-self._likeness(asked.text, self._vectors), kind="stable")[:TOP_K]
        return _answer([[self._lines[place]] for place in best])

    def _likeness(self, text: str, vectors: Float32Array) -> Float32Array:
        likeness: Float32Array = vectors @ self._encoder.encode([text])[0]
        return likeness


def _answer(groups: Sequence[Sequence[Said]]) -> Json:
    claims = [
        {
            "text": " ".join(f'{line.speaker}: "{line.text}"' for line in lines),
            "evidence": [
                {"start_s": line.start_s, "end_s": line.end_s, "azimuth_deg": line.azimuth_deg, "speaker": line.speaker, "text": line.text}
                for line in lines
            ],
        }
        for lines in groups
    ]
    return {"abstained": not claims, "claims": claims}
