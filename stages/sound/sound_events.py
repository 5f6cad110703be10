"""Sounds that are not speech: what, when, and from where."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline.packets import AudioBlock, Directions, Float32Array, Gap, SoundEvent, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.sound.sound_errors import SoundError

if TYPE_CHECKING:
    from stages.sound.sound_listener import SoundListener
    from stages.sound.step_grid import StepGrid

_RATE_HZ = 16000
_HOP_NS = 480_000_000
_WINDOW_NS = 975_000_000
_MOST_ENERGIES = 256
_WIDEST_DB = 120.0
_LONGEST_S = 600.0


class SoundEvents(Stage):
    """Names what is heard besides speech: a door, a phone, laughter, an alarm; several at once if need be.

    YAMNet judges a second of the reference microphone every 0.48 s. Its 521 classes are taken together in families, so that one ringing
    phone is one sound with its closest name. A sound begins when its score reaches `min_score` and goes on while it has half of that; its
    begin and end are then set to where the level rose and fell (48 ms steps). What is loud, is no speech and fits no class has
    no label: see `stages/sound/README.md` on how such sounds are grouped. Talking, breath, rooms and endless noise are left out.

    The bearing is the direction that most of the sound came from while it was heard, each block counted by its energy, by the score and
    by how little speech was in it. It is None on arrays without bearing, and where the sound came from all sides. Audio must be at 16 kHz.

    Args:
        min_score: what a class must score (over 0, at most 1). While somebody speaks, 0.6 is needed at least.
        least_dbfs: the loudest 48 ms of a step must reach this level, in dB of full scale (-120 to 0).
        rise_db: how many dB over the usual level (0 to 120) a sound must be to be one that no class fits.
        pause_s: a sound that stops and is heard again within so many seconds (at most 10) goes on, as a phone does between its rings.
        longest_s: a sound that goes on for longer is told in pieces of this length, in seconds (more than `pause_s`, at most 600).
        ignore: more classes to leave out, by their names in AudioSet.
        keep: classes that are left out as a rule and shall not be, such as Television.
        n_threads: CPU threads for the network.

    Raises:
        SoundError: a setting is out of its range; on start, a name is no class.
    """

    weights: ClassVar[tuple[str, ...]] = ("yamnet",)

    audio = In(AudioBlock)
    directions = In(Directions)
    sounds = Out(SoundEvent)

    def __init__(
        self,
        min_score: float = 0.35,
        least_dbfs: float = -50.0,
        rise_db: float = 15.0,
        pause_s: float = 1.9,
        longest_s: float = 30.0,
        ignore: tuple[str, ...] = (),
        keep: tuple[str, ...] = (),
        n_threads: int = 1,
    ) -> None:
        if not 0.0 < min_score <= 1.0:
            raise SoundError(f"SoundEvents: min_score must be over 0 and at most 1, found {min_score}")
        if not -_WIDEST_DB <= least_dbfs <= 0.0 or not 0.0 <= rise_db <= _WIDEST_DB:
            raise SoundError(
                f"SoundEvents: least_dbfs {least_dbfs}, rise_db {rise_db}: least_dbfs must be from {-_WIDEST_DB:g} to 0 (full scale), "
                f"rise_db from 0 to {_WIDEST_DB:g}"
            )
        if not pause_s >= 0.0 or not longest_s <= _LONGEST_S:
            raise SoundError(
                f"SoundEvents: pause_s must be at least 0 and longest_s at most {_LONGEST_S:g}, found {pause_s} and {longest_s}"
            )
        if n_threads < 1:
            raise SoundError(f"SoundEvents: n_threads must be at least 1, found {n_threads}")
        self._pause_steps = max(1, round(nanoseconds(min(pause_s, _LONGEST_S)) / _HOP_NS))
        self._longest_steps = round(nanoseconds(max(longest_s, 0.0)) / _HOP_NS)
        if self._longest_steps <= self._pause_steps or pause_s > 10.0:
            raise SoundError(f"SoundEvents: pause_s must be at most 10 and less than longest_s, found {pause_s} and {longest_s}")
        self._levels = (min_score, least_dbfs, rise_db)
        self._ignore = tuple(ignore)
        self._keep = tuple(keep)
        self._n_threads = n_threads
        self.delay_ns = _WINDOW_NS + (self._pause_steps + 5) * _HOP_NS
        self._grid: StepGrid | None = None
        self._listener: SoundListener | None = None
        self._held: list[SoundEvent] = []
        self._energies: OrderedDict[int, float] = OrderedDict()

    def start(self) -> None:
        """Load the network. Raises SoundError where `ignore` or `keep` names no class."""
        from models.sound_activity import SoundActivity
        from models.sound_families import IGNORED, SoundFamilies, SoundFamilyError
        from models.weights import path_of
        from models.yamnet import HOP_FRAMES, WINDOW_FRAMES, Yamnet, class_names
        from stages.sound.sound_listener import SoundListener
        from stages.sound.step_grid import StepGrid

        names = class_names(path_of("yamnet/class_map.csv"))
        try:
            SoundFamilies(names, self._keep)
            families = SoundFamilies(names, [*(name for name in IGNORED if name not in self._keep), *self._ignore])
        except SoundFamilyError as error:
            raise SoundError(f"SoundEvents: ignore and keep name classes of AudioSet: {error}") from error
        network = Yamnet(path_of("yamnet/model.zip"), self._n_threads)
        self._grid = StepGrid(_RATE_HZ, HOP_FRAMES, WINDOW_FRAMES)
        activity = SoundActivity(families, *self._levels, self._pause_steps, self._longest_steps)
        self._listener = SoundListener(network, activity, names, self._grid, HOP_FRAMES)
        self._held = []
        self._energies.clear()

    def stop(self) -> None:
        """Let go of the network."""
        self._grid = self._listener = None

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[SoundEvent]]:
        """Judge what became complete; sounds leave in the order of their ends."""
        grid, listener = self._started()
        if block.sample_rate_hz != _RATE_HZ:
            raise SoundError(f"SoundEvents: audio of {block.array.name} comes at {block.sample_rate_hz} Hz; {_RATE_HZ} Hz is needed")
        if not grid.continues(block.pts_ns):
            yield from self._end()
        samples = _heard(block)
        self._energies[block.pts_ns] = float(np.mean(np.square(samples))) if len(samples) else 0.0
        if len(self._energies) > _MOST_ENERGIES:
            self._energies.popitem(last=False)
        for window in grid.push(block.pts_ns, samples):
            self._held += listener.take(window)
            yield from self._release(listener.earliest_end_ns())

    def on_directions(self, heard: Directions) -> Iterator[Emit[SoundEvent]]:
        """Note where sound came from, for the steps that are not judged yet."""
        _, listener = self._started()
        energy = self._energies.pop(heard.pts_ns, 0.0)
        for direction in heard.directions:
            middle_ns = heard.pts_ns + heard.duration_ns // 2
            listener.note_direction(middle_ns, direction.azimuth_deg, direction.elevation_deg, direction.power * energy)
        yield from ()

    def on_gap(self, gap: Gap) -> Iterator[Emit[SoundEvent]]:
        """A sound ends where something is lost; what comes after it is heard anew."""
        del gap
        return self._end()

    def flush(self) -> Iterator[Emit[SoundEvent]]:
        """Judge what is left, and end what still goes on."""
        return self._end()

    def _end(self) -> Iterator[Emit[SoundEvent]]:
        grid, listener = self._started()
        if grid.is_empty:
            return
        for window in grid.flush():
            self._held += listener.take(window)
        self._held += listener.finish()
        grid.reset()
        listener.reset()
        yield from self._release(None)

    def _release(self, bound_ns: int | None) -> Iterator[Emit[SoundEvent]]:
        """Everything that is held and ends before `bound_ns` (None: all of it), by end."""
        self._held.sort(key=lambda sound: (sound.end_ns, sound.pts_ns, sound.key))
        while self._held and (bound_ns is None or self._held[0].end_ns < bound_ns):
            yield self.sounds(self._held.pop(0))

    def _started(self) -> tuple[StepGrid, SoundListener]:
        if self._grid is None or self._listener is None:
            raise SoundError("SoundEvents: the stage has not been started; call start() first")
        return self._grid, self._listener


def _heard(block: AudioBlock) -> Float32Array:
    """One channel, float32, shape (frames,): the reference of an array, the mean of separate lanes. What is not finite counts as 0."""
    one = block.samples[block.array.reference] if block.array.has_bearing else block.samples.mean(axis=0)
    clean: Float32Array = np.nan_to_num(one, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    return clean
