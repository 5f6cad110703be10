"""A small memory with everything in it that erasing must reach; run as a program it erases and dies at a step."""

import os
import sys
from pathlib import Path

import numpy as np

from pipeline.packets import NS_PER_S, Gap, Track, Tracks
from pipeline.session import SessionWriter
from pipeline.session_info import SessionInfo
from pipeline.testing import line_array
from stages.memory.erasing.erasure_plan import Selection
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.people import speaker_store
from stages.memory.short_term_store import prototype_rows
from stages.memory.short_term_store.short_term import Trace
from stages.memory.sleeping.sleep import sleep
from stages.memory.sleeping.sleep_steps import sleep_steps
from stages.memory.tables.row_writer import utc_ns
from stages.memory.vectors.vector_index import IndexKind
from stages.recall.clips import ClipCutter
from tests.stages.memory.made import ENCODER, STARTED_AT, event, line, session_row
from tests.stages.memory.made_sounds import sound

T0_NS = utc_ns(STARTED_AT)
SAID = (
    # text, start_s, track, azimuth, who
    ("the ferry leaves on saturday from the harbour", 2.0, "t1", 20.0, 0),
    ("we will meet by the lighthouse then", 6.0, "t2", 120.0, 1),
    ("my xylophone zebra password is quagmire", 12.0, "t1", 20.0, 0),
    ("please never repeat that xylophone story", 15.0, "t2", 120.0, 1),
    ("tomorrow the weather will be wonderful again", 22.0, "t1", 355.0, 0),
    ("then we should paint the wooden fence", 26.0, "t2", 120.0, 1),
)
LATER = (
    ("grandmother keeps bees behind her little house", 2.0, "t1", 20.0, 0),
    ("they brought honey and candles yesterday", 6.0, "t2", 120.0, 1),
)
SECRET = SAID[2][0]
LENGTH_S = 30.0


def seconds_of(*span: float) -> tuple[int, ...]:
    return tuple(round(value * NS_PER_S) for value in span)


def opened(directory: Path, kind: IndexKind = "flat") -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory), kind)
    memory.start()
    return memory


def voice(who: int) -> np.ndarray:
    vector = np.random.default_rng(who).standard_normal(192).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def made(directory: Path, kind: IndexKind = "flat", sessions: tuple[str, ...] = ("s1",)) -> LongTermMemory:
    """A memory in which two people talked in each session, with recordings, sounds, events, clips, indexes, and a night's sleep."""
    memory = opened(directory, kind)
    for number, session in enumerate(sessions):
        said = SAID if number == 0 else LATER
        memory.begin_session(session_row(session))
        spoken = [line(text, start_s, 2.0, track, azimuth, audio_s=2.2) for text, start_s, track, azimuth, _ in said]
        memory.add_lines(session, spoken, spoken[-1].end_ns)
        rows = memory.lines(session)
        with memory._database.writing() as connection:
            heard = {row.id: voice(entry[4]) for row, entry in zip(rows, said, strict=True)}
            keys = tuple(entry.transcript.key for entry in spoken[:3])
            mean = np.mean([entry.embedding for entry in spoken[:3]], axis=0).astype(np.float32)
            trace = Trace(keys[0], mean / np.float32(np.linalg.norm(mean)), 1.0, 2, keys, spoken[0].pts_ns, spoken[len(keys) - 1].end_ns)
            prototype_rows.put(connection, session, trace, trace.end_ns)
            speaker_store.place(connection, session, rows, heard, {row.id: entry[4] for row, entry in zip(rows, said, strict=True)})
        for start_s, azimuth in ((2.0, 20.0), (12.0, 22.0), (22.0, -5.0)):
            track = Track(name="t1", azimuth_deg=azimuth)
            memory.add_tracks(session, Tracks(pts_ns=round(start_s * NS_PER_S), duration_ns=0, tracks=(track,)))
        for first in range(0, len(said), 2):
            memory.add_event(session, event(f"event-{spoken[first].transcript.key}", spoken[first : first + 2]))
        memory.sounds.add(session, sound("knock", 12.5, seed=1))
        memory.sounds.add(session, sound("door", 20.0, seed=2))
        memory.add_gap(session, Gap(pts_ns=0, duration_ns=1000, reason="device"))
        memory.finish_session(session, round(LENGTH_S * NS_PER_S))
        record(directory, session)
        cutter = ClipCutter(str(directory))
        for row in memory.lines(session):
            cutter.cut(row)
            cutter.cut(row, row.words[1].start_ns, row.words[2].end_ns)
    nap(memory)
    memory.search_dense(ENCODER.encode([SECRET])[0], 2)
    for level in ("event", "episode", "prototype"):
        memory.granules.search(ENCODER.encode([SECRET])[0], 2, level)
    memory.stop()
    return opened(directory, kind)


def nap(memory: LongTermMemory) -> None:
    sleep(memory, sleep_steps(), T0_NS + 86_400 * NS_PER_S)


def record(directory: Path, session: str) -> None:
    samples = (0.1 * np.random.default_rng(3).standard_normal((2, round(LENGTH_S * 16000)))).astype(np.float32)
    info = SessionInfo(id=session, source="room.flac", array=line_array(2), started_at=STARTED_AT, segment_frames=16000 * 8)
    writer = SessionWriter(directory / "sessions" / session, info)
    writer.append(samples)
    writer.finish()


def files_with(directory: Path, *texts: str) -> list[str]:
    """The files in which any of some texts stand."""
    wanted = [text.encode() for text in texts]
    return sorted(
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if path.is_file() and any(text in path.read_bytes() for text in wanted)
    )


if __name__ == "__main__":
    memory = opened(Path(sys.argv[1]))
    step = sys.argv[2]
    start_ns, end_ns = seconds_of(11.0, 14.5)
    plan = memory.erasures.preview(Selection(from_ns=T0_NS + start_ns, to_ns=T0_NS + end_ns, session="s1")).plan
    memory.erasures.erase(plan, lambda found: os._exit(9) if found == step else None)
