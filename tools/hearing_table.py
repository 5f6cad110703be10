"""The figures of the benchmark as Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tools.bench import table
from tools.hearing_compared import BASELINES
from tools.hearing_der import Diarisation
from tools.hearing_matrix import Cell
from tools.hearing_places import median
from tools.hearing_recordings import ArrayFigures
from tools.hearing_run import SHIPPED
from tools.hearing_score import Score, mean
from tools.hearing_words import WordError

Scores = Mapping[str, Score]
"""The scores of a cell by the name of the run; "alone NAME" for talkers alone."""
MAX_BEARING_DEG, LEAST_FOUND, MAX_LEAKED, MAX_FRONT, MAX_DER, MAX_TIME_S = 4.0, 0.95, 0.02, 0.35, 0.30, 0.1


def number(value: float, digits: int = 2, unit: str = "") -> str:
    """A figure, or a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}{unit}"


def milliseconds(values_s: Sequence[float]) -> str:
    """The median in milliseconds."""
    return number(median(values_s) * 1000, 0)


def rates(words: Mapping[str, WordError]) -> str:
    """Word errors, talker by talker."""
    return " / ".join(number(error.rate) for error in words.values())


def alone_words(scores: Scores) -> dict[str, WordError]:
    """The word error of each talker alone, where that was measured."""
    return {who: error for name, found in scores.items() if name.startswith("alone ") for who, error in found.words.items()}


def above_alone(scores: Scores) -> dict[str, float]:
    """How much more of each talker's words is wrong than when they speak alone."""
    alone = alone_words(scores)
    return {who: error.rate - alone[who].rate for who, error in scores[SHIPPED].words.items() if who in alone}


def cell_table(results: Mapping[Cell, Scores]) -> str:
    """A row for each cell: what the shipped graph did."""
    head = ["cell", "word error", "cpWER", "tcpWER", "bearing", "found", "false", "broken", "SI-SDR gain", "leaked"]
    head += ["word start / end", "line start / end", "front", "whole"]
    rows = []
    for cell, scores in results.items():
        got = scores[SHIPPED]
        tracks = ["-", "-", "-"]
        if got.tracks is not None:
            tracks = [f"{got.tracks.n_found}/{got.tracks.n_talkers}", str(got.tracks.n_false), str(got.tracks.n_broken)]
        row = [cell.name, rates(got.words), number(got.cp.rate), number(got.tcp.rate), number(median(got.bearing_errors_deg), 1), *tracks]
        row += [number(mean(got.gains_db), 1), number(got.n_leaked / got.n_stored if got.n_stored else math.nan, 3)]
        row += [f"{milliseconds(got.times.word_starts_s)} / {milliseconds(got.times.word_ends_s)}"]
        row += [f"{milliseconds(got.times.line_starts_s)} / {milliseconds(got.times.line_ends_s)}"]
        rows.append([*row, number(got.front), number(got.whole)])
    return table(head, rows)


def compared_table(results: Mapping[Cell, Scores]) -> str:
    """A row for each cell with baselines: word errors side by side; cpWER in brackets. "" where there is none."""
    head = ["cell", *BASELINES, SHIPPED, "each alone", "above alone", "goal"]
    rows = []
    for cell, scores in results.items():
        if not any(name in scores for name in BASELINES) and not alone_words(scores):
            continue
        names = (*BASELINES, SHIPPED)
        row = [cell.name, *(f"{rates(scores[n].words)} ({number(scores[n].cp.rate)})" if n in scores else "-" for n in names)]
        above = above_alone(scores)
        row += [rates(alone_words(scores)) or "-", " / ".join(number(value) for value in above.values()) or "-"]
        rows.append(
            [*row, "-" if cell.goal is None else f"{cell.goal:.2f}: {'met' if above and max(above.values()) <= cell.goal else 'missed'}"]
        )
    return table(head, rows) if rows else ""


