"""The room that the fault harness hears, made once."""

from __future__ import annotations

import pytest

from tests.faults.fault_bench import FaultBench, Scenario
from tests.faults.light_room import LightRoom, make_room
from tests.faults.scenarios import scenarios


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> LightRoom:
    """Half a minute of two microphones, and transcripts of 400 lines."""
    return make_room(tmp_path_factory.mktemp("room"), recording_s=33.0, n_lines=400)


@pytest.fixture(scope="session")
def known(room: LightRoom) -> dict[str, Scenario]:
    """The scenarios by name."""
    return {scenario.name: scenario for scenario in scenarios(room)}


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> FaultBench:
    """Where commands are killed and files damaged."""
    return FaultBench(tmp_path_factory.mktemp("bench"))
