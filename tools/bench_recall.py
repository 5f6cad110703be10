"""Everything that is measured of recall, as one Markdown report: `make bench-recall`.

    python -m tools.bench_recall [--data ../shared/data] [--quick] [--rooms N] [--only PART ...] [--config YAML] [--work DIR] [--out FILE]

Generated rooms as true transcripts (`tools.recall_rooms_text`), a few of them with each answerer (`tools.recall_answerers`) and in
free words (`tools.recall_free_questions`), as recordings (`tools.recall_rooms_audio`), talks written out by hand (`tools.recall_talks`),
meetings (`tools.recall_meetings`, and with nothing learnt of those that are asked about: `tools.recall_meetings_crossed`) and speed
(`tools.recall_speed`), one after the other, each a process of its own. `--quick` measures little of each, to see that all of it works.
Recordings that were heard are kept in the work folder, so a part that was cut short goes on. The exit code is 1 where a part failed; the
report then has the end of what it said.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tools.bench_memory import Part, commit, load, machine, report, working_folder

PARTS = ("Rooms", "Answerers", "Free questions", "Plain talks", "Rooms from audio", "Meetings", "Meetings, crossed", "Speed")
N_ROOMS = 40


def parts(data: Path, work: Path, *, quick: bool, n_rooms: int, configs: Sequence[Path] = ()) -> list[Part]:
    """What is run, in its order. `n_rooms` are recorded rooms; `configs` are the graphs that answer about the others.

    Answerers take turns in the first of these.
    """
    graphs = tuple(word for config in configs for word in ("--config", str(config)))
    text = ("tools.recall_rooms_text", "--folder", str(work / "rooms"), *graphs)
    wording = ("tools.recall_answerers", "--folder", str(work / "answerers"), *graphs[:2])
    free = ("tools.recall_free_questions", "--folder", str(work / "free"), *graphs[:2])
    audio = ("tools.recall_rooms_audio", "--folder", str(work / "rooms-audio"), "--rooms", "1" if quick else str(n_rooms))
    sizes = ("1000", "10000") if quick else ("1000", "10000", "100000", "1000000")
    qmsum = data / "qmsum"
    meetings = ("--data", str(qmsum), "--vectors", str(work / "meetings.npz"))
    return [
        Part("Rooms", (*text, "--rooms", "10") if quick else text),
        Part("Answerers", (*wording, "--rooms", "1") if quick else wording),
        Part("Free questions", (*free, "--seeds", "44000") if quick else free),
        Part("Plain talks", ("tools.recall_talks", *(("--only", "mixed_") if quick else ()))),
        Part("Rooms from audio", audio),
        Part("Meetings", ("tools.recall_meetings", *meetings), qmsum),
        Part("Meetings, crossed", ("tools.recall_meetings_crossed", *meetings, *(("--rooms", "2") if quick else ())), qmsum),
        Part("Speed", ("tools.recall_speed", "--data", str(qmsum), "--lines", *sizes), qmsum),
    ]


def heading(command: Sequence[str]) -> str:
    """When, on what, with what, of what."""
    return (
        f"# Recall, measured\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}, Python {platform.python_version()}, commit {commit()},"
        f" load {load()}.\n\n`{shlex.join(command)}`\n"
    )


def without_places(text: str, data: Path, work: Path) -> str:
    """A report without where data and work lie on this machine."""
    return text.replace(str(work), "FOLDER").replace(str(data), "DATA")


def main() -> int:
    """Measure every part and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of qmsum/")
    parser.add_argument("--quick", action="store_true", help="little of each part: minutes, not hours")
    parser.add_argument("--rooms", type=int, default=N_ROOMS, help="how many rooms are heard as recordings")
    parser.add_argument("--config", type=Path, action="append", default=[], help="a graph that answers; may be given more than once")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=f"some of {', '.join(PARTS)}; all by default"
    )
    parser.add_argument("--work", type=Path, help="where memories, recordings and vectors are kept; default: a temporary folder")
    parser.add_argument("--out", type=Path, help="write the report to this file as well")
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command sets it for itself
    data = options.data.resolve()
    with working_folder(options.work) as work:
        chosen = parts(data, work, quick=options.quick, n_rooms=options.rooms, configs=options.config)
        head = heading(["python", "-m", "tools.bench_recall", *sys.argv[1:]])
        wanted = [part for part in chosen if part.title in options.only]
        return report(head, wanted, options.out, lambda text: without_places(text, data, work))


if __name__ == "__main__":
    sys.exit(main())
