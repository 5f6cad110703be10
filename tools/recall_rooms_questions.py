"""Questions to a generated room, with their truths."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from stages.recall.terms import content_terms, stems
from tools.recall_rooms import NAMES, Room, Said, Told
from tools.recall_rooms_topics import Topic

OVERLAP_S = 6.0
"""A topic that overlaps what was followed, or the asked time, for so long has to be told."""
LATER_S = 5.0
_MOST_FACTS = 4


@dataclass(frozen=True)
class Truth:
    """What a right answer holds.

    `lines` are keys of lines of which one must be cited; in `topics`, of each group one. `related` may be cited beside them (for
    topics: everything that belongs to the asked), `beside` is of the asked topic but does not answer. What is in none of them is
    something else. `value` must be said, `taken_back` not without it. `number` is a count; `first` and `second` are words in
    their order; `speakers` are all who have to be named.
    """

    lines: tuple[str, ...] = ()
    topics: tuple[tuple[str, ...], ...] = ()
    related: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    value: str | None = None
    taken_back: str | None = None
    number: int | None = None
    order: tuple[str, str] | None = None
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A question, asked after the `before` ones. `truth` is None where nothing in the room answers it."""

    kind: str
    text: str
    truth: Truth | None
    before: tuple[str, ...] = ()


def asked_of(room: Room) -> list[Asked]:
    """All questions to a room, drawn from its seed: what can be answered first, then what cannot."""
    rng = random.Random(room.seed + 1_000_003)
    return [
        *_missed(room, rng),
        *_overviews(room, rng),
        *_facts(room, rng),
        *_talk(room, rng),
        *_counts_and_order(room, rng),
        *_unanswerable(room, rng),
    ]


def now_of(room: Room) -> datetime:
    """When the questions are asked: right after the room fell silent."""
    return room.started_at + timedelta(seconds=room.end_s + 1.0)


# -- overviews


def _missed(room: Room, rng: random.Random) -> Iterator[Asked]:
    everyone = [topic for part in room.topics for topic in part]
    topic = rng.choice([topic for topic in everyone if _missed_truth(room, room.of_topic(topic.name)).topics])
    about = topic.about[0] if rng.random() < 0.6 else topic.about[1]
    frame = rng.choice(
        (
            "What did I miss while I was following the conversation about {}?",
            "While I was listening to the talk about {}, what did the others discuss?",
            "I was busy with the people talking about {}. What did I miss?",
        )
    )
    yield Asked("missed, topic", frame.format(about), _missed_truth(room, room.of_topic(topic.name)))
    speaker = rng.choice(list(room.talkers))
    own = next(number for number, members in enumerate(room.conversations) if speaker in members)
    lines = [line for line in room.said if line.conversation == own]
    yield Asked("missed, speaker", f"What did I miss while I was listening to {speaker}?", _missed_truth(room, lines))
    speaker = rng.choice(list(room.talkers))
    own = next(number for number, members in enumerate(room.conversations) if speaker in members)
    lines = [line for line in room.said if line.conversation == own]
    text = f"What did I miss while I was listening to the people at {round(room.talkers[speaker]) % 360} degrees?"
    yield Asked("missed, bearing", text, _missed_truth(room, lines))


def _missed_truth(room: Room, followed: Sequence[Said]) -> Truth:
    start_s, end_s = room.span(followed)
    own = followed[0].conversation
    groups, related = [], []
    for number, part in enumerate(room.topics):
        for topic in part if number != own else ():
            lines = room.of_topic(topic.name)
            first_s, last_s = room.span(lines)
            overlap_s = min(end_s, last_s) - max(start_s, first_s)
            if overlap_s >= OVERLAP_S:
                groups.append(tuple(line.key for line in lines))
            if overlap_s > -LATER_S:
                related += [line.key for line in lines]
    return Truth(topics=tuple(groups), related=tuple(related))


def _overviews(room: Room, rng: random.Random) -> Iterator[Asked]:
    groups = tuple(tuple(line.key for line in room.of_topic(topic.name)) for part in room.topics for topic in part)
    text = rng.choice(("Catch me up.", "What has been going on here?", "Give me a summary of what was said."))
    yield Asked("catch up", text, Truth(topics=groups, related=tuple(line.key for line in room.said)))
    length_s = rng.choice((20, 25, 30))
    start_s = rng.uniform(2.0, max(3.0, room.end_s - length_s - 2.0))
    start, end = (room.started_at + timedelta(seconds=round(at)) for at in (start_s, start_s + length_s))
    if rng.random() < 0.5:
        text = f"What was said between {start:%H:%M:%S} and {end:%H:%M:%S}?"
        yield Asked("time window", text, _window_truth(room, round(start_s), round(start_s + length_s)))
    else:
        text = rng.choice((f"What did I miss in the last {length_s} seconds?", f"What happened in the last {length_s} seconds?"))
        yield Asked("time window", text, _window_truth(room, room.end_s + 1.0 - length_s, room.end_s + 1.0))


