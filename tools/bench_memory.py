"""Everything that is measured of the memory, as one Markdown report: `make bench-memory`.

    python -m tools.bench_memory [--data ../shared/data] [--quick] [--five-million] [--only PART ...] [--work FOLDER] [--out FILE]

Segmentation (`tools.memory_segmentation`), growth to a million lines (`tools.memory_scale`), a week (`tools.memory_week`) and faults
(`tools.memory_faults`), one after the other, each a process of its own. `--quick` measures little of each, to see that all of it works.
The exit code is 1 where a part failed; the report then has the end of what it said.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_TOLD_CHARACTERS = 2000
PARTS = ("Segmentation", "Growth", "A week", "Faults")


@dataclass(frozen=True)
class Part:
    """One measurement: its heading and the module with its arguments. A part without a `needed` folder is left out, and told so."""

    title: str
    command: tuple[str, ...]
    needed: Path | None = None


def parts(data: Path, work: Path, *, quick: bool, five_million: bool) -> list[Part]:
    """What is run, in its order."""
    qmsum = data / "qmsum"
    sizes = "2000,10000" if quick else "10000,100000,1000000" + (",5000000" if five_million else "")
    scale = ("tools.memory_scale", "--texts", str(qmsum), "--folder", str(work), "--sizes", sizes)
    cut = ("tools.memory_segmentation", "--data", str(data), "--cache", str(work / "segmentation"))
    week = ("--days", "2", "--hours-a-day", "2", "--lines-an-hour", "100") if quick else ()
    faults = ("--kills", "4", "--full-disks", "2", "--damages", "1") if quick else ()
    return [
        Part("Segmentation", (*cut, "--talks", "8") if quick else cut, qmsum),
        Part("Growth", (*scale, "--hnsw-most", "0") if quick else scale, qmsum),
        Part("A week", ("tools.memory_week", "--folder", str(work), *week)),
        Part("Faults", ("tools.memory_faults", *faults)),
    ]


def run(part: Part) -> tuple[bool, str]:
    """Whether a part held, and its section of the report."""
    head = f"## {part.title}\n\n`python -m {shlex.join(part.command)}`"
    if part.needed is not None and not part.needed.is_dir():
        return False, f"{head}\n\nNot measured: {part.needed} is not there; `--data` says where the data are.\n"
    before, began = load(), time.perf_counter()
    sys.stderr.write(f"{part.title} ...\n")
    # Small models take one thread: what is compared must not hang on how many cores are free.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-m", *part.command], cwd=_ROOT, env=environment, capture_output=True, text=True)
    took = f"{time.perf_counter() - began:.0f} s; load {before} before, {load()} after."
    if done.returncode:
        return (
            False,
            f"{head}\n\n{took} **Failed**, exit code {done.returncode}.\n\n{done.stdout}\n```\n{done.stderr[-_TOLD_CHARACTERS:]}\n```\n",
        )
    return True, f"{head}\n\n{took}\n\n{done.stdout.strip()}\n"


def heading(command: Sequence[str]) -> str:
    """When, on what, with what, of what."""
    return (
        f"# Memory, measured\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}, Python {platform.python_version()}, commit {commit()},"
        f" load {load()}.\n\n`{shlex.join(command)}`\n"
    )


def machine() -> str:
    """The processor and its cores."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        name = next(line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def commit() -> str:
    """The commit that is measured, and whether files were changed since."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return told.stdout.strip() or "unknown"


def load() -> str:
    """How many processes wanted the processor in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


@contextmanager
def working_folder(chosen: Path | None) -> Iterator[Path]:
    """The folder that was chosen, made where it is missing; a temporary one where none was."""
    with tempfile.TemporaryDirectory(prefix="echoic-bench-") as temporary:
        work = (chosen or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        yield work


def report(head: str, chosen: Sequence[Part], out: Path | None, shown: Callable[[str], str] = str) -> int:
    """Measure parts one after the other and print the report, each section as `shown` gives it; 1 where a part failed, else 0."""
    sections, held = [shown(head)], True
    for part in chosen:
        good, section = run(part)
        held &= good
        sections.append(shown(section))
        if out is not None:
            # After each part: a later one may be cut short.
            out.write_text("\n".join(sections), encoding="utf-8")
    sys.stdout.write("\n".join(sections))
    return 0 if held else 1


def main() -> int:
    """Measure every part and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of qmsum/ and tiage/")
    parser.add_argument("--quick", action="store_true", help="little of each part: minutes, not hours")
    parser.add_argument("--five-million", action="store_true", help="let the memory grow to five million lines: 20 GB of disk")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=f"some of {', '.join(PARTS)}; all by default"
    )
    parser.add_argument("--work", type=Path, help="where vectors are kept and memories made; default: a temporary folder")
    parser.add_argument("--out", type=Path, help="write the report to this file as well")
    options = parser.parse_args()
    with working_folder(options.work) as work:
        chosen = parts(options.data.resolve(), work, quick=options.quick, five_million=options.five_million)
        head = heading(["python", "-m", "tools.bench_memory", *sys.argv[1:]])
        return report(head, [part for part in chosen if part.title in options.only], options.out)


if __name__ == "__main__":
    sys.exit(main())
