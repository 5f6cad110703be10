"""Summaries of what was said, for sleep: in a language model's words where these hold against the lines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from stages.answer.answerer import Answerer
from stages.answer.best_of import BestOf
from stages.answer.chat_answerer import ChatAnswerer, ChatError
from stages.answer.claim_check import problem
from stages.answer.moods import may_be_worded
from stages.answer.prompt import messages, overview_task, sentences
from stages.memory.rows import LineRow
from stages.memory.sleeping.summary_step import CannotWriteError
from stages.recall.untranscribed import is_untranscribed

_log = logging.getLogger("echoic.sleep")


def summary_writer(answerer: Answerer | None) -> Callable[[Sequence[LineRow]], str | None] | None:
    """What words summaries with an answerer's language model; None for one that quotes.

    Lines are data: those that read like orders are left out, and a sentence that the lines do not support is dropped. Without a reply
    it raises CannotWriteError, and the model is not asked again: it would only fail again and take its time.
    """
    writer = _writer(answerer)
    if writer is None:
        return None
    asked: ChatAnswerer | None = writer

    def write(lines: Sequence[LineRow]) -> str | None:
        nonlocal asked
        notes = [line for line in lines if not is_untranscribed(line) and may_be_worded([line], lines)]
        if not notes or not may_be_worded(notes, lines):
            return None
        if asked is None:
            raise CannotWriteError("the model did not answer before")
        try:
            reply = asked.reply(messages(overview_task(notes), notes))
        except ChatError as error:
            _log.warning("summaries stay in the speakers' own words: %s", error)
            asked = None
            raise CannotWriteError(str(error)) from error
        held = [
            sentence.text
            for sentence in sentences(reply, len(notes))
            if problem(sentence.text, [notes[place] for place in sentence.cited], "", writer.encoder, lines) is None
        ]
        return held[0] if held else None

    return write


def _writer(answerer: Answerer | None) -> ChatAnswerer | None:
    """The first answerer with a language model; one of several at once is enough for sleep."""
    if isinstance(answerer, BestOf):
        return next((found for part in answerer.parts if (found := _writer(part)) is not None), None)
    return answerer if isinstance(answerer, ChatAnswerer) else None