def _window_truth(room: Room, start_s: float, end_s: float) -> Truth:
    inside = [line for line in room.said if line.start_s < end_s and line.end_s > start_s]
    groups = []
    for part in room.topics:
        for topic in part:
            lines = [line for line in inside if line.topic == topic.name]
            if sum(min(line.end_s, end_s) - max(line.start_s, start_s) for line in lines) >= OVERLAP_S:
                groups.append(tuple(line.key for line in lines))
    return Truth(topics=tuple(groups), related=tuple(line.key for line in inside))


# -- facts


def _facts(room: Room, rng: random.Random) -> Iterator[Asked]:
    told = rng.sample(room.told, min(_MOST_FACTS, len(room.told)))
    for place, fact in enumerate(told):
        way = place % 2
        kind = "fact corrected" if fact.taken_back else ("fact", "fact, other words")[way]
        yield Asked(kind, fact.fact.ask[way], _fact_truth(room, fact))
    fact = rng.choice(room.told)
    line = fact.true_lines(room)[0]
    talk = [other for other in room.said if other.conversation == line.conversation and other.start_s >= line.start_s]
    after = [other.key for other in talk if other != line][:3]
    if after:
        text = rng.choice(("What did they say after that?", "And what was said next?"))
        truth = Truth(lines=tuple(after), related=tuple(after), beside=tuple(other.key for other in talk))
        yield Asked("follow-up", text, truth, (fact.fact.ask[0],))
    fact = rng.choice(room.told)
    lines = fact.lines(room, "fact", "fix")
    text = f"When did {lines[0].speaker} say {fact.fact.that}?"
    truth = _fact_truth(room, fact)
    both = tuple(line.key for line in lines)
    yield Asked("when said", text, Truth(lines=both, related=(*both, *truth.related), beside=truth.beside))


def _fact_truth(room: Room, told: Told) -> Truth:
    lines = tuple(line.key for line in told.true_lines(room))
    related = tuple(line.key for line in told.lines(room, "lead", "reply", "fact", "fix"))
    beside = tuple(line.key for line in room.of_topic(told.topic.name) if line.fact is None)
    return Truth(lines=lines, related=related, beside=beside, value=told.value, taken_back=told.taken_back)


# -- who talked about what


def _talk(room: Room, rng: random.Random) -> Iterator[Asked]:
    everyone = [topic for part in room.topics for topic in part]
    topic = rng.choice(everyone)
    way = rng.randrange(2)
    lines = room.of_topic(topic.name)
    keys = tuple(line.key for line in lines)
    text = f"Who talked about {topic.about[way]}, and where in the room?"
    speakers = tuple(dict.fromkeys(line.speaker for line in lines))
    yield Asked(("who and where", "who and where, other words")[way], text, Truth(topics=(keys,), related=keys, speakers=speakers))
    fact = rng.choice(room.told)
    line = fact.true_lines(room)[0]
    own = tuple(other.key for other in room.of_topic(fact.topic.name) if other.speaker == line.speaker)
    telling = ("open", "fact", "fix")
    told = tuple(other.key for other in room.of_topic(fact.topic.name) if other.speaker == line.speaker and other.role in telling)
    text = f"What did {line.speaker} say about {fact.topic.about[0]}?"
    yield Asked("speaker on topic", text, Truth(lines=told, related=own))
    topic = rng.choice(everyone)
    lines = room.of_topic(topic.name)
    named = tuple(line.key for line in lines if _has(line.text, topic.thing))
    keys = tuple(line.key for line in lines)
    if named and rng.random() < 0.5:
        truth = Truth(lines=named, related=named, beside=keys)
        yield Asked("mentioned", f"Did anybody mention {_with_article(topic.thing)}?", truth)
    else:
        yield Asked("mentioned", f"Did anyone talk about {topic.about[rng.randrange(2)]}?", Truth(lines=keys, related=keys))


