"""A recording against an array of samples, as in `test_session_machine`, while its oldest segments leave."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from pipeline.packets import Gap
from pipeline.recorded import frames_to_ns
from pipeline.retention import let_go, may_leave, segments
from pipeline.session import SessionReader
from tests.pipeline.test_session_machine import SEGMENT_FRAMES, Recorded


class Retained(Recorded):
    """`samples` are zeros up to `n_left`; `gaps` are one over what left, and what was lost after it."""

    @initialize()
    def nothing_has_left(self) -> None:
        self.n_left = 0

    @rule(share=st.floats(0.0, 1.0), reader_is_behind=st.booleans())
    def leave(self, share: float, reader_is_behind: bool) -> None:
        free = may_leave(segments(self.directory), self.writer.info, None)
        free = free[: round(share * len(free))]
        if free:
            let_go(self.directory, self.writer.info, [part.index for part in free])
            self.n_left = (free[-1].index + 1) * SEGMENT_FRAMES
            self._tell()
        if not reader_is_behind:
            self.reader.close()
            self.reader = SessionReader(self.directory)

    @rule(start_ns=st.integers(0, 10**9))
    def lose(self, start_ns: int) -> None:
        start_ns = start_ns // 10**7 * 10**7
        self.writer.mark_gap(Gap(pts_ns=start_ns, duration_ns=10**6, reason="dropped"))
        self.gaps.add((start_ns, start_ns + 10**6))
        self._tell()

    @rule(share=st.floats(0.0, 1.0), n_frames=st.integers(0, 1500))
    def read(self, share: float, n_frames: int) -> None:
        first = round(share * self.samples.shape[1])
        got = self.reader.read(first, n_frames)
        assert got.shape[1] == min(n_frames, self.samples.shape[1] - first)
        # A reader may still have what has left since it was opened.
        kept = max(0, self.n_left - first)
        np.testing.assert_array_equal(got[:, kept:], self.samples[:, first : first + n_frames][:, kept:])

    def _tell(self) -> None:
        self.samples[:, : self.n_left] = 0
        left_ns = frames_to_ns(self.n_left, self.info.sample_rate_hz)
        self.gaps = {(start, end) for start, end in self.gaps if end > left_ns} | ({(0, left_ns)} if left_ns else set())


TestRetained = Retained.TestCase
TestRetained.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
