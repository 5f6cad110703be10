"""What answerers with an LLM share: it may reword claims, and every sentence of it is checked against the evidence."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stages.answer.answerer import Answerer
from stages.answer.claim_check import check, proving
from stages.answer.extractive import Extractive
from stages.answer.judging import answering_in, lines_to_judge, may_be_judged, tokens_to_judge
from stages.answer.notes import notes_for
from stages.answer.prompt import messages, overview_task, question_to_check, sentences
from stages.answer.restating import plain_question, question_to_restate
from stages.answer.wording import Wording, offset, person
from stages.memory.rows import LineRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import Claim, Evidence
from stages.recall.material import Material
from stages.recall.question import Question

_log = logging.getLogger(__name__)


class ChatError(RuntimeError):
    """A language model gave no reply; the message says why and what to do."""


@dataclass(frozen=True)
class _Task:
    """What a model is asked about one claim."""

    question: Question
    claim: Claim
    notes: Sequence[LineRow]
    around: Sequence[LineRow]
    wording: Wording

    @property
    def is_overview(self) -> bool:
        return self.question.intent in {"missed", "catch_up"}

    @property
    def asked(self) -> str:
        return "" if self.is_overview else self.question.text


class ChatAnswerer(Answerer):
    """Takes the extractive claims and has an LLM put the best of them into its own words.

    With `restates` it is also asked to say questions in plain words that are not put so (`stages/recall/restating.py`).

    With `judges` it is asked which of up to eight lines answer, or are about a topic, where Echoic is in doubt
    (`stages/recall/second_opinion.py`).

    Else the LLM decides nothing: which lines answer, and whether anything does, is settled before it is asked. A sentence that its
    evidence does not support, a refusal or a failure leaves the extractive wording in place. `most_worded` bounds how many claims are
    reworded, `most_notes_tokens` (estimated) what a model reads for each. With `least_entailment` over 0 the model is also asked whether
    the notes say what its sentence says: below that probability of a Yes the sentence is dropped.
    """

    def __init__(
        self,
        encoder: TextEncoder | None = None,
        most_worded: int = 3,
        most_notes_tokens: int = 400,
        least_entailment: float = 0.0,
        *,
        restates: bool = True,
        judges: bool = False,
    ) -> None:
        name = type(self).__name__
        if most_worded < 0:
            raise ValueError(f"{name}: most_worded must be at least 0 (quotes alone), found {most_worded}")
        if most_notes_tokens < 1:
            raise ValueError(f"{name}: most_notes_tokens must be at least 1, found {most_notes_tokens}")
        if not 0.0 <= least_entailment < 1.0:
            raise ValueError(f"{name}: least_entailment must be at least 0 (never asked) and under 1, found {least_entailment:g}")
        self.encoder = encoder
        self.most_worded = most_worded
        self.most_notes_tokens = most_notes_tokens
        self.least_entailment = least_entailment
        self.restates = restates
        self.judges = judges
        self._extractive = Extractive(encoder)

    @abstractmethod
    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        """The model's reply to a chat of {"role", "content"} messages. Raises ChatError where there is none."""

    def yes_probability(self, chat: Sequence[Mapping[str, str]]) -> float | None:
        """How likely the model's reply to a chat begins with Yes rather than No, 0 to 1; None where it is neither.

        Here by the words of the reply, 0 or 1; a model that gives the probabilities of its words knows better. Raises ChatError.
        """
        return yes_or_no(self.reply(chat))

    def restated(self, question: str) -> str | None:
        """What the model makes of a question; None where it is not to be asked, or gives no reply, which is told in the log."""
        if not self.restates:
            return None
        try:
            return plain_question(self.reply(question_to_restate(question)))
        except ChatError as error:
            _log.warning("the question is read as it is put: %s", error)
            return None

    @property
    def has_opinions(self) -> bool:
        """Whether the settings say so."""
        return self.judges

    def opinion(self, question: str, lines: Sequence[tuple[LineRow, str]]) -> Sequence[int] | None:
        """The lines that the model names; None where it is not to be asked, may not see them, or names none by number.

        Of long lines fewer are shown: as many of the first as `most_notes_tokens` hold.
        """
        if not self.judges:
            return None
        shown: list[int] = []
        left = self.most_notes_tokens
        for place, line in enumerate(lines):
            if may_be_judged([line]):
                left -= tokens_to_judge(line)
                if left < 0 and shown:
                    break
                shown.append(place)
        asked = [lines[place] for place in shown]
        if not asked or not may_be_judged(asked):
            return None
        try:
            named = answering_in(self.reply(lines_to_judge(question, asked)), len(asked))
        except ChatError as error:
            _log.warning("which line answers is told without the model: %s", error)
            return None
        return None if named is None else [shown[place] for place in named]

    def draft(self, question: Question, material: Material) -> list[Claim]:
        """The extractive claims."""
        return self._extractive.draft(question, material)

    def revisions(self, question: Question, material: Material, claims: Sequence[Claim]) -> Iterator[tuple[int, Claim]]:
        """The first claims in the LLM's words, where these hold. A model that fails is told once in the log, and asked no further."""
        if not _can_be_worded(question):
            return
        lines = material.lines
        for place, claim in enumerate(claims[: self.most_worded]):
            notes = notes_for(claim, material, lines, self.most_notes_tokens)
            if not notes:
                continue
            try:
                worded = self._worded(_Task(question, claim, notes, tuple(lines.values()), Wording(material.sessions)))
            except ChatError as error:
                _log.warning("answering in the speakers' own words: %s", error)
                return
            if worded is not None:
                yield place, worded

    def _worded(self, task: _Task) -> Claim | None:
        """A claim in the model's words: the first sentence of its reply that holds; None where none does."""
        order = overview_task(task.notes) if task.is_overview else f"Question: {task.question.text}"
        for sentence in sentences(self.reply(messages(order, task.notes)), len(task.notes)):
            cited = [task.notes[place] for place in sentence.cited]
            cited = cited if sentence.cites else proving(sentence.text, cited)
            if not task.is_overview and task.claim.evidence[0].utterance not in {line.id for line in cited}:
                # Which line answers is settled: the others of a claim only go with it.
                _log.info("a sentence of the model was dropped for leaving out the line that answers: %s", sentence.text)
                continue
            result = check(sentence.text, cited, task.asked, self.encoder, task.around)
            if result.fault is not None:
                _log.info("a sentence of the model was dropped for %s: %s", result.fault, sentence.text)
                continue
            score = self._entailed(sentence.text, cited, result.score)
            if score is None:
                continue
            return _reworded(task, sentence.text, cited, score)
        return None

    def _entailed(self, sentence: str, cited: Sequence[LineRow], score: float) -> float | None:
        """The score of a sentence with the model's own judgement, where it is asked for one; None where it says that it does not hold.

        The mean of the scorers, each counted alike, as UQLM's ensembles do (arXiv 2507.06196); the judgement is P(True) of
        Kadavath et al. (arXiv 2207.05221).
        """
        if self.least_entailment == 0.0:
            return score
        likely = self.yes_probability(question_to_check(sentence, cited))
        if likely is None:
            return score
        if likely < self.least_entailment:
            _log.info("a sentence of the model was dropped, for it gives it only %.2f: %s", likely, sentence)
            return None
        return (2 * score + likely) / 3


