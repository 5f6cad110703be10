"""`echoic doctor`: what this machine has for Echoic, and whether a memory is whole."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.app.console import result
from pipeline.app.daemon_file import running_daemon
from pipeline.app.failures import WorkError
from pipeline.app.graph_choice import choose_graph, for_reading, for_writing
from pipeline.app.memory_directory import MemoryDirectory, directory_to_read
from pipeline.app.open_memory import started
from pipeline.build import build_resources

_NEEDED = (
    "numpy",
    "scipy",
    "soundfile",
    "soxr",
    "pydantic",
    "yaml",
    "typer",
    "rich",
    "starlette",
    "uvicorn",
    "prometheus_client",
    "dateparser",
)
_MODELS = ("torch", "onnxruntime", "tokenizers", "faiss", "faster_whisper", "whisper", "xllamacpp")
_GST_ELEMENTS = (
    "appsink",
    "audioconvert",
    "audioresample",
    "filesrc",
    "decodebin",
    "pulsesrc",
    "alsasrc",
    "pipewiresrc",
    "rtspsrc",
    "udpsrc",
)


def examine(memory: Path | None) -> None:
    """Print what was found. Raises WorkError where something that is needed is missing, or the memory is not whole."""
    faults: list[str] = []
    if memory is not None:
        directory = directory_to_read(memory)
        faults = memory_faults(directory) if directory.is_memory else []
        result(f"memory      {memory}: {'whole' if not faults else f'{len(faults)} faults'}")
        for fault in faults:
            result(f"            {fault}")
        _machine()
        if faults:
            raise WorkError(
                f"memory {memory} is not whole: {len(faults)} faults, listed above; restore it from a copy, "
                "or replay its recordings under sessions/ into a new memory"
            )
        return
    lacking = _machine()
    if lacking:
        raise WorkError(
            f"missing Python packages: {', '.join(lacking)}; `make setup` in the checkout, or `pip install echoic`, installs them"
        )


def memory_faults(directory: MemoryDirectory) -> list[str]:
    """Every broken invariant of a memory in words. What is derived is repaired, unless a daemon holds the memory just now."""
    graph = choose_graph(None, directory, reading=True)
    reads = running_daemon(directory) is not None
    graph, roles = for_reading(graph, directory) if reads else for_writing(graph, directory, "", record=False)
    with started(build_resources(graph, only=[roles.memory])) as resources:
        faults: list[str] = resources[roles.memory].check()  # type: ignore[attr-defined] # roles_of has found it by its class
        return faults


def _machine() -> list[str]:
    lacking = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    result(f"python      {platform.python_version()} at {sys.executable}, {platform.system()} {platform.machine()}")
    result(f"echoic      {_version('echoic')}")
    result(f"packages    {', '.join(_packages(_NEEDED))}")
    result(f"models      {', '.join(_packages(_MODELS))}")
    for line in (*_gstreamer(), *_devices(), *_weights()):
        result(line)
    free = shutil.disk_usage(Path.cwd()).free
    result(f"disk        {free / 1e9:.1f} GB free here; an array of 7 microphones takes about 0.6 GB an hour")
    return lacking


def _packages(names: tuple[str, ...]) -> Iterator[str]:
    distributions = importlib.metadata.packages_distributions()
    for name in names:
        if importlib.util.find_spec(name) is None:
            yield f"{name} MISSING"
        else:
            yield f"{name} {_version(distributions.get(name, [name])[0])}"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed as a package)"


def _gstreamer() -> Iterator[str]:
    try:
        gi = importlib.import_module("gi")
        gi.require_version("Gst", "1.0")
        gst = importlib.import_module("gi.repository.Gst")
    except (ImportError, ValueError) as error:
        yield f"gstreamer   MISSING ({error}); live capture needs PyGObject and GStreamer 1.x, replay does not"
        return
    gst.init(None)
    found = {name: gst.ElementFactory.find(name) is not None for name in _GST_ELEMENTS}
    yield f"gstreamer   {gst.version_string()}; has {', '.join(name for name, there in found.items() if there)}"
    absent = [name for name, there in found.items() if not there]
    if absent:
        yield f"            lacks {', '.join(absent)} (needed only where a description names them)"


def _devices() -> Iterator[str]:
    if importlib.util.find_spec("torch") is None:
        yield "devices     cpu"
        return
    torch = importlib.import_module("torch")
    names = [
        f"cuda:{index} {torch.cuda.get_device_name(index)}"
        for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    ]
    yield f"devices     {', '.join(['cpu', *names])}"


def _weights() -> Iterator[str]:
    from models import weights

    lacking = weights.missing()
    yield f"weights     {len(weights.entries()) - len(lacking)} of {len(weights.entries())} files in {weights.cache_folder()}"
    if lacking:
        yield f"            not here: {', '.join(entry.name for entry in lacking)} (`echoic models fetch` gets what a config needs)"
