"""The answerer without an LLM: claims made of the speakers' own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from stages.answer.affirmed import is_affirmed
from stages.answer.answerer import Answerer
from stages.answer.cited_claims import agreed, asks_who_was_where, cited, company, following, ordered, present, who_was_where
from stages.answer.corrections import correction_of
from stages.answer.joined import is_of_another
from stages.answer.length_budget import fitting, most_words, quote_words, shows_agreed
from stages.answer.openings import with_openings
from stages.answer.replies import question_before, reply_to
from stages.answer.said_once import Said, says_the_same
from stages.answer.settled import settled
from stages.answer.spoken_time import spoken_time
from stages.answer.talkers import asks_who_said, asks_who_was_told, by_person, of_one_talk, saying, talkers, told_to
from stages.answer.wording import LONGEST_QUOTE_WORDS, Wording, bearings, listed, names, people, person, quote
from stages.memory.rows import LineRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import Claim, Evidence, Stretch, speaker_of
from stages.recall.day_asked import day_asked
from stages.recall.material import Found, Material
from stages.recall.misheard import sounds_like
from stages.recall.question import Question
from stages.recall.salience import Vocabulary, best_lines, key_words
from stages.recall.terms import coverage, holds, stems
from stages.recall.untranscribed import is_untranscribed

_CLOSE = 0.9
_MOST_THINGS = 4
_MOST_NAMED = 2
_MOST_FACTS = 2
_MOST_REPEATS = 2
_SUREST = 0.95
_MOST_TIMES = 8
_MOST_COUNTED = 50


class Extractive(Answerer):
    """Quotes what answers, with who said it, when and where. It can say nothing that was not said.

    `most_claims` and `most_evidence` bound an answer; an overview may add as many lines as prove what was agreed on. The encoder is only
    kept for answerers of the same setting; quoting needs none.
    """

    def __init__(self, encoder: TextEncoder | None = None, most_claims: int = 5, most_evidence: int = 3) -> None:
        if most_claims < 1 or most_evidence < 1:
            raise ValueError(f"Extractive: most_claims and most_evidence must be at least 1, found {most_claims} and {most_evidence}")
        self.encoder = encoder
        self.most_claims = most_claims
        self.most_evidence = most_evidence

    def draft(self, question: Question, material: Material) -> list[Claim]:
        """Claims for what was missed, for what happened, or for the lines that answer."""
        wording = Wording(material.sessions)
        if question.follow_up is not None and question.follow_up.kind in {"before", "after"} and not question.terms and material.found:
            return following(question, material, wording)
        if question.duration:
            return spoken_time(question, material, wording)
        if question.settles:
            return fitting(agreed(question, material, wording, self.most_claims), question.length_s, self.most_claims)
        if question.intent == "play" or ((question.follow_up is not None or question.edge) and not material.stretches):
            # Who asks to hear all that was said wants no choice of it.
            is_all = question.intent == "play" and question.follow_up is None and (question.every or not question.terms)
            return cited(question, material, wording, len(material.found) if is_all else self.most_claims)
        if (question.asking and not question.terms) or (question.very_words and question.intent != "did_anybody"):
            return cited(question, material, wording, self.most_claims)
        if question.order is not None and not question.order.asks and not material.stretches:
            return ordered(question, material, wording) if len(question.order.topics) > 1 else following(question, material, wording)
        if question.intent == "missed" and (material.attended or material.missed):
            return self._missed(question, material, wording)
        if material.stretches:
            told = self._stretches(question, ((stretch, "") for stretch in material.stretches), material, wording)
            kept = fitting(told, question.length_s, self.most_claims)
            # The most important stretches, told as they happened.
            order = sorted(range(len(kept)), key=lambda place: _when(material.stretches[place]))
            return [kept[place] for place in order]
        if question.company:
            return company(question, material)
        if asks_who_was_where(question):
            return who_was_where(question, material, wording)
        if question.asks_present:
            return present(material)
        if question.intent == "count":
            return self._counted(question, material, wording)
        if question.about_speech or question.intent == "did_anybody":
            return self._talked(question, material, wording)
        return self._facts(question, material, wording)

    def _missed(self, question: Question, material: Material, wording: Wording) -> list[Claim]:
        first = f"While you followed {_attended_name(question)} ({_where_and_when(material.attended, wording)}), "
        first = next((stretch.opening for stretch in material.attended if stretch.opening and stretch.lines), first)
        if not material.missed:
            lines = [line for stretch in material.attended for line in stretch.lines][: self.most_evidence]
            return [Claim(f"{first}nobody else was heard.", _heard(lines), tuple(Evidence.of(line) for line in lines))]
        told = self._stretches(question, with_openings(material.missed, first), material, wording)
        return fitting(told, question.length_s, self.most_claims)

    def _stretches(
        self, question: Question, stretches: Iterable[tuple[Stretch, str]], material: Material, wording: Wording
    ) -> Iterator[Claim]:
        """A claim for each stretch, with its opening; words that one of them has told are not quoted again."""
        told: list[Said] = []
        vocabulary = Vocabulary(line for other in (*material.attended, *material.missed, *material.stretches) for line in other.lines)
        for stretch, opening in stretches:
            yield self._stretch(question, stretch, vocabulary, wording, opening, told)

    def _stretch(
        self, question: Question, stretch: Stretch, vocabulary: Vocabulary, wording: Wording, opening: str, told: list[Said]
    ) -> Claim:
        """A sentence on a stretch of conversation: where, how many and who, about what, the words that tell most, and what was agreed.

        `told` is what the answer has quoted so far; what is quoted of this stretch is added.
        """
        who = people(stretch)
        who = who if opening else who[0].upper() + who[1:]
        span = wording.span(stretch.session, stretch.start_ns, stretch.end_ns)
        lines = [line for line in stretch.lines if not is_untranscribed(line)]
        if not lines:
            shown = list(stretch.lines[: self.most_evidence])
            text = f"{opening}{who} spoke ({span}); the words were not transcribed."
            return Claim(text, _heard(shown), tuple(Evidence.of(line) for line in shown))
        new = [line for line in lines if not Said.of(line.text).is_told(told)] if told else lines
        best = best_lines(new or lines, vocabulary, 1)[0]
        agreed = settled(lines) if len({line.track for line in lines}) > 1 else ()
        if len({best.id, *(line.id for line in agreed)}) > self.most_evidence or not shows_agreed(question.length_s):
            agreed = ()
        # What was agreed on takes no room from what the talk was about.
        things, shown = _things(lines, best, agreed, vocabulary, question.text, self.most_evidence + len(agreed))
        if (most := most_words(question.length_s)) is not None:
            return Claim(
                _in_words(f"{who} talked", names(stretch, _MOST_NAMED), things, span, most), _heard(shown), tuple(map(Evidence.of, shown))
            )
        about = f" talked about {listed(things)}" if things else " talked"
        text = f"{opening}{who}{about} ({span}). {_quotes(best, agreed, quote_words(question.length_s, LONGEST_QUOTE_WORDS))}"
        told += [Said.of(line.text) for line in (best, *agreed[:1])]
        return Claim(text, _heard(shown), tuple(Evidence.of(line) for line in shown))

    def _talked(self, question: Question, material: Material, wording: Wording) -> list[Claim]:
        """One claim for each conversation in which the topic came up."""
        claims: list[Claim] = []
        if (most := most_words(question.length_s)) is not None and question.intent == "what":
            return self._in_few_words(material.found, wording, most)
        for group in _by_conversation(material.found):
            again = _place_of(group[0].line, claims)
            if again is not None:
                claims[again] = _said_again(claims[again], group[0].line, wording)
                continue
            if len(claims) == self.most_claims:
                break
            who: list[LineRow] = []
            hearers: list[LineRow] = []
            if was_told := asks_who_was_told(question.text):
                group = of_one_talk(group)
                hearers = told_to(group, self.most_evidence - 1)
                group = group[:1]
            elif question.speaker is None and (question.intent == "who" or "who" in question.aspects):
                group = of_one_talk(group)
                # Who said something about it is another question than who was there when it was talked about.
                group = saying(group) if (says := asks_who_said(question.text)) else group
                who = by_person(found.line for found in group)[: self.most_evidence] if says else talkers(group, self.most_evidence)
            if question.azimuth_deg is not None:
                # Who was there too may sit elsewhere.
                there = {speaker_of(found.line) for found in group}
                who = [line for line in who if speaker_of(line) in there]
            best, taken_back = group[0], _held_instead(question, group[0], group[0].line)
            # What holds instead goes before whoever else took part.
            shown = {
                line.id: line
                for line in (best.line, *([taken_back] if taken_back else []), *who, *hearers, *(found.line for found in group))
            }
            lines = sorted(list(shown.values())[: self.most_evidence], key=lambda line: (line.start_ns, line.id))
            text = wording.said(best.line, on_the_clock=question.intent == "when" or "when" in question.aspects)
            if taken_back is not None and taken_back in lines:
                text += wording.corrected(taken_back)
            named = person if "where" in {question.intent, *question.aspects} else speaker_of
            others = [named(line) for line in lines if speaker_of(line) != speaker_of(best.line)]
            if hearers:
                text = f"{listed([person(line) for line in hearers])} took part in the talk when it was said. {text}"
            elif was_told and best.line.event is not None:
                text = f"Nobody else was heard there when it was said. {text}"
            elif len(who) > 1:
                text = f"{listed([person(line) for line in who])} talked about it. {text}"
            elif others and question.speaker is None:
                text += f" {listed(list(dict.fromkeys(others)))} talked about it too."
            # "Does David have a van?" may be answered by what he said of his brother's.
            if not claims and question.intent == "did_anybody" and not question.own_words and is_affirmed(question, best):
                text = f"Yes: {text}"
            claims.append(Claim(text, _confidence(best, lines), tuple(Evidence.of(line) for line in lines)))
        return fitting(claims, question.length_s, self.most_claims)

    def _in_few_words(self, found: Sequence[Found], wording: Wording, most: int) -> list[Claim]:
        """The best line on a topic that is short enough, or where none is, who talked about what."""
        for one in found:
            text = f"{speaker_of(one.line)}: {quote(one.line.text)}"
            if one.named >= found[0].named and len(text.split()) <= most:
                return [Claim(text, _confidence(one, [one.line]), (Evidence.of(one.line),))]
        told = [one.line for one in next(iter(_by_conversation(found)), [])]
        if not told:
            return []
        things, lines = _things(told, told[0], (), Vocabulary(told), "", self.most_evidence)
        named = listed(list(dict.fromkeys(speaker_of(line) for line in told))[:_MOST_NAMED])
        span = wording.span(told[0].session, min(line.start_ns for line in told), max(line.end_ns for line in told))
        text = _in_words(f"{named} talked", named, things, span, most)
        return [Claim(text, _confidence(found[0], lines), tuple(map(Evidence.of, lines)))]

    def _facts(self, question: Question, material: Material, wording: Wording) -> list[Claim]:
        """The lines that answer best; where the best one is itself a question, what was answered belongs to it."""
        if not material.found:
            return []
        claims: list[Claim] = []
        used: set[str] = set()
        best = material.found[0].support
        # Of a day all is asked.
        most = self.most_claims if day_asked(question.text)[0] else min(self.most_claims, _MOST_FACTS)
        for found in material.found:
            if len(claims) == most or (claims and found.support < _CLOSE * best):
                break
            lines = [found.line, *reply_to(found, question)]
            taken_back = _held_instead(question, found, lines[-1])
            if any(line.id in used for line in lines) or (taken_back is not None and taken_back.id in used):
                # What was taken back is not told after what holds.
                continue
            again = _place_of(found.line, claims)
            if again is not None:
                claims[again] = _said_again(claims[again], found.line, wording)
                continue
            used.update(line.id for line in lines)
            text = wording.said(found.line, on_the_clock=question.intent == "when")
            text += "".join(f" {person(line)} answered: {quote(line.text)}" for line in lines[1:])
            if taken_back is not None and len(lines) < self.most_evidence:
                text += wording.corrected(taken_back)
                lines.append(taken_back)
                used.add(taken_back.id)
            asked = question_before(found, question) if len(lines) < self.most_evidence else None
            if asked is not None:
                text += f" {person(asked)} had asked: {quote(asked.text)}"
                lines.append(asked)
            claims.append(Claim(text, _confidence(found, lines), tuple(Evidence.of(line) for line in lines)))
        return claims

    def _counted(self, question: Question, material: Material, wording: Wording) -> list[Claim]:
        """How often the words fell, or how many people said them."""
        said = {found.line.id for found in material.found if all(holds(term, stems(found.line.text)) for term in question.terms)}
        misheard = {found.line.id for found in material.found if found.misheard}
        if said:
            # Where one line, heard again, does say it, another may have nothing any more that sounds like it.
            words = question.gist.split()
            misheard = {found.line.id for found in material.found if found.misheard and sounds_like(found.line.text, words)}
        named, unsure = said | misheard, misheard - said
        lines = [found.line for found in material.found if found.line.id in named] or [found.line for found in material.found]
        lines.sort(key=lambda line: (line.session, line.start_ns, line.id))
        if not lines:
            return []
        # Somebody who moved is one talker still, told with the bearing of the first time.
        first_of = {_talker(line): line for line in reversed(lines)}
        who = [person(line) for line in lines if first_of[_talker(line)] is line]
        shown = [wording.moment(line.session, line.start_ns) for line in lines[:_MOST_TIMES]]
        n_more = len(lines) - len(shown)
        times = listed([*shown, f"{n_more} more {'time' if n_more == 1 else 'times'}"] if n_more else shown)
        came = "may have come to it" if len(unsure) == len(lines) else "came to it" if question.terms else "asked something"
        text = (
            f"{len(lines)} {'line' if len(lines) == 1 else 'lines'} of {len(who)} {'talker' if len(who) == 1 else 'talkers'} "
            f"({listed(who)}) {came}, at {times}. The first: {quote(lines[0].text)}"
        )
        if unsure:
            text += wording.sounding_like([line for line in lines if line.id in unsure], quoted=lines[0].id in unsure)
        counted = {line.id for line in lines}
        confidence = min(found.support for found in material.found if found.line.id in counted)
        return [Claim(text, confidence * _heard(lines), tuple(Evidence.of(line) for line in lines[:_MOST_COUNTED]))]


def _held_instead(question: Question, found: Found, line: LineRow) -> LineRow | None:
    """What took a line back, unless that is of something else in the line than what is asked."""
    later = found.taken_back or correction_of(line, found.talk)
    return None if later is None or is_of_another(line.text, question.terms, later.text) else later


def _in_words(where: str, who: str, things: Sequence[str], span: str, most: int) -> str:
    """A sentence on a stretch without a quote, in at most so many words where that is possible: the place and the time go first."""
    about = f" about {listed(things)}" if things else ""
    text = f"{where}{about} ({span})."
    if len(text.split()) <= most:
        return text[0].upper() + text[1:]
    for n_told in range(len(things), 0, -1):
        text = f"{who} talked about {listed(things[:n_told])}."
        if len(text.split()) <= most:
            break
    return text if things else f"{who} talked."


def _talker(line: LineRow) -> tuple[str, str]:
    """Who said a line: speakers are known over all sessions, tracks without one are of their own."""
    return ("" if line.speaker is not None else line.session), speaker_of(line)


def _things(
    lines: Sequence[LineRow], best: LineRow, agreed: Sequence[LineRow], vocabulary: Vocabulary, asked: str, most_evidence: int
) -> tuple[list[str], list[LineRow]]:
    """What some lines are about, and those that prove it: the best line, what was agreed, for each thing the first line that names it."""
    things: list[str] = []
    shown = list({line.id: line for line in (best, *agreed)}.values())
    said = {line.id: stems(line.text) for line in (*shown, *lines)}
    for thing in key_words(lines, vocabulary, _MOST_THINGS, asked):
        named = stems(thing)
        namer = next((line for line in (*shown, *lines) if coverage(named, said[line.id]) == 1.0), None)
        if namer is None or (namer not in shown and len(shown) >= most_evidence):
            continue
        things.append(thing)
        if namer not in shown:
            shown.append(namer)
    return things, sorted(shown, key=lambda line: (line.start_ns, line.id))


def _quotes(best: LineRow, agreed: Sequence[LineRow], most_words: int) -> str:
    """The words that tell most, and those that were agreed on, once where they are the same."""
    accepted = f" ({speaker_of(agreed[1])} agreed)" if len(agreed) > 1 else ""
    text = f"{speaker_of(best)}: {quote(best.text, most_words)}"
    if not agreed:
        return text
    if agreed[0].id == best.id:
        return f"{text}{accepted}"
    return f"{text} {speaker_of(agreed[0])}: {quote(agreed[0].text, most_words)}{accepted}"


def _attended_name(question: Question) -> str:
    attended = question.attended
    if attended is None:
        return "what you followed"
    words = attended.phrase.split()
    if words and words[0].lower() in {"my", "our"}:
        words[0] = "your"
    name = " ".join(words)
    return name if attended.speaker or words[0].lower() in {"the", "a", "an", "your", "that", "this"} else f"the talk about {name}"


def _when(stretch: Stretch) -> tuple[str, int, str]:
    return stretch.session, stretch.start_ns, stretch.lines[0].id


def _where_and_when(attended: Sequence[Stretch], wording: Wording) -> str:
    spans = listed([wording.span(stretch.session, stretch.start_ns, stretch.end_ns) for stretch in attended])
    where = bearings(attended)
    return f"{where}, {spans}" if where else spans


def _place_of(line: LineRow, claims: Sequence[Claim]) -> int | None:
    """The claim that has told already what a line says."""
    said = (place for place, claim in enumerate(claims) if any(says_the_same(line.text, evidence.text) for evidence in claim.evidence[:1]))
    return next(said, None)


def _said_again(claim: Claim, line: LineRow, wording: Wording) -> Claim:
    """A claim whose words were said again: who else, and when, with that line as proof; at most `_MOST_REPEATS` are told."""
    if sum(says_the_same(line.text, evidence.text) for evidence in claim.evidence) > _MOST_REPEATS:
        return claim
    text = f"{claim.text} {person(line)} said the same at {wording.moment(line.session, line.start_ns)}."
    return replace(claim, text=text, evidence=(*claim.evidence, Evidence.of(line)))


def _by_conversation(found: Sequence[Found]) -> list[list[Found]]:
    """Found lines by event, the event of the best line first; lines of one event in their own order."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for entry in found:
        groups.setdefault((entry.line.session, entry.line.event or f"track {entry.line.track}"), []).append(entry)
    return list(groups.values())


def _heard(lines: Sequence[LineRow]) -> float:
    """How surely the words of some lines were recognised: 0.5 to almost 1, which nothing heard ever is."""
    return min(_SUREST, 0.5 + 0.5 * sum(line.confidence for line in lines) / max(1, len(lines)))


def _confidence(found: Found, lines: Sequence[LineRow]) -> float:
    return found.support * _heard(lines)
