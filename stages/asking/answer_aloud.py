"""Answers questions that were asked aloud, and says the answer."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.packets import SpokenAnswer, SpokenQuestion
from pipeline.stage import Emit, In, Out, Stage
from stages.asking.asking_errors import AskingError
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.tables.row_writer import utc_ns
from stages.recall.recall import Recall
from stages.speaking.clip_sound import CLIP_RATE_HZ, clip_pieces
from stages.speaking.player import Player
from stages.speaking.synthesiser import Synthesiser

_POLL_S = 0.05
_PAUSE_S = 0.4

_log = logging.getLogger("echoic.asking")


@dataclass
class _Pending:
    """A question whose answer is on its way."""

    question: SpokenQuestion
    answer: dict[str, Any] | None = None
    made: threading.Event = field(default_factory=threading.Event)


class AnswerAloud(Stage):
    """Asks recall, says what it answers, and gives the answer on. A question to hear something ("Play me that") plays the evidence instead.

    Recall and the voice work in a thread of this stage, so the graph goes on hearing. An answer leaves as soon as the stage is told of
    anything after it was made, in the order of the questions; until then this stage promises nothing beyond its question, which holds
    up only whoever reads the answers. It is as of the moment at which the question began, and waits (`patience_s` at most) until the
    memory has everything that ended before it, so a replay answers as it did live. A new question cuts short what is still being said.
    At the end of the stream answers are still made, but what is being said then is cut short. What fails is logged; the room is heard
    on.

    Args:
        recall: what is asked.
        memory: whose session the question was heard in.
        speech: the voice; without one nothing is said.
        player: where it is heard; without one nothing is said.
        patience_s: how long to wait for the memory, 0 to 30 s.

    Raises:
        AskingError: patience_s is out of its range.
    """

    question = In(SpokenQuestion)
    answers = Out(SpokenAnswer)

    def __init__(
        self,
        recall: Recall,
        memory: LongTermMemory,
        speech: Synthesiser | None = None,
        player: Player | None = None,
        patience_s: float = 5.0,
    ) -> None:
        if not 0 <= patience_s <= 30:
            raise AskingError(f"AnswerAloud: patience_s is {patience_s}; allowed are 0 to 30")
        self._recall = recall
        self._memory = memory
        self._speech = speech
        self._player = player
        self._n_polls = round(patience_s / _POLL_S)
        self._pending: list[_Pending] = []
        self._waiting: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread that answers."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._work, name="echoic-answers")
            self._thread.start()

    def stop(self) -> None:
        """Cut short what is being said, and let the thread end; a question that is being answered is answered first."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            while thread.is_alive():
                # Told again and again: what is about to be played would not hear it.
                self._cut_short()
                thread.join(_POLL_S)

    def on_question(self, question: SpokenQuestion) -> Iterator[Emit[SpokenAnswer]]:
        """Have it answered."""
        self._cut_short()
        pending = _Pending(question)
        self._pending.append(pending)
        self._waiting.put(pending)
        yield from self._made()

    def on_passed(self, pts_ns: int) -> Iterator[Emit[SpokenAnswer]]:  # noqa: ARG002 - an answer is there or not, whatever has passed
        """Give on what has been answered."""
        yield from self._made()

    def flush(self) -> Iterator[Emit[SpokenAnswer]]:
        """Wait for the last answers."""
        for pending in tuple(self._pending):
            while self._thread is not None and not pending.made.wait(_POLL_S):
                # Whatever is still said of an earlier answer must not hold up this one.
                self._cut_short()
        yield from self._made()

    def promise(self, pts_ns: int) -> int:
        """No answer ends before its question."""
        return min(pts_ns, self._pending[0].question.end_ns) if self._pending else pts_ns

    def _made(self) -> Iterator[Emit[SpokenAnswer]]:
        """The answers that are there, in the order of their questions; those that failed are left out."""
        while self._pending and self._pending[0].made.is_set():
            pending = self._pending.pop(0)
            if pending.answer is not None:
                asked = pending.question
                yield self.answers(SpokenAnswer(pts_ns=asked.pts_ns, duration_ns=asked.duration_ns, question=asked, answer=pending.answer))

    def _cut_short(self) -> None:
        if self._player is not None:
            self._player.stop()

    def _work(self) -> None:
        """The thread: one question after the other, each answered and then said."""
        while (pending := self._waiting.get()) is not None:
            try:
                pending.answer = self._answer(pending.question)
            except Exception:  # whatever recall fails of, the room must be heard on
                _log.exception("the question %r could not be answered", pending.question.text)
            finally:
                pending.made.set()
            if pending.answer is not None and self._waiting.empty() and not self._stopping.is_set():
                try:
                    self._say(pending.answer, pending.question.track.name)
                except Exception as error:  # likewise: a device that is gone is no reason to stop hearing
                    _log.warning("an answer could not be said: %s", error)

    def _answer(self, question: SpokenQuestion) -> dict[str, Any]:
        session = self._memory.session
        for _ in range(self._n_polls):
            if self._memory.passed_ns(session) >= question.pts_ns or self._stopping.wait(_POLL_S):
                break
        moment = self._memory.session_row(session).moment(question.pts_ns)
        answer = self._recall.ask(question.text, at=moment, now=moment)
        quoted = dict.fromkeys(evidence.utterance for claim in answer.claims for evidence in claim.evidence)
        self._memory.strengths.recalled(list(quoted), utc_ns(moment))
        return answer.to_json()

    def _say(self, answer: dict[str, Any], listener: str) -> None:
        if self._player is None:
            return
        clips = [evidence["clip"] for claim in answer["claims"] for evidence in claim["evidence"] if evidence["clip"]]
        if answer["intent"] == "play" and clips:
            paths = [Path(self._memory.directory) / clip for clip in dict.fromkeys(clips)]
            self._player.play(clip_pieces(paths, _PAUSE_S), CLIP_RATE_HZ, listener)
        elif self._speech is not None:
            self._player.play(self._speech.read(str(answer["answer"])), self._speech.sample_rate_hz, listener)
