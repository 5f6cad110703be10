"""How long people talked, and who did so most: the stretches of talk that an answer adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from pipeline.packets import nanoseconds
from stages.answer.wording import offset
from stages.memory.rows import LineRow
from stages.recall.answers import MOST_RETRIEVED, Stretch, speaker_of
from stages.recall.context_scope import last_cited
from stages.recall.duration_asked import duration_in, is_nameless
from stages.recall.judged_lines import JudgedLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Material
from stages.recall.question import Question, cleaned
from stages.recall.refusals import not_together, refusal_text
from stages.recall.scope import Scope
from stages.recall.stretches import by_start, longest_of_each, stretch_of, within
from stages.recall.talks import PAUSE_NS, talks
from stages.recall.together import sessions_of, took_part
from stages.recall.untranscribed import is_untranscribed

_REACH_NS = nanoseconds(600.0)
_OF_BEST = 0.8
_STEP_NS = nanoseconds(3600.0)
_MOST_LINES = 20_000
_MANY = 8
_MOST_CITED = 5
_MOST_JUDGED = 4000


class Durations:
    """The way of questions that ask how long somebody talked. `now_ns` (since the epoch) tells what was asked lately."""

    def __init__(self, lookup: Lookup, judged_lines: JudgedLines, now_ns: int) -> None:
        self._lookup = lookup
        self._judged_lines = judged_lines
        self._now_ns = now_ns

    def told(self, question: Question, scope: Scope) -> Outcome:
        """The stretches of talk that a question is about, with those of their lines that it allows, by start; why there are none.

        About a topic these are the stretches of conversation in which it was found, and where that is in many lines, all of these sessions
        that are about it; without one all of the asked time, or of the latest session in which those were heard who are asked about. Of
        people who talked with each other it is their conversations.
        """
        material = Material(sessions=scope.sessions)
        notes: tuple[str, ...] = ()
        if question.terms:
            anybody = replace(scope, speaker=None, azimuth_deg=None, talkers=frozenset())
            # Who is asked about took part in the talk, and need not have named what it was about.
            about = replace(question, text=duration_in(cleaned(question.text))[1], about_speech=True, speaker=None, talkers=())
            found, near = self._judged_lines.search(about, anybody)
            if not found:
                shown = next((line for line in near if not is_untranscribed(line)), None)
                return Outcome(material, tuple(line.id for line in near), refused=refusal_text(question, shown, scope))
            material = replace(material, found=tuple(found))
            best = max(entry.support for entry in found)
            stretches = self._around([entry.line for entry in found if entry.support >= _OF_BEST * best])
            if len(found) >= _MANY or _goes_on(stretches):
                more, is_cut = self._all_about(question, stretches, scope)
                material = replace(material, is_part=is_cut or bool(more))
                stretches += more
        elif is_nameless(question.text):
            cited = [line for line in last_cited(self._lookup.memory, self._lookup.at, self._now_ns) if line.session in scope.spans]
            if not cited:
                return Outcome(material, refused="Nothing was answered lately that the question could be about; name the topic.")
            first = cited[: self._lookup.memory.contexts.recent(self._now_ns)[-1].n_first]
            stretches = self._around(first)
            # Of a talk of many parts an answer cites some.
            material = replace(material, is_part=len(stretches) >= _MOST_CITED)
        else:
            parts, notes = self._asked_time(question, scope)
            stretches = [
                stretch_of(talk) for lines in parts.values() for talk in (talks(lines) if _together(question) else [lines]) if talk
            ]
            cut = [lines[-1] for lines in parts.values() if len(lines) == _MOST_LINES]
            notes += tuple(f"This is of what was said up to {offset(line.end_ns)}: more was heard than can be added up." for line in cut)
        if _together(question):
            stretches = [stretch for stretch in stretches if took_part(stretch.lines, scope)]
        near_lines = [line for stretch in stretches for line in stretch.lines]
        asked = _asked_of(question, scope)
        stretches = within(stretches, {line.id for line in near_lines if asked(line)})
        if not stretches:
            refused = not_together(question) if _together(question) else refusal_text(question, next(iter(near_lines), None), scope)
            return Outcome(material, tuple(line.id for line in near_lines), refused=refused)
        ids = [line.id for line in (*(entry.line for entry in material.found), *_telling(stretches))]
        spans_told = tuple((stretch.session, stretch.start_ns, stretch.end_ns) for stretch in stretches)
        return Outcome(replace(material, stretches=tuple(by_start(stretches))), tuple(dict.fromkeys(ids)), spans=spans_told, notes=notes)

    def _asked_time(self, question: Question, scope: Scope) -> tuple[dict[str, list[LineRow]], tuple[str, ...]]:
        """What was heard in the asked time, by session, and what is to be said of it.

        Without a time this is the latest session in which those were heard who are asked about, with each other where that is asked.
        """
        if scope.window is not None:
            return {name: list(self._heard(name, span)) for name, span in scope.spans.items()}, ()
        names = list(scope.spans)[-1:]
        who = (*question.talkers, *((question.speaker,) if question.speaker is not None else ()))
        if who:
            theirs = sessions_of(self._lookup, replace(scope, talkers=frozenset(name.lower() for name in who)))
            names = list(dict.fromkeys(theirs)) or names
        parts: dict[str, list[LineRow]] = {}
        for name in names:
            lines = list(self._heard(name, scope.spans[name]))
            parts = parts or {name: lines}
            if any(took_part(talk, scope) for talk in (talks(lines) if _together(question) else [lines])):
                parts = {name: lines}
                break
        link = "and" if _together(question) else "or"
        heard = f" in which {f' {link} '.join(who)} {'was' if len(who) == 1 or link == 'or' else 'were'} heard" if who else ""
        return parts, (f"This is about what was said in the latest session{heard}.",) if len(scope.spans) > 1 else ()

    def _around(self, lines: Sequence[LineRow]) -> list[Stretch]:
        """The stretches in which some lines stand: their conversations, ten minutes to both sides, cut where the topic changes."""
        around = {line.id: line for talk in self._lookup.talk_around(lines, _REACH_NS, _REACH_NS).values() for line in talk}
        wanted = {line.id for line in lines}
        return [stretch for stretch in self._lookup.stretches(around.values()) if any(line.id in wanted for line in stretch.lines)]

    def _all_about(self, question: Question, known: Sequence[Stretch], scope: Scope) -> tuple[list[Stretch], bool]:
        """What else is about the topic in the sessions of the known stretches, and whether they are too long to be looked at whole.

        A search brings few lines of a talk that stayed with its topic for an hour.
        """
        sessions = dict.fromkeys(stretch.session for stretch in known if stretch.session in scope.spans)
        heard = (line for name in sessions for line in self._heard(name, scope.spans[name]))
        lines = list(islice(heard, _MOST_JUDGED))
        taken = {line.id for stretch in known for line in stretch.lines}
        about = self._lookup.about(self._lookup.stretches(lines), question.gist, question.terms)
        more = within(about, {line.id for stretch in about for line in stretch.lines} - taken)
        return more, len(lines) == _MOST_JUDGED

    def _heard(self, session: str, span: tuple[int, int]) -> Iterator[LineRow]:
        """What was heard in a span of a session, by start, of a very long one the first lines."""
        steps = range(span[0], span[1], _STEP_NS)
        lines = (
            line
            for start_ns in steps
            for line in self._lookup.heard_in(session, (start_ns, min(start_ns + _STEP_NS, span[1])))
            if line.start_ns >= start_ns or start_ns == span[0]
        )
        return islice(lines, _MOST_LINES)


def _goes_on(stretches: Sequence[Stretch]) -> bool:
    """Whether a stretch is as long as what was looked at to one side of a line."""
    return any(stretch.end_ns - stretch.start_ns >= _REACH_NS - PAUSE_NS for stretch in stretches)


def _together(question: Question) -> bool:
    """Whether those who are named have to have talked with each other; of two of them it may be asked who talked most."""
    return len(question.talkers) == 1 or (len(question.talkers) == 2 and question.duration == "length")


def _asked_of(question: Question, scope: Scope) -> Callable[[LineRow], bool]:
    """Which lines count: where it is asked who talked most with one person, not that person's; how long, everybody's."""
    if len(scope.talkers) != 1:
        return scope.allows
    anybody = replace(scope, talkers=frozenset())
    besides = scope.talkers if question.duration != "length" else frozenset()
    return lambda line: anybody.allows(line) and speaker_of(line).lower() not in besides


def _telling(stretches: Sequence[Stretch]) -> list[LineRow]:
    """The lines that an answer may cite: the first of each stretch, and the longest of each talker."""
    return [*(stretch.lines[0] for stretch in stretches), *longest_of_each(stretches).values()][:MOST_RETRIEVED]