def yes_or_no(reply: str) -> float | None:
    """1 for a reply that begins with Yes, 0 for one that begins with No, None for any other."""
    first = reply.strip(" \n\t\"'*.(").lower()
    return 1.0 if first.startswith("yes") else 0.0 if first.startswith("no") and not first.startswith("not") else None


def _reworded(task: _Task, text: str, cited: Sequence[LineRow], score: float) -> Claim:
    confidence = task.claim.confidence * score
    chosen = {line.id for line in cited}
    if not task.is_overview:
        evidence = tuple(entry for entry in task.claim.evidence if entry.utterance in chosen)
        return Claim(f"{text} {_sources(cited, task.wording)}", confidence, evidence)
    known = {entry.utterance for entry in task.claim.evidence}
    # What the model took from further lines of the stretch is proved by these.
    further = tuple(Evidence.of(line) for line in sorted(cited, key=lambda line: (line.start_ns, line.id)) if line.id not in known)
    return replace(task.claim, text=f"{_opening(task.claim.text)}{text}", confidence=confidence, evidence=(*task.claim.evidence, *further))


def _can_be_worded(question: Question) -> bool:
    """Whether other words than the speakers' can make an answer better: who, when and where is told by the evidence itself."""
    return question.intent in {"missed", "catch_up", "what"} or (not question.about_speech and question.intent in {"when", "where", "who"})


def _opening(text: str) -> str:
    """The part of an extractive claim that says who, where and when: everything before its quote."""
    head = text.split('"')[0]
    end = head.rfind("). ")
    return f"{head[: end + 1]}: " if end >= 0 else ""


def _sources(lines: Sequence[LineRow], wording: Wording) -> str:
    return "(" + "; ".join(f"{person(line)}, {wording.moment(line.session, line.start_ns)}-{offset(line.end_ns)}" for line in lines) + ")"
