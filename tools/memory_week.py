"""A week in minutes: a memory that listens by day and sleeps at night, inside its bounds, as Markdown: the week of `make bench-memory`.

    python -m tools.memory_week [--days 7] [--hours-a-day 14] [--lines-an-hour 400] [--folder WHERE]

The clock is simulated and what is said is made; recordings have 100 samples a second, so that they are as long as they should be and
small. One session is recorded all the time, and each hour of talk has one of its own. Segmentation, short-term memory, stores, sleep and
bounds are the real ones. Texts are encoded by `HashedWords`. The exit code is 1 where a bound did not hold, or a line was not found again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from pipeline.geometry import load_array
from pipeline.packets import NS_PER_S, Float32Array
from pipeline.session import SessionReader, SessionWriter
from pipeline.session_info import SessionInfo
from stages.events.event_stream import event_of
from stages.events.room_segmenter import RoomSegmenter
from stages.events.spoken_line import SpokenLine
from stages.events.surprise_segmenter import SurpriseSegmenter, SurpriseSettings
from stages.memory import line_audio
from stages.memory.bounds import Bounds, excess
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, SessionRow
from stages.memory.short_term_store.short_term import ShortTermStore
from stages.memory.sleeping.sleep import sleep
from stages.memory.sleeping.sleep_steps import sleep_steps
from stages.memory.tables.row_writer import utc_ns
from stages.recall.scope import Scope
from stages.recall.search import Searcher
from tools.memory_scale_questions import ram_bytes
from tools.memory_week_talk import said_in

STARTED_AT = datetime(2026, 11, 23, 7, tzinfo=UTC)
_HOUR_NS = 3600 * NS_PER_S
_SHORT_TERM = 64
_AT_ONCE = 100
_HEARD_EVERY = 20
_QUESTIONS = 40
_SAMPLED = 200
_RATE_HZ = 100
_SEGMENT_S = 900
_ALWAYS = "always"
_SEED = 20261123


@dataclass(frozen=True)
class Day:
    """What a day left behind; times are of the processor, but for those on the wall. `over` names what was over its bound at its end."""

    n_lines: int
    disk_bytes: int
    recordings_bytes: int
    line_audio_bytes: int
    index_ram_bytes: int
    process_bytes: int
    question_p50_ms: float
    question_p95_ms: float
    question_wall_p95_ms: float
    day_s: float
    sleep_s: float
    slept: bool
    over: tuple[str, ...]


@dataclass(frozen=True)
class Week:
    """The days, the bounds that they were lived in, and how many lines were looked for and not found: by id, and by their words.

    Of the session that was recorded all the time `recorded_h` hours were recorded, and the audio of the last `kept_h` is there.
    """

    days: tuple[Day, ...]
    bounds: Bounds
    n_lines: int
    n_lost: int
    n_sampled: int
    n_not_found: int
    faults: tuple[str, ...]
    recorded_h: float
    kept_h: float

    @property
    def holds(self) -> bool:
        """Whether every bound was kept, nothing was lost, and the memory is whole."""
        return not (self.n_lost or self.n_not_found or self.faults or any(day.over for day in self.days))


def live(folder: Path, n_days: int, hours_a_day: int, lines_an_hour: int, bounds: Bounds) -> Week:
    """Live so many days in a new memory in `folder`."""
    memory = LongTermMemory(HashedWords(), str(folder), index="ivf_sq8", bounds=bounds)
    memory.start()
    told: dict[str, str] = {}
    days = []
    memory.begin_session(SessionRow(_ALWAYS, "made", STARTED_AT, 0, "mono", complete=False))
    always = SessionWriter(folder / "sessions" / _ALWAYS, _info(_ALWAYS, STARTED_AT))
    try:
        for day in range(n_days):
            began = time.process_time()
            for hour in range(hours_a_day):
                told |= _hour(memory, folder, day, hour, lines_an_hour)
                always.append(_sound(day, hour))
                memory.set_passed(_ALWAYS, always.frames * NS_PER_S // _RATE_HZ)
            lived_s = time.process_time() - began
            night_ns = utc_ns(STARTED_AT + timedelta(days=day, hours=20))
            always.append(np.zeros((1, (24 - hours_a_day) * 3600 * _RATE_HZ), dtype=np.float32))
            memory.set_passed(_ALWAYS, always.frames * NS_PER_S // _RATE_HZ)
            began = time.process_time()
            slept = sleep(memory, sleep_steps(), night_ns, items=64)
            sleep_s = time.process_time() - began
            days.append(_day(memory, list(told.values()), lived_s, sleep_s, slept.finished))
            sys.stderr.write(f"day {day + 1} of {n_days}\n")
        lost, sampled, not_found = _looked_for(memory, told)
        faults = tuple(memory.check())
        with SessionReader(always.directory) as reader:
            hours = reader.frames / _RATE_HZ / 3600, (reader.frames - reader.first_frame) / _RATE_HZ / 3600
    finally:
        always.close()
        memory.stop()
    return Week(tuple(days), bounds, len(told), lost, sampled, not_found, faults, *hours)


def table(week: Week) -> str:
    """One row for each day, and what became of the lines."""
    bounds = week.bounds
    head = (
        f"| day | lines | disk, MB (at most {_mb(bounds.disk_bytes)}) | recordings, MB (at most {_mb(bounds.recordings_bytes)})"
        f" | audio of lines, MB (at most {_mb(bounds.line_audio_bytes)}) | index in RAM, MB (at most {_mb(bounds.index_ram_bytes)})"
        " | process, MB | question, processor ms p50 / p95 (wall p95) | day, s | sleep, s | over |"
    )
    rows = [head, "|---:" * 10 + "|---|"]
    for number, day in enumerate(week.days, start=1):
        rows.append(
            f"| {number} | {day.n_lines:,} | {_mb(day.disk_bytes)} | {_mb(day.recordings_bytes)} | {_mb(day.line_audio_bytes)}"
            f" | {_mb(day.index_ram_bytes)} | {_mb(day.process_bytes)}"
            f" | {day.question_p50_ms:.1f} / {day.question_p95_ms:.1f} ({day.question_wall_p95_ms:.1f}) | {day.day_s:.1f}"
            f" | {day.sleep_s:.1f}{'' if day.slept else ', not ended'} | {', '.join(day.over) or 'nothing'} |"
        )
    first, last = week.days[0], week.days[-1]
    change = 100.0 * (last.question_p95_ms / first.question_p95_ms - 1.0)
    rows += [
        "",
        f"A question on the last day against the first, p95: {change:+.0f} %. Of {week.n_lines:,} lines {week.n_lost} were not there word"
        f" for word by id; of {week.n_sampled} searched by their words {week.n_not_found} were not found. Broken invariants:"
        f" {len(week.faults)}. Of the {week.recorded_h:.0f} h of the session that was recorded all the time, the last"
        f" {week.kept_h:.1f} h are kept.",
        *(f"- {fault}" for fault in week.faults),
    ]
    return "\n".join(rows) + "\n"


def _hour(memory: LongTermMemory, folder: Path, day: int, hour: int, n_lines: int) -> dict[str, str]:
    """An hour of talk as it is heard: lines, short-term memory, events, a recording; what was said, by id."""
    session = f"day-{day + 1}-hour-{hour:02d}"
    began = STARTED_AT + timedelta(days=day, hours=hour)
    memory.begin_session(SessionRow(session, "made", began, 0, "mono", complete=False))
    writer = SessionWriter(folder / "sessions" / session, _info(session, began))
    writer.append(_sound(day, hour))
    writer.finish()
    generator = np.random.default_rng((_SEED, day, hour))
    rows, checksums = _rows(folder, session, said_in(day, hour, n_lines), generator)
    room = RoomSegmenter(lambda reason: SurpriseSegmenter(SurpriseSettings(), reason))
    short = ShortTermStore(_SHORT_TERM)
    for first in range(0, n_lines, _AT_ONCE):
        part = rows[first : first + _AT_ONCE]
        vectors = memory.encoder.encode([row.text for row in part])
        memory.add_rows(session, part, vectors, part[-1].end_ns, audio=checksums)
        ended, left = [], []
        for row, vector in zip(part, vectors, strict=True):
            key = row.id.removeprefix(f"{session}-")
            ended += room.take(SpokenLine(key, row.track, row.start_ns, row.end_ns, row.text, vector, row.azimuth_deg, row.confidence))
            left += [(entry, row.end_ns) for entry in short.take(key, vector, row.start_ns, row.end_ns)]
        if first + _AT_ONCE >= n_lines:
            ended += room.end()
            left += [(entry, part[-1].end_ns) for entry in short.clear()]
        memory.add_events(session, [event_of(stretch, "week") for stretch in ended])
        memory.prototypes.keep(session, short, left)
    memory.finish_session(session, _HOUR_NS)
    return {row.id: row.text for row in rows}


def _info(session: str, began: datetime) -> SessionInfo:
    return SessionInfo(
        id=session,
        source="made",
        array=load_array("mono"),
        started_at=began,
        sample_rate_hz=_RATE_HZ,
        segment_frames=_SEGMENT_S * _RATE_HZ,
        origin="live",
    )


def _sound(day: int, hour: int) -> Float32Array:
    """An hour of noise that no codec makes smaller, float32, shape (1, frames)."""
    levels = np.random.default_rng((_SEED, day, hour, 1)).integers(-(2**23), 2**23, (1, 3600 * _RATE_HZ))
    return (levels / 2**23).astype(np.float32)


def _rows(
    folder: Path, session: str, said: Sequence[tuple[str, str]], generator: np.random.Generator
) -> tuple[list[LineRow], dict[str, int]]:
    """Lines of (track, text), every twentieth with audio of its own, and the checksums of that audio."""
    rows, checksums = [], {}
    spacing_ns = _HOUR_NS // len(said)
    for place, (track, text) in enumerate(said):
        start_ns = place * spacing_ns
        key = f"{track}-{start_ns // 10**6:08d}"
        clip = line_audio.clip_path(session, key) if place % _HEARD_EVERY == 0 else None
        if clip is not None:
            samples = (0.1 * generator.standard_normal(8000)).astype(np.float32)
            checksums[f"{session}-{key}"] = line_audio.save(folder, clip, samples, 16000)
        rows.append(
            LineRow(
                id=f"{session}-{key}",
                session=session,
                track=track,
                start_ns=start_ns,
                end_ns=start_ns + spacing_ns * 3 // 4,
                azimuth_deg=90.0 * int(track[1:]) - 80.0,
                elevation_deg=None,
                speaker=None,
                text=text,
                words=(),
                confidence=0.9,
                language="en",
                clip=clip,
                clip_start_ns=start_ns if clip else 0,
            )
        )
    return rows, checksums


def _day(memory: LongTermMemory, said: Sequence[str], day_s: float, sleep_s: float, slept: bool) -> Day:
    use = memory.space.used()
    found = excess(use, memory.space.bounds)
    leaving = (name for name in ("clips", "recordings", "line_audio") if found.of(name))
    cpu, wall = [], []
    for text in _spread(said, _QUESTIONS):
        began, used = time.perf_counter(), time.thread_time()
        sessions = {row.id: row for row in memory.sessions()}
        scope = Scope(spans={name: (0, row.duration_ns) for name, row in sessions.items()}, sessions=sessions)
        Searcher(memory, memory.encoder, None).search(f"what was said about {text}", text, scope)
        cpu.append(1e3 * (time.thread_time() - used))
        wall.append(1e3 * (time.perf_counter() - began))
    return Day(
        n_lines=len(said),
        disk_bytes=use.disk,
        recordings_bytes=use.recordings,
        line_audio_bytes=use.line_audio,
        index_ram_bytes=use.index_ram,
        process_bytes=ram_bytes(),
        question_p50_ms=float(np.percentile(cpu, 50)),
        question_p95_ms=float(np.percentile(cpu, 95)),
        question_wall_p95_ms=float(np.percentile(wall, 95)),
        day_s=day_s,
        sleep_s=sleep_s,
        slept=slept,
        over=(*leaving, *found.over),
    )


def _looked_for(memory: LongTermMemory, told: dict[str, str]) -> tuple[int, int, int]:
    """Lines that are not there word for word; how many were searched by their words, and how many of those were not found."""
    there: dict[str, str] = {}
    names = list(told)
    for first in range(0, len(names), 500):
        there |= {row.id: row.text for row in memory.lines(ids=names[first : first + 500], words=False)}
    lost = sum(there.get(name) != text for name, text in told.items())
    sampled = list(_spread(names, _SAMPLED))
    missed = sum(all(hit.line != name for hit in memory.search_words(told[name], 10)) for name in sampled)
    return lost, len(sampled), missed


def _spread(values: Sequence[str], n_values: int) -> Iterator[str]:
    """At most so many values, evenly from the first to the last."""
    for place in dict.fromkeys(np.linspace(0, len(values) - 1, min(n_values, len(values))).astype(int).tolist()):
        yield values[place]


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f}"


def main() -> int:
    """Parse options, live, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--hours-a-day", type=int, default=14)
    parser.add_argument("--lines-an-hour", type=int, default=400)
    parser.add_argument("--folder", type=Path, help="where the memory is made and removed again; default: a temporary folder")
    options = parser.parse_args()
    bounds = Bounds(disk_bytes="400 MB", recordings_bytes="30 MB", line_audio_bytes="10 MB", index_ram_bytes="200 MB")
    with tempfile.TemporaryDirectory(prefix="echoic-week-", dir=options.folder) as folder:
        week = live(Path(folder), options.days, options.hours_a_day, options.lines_an_hour, bounds)
    sys.stdout.write(f"{table(week)}\nLoad: {os.getloadavg()[0]:.1f}\n")
    return 0 if week.holds else 1


if __name__ == "__main__":
    sys.exit(main())
