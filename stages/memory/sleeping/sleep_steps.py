"""What is done in sleep, in its order: what was heard first, then what follows from it, and the indexes last."""

from __future__ import annotations

from dataclasses import dataclass

from stages.memory.disk.keep_bounds import KeepBounds
from stages.memory.forgetting.fading import AbsorbRecalls, FadeAudio, FadeVectors
from stages.memory.forgetting.vector_ageing import RECOMPRESS_AFTER_DAYS, AgeVectors
from stages.memory.granules.granule_summaries import SummaryKeys
from stages.memory.links.link_step import Link
from stages.memory.sleeping.duplicate_step import FindDuplicates
from stages.memory.sleeping.episode_growth import GrowEpisodes, TellDays
from stages.memory.sleeping.sleep import SleepStep
from stages.memory.sleeping.summary_step import Summarise, Write
from stages.memory.sleeping.topic_step import NameTopics


@dataclass(frozen=True)
class Ageing:
    """What becomes of lines as they age; 0 is never.

    Below which strength their audio leaves, and below which lesser one their vectors; after how many days vectors are recompressed.
    """

    audio_below: float = 0.0
    vectors_below: float = 0.0
    recompress_after_days: float = RECOMPRESS_AFTER_DAYS
    pq_after_days: float = 0.0


def sleep_steps(write: Write | None = None, budget: int = 32, ageing: Ageing | None = None) -> list[SleepStep]:
    """Every step of sleep, new each time. `write` words at most `budget` summaries; without it they are the speakers' own words."""
    ages = ageing or Ageing()
    return [
        AbsorbRecalls(),
        GrowEpisodes(),
        TellDays(),
        FindDuplicates(),
        Link(),
        NameTopics(),
        Summarise(write, budget),
        SummaryKeys(),
        FadeAudio(ages.audio_below),
        FadeVectors(ages.vectors_below, ages.audio_below),
        AgeVectors(ages.recompress_after_days, ages.pq_after_days),
        KeepBounds(),
    ]
