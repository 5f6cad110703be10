"""One run of the benchmark: a recording through `echoic replay`, then `echoic export`, with a graph for each thing that is compared."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.app.graph_roles import roles_of
from pipeline.graph import Graph, Node, load_graph
from pipeline.packets import AudioBlock, BeamBlock, Directions, Tracks

SHIPPED = "shipped"
BEAMS: dict[str, dict[str, Any]] = {
    "delay and sum": {"use": "stages.audio.delay_and_sum.DelayAndSum"},
    "fixed MVDR": {"use": "stages.audio.fixed_mvdr.FixedMvdr"},
}
"""What stands in the place of the beams of the graph that is measured."""
TAP = "hearing_tap"
CODE = ("pipeline", "models", "stages")
_OWN = ("hearing_run.py", "hearing_replay.py", "hearing_tap.py", "hearing_oracle.py")


class RunError(RuntimeError):
    """A run failed; the message has what the command said."""


@dataclass(frozen=True)
class Run:
    """A recording, its array, and the graph (YAML) that it goes through; `extra` is written beside the results."""

    name: str
    source: Path
    array: str
    graph: str
    bearings: bool = True


@dataclass(frozen=True)
class Result:
    """Where the results of a run lie."""

    folder: Path

    def lines(self, copies: bool = False) -> list[dict[str, Any]]:
        """The lines of `echoic export`, with those that were marked as copies or without."""
        return _rows(self.folder / ("copies.jsonl" if copies else "lines.jsonl"))

    def tracks(self) -> list[dict[str, Any]]:
        """Where the awake tracks were: rows of at_s, lasts_s and awake, pairs of name and bearing."""
        return _rows(self.folder / "tracks.jsonl")

    def rttm(self) -> str:
        """What `echoic export --format rttm` printed."""
        return (self.folder / "lines.rttm").read_text(encoding="utf-8")

    def figures(self) -> dict[str, Any]:
        """Processor time by stage and of the whole, and which stages are the front end."""
        figures: dict[str, Any] = json.loads((self.folder / "figures.json").read_text(encoding="utf-8"))
        return {**figures, **json.loads((self.folder / "run.json").read_text(encoding="utf-8"))}


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def carries(node: Node, taken: type[Any] | None, given: type[Any]) -> bool:
    """Whether a node takes one kind of packet (None: whatever it takes) and gives another."""
    outputs = {port.packet for port in node.cls.outputs.values()}
    return given in outputs and (taken is None or taken in {port.packet for port in node.cls.inputs.values()})


def front_end(graph: Graph) -> list[str]:
    """The stages from the recording to the beams: those that make directions, tracks, beams, or sound of sound."""
    sources = set(graph.sources())
    made = (Directions, Tracks, BeamBlock, AudioBlock)
    return [name for name, node in graph.nodes.items() if name not in sources and any(carries(node, None, kind) for kind in made)]


def beam_stage(graph: Graph) -> str:
    """The stage that makes beams of sound and tracks. Raises RunError where the graph has none."""
    for name, node in graph.nodes.items():
        if carries(node, AudioBlock, BeamBlock):
            return name
    raise RunError(f"{graph.where}: no stage takes audio and gives beams; the benchmark needs a graph with beams")


def tapped(document: dict[str, Any], graph: Graph, folder: Path) -> dict[str, Any]:
    """The YAML of a graph with the tap where speech is looked for, and with one thread in the recogniser."""
    roles = roles_of(graph)
    beam = beam_stage(graph)
    tracks = next(edge for port, edge in graph.nodes[beam].edges.items() if graph.nodes[beam].cls.inputs[port].packet is Tracks)
    last = next(iter(graph.nodes[roles.vad].edges.values())) if roles.vad is not None else None
    beams = f"{last.stage}.{last.port}" if last is not None else f"{beam}.beams"
    document["extra_roots"] = sorted({*document.get("extra_roots", []), "tools"})
    document["stages"][TAP] = {
        "use": "tools.hearing_tap.HearingTap",
        "directory": str(folder),
        "in": {"beam": beams, "tracks": f"{tracks.stage}.{tracks.port}"},
    }
    if roles.recogniser is not None and "n_threads" in document["stages"][roles.recogniser]:
        document["stages"][roles.recogniser]["n_threads"] = 1
    return document


def document_of(config: str) -> tuple[Graph, dict[str, Any]]:
    """A graph, and its resolved YAML to change."""
    graph = load_graph(config)
    document: dict[str, Any] = yaml.safe_load(graph.to_yaml())
    return graph, document


def with_beams(graph: Graph, document: dict[str, Any], stage: dict[str, Any]) -> dict[str, Any]:
    """The YAML with another stage that makes the beams, fed as the one before was (its inputs `audio` and `tracks`)."""
    name = beam_stage(graph)
    node = graph.nodes[name]
    fed = {node.cls.inputs[port].packet: f"{edge.stage}.{edge.port}" for port, edge in node.edges.items()}
    document["stages"][name] = {**stage, "in": {"audio": fed[AudioBlock], "tracks": fed[Tracks]}}
    return document


@cache
def code_digest() -> str:
    """A digest of all code that a run depends on."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(path for folder in CODE for path in (root / folder).rglob("*") if path.suffix in {".py", ".yaml"}):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    for name in _OWN:
        path = root / "tools" / name
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def run(job: Run, folder: Path, fresh: bool = False) -> Result:
    """Run it, unless its results are there from the same code, graph and recording. Raises RunError."""
    key = {"code": code_digest(), "graph": job.graph, "source": str(job.source), "array": job.array}
    done = folder / "run.json"
    if not fresh and done.is_file() and json.loads(done.read_text(encoding="utf-8")).get("key") == key:
        return Result(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    graph, document = document_of_text(job.graph)
    config, memory = folder / "graph.yaml", folder / "memory"
    config.write_text(yaml.safe_dump(tapped(document, graph, folder), sort_keys=False), encoding="utf-8")
    watched = [sys.executable, "-m", "tools.hearing_replay", str(folder / "figures.json")]
    command = ["replay", str(job.source), "--array", job.array, "--config", str(config), "--memory", str(memory), "--no-copy"]
    session = _said([*watched, *command]).split()[-1]
    echoic = [sys.executable, "-m", "pipeline.app.cli", "export", session, "--memory", str(memory)]
    for name, options in (("lines.jsonl", []), ("copies.jsonl", ["--copies"]), ("lines.rttm", ["--format", "rttm"])):
        (folder / name).write_text(_said([*echoic, *options]), encoding="utf-8")
    shutil.rmtree(memory)
    done.write_text(json.dumps({"key": key, "front_end": front_end(graph), "name": job.name}), encoding="utf-8")
    return Result(folder)


def document_of_text(text: str) -> tuple[Graph, dict[str, Any]]:
    """A graph from YAML text (a resolved one), and its document to change."""
    graph = load_graph("benchmark", text=text)
    return graph, yaml.safe_load(text)


def _said(command: list[str]) -> str:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parent.parent, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
