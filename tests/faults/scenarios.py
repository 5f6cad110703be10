"""What is killed, and cut off from its disk: each command that writes, on a memory that gives it something to do."""

from __future__ import annotations

from tests.faults.fault_bench import Scenario
from tests.faults.light_room import LightRoom

_MEMORY = ("--memory", "{memory}")


def scenarios(room: LightRoom) -> list[Scenario]:
    """Every command that writes."""
    config = ("--config", str(room.config))
    replay = ("replay", str(room.recording), *_MEMORY, *config)
    take_in = ("import", str(room.transcript), *_MEMORY, *config)
    also = ("import", str(room.other_transcript), *_MEMORY, *config)
    return [
        Scenario("replay", (), replay),
        Scenario("consolidate", (replay, take_in, also), ("consolidate", *_MEMORY)),
        Scenario("replay into an old memory", (take_in,), replay),
        Scenario("import", (replay,), take_in),
        Scenario(
            "reindex", (replay, take_in, also), ("reindex", *_MEMORY, "--config", str(room.other_config)), may_refuse="echoic reindex"
        ),
        Scenario("forget", (replay, take_in, also, ("consolidate", *_MEMORY)), ("forget", *_MEMORY, "--sector", "30..50", "--yes"), True),
    ]
