"""Cuts the lines of one conversation into stretches where they surprise: a pure state machine."""

from __future__ import annotations

from dataclasses import dataclass

from stages.events.cutting_segmenter import CuttingSegmenter, Limits
from stages.events.surprise_finder import FinderSettings, SurpriseFinder
from stages.events.talk_profile import TalkKind, talk_profile

_MOST_RATIO = 10.0


@dataclass(frozen=True)
class SurpriseSettings:
    """When to cut. The defaults are those of conversations; `settings_for` gives those of other kinds of talk.

    `gamma` deviations above the mean of the last `n_recent` log odds of a new topic is a boundary, where those within `n_moves` lines
    are no greater. It moves by up to `n_moves` lines to where both sides are most alike within, seen over `n_around` lines on each
    side. Stretches have at least `min_lines` and at most `max_lines` lines, and no line is added once one has lasted `max_s`; a
    silence of `silence_s` always ends one. `surprisal_ratio` is how many times as much surprisal to the recogniser the words of a line
    that begins a topic are taken to have (1: as much as others, so that they do not speak for one). `talk` says how signals are
    weighed (`TalkProfile`).
    """

    gamma: float = 1.3
    n_recent: int = 100
    n_moves: int = 1
    n_around: int = 3
    min_lines: int = 3
    max_lines: int = 128
    max_s: float = 300.0
    silence_s: float = 30.0
    surprisal_ratio: float = 1.0
    talk: TalkKind = "conversation"

    def __post_init__(self) -> None:
        if not (0 <= self.n_moves < self.n_around and 1 <= self.min_lines < self.max_lines and self.max_s > 0 and self.silence_s > 0):
            raise ValueError(
                "surprise segmentation: n_moves must be at least 0 and below n_around, min_lines at least 1 and below max_lines,"
                f" max_s and silence_s above 0; found {self}"
            )
        if not 1.0 <= self.surprisal_ratio <= _MOST_RATIO:
            raise ValueError(f"surprise segmentation: surprisal_ratio must be from 1 to {_MOST_RATIO:g}, found {self.surprisal_ratio}")


def settings_for(talk: TalkKind) -> SurpriseSettings:
    """The usual settings for a kind of talk. Raises TalkProfileError."""
    profile = talk_profile(talk)
    return SurpriseSettings(
        gamma=profile.gamma,
        n_moves=profile.n_moves,
        n_around=profile.n_around,
        min_lines=profile.min_lines,
        max_lines=profile.max_lines,
        max_s=profile.max_s,
        talk=talk,
    )


class SurpriseSegmenter(CuttingSegmenter):
    """The lines of one conversation, cut where they surprise."""

    def __init__(self, settings: SurpriseSettings, reason: str = "the session begins", surprise: float = 0.0) -> None:
        profile = talk_profile(settings.talk)
        finder = SurpriseFinder(
            FinderSettings(
                settings.gamma,
                settings.n_recent,
                settings.n_moves,
                settings.n_around,
                settings.min_lines,
                profile.modularity_nats,
                settings.surprisal_ratio,
            ),
            profile,
        )
        super().__init__(finder, Limits(settings.max_lines, settings.max_s, settings.silence_s), reason, surprise)
