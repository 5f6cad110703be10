"""What kind of talk is cut: how far to look, how signals add up to the odds of a new topic, and what is usual.

The figures stand in `talk_profiles.yaml`, with where they were learnt and under which licence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
import yaml

from stages.events.topic_signals import SIGNALS

TalkKind = Literal["conversation", "chat", "meeting"]

_LEAST_DEVIATIONS, _MOST_DEVIATIONS = -4.0, 6.0


class TalkProfileError(ValueError):
    """A profile of a kind of talk is not there, or lacks what it needs."""


@dataclass(frozen=True, eq=False)
class TalkProfile:
    """One kind of talk.

    `n_near` and `n_past` are the windows of the signals (`TopicSignals`), `n_around`, `n_moves`, `min_lines`, `max_lines`, `max_s` and
    `gamma` the usual settings of its segmenter. Log odds have `usual_nats` as their mean and `deviation_nats` as their deviation in
    talk like it; with what a talk itself has shown, these count as `n_prior` lines. `modularity_nats` is what a modularity of 1 is
    worth against log odds when a boundary moves. `means`, `deviations` and `weights` are float64, shape (len(SIGNALS),): what
    normalises each signal, and how many nats one deviation of it is worth.
    """

    n_near: int
    n_past: int
    n_around: int
    n_moves: int
    min_lines: int
    max_lines: int
    max_s: float
    gamma: float
    n_prior: int
    usual_nats: float
    deviation_nats: float
    modularity_nats: float
    offset_nats: float
    means: npt.NDArray[np.float64]
    deviations: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    def log_odds(self, signals: npt.NDArray[np.float64]) -> float:
        """The log of P(a topic begins) / P(it goes on), in nats, given signals of shape (len(SIGNALS),)."""
        normal = np.clip((signals - self.means) / self.deviations, _LEAST_DEVIATIONS, _MOST_DEVIATIONS)
        return self.offset_nats + float(normal @ self.weights)


@cache
def talk_profile(kind: TalkKind) -> TalkProfile:
    """The profile of a kind of talk, as it comes with Echoic: read once, and never changed. Raises TalkProfileError."""
    path = Path(__file__).with_name("talk_profiles.yaml")
    return parse_profile(cast("Mapping[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8"))), kind)


def parse_profile(told: Mapping[str, Any], kind: str) -> TalkProfile:
    """A profile from what a YAML held. Raises TalkProfileError."""
    if kind not in told:
        raise TalkProfileError(f"talk profiles: there is no kind of talk {kind!r}; allowed are {', '.join(get_args(TalkKind))}")
    entry = told[kind]
    try:
        rows = np.array([entry["signals"][name] for name in SIGNALS], dtype=np.float64)
        whole = {name: int(entry[name]) for name in ("n_near", "n_past", "n_around", "n_moves", "min_lines", "max_lines", "n_prior")}
        real = {name: float(entry[name]) for name in ("max_s", "gamma", "usual_nats", "deviation_nats", "modularity_nats", "offset_nats")}
    except (KeyError, TypeError, ValueError) as error:
        raise TalkProfileError(
            f"talk profiles: {kind} lacks or misstates {error}; it needs every signal as [mean, deviation, weight]"
        ) from error
    if rows.shape != (len(SIGNALS), 3) or not np.isfinite(rows).all() or not (rows[:, 1] > 0).all():
        raise TalkProfileError(f"talk profiles: {kind}: each signal is [mean, deviation, weight] with a deviation above 0")
    rows.flags.writeable = False
    return TalkProfile(
        n_near=whole["n_near"],
        n_past=whole["n_past"],
        n_around=whole["n_around"],
        n_moves=whole["n_moves"],
        min_lines=whole["min_lines"],
        max_lines=whole["max_lines"],
        n_prior=whole["n_prior"],
        max_s=real["max_s"],
        gamma=real["gamma"],
        usual_nats=real["usual_nats"],
        deviation_nats=real["deviation_nats"],
        modularity_nats=real["modularity_nats"],
        offset_nats=real["offset_nats"],
        means=rows[:, 0],
        deviations=rows[:, 1],
        weights=rows[:, 2],
    )
