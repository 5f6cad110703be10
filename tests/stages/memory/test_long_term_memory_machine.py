"""Long-term memory as a whole against a model of a few dictionaries, whatever is done, interrupted or opened anew."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from unittest import mock

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.packets import NS_PER_S, Gap, Line
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.tables import row_writer
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row

SESSIONS = ("s1", "s2")
WORDS = ("ferry", "dog", "kitchen", "budget", "lighthouse", "train")

PLACES = st.integers(0, 40)
SPOKEN = st.tuples(PLACES, st.integers(0, 2), st.lists(st.sampled_from(WORDS), max_size=3), st.booleans())


@dataclass
class Model:
    """What a session should hold: lines by id, events by name with their lines, the event of each line, gaps, how far it is stored."""

    lines: dict[str, Line] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)
    event_of: dict[str, str] = field(default_factory=dict)
    gaps: set[tuple[int, int, str]] = field(default_factory=set)
    passed_ns: int = 0
    complete: bool = False

    def torn(self) -> list[str]:
        """Events of which a line is not stored."""
        return sorted({name for key, name in self.event_of.items() if key not in self.lines})

    def opened(self) -> None:
        """What opening a memory takes back."""
        if not self.complete:
            for name in self.torn():
                self.events.pop(name, None)
                self.event_of = {key: event for key, event in self.event_of.items() if event != name}


class Memory(RuleBasedStateMachine):
    """A second between the places of lines: they start there and last less than one."""

    @initialize(index=st.sampled_from(["flat", "hnsw", "ivf_sq8"]))
    def begin(self, index: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="echoic-machine-"))
        self.index = index
        self.n_copies = 0
        self.directory = self.folder / "0"
        self.model = {name: Model() for name in SESSIONS}
        self.memory = self._opened()
        for name in SESSIONS:
            self.memory.begin_session(session_row(name))

    @rule(name=st.sampled_from(SESSIONS), spoken=st.lists(SPOKEN, min_size=1, max_size=4, unique_by=lambda entry: entry[:2]))
    def hear(self, name: str, spoken: list[tuple[int, int, list[str], bool]]) -> None:
        lines = self._lines(spoken)
        self.memory.add_lines(name, lines, lines[-1].end_ns)
        self._heard(self.model[name], lines)

    @rule(name=st.sampled_from(SESSIONS), spoken=st.lists(SPOKEN, min_size=1, max_size=3, unique_by=lambda entry: entry[:2]))
    def die_while_hearing(self, name: str, spoken: list[tuple[int, int, list[str], bool]]) -> None:
        """The process is killed after the audio was written and before the transaction ended: what a copy of the files shows."""
        lines = self._lines(spoken)
        with self._copied_before("set_passed"):
            self.memory.add_lines(name, lines, lines[-1].end_ns)
        self._go_on_with_the_copy()

    @rule()
    def die(self) -> None:
        """The process is killed between two calls."""
        self._copy()
        self._go_on_with_the_copy()

    @rule()
    def reopen(self) -> None:
        self.memory.stop()
        self.memory = self._opened()
        for model in self.model.values():
            model.opened()

    @precondition(lambda self: any(model.lines for model in self.model.values()))
    @rule(data=st.data(), unheard=st.one_of(st.none(), PLACES))
    def tell(self, data: st.DataObject, unheard: int | None) -> None:
        """An event of some lines; one of them may be on its way still."""
        name = data.draw(st.sampled_from([name for name, model in self.model.items() if model.lines]))
        model = self.model[name]
        keys = data.draw(st.lists(st.sampled_from(sorted(model.lines)), min_size=1, max_size=4, unique=True))
        lines = [model.lines[key] for key in keys]
        if unheard is not None and not model.complete:
            lines.append(line("on its way", unheard, 0.9, track="t2"))
        keys = [entry.transcript.key for entry in lines]
        told = f"event-{keys[0]}"
        if any(other != told and model.event_of.get(key) == other for key in keys for other in model.torn()):
            return
        self.memory.add_event(name, event(told, lines))
        model.events[told] = keys
        model.event_of.update(dict.fromkeys(keys, told))

    @rule(name=st.sampled_from(SESSIONS), place=PLACES, reason=st.sampled_from(["dropped", "overrun"]))
    def lose(self, name: str, place: int, reason: str) -> None:
        gap = Gap(pts_ns=place * NS_PER_S, duration_ns=NS_PER_S, reason=reason)
        self.memory.add_gap(name, gap)
        self.model[name].gaps.add((gap.pts_ns, gap.end_ns, reason))

    @rule(name=st.sampled_from(SESSIONS), place=PLACES)
    def pass_time(self, name: str, place: int) -> None:
        self.memory.set_passed(name, place * NS_PER_S)
        self.model[name].passed_ns = max(self.model[name].passed_ns, place * NS_PER_S)

    @rule(name=st.sampled_from(SESSIONS))
    def finish(self, name: str) -> None:
        if not self.model[name].torn():
            self.memory.finish_session(name, 50 * NS_PER_S)
            self.model[name].complete = True

    @rule(word=st.sampled_from(WORDS), at=st.one_of(st.none(), PLACES))
    def search(self, word: str, at: int | None) -> None:
        """Word search finds exactly the lines with the word; search by meaning the nearest, exactly."""
        moment = None if at is None else STARTED_AT + timedelta(seconds=at)
        known = {
            f"{name}-{key}": entry
            for name, model in self.model.items()
            for key, entry in model.lines.items()
            if entry.transcript.copy_of is None and (at is None or entry.end_ns <= at * NS_PER_S)
        }
        found = {hit.line for hit in self.memory.search_words(word, 500, moment)}
        assert found == {name for name, entry in known.items() if word in entry.transcript.text.split()}
        vector = ENCODER.encode([word])[0]
        hits = self.memory.search_dense(vector, 3, moment)
        cosines = sorted((float(entry.embedding @ vector) for entry in known.values()), reverse=True)[:3]
        np.testing.assert_allclose([hit.score for hit in hits], cosines, atol=1e-5)
        assert {hit.line for hit in hits} <= known.keys()

    @invariant()
    def it_holds_what_was_stored(self) -> None:
        for name, model in self.model.items():
            rows = self.memory.lines(name, copies=True)
            assert [row.start_ns for row in rows] == sorted(row.start_ns for row in rows)
            assert {row.id: (row.text, row.start_ns, row.end_ns, row.copy_of) for row in rows} == {
                f"{name}-{key}": (entry.transcript.text, entry.pts_ns, entry.end_ns, entry.transcript.copy_of)
                for key, entry in model.lines.items()
            }
            stored = {f"{name}-{key}": f"{name}-{told}" for key, told in model.event_of.items() if key in model.lines}
            assert {row.id: row.event for row in rows if row.event} == stored
            assert {row.id for row in self.memory.events(name)} == {f"{name}-{told}" for told in model.events}
            assert {(row.start_ns, row.end_ns, row.reason) for row in self.memory.gaps(name)} == model.gaps
            assert self.memory.passed_ns(name) == model.passed_ns
            assert self.memory.session_row(name).complete == model.complete
            assert all((self.directory / row.clip).is_file() for row in rows if row.clip)

    def teardown(self) -> None:
        if hasattr(self, "memory"):
            self.reopen()
            self.it_holds_what_was_stored()
            assert self.memory.check() == []
            named = {row.clip for row in self.memory.lines(copies=True)}
            there = {path.relative_to(self.directory).as_posix() for path in self.directory.glob("lines/*/*")}
            assert there == named - {None}
            self.memory.stop()
            shutil.rmtree(self.folder)

    def _opened(self) -> LongTermMemory:
        memory = LongTermMemory(ENCODER, str(self.directory), index=self.index)  # type: ignore[arg-type] # drawn from the kinds
        memory.start()
        return memory

    def _lines(self, spoken: list[tuple[int, int, list[str], bool]]) -> list[Line]:
        made = [
            line(" ".join(words), place, 0.9, track=f"t{track}", copy_of="t9" if is_copy else None, audio_s=0.01 * track)
            for place, track, words, is_copy in spoken
        ]
        return sorted(made, key=lambda entry: entry.end_ns)

    def _heard(self, model: Model, lines: list[Line]) -> None:
        for entry in lines:
            model.lines.setdefault(entry.transcript.key, entry)
        model.passed_ns = max(model.passed_ns, lines[-1].end_ns)

    @contextmanager
    def _copied_before(self, name: str) -> Iterator[None]:
        real = getattr(row_writer, name)

        def copy_first(*arguments: object) -> None:
            self._copy()
            real(*arguments)

        with mock.patch.object(row_writer, name, copy_first):
            yield

    def _copy(self) -> None:
        self.n_copies += 1
        shutil.copytree(self.directory, self.folder / str(self.n_copies), ignore=shutil.ignore_patterns("*-shm"))

    def _go_on_with_the_copy(self) -> None:
        self.memory.stop()
        shutil.rmtree(self.directory)
        self.directory = self.folder / str(self.n_copies)
        self.memory = self._opened()
        for model in self.model.values():
            model.opened()


TestMemory = Memory.TestCase
TestMemory.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
