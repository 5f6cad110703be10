"""The options that several commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Memory = Annotated[Path, typer.Option("--memory", metavar="DIR", help="The memory's directory.")]
MemoryOrLater = Annotated[
    Path | None, typer.Option("--memory", metavar="DIR", help="The memory's directory; with a subcommand it follows that.")
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="YAML", help="The graph: a file, or a shipped one. Default: the memory's own, else configs/replay.yaml."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Session = Annotated[str | None, typer.Option("--session", metavar="ID", help="Only this session.")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="As of then: ISO 8601, or +SECONDS from a session's start.")]
StartedAt = Annotated[
    str | None, typer.Option("--started-at", metavar="TIME", help="When it began, ISO 8601. Default: the file's modification time.")
]
