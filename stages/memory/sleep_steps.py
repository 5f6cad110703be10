"""What is done in sleep, in its order: what was heard first, then what follows from it, and the indexes last."""

from __future__ import annotations

from stages.memory.duplicate_step import FindDuplicates
from stages.memory.episode_growth import GrowEpisodes, TellDays
from stages.memory.fading import AbsorbRecalls, FadeAudio
from stages.memory.granule_summaries import SummaryKeys
from stages.memory.keep_bounds import KeepBounds
from stages.memory.link_step import Link
from stages.memory.sleep import SleepStep
from stages.memory.summary_step import Summarise, Write
from stages.memory.topic_step import NameTopics


def sleep_steps(write: Write | None = None, budget: int = 32, fade_audio_below: float = 0.0) -> list[SleepStep]:
    """Every step of sleep, new each time. `write` words at most `budget` summaries; without it they are the speakers' own words.

    The audio of lines whose strength is below `fade_audio_below` leaves.
    """
    return [
        AbsorbRecalls(),
        GrowEpisodes(),
        TellDays(),
        FindDuplicates(),
        NameTopics(),
        Summarise(write, budget),
        SummaryKeys(),
        Link(),
        FadeAudio(fade_audio_below),
        KeepBounds(),
    ]
