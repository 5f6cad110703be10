"""The real recordings of the benchmark: excerpts of AMI meetings on one microphone, and a talker before a line of fifteen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools.hearing_der import Diarisation, diarisation_error, turns_of
from tools.hearing_places import apart_deg
from tools.hearing_run import Result, Run, document_of
from tools.hearing_words import WordError, in_order, word_error

LINE_ARRAY = "arr4A"
LINE_RECORDINGS = ("an101-mtms", "an102-mtms")


def meetings(data: Path, config: str) -> list[Run]:
    """A run for each AMI excerpt there is in the data."""
    _, document = document_of(config)
    graph = yaml.safe_dump(document, sort_keys=False)
    return [Run(f"ami {path.stem}", path.resolve(), "mono", graph) for path in sorted((data / "ami_rttm").glob("*.flac"))]


def meeting_error(run: Run, result: Result) -> Diarisation:
    """The diarisation error of one excerpt, from `echoic export --format rttm`."""
    truth = (run.source.parent / "ref.rttm").read_text(encoding="utf-8")
    return diarisation_error(turns_of(truth, run.source.stem), turns_of(result.rttm()))


def array_recordings(data: Path, config: str, folder: Path) -> list[Run]:
    """Runs of the recordings of the line array, and of the microphone at the talker's mouth. The array's YAML is written to `folder`."""
    told = data / "array_real" / "geometry_arr4A.json"
    if not told.is_file():
        return []
    geometry = json.loads(told.read_text(encoding="utf-8"))
    array = folder / f"{LINE_ARRAY}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    positions = [[x, float(geometry["y_m"]), 0.0] for x in geometry["x_m"]]
    array.write_text(yaml.safe_dump({"name": LINE_ARRAY, "sample_rate_hz": geometry["fs"], "positions_m": positions}), encoding="utf-8")
    _, document = document_of(config)
    graph = yaml.safe_dump(document, sort_keys=False)
    runs = []
    for name in LINE_RECORDINGS:
        runs.append(Run(f"{name} array", (told.parent / f"{name}-arr4A.wav").resolve(), str(array.resolve()), graph))
        runs.append(Run(f"{name} close", (told.parent / f"{name}-senn4.wav").resolve(), "mono", graph))
    return runs


@dataclass(frozen=True)
class ArrayFigures:
    """What was heard of one recording of the line: bearing errors of its tracks, their number, and the words against those at the mouth."""

    errors_deg: list[float]
    n_tracks: int
    words: WordError
    close: str
    far: str


def array_figures(array: Result, close: Result, azimuth_deg: float = 90.0) -> ArrayFigures:
    """Compare a recording of the line with the one at the mouth; nobody wrote down what was said."""
    bearings = [(name, azimuth) for row in array.tracks() for name, azimuth in row["awake"] if azimuth is not None]
    far, near = in_order(array.lines()), in_order(close.lines())
    return ArrayFigures(
        [apart_deg(azimuth, azimuth_deg) for _, azimuth in bearings], len({name for name, _ in bearings}), word_error(near, far), near, far
    )
