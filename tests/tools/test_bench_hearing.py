"""The matrix of the benchmark, its graphs, oracles and tables."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from pipeline.geometry import load_array
from pipeline.graph import load_graph
from pipeline.packets import AudioBlock, Track, Tracks, nanoseconds
from pipeline.stage import Emit
from tools.hearing_compared import CLEAN, DELAY_AND_SUM, MICROPHONE, ORACLE, TRUE_TRACKS, compared
from tools.hearing_matrix import CELLS, Cell, MatrixError, chosen
from tools.hearing_oracle import OracleBeams, OracleTracks, masked_beams
from tools.hearing_places import TrackCounts
from tools.hearing_run import SHIPPED, Run, RunError, beam_stage, front_end, run, tapped
from tools.hearing_scenes import SceneFiles
from tools.hearing_score import Score
from tools.hearing_separation import si_sdr_db
from tools.hearing_speech import VOICES, SpeechError, lines_of, sentences_of, starts
from tools.hearing_table import above_alone, cell_table, compared_table, whole_table
from tools.hearing_times import TimeErrors
from tools.hearing_words import WordError

RATE_HZ = 16000


def test_the_matrix_has_every_factor_and_twenty_minutes() -> None:
    assert {len(cell.talkers) for cell in CELLS} == {1, 2, 3, 4}
    assert {cell.apart_deg for cell in CELLS} >= {45.0, 60.0, 90.0}
    assert {cell.rt60_s for cell in CELLS} == {0.2, 0.3, 0.5}
    assert {cell.snr_db for cell in CELLS} == {30.0, 15.0, 5.0}
    assert {cell.array for cell in CELLS} == {"uma8", "respeaker4", "linear8"}
    assert {cell.talk for cell in CELLS} == {"turns", "half", "full"}
    assert {cell.walking for cell in CELLS} == {True, False}
    assert sum(cell.length_s for cell in CELLS) >= 20 * 60
    assert len({cell.name for cell in CELLS}) == len({cell.seed for cell in CELLS}) == len(CELLS)


def test_the_goals_stand_with_their_cells() -> None:
    goals = {(len(c.talkers), c.array, c.apart_deg, c.rt60_s): c.goal for c in CELLS if c.goal is not None}
    assert goals == {(2, "uma8", 90.0, 0.3): 0.05, (2, "uma8", 60.0, 0.5): 0.12, (3, "uma8", 90.0, 0.3): 0.12}


def test_bearings_fit_the_arrays() -> None:
    for cell in CELLS:
        limit = 180.0 if load_array(cell.array).rank == 1 else 360.0
        assert all(0.0 <= bearing <= limit for bearing in cell.bearings_deg()), cell.name


def test_an_unknown_cell_is_named() -> None:
    assert [cell.name for cell in chosen(("turns", "base"))] == ["base", "turns"]
    with pytest.raises(MatrixError, match="--only best: there is no such cell; cells are base, "):
        chosen(("best",))


def test_voices_of_one_scene_never_say_the_same() -> None:
    for cell in CELLS:
        said = [sentence for voice in cell.talkers if voice in VOICES for sentence in sentences_of(voice)]
        assert len(said) == len(set(said)), cell.name


def test_who_says_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"there is no .*transcripts\.tsv"):
        lines_of("allison", tmp_path, 1)
    with pytest.raises(SpeechError, match="talker 'nobody': known are"):
        lines_of("nobody", tmp_path, 1)


@pytest.mark.parametrize("n_talkers", [1, 2, 3, 4])
@pytest.mark.parametrize("talk", ["turns", "half", "full"])
def test_turns_are_taken_as_asked(talk: str, n_talkers: int) -> None:
    durations_s = [[2.0 + 0.3 * (line % 4) + 0.1 * talker for line in range(20)] for talker in range(n_talkers)]
    turns = starts(durations_s, talk, 40.0, seed=3)
    spans = [(start_s, start_s + durations_s[who][number], who) for who, number, start_s in turns]
    assert turns == starts(durations_s, talk, 40.0, seed=3)
    assert {who for *_, who in spans} == set(range(n_talkers))
    assert max(end_s for _, end_s, _ in spans) <= 40.0
    for who in range(n_talkers):
        own = sorted(span for span in spans if span[2] == who)
        assert all(later[0] > earlier[1] for earlier, later in pairwise(own))
    grid = np.arange(0.0, 40.0, 0.05)
    at_once = np.sum([(grid >= start) & (grid < end) for start, end, _ in spans], axis=0)
    shared = float(np.mean(at_once[at_once > 0] > 1))
    if n_talkers > 1:
        assert shared == 0.0 if talk == "turns" else 0.3 < shared < 1.0 if talk == "half" else shared > 0.7


def config(tmp_path: Path) -> str:
    """The shipped graph, resolved, in a file."""
    path = tmp_path / "graph.yaml"
    path.write_text(load_graph("configs/replay.yaml").to_yaml(), encoding="utf-8")
    return str(path)


def test_what_stands_beside_changes_one_thing_in_the_graph(tmp_path: Path) -> None:
    scene, cell = SceneFiles(tmp_path), CELLS[0]
    given = {name: compared(cell, scene, config(tmp_path), name).run for name in (SHIPPED, MICROPHONE, DELAY_AND_SUM, ORACLE, CLEAN)}
    stages = {name: yaml.safe_load(run.graph)["stages"] for name, run in given.items()}
    assert stages[MICROPHONE] == stages[SHIPPED]
    assert (given[MICROPHONE].array, given[MICROPHONE].source) == ("mono", scene.microphone)
    changed = {name: [stage for stage in stages[SHIPPED] if other[stage] != stages[SHIPPED][stage]] for name, other in stages.items()}
    assert [len(changed[name]) for name in (SHIPPED, DELAY_AND_SUM, ORACLE, CLEAN)] == [0, 1, 2, 2]
    for name, job in given.items():
        graph = load_graph(name, text=job.graph)
        assert len(graph.nodes) == len(stages[SHIPPED])


def test_the_tap_hears_what_the_recogniser_hears(tmp_path: Path) -> None:
    job = compared(CELLS[0], SceneFiles(tmp_path), config(tmp_path), TRUE_TRACKS).run
    graph = load_graph("true tracks", text=job.graph)
    document = tapped(yaml.safe_load(job.graph), graph, tmp_path)
    whole = load_graph("tapped", text=yaml.safe_dump(document, sort_keys=False))
    tap = whole.nodes["hearing_tap"]
    vad = next(node for name, node in whole.nodes.items() if node.definition.path.endswith("SileroVad"))
    assert tap.edges["beam"].stage == vad.edges["beam"].stage
    assert set(front_end(whole)) >= {"localise", "beam"}
    assert not {"room", "vad", "transcribe", "hearing_tap"} & set(front_end(whole))


def test_a_graph_without_beams_is_refused() -> None:
    text = "stages: {room: {use: stages.capture.file_source.FileSource, path: a.wav}}"
    with pytest.raises(RunError, match="no stage takes audio and gives beams"):
        beam_stage(load_graph("silent", text=text))


def test_what_a_failed_run_said_is_told(tmp_path: Path) -> None:
    job = Run(SHIPPED, tmp_path / "missing.flac", "uma8", load_graph("configs/minimal.yaml").to_yaml())
    with pytest.raises(RunError, match=r"exited with 2:\n.*missing\.flac"):
        run(job, tmp_path / "results")


def test_a_run_is_kept_until_something_changes(tmp_path: Path) -> None:
    tone = 0.1 * np.sin(np.arange(RATE_HZ) * 0.3)
    sound = tmp_path / "sound.flac"
    soundfile.write(sound, np.stack([tone, np.roll(tone, 1)], axis=1), RATE_HZ)
    job = Run(SHIPPED, sound, "stereo", load_graph("configs/minimal.yaml").to_yaml())
    result = run(job, tmp_path / "results")
    assert result.lines() == []
    assert result.tracks()[-1]["at_s"] == pytest.approx(1.0, abs=0.05)
    assert {"beam", "localise", "track"} <= set(result.figures()["front_end"])
    assert 0.0 < sum(result.figures()["stages_cpu_s"].values()) <= result.figures()["cpu_s"]
    written = (result.folder / "run.json").stat().st_mtime_ns
    assert run(job, tmp_path / "results").folder == result.folder
    assert (result.folder / "run.json").stat().st_mtime_ns == written


def scene_of_two(folder: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A scene of two noises of two colours, each with delays of its own on three microphones, one second long."""
    random = np.random.default_rng(5)
    dry = {who: 0.1 * random.standard_normal(RATE_HZ) for who in ("anna", "ben")}
    dry["anna"] *= np.sin(np.arange(RATE_HZ) / 900.0) > 0
    dry["ben"] *= np.sin(np.arange(RATE_HZ) / 700.0) > -0.3
    delays = {"anna": (0, 2, 4), "ben": (0, -2, 1)}
    images = {who: np.stack([np.roll(dry[who], delay) for delay in delays[who]]).astype(np.float32) for who in dry}
    mixture = images["anna"] + images["ben"] + (1e-4 * random.standard_normal((3, RATE_HZ))).astype(np.float32)
    own = {who: image[0] for who, image in images.items()}
    with (folder / "images.npz").open("wb") as file:
        np.savez(file, reference=0, anna=own["anna"], ben=own["ben"])
    soundfile.write(folder / "mix.flac", mixture.T, RATE_HZ, subtype="PCM_16")
    places = {"anna": {"at_s": [0.0], "azimuth_deg": [30.0]}, "ben": {"at_s": [0.0], "azimuth_deg": [120.0]}}
    (folder / "places.json").write_text(json.dumps(places), encoding="utf-8")
    lines = [{"track": "anna", "start_s": 0.0, "end_s": 0.4}, {"track": "ben", "start_s": 0.5, "end_s": 1.0}]
    (folder / "mix.jsonl").write_text("\n".join(json.dumps(row) for row in lines), encoding="utf-8")
    return mixture, own