def _counts_and_order(room: Room, rng: random.Random) -> Iterator[Asked]:
    words = sorted({word for topic in _topics_of(room) for word in _own_words(room, topic)})
    if words:
        most = max(len(_with_word(room, word)) for word in words)
        word = rng.choice([word for word in words if len(_with_word(room, word)) >= min(2, most)])
        lines = tuple(line.key for line in _with_word(room, word))
        topic = _with_word(room, word)[0].topic
        text = rng.choice((f"How often was the word {word} said?", f"How many times did somebody mention the {word}?"))
        beside = tuple(line.key for line in room.of_topic(topic))
        yield Asked("how often", text, Truth(lines=lines, related=lines, beside=beside, number=len(lines)))
    first = {topic.thing: _with_word(room, topic.thing) for topic in _topics_of(room) if _with_word(room, topic.thing)}
    things = sorted(first, key=lambda word: first[word][0].start_s)
    pairs = [(one, other) for one, other in pairwise(things) if first[other][0].start_s - first[one][0].end_s > LATER_S]
    if pairs:
        one, other = rng.choice(pairs)
        asked = [one, other]
        rng.shuffle(asked)
        text = f"What came first, {_with_article(asked[0])} or {_with_article(asked[1])}?"
        related = tuple(line.key for word in (one, other) for line in first[word])
        yield Asked("order", text, Truth(lines=(first[one][0].key,), related=related, order=(one, other)))


def _topics_of(room: Room) -> list[Topic]:
    return [topic for part in room.topics for topic in part]


def _own_words(room: Room, topic: Topic) -> list[str]:
    """Words of its name that are said in this room, and only in this topic."""
    words = [word for word in re.findall(r"[a-z]{4,}", topic.about[0]) if word not in {"that", "with", "from", "before", "books"}]
    return [word for word in (*words, topic.thing) if (lines := _with_word(room, word)) and {line.topic for line in lines} == {topic.name}]


def _with_word(room: Room, word: str) -> list[Said]:
    return sorted((line for line in room.said if _has(line.text, word)), key=lambda line: line.start_s)


def _has(text: str, word: str) -> bool:
    return re.search(rf"\b{word.removesuffix('s')}s?\b", text, re.I) is not None


def _with_article(word: str) -> str:
    return f"the {word}"


# -- what nothing answers


def _not_named(drawn: Topic, away: Sequence[Topic], room: Room) -> Topic:
    """The drawn topic, or another one where somebody named it in passing: who spoke of "the storm" that broke the roof did mention it."""

    def is_named(topic: Topic) -> bool:
        return any(set(content_terms(topic.about[0])) <= stems(line.text) for line in room.said)

    # Drawn apart, so that all other questions stay what they are.
    return drawn if not is_named(drawn) else random.Random(room.seed).choice([topic for topic in away if not is_named(topic)])


def _unanswerable(room: Room, rng: random.Random) -> Iterator[Asked]:
    here = _topics_of(room)
    senses = {topic.sense for topic in here if topic.sense}
    away = [topic for topic in room.known if topic not in here and topic.sense not in senses]
    topic = _not_named(rng.choice(away), away, room)
    text = rng.choice(("What did they say about {}?", "Who talked about {}, and where?", "Did anybody mention {}?")).format(topic.about[0])
    yield Asked("no such topic", text, None)
    topic = rng.choice([other for other in away if other.like in {own.like for own in here}] or away)
    yield Asked("fact of no such topic", rng.choice(topic.facts).ask[rng.randrange(2)], None)
    topic = rng.choice(here)
    told = {fact.place for fact in room.told if fact.topic == topic}
    untold = [fact for place, fact in enumerate(topic.facts) if place not in told]
    yield Asked("fact never told", rng.choice(untold).ask[rng.randrange(2)], None)
    topic = rng.choice(here)
    stranger = rng.choice([name for name in NAMES if name not in room.talkers]) if room.named else "speaker-17"
    yield Asked("no such person", f"What did {stranger} say about {topic.about[0]}?", None)
    begun = room.started_at - timedelta(hours=rng.randrange(2, 6))
    yield Asked("no such time", f"What was said between {begun:%H:%M} and {begun + timedelta(minutes=20):%H:%M}?", None)
    fact = rng.choice(room.told)
    own = fact.true_lines(room)[0].conversation
    others = [name for number, members in enumerate(room.conversations) for name in members if number != own]
    yield Asked("another person", f"What did {rng.choice(others)} say about {fact.topic.about[0]}?", None)
