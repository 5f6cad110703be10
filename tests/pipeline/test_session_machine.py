"""A recording against an array of samples: appended in any pieces, closed, killed, torn at its end, read while it grows."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.packets import Float32Array, Gap
from pipeline.session import SessionReader, SessionWriter, recover
from pipeline.session_info import SessionInfo
from pipeline.testing import line_array

SEGMENT_FRAMES = 700
AU_HEADER_BYTES = 32


class Recorded(RuleBasedStateMachine):
    """`samples` is what must be read, float32, shape (channels, frames); `gaps` what must be told."""

    @initialize(n_channels=st.sampled_from([1, 2, 9]))
    def begin(self, n_channels: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="echoic-recorded-"))
        self.n_copies = 0
        self.directory = self.folder / "0"
        self.samples = np.zeros((n_channels, 0), dtype=np.float32)
        self.gaps: set[tuple[int, int]] = set()
        self.generator = np.random.default_rng(n_channels)
        began = datetime(2026, 11, 22, tzinfo=UTC)
        self.info = SessionInfo(id="one", source="s", array=line_array(n_channels), started_at=began, segment_frames=SEGMENT_FRAMES)
        self.writer = SessionWriter(self.directory, self.info)
        self.reader = SessionReader(self.directory)

    @rule(n_frames=st.integers(0, 1600))
    def append(self, n_frames: int) -> None:
        levels = self.generator.integers(-(2**23), 2**23, (len(self.samples), n_frames))
        samples = (levels / 2**23).astype(np.float32)
        self.writer.append(samples)
        self.samples = np.concatenate([self.samples, samples], axis=1)

    @rule(start_ns=st.integers(0, 10**9))
    def lose(self, start_ns: int) -> None:
        # Apart from each other, so that none is merged with another.
        start_ns = start_ns // 10**7 * 10**7
        self.writer.mark_gap(Gap(pts_ns=start_ns, duration_ns=10**6, reason="dropped"))
        self.gaps.add((start_ns, start_ns + 10**6))

    @rule()
    def close(self) -> None:
        self.writer.close()
        self._open()

    @rule()
    def finish_and_go_on(self) -> None:
        self.writer.finish(complete=False)
        self._open()

    @rule(is_recovered=st.booleans())
    def die(self, is_recovered: bool) -> None:
        """What is in the files is all there is, and that is all that was appended."""
        self._go_on_with_a_copy()
        if is_recovered:
            assert recover(self.directory) == self.samples.shape[1]
        self._open()

    @precondition(lambda self: self.samples.shape[1] % SEGMENT_FRAMES > 0)
    @rule(share=st.floats(0.0, 1.0))
    def tear(self, share: float) -> None:
        """The power is cut: of what was appended last only a part is on the disk, and a line of the gaps is half there."""
        self._go_on_with_a_copy()
        (tail,) = self.directory.glob("audio/*.au")
        data = tail.read_bytes()
        frame_bytes = 3 * len(self.samples)
        kept = data[: AU_HEADER_BYTES + round(share * (len(data) - AU_HEADER_BYTES))]
        tail.write_bytes(kept)
        n_gone = (len(data) - AU_HEADER_BYTES) // frame_bytes - (len(kept) - AU_HEADER_BYTES) // frame_bytes
        self.samples = self.samples[:, : self.samples.shape[1] - n_gone]
        with (self.directory / "gaps.jsonl").open("ab") as file:
            file.write(b'{"pts_ns": 5, "dura')
        self._open()

    @rule(share=st.floats(0.0, 1.0), n_frames=st.integers(0, 1500))
    def read(self, share: float, n_frames: int) -> None:
        first = round(share * self.samples.shape[1])
        np.testing.assert_array_equal(self.reader.read(first, n_frames), self.samples[:, first : first + n_frames])

    @invariant()
    def it_is_what_was_appended(self) -> None:
        assert self.writer.frames == self.reader.frames == self.samples.shape[1]
        assert {(gap.pts_ns, gap.end_ns) for gap in self.reader.gaps} == self.gaps
        assert self.reader.faults() == []

    def teardown(self) -> None:
        if not hasattr(self, "writer"):
            return
        self.writer.finish()
        self.reader.close()
        with SessionReader(self.directory) as reader:
            heard: Float32Array = reader.read(0, reader.frames)
            np.testing.assert_array_equal(heard, self.samples)
            assert reader.info.complete
            assert reader.faults() == []
            assert {(gap.pts_ns, gap.end_ns) for gap in reader.gaps} == self.gaps
        assert {path.suffix for path in (self.directory / "audio").iterdir()} <= {".flac"}
        shutil.rmtree(self.folder)

    def _open(self) -> None:
        self.reader.close()
        self.writer = SessionWriter(self.directory, self.info)
        self.reader = SessionReader(self.directory)

    def _go_on_with_a_copy(self) -> None:
        self.n_copies += 1
        copy = self.folder / str(self.n_copies)
        shutil.copytree(self.directory, copy)
        self.writer.close()
        self.reader.close()
        shutil.rmtree(self.directory)
        self.directory = copy


TestRecorded = Recorded.TestCase
TestRecorded.settings = settings(
    max_examples=50, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
