"""Rooms of text as memories: the lines of each conversation one after the other, all conversations at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from pipeline.packets import Event, nanoseconds
from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow, WordRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import Answer
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.reader import Reader
from stages.recall.recall import Recall

WORDS_PER_S = 2.6
PAUSE_S = 0.4


@dataclass(frozen=True)
class Room:
    """One room: its lines, which lines (by key) each section holds, and the questions with their truths."""

    name: str
    started_at: datetime
    lines: tuple[LineRow, ...]
    sections: dict[str, tuple[str, ...]]
    questions: tuple[dict[str, Any], ...]

    @property
    def end_ns(self) -> int:
        return max(line.end_ns for line in self.lines)

    def section_of(self, line: str) -> str:
        return next(section for section, keys in self.sections.items() if line in {f"{self.name}-{key}" for key in keys})


@dataclass(frozen=True)
class Asker:
    """A room in a memory, and the recall that answers for it."""

    room: Room
    memory: LongTermMemory
    recall: Recall
    now: datetime

    def ask(self, question: str, at: datetime | None = None) -> Answer:
        return self.recall.ask(question, at=at, now=self.now)

    def fault(self, question: Mapping[str, Any]) -> str | None:
        """What is wrong with the answer to a question of the room, against its truth; None for a right one."""
        answer = self.ask(question["ask"])
        if answer.intent != question["intent"]:
            return f"intent {answer.intent}"
        if question.get("declined"):
            if answer.abstained and answer.retrieved:
                return None
            return "declined without retrieved lines" if answer.abstained else f"not declined: {answer.text}"
        if answer.abstained:
            return f"declined: {answer.text}"
        if "section" in question and self.room.section_of(answer.claims[0].evidence[0].utterance) != question["section"]:
            return f"another section: {answer.text}"
        lost = {self.room.section_of(line.id) for stretch in answer.missed for line in stretch.lines}
        followed = {self.room.section_of(line.id) for stretch in answer.attended for line in stretch.lines}
        if not set(question.get("missed", ())) <= lost or lost & followed:
            return f"missed {sorted(lost)} while following {sorted(followed)}"
        shown = " ".join(f"{evidence.speaker} {evidence.text}" for claim in answer.claims for evidence in claim.evidence)
        lacking = [words for words in question.get("says", ()) if words not in shown]
        return f"lacks {lacking}: {answer.text}" if lacking else None


def load_rooms(file: str) -> list[Room]:
    data = yaml.safe_load((Path(__file__).parent / file).read_text(encoding="utf-8"))
    return [_room(entry) for entry in data]


def _room(entry: dict[str, Any]) -> Room:
    lines: list[LineRow] = []
    sections: dict[str, tuple[str, ...]] = {}
    tracks: dict[str, str] = {}
    for conversation in entry["conversations"]:
        time_s = float(conversation["start_s"])
        for section, said in conversation["sections"].items():
            keys = []
            for speaker, text in said:
                track = tracks.setdefault(speaker, f"t{len(tracks) + 1}")
                words = text.split()
                start_ns = nanoseconds(time_s)
                step_ns = nanoseconds(1 / WORDS_PER_S)
                end_ns = start_ns + step_ns * len(words)
                key = f"{track}-{start_ns // 10**6:08d}"
                keys.append(key)
                lines.append(
                    LineRow(
                        id=f"{entry['name']}-{key}",
                        session=entry["name"],
                        track=track,
                        start_ns=start_ns,
                        end_ns=end_ns,
                        azimuth_deg=conversation["talkers"][speaker],
                        elevation_deg=None,
                        speaker=speaker,
                        text=text,
                        words=tuple(WordRow(word, start_ns + n * step_ns, start_ns + (n + 1) * step_ns) for n, word in enumerate(words)),
                        confidence=0.9,
                        language="en",
                    )
                )
                time_s = end_ns / 10**9 + PAUSE_S
            sections[section] = tuple(keys)
    return Room(
        name=entry["name"],
        started_at=datetime.fromisoformat(entry["started_at"]),
        lines=tuple(sorted(lines, key=lambda line: (line.end_ns, line.id))),
        sections=sections,
        questions=tuple(entry["questions"]),
    )


def remember(room: Room, memory: LongTermMemory, encoder: TextEncoder) -> None:
    """Store a room in a memory that has been started: its sections are its events."""
    memory.begin_session(SessionRow(room.name, f"{room.name}.jsonl", room.started_at, 0, "circle", False))
    memory.add_rows(room.name, room.lines, encoder.encode([line.text for line in room.lines]), room.end_ns)
    by_key = {line.id.removeprefix(f"{room.name}-"): line for line in room.lines}
    for section, keys in room.sections.items():
        lines = [by_key[key] for key in keys]
        start_ns, end_ns = min(line.start_ns for line in lines), max(line.end_ns for line in lines)
        memory.add_event(
            room.name,
            Event(
                pts_ns=start_ns,
                duration_ns=end_ns - start_ns,
                name=section,
                lines=keys,
                tracks=tuple(sorted({line.track for line in lines})),
                reason="the topic changed",
                surprise=1.0,
                summary=lines[0].text,
                embedding=encoder.encode([lines[0].text])[0],
            ),
        )
    memory.finish_session(room.name, room.end_ns)


def asked_rooms(encoder: TextEncoder, reader: Reader | None = None) -> dict[str, Asker]:
    """Every room in a memory of its own, by name, ready to be asked; whoever asks stops the memories."""
    made = {}
    for room in [*load_rooms("rooms.yaml"), *load_rooms("held_out.yaml")]:
        memory = LongTermMemory(encoder)
        memory.start()
        remember(room, memory, encoder)
        recall = HybridRecall(memory, encoder, Extractive(encoder), reader=reader)
        made[room.name] = Asker(room, memory, recall, room.started_at + timedelta(seconds=200))
    return made
