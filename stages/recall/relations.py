"""Questions that rest on something else that was said: what was cited just now, or what came before and after a topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.packets import nanoseconds
from stages.answer.settled import decides_before, vote_called
from stages.memory.forgetting.question_contexts import LASTS_MINUTES
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow
from stages.recall.context_scope import LinesIn, around, beside, last_cited, more_of, nearest_lines, replies_to, until
from stages.recall.follow_up import no_context
from stages.recall.gaps import Span
from stages.recall.material import Found
from stages.recall.misheard import misheard
from stages.recall.order_asked import names_what_was_said
from stages.recall.question import Question
from stages.recall.scope import Scope
from stages.recall.terms import content_words, coverage, singular, stem, stems, tokens
from stages.recall.time_phrase import Window

_CITED = 0.9
_NEAR_BEST = 0.9
_AT_ONCE_NS = nanoseconds(30.0)

Search = Callable[[Question, Scope], tuple[list[Found], Sequence[LineRow]]]
"""The lines that support an answer to a question, best first, and all that were looked at."""


@dataclass(frozen=True)
class Related:
    """What such a question comes to: lines, or the scope in which the rest of it is to be answered, or why there is neither."""

    found: tuple[Found, ...] = ()
    scope: Scope | None = None
    retrieved: tuple[str, ...] = ()
    refused: str | None = None
    spans: tuple[Span, ...] = ()


class Relations:
    """Resolves them against one memory as of one moment. `now_ns` (UTC) is when the question is asked."""

    def __init__(self, memory: LongTermMemory, at: datetime | None, now_ns: int, lines_in: LinesIn, search: Search) -> None:
        self._memory = memory
        self._at = at
        self._now_ns = now_ns
        self._lines_in = lines_in
        self._search = search

    def cited(self, question: Question, scope: Scope) -> Related:
        """The lines that the last answer cited, or the time before or after them."""
        cited = self._last_cited(scope)
        if not cited or question.follow_up is None:
            alone = question.follow_up is not None and question.follow_up.alone
            return Related(scope=scope) if alone else Related(refused=f"{no_context(LASTS_MINUTES)}.")
        ids = tuple(line.id for line in cited)
        if question.follow_up.kind in {"that", "play"}:
            return _shown(cited, ids)
        if question.follow_up.kind == "else":
            scope = replace(scope, without=self._told())
            if question.terms:
                return Related(scope=scope, retrieved=ids)
        if question.follow_up.kind in {"else", "reply"}:
            is_reply = question.follow_up.kind == "reply"
            if question.follow_up.aspect == "who":
                return self._others(scope, cited, ids)
            lines = replies_to(scope, cited[0], self._lines_in) if is_reply else more_of(scope, cited[0], self._lines_in)
            if not lines and question.follow_up.alone:
                return Related(scope=scope)
            nothing = "Nobody was heard answering that." if is_reply else f"{question.speaker or 'Nobody'} was heard saying no more there."
            return _shown(lines, ids) if lines else Related(retrieved=ids, refused=nothing)
        before = question.follow_up.kind == "before"
        # The answer's first claim is what "that" means; what proves the others may lie far from it.
        first = cited[: self._memory.contexts.recent(self._now_ns)[-1].n_first]
        near = beside(scope, first, before=before, open_ended=bool(question.terms), lines_in=self._lines_in)
        if near is None:
            return Related(retrieved=ids, refused=f"Nothing that fits the question was heard {question.follow_up.kind} that.")
        if not question.terms:
            return _shown(nearest_lines(near, before=before, lines_in=self._lines_in), ())
        return Related(scope=near, retrieved=ids)

    def rest_of(self, question: Question, scope: Scope) -> Related | None:
        """The rest of the conversation that the last answer cited, where that was about what is asked; None where it was not."""
        cited = self._last_cited(scope)
        if not cited or coverage(question.terms, frozenset().union(*(stems(line.text) for line in cited))) < 1.0:
            return None
        lines = more_of(replace(scope, without=self._told()), cited[0], self._lines_in)
        return _shown(lines, tuple(line.id for line in cited)) if lines else None

    def near(self, scope: Scope) -> Scope | None:
        """The conversation that the last answer cited; None where nothing was answered lately."""
        cited = self._last_cited(scope)
        return around(scope, cited[0], self._lines_in) if cited else None

    def ordered(self, question: Question, scope: Scope) -> Related:
        """When each of the topics came up, or the time beside the only one."""
        is_around = question.order is not None and question.order.relation in {"around_before", "around_after", "between"}
        talker = question.order.talker if question.order is not None else None
        who_said = replace(scope, speaker=talker, azimuth_deg=None, talkers=frozenset())
        found: list[Found] = []
        looked_at: list[str] = []
        missing: list[str] = []
        is_planned, is_event = False, is_around and question.settles and not names_what_was_said(question.text)
        for topic in question.order.topics if question.order is not None else ():
            words = content_words(topic)
            gist = " ".join(words)
            terms = tuple(dict.fromkeys(stem(word) for word in words))
            asked = replace(
                question, intent="when", topic=f"a conversation about {gist}", gist=gist, terms=terms, about_speech=True, aspects=()
            )
            if is_around:
                # Whoever is asked about need not be the one who named it.
                asked = replace(asked, speaker=talker, talkers=(), azimuth_deg=None)
            supported, lines = self._search(asked, who_said if is_around else scope)
            looked_at += [line.id for line in lines]
            if not supported and not is_around:
                supported = misheard(self._memory, words, lines, self._at)
            if supported:
                best = max(entry.support for entry in supported)
                likely = [one for one in supported if one.support >= _NEAR_BEST * best]
                # It came up when the very words fell: "watering" may be a misheard waiter, but not where somebody said "waiter".
                said = [one for one in supported if {singular(word) for word in words} <= set(map(singular, tokens(one.line.text)))]
                came_up = min(said or likely, key=lambda one: self._moment(one, scope))
                if is_event and decides_before(came_up.line.text, terms):
                    # "We agreed to hold the vote at six": the vote itself comes later.
                    called = self._called(came_up, terms)
                    is_planned, came_up = called is None, came_up if called is None else replace(came_up, line=called)
                found.append(came_up)
            else:
                missing.append(topic)
        ids = tuple(dict.fromkeys([*(entry.line.id for entry in found), *looked_at]))
        if missing or question.order is None:
            there = "" if not found else f" {_quoted(_other(question, missing))} was."
            return Related(retrieved=ids, refused=f"{' and '.join(_quoted(topic) for topic in missing)} was not heard of.{there}")
        if question.order.relation == "between":
            return self._between(scope, found, ids, question.order.topics)
        if len(found) == 1:
            before = question.order.relation == "around_before"
            asks = question.order.asks
            if before and is_planned:
                return Related(scope=until(scope, found[0].line), retrieved=ids)
            near = beside(scope, [found[0].line], before=before, open_ended=bool(asks), lines_in=self._lines_in)
            if near is None:
                who = f"{question.speaker} was not heard" if question.speaker is not None else "Nothing was heard"
                which = "before" if before else "after"
                return Related(retrieved=ids, refused=f"{who} {which} {_quoted(question.order.topics[0])} came up.")
            if question.order.talker is not None and not asks:
                # Who names a line means what came right after it, not what mattered most in the minutes after.
                return _shown(_at_once(nearest_lines(near, before=before, lines_in=self._lines_in), before=before), ids)
            return Related(scope=near, retrieved=ids)
        return Related(tuple(found), None, ids, spans=tuple((one.line.session, one.line.start_ns, one.line.end_ns) for one in found))

    def _called(self, planned: Found, terms: Sequence[str]) -> LineRow | None:
        """The line with which the vote began that was planned; None where that is not known, as a later mention may look back on it."""
        return vote_called([other for other in planned.talk if other.start_ns > planned.line.start_ns]) if "vote" in terms else None

    def _others(self, scope: Scope, cited: Sequence[LineRow], ids: tuple[str, ...]) -> Related:
        """A line of everybody else who talked where the cited lines were said."""
        known = {line.track for line in cited}
        others = {line.track: line for line in reversed(more_of(scope, cited[0], self._lines_in)) if line.track not in known}
        lines = sorted(others.values(), key=lambda line: (line.start_ns, line.id))
        return _shown(lines, ids) if lines else Related(retrieved=ids, refused="Nobody else was heard there.")

    def _between(self, scope: Scope, found: Sequence[Found], ids: tuple[str, ...], topics: Sequence[str]) -> Related:
        """What was said between two things, whichever of them came first."""
        first, last = sorted((one.line for one in found), key=lambda line: self._when(line, scope))
        nothing = Related(retrieved=ids, refused=f"Nothing was heard between {_quoted(topics[0])} and {_quoted(topics[1])}.")
        session = scope.sessions[first.session]
        if first.session != last.session or last.start_ns <= first.end_ns:
            return nothing
        inside = [line for line in self._lines_in(first.session, (first.end_ns, last.start_ns)) if line.end_ns <= last.start_ns]
        window = Window("between them", session.moment(first.end_ns), session.moment(last.start_ns))
        between = replace(
            scope, spans={first.session: (first.end_ns, last.start_ns)}, window=window, without=frozenset({first.id, last.id})
        )
        return Related(scope=between, retrieved=ids) if any(between.allows(line) for line in inside) else nothing

    def _told(self) -> frozenset[str]:
        """The ids of what the last answers told."""
        return frozenset(line for context in self._memory.contexts.recent(self._now_ns) for line in context.lines)

    def _last_cited(self, scope: Scope) -> list[LineRow]:
        return [line for line in last_cited(self._memory, self._at, self._now_ns) if line.session in scope.sessions]

    def _moment(self, entry: Found, scope: Scope) -> tuple[float, str]:
        return self._when(entry.line, scope)

    def _when(self, line: LineRow, scope: Scope) -> tuple[float, str]:
        return scope.sessions[line.session].moment(line.start_ns).timestamp(), line.id


def _shown(lines: Sequence[LineRow], ids: tuple[str, ...]) -> Related:
    """Lines that are told as they are."""
    spans = tuple((line.session, line.start_ns, line.end_ns) for line in lines)
    found = tuple(Found(line, 1.0, _CITED, 1.0) for line in lines)
    return Related(found, None, tuple(dict.fromkeys([*(line.id for line in lines), *ids])), spans=spans)


def _at_once(lines: Sequence[LineRow], *, before: bool) -> list[LineRow]:
    """The first lines (the last ones of what lies `before`) with no long silence between them: what comes later answers something else."""
    ordered = list(reversed(lines)) if before else list(lines)
    kept = ordered[:1]
    for line in ordered[1:]:
        if max(line.start_ns - kept[-1].end_ns, kept[-1].start_ns - line.end_ns) > _AT_ONCE_NS:
            break
        kept.append(line)
    return sorted(kept, key=lambda line: (line.start_ns, line.id))


def _other(question: Question, missing: Sequence[str]) -> str:
    return next((topic for topic in (question.order.topics if question.order else ()) if topic not in missing), "")


def _quoted(text: str) -> str:
    return f'"{text}"'
