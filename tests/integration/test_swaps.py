"""Every slot of the demo's graph has at least two stages, swapped by one line of YAML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.conftest import ROOT, echoic, exported

REPLAY = (ROOT / "configs" / "replay.yaml").read_text(encoding="utf-8")
CLIP = ROOT / "tests" / "sessions" / "two_talkers.flac"

SWAPS = {
    "room": "{use: stages.capture.gst_source.GstSource, pipeline: 'filesrc location=CLIP ! decodebin', array: uma8, real_time: false, "
    "retries: 0, recording: recording}",
    "localise": "{use: stages.audio.music.Music, in: {audio: room.audio}}",
    "track": "{use: stages.audio.fixed_bearings.FixedBearings, azimuths_deg: [60.0, 225.0], "
    "in: {audio: room.audio, directions: localise.directions}}",
    "beam": "{use: stages.audio.delay_and_sum.DelayAndSum, in: {audio: room.audio, tracks: track.tracks}}",
    "vad": "{use: stages.speech.energy_vad.EnergyVad, in: {beam: beam.beams}}",
    "utter": "{use: stages.speech.fixed_cutter.FixedCutter, in: {speech: vad.speech}}",
    "transcribe": "{use: stages.speech.openai_whisper.OpenaiWhisper, in: {utterance: utter.utterances}}",
    "own": "{use: stages.speech.keep_all.KeepAll, in: {transcript: transcribe.transcripts}}",
    "segment": "{use: stages.events.silence_gap.SilenceGap, in: {line: encode.lines}}",
    "segment ": "{use: stages.events.fixed_window.FixedWindow, in: {line: encode.lines}}",
    "encoder": "{use: stages.memory.minilm_torch.MinilmTorch}",
    "encoder  ": "{use: stages.memory.minilm_onnx.MinilmOnnx}",
    "encoder ": "{use: stages.memory.hashed_words.HashedWords}",
    "memory": "{use: stages.memory.long_term_memory.LongTermMemory, encoder: encoder, index: hnsw}",
    "answerer": "{use: stages.answer.llama_cpp.LlamaCpp, encoder: encoder}",
    "recall": "{use: stages.recall.keyword_recall.KeywordRecall, memory: memory, answerer: answerer}",
    "remember": "{use: stages.sinks.jsonl_file.JsonlFile, path: LINES, in: {line: encode.lines}}",
}


def swapped(slot: str, line: str) -> str:
    """The demo's graph with the one line of a slot replaced."""
    text, n_replaced = re.subn(rf"(?m)^  {slot.strip()}: .*$", lambda _: f"  {slot.strip()}: {line}", REPLAY)
    assert n_replaced == 1
    return text


SLOTS = [
    # Events are remembered and their lines are not, since what would remember those is swapped.
    pytest.param(slot, marks=pytest.mark.broken_memory) if slot == "remember" else slot
    for slot in SWAPS
]


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("slot", SLOTS)
def test_one_line_swaps_a_stage(slot: str, tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    config = tmp_path / "swapped.yaml"
    config.write_text(swapped(slot, SWAPS[slot].replace("CLIP", str(CLIP)).replace("LINES", str(lines))), encoding="utf-8")
    memory = tmp_path / "memory"
    if slot == "room":
        echoic("run", config, "--memory", memory, "--port", "0")
    else:
        echoic("replay", CLIP, "--array", "uma8", "--memory", memory, "--config", config)
    if slot == "remember":
        assert "".join(lines.read_text(encoding="utf-8")).count('"text"') >= 2
        return
    rows = exported(memory)
    assert len({row["track"] for row in rows}) >= 2
    assert all(row["azimuth_deg"] is not None and row["text"] for row in rows)
    answer = echoic("ask", "Who spoke?", "--memory", memory)
    assert answer
