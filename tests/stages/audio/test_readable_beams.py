"""A beam is there to be read: word errors of a recogniser on the mix, on delay-and-sum and on MVDR beams."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import pytest
from faster_whisper import WhisperModel

from pipeline.geometry import load_array
from pipeline.packets import Float32Array
from stages.audio.delay_and_sum import DelayAndSum
from tests.sound_fields import RATE_HZ, clip, room
from tests.stages.audio.front_end import hear

TALKERS = {40.0: ["libri_2412-153948-0000"], 130.0: ["librivox_0870", "librivox_0890"]}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z ]", "", text.lower().replace("-", " ").replace("mr.", "mister"))


@pytest.fixture(scope="module")
def recognise(weights: Path) -> Callable[[Float32Array], str]:
    model = WhisperModel(str(weights / "whisper-base"), device="cpu", compute_type="int8", cpu_threads=2)

    def text_of(samples: Float32Array) -> str:
        segments, _ = model.transcribe(0.5 * samples / np.abs(samples).max(), language="en", beam_size=1, temperature=0.0)
        return " ".join(segment.text for segment in segments)

    return text_of


@pytest.mark.slow
def test_the_mvdr_beam_is_readable(shared: Path, recognise: Callable[[Float32Array], str]) -> None:
    with (shared / "data" / "speech" / "transcripts.tsv").open(encoding="utf-8") as lines:
        said = {row[0].removesuffix(".flac"): row[1] for row in csv.reader(lines, delimiter="\t")}
    array = load_array("uma8")
    talkers = [(azimuth, np.concatenate([clip(shared, name) for name in names]), 0.5) for azimuth, names in TALKERS.items()]
    scene = room(array, talkers, rt60_s=0.3)
    mvdr, summed = hear(array, scene.mix), hear(array, scene.mix, beam=DelayAndSum())
    errors: dict[str, list[float]] = {"mix": [], "delay_and_sum": [], "mvdr": []}
    for (azimuth, names), image in zip(TALKERS.items(), scene.images, strict=True):
        (track,) = (name for name in mvdr.names if abs(mvdr.azimuth_deg(name) - azimuth) < 5.0)
        span = slice(0, int(np.flatnonzero(np.abs(image[0]) > 1e-3)[-1]) + RATE_HZ // 4)
        truth = _plain(" ".join(said[name] for name in names))
        for kind, samples in (("mix", scene.mix[0]), ("delay_and_sum", summed.beams[track]), ("mvdr", mvdr.beams[track])):
            errors[kind].append(jiwer.wer(truth, _plain(recognise(samples[span]))))
    assert max(errors["mvdr"]) <= 0.2, errors
    assert np.mean(errors["mvdr"]) < 0.4 * np.mean(errors["delay_and_sum"]), errors
    assert np.mean(errors["mix"]) > 0.5, errors
