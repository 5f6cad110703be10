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

from pipeline.app.console import result, result_json
from pipeline.app.failures import CallerError, WorkError
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.memory_examination import examine_memory, print_report

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


def examine(memory: Path | None, config: str | None = None, as_json: bool = False) -> None:
    """Print what was found. Raises WorkError where something that is needed is missing, or the memory is not whole.

    With a memory: its invariants, what could be repaired, and its stores against the bounds that its own graph (or `config`)
    declares. Raises CallerError where --json or --config is given without a memory.
    """
    if memory is None:
        if as_json or config:
            raise CallerError(f"doctor {'--json' if as_json else '--config'} needs --memory DIR: it is about a memory")
        lacking = _machine()
        if lacking:
            raise WorkError(
                f"missing Python packages: {', '.join(lacking)}; `make setup` in the checkout, or `pip install echoic`, installs them"
            )
        return
    report = examine_memory(directory_to_read(memory), config)
    if as_json:
        result_json({"memory": str(memory), **report.to_json()})
    else:
        print_report(report, str(memory))
        _machine()
    if report.faults:
        raise WorkError(
            f"memory {memory} is not whole: {len(report.faults)} faults, listed above; restore it from a copy, "
            "or replay its recordings under sessions/ into a new memory"
        )
    if report.over:
        raise WorkError(
            f"memory {memory} takes more than it may ({', '.join(report.over)}); `echoic consolidate --memory {memory}` brings down what "
            "may leave by itself; words never do: raise the bound in the YAML, or erase with `echoic forget`"
        )


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