@pytest.mark.parametrize("window_frames", [0, RATE_HZ // 2])
def test_oracle_masks_separate_two_noises(tmp_path: Path, window_frames: int) -> None:
    mixture, own = scene_of_two(tmp_path)
    beams = masked_beams(mixture, own, 0, window_frames)
    for who, image in own.items():
        assert beams[who].shape == image.shape
        assert si_sdr_db(beams[who], image) > si_sdr_db(mixture[0], image) + 6.0


def said(emits: list[Emit[Tracks]]) -> list[tuple[str, float | None, bool]]:
    """The tracks of the first packet."""
    return [(track.name, track.azimuth_deg, track.active) for track in emits[0].packet.tracks]


def test_true_tracks_stand_where_talkers_sit_and_wake_when_they_speak(tmp_path: Path) -> None:
    scene_of_two(tmp_path)
    stage = OracleTracks(str(tmp_path))
    stage.start()
    block = AudioBlock(
        pts_ns=0, duration_ns=nanoseconds(0.3), samples=np.zeros((3, 4800), np.float32), sample_rate_hz=RATE_HZ, array=load_array("stereo")
    )
    assert said(list(stage.on_audio(block))) == [("t1", 30.0, True), ("t2", 120.0, False)]


def test_oracle_beams_follow_the_nearest_talker(tmp_path: Path) -> None:
    _, own = scene_of_two(tmp_path)
    stage = OracleBeams(str(tmp_path), kind="image")
    stage.start()
    tracks = (Track("t7", 125.0), Track("t8", 250.0), Track("t9", 31.0, active=False))
    (beam,) = [emit.packet for emit in stage.on_tracks(Tracks(pts_ns=nanoseconds(0.5), duration_ns=nanoseconds(0.1), tracks=tracks))]
    assert beam.track.name == "t7"
    np.testing.assert_array_equal(beam.samples, own["ben"][8000:9600])
    assert 0.0 < beam.presence <= 1.0


def a_score(wrong: tuple[int, ...], names: tuple[str, ...]) -> Score:
    """A score of a hundred words each, some of them wrong."""
    words = {name: WordError(n_wrong, 100) for name, n_wrong in zip(names, wrong, strict=True)}
    whole = sum(words.values(), WordError(0, 0))
    tracks = TrackCounts(len(names), len(names), 1, 0)
    return Score(words, whole, whole, [1.0, 3.0], tracks, 0, [6.0, 8.0], 2, 100, TimeErrors([0.05], [0.06], [0.07], [0.08]), 60.0, 0.2, 0.4)


def test_the_tables_tell_goals_beside_figures() -> None:
    cell = Cell("base", ("anna", "ben"), goal=0.05)
    results = {
        cell: {
            SHIPPED: a_score((9, 4), ("anna", "ben")),
            MICROPHONE: a_score((80, 90), ("anna", "ben")),
            "alone anna": a_score((3,), ("anna",)),
            "alone ben": a_score((2,), ("ben",)),
        }
    }
    assert above_alone(results[cell]) == pytest.approx({"anna": 0.06, "ben": 0.02})
    assert "| base | 0.09 / 0.04 | 0.07 | 0.07 | 2.0 | 2/2 | 1 | 0 | 7.0 | 0.020 | 50 / 60 | 70 / 80 | 0.20 | 0.40 |" in cell_table(results)
    (row,) = [line for line in compared_table(results).splitlines() if line.startswith("| base")]
    assert row == "| base | 0.80 / 0.90 (0.85) | - | - | - | 0.09 / 0.04 (0.07) | 0.03 / 0.02 | 0.06 / 0.02 | 0.05: missed |"
    whole = whole_table(results, None)
    assert "| false tracks in ten minutes | 10.00 | at most 1 |" in whole
    assert "DER" not in whole
    assert compared_table({cell: {SHIPPED: results[cell][SHIPPED]}}) == ""
