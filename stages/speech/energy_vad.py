"""The probability of speech on each beam from its level alone: no weights."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline.packets import NS_PER_S, BeamBlock, SpeechBlock, seconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.noise_floor import NoiseFloor
from stages.speech.setting_checks import check_range
from stages.speech.track_order import TOLERANCE_NS

_SLOPE_DB = 3.0
_FORGET_NS = 60 * NS_PER_S


class EnergyVad(Stage):
    """Calls a block speech when its level stands out from the track's own background.

    The noise floor falls at once to a lower level and starts anew where a track's blocks do not follow each other. It cannot tell
    speech from other loud sounds.

    Args:
        margin_db: how far above the noise floor, in dB, the probability is 0.5; it is 0.73 at 3 dB more.
        rise_db_per_s: by how many dB a second the floor rises while the sound goes on.
        min_dbfs: what is below this level, in dB of full scale, is silence whatever the floor is.

    Raises:
        SpeechError: a setting is out of its range.
    """

    beam = In(BeamBlock)
    speech = Out(SpeechBlock)

    def __init__(self, margin_db: float = 9.0, rise_db_per_s: float = 2.0, min_dbfs: float = -60.0) -> None:
        check_range("EnergyVad", 0, margin_db=margin_db, rise_db_per_s=rise_db_per_s)
        check_range("EnergyVad", -math.inf, 0, min_dbfs=min_dbfs)
        self._margin_db = margin_db
        self._rise_db_per_s = rise_db_per_s
        self._min_dbfs = min_dbfs
        self._floors: dict[str, tuple[int, NoiseFloor]] = {}

    def on_beam(self, block: BeamBlock) -> Iterator[Emit[SpeechBlock]]:
        """Judge a block."""
        name = block.track.name
        expected_ns, floor = self._floors.get(name, (-TOLERANCE_NS - 1, None))
        if floor is None or abs(block.pts_ns - expected_ns) > TOLERANCE_NS:
            floor = NoiseFloor(self._rise_db_per_s)
        self._floors[name] = (block.end_ns, floor)
        floor.hear(block.samples, seconds(block.duration_ns))
        excess_db = min(floor.rise_db - self._margin_db, floor.level_dbfs - self._min_dbfs)
        probability = 1 / (1 + math.exp(-excess_db / _SLOPE_DB))
        yield self.speech(SpeechBlock(pts_ns=block.pts_ns, duration_ns=block.duration_ns, beam=block, probability=probability))

    def on_passed(self, pts_ns: int) -> Iterator[Emit[SpeechBlock]]:
        """Forget the tracks that have stopped."""
        self._floors = {name: entry for name, entry in self._floors.items() if entry[0] + _FORGET_NS > pts_ns}
        return iter(())
