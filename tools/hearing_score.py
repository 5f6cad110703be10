"""The figures of one run of one cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.hearing_leaks import leaked_words
from tools.hearing_matrix import Cell
from tools.hearing_places import TrackCounts, bearing_errors_deg, by_talker, count_tracks
from tools.hearing_run import Result
from tools.hearing_scenes import SceneFiles
from tools.hearing_separation import gains_db
from tools.hearing_speech import PEOPLE
from tools.hearing_times import TimeErrors, time_errors
from tools.hearing_words import WordError, in_order, session_error, word_error


@dataclass(frozen=True)
class Score:
    """Word errors by talker and of the whole, and everything else that is told of a run.

    `n_strays` lines were nobody's. `times` are of talkers whose word times are known exactly. `front` and `whole` are processor
    seconds a second of sound.
    """

    words: dict[str, WordError]
    cp: WordError
    tcp: WordError
    bearing_errors_deg: list[float]
    tracks: TrackCounts | None
    n_strays: int
    gains_db: list[float]
    n_leaked: int
    n_stored: int
    times: TimeErrors
    length_s: float
    front: float
    whole: float

    @property
    def pooled(self) -> WordError:
        """The word error over all talkers."""
        return sum(self.words.values(), WordError(0, 0))


def score(cell: Cell, scene: SceneFiles, result: Result, copies: bool = False, talkers: Sequence[str] = ()) -> Score:
    """Score a run. With `copies` lines count that were marked as copies; `talkers` are those who speak (all where left out)."""
    who_speaks = tuple(talkers or cell.talkers)
    truth = [row for row in scene.truth if row["track"] in who_speaks]
    places = {who: place for who, place in scene.places.items() if who in who_speaks}
    heard = result.lines(copies)
    lines = by_talker(heard, places)
    said = {who: [row for row in truth if row["track"] == who] for who in who_speaks}
    times = TimeErrors()
    for who in who_speaks:
        if who not in PEOPLE:
            times.add(time_errors(said[who], lines[who]))
    images, microphone = scene.images()
    with np.load(result.folder / "beams.npz") as kept:
        gains = gains_db({name: kept[name] for name in kept.files}, images, microphone, truth)
    n_leaked, n_stored = leaked_words(truth, lines)
    figures = result.figures()
    length_s = len(microphone) / 16000
    return Score(
        words={who: word_error(in_order(said[who]), in_order(lines[who])) for who in who_speaks},
        cp=session_error(truth, heard),
        tcp=session_error(truth, heard, timed=True),
        bearing_errors_deg=bearing_errors_deg(lines, places),
        tracks=count_tracks(result.tracks(), truth, places),
        n_strays=len(lines[None]),
        gains_db=gains,
        n_leaked=n_leaked,
        n_stored=n_stored,
        times=times,
        length_s=length_s,
        front=sum(figures["stages_cpu_s"].get(name, 0.0) for name in figures["front_end"]) / length_s,
        whole=figures["cpu_s"] / length_s,
    )


def mean(values: Sequence[float]) -> float:
    """The mean; nan of nothing."""
    return sum(values) / len(values) if values else math.nan
