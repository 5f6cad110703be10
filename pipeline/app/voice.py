"""`echoic ask --voice`: the graph's own recogniser turns a spoken question into text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.app.console import say
from pipeline.app.failures import CallerError
from pipeline.app.graph_choice import choose_graph
from pipeline.app.graph_roles import roles_of
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import started
from pipeline.app.question_audio import SAMPLE_RATE_HZ, check_speech, read_question, record_question
from pipeline.build import build_resources, needs
from pipeline.graph import Graph
from pipeline.packets import Float32Array, Track, Transcript, Utterance
from pipeline.placement import resolve_device
from pipeline.stage import Stage


def spoken_question(voice: str, mic: str, memory: MemoryDirectory, config: str | None) -> str:
    """What was asked, in words. `voice` is a sound file, or "mic" for the GStreamer source `mic`. Raises CallerError."""
    graph = choose_graph(config, memory, reading=True)
    roles = roles_of(graph)
    if roles.recogniser is None:
        raise CallerError(
            f"{graph.where}: there is no recogniser in it (a stage from Utterance to Transcript), so --voice cannot be used; "
            "ask in text, or give a graph that has one with --config, such as configs/replay.yaml"
        )
    if voice == "mic":
        if roles.vad is None:
            raise CallerError(
                f"{graph.where}: there is no voice activity detector in it (a stage from BeamBlock to SpeechBlock), "
                "so --voice mic cannot be used; give a sound file, or a graph that has one with --config"
            )
        with started_stage(graph, roles.vad) as vad:
            say("listening ...")
            samples = record_question(mic, vad)
    else:
        samples = read_question(Path(voice))
        if roles.vad is not None:
            with started_stage(graph, roles.vad) as vad:
                check_speech(Path(voice), samples, vad)
    with started_stage(graph, roles.recogniser) as recogniser:
        text = recognised(recogniser, samples)
    if not text:
        raise CallerError(f"--voice {voice}: no words were understood; speak closer to the microphone, or ask in text")
    say(f"heard: {text}")
    return text


@contextmanager
def started_stage(graph: Graph, name: str) -> Iterator[Stage]:
    """One stage of a graph on its own, with the resources that it asks for."""
    node = graph.nodes[name]
    with started(build_resources(graph, only=needs(node))) as resources:
        arguments: dict[str, Any] = dict(node.settings)
        for key, setting in node.definition.settings.items():
            if setting.resource is not None and arguments.get(key) is not None:
                arguments[key] = resources[arguments[key]]
        if "device" in arguments:
            arguments["device"] = resolve_device(str(arguments["device"]))
        stage: Stage = node.cls(**arguments)
        try:
            stage.start()
            yield stage
        finally:
            stage.stop()


def recognised(recogniser: Stage, samples: Float32Array) -> str:
    """The words in a mono recording, float32, shape (frames,), 16 kHz."""
    duration_ns = len(samples) * 10**9 // SAMPLE_RATE_HZ
    lane = Track(name="question", azimuth_deg=None, lane=0)
    utterance = Utterance(pts_ns=0, duration_ns=duration_ns, samples=samples, sample_rate_hz=SAMPLE_RATE_HZ, track=lane)
    port = next(iter(type(recogniser).inputs))
    handler = getattr(recogniser, f"on_{port}", None)
    emits = list(handler(utterance) if handler is not None else getattr(recogniser, f"batch_{port}")([utterance]))
    emits += list(recogniser.flush())
    return " ".join(emit.packet.text.strip() for emit in emits if isinstance(emit.packet, Transcript)).strip()
