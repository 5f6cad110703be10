"""Missed-conversation recall from recordings: rooms spoken by Kokoro's voices, heard by `echoic replay`, asked, and scored, as Markdown.

    python -m tools.recall_rooms_audio --folder DIR [--rooms 40] [--first-seed 200000] [--config YAML] [--within-s SECONDS] [--fresh]

A room is rendered and heard once and kept in the folder: a run that was cut short goes on, `--fresh` hears all of them again, and
`--within-s` begins no further room after so long. Talkers have the labels that the memory gave them; who is who is told by bearing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import recall_to_ask
from tools.hearing_speech import VOICES, KeptSpeaking
from tools.make_scene import make, write_scene
from tools.recall_rooms import Room, made_room, renamed, retimed
from tools.recall_rooms_questions import asked_of
from tools.recall_rooms_score import NEAR_DEG, scored
from tools.recall_rooms_table import kind_table, whole_table
from tools.recall_rooms_text import Found, answered, keep

FIRST_SEED = 200_000
ARRAY = "uma8"
_ROOT = Path(__file__).parent.parent
Json = dict[str, Any]


class HearingError(RuntimeError):
    """A room could not be heard; the message has what the command said."""


def script_of(room: Room) -> Json:
    """The scene of a room, as its YAML would hold it. Each line has its own topic name, its key, so that the truth tells them apart."""
    draw = random.Random(room.seed)
    voices = draw.sample(VOICES, len(room.talkers))
    talkers = {
        name: {"voice": voice, "azimuth_deg": azimuth, "distance_m": round(draw.uniform(1.2, 1.6), 2)}
        for voice, (name, azimuth) in zip(voices, room.talkers.items(), strict=True)
    }
    conversations: dict[str, list[Json]] = defaultdict(list)
    for line in sorted(room.said, key=lambda line: line.start_s):
        said: Json = {"text": line.text}
        if f"c{line.conversation}" not in conversations:
            said["at_s"] = line.start_s
        conversations[f"c{line.conversation}"].append({"topic": line.key, "lines": [{line.speaker: said}]})
    return {
        "session": room.name,
        "array": ARRAY,
        "seed": room.seed % 2**31,
        "room": {"size_m": [6.0, 5.0, 2.8], "rt60_s": 0.28, "array_at_m": [2.8, 2.4, 0.9]},
        "noise": {"kind": "diffuse", "snr_db": 28},
        "talkers": talkers,
        "conversations": dict(conversations),
    }


def heard(room: Room, folder: Path, config: str, clips: Path) -> tuple[Room, Path, float]:
    """The room with its real times, the memory that heard it, and how long rendering and hearing took. Raises HearingError."""
    mix, memory, done = folder / "mix.flac", folder / "memory", folder / "done.json"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        began = time.perf_counter()
        truth = write_scene(make(script_of(room), speaking=KeptSpeaking(clips)), mix)
        rendered_s = time.perf_counter() - began
        command = [sys.executable, "-m", "pipeline.app.cli", "replay", str(mix), "--array", ARRAY, "--memory", str(memory)]
        command += ["--config", config, "--no-copy", "--started-at", room.started_at.isoformat()]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        told = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=_ROOT, check=False)
        if told.returncode:
            raise HearingError(f"{' '.join(command)} exited with {told.returncode}:\n{told.stderr[-2000:]}")
        heard_s = time.perf_counter() - began - rendered_s
        done.write_text(json.dumps({"rendered_s": rendered_s, "heard_s": heard_s, "truth": truth.name}), encoding="utf-8")
    figures = json.loads(done.read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (folder / figures["truth"]).read_text(encoding="utf-8").splitlines()]
    return retimed(room, {row["event"]: (row["start_s"], row["end_s"]) for row in rows}), memory, figures["rendered_s"] + figures["heard_s"]


def labels_of(room: Room, lines: Sequence[Json]) -> dict[str, str]:
    """The label that a memory gave to each talker: that of most of the speech from there. No label has two talkers.

    A talker whose label another one has more of, or who was never heard, becomes "unheard-1" and so on.
    """
    spoken: dict[tuple[str, str], float] = defaultdict(float)
    for line in lines:
        for name, azimuth in room.talkers.items():
            if line["azimuth_deg"] is not None and abs((line["azimuth_deg"] - azimuth + 180.0) % 360.0 - 180.0) <= NEAR_DEG:
                spoken[name, line["speaker"] or line["track"]] += line["end_s"] - line["start_s"]
    labels: dict[str, str] = {}
    for (name, label), _ in sorted(spoken.items(), key=lambda entry: (-entry[1], entry[0])):
        if name not in labels and label not in labels.values():
            labels[name] = label
    for name in room.talkers:
        labels.setdefault(name, f"unheard-{len(labels) + 1}")
    return labels


def asked_aloud(room: Room, memory: Path) -> list[tuple[Room, Any, Json, Any]]:
    """Every question to a room that was heard, with the answer and the verdict."""
    from stages.memory.transcript_files import line_json

    with recall_to_ask(directory_to_read(memory)) as (recall, long_term, _):
        lines = [line_json(row) for session in long_term.sessions() for row in long_term.lines(session.id)]
        called = renamed(room, labels_of(room, lines))
        asked = asked_of(called)
        answers = answered(recall, called, asked)
    return [(called, question, answer, scored(question, called, answer)) for question, answer in zip(asked, answers, strict=True)]


def main() -> None:
    """Parse options, measure, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where scenes, memories and answers are kept")
    parser.add_argument("--rooms", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--config", default="configs/replay.yaml", help="the graph that hears and answers")
    parser.add_argument("--within-s", type=float, default=float("inf"), help="begin no further room after so long")
    parser.add_argument("--fresh", action="store_true", help="hear every room again")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(options.folder / "heard", ignore_errors=True)
    found: Found = {"extractive": []}
    began, took_s, talk_s = time.perf_counter(), [], 0.0
    for seed in range(options.first_seed, options.first_seed + options.rooms):
        if time.perf_counter() - began > options.within_s:
            break
        room = made_room(seed, short=True)
        room, memory, room_s = heard(room, options.folder / "heard" / room.name, options.config, options.folder / "clips")
        took_s.append(room_s)
        talk_s += room.end_s
        found["extractive"] += asked_aloud(room, memory)
        sys.stderr.write(f"{room.name}: {room.end_s:.0f} s of talk, rendered and heard in {room_s:.0f} s\n")
    keep(found, options.folder / "answers")
    n = len(took_s)
    told = f"{n} of {options.rooms} rooms, seeds from {options.first_seed}, {talk_s / max(n, 1):.0f} s of talk each; "
    told += f"one takes {sum(took_s) / max(n, 1):.0f} s to render and hear."
    verdicts = [verdict for *_, verdict in found["extractive"]]
    sys.stdout.write(f"{told}\n\n{whole_table({'extractive': verdicts})}\n\n{kind_table(verdicts)}\n")


if __name__ == "__main__":
    main()