def whole_table(results: Mapping[Cell, Scores], meetings: Diarisation | None) -> str:
    """The figures over all cells, beside their goals."""
    scores = [by_name[SHIPPED] for by_name in results.values()]
    tracks = [got.tracks for got in scores if got.tracks is not None]
    words = sum((got.pooled for got in scores), WordError(0, 0))
    cp, tcp = sum((got.cp for got in scores), WordError(0, 0)), sum((got.tcp for got in scores), WordError(0, 0))
    errors_deg = [error for got in scores for error in got.bearing_errors_deg]
    n_talkers, n_found = sum(count.n_talkers for count in tracks), sum(count.n_found for count in tracks)
    minutes = sum(got.length_s for got in scores if got.tracks is not None) / 60
    n_false = sum(count.n_false for count in tracks)
    n_leaked, n_stored = sum(got.n_leaked for got in scores), sum(got.n_stored for got in scores)
    fronts = [got.front for cell, got in ((cell, by_name[SHIPPED]) for cell, by_name in results.items()) if len(cell.talkers) == 2]
    times = [got.times for got in scores]
    starts = [value for found in times for value in found.line_starts_s]
    ends = [value for found in times for value in found.line_ends_s]
    rows = [
        ["length of all scenes", f"{sum(got.length_s for got in scores) / 60:.1f} min", ""],
        ["word error over all talkers", number(words.rate, 3), ""],
        ["cpWER, tcpWER (collar 5 s)", f"{number(cp.rate, 3)}, {number(tcp.rate, 3)}", ""],
        ["bearing error, median over lines", number(median(errors_deg), 1, " degrees"), f"at most {MAX_BEARING_DEG:g}"],
        ["talkers who speak 3 s or more found", f"{n_found} of {n_talkers}", f"at least {LEAST_FOUND:.0%}"],
        ["false tracks in ten minutes", number(n_false / minutes * 10 if minutes else math.nan), "at most 1"],
        ["second tracks of a talker", str(sum(count.n_broken for count in tracks)), ""],
        ["leaked words stored twice", number(n_leaked / n_stored if n_stored else math.nan, 3), f"at most {MAX_LEAKED:g}"],
        ["line starts / ends, median", f"{milliseconds(starts)} / {milliseconds(ends)} ms", f"at most {MAX_TIME_S * 1000:.0f}"],
        [
            "front end, two talkers: median, worst",
            f"{number(median(fronts))}, {number(max(fronts, default=math.nan))}",
            f"at most {MAX_FRONT:g}",
        ],
    ]
    if meetings is not None:
        parts = " + ".join(number(value / meetings.spoken_s) for value in (meetings.missed_s, meetings.false_s, meetings.confused_s))
        rows.append(
            ["DER on the AMI excerpts (missed + false + confused)", f"{number(meetings.rate, 3)} ({parts})", f"at most {MAX_DER:g}"]
        )
    return table(["over all cells", "figure", "goal"], rows)


def array_table(figures: Mapping[str, ArrayFigures]) -> str:
    """What was heard of the recorded line array."""
    rows = [
        [name, number(median(got.errors_deg), 1), str(got.n_tracks), got.close or "(nothing)", got.far or "(nothing)"]
        for name, got in figures.items()
    ]
    return table(["recording", "bearing error", "tracks", "at the mouth", "array"], rows)


def ladder_table(cell: Cell, rungs: Mapping[str, Score]) -> str:
    """One cell with oracles put in one after the other."""
    rows = []
    for name, got in rungs.items():
        counts = [str(count) for count in (got.pooled.n_inserted, got.pooled.n_deleted, got.pooled.n_wrong)]
        # Over a recording of one talker alone there is nothing to gain.
        gain = "-" if name.startswith(("alone ", "dry ")) else number(mean(got.gains_db), 1)
        rows.append([name, rates(got.words), *counts, number(got.cp.rate), gain])
    return table([cell.name, "word error", "inserted", "deleted", "wrong", "cpWER", "SI-SDR gain"], rows)
