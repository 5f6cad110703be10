"""What the asker followed, when, and how that is known: declared, said in the question, or told from their own voice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stages.answer.wording import Wording
from stages.memory.attention.attention_row import Attention
from stages.memory.attention.attention_timeline import AttendedSpan, timeline
from stages.memory.rows import LineRow, SessionRow
from stages.memory.tables.row_writer import utc_ns
from stages.recall import attention_words
from stages.recall.absences import is_reason, meant, says_attention
from stages.recall.answers import Stretch
from stages.recall.gaps import Span
from stages.recall.missed import attended_by_constraint, follows, missed
from stages.recall.own_voice import followed_by_voice, is_mine
from stages.recall.question import Attended, Question
from stages.recall.salience import Vocabulary
from stages.recall.stretches import stretches_of, within, without_copies
from stages.recall.terms import content_terms, holds

HeardIn = Callable[[str, tuple[int, int]], list[LineRow]]
Stretches = Callable[[Iterable[LineRow]], list[Stretch]]
About = Callable[[Sequence[Stretch], str, tuple[str, ...]], list[Stretch]]


@dataclass(frozen=True)
class Heeded:
    """What was attended and missed, the most important first, and in words how that is known.

    `spans` are the times that it is about. `refused` says why nothing can be told.
    """

    attended: tuple[Stretch, ...]
    missed: tuple[Stretch, ...]
    notes: tuple[str, ...]
    spans: tuple[Span, ...]
    refused: str | None = None


@dataclass(frozen=True)
class _Part:
    """Time of a session in which one thing was followed, or nothing: its lines, and what of them was followed."""

    spans: tuple[Span, ...]
    says: str
    source: str
    lines: tuple[LineRow, ...]
    followed: tuple[Stretch, ...] = ()
    follows: bool = True


class Heeding:
    """Finds what was missed by what is known of the asker's attention.

    `declared` are the declarations as of the moment of the question; `heard_in` gives the lines that reach into a stretch of session time,
    `stretches` groups lines by what they are about, `about` gives those stretches that are about a topic (its words and their stems),
    `same_as` the event that an event is a copy of.
    """

    def __init__(
        self,
        declared: Sequence[Attention],
        sessions: Mapping[str, SessionRow],
        heard_in: HeardIn,
        stretches: Stretches,
        about: About,
        same_as: Callable[[str], str | None],
    ) -> None:
        self._declared = declared
        self._sessions = sessions
        self._wording = Wording(sessions)
        self._heard_in = heard_in
        self._stretches = stretches
        self._about = about
        self._same_as = same_as

    def absent(self, question: Question, spans: Mapping[str, tuple[int, int]], *, in_all: bool) -> Heeded | None:
        """What was missed in the declared absences that a question means; None where it means none, or there are none.

        Those whose reason is like the question's words, else any. Without an asked time (`in_all` False): those of the latest session that
        has such. A question that follows something ("at the dentist") may mean an absence of that reason too.
        """
        fitting, notes = self._absences(question, spans)
        chosen = [name for name, away in fitting.items() if away]
        if not chosen:
            return None
        chosen = chosen if in_all else chosen[-1:]
        parts = [part for name in chosen for part in self._parts(name, fitting[name])]
        return self._heeded(parts, notes=(*notes, self._declared_note(fitting, chosen)))

    def is_absence(self, question: Question, spans: Mapping[str, tuple[int, int]]) -> bool:
        """Whether a question means any declared absence."""
        return any(self._absences(question, spans)[0].values())

    def _absences(
        self, question: Question, spans: Mapping[str, tuple[int, int]]
    ) -> tuple[Mapping[str, Sequence[AttendedSpan]], tuple[str, ...]]:
        """The absences that a question means, by session, and a note where their reasons are other ones."""
        attended = question.attended
        if question.absence is None and (attended is None or not attended.terms or says_attention(question.text)):
            return {}, ()
        found: dict[str, list[AttendedSpan]] = {
            session: [span for span in self._timeline(session, own) if span.attention.kind == "away"] for session, own in spans.items()
        }
        if question.absence is None:
            terms = attended.terms if attended is not None else ()
            fitting = {name: [span for span in away if is_reason(terms, span.attention.words)] for name, away in found.items()}
        else:
            fitting = {name: meant(question.absence, away) for name, away in found.items()}
        if not any(fitting.values()) and question.absence is not None and any(found.values()):
            return found, (attention_words.other_absence(question.absence),)
        return fitting, ()

    def plain(self, spans: Mapping[str, tuple[int, int]]) -> Heeded | None:
        """What was missed in some session time by what was declared, else by the asker's own voice; None where neither tells anything."""
        parts: list[_Part] = []
        notes: list[str] = []
        declared: dict[str, list[AttendedSpan]] = {}
        voiced: list[Stretch] = []
        has_rest = False
        for session, own in spans.items():
            declared[session] = self._timeline(session, own)
            parts += self._parts(session, declared[session])
            for rest in _rest(own, [self._session_span(session, span) for span in declared[session]]):
                # Lines that only reach in belong to what was declared beside it.
                lines = [line for line in self._heard_in(session, rest) if rest[0] <= (line.start_ns + line.end_ns) // 2 < rest[1]]
                followed = followed_by_voice(stretches_of(lines)) if any(is_mine(line) for line in lines) else []
                if followed:
                    voiced += followed
                    span = (session, min(stretch.start_ns for stretch in followed), max(stretch.end_ns for stretch in followed))
                    parts.append(_Part((span,), attention_words.voice_says(followed), "inferred", tuple(lines), tuple(followed)))
                elif lines:
                    has_rest = True
        if not parts:
            return None
        if any(declared.values()):
            notes.append(self._declared_note(declared, list(declared)))
            notes += [attention_words.not_heard(part.says) for part in parts if part.follows and part.lines and not part.followed]
        if voiced:
            notes.append(attention_words.voice_note(voiced))
        if has_rest:
            notes.append(attention_words.REST_IS_UNKNOWN)
        return self._heeded(parts, tuple(notes))

    def asked(self, attended: Attended, followed: Sequence[Stretch], lost: Sequence[Stretch], *, is_sure: bool = True) -> Heeded:
        """What a question that says what was followed found, beside what was declared of that time: the question's own words count.

        With `is_sure` False the notes say that what was found may be something else than was followed.
        """
        declared: dict[str, list[AttendedSpan]] = {}
        for session in dict.fromkeys(stretch.session for stretch in followed):
            own = [stretch for stretch in followed if stretch.session == session]
            times = (min(stretch.start_ns for stretch in own), max(stretch.end_ns for stretch in own))
            declared[session] = [span for span in self._timeline(session, times) if self._touches(session, span, own)]
        told = self._told(declared, list(declared))
        agrees = all(self._agrees(attention, attended, followed) for attention, _ in told)
        note = attention_words.question_note(attended.phrase, told, self._wording, agrees=agrees)
        says = f'you followed "{attended.phrase}"'
        return Heeded(
            tuple(replace(stretch, source="question", says=says) for stretch in followed),
            tuple(without_copies(lost, self._same_as)),
            (note,) if is_sure else (note, attention_words.not_certain(attended.phrase)),
            tuple((stretch.session, stretch.start_ns, stretch.end_ns) for stretch in followed),
        )

    # -- declared time

    def _timeline(self, session: str, span: tuple[int, int]) -> list[AttendedSpan]:
        origin = utc_ns(self._sessions[session].started_at)
        return timeline(self._declared, session, origin + span[0], origin + span[1])

    def _session_span(self, session: str, span: AttendedSpan) -> tuple[int, int]:
        origin = utc_ns(self._sessions[session].started_at)
        return span.start_at_ns - origin, span.end_at_ns - origin

    def _parts(self, session: str, spans: Iterable[AttendedSpan]) -> list[_Part]:
        """A part for each declaration, with all of the time in which it counts."""
        times: dict[Attention, list[tuple[int, int]]] = {}
        for span in spans:
            times.setdefault(span.attention, []).append(self._session_span(session, span))
        parts = []
        for attention, own in times.items():
            lines = tuple({line.id: line for time in own for line in self._heard_in(session, time)}.values())
            inside = tuple((session, *time) for time in own)
            followed = tuple(self._followed(attention, lines))
            parts.append(_Part(inside, attention.told, "declared", lines, followed, attention.follows))
        return parts

    def _followed(self, attention: Attention, lines: Sequence[LineRow]) -> list[Stretch]:
        """Which stretches of some lines a declaration means."""
        if not attention.follows:
            return []
        if attention.kind == "topic":
            return self._about(self._stretches(lines), attention.words, content_terms(attention.words))
        return attended_by_constraint(lines, _as_attended(attention))

    def _told(self, declared: Mapping[str, Sequence[AttendedSpan]], sessions: Iterable[str]) -> list[tuple[Attention, Span]]:
        return [
            (span.attention, (session, *self._session_span(session, span))) for session in sessions for span in declared.get(session, ())
        ]

    def _declared_note(self, declared: Mapping[str, Sequence[AttendedSpan]], sessions: Iterable[str]) -> str:
        return attention_words.declared_note(self._told(declared, sessions), self._wording)

    def _touches(self, session: str, span: AttendedSpan, stretches: Iterable[Stretch]) -> bool:
        start_ns, end_ns = self._session_span(session, span)
        return any(stretch.start_ns < end_ns and stretch.end_ns > start_ns for stretch in stretches)

    def _agrees(self, attention: Attention, attended: Attended, followed: Sequence[Stretch]) -> bool:
        """Whether a declaration means what a question says was followed."""
        if not attention.follows:
            return False
        if attention.kind == "topic":
            terms = content_terms(attention.words)
            return any(holds(term, attended.terms) for term in terms) or bool(self._about(followed, attention.words, terms))
        return any(follows(_as_attended(attention), line) for stretch in followed for line in stretch.lines)

    # -- what was missed

    def _heeded(self, parts: Sequence[_Part], notes: tuple[str, ...]) -> Heeded:
        lines = {line.id: line for part in parts for line in part.lines}
        vocabulary = Vocabulary(lines.values())
        # Nobody misses their own words.
        others = self._stretches(line for line in lines.values() if not is_mine(line))
        places = {line.id: place for place, stretch in enumerate(others) for line in stretch.lines}
        attended: list[Stretch] = []
        lost: dict[int, Stretch] = {}
        for part in parts:
            is_told = part.source == "inferred"
            opening = attention_words.opening(part.says, () if is_told else part.followed, part.spans, self._wording)
            own = [
                replace(stretch, source=part.source, says=attention_words.voice_says([stretch]) if is_told else part.says, opening=opening)
                for stretch in part.followed
            ]
            attended += own or [_empty(part, span, opening) for span in part.spans]
            there = within(others, {line.id for line in part.lines})
            # What was declared holds for all of its time, a voice tells only of talks that it took part in.
            for stretch in missed(there, part.followed, vocabulary, None if is_told else part.spans):
                place = places[stretch.lines[0].id]
                new = replace(stretch, opening=opening)
                lost[place] = _joined(lost[place], new) if place in lost else new
        ranked = _grouped(without_copies(sorted(lost.values(), key=_by_importance), self._same_as))
        refused = None
        if not ranked and not any(stretch.lines for stretch in attended):
            part = parts[0]
            refused = attention_words.nothing_missed(part.says, part.spans, self._wording)
        return Heeded(tuple(attended), tuple(ranked), notes, tuple(span for part in parts for span in part.spans), refused)


def _as_attended(attention: Attention) -> Attended:
    return Attended(attention.told, speaker=attention.name, azimuth_deg=attention.azimuth_deg)


def _rest(span: tuple[int, int], taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What of a stretch of time lies outside of others, which are in order and do not overlap."""
    found, begin = [], span[0]
    for start, end in taken:
        if begin < start:
            found.append((begin, start))
        begin = end
    return [*found, (begin, span[1])] if begin < span[1] else found


def _empty(part: _Part, span: Span, opening: str) -> Stretch:
    """Time in which nothing was followed, or nothing of it was heard."""
    return Stretch(*span, None, part.says, (), source=part.source, says=part.says, opening=opening)


def _joined(one: Stretch, other: Stretch) -> Stretch:
    """Two parts of a stretch that was missed in two ways: told once, with the one in which more of it was said."""
    lines = {line.id: line for line in (*one.lines, *other.lines)}
    rows = tuple(sorted(lines.values(), key=lambda line: (line.start_ns, line.id)))
    more = max(one, other, key=lambda stretch: (sum(stretch.speech_ns.values()), -stretch.start_ns))
    importance = max(one.importance, other.importance)
    return replace(more, lines=rows, start_ns=rows[0].start_ns, end_ns=max(line.end_ns for line in rows), importance=importance)


def _by_importance(stretch: Stretch) -> tuple[float, str, int, str]:
    return -stretch.importance, stretch.session, stretch.start_ns, stretch.lines[0].id


def _grouped(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The most important first, and with it whatever else was missed in the same time."""
    order = {opening: place for place, opening in reversed(list(enumerate(stretch.opening for stretch in stretches)))}
    return sorted(stretches, key=lambda stretch: order[stretch.opening])
