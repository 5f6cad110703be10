"""Which voice speaks for a memory: that of its graph, else the best one whose weights are here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.app.graph_choice import choose_graph
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import started
from pipeline.build import build_resources
from pipeline.stage import Resource

if TYPE_CHECKING:
    from stages.speaking.synthesiser import Synthesiser


@contextmanager
def voice_of_graph(memory: MemoryDirectory, config: str | None) -> Iterator[Synthesiser]:
    """The voice under resources: of the graph, started; where there is none, Piper's if its weights are here, else espeak-ng's.

    Raises GraphError, WeightsError, SpeakingError.
    """
    from stages.speaking.synthesiser import Synthesiser

    graph = choose_graph(config, memory, reading=True)
    named = graph.stages_of(Synthesiser)
    resources: dict[str, Resource] = build_resources(graph, only=named[:1]) if named else {"speech": _default_voice()}
    with started(resources):
        yield next(voice for voice in resources.values() if isinstance(voice, Synthesiser))


def _default_voice() -> Synthesiser:
    from models import weights
    from stages.speaking.espeak_ng import EspeakNg
    from stages.speaking.piper import Piper

    return EspeakNg() if weights.missing(Piper.weights) else Piper()
