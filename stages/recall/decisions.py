"""What people settled: all that was agreed in the asked time, or in the stretches of talk that are about a topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.packets import nanoseconds
from pipeline.stage import END_NS
from stages.answer.affirmed import is_settled
from stages.answer.corrections import CORRECTED_WITHIN_NS
from stages.answer.settled import VOTE_NS, settlements
from stages.memory.rows import LineRow
from stages.recall.decision_asked import asks_whether_of
from stages.recall.gaps import Span, merged_spans
from stages.recall.judged_lines import JudgedLines
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Found, Material
from stages.recall.question import Question
from stages.recall.refusals import nothing_settled, nothing_settled_for_certain
from stages.recall.salience import Vocabulary, telling
from stages.recall.scope import Scope
from stages.recall.talks import talks
from stages.recall.terms import coverage, stems
from stages.recall.together import sessions_of, took_part
from stages.recall.untranscribed import is_untranscribed
from stages.recall.worded_lines import WordedLines

MOST_SETTLED = 5
_REACH_NS = nanoseconds(600.0)
_SURE = 0.9
_MOST_PASSAGE = 6
# Set by hand on one talk of 63 lines with MPNet: what was settled of a topic had cosines of 0.24 to 0.63 with it, the rest 0.03 to 0.23.
_LEAST_LIKENESS = 0.2
_OF_BEST = 0.65


@dataclass(frozen=True)
class _Settled:
    """What was settled, by the lines that say so, and the passage that led to it, both by start; `talk` is the conversation."""

    lines: tuple[LineRow, ...]
    passage: tuple[LineRow, ...]
    talk: tuple[LineRow, ...]


class Decisions:
    """The way of questions that ask what was decided or agreed."""

    def __init__(self, lookup: Lookup, judged_lines: JudgedLines, worded_lines: WordedLines) -> None:
        self._lookup = lookup
        self._judged_lines = judged_lines
        self._worded_lines = worded_lines

    def told(self, question: Question, scope: Scope) -> Outcome:
        """What was settled by those who are asked about, at most five things, by start; why there is nothing.

        Of the asked time, else of the latest session in which they were heard; about a topic, in whatever session it came up.
        """
        looked_at: Sequence[LineRow] = ()
        said: list[Found] = []
        if question.terms:
            settled, said, looked_at = self._about(question, scope)
        else:
            settled = []
            for spans in self._spans(question, scope):
                heard = {line.id for name, start_ns, end_ns in spans for line in self._lookup.heard_in(name, (start_ns, end_ns))}
                # A vote may have been called before, and what was settled be objected to or taken back later.
                wide = ((name, max(0, start_ns - VOTE_NS), min(end_ns + CORRECTED_WITHIN_NS, END_NS)) for name, start_ns, end_ns in spans)
                around = [line for name, start_ns, end_ns in wide for line in self._lookup.heard_in(name, (start_ns, end_ns))]
                settled = [one for one in _of_talks(talks(around), scope) if all(line.id in heard for line in one.lines)]
                if settled or heard:
                    break
        ids = tuple(dict.fromkeys([*(line.id for one in settled for line in one.lines), *(line.id for line in looked_at)]))
        material = Material(sessions=scope.sessions)
        if question.intent == "did_anybody" and asks_whether_of(question.text):
            entries = [Found(one.lines[0], 1.0, _SURE, 1.0, talk=one.talk) for one in settled]
            if not any(is_settled(question, entry, one.lines) for entry, one in zip(entries, settled, strict=True)):
                # What is merely alike to a price is no price on which anybody agreed.
                settled = [one for one in settled if any(coverage(question.terms, stems(line.text)) == 1.0 for line in one.passage)]
        if not settled and said and (question.intent == "what" or asks_whether_of(question.text)):
            # People settle things in words that no rule knows.
            spans_told = tuple((entry.line.session, entry.line.start_ns, entry.line.end_ns) for entry in said)
            said = self._judged_lines.with_corrections(question, said)
            return Outcome(replace(material, found=tuple(said)), ids, spans=spans_told, notes=(nothing_settled_for_certain(question),))
        if not settled:
            near = next((line for line in looked_at if not is_untranscribed(line)), None)
            return Outcome(material, ids, refused=nothing_settled(question, near, scope))
        vocabulary = Vocabulary(line for one in settled for line in one.talk)
        best = sorted(settled, key=lambda one: (-max(telling(line, vocabulary) for line in one.lines), one.lines[0].id))[:MOST_SETTLED]
        best.sort(key=lambda one: (scope.sessions[one.lines[0].session].moment(one.lines[0].start_ns), one.lines[0].id))
        told = [(Found(one.lines[0], 1.0, _SURE, 1.0, context=one.lines, talk=one.talk), one.passage) for one in best]
        found = tuple(self._judged_lines.with_corrections(question, [entry], passage)[0] for entry, passage in told)
        spans_told = tuple((one.lines[0].session, one.lines[0].start_ns, one.lines[-1].end_ns) for one in best)
        return Outcome(replace(material, found=found), ids, spans=spans_told)

    def _spans(self, question: Question, scope: Scope) -> Iterable[list[Span]]:
        """The times to look at, one after the other until somebody was heard in one."""
        if scope.window is not None:
            return [[(name, *span) for name, span in scope.spans.items()]]
        who = [name.lower() for name in (*question.talkers, *((question.speaker,) if question.speaker is not None else ()))]
        names = list(scope.spans)[-1:] if not who else sessions_of(self._lookup, replace(scope, talkers=frozenset(who)))
        return ([(name, *scope.spans[name])] for name in names)

    def _about(self, question: Question, scope: Scope) -> tuple[list[_Settled], list[Found], Sequence[LineRow]]:
        """What was settled of a topic once it had come up, what was said of it by those who are asked about, and all that was looked at."""
        anybody = replace(scope, speaker=None, azimuth_deg=None, talkers=frozenset())
        people = self._worded_lines.naming(question, anybody)
        if people is None:
            found, looked_at = self._judged_lines.search(replace(question, about_speech=True, speaker=None, talkers=()), anybody)
        else:
            found, looked_at = people, [entry.line for entry in people]
        named = {entry.line.id: entry.line for entry in found}
        spans = merged_spans((line.session, max(0, line.start_ns - _REACH_NS), line.end_ns + _REACH_NS) for line in named.values())
        # What others talked about meanwhile tells where the topic of a talk changes.
        every = [line for name, start_ns, end_ns in spans for line in self._lookup.heard_in(name, (start_ns, end_ns))]
        about = [stretch.lines for stretch in self._lookup.stretches(every) if any(line.id in named for line in stretch.lines)]
        # What was proposed in one stretch may be accepted in the next.
        settled = [one for one in _of_talks(talks(every), scope) if any(_came_up(one, lines, named) for lines in about)]
        if people is None:
            settled = self._alike(question, settled, named)
        else:
            # What a name is like tells nothing of whom it names.
            settled = [one for one in settled if any(line.id in named for line in one.passage)]
        return settled, [entry for entry in found if scope.allows(entry.line)], looked_at

    def _alike(self, question: Question, settled: Sequence[_Settled], named: Iterable[str]) -> list[_Settled]:
        """What was settled of the topic itself: where its words fell on the way to it, or which is as much about it as what is most."""
        has_words = [any(line.id in named for line in one.passage) for one in settled]
        if not self._lookup.has_encoder or not settled:
            return [one for one, said in zip(settled, has_words, strict=True) if said]
        topic = self._lookup.searcher.encode([question.topic])[0]
        vectors = self._lookup.vectors_of(line for one in settled for line in one.passage)
        likeness = []
        for one in settled:
            centre = np.mean([vectors[line.id] for line in one.passage], axis=0)
            likeness.append(float(centre @ topic) / max(1e-6, float(np.linalg.norm(centre))))
        least = max(_LEAST_LIKENESS, _OF_BEST * max(likeness))
        return [one for one, said, alike in zip(settled, has_words, likeness, strict=True) if said or alike >= least]


def _of_talks(found: Iterable[Sequence[LineRow]], scope: Scope) -> list[_Settled]:
    """What was settled in some conversations by those whom a scope allows, who all took part in them."""
    settled: list[_Settled] = []
    for talk in found:
        if not took_part(talk, scope):
            continue
        places = {line.id: place for place, line in enumerate(talk)}
        last = -1
        for lines in settlements(talk):
            first, end = max(last + 1, places[lines[-1].id] + 1 - _MOST_PASSAGE), places[lines[-1].id] + 1
            passage = [*talk[min(first, places[lines[0].id]) : end]]
            last = end - 1
            if any(scope.allows(line) for line in lines):
                settled.append(_Settled(lines, tuple(line for line in passage if not is_untranscribed(line)), tuple(talk)))
    return settled


def _came_up(one: _Settled, stretch: Sequence[LineRow], named: Iterable[str]) -> bool:
    """Whether something was settled in a stretch in which the topic had come up before."""
    ids = {line.id for line in stretch}
    return any(line.id in ids for line in one.lines) and any(line.id in named and line.start_ns <= one.lines[-1].end_ns for line in stretch)
