"""Summaries of what was said, for sleep: in a language model's words where these hold against the lines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from stages.answer.answerer import Answerer
from stages.answer.chat_answerer import ChatAnswerer, ChatError
from stages.answer.claim_check import problem
from stages.answer.moods import may_be_worded
from stages.answer.prompt import messages, sentences
from stages.memory.rows import LineRow
from stages.memory.sleeping.summary_step import CannotWriteError
from stages.recall.untranscribed import is_untranscribed

_log = logging.getLogger("echoic.sleep")
_TASK = "Say in one sentence what these people talked about and agreed."


def summary_writer(answerer: Answerer | None) -> Callable[[Sequence[LineRow]], str | None] | None:
    """What words summaries with an answerer's language model; None for one that quotes.

    Lines are data: those that read like orders are left out, and a sentence that the lines do not support is dropped. Without a reply
    it raises CannotWriteError, and the model is not asked again: it would only fail again and take its time.
    """
    if not isinstance(answerer, ChatAnswerer):
        return None
    asked: ChatAnswerer | None = answerer

    def write(lines: Sequence[LineRow]) -> str | None:
        nonlocal asked
        notes = [line for line in lines if not is_untranscribed(line) and may_be_worded([line], lines)]
        if not notes or not may_be_worded(notes, lines):
            return None
        if asked is None:
            raise CannotWriteError("the model did not answer before")
        try:
            reply = asked.reply(messages(_TASK, notes))
        except ChatError as error:
            _log.warning("summaries stay in the speakers' own words: %s", error)
            asked = None
            raise CannotWriteError(str(error)) from error
        held = [
            sentence.text
            for sentence in sentences(reply, len(notes))
            if problem(sentence.text, [notes[place] for place in sentence.cited], "", answerer.encoder, lines) is None
        ]
        return held[0] if held else None

    return write
