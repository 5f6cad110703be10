"""Rooms made from a seed: two to four conversations at once, at known bearings, on known topics with known facts.

A topic is opened, some of its facts are told among other remarks, and of some facts the value is taken back later. Conversations
of one room like to be about similar things, or about the same word in another sense.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tools.recall_rooms_topics import Fact, Topic, topics

NAMES = (
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Henry", "Iris", "Jacob", "Karen", "Liam", "Mona", "Noah", "Olga", "Paul",
    "Ruth", "Simon", "Tina", "Victor",
)  # fmt: skip
WORDS_PER_S = 2.6
_PAUSE_S = (0.25, 0.6)
_APART_DEG = 26.0
_AWAY_DEG = 38.0
_P_LEAD = 0.65
_P_REPLY = 0.6
_P_FIX = 0.3
_P_SIMILAR = 0.45
_P_SENSE = 0.25


@dataclass(frozen=True)
class Said:
    """One line. `role` is open, fill, lead, fact, fix or reply; `fact` its place in the topic for the last four."""

    key: str
    conversation: int
    topic: str
    role: str
    fact: int | None
    speaker: str
    azimuth_deg: float
    text: str
    start_s: float = 0.0
    end_s: float = 0.0


@dataclass(frozen=True)
class Told:
    """A fact as it was told: its value, and the one that was taken back before (None where none was)."""

    topic: Topic
    fact: Fact
    place: int
    value: str
    taken_back: str | None

    def lines(self, room: Room, *roles: str) -> tuple[Said, ...]:
        """Its lines with these roles."""
        return tuple(line for line in room.said if line.topic == self.topic.name and line.fact == self.place and line.role in roles)

    def true_lines(self, room: Room) -> tuple[Said, ...]:
        """The lines that prove its value."""
        return self.lines(room, "fix" if self.taken_back else "fact")


@dataclass(frozen=True)
class Room:
    """One room. `talkers` are bearings by name; each conversation has its talkers and its topics, in their order.

    `known` are all topics that its own were drawn from.
    """

    seed: int
    named: bool
    started_at: datetime
    talkers: Mapping[str, float]
    conversations: tuple[tuple[str, ...], ...]
    topics: tuple[tuple[Topic, ...], ...]
    said: tuple[Said, ...]
    told: tuple[Told, ...]
    known: tuple[Topic, ...]

    @property
    def end_s(self) -> float:
        """When the last word was said."""
        return max(line.end_s for line in self.said)

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"room-{self.seed:06d}"

    def of_topic(self, name: str) -> tuple[Said, ...]:
        """The lines of a topic."""
        return tuple(line for line in self.said if line.topic == name)

    def span(self, lines: Sequence[Said]) -> tuple[float, float]:
        """From the first to the last of some lines, in seconds."""
        return min(line.start_s for line in lines), max(line.end_s for line in lines)


def made_room(seed: int, *, short: bool = False, known: Sequence[Topic] | None = None) -> Room:
    """The room of a seed. A short one has one topic for each conversation: 40 to 60 s of talk, at most eight talkers.

    `known` are the topics to draw from; those of tools/recall_scripts if None.
    """
    rng = random.Random(seed)
    known = tuple(topics() if known is None else known)
    n_conversations = rng.choice((2, 2, 3, 3, 3, 4))
    n_topics = [1] * n_conversations
    for _ in range(0 if short else 5 - n_conversations):
        n_topics[rng.randrange(n_conversations)] += 1
    n_people = [2 if short and n_conversations == 4 else rng.choice((2, 2, 3)) for _ in range(n_conversations)]
    while sum(n_people) > 8:
        n_people[n_people.index(max(n_people))] -= 1
    named = rng.random() < 0.6 and not short
    people = rng.sample(NAMES, sum(n_people)) if named else [f"speaker-{n + 1}" for n in range(sum(n_people))]
    talkers, conversations = _places(rng, people, n_people)
    chosen = _chosen(rng, n_topics, known)
    said: list[Said] = []
    told: list[Told] = []
    for number, (members, talked) in enumerate(zip(conversations, chosen, strict=True)):
        lines: list[Said] = []
        for topic in talked:
            new, facts = _talk(rng, topic, members, short=short)
            lines += [replace(line, conversation=number, azimuth_deg=talkers[line.speaker]) for line in new]
            told += facts
        said += _timed(rng, lines, number)
    started_at = datetime(2026, 3, 2, 8, 0, tzinfo=timezone(timedelta(hours=1))) + timedelta(minutes=rng.randrange(9 * 60))
    return Room(
        seed,
        named,
        started_at,
        talkers,
        conversations,
        chosen,
        tuple(sorted(said, key=lambda line: (line.end_s, line.key))),
        tuple(told),
        known,
    )


def written(room: Room, folder: Path) -> Path:
    """The room as a transcript that `echoic import` takes; the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{room.name}.jsonl"
    rows = [
        {"start_s": line.start_s, "end_s": line.end_s, "speaker": line.speaker, "azimuth_deg": line.azimuth_deg, "text": line.text}
        for line in room.said
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def retimed(room: Room, times: Mapping[str, tuple[float, float]]) -> Room:
    """The room with the starts and ends that its lines really had, by key, in seconds. Lines without times were not said."""
    said = [replace(line, start_s=times[line.key][0], end_s=times[line.key][1]) for line in room.said if line.key in times]
    return replace(room, said=tuple(sorted(said, key=lambda line: (line.end_s, line.key))))


def renamed(room: Room, names: Mapping[str, str]) -> Room:
    """The room with other names for its talkers."""
    return replace(
        room,
        talkers={names[name]: azimuth for name, azimuth in room.talkers.items()},
        conversations=tuple(tuple(names[name] for name in members) for members in room.conversations),
        said=tuple(replace(line, speaker=names[line.speaker]) for line in room.said),
    )


def _places(rng: random.Random, people: Sequence[str], n_people: Sequence[int]) -> tuple[dict[str, float], tuple[tuple[str, ...], ...]]:
    """Bearings: those who talk with each other side by side, conversations further apart."""
    n_gaps = len(n_people)
    spare = 360.0 - _APART_DEG * (sum(n_people) - n_gaps) - _AWAY_DEG * n_gaps
    azimuth = rng.uniform(0.0, 360.0)
    talkers: dict[str, float] = {}
    conversations = []
    first = 0
    for n in n_people:
        members = tuple(people[first : first + n])
        for name in members:
            talkers[name] = round(azimuth % 360.0, 1)
            azimuth += _APART_DEG + rng.uniform(0.0, 8.0) * (spare > 120.0)
        azimuth += _AWAY_DEG - _APART_DEG + rng.uniform(0.0, max(0.0, spare - 8.0 * sum(n_people)) / n_gaps)
        conversations.append(members)
        first += n
    return talkers, tuple(conversations)


def _chosen(rng: random.Random, n_topics: Sequence[int], everything: tuple[Topic, ...]) -> tuple[tuple[Topic, ...], ...]:
    """Topics for each conversation: often two that are alike, or that share a word, fall into different conversations."""
    first = rng.choice(everything)
    senses = [topic for topic in everything if topic.sense]
    second: Topic | None = None
    if rng.random() < _P_SENSE and senses:
        first = rng.choice(senses)
        second = next(topic for topic in senses if topic.sense == first.sense and topic != first)
    elif rng.random() < _P_SIMILAR:
        second = rng.choice([topic for topic in everything if topic.like == first.like and topic != first])
    taken = [first, *([second] if second else [])]
    used = {topic.sense for topic in taken if topic.sense}
    rest = [topic for topic in everything if topic not in taken and topic.sense not in used]
    rng.shuffle(rest)
    filled: list[list[Topic]] = [[] for _ in n_topics]
    for place, topic in enumerate(taken):
        filled[place].append(topic)
    for place, n in enumerate(n_topics):
        while len(filled[place]) < n:
            topic = rest.pop()
            if topic.sense and topic.sense in used:
                continue
            used.add(topic.sense or "")
            filled[place].append(topic)
        rng.shuffle(filled[place])
    return tuple(tuple(part) for part in filled)


def _talk(rng: random.Random, topic: Topic, members: Sequence[str], *, short: bool) -> tuple[list[Said], list[Told]]:
    """The lines of a topic: speakers never follow themselves but for a correction."""
    n_facts = 3 if short else rng.choice((2, 3, 3))
    places = rng.sample(range(len(topic.facts)), n_facts)
    fill = list(topic.fill)
    rng.shuffle(fill)
    speaker = rng.choice(list(members))
    lines: list[Said] = []
    told: list[Told] = []
    due: list[tuple[int, str, str]] = []

    def say(text: str, role: str, fact: int | None = None, by: str | None = None) -> str:
        nonlocal speaker
        speaker = by or rng.choice([name for name in members if not lines or name != speaker])
        lines.append(Said(f"{topic.name}-{len(lines)}", 0, topic.name, role, fact, speaker, 0.0, text))
        return speaker

    def correct() -> None:
        place, by, value = due.pop()
        say((topic.facts[place].fix or "").format(v=value), "fix", place, by)

    say(topic.open, "open")
    if rng.random() < 0.7:
        say(fill.pop(), "fill")
    for place in places:
        fact = topic.facts[place]
        value, other = rng.sample(fact.v, 2)
        corrected = fact.fix is not None and rng.random() < _P_FIX
        if fact.q and rng.random() < _P_LEAD:
            say(fact.q, "lead", place)
        by = say(fact.a.format(v=other if corrected else value), "fact", place)
        if rng.random() < _P_REPLY:
            say(fact.then, "reply", place)
        for _ in range(rng.choice((0, 1, 2))):
            if fill:
                say(fill.pop(), "fill")
        if due:
            correct()
        if corrected:
            due.append((place, by, value))
        told.append(Told(topic, fact, place, value, other if corrected else None))
    if due:
        if lines[-1].speaker == due[-1][1] and fill:
            say(fill.pop(), "fill")
        correct()
    if fill and rng.random() < 0.5:
        say(fill.pop(), "fill")
    return lines, told


def _timed(rng: random.Random, lines: Sequence[Said], number: int) -> list[Said]:
    """Lines one after the other, as fast as people talk."""
    time_s = 0.4 + number * rng.uniform(0.5, 1.5)
    timed = []
    for line in lines:
        end_s = time_s + len(line.text.split()) / WORDS_PER_S
        timed.append(replace(line, start_s=round(time_s, 2), end_s=round(end_s, 2)))
        time_s = end_s + rng.uniform(*_PAUSE_S)
    return timed
