"""From windows of audio and directions to sounds with their times and bearings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.direction_histogram import DirectionHistogram
from pipeline.packets import Float32Array, SoundEvent
from stages.sound.step_grid import GridWindow, StepGrid

if TYPE_CHECKING:
    from models.sound_activity import Activity, SoundActivity
    from models.yamnet import Judgement, Yamnet

N_PIECES = 10
"""Pieces of a step, 48 ms each: how finely the level is known, and so when a sound began."""
_EDGE_RANGE_DB = 10.0
"""A sound begins in the middle of a rise of this much or more; without one, with its step."""
_LEAST_BEARING_SHARE = 0.25
_TINY = 1e-12


class SoundListener:
    """Judges windows, follows what is heard, and says when and where it was.

    Args:
        network: judges a window.
        activity: follows what is heard; its steps are those of the grid.
        names: of the classes.
        grid: when the steps are.
    """

    def __init__(self, network: Yamnet, activity: SoundActivity, names: tuple[str, ...], grid: StepGrid, hop_frames: int) -> None:
        self._network = network
        self._activity = activity
        self._names = names
        self._grid = grid
        self._hop_frames = hop_frames
        self._directions: dict[int, DirectionHistogram] = {}
        self._levels_db: dict[int, Float32Array] = {}
        self._before: Judgement | None = None

    def reset(self) -> None:
        """The next window has nothing to do with those before."""
        self._directions.clear()
        self._levels_db.clear()
        self._before = None

    def note_direction(self, time_ns: int, azimuth_deg: float, elevation_deg: float | None, weight: float) -> None:
        """Sound came from there at that time."""
        self._directions.setdefault(self._grid.step_at(time_ns), DirectionHistogram()).add(azimuth_deg, elevation_deg, weight)

    def take(self, window: GridWindow) -> list[SoundEvent]:
        """Judge a window, and so the step that it begins with; the sounds that are over."""
        from models.sound_activity import Step

        now = self._network.judge(window.samples)
        before = self._before or now
        if self._before is None:
            self._activity.reset(window.step)
        self._before = now
        power = np.square(window.samples[: self._hop_frames], dtype=np.float32).reshape(N_PIECES, -1).mean(axis=1)
        self._levels_db[window.step] = 10.0 * np.log10(power + _TINY)
        step = Step(
            scores=_mean(before.scores, now.scores),
            embedding=_mean(before.embedding, now.embedding),
            level_dbfs=float(self._levels_db[window.step].max()),
            directions=self._directions.pop(window.step, DirectionHistogram()),
        )
        found = [self._sound(activity) for activity in self._activity.push(step)]
        self._forget()
        return found

    def finish(self) -> list[SoundEvent]:
        """Every sound that still goes on, over now."""
        return [self._sound(activity) for activity in self._activity.finish()]

    def earliest_end_ns(self) -> int:
        """No sound that is still to come ends before this."""
        return self._grid.begin_ns(self._activity.earliest_end - 1)

    def _sound(self, activity: Activity) -> SoundEvent:
        start_ns, end_ns = self._span_ns(activity)
        where = activity.directions.peak(_LEAST_BEARING_SHARE)
        return SoundEvent(
            pts_ns=start_ns,
            duration_ns=end_ns - start_ns,
            label=self._names[activity.label] if activity.label >= 0 else None,
            score=activity.best,
            azimuth_deg=where[0] if where else None,
            elevation_deg=where[1] if where else None,
            embedding=activity.unit_embedding(),
        )

    def _span_ns(self, activity: Activity) -> tuple[int, int]:
        """The steps of a sound, narrowed or widened by up to a step to where the level rose and fell."""
        piece_ns = self._grid.begin_ns(1) // N_PIECES
        begin = self._edge(activity.first, first=True)
        end = self._edge(activity.last, first=False)
        start_ns = self._grid.begin_ns(activity.first) + begin * piece_ns
        end_ns = max(self._grid.begin_ns(activity.last) + end * piece_ns, start_ns + piece_ns)
        start_ns = min(max(start_ns, self._grid.starts_ns), self._grid.ends_ns)
        return start_ns, min(max(end_ns, start_ns), self._grid.ends_ns)

    def _edge(self, step: int, *, first: bool) -> int:
        """The first or last loud piece in a step and its neighbours, counted from the begin of the step; the end of a piece if last."""
        known = [near for near in (step - 1, step, step + 1) if near in self._levels_db]
        levels = np.concatenate([self._levels_db[near] for near in known]) if known else np.zeros(0)
        if not len(levels) or levels.max() - levels.min() < _EDGE_RANGE_DB:
            return 0 if first else N_PIECES
        loud = np.flatnonzero(levels >= (levels.max() + levels.min()) / 2)
        offset = (known[0] - step) * N_PIECES
        return offset + int(loud[0]) if first else offset + int(loud[-1]) + 1

    def _forget(self) -> None:
        """What no sound needs any more."""
        keep = self._activity.earliest_begin - 2
        for kept in (self._levels_db, self._directions):
            for step in [step for step in kept if step < keep]:
                del kept[step]


def _mean(one: Float32Array, other: Float32Array) -> Float32Array:
    mean: Float32Array = (one + other) * np.float32(0.5)
    return mean
