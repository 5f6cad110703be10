"""`echoic models`: what the catalogue has, what a graph needs, and getting it."""

from __future__ import annotations

from typing import Any

from models import weights
from pipeline.app.console import bar, result, result_json, say
from pipeline.app.failures import CallerError, WorkError
from pipeline.app.graph_choice import DEFAULT, declared_weights
from pipeline.graph import load_graph, suggestion


def list_models(config: str | None, as_json: bool) -> None:
    """Print every weight file with its size, licence and whether it is here."""
    here = {entry.name for entry in weights.entries()} - {entry.name for entry in weights.missing()}
    chosen = None if config is None else declared_weights(load_graph(config))
    rows: list[dict[str, Any]] = [
        {"name": entry.name, "bytes": entry.n_bytes, "licence": entry.licence, "here": entry.name in here, "about": entry.about}
        for entry in weights.entries()
        if chosen is None or entry.name in chosen
    ]
    if as_json:
        result_json(rows)
        return
    say(f"weights lie in {weights.cache_folder()}")
    for row in rows:
        result(f"{'here ' if row['here'] else '     '} {row['bytes'] / 1e6:8.1f} MB  {row['name']:<48} {row['licence']:<12} {row['about']}")


def fetch_models(names: list[str], config: str | None, everything: bool) -> None:
    """Bring weights here: the named ones, those of a config, or all. Raises CallerError, WorkError."""
    wanted = _chosen(names, config, everything)
    lacking = weights.missing(wanted) if wanted else []
    total = sum(entry.n_bytes for entry in lacking)
    say(f"fetching {len(lacking)} files, {total / 1e6:.0f} MB" if lacking else "nothing is missing; verifying")
    with bar("fetching", total / 1e6, "MB") as progress:
        arrived: dict[str, int] = {}

        def report(name: str, done: int, _: int) -> None:
            arrived[name] = done
            progress.update(sum(arrived.values()) / 1e6, name)

        paths = weights.fetch(wanted, report) if wanted else []
    say(f"{len(paths)} files are here and verified, in {weights.cache_folder()}")


def verify_models(names: list[str], config: str | None) -> None:
    """Hash what is here. Raises WorkError where a file is not what it should be, or a named one is missing."""
    asked = _chosen(names, config, everything=not names and config is None)
    lacking = {entry.name for entry in weights.missing(asked)}
    known = {entry.name for entry in weights.entries()}
    faults, advice = [], []
    for check in weights.verify(asked):
        if not check.problem:
            result(f"good     {check.name}")
        elif check.name in lacking and not names and config is None:
            result(f"not here {check.name}")
        else:
            result(f"WRONG    {check.name}")
            faults.append(check.problem)
            if check.name in known:
                advice = ["get the right files with `echoic models fetch`"]
    if faults:
        raise WorkError("\n".join([*faults, *advice]))


def _chosen(names: list[str], config: str | None, everything: bool) -> list[str]:
    known = {entry.name for entry in weights.entries()}
    groups = {name.split("/")[0] for name in known if "/" in name}
    for name in names:
        if name not in known | groups:
            raise CallerError(
                f"no weight file or group is called {name!r}{suggestion(name, sorted(known | groups))} (`echoic models list` shows all)"
            )
    if everything:
        return sorted(known)
    return [*names, *([] if names and config is None else declared_weights(load_graph(config or DEFAULT)))]
