"""`make bench-hearing`: how well a room full of talkers is heard, measured through `echoic replay` and `echoic export`.

    python -m tools.bench_hearing [--only CELL] [--baselines all|few|none] [--config YAML] [--quick] [--out DIR] [--fresh]
    python -m tools.bench_hearing --ladder CELL        which stage loses the words of a cell: oracles put in one after the other

Scenes and voices are made once and kept in the cache folder. A finished run is not made again unless code, graph or scene have changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from tools.bench import long_room, machine
from tools.hearing_compared import BASELINES, RUNGS, alone, compared
from tools.hearing_der import Diarisation
from tools.hearing_matrix import QUICK_S, Cell, MatrixError, chosen
from tools.hearing_recordings import ArrayFigures, array_figures, array_recordings, meeting_error, meetings
from tools.hearing_run import SHIPPED, Result, Run, run
from tools.hearing_scenes import SceneFiles, prepared
from tools.hearing_score import Score, score
from tools.hearing_table import array_table, cell_table, compared_table, ladder_table, number, whole_table

T = TypeVar("T")
N_AT_ONCE = 2
N_TIMES = 5


def cache_folder() -> Path:
    """Where scenes, voices and results are kept: `echoic/bench-hearing` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "echoic" / "bench-hearing"


def bench(
    only: Annotated[list[str] | None, typer.Option(help="only this cell; may be given more than once")] = None,
    config: Annotated[str, typer.Option(help="the graph that is measured")] = "configs/replay.yaml",
    baselines: Annotated[str, typer.Option(help="what stands beside: all, few (some cells) or none")] = "few",
    data: Annotated[Path, typer.Option(help="the folder of recordings (speech, array_real, ami_rttm)")] = Path("../shared/data"),
    out: Annotated[Path | None, typer.Option(help="where results are kept (default: in the cache folder)")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="scenes of 20 s")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="run everything again")] = False,
    recordings: Annotated[bool, typer.Option(help="also the real recordings (without --only)")] = True,
    long: Annotated[bool, typer.Option("--long", help="also the base cell five times in a row: does its cost grow?")] = False,
    ladder: Annotated[str | None, typer.Option(help="only the ladder of oracles for this cell")] = None,
) -> None:
    """Measure, and print Markdown."""
    if baselines not in {"all", "few", "none"}:
        raise MatrixError(f"--baselines {baselines}: allowed are all, few, none")
    cells = chosen((ladder,) if ladder else tuple(only or ()))
    cells = tuple(replace(cell, length_s=QUICK_S) if quick else cell for cell in cells)
    typer.echo(head(config))
    bench = Bench(config, data, out or cache_folder() / "results", fresh)
    if ladder:
        typer.echo(ladder_table(cells[0], bench.ladder(cells[0])))
        return
    wanted = {"all": cells, "few": tuple(cell for cell in cells if cell.few), "none": ()}[baselines]
    results = bench.cells(cells, wanted)
    diarisation, figures = bench.recordings() if recordings and not only else (None, {})
    tables = [cell_table(results), compared_table(results), whole_table(results, diarisation), array_table(figures) if figures else ""]
    typer.echo("".join(f"{text}\n\n" for text in tables if text), nl=False)
    if long:
        typer.echo(bench.growth(chosen(("base",))[0]) + "\n")
    bench.keep(results)
    typer.echo(f"load after {os.getloadavg()[0]:.1f}")


def head(config: str) -> str:
    """When, with what, on which machine, of which commit."""
    root = Path(__file__).parent.parent
    git = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "no git"
    command = " ".join(["python -m tools.bench_hearing", *sys.argv[1:]])
    load = f"load before {os.getloadavg()[0]:.1f}"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · `{command}` · {config} · commit {commit} · {machine()} · {load}\n"


