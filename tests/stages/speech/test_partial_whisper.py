"""Partial transcripts, alone and in a graph beside the final lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.build import build
from pipeline.graph import load_graph
from pipeline.packets import NS_PER_S, Float32Array, OpenUtterance, PartialTranscript, Transcript, Utterance
from pipeline.runner import Runner
from stages.speech.partial_whisper import PartialWhisper
from stages.speech.speech_errors import SpeechError
from tests.stages.speech.speech_sources import Lines, Partials

HERE = "tests.stages.speech.speech_sources"
FINAL = """
extra_roots: [tests]
stages:
  beam: {{use: {here}.Beams, tracks: {tracks}, length_s: 13.0}}
  vad: {{use: stages.speech.silero_vad.SileroVad, in: {{beam: beam.beams}}}}
  utter: {{use: stages.speech.utterance_cutter.UtteranceCutter, partial_every_s: {every_s}, in: {{speech: vad.speech}}}}
  transcribe: {{use: stages.speech.faster_whisper.FasterWhisper, n_threads: 1, in: {{utterance: utter.utterances}}}}
  lines: {{use: {here}.Lines, in: {{transcript: transcribe.transcripts}}}}
"""
PARTIAL = """
  preview: {{use: stages.speech.partial_whisper.PartialWhisper, in: {{open: {{from: utter.open, queue: 1, when_full: drop_oldest}}}}}}
  previews: {{use: {here}.Partials, in: {{partial: preview.partials}}}}
"""


def run(shared: Path, text: str, every_s: float, *, replay: bool = True) -> tuple[list[Transcript], list[PartialTranscript]]:
    tracks = [[f"1.0:1.0:0.9:{shared / 'data/speech/jfk.flac'}"]]
    made = build(load_graph("speech", text=text.format(here=HERE, tracks=tracks, every_s=every_s)))
    Runner(made, replay=replay).run()
    lines: Any = made.stages["lines"]
    previews: Any = made.stages.get("previews", Partials())
    assert isinstance(lines, Lines)
    assert isinstance(previews, Partials)
    return lines.found, previews.found


def rows(found: list[Transcript]) -> list[object]:
    return [(line.key, line.end_ns, line.text, line.words, line.confidence) for line in found]


@pytest.fixture(scope="session")
def alone(shared: Path, weights: Path) -> list[Transcript]:
    """The lines of a graph without previews."""
    assert weights.is_dir()
    return run(shared, FINAL, 0.0)[0]


def test_partial_texts_grow_towards_the_final_lines_and_leave_them_as_they_are(shared: Path, alone: list[Transcript]) -> None:
    finals, partials = run(shared, FINAL + PARTIAL, 1.5)
    assert rows(finals) == rows(alone)
    assert len(partials) > len(finals) >= 1
    for line in finals:
        own = [partial for partial in partials if partial.pts_ns == line.utterance.pts_ns]
        for earlier, later in pairwise(own):
            assert later.text.startswith(later.stable_text)
            assert later.stable_text.startswith(earlier.stable_text)
            assert earlier.end_ns <= line.utterance.end_ns + NS_PER_S, "while they speak"
    assert any("country" in partial.stable_text for partial in partials)


def test_a_preview_that_cannot_keep_up_drops_and_changes_no_line(shared: Path, alone: list[Transcript]) -> None:
    # Not a replay: the source runs at the speed of the machine, far faster than anybody speaks.
    finals, partials = run(shared, FINAL + PARTIAL, 0.5, replay=False)
    assert rows(finals) == rows(alone)
    assert len(partials) <= 20


@pytest.fixture(scope="session")
def preview(weights: Path) -> Iterator[PartialWhisper]:
    assert weights.is_dir()
    stage = PartialWhisper()
    stage.start()
    yield stage
    stage.stop()


def opened(samples: Float32Array, start_s: float, utterance_of: Callable[..., Utterance], track: str = "t1") -> OpenUtterance:
    so_far = utterance_of(samples, start_s=start_s, track=track)
    return OpenUtterance(pts_ns=so_far.pts_ns, duration_ns=so_far.duration_ns, so_far=so_far)


def test_each_utterance_of_each_track_begins_anew_and_old_ones_are_forgotten(
    preview: PartialWhisper, speech: Callable[[str], Float32Array], utterance_of: Callable[..., Utterance]
) -> None:
    voice = speech("librivox_0880")
    looks = [opened(voice, 0.0, utterance_of), opened(voice, 0.0, utterance_of), opened(voice, 9.0, utterance_of)]
    stable = [emit.packet.stable_text for look in looks for emit in preview.on_open(look) if isinstance(emit.packet, PartialTranscript)]
    assert stable[0] == stable[2] == ""
    assert stable[1].endswith("young man.")
    for index in range(3):
        list(preview.on_open(opened(voice[:16000], 30.0 + 20 * index, utterance_of, track=f"t{2 + index}")))
    assert set(preview._following) == {"t3", "t4"}


def test_nothing_is_shown_of_what_cannot_be_read(preview: PartialWhisper, utterance_of: Callable[..., Utterance]) -> None:
    assert list(preview.on_open(opened(np.zeros(32_000, np.float32), 500.0, utterance_of))) == []


def test_what_cannot_be_is_refused(utterance_of: Callable[..., Utterance]) -> None:
    with pytest.raises(SpeechError, match="PartialWhisper: beam_size 1, n_threads 0"):
        PartialWhisper(n_threads=0)
    with pytest.raises(SpeechError) as caught:
        list(PartialWhisper().on_open(opened(np.zeros(160, np.float32), 0.0, utterance_of)))
    assert str(caught.value) == "PartialWhisper: the stage has not been started; call start() first"
