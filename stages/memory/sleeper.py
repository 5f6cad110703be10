"""When a memory sleeps, and with what: the settings of sleep, for a graph's resources."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pipeline.packets import nanoseconds
from pipeline.stage import Resource
from stages.answer.answerer import Answerer
from stages.answer.summary_writer import summary_writer
from stages.memory.forgetting.fading import order_fault
from stages.memory.forgetting.vector_ageing import RECOMPRESS_AFTER_DAYS, ageing_faults
from stages.memory.memory_errors import MemorySettingsError
from stages.memory.sleeping.sleep import SleepStep
from stages.memory.sleeping.sleep_steps import Ageing, sleep_steps

_NO_BOUND = 10**9
_HOUR = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class Sleeper(Resource):
    """Sleep when the room is quiet, on a schedule, and as much of it at a time as there is time for.

    Sleep begins when nobody has spoken for `quiet_s` and something new is there, every `every_min` minutes (0: not), since some rooms
    are never quiet, and at each of `at_times` ("03:00", on the clock of this machine); the latter two whether somebody speaks or not,
    one round each. A round is at most `most` items of each step, `items` in a transaction. `answerer` words at most `most_worded`
    summaries a round, if it is a language model; the others quote. The audio of lines whose strength (0 to 1) has fallen below
    `fade_audio_below` leaves, and their vectors below `fade_vectors_below`, which is no more; 0 lets none fade. Vectors of lines older
    than `recompress_after_days` take a byte a number, those older than `pq_after_days` a byte for eight; 0 is never. Raises
    MemorySettingsError for settings out of bounds.
    """

    def __init__(
        self,
        answerer: Answerer | None = None,
        quiet_s: float = 60.0,
        every_min: float = 60.0,
        at_times: tuple[str, ...] = (),
        items: int = 16,
        most: int = 512,
        most_worded: int = 4,
        fade_audio_below: float = 0.0,
        fade_vectors_below: float = 0.0,
        recompress_after_days: float = RECOMPRESS_AFTER_DAYS,
        pq_after_days: float = 0.0,
    ) -> None:
        faults = [
            f"{name} must be {least:g} to {most_:g}, found {value:g}"
            for name, value, least, most_ in (
                ("quiet_s", quiet_s, 1.0, 86_400.0),
                ("every_min", every_min, 0.0, 10_080.0),
                ("items", items, 1, 256),
                ("most", most, 1, 1_000_000),
                ("most_worded", most_worded, 1, 1000),
                ("fade_audio_below", fade_audio_below, 0.0, 0.99),
                ("fade_vectors_below", fade_vectors_below, 0.0, 0.99),
            )
            if not least <= value <= most_
        ]
        faults += [f"at_times are like 03:00, found {time!r}" for time in at_times if not _HOUR.fullmatch(time)]
        faults += ageing_faults(recompress_after_days, pq_after_days)
        faults += [order_fault(fade_vectors_below, fade_audio_below)] if fade_vectors_below > fade_audio_below else []
        if faults:
            raise MemorySettingsError(f"Sleeper: {'; '.join(faults)}")
        self.answerer = answerer
        self.quiet_ns = nanoseconds(quiet_s)
        self.every_s = 60.0 * every_min
        self.at_times = tuple(sorted(at_times))
        self.items = items
        self.most = most
        self.most_worded = most_worded
        self.ageing = Ageing(fade_audio_below, fade_vectors_below, recompress_after_days, pq_after_days)

    def steps(self, *, at_once: bool = False) -> list[SleepStep]:
        """The steps of one round, or of a sleep that does everything at once."""
        most_worded = _NO_BOUND if at_once else self.most_worded
        return sleep_steps(summary_writer(self.answerer), most_worded, self.ageing)

    def is_due(self, last: datetime, now: datetime) -> bool:
        """Whether the schedule asks for a round between two moments of the same time zone, `last` left out."""
        if self.every_s and now - last >= timedelta(seconds=self.every_s):
            return True
        days = (now.date() + timedelta(days=offset) for offset in (-1, 0))
        moments = (
            datetime(day.year, day.month, day.day, int(time[:2]), int(time[3:]), tzinfo=now.tzinfo)
            for day in days
            for time in self.at_times
        )
        return any(last < moment <= now for moment in moments)
