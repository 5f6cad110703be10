"""A question that is asked aloud in the room: heard, answered, and left out of what the room remembers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from models.kokoro import Kokoro
from pipeline.packets import Float32Array
from tests.integration.conftest import ROOT, echoic

RATE_HZ = 16000


def room(*spoken: tuple[str, str, float]) -> tuple[Float32Array, list[float]]:
    """What people say one after the other on one microphone, (voice, text, pause behind it in seconds), over a little noise.

    And when each of them begins, in seconds.
    """
    voices = Kokoro(n_threads=1)
    starts_s: list[float] = []
    pieces = [np.zeros(RATE_HZ, dtype=np.float32)]
    for voice, text, pause_s in spoken:
        starts_s.append(sum(map(len, pieces)) / RATE_HZ)
        pieces.append(soxr.resample(voices.say(text, voice).samples, 24000, RATE_HZ).astype(np.float32))
        pieces.append(np.zeros(round(pause_s * RATE_HZ), dtype=np.float32))
    samples = np.concatenate(pieces)
    return (samples * 0.6 + np.random.default_rng(3).standard_normal(len(samples)) * 0.001).astype(np.float32), starts_s


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """A room heard through configs/hands_free.yaml, its sound into nothing and its answers into a file."""
    assert weights.is_dir()
    folder = tmp_path_factory.mktemp("hands_free")
    samples, starts_s = room(
        ("bm_george", "The ferry to the island leaves on Saturday at half past nine.", 1.5),
        ("am_michael", "Then we should meet at the old lighthouse before breakfast.", 2.5),
        ("bf_emma", "Echoic, when does the ferry to the island leave?", 4.0),
        ("bm_george", "My sister will bring her dog and a basket of apples.", 2.0),
    )
    (folder / "starts.json").write_text(json.dumps(starts_s))
    soundfile.write(folder / "room.wav", samples, RATE_HZ)
    text = (ROOT / "configs" / "hands_free.yaml").read_text()
    file = f"stages.sinks.answer_jsonl_file.AnswerJsonlFile, path: {folder}/answers.jsonl"
    sink = f"  answered: {{use: {file}, in: {{answer: answer.answers}}}}\n"
    (folder / "graph.yaml").write_text(text.replace("sink: autoaudiosink", "sink: fakesink") + sink)
    echoic("replay", folder / "room.wav", "--array", "mono", "--memory", folder / "m", "--config", folder / "graph.yaml")
    return folder


def test_the_question_is_answered(replayed: Path) -> None:
    (answer,) = [json.loads(line) for line in (replayed / "answers.jsonl").read_text().splitlines()]
    assert "when does the ferry" in answer["question"].lower()
    assert not answer["abstained"]
    assert "saturday" in answer["claims"][0]["evidence"][0]["text"].lower()
    start_s = json.loads((replayed / "starts.json").read_text())[2]
    assert answer["asked"]["start_s"] == pytest.approx(start_s, abs=0.6)


def test_it_is_no_part_of_what_the_room_remembers(replayed: Path) -> None:
    (session,) = json.loads(echoic("sessions", "--memory", replayed / "m", "--json"))
    lines = [json.loads(line)["text"] for line in echoic("export", session["id"], "--memory", replayed / "m", "--copies").splitlines()]
    told = " ".join(lines).lower()
    assert "saturday" in told
    assert "lighthouse" in told
    assert "apples" in told
    assert "when does" not in told
    events = json.loads(echoic("events", "--memory", replayed / "m", "--json"))
    assert not any("when does" in event["summary"].lower() for event in events)
    asked = json.loads(echoic("ask", "Who asked about the ferry?", "--memory", replayed / "m", "--json"))
    assert not any("when does" in shown["text"].lower() for claim in asked["claims"] for shown in claim["evidence"])
