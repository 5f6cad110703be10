"""What answerers with an LLM share: it may reword claims, and every sentence of it is checked against the evidence."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence

from stages.answer.answerer import Answerer
from stages.answer.claim_check import problem
from stages.answer.extractive import Extractive
from stages.answer.prompt import messages, reads_like_order, sentences
from stages.answer.wording import Wording, offset, person
from stages.memory.rows import LineRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import Claim
from stages.recall.material import Material
from stages.recall.question import Question
from stages.recall.untranscribed import is_untranscribed

_log = logging.getLogger(__name__)


class ChatError(RuntimeError):
    """A language model gave no reply; the message says why and what to do."""


class ChatAnswerer(Answerer):
    """Takes the extractive claims and has an LLM put the best of them into its own words.

    The LLM decides nothing: which lines answer, and whether anything does, is settled before it is asked. A sentence that its
    evidence does not support,
    a refusal or a failure leaves the extractive wording in place. `most_worded` bounds how many claims are reworded.
    """

    def __init__(self, encoder: TextEncoder | None = None, most_worded: int = 3) -> None:
        if most_worded < 1:
            raise ValueError(f"{type(self).__name__}: most_worded must be at least 1, found {most_worded}")
        self.encoder = encoder
        self.most_worded = most_worded
        self._extractive = Extractive(encoder)

    @abstractmethod
    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        """The model's reply to a chat of {"role", "content"} messages. Raises ChatError where there is none."""

    def compose(self, question: Question, material: Material) -> list[Claim]:
        """The extractive claims, the first of them in the LLM's words where these hold."""
        claims = self._extractive.compose(question, material)
        lines = _lines(material)
        worded: list[Claim] = []
        for place, claim in enumerate(claims):
            notes = [lines[evidence.utterance] for evidence in claim.evidence]
            quoted_only = any(reads_like_order(line.text) or is_untranscribed(line) for line in notes)
            if place >= self.most_worded or not _can_be_worded(question) or quoted_only:
                worded.append(claim)
                continue
            try:
                worded.append(self._worded(question, claim, notes, Wording(material.sessions)))
            except ChatError as error:
                _log.warning("answering in the speakers' own words: %s", error)
                return [*worded, *claims[place:]]
        return worded

    def _worded(self, question: Question, claim: Claim, notes: Sequence[LineRow], wording: Wording) -> Claim:
        overview = question.intent in {"missed", "catch_up"}
        task = "Say in one sentence what these people talked about and agreed." if overview else f"Question: {question.text}"
        reply = self.reply(messages(task, notes))
        asked = "" if overview else question.text
        for sentence in sentences(reply, len(notes)):
            cited = [notes[place] for place in sentence.cited]
            fault = problem(sentence.text, cited, asked, self.encoder)
            if fault is not None:
                _log.info("a sentence of the model was dropped for %s: %s", fault, sentence.text)
                continue
            text = f"{_opening(claim.text)}{sentence.text}" if overview else f"{sentence.text} {_sources(cited, wording)}"
            chosen = {line.id for line in cited}
            evidence = claim.evidence if overview else tuple(entry for entry in claim.evidence if entry.utterance in chosen)
            return Claim(text, claim.confidence, evidence)
        return claim


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


def _lines(material: Material) -> dict[str, LineRow]:
    lines = {line.id: line for found in material.found for line in (found.line, *found.context)}
    for stretch in (*material.attended, *material.missed, *material.stretches):
        lines.update((line.id, line) for line in stretch.lines)
    return lines
