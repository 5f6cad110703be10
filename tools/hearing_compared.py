"""What stands beside the shipped graph in the benchmark, and the ladder of oracles: each as a run of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.graph import Graph
from pipeline.packets import AudioBlock, Tracks
from tools.hearing_matrix import Cell
from tools.hearing_run import SHIPPED, Run, beam_stage, document_of, with_beams
from tools.hearing_scenes import SceneFiles

MICROPHONE, DELAY_AND_SUM, FIXED_MVDR, ORACLE = "one microphone", "delay and sum", "fixed MVDR", "oracle masks"
BASELINES = (MICROPHONE, DELAY_AND_SUM, FIXED_MVDR, ORACLE)
TRUE_TRACKS, TRACKED_ORACLE, CLEAN = "true tracks", "tracked, oracle masks", "true tracks, clean images"
RUNGS = (SHIPPED, TRUE_TRACKS, TRACKED_ORACLE, ORACLE, CLEAN)
_BEAMS = {DELAY_AND_SUM: "stages.audio.delay_and_sum.DelayAndSum", FIXED_MVDR: "stages.audio.fixed_mvdr.FixedMvdr"}
WALKING_WINDOW_S = 4.0


@dataclass(frozen=True)
class Compared:
    """A run of a cell, and the only talker who speaks in it (None: all do)."""

    run: Run
    talker: str | None = None


def compared(cell: Cell, scene: SceneFiles, config: str, name: str) -> Compared:
    """The run of a cell under one of the names above. Raises RunError where the graph has no place for it."""
    graph, document = document_of(config)
    source, array = scene.mix, cell.array
    if name == MICROPHONE:
        source, array = scene.microphone, "mono"
    elif name in _BEAMS:
        document = with_beams(graph, document, {"use": _BEAMS[name]})
    elif name != SHIPPED:
        document["extra_roots"] = ["tools"]
        if name in {TRACKED_ORACLE, ORACLE, CLEAN}:
            oracle = {
                "use": "tools.hearing_oracle.OracleBeams",
                "scene": str(scene.folder),
                "kind": "image" if name == CLEAN else "mask",
                "window_s": WALKING_WINDOW_S if cell.walking else 0.0,
            }
            document = with_beams(graph, document, oracle)
        if name in {TRUE_TRACKS, ORACLE, CLEAN}:
            document = _with_true_tracks(graph, document, scene)
    return Compared(Run(name, source, array, yaml.safe_dump(document, sort_keys=False)))


def alone(cell: Cell, scene: SceneFiles, config: str, dry: bool = False) -> list[Compared]:
    """Each talker alone: in the same room through the same graph, or `dry`, at the mouth, on one microphone."""
    _, document = document_of(config)
    graph = yaml.safe_dump(document, sort_keys=False)
    return [
        Compared(
            Run(f"{'dry' if dry else 'alone'} {who}", scene.dry(who) if dry else scene.alone(who), "mono" if dry else cell.array, graph),
            who,
        )
        for who in cell.talkers
    ]


def _with_true_tracks(graph: Graph, document: dict[str, Any], scene: SceneFiles) -> dict[str, Any]:
    beam = graph.nodes[beam_stage(graph)]
    audio = next(f"{edge.stage}.{edge.port}" for port, edge in beam.edges.items() if beam.cls.inputs[port].packet is AudioBlock)
    # What points the beams is replaced, whatever it was made of.
    tracker = next(edge.stage for port, edge in beam.edges.items() if beam.cls.inputs[port].packet is Tracks)
    document["stages"][tracker] = {"use": "tools.hearing_oracle.OracleTracks", "scene": str(scene.folder), "in": {"audio": audio}}
    return document
