"""The speech stages together, in a graph with its threads."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.build import build
from pipeline.graph import load_graph
from pipeline.packets import NS_PER_S, Transcript
from pipeline.runner import Runner
from tests.stages.speech.speech_sources import Lines

HERE = "tests.stages.speech.speech_sources"
GRAPH = """
extra_roots: [tests]
stages:
  beam: {{use: {here}.Beams, tracks: {tracks}, length_s: 16.0, block_frames: {block_frames}}}
  vad: {{use: stages.speech.{vad}, in: {{beam: beam.beams}}}}
  utter: {{use: stages.speech.{cutter}, in: {{speech: vad.speech}}}}
  transcribe: {{use: stages.speech.{recogniser}, in: {{utterance: utter.utterances}}}}
  own: {{use: stages.speech.{marker}, in: {{transcript: transcribe.transcripts}}}}
  lines: {{use: {here}.Lines, in: {{transcript: own.transcripts}}}}
"""
DEFAULTS = {
    "vad": "silero_vad.SileroVad",
    "cutter": "utterance_cutter.UtteranceCutter",
    "recogniser": "faster_whisper.FasterWhisper",
    "marker": "copy_marker.CopyMarker",
    "block_frames": "512",
}


def run(shared: Path, **choices: str) -> list[Transcript]:
    folder = shared / "data/speech"
    agent, voice, other = (folder / f"{name}.flac" for name in ("librivox_0890", "librivox_0880", "asterisk_invalid"))
    tracks = [
        [f"1.0:1.0:0.9:{agent}", f"10.0:0.1:0.35:{voice}"],
        [f"1.0:0.2:0.4:{agent}", f"3.0:1.0:0.9:{other}", f"10.0:1.0:0.9:{voice}"],
        [f"1.0:0.1:0.1:{agent}"],
    ]
    made = build(load_graph("speech", text=GRAPH.format(here=HERE, tracks=tracks, **{**DEFAULTS, **choices})))
    Runner(made, replay=True).run()
    sink: Any = made.stages["lines"]
    assert isinstance(sink, Lines)
    return sink.found


def said(found: list[Transcript]) -> dict[str, str]:
    text: dict[str, str] = {}
    for transcript in found:
        text[transcript.utterance.track.name] = f"{text.get(transcript.utterance.track.name, '')} {transcript.text}".strip()
    return text


@pytest.mark.usefixtures("weights")
def test_two_talkers_are_transcribed_each_on_their_own_beam_and_leaks_are_marked(shared: Path) -> None:
    found = run(shared)
    own = [transcript for transcript in found if transcript.copy_of is None]
    assert said(own)["t1"].lower().strip(".,") == "unless to be rather cold-hearted and rather selfish is to be ill-disposed"
    assert said(own)["t2"].endswith("young man.")
    assert "t3" not in said(found), "what is on a beam by leakage alone never becomes an utterance"
    assert {transcript.copy_of for transcript in found if transcript.pts_ns > 9 * NS_PER_S} == {None, "t2"}
    assert all(first.end_ns <= second.end_ns for first, second in pairwise(found))


@pytest.mark.usefixtures("weights")
def test_two_replays_are_the_same_bit_for_bit(shared: Path) -> None:
    first, second = run(shared), run(shared)
    assert len(first) == len(second) > 2
    for one, other in zip(first, second, strict=True):
        assert (one.key, one.end_ns, one.text, one.words, one.confidence, one.copy_of) == (
            other.key,
            other.end_ns,
            other.text,
            other.words,
            other.confidence,
            other.copy_of,
        )
        assert np.array_equal(one.utterance.samples, other.utterance.samples)


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(
    ("choice", "stage"),
    [
        ("vad", "energy_vad.EnergyVad"),
        ("cutter", "fixed_cutter.FixedCutter"),
        ("marker", "keep_all.KeepAll"),
        ("recogniser", "wordless.Wordless"),
        ("block_frames", "800"),
    ],
)
def test_every_slot_can_be_filled_by_its_other_stage(shared: Path, choice: str, stage: str) -> None:
    found = run(shared, **{choice: stage})
    assert {"t1", "t2"} <= set(said(found))
    if choice == "recogniser":
        assert set(said(found)["t1"].split()) == {"[speech]"}
    else:
        assert "rather selfish" in said(found)["t1"]