class Bench:
    """One benchmark: its graph, its data, and where the results are kept."""

    def __init__(self, config: str, data: Path, folder: Path, fresh: bool) -> None:
        self.config = config
        self.data = data
        self.folder = folder
        self.fresh = fresh

    def cells(self, cells: Sequence[Cell], wanted: Sequence[Cell]) -> dict[Cell, dict[str, Score]]:
        """Run all cells, and those that are wanted with everything that stands beside them."""
        scenes = self.scenes(cells)
        jobs: list[tuple[Cell, Run, str | None]] = []
        for cell, scene in zip(cells, scenes, strict=True):
            jobs.append((cell, compared(cell, scene, self.config, SHIPPED).run, None))
            if cell in wanted:
                for name in BASELINES:
                    try:
                        jobs.append((cell, compared(cell, scene, self.config, name).run, None))
                    except ValueError as error:
                        told(f"{cell.name}, {name}: left out: {error}")
                if len(cell.talkers) > 1:
                    jobs += [(cell, entry.run, entry.talker) for entry in alone(cell, scene, self.config)]
        outcomes = self._all([(f"{cell.name}, {job.name}", job, self.folder / cell.name / job.name) for cell, job, _ in jobs])
        scores: dict[Cell, dict[str, Score]] = {cell: {} for cell in cells}
        by_cell = dict(zip(cells, scenes, strict=True))
        for (cell, job, talker), result in zip(jobs, outcomes, strict=True):
            scores[cell][job.name] = score(cell, by_cell[cell], result, talkers=(talker,) if talker else ())
        return scores

    def scenes(self, cells: Sequence[Cell]) -> list[SceneFiles]:
        """The scenes of cells, rendered where they are not there yet."""
        with ProcessPoolExecutor(N_AT_ONCE) as pool:
            pending = [pool.submit(prepared, cell, cache_folder(), self.data / "speech") for cell in cells]
            return _collected([(f"scene {cell.name}", future) for cell, future in zip(cells, pending, strict=True)])

    def ladder(self, cell: Cell) -> dict[str, Score]:
        """Run a cell with more and more that is known instead of found."""
        (scene,) = self.scenes([cell])
        runs = [compared(cell, scene, self.config, name) for name in RUNGS]
        runs += alone(cell, scene, self.config) + alone(cell, scene, self.config, dry=True)
        outcomes = self._all([(f"{cell.name}, {job.run.name}", job.run, self.folder / cell.name / job.run.name) for job in runs])
        rungs = {}
        for job, result in zip(runs, outcomes, strict=True):
            rungs[job.run.name] = score(cell, scene, result, talkers=(job.talker,) if job.talker else ())
            if job.run.name == SHIPPED:
                rungs["shipped, copies counted"] = score(cell, scene, result, copies=True)
        return rungs

    def recordings(self) -> tuple[Diarisation | None, dict[str, ArrayFigures]]:
        """The diarisation error over the AMI excerpts, and what was heard of the recorded array."""
        runs = meetings(self.data, self.config)
        lines = array_recordings(self.data, self.config, self.folder)
        jobs = [(job.name, job, self.folder / "recordings" / job.name) for job in (*runs, *lines)]
        results = dict(zip((name for name, *_ in jobs), self._all(jobs), strict=True))
        error = sum((meeting_error(job, results[job.name]) for job in runs), Diarisation(0.0, 0.0, 0.0, 0.0)) if runs else None
        names = [job.name.removesuffix(" array") for job in lines if job.name.endswith(" array")]
        return error, {name: array_figures(results[f"{name} array"], results[f"{name} close"]) for name in names}

    def growth(self, cell: Cell) -> str:
        """Whether the front end costs more in a longer session: the cell's recording once and several times in a row."""
        (scene,) = self.scenes([cell])
        once = compared(cell, scene, self.config, SHIPPED).run
        more = scene.folder / f"mix-{N_TIMES}.flac"
        if not more.is_file():
            long_room(scene.mix, more, N_TIMES)
        longer = replace(once, name="long", source=more)
        jobs = [(f"{cell.name}, {job.name}", job, self.folder / cell.name / job.name) for job in (once, longer)]
        costs = []
        for result in self._all(jobs, n_at_once=1):
            figures, length_s = result.figures(), result.tracks()[-1]["at_s"]
            costs.append(sum(figures["stages_cpu_s"].get(name, 0.0) for name in figures["front_end"]) / length_s)
        return f"Front end of {cell.name}: {number(costs[0], 3)} of real time, {number(costs[1], 3)} over {N_TIMES} times the length."

    def keep(self, results: dict[Cell, dict[str, Score]]) -> None:
        """Write every figure as JSON lines."""
        rows = [{"cell": asdict(cell), "run": name, **asdict(got)} for cell, scores in results.items() for name, got in scores.items()]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (self.folder / "results.jsonl").write_text(text, encoding="utf-8")

    def _all(self, jobs: Sequence[tuple[str, Run, Path]], n_at_once: int = N_AT_ONCE) -> list[Result]:
        with ThreadPoolExecutor(n_at_once) as pool:
            return _collected([(name, pool.submit(run, job, folder, self.fresh)) for name, job, folder in jobs])


def _collected(pending: Sequence[tuple[str, Future[T]]]) -> list[T]:
    """The results in order, each told when it is there. Raises what the first failure was, and lets the rest go."""
    try:
        results = []
        for name, future in pending:
            results.append(future.result())
            told(name)
        return results
    except BaseException:
        for _, future in pending:
            future.cancel()
        raise


def told(message: str) -> None:
    """Say how far it is, beside the results."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {message}\n")


if __name__ == "__main__":
    typer.run(bench)
