"""The demo's last screen: who was heard from where and for how long, what happened when, and what Echoic answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipeline.app import times
from pipeline.app.answer_text import bearing

_ARROWS = "→↗↑↖←↙↓↘"
_DIAL_CELLS = 36
_BAR_CELLS = 24
_NARROW_BAR_CELLS = 12
_WIDE = 120
_DRAWINGS = ((_DIAL_CELLS, 16), (24, 12), (16, 6), (16, 0), (0, 0))
"""Cells of the dial and of the bar, widest first; a dial of fewer than 16 has no room for its scale."""
_WORDS_WIDTH = 4 + len("bearing ") + len("1:02:03 ") + len("lines") + 1
"""What the panel's frame and the columns other than who and the drawings take."""
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


def arrow(azimuth_deg: float) -> str:
    """The arrow nearest to a bearing, 0 degrees to the right, counter-clockwise."""
    return _ARROWS[round(azimuth_deg / 45.0) % 8]


def dial(azimuth_deg: float | None, cells: int = _DIAL_CELLS) -> str:
    """A bearing as a mark on a line from 0 to 360 degrees."""
    marks = ["┬" if index % (cells // 4) == 0 else "─" for index in range(cells)]
    if azimuth_deg is not None:
        marks[round(azimuth_deg / 360.0 * cells) % cells] = "●"
    return "".join(marks)


def span(start_s: float, end_s: float, total_s: float, cells: int = _BAR_CELLS) -> str:
    """A stretch of a session as a bar at its place."""
    first = min(cells - 1, int(start_s / total_s * cells)) if total_s > 0 else 0
    last = max(first + 1, min(cells, round(end_s / total_s * cells))) if total_s > 0 else 1
    return "·" * first + "█" * (last - first) + "·" * (cells - last)


def tracks_panel(tracks: Sequence[Mapping[str, Any]], width: int = _WIDE) -> Panel:
    """Who was heard from which bearing, and for how long; the drawings shrink, or go, so that every word fits."""
    spoke = sorted((row for row in tracks if row["n_lines"]), key=lambda row: (row["azimuth_deg"] is None, row["azimuth_deg"] or 0.0))
    longest = max((row["speech_s"] for row in spoke), default=0.0)
    who = min(max((len(_name(row)) for row in spoke), default=3), width // 3)
    room = width - _WORDS_WIDTH - who
    dial_cells, bar_cells = next(cells for cells in _DRAWINGS if cells == (0, 0) or sum(n + 1 for n in cells if n) <= room)
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    scale = "0°" + "".join(f"{mark:>{dial_cells // 4}}" for mark in ("90°", "180°", "270°"))
    table.add_column("who", overflow="fold", min_width=who)
    headings = ("bearing", *([scale] if dial_cells else []), "spoke", *([""] if bar_cells else []), "lines")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for index, row in enumerate(spoke):
        colour = _COLOURS[index % len(_COLOURS)]
        azimuth = row["azimuth_deg"]
        bar = "█" * max(1, round(bar_cells * row["speech_s"] / longest)) if longest else ""
        table.add_row(
            Text(_name(row), style=f"bold {colour}"),
            "none" if azimuth is None else f"{azimuth:3.0f}° {arrow(azimuth)}",
            *([Text(dial(azimuth, dial_cells), style=colour)] if dial_cells else []),
            times.duration(row["speech_s"]),
            *([Text(bar, style=colour)] if bar_cells else []),
            str(row["n_lines"]),
        )
    return Panel(table, title="who was heard, from where, for how long", title_align="left", border_style="dim")


def events_panel(events: Sequence[Mapping[str, Any]], tracks: Sequence[Mapping[str, Any]], total_s: float, width: int = _WIDE) -> Panel:
    """The timeline: each event with who spoke in it and the reason why it began there."""
    names = {row["id"]: _name(row) for row in tracks}
    bar_cells = _BAR_CELLS if width >= _WIDE else _NARROW_BAR_CELLS
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("from", no_wrap=True)
    table.add_column(f"0 to {total_s:.0f} s", no_wrap=True)
    table.add_column("who", ratio=2, overflow="fold", min_width=min(max(map(len, names.values()), default=3), width // 6))
    table.add_column("why it began here", ratio=3, overflow="fold")
    table.add_column("what", ratio=4, overflow="fold")
    for row in events:
        where = Text(span(row["start_s"], row["end_s"], total_s, bar_cells), style="cyan")
        who = ", ".join(names.get(track, track) for track in row["tracks"])
        table.add_row(f"{row['start_s']:.1f} s", where, Text(who), Text(row["reason"]), Text(row["summary"]))
    return Panel(table, title="what happened, and why it was cut there", title_align="left", border_style="dim")


def _name(track: Mapping[str, Any]) -> str:
    return str(track["speaker"] or track["id"])


def answer_panel(answer: Mapping[str, Any], starts: Mapping[str, datetime], memory: Path, width: int = _WIDE) -> Panel:
    """A question with its answer, and the evidence of each claim."""
    body: list[RenderableType] = [Text(str(answer["answer"]), style="yellow" if answer["abstained"] else "green")]
    shown = set()
    for evidence in (evidence for claim in answer["claims"] for evidence in claim["evidence"]):
        what = (evidence["utterance"], evidence["start_s"])
        if what in shown:
            continue
        shown.add(what)
        start = starts[evidence["session"]] + timedelta(seconds=evidence["start_s"])
        where = f"{evidence['speaker']}, {bearing(evidence['azimuth_deg'])}, {times.clock(start)} (+{evidence['start_s']:.1f} s)"
        body.append(Text.assemble("  ", (where, "bold"), f"  “{evidence['text']}”"))
        if evidence["clip"]:
            body.append(Text(f"    play {memory / evidence['clip']}", style="dim"))
    timing = f"{answer['timing_ms']['total']:.0f} ms"
    title = Text(str(answer["question"]), style="bold")
    if len(title) > width - 6:
        # A title has one line.
        body.insert(0, title)
        title = Text("question", style="bold")
    return Panel(Group(*body), title=title, title_align="left", subtitle=timing, subtitle_align="right")


def show(
    console: Console,
    tracks: Sequence[Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]],
    total_s: float,
    answers: Sequence[Mapping[str, Any]],
    starts: Mapping[str, datetime],
    memory: Path,
) -> None:
    """Print the whole screen."""
    console.print(tracks_panel(tracks, console.width))
    console.print(events_panel(events, tracks, total_s, console.width))
    for answer in answers:
        console.print(answer_panel(answer, starts, memory, console.width))
