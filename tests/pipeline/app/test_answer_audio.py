"""What of an answer can be heard: clips of the array, playing, the mix, and the spoken answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.app.cli import main
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import recall_to_ask
from pipeline.app.server import Desk
from pipeline.testing import noise
from stages.memory.sleeping.sleep import Slept
from tests.pipeline.app.command_line import ROOT, Done

Echoic = Callable[..., Done]
QUESTION = "What did I miss?"
ROOM = ROOT / "tests" / "sessions" / "two_talkers.flac"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A memory of two people at 60 and 225 degrees, who begin at 0.5 and 1.6 s; seven microphones."""
    memory = tmp_path_factory.mktemp("two") / "m"
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(ROOM), "--array", "uma8", "--memory", str(memory), "--config", "configs/minimal.yaml"])
    assert ended.value.code == 0
    return memory


@pytest.fixture
def memory(heard: Path, tmp_path: Path) -> Path:
    shutil.copytree(heard, tmp_path / "m")
    return tmp_path / "m"


@pytest.fixture
def imported(echoic: Echoic, transcript: Path, tmp_path: Path) -> Path:
    assert echoic("import", transcript, "--memory", tmp_path / "i", "--config", "configs/minimal.yaml").code == 0
    return tmp_path / "i"


def test_raw_is_the_array_over_the_span_of_the_clip(echoic: Echoic, memory: Path) -> None:
    done = echoic("ask", QUESTION, "--memory", memory, "--json", "--raw")
    assert done.code == 0
    evidence = [shown for claim in done.json["claims"] for shown in claim["evidence"]]
    assert len(evidence) == 2
    for shown in evidence:
        raw, clip = soundfile.info(memory / shown["raw"]), soundfile.info(memory / shown["clip"])
        assert (raw.channels, raw.samplerate, raw.subtype) == (7, 16000, "PCM_24")
        assert raw.duration == pytest.approx(clip.duration, abs=0.3)
    assert all("raw" not in shown for shown in echoic("ask", QUESTION, "--memory", memory, "--json").json["claims"][0]["evidence"])
    assert f"all channels {memory / evidence[0]['raw']}" in echoic("ask", QUESTION, "--memory", memory, "--raw").out
    assert echoic("doctor", "--memory", memory).code == 0


def test_raw_of_what_is_erased_goes_with_it(echoic: Echoic, memory: Path) -> None:
    raw = [claim["evidence"][0]["raw"] for claim in echoic("ask", QUESTION, "--memory", memory, "--json", "--raw").json["claims"]]
    assert echoic("forget", "--memory", memory, "--speaker", "speaker-2", "--yes").code == 0
    assert not any((memory / name).exists() for name in raw)
    assert echoic("doctor", "--memory", memory).code == 0


def test_imported_lines_have_no_raw_and_nothing_to_play(echoic: Echoic, imported: Path, tmp_path: Path) -> None:
    mix = tmp_path / "mix.flac"
    question = ("ask", "When does the ferry leave?", "--memory", imported, "--json", "--raw")
    done = echoic(*question, "--play", "--mix", mix, "--sink", "fakesink")
    assert done.code == 0
    assert done.json["claims"][0]["evidence"][0]["raw"] is None
    assert done.err.splitlines() == ["nothing is mixed: the evidence has no audio", "nothing is played: the evidence has no audio"]
    assert not mix.exists()
    refused = echoic("ask", "Who won the football match?", "--memory", imported, "--play", "--sink", "fakesink")
    assert (refused.code, refused.err) == (0, "nothing is played: the answer has no evidence\n")


def test_the_same_raw_clips_over_http(echoic: Echoic, memory: Path) -> None:
    told = echoic("ask", QUESTION, "--memory", memory, "--json", "--raw").json
    with recall_to_ask(MemoryDirectory(memory)) as (recall, long_term, _):
        desk = Desk(long_term, recall, dict, bytes, lambda: Slept({}, finished=True))
        assert desk.ask({"question": QUESTION, "raw": True})["claims"] == told["claims"]
        with pytest.raises(ValueError, match='"raw" must be true or false'):
            desk.ask({"question": QUESTION, "raw": 1})


def test_play_plays_the_evidence_in_order(echoic: Echoic, memory: Path, tmp_path: Path) -> None:
    out = tmp_path / "played.wav"
    done = echoic("ask", QUESTION, "--memory", memory, "--json", "--play", "--sink", f"wavenc ! filesink location={out}")
    assert (done.code, done.err) == (0, "")
    clips = [soundfile.read(memory / claim["evidence"][0]["clip"], dtype="float32")[0] for claim in done.json["claims"]]
    played, rate = soundfile.read(out, dtype="float32")
    assert rate == 48000
    assert len(played) / rate == pytest.approx(sum(len(clip) for clip in clips) / 16000 + 0.8, abs=0.01)
    start = 0.0
    for clip in clips:
        part = played[round(start * rate) :: 3][: len(clip)]
        assert np.corrcoef(part, clip[: len(part)])[0, 1] > 0.98
        start += len(clip) / 16000 + 0.4


