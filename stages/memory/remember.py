"""Lines into long-term memory, by way of short-term memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.packets import Float32Array, Gap, Line, Tracks, nanoseconds
from pipeline.stage import END_NS, Emit, In, Stage
from stages.memory.long_term_memory import LongTermMemory, MemoryError_
from stages.memory.repeats import Repeats
from stages.memory.short_term_store.attention_gate import AttentionGate
from stages.memory.short_term_store.short_term import Leaving, ShortTermStore

_KEPT_EVERY = 16
"""Lines after which the state of short-term memory is stored; those since are taken again after a crash, to the same end."""


class Remember(Stage):
    """Stores each line as soon as it is there, and where the tracks are.

    The position up to which everything is stored is written with every line, and every `commit_every_s` of silence. Lines that the
    memory has from a run that was cut short are left out.

    Lines pass through a short-term memory of `short_term_capacity` traces and `short_term_bytes` bytes (0: no bound), where neighbours
    with a cosine of `merge_likeness` or more may merge. Lines and questions rehearse it; how much a line was used there becomes its
    salience, and what several lines had in common becomes a prototype. A line with a cosine of `gate_likeness` (1.01: off) or more to
    what is there, or with fewer than `gate_words` (0: off) words that say something, rehearses but takes no place.
    """

    line = In(Line)
    tracks = In(Tracks)
    lossless = True

    def __init__(
        self,
        memory: LongTermMemory,
        short_term_capacity: int = 64,
        commit_every_s: float = 1.0,
        short_term_bytes: int = 262144,
        merge_likeness: float = 0.3,
        gate_likeness: float = 0.85,
        gate_words: int = 2,
    ) -> None:
        self._memory = memory
        self._bounds = (short_term_capacity, short_term_bytes, merge_likeness)
        self._short_term = ShortTermStore(*self._bounds)
        self._gate = AttentionGate(gate_likeness, gate_words)
        self._leaving: list[tuple[Leaving, int]] = []
        self._n_taken = 0
        self._commit_every_ns = nanoseconds(commit_every_s)
        self._repeats = Repeats()
        self._session = ""
        self._passed_ns = 0
        self._committed_ns = 0

    def start(self) -> None:
        """Go on where the session stands. Raises MemoryError_ when no session has begun."""
        self._session = self._memory.session
        if not self._session:
            raise MemoryError_("nothing can be remembered yet: begin_session says which session it is")
        self._repeats = Repeats.of(self._memory, self._session)
        self._passed_ns = self._committed_ns = self._memory.passed_ns(self._session)
        traces, lines = self._memory.prototypes.take_up(self._session)
        self._short_term = ShortTermStore(*self._bounds, traces=traces)
        self._leaving = [(left, 0) for left in self._short_term.keep_bounds()]
        for line in lines:
            self._attend(line.key, line.text, line.vector, line.start_ns, line.end_ns)
        if self._leaving or lines:
            self._keep()

    def on_line(self, line: Line) -> Iterable[Emit[Any]]:
        """Store a line with its audio; it can be found when this returns."""
        if self._repeats.has(line):
            return ()
        self._passed_ns = max(self._passed_ns, line.end_ns)
        self._memory.add_lines(self._session, [line], self._passed_ns)
        self._committed_ns = self._passed_ns
        said = line.transcript
        if said.copy_of is None:
            questions = self._memory.rehearsals.drain()
            for vector in questions:
                self._short_term.rehearse(vector)
            self._attend(said.key, said.text, line.embedding, line.pts_ns, said.spoken_end_ns)
            if questions or self._n_taken >= _KEPT_EVERY:
                self._keep()
        return ()

    def on_tracks(self, tracks: Tracks) -> Iterable[Emit[Any]]:
        """Note where the tracks are."""
        self._memory.add_tracks(self._session, tracks)
        return ()

    def on_gap(self, gap: Gap) -> Iterable[Emit[Any]]:
        """Note what was lost, so that answers can say so."""
        self._memory.add_gap(self._session, gap)
        return ()

    def on_passed(self, pts_ns: int) -> Iterable[Emit[Any]]:
        """Note how far everything is stored."""
        if pts_ns < END_NS - 1:
            self._passed_ns = max(self._passed_ns, pts_ns)
            if self._passed_ns - self._committed_ns >= self._commit_every_ns:
                self._commit()
        return ()

    def flush(self) -> Iterable[Emit[Any]]:
        """Store what short-term memory still holds, and how far the session went."""
        for vector in self._memory.rehearsals.drain():
            self._short_term.rehearse(vector)
        self._leaving += [(left, self._passed_ns) for left in self._short_term.clear()]
        self._keep()
        self._commit()
        return ()

    def short_term_used_bytes(self) -> int:
        """The bytes that short-term memory takes where it is stored; never more than `short_term_bytes`."""
        return self._short_term.used_bytes()

    def _attend(self, key: str, text: str, vector: Float32Array, start_ns: int, end_ns: int) -> None:
        """Let a line into short-term memory, or let it rehearse what is there."""
        said_again = self._gate.repeats(vector, self._short_term.traces)
        if self._gate.is_empty(text):
            self._short_term.rehearse(vector)
            left = [Leaving(key, 0.0)]
        elif said_again is not None:
            left = self._short_term.join(key, vector, said_again, start_ns, end_ns)
        else:
            left = self._short_term.take(key, vector, start_ns, end_ns)
        self._leaving += [(entry, end_ns) for entry in left]
        self._n_taken += 1

    def _keep(self) -> None:
        self._memory.prototypes.keep(self._session, self._short_term, self._leaving)
        self._leaving, self._n_taken = [], 0

    def _commit(self) -> None:
        self._memory.set_passed(self._session, self._passed_ns)
        self._committed_ns = self._passed_ns
