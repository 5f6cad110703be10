"""What every way of answering looks up in the memory as of the question's moment: speakers, lines by time, lines alike, events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.packets import Float32Array
from stages.memory.attention.attention_row import Attention
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow
from stages.memory.tables.row_writer import utc_ns
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import Stretch
from stages.recall.gaps import Span, merged_spans
from stages.recall.material import Material
from stages.recall.missed import FollowedTopic, attended_by_topic
from stages.recall.question import Question
from stages.recall.reader import Reader
from stages.recall.salience import Vocabulary, best_lines
from stages.recall.scope import Scope
from stages.recall.search import Ranked, Searcher
from stages.recall.second_opinion import Opinion
from stages.recall.stretches import stretches_of, topic_stretches
from stages.recall.talks import PAUSE_NS, talks
from stages.recall.untranscribed import INSTEAD_OF_WORDS, is_untranscribed

_MOST_CANDIDATES = 8
_MOST_LINES = 4000
_SUMMARY_LINES = 2


@dataclass(frozen=True)
class Outcome:
    """What came of a question before it is worded: material, or why there is none."""

    material: Material
    retrieved: tuple[str, ...] = ()
    refused: str | None = None
    spans: tuple[Span, ...] = ()
    notes: tuple[str, ...] = ()


class Lookup:
    """One memory as of one moment, for one question; what few questions need is read once and only then."""

    def __init__(
        self,
        memory: LongTermMemory,
        encoder: TextEncoder | None,
        at: datetime | None,
        reader: Reader | None = None,
        opinion: Opinion | None = None,
    ) -> None:
        self.memory = memory
        self.at = at
        self.at_ns = None if at is None else utc_ns(at)
        self.searcher = Searcher(memory, encoder, at)
        self.has_encoder = encoder is not None
        self.reader = reader
        self.opinion = opinion
        self._names: list[str] | None = None
        self._vectors: dict[str, Float32Array] = {}
        self._attentions: list[Attention] | None = None

    def speakers(self) -> list[str]:
        """Everybody who was heard, by name. Few questions name somebody, so it is looked up only then."""
        if self._names is None:
            self._names = self.memory.speakers.names(self.at_ns)
        return self._names

    def declared(self) -> list[Attention]:
        """What had been declared as of the question's moment. Few questions need it, so it is read only then."""
        if self._attentions is None:
            self._attentions = self.memory.attention.rows(at=self.at)
        return self._attentions

    def nearest(self, question: Question, scope: Scope) -> tuple[str, ...]:
        """What is most like a question that is refused, in whichever way it can be searched."""
        topic = question.topic or question.text
        if not scope.spans or len(topic) > 2000:
            return ()
        return tuple(line.id for line in self.searcher.search(topic, question.gist or topic, scope).lines)

    def around(self, ranked: Ranked, scope: Scope) -> list[LineRow]:
        """Every line that was heard during the events of the best lines, on all tracks."""
        events: dict[str, tuple[str, int, int]] = {}
        loose: list[tuple[str, int, int]] = []
        for line in ranked.lines[: 3 * _MOST_CANDIDATES]:
            if line.event is None:
                loose.append((line.session, line.start_ns, line.end_ns))
            elif line.event not in events and len(events) < _MOST_CANDIDATES:
                row = self.memory.event(line.event, at=self.at)
                events[line.event] = (row.session, row.start_ns, row.end_ns)
        rows: dict[str, LineRow] = {}
        for session, start_ns, end_ns in merged_spans([*events.values(), *loose[:_MOST_CANDIDATES]]):
            if session in scope.spans:
                first, last = scope.spans[session]
                rows.update((line.id, line) for line in self.heard_in(session, (max(start_ns, first), min(end_ns, last))))
        # An event that began before or goes on after is taken whole.
        return list(rows.values())

    def heard_in(self, session: str, span: tuple[int, int]) -> list[LineRow]:
        """The first 4000 lines in a span of a session (ns) by start, without the times of the words; clips are cut from lines read anew."""
        return self.memory.lines(session, start_ns=span[0], end_ns=span[1], at=self.at, words=False, most=_MOST_LINES)

    def talk_around(
        self, lines: Sequence[LineRow], before_ns: int, after_ns: int, pause_ns: int = PAUSE_NS
    ) -> dict[str, tuple[LineRow, ...]]:
        """What was said in the conversation of each line, by id, from so long before it to so long after it, by start.

        A conversation goes on after a silence of up to `pause_ns`.
        """
        spans = merged_spans((line.session, line.start_ns - before_ns, line.end_ns + after_ns) for line in lines)
        found = talks(self.memory.spans.lines(spans, self.at_ns), pause_ns)
        of_line = {line.id: tuple(talk) for talk in found for line in talk}
        return {line.id: of_line[line.id] for line in lines if line.id in of_line}

    def stretches(self, lines: Iterable[LineRow]) -> list[Stretch]:
        """Lines grouped by what they are about; by event where there is no encoder."""
        rows = list(lines)
        return topic_stretches(rows, self.vectors_of(rows)) if self.has_encoder else stretches_of(rows)

    def vectors_of(self, lines: Iterable[LineRow]) -> Mapping[str, Float32Array]:
        """The vectors of lines by id, each read once; none without an encoder."""
        new = [line.id for line in lines if line.id not in self._vectors] if self.has_encoder else []
        if new:
            self._vectors.update(zip(new, self.memory.vectors(new), strict=True))
        return self._vectors

    def topic(self, topic: str, terms: tuple[str, ...]) -> FollowedTopic:
        """A topic in words as `missed.attended_by_topic` measures by it."""
        return FollowedTopic(self.searcher.encode([topic, f"a conversation about {topic}"]), terms)

    def about(self, stretches: Sequence[Stretch], topic: str, terms: tuple[str, ...]) -> list[Stretch]:
        """Those of the stretches that are about a topic."""
        told = _with_words(stretches)
        return attended_by_topic(told, self.topic(topic, terms), self.vectors_of(line for stretch in told for line in stretch.lines))

    def summarised(self, stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
        """The same stretches with the summaries of their events; where they are others than events, with their two most telling lines."""
        return tuple(replace(stretch, summary=self._summary(stretch)) for stretch in stretches)

    def _summary(self, stretch: Stretch) -> str:
        if stretch.lines and all(is_untranscribed(line) for line in stretch.lines):
            return INSTEAD_OF_WORDS
        event = self.memory.event(stretch.event, at=self.at) if stretch.event is not None else None
        if event is not None and event.summary and (event.start_ns, event.end_ns) == (stretch.start_ns, stretch.end_ns):
            return event.summary
        telling = best_lines(stretch.lines, Vocabulary(stretch.lines), _SUMMARY_LINES)
        return " … ".join(line.text for line in sorted(telling, key=lambda line: (line.start_ns, line.id))) or stretch.summary


def _with_words(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The stretches that can be about something."""
    return [stretch for stretch in stretches if not all(is_untranscribed(line) for line in stretch.lines)]