def test_the_mix_places_each_quote_at_its_bearing_in_order_of_time(echoic: Echoic, memory: Path, tmp_path: Path) -> None:
    sides = {}
    for facing in (0, 180):
        path = tmp_path / f"mix{facing}.flac"
        done = echoic("ask", QUESTION, "--memory", memory, "--mix", path, "--facing", facing)
        assert (done.code, done.err) == (0, f"2 quotes in {path}\n")
        samples, rate = soundfile.read(path)
        assert (rate, samples.shape[1]) == (48000, 2)
        assert np.abs(samples).max() < 0.9
        begin, end = samples[: 2 * rate], samples[-2 * rate :]
        sides[facing] = [float(np.sum(part[:, 0] ** 2) > np.sum(part[:, 1] ** 2)) for part in (begin, end)]
    # 60 degrees is to the left and 225 to the right of whoever looks along 0, and the other way round.
    assert sides == {0: [1.0, 0.0], 180: [0.0, 1.0]}
    answer = tmp_path / "answer.wav"
    assert echoic("ask", QUESTION, "--memory", memory, "--mix", answer, "--mix-order", "answer").code == 0
    assert soundfile.info(answer).duration == pytest.approx(soundfile.info(tmp_path / "mix0.flac").duration, abs=0.01)


@pytest.mark.usefixtures("weights")
def test_the_spoken_answer_is_written_and_played(echoic: Echoic, imported: Path, tmp_path: Path) -> None:
    written, played = tmp_path / "a.wav", tmp_path / "b.wav"
    question = ("ask", "When does the ferry leave?", "--memory", imported)
    done = echoic(*question, "--speak-to", written, "--speak", "--sink", f"wavenc ! filesink location={played}")
    assert (done.code, done.err) == (0, "")
    info = soundfile.info(written)
    assert 4.0 < info.duration < 20.0
    assert soundfile.info(played).duration == pytest.approx(info.duration, abs=0.01)


def test_without_weights_espeak_ng_speaks(echoic: Echoic, imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOIC_MODELS", str(tmp_path / "none"))
    written = tmp_path / "a.wav"
    assert echoic("ask", "When does the ferry leave?", "--memory", imported, "--speak-to", written).code == 0
    assert soundfile.info(written).duration > 4.0


def test_the_voice_of_the_graph_speaks(echoic: Echoic, imported: Path, tmp_path: Path) -> None:
    graph = tmp_path / "fast.yaml"
    text = (ROOT / "configs" / "minimal.yaml").read_text()
    voice = "  speech: {use: stages.speaking.espeak_ng.EspeakNg, words_per_minute: 400}\n"
    graph.write_text(text.replace("resources:\n", f"resources:\n{voice}"))
    slow, fast = tmp_path / "slow.wav", tmp_path / "fast.wav"
    question = ("ask", "When does the ferry leave?", "--memory", imported)
    assert echoic(*question, "--config", graph, "--speak-to", fast).code == 0
    graph.write_text(graph.read_text().replace("400", "100"))
    assert echoic(*question, "--config", graph, "--speak-to", slow).code == 0
    assert soundfile.info(slow).duration > 2 * soundfile.info(fast).duration


def test_a_sink_that_is_none_and_a_room_without_a_sound_device(echoic: Echoic, memory: Path) -> None:
    done = echoic("ask", QUESTION, "--memory", memory, "--json", "--play", "--sink", "nonsense")
    told = "sink 'nonsense': GStreamer cannot understand it (no element \"nonsense\"); give a sink such as autoaudiosink"
    assert (done.code, done.err) == (2, f"echoic: {told}\n")
    assert done.json["claims"]
    failed = echoic("ask", QUESTION, "--memory", memory, "--play", "--sink", "filesink location=/nonexistent/x")
    told = 'no sound can be played there (Could not open file "/nonexistent/x" for writing); choose another sink'
    assert (failed.code, failed.err) == (1, f"echoic: sink 'filesink location=/nonexistent/x': {told}\n")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--mix", "x.mp4"), "--mix x.mp4: sound is written as .wav, .flac, .ogg; give a path that ends in one of them"),
        (("--speak-to", "gone/x.wav"), "--speak-to gone/x.wav: there is no folder gone; make it, or give another path"),
        (("--mix-order", "size"), "--mix-order: found 'size'; allowed are time, answer"),
        (("--facing", "nan"), "--facing is nan; give the azimuth that you face in degrees, such as 90"),
    ],
)
def test_options_are_checked_before_anything_is_asked(echoic: Echoic, imported: Path, options: tuple[str, ...], told: str) -> None:
    done = echoic("ask", QUESTION, "--memory", imported, *options)
    assert (done.code, done.out, done.err) == (2, "", f"echoic: {told}\n")


@pytest.mark.usefixtures("weights")
def test_a_voice_question_that_is_noise_is_refused(echoic: Echoic, imported: Path, tmp_path: Path) -> None:
    path = tmp_path / "q.wav"
    soundfile.write(path, noise(2.0, amplitude=0.1), 16000)
    done = echoic("ask", "--voice", path, "--memory", imported, "--config", "configs/replay.yaml")
    told = "no words were understood: there is no speech in it, only noise; record the question again, or ask in text"
    assert (done.code, done.out, done.err) == (2, "", f"echoic: --voice {path}: {told}\n")
