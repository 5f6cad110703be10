"""Diarisation error rate from RTTM: no collar, overlap scored, over the whole of each recording.

The measure of NIST's Rich Transcription evaluations (RT-09 plan, section 6): missed, falsely found and confused speaker time by all
speaker time, with the one-to-one mapping of speakers that makes the confusion least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


class RttmError(ValueError):
    """A line is not RTTM."""


@dataclass(frozen=True)
class Turn:
    """Somebody speaks from `start_s` to `end_s`."""

    who: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Diarisation:
    """Speaker time in seconds: missed, falsely found, confused, and all of it. `rate` is their sum by all."""

    missed_s: float
    false_s: float
    confused_s: float
    spoken_s: float

    @property
    def rate(self) -> float:
        """The diarisation error rate; nan where nobody speaks."""
        return (self.missed_s + self.false_s + self.confused_s) / self.spoken_s if self.spoken_s else float("nan")

    def __add__(self, other: Diarisation) -> Diarisation:
        return Diarisation(
            self.missed_s + other.missed_s, self.false_s + other.false_s, self.confused_s + other.confused_s, self.spoken_s + other.spoken_s
        )


def turns_of(rttm: str, recording: str | None = None) -> list[Turn]:
    """The turns of an RTTM text (of one recording of it). Raises RttmError."""
    turns = []
    for number, line in enumerate(rttm.splitlines(), start=1):
        parts = line.split()
        if not parts or parts[0] != "SPEAKER" or (recording is not None and len(parts) > 1 and parts[1] != recording):
            continue
        try:
            start_s, length_s, who = float(parts[3]), float(parts[4]), parts[7]
        except (ValueError, IndexError) as error:
            raise RttmError(
                f"RTTM line {number}: {line!r} is not SPEAKER, recording, channel, start, length, two fields, speaker"
            ) from error
        turns.append(Turn(who, start_s, start_s + length_s))
    return turns


def diarisation_error(truth: Sequence[Turn], found: Sequence[Turn]) -> Diarisation:
    """Compare turns with the truth, exactly at every edge. Turns of one speaker that overlap count once."""
    from scipy.optimize import linear_sum_assignment

    edges = np.unique([time for turn in (*truth, *found) for time in (turn.start_s, turn.end_s)])
    if len(edges) < 2:
        return Diarisation(0.0, 0.0, 0.0, 0.0)
    lengths_s, middles_s = np.diff(edges), (edges[:-1] + edges[1:]) / 2

    def activity(turns: Sequence[Turn]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        names = sorted({turn.who for turn in turns})
        active = np.zeros((len(names), len(middles_s)), dtype=bool)
        for turn in turns:
            active[names.index(turn.who)] |= (middles_s > turn.start_s) & (middles_s < turn.end_s)
        return active

    said, heard = activity(truth), activity(found)
    n_said, n_heard = said.sum(axis=0), heard.sum(axis=0)
    shared_s = np.einsum("st,ht,t->sh", said.astype(float), heard.astype(float), lengths_s)
    rows, columns = linear_sum_assignment(shared_s, maximize=True)
    right_s = float(shared_s[rows, columns].sum())
    both_s = float(np.minimum(n_said, n_heard) @ lengths_s)
    missed_s = float(np.maximum(0, n_said - n_heard) @ lengths_s)
    false_s = float(np.maximum(0, n_heard - n_said) @ lengths_s)
    return Diarisation(missed_s, false_s, both_s - right_s, float(n_said @ lengths_s))
