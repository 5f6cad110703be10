"""The voice stages on real talkers: excerpts of meetings, mixed from headsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.packets import NS_PER_S, Float32Array, Line, Track, Transcript, Utterance, Word
from pipeline.testing import beam_blocks, run_stage
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import SessionRow
from stages.speech.campplus_voiceprint import CampplusVoiceprint
from stages.speech.line_parts import parts_of
from stages.speech.speaker_clusters import Heard, KnownSpeaker, choose
from stages.speech.speech_errors import SpeechError
from stages.speech.talker_activity import TalkerActivity
from stages.speech.talker_lines import TalkerLines
from stages.speech.voice_scales import scale_of
from stages.speech.voice_stage import VoiceStage, spoken_samples
from stages.speech.voice_turns import VoiceTurns
from stages.speech.voiceprint import Voiceprint

RATE_HZ = 16000
MONO = Track("lane-1", None, lane=0)
# (recording, where somebody talks alone): eight people, two pieces each.
ALONE = {
    "MEE068": (("trn00", 11.1, 13.3), ("trn00", 13.3, 15.6)),
    "MEO069": (("trn03", 9.0, 12.0), ("trn03", 14.0, 17.0)),
    "MEE075": (("trn04", 17.0, 19.2), ("trn04", 19.0, 21.1)),
    "FEE078": (("trn05", 12.0, 15.0), ("trn05", 24.0, 27.0)),
    "FEE083": (("trn06", 13.6, 16.2), ("trn09", 21.0, 24.0)),
    "FEE087": (("trn07", 15.6, 18.4), ("trn08", 16.3, 18.3)),
    "FEE088": (("trn08", 19.1, 21.1), ("trn08", 22.2, 23.9)),
    "MEE076": (("trn04", 27.9, 28.9), ("trn04", 28.9, 30.0)),
}


def sound(shared: Path, recording: str, start_s: float, end_s: float) -> Float32Array:
    samples, rate = soundfile.read(shared / "data/ami_rttm" / f"{recording}.flac", dtype="float32")
    assert rate == RATE_HZ
    return np.asarray(samples[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)], dtype=np.float32)


def transcript(
    samples: Float32Array, words: list[tuple[float, float]], track: Track = MONO, lead_s: float = 0.0, shift_s: float = 0.0
) -> Transcript:
    """Words at the given seconds of the samples, which begin at 100 s less the lead."""
    origin_ns = int((100.0 + shift_s - lead_s) * NS_PER_S)
    spoken = tuple(
        Word(f"w{place},", origin_ns + int(a * NS_PER_S), origin_ns + int(b * NS_PER_S), 1.0) for place, (a, b) in enumerate(words)
    )
    utterance = Utterance(
        pts_ns=origin_ns + int(lead_s * NS_PER_S),
        duration_ns=len(samples) * NS_PER_S // RATE_HZ - int(lead_s * NS_PER_S),
        samples=samples,
        sample_rate_hz=RATE_HZ,
        track=track,
        lead_ns=int(lead_s * NS_PER_S),
    )
    return Transcript(
        pts_ns=spoken[0].start_ns,
        duration_ns=utterance.end_ns - spoken[0].start_ns,
        utterance=utterance,
        text=" ".join(word.text for word in spoken),
        words=spoken,
        language="en",
        confidence=0.9,
    )


@pytest.fixture(scope="module", params=[Voiceprint, CampplusVoiceprint])
def either(request: pytest.FixtureRequest, weights: Path) -> Iterator[VoiceStage]:
    """Each of the two encoders."""
    assert weights.is_dir()
    stage: VoiceStage = request.param()
    stage.start()
    yield stage
    stage.stop()


def heard(stage: VoiceStage | VoiceTurns, spoken: Transcript) -> list[Transcript]:
    return [emit.packet for emit in stage.on_transcript(spoken)]


def test_a_voice_is_nearest_to_the_same_person_among_eight(either: VoiceStage, shared: Path) -> None:
    first: dict[str, Float32Array] = {}
    second: dict[str, Float32Array] = {}
    for who, (one, other) in ALONE.items():
        for voices, piece in ((first, one), (second, other)):
            samples = sound(shared, *piece)
            (found,) = heard(either, transcript(samples, [(0.0, len(samples) / RATE_HZ)]))
            assert found.voice is not None
            voices[who] = found.voice
    right = [who for who, voice in second.items() if max(first, key=lambda name: float(first[name] @ voice)) == who]
    assert len(right) >= 7


def test_only_what_lies_under_the_words_is_heard(either: VoiceStage, shared: Path) -> None:
    own = sound(shared, "trn03", 9.0, 12.0)
    other = sound(shared, "trn06", 13.6, 16.2)
    whole = np.concatenate([own, other])
    mixed = transcript(whole, [(0.0, 1.4), (1.5, 3.0)])
    assert np.array_equal(spoken_samples(mixed), own)
    (alone,), (found,) = heard(either, transcript(own, [(0.0, 3.0)])), heard(either, mixed)
    assert alone.voice is not None
    assert found.voice is not None
    assert np.array_equal(alone.voice, found.voice)
    assert not found.voice.flags.writeable
    assert replace(found, voice=None) == mixed


def test_too_little_silence_and_copies_have_no_voice(either: VoiceStage) -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, RATE_HZ).astype(np.float32)
    assert heard(either, transcript(noise, [(0.2, 0.5)]))[0].voice is None
    assert heard(either, transcript(np.zeros(RATE_HZ, dtype=np.float32), [(0.0, 1.0)]))[0].voice is None
    assert heard(either, replace(transcript(noise, [(0.0, 1.0)]), copy_of="t2"))[0].voice is None


def two_people(shared: Path, one: str, other: str) -> Transcript:
    """The first piece of one and the second of another as one line: four words, and three."""
    samples = sound(shared, *ALONE[one][0])
    turn_s = len(samples) / RATE_HZ
    words = [(0.05, 0.5), (0.6, 1.1), (1.2, turn_s - 0.55), (turn_s - 0.5, turn_s - 0.06)]
    words += [(turn_s + 0.05, turn_s + 0.5), (turn_s + 0.6, turn_s + 1.1), (turn_s + 1.2, turn_s + 2.0)]
    return transcript(np.concatenate([samples, sound(shared, *ALONE[other][1])]), words)


@pytest.fixture(scope="module")
def turns(weights: Path) -> Iterator[VoiceTurns]:
    assert weights.is_dir()
    stage = VoiceTurns()
    stage.start()
    yield stage
    stage.stop()


def told_apart(line: Transcript) -> list[Transcript]:
    """A line in parts by talker, from its own audio."""
    whole = line.utterance
    blocks = beam_blocks(whole.samples, whole.track, start_ns=whole.audio_pts_ns)
    activity = run_stage(TalkerActivity(), {"beam": blocks})["activity"]
    out = run_stage(TalkerLines(), {"activity": activity, "transcript": [line]})["transcripts"]
    return [part for part in out if isinstance(part, Transcript)]


PAIRS = (("MEE068", "FEE083"), ("MEO069", "FEE078"), ("FEE078", "MEE075"), ("FEE083", "MEO069"), ("FEE087", "MEE068"))


def test_a_line_of_two_people_is_cut_where_the_talker_changes(weights: Path, shared: Path) -> None:
    assert weights.is_dir()
    sizes = [[len(part.words) for part in told_apart(two_people(shared, *pair))] for pair in PAIRS]
    assert [len(found) for found in sizes] == [2] * len(PAIRS)
    assert all(abs(first - 4) <= 1 for first, _ in sizes), "the words on either side of the splice last half a second"


def test_a_line_of_two_people_is_cut_where_the_voice_changes(turns: VoiceTurns, shared: Path) -> None:
    cuts = [[len(part.words) for part in heard(turns, two_people(shared, *pair))] for pair in PAIRS]
    assert all(len(sizes) > 1 for sizes in cuts)
    assert cuts.count([4, 3]) >= 4


def test_voices_cut_neither_one_person_nor_a_beam(turns: VoiceTurns, shared: Path) -> None:
    words = [(0.1, 0.9), (1.0, 1.9), (2.0, 2.9), (3.0, 3.9), (4.0, 4.9), (5.0, 5.9)]
    alone = transcript(sound(shared, "trn03", 14.0, 20.0), words)
    assert heard(turns, alone) == [alone]
    two = np.concatenate([sound(shared, "trn03", 9.0, 12.0), sound(shared, "trn06", 13.6, 16.6)])
    beam = transcript(two, words, Track("t1", 30.0))
    assert heard(turns, beam) == [beam]


def test_one_word_cannot_be_cut(turns: VoiceTurns) -> None:
    noise = np.random.default_rng(4).normal(0, 0.1, 5 * RATE_HZ).astype(np.float32)
    word = transcript(noise, [(0.0, 5.0)])
    assert heard(turns, word) == [word]


def test_the_parts_of_a_line_hold_all_of_it_once(shared: Path) -> None:
    whole = two_people(shared, "MEO069", "FEE083")
    parts = list(parts_of(whole, [2, 4]))
    assert [part.text for part in parts] == ["w0, w1,", "w2, w3,", "w4, w5, w6,"]
    assert tuple(word for part in parts for word in part.words) == whole.words
    assert [part.end_ns for part in parts] == [whole.end_ns] * 3, "all leave when the whole does"
    assert [part.spoken_end_ns for part in parts] == [part.words[-1].end_ns for part in parts]
    assert len({part.key for part in parts}) == 3
    assert np.array_equal(np.concatenate([part.utterance.samples for part in parts]), whole.utterance.samples)
    for part in parts:
        assert part.utterance.audio_pts_ns <= part.words[0].start_ns
        assert part.utterance.end_ns >= part.words[-1].end_ns


def test_one_person_is_not_cut_and_nobody_on_a_beam_is(weights: Path, shared: Path) -> None:
    assert weights.is_dir()
    words = [(0.1, 0.9), (1.0, 1.9), (2.0, 2.9), (3.0, 3.9), (4.0, 4.9), (5.0, 5.9)]
    (alone,) = told_apart(transcript(sound(shared, "trn03", 14.0, 20.0), words))
    assert alone.talker is not None
    two = np.concatenate([sound(shared, "trn03", 9.0, 12.0), sound(shared, "trn06", 13.6, 16.6)])
    beam = transcript(two, words, Track("t1", 30.0))
    assert told_apart(beam) == [beam]


def test_no_cut_is_no_change() -> None:
    noise = np.random.default_rng(4).normal(0, 0.1, 5 * RATE_HZ).astype(np.float32)
    word = transcript(noise, [(0.0, 5.0)])
    assert list(parts_of(word, [])) == [word]


@pytest.mark.parametrize("stage", [Voiceprint(), CampplusVoiceprint(), VoiceTurns()])
def test_a_stage_that_is_not_started_and_another_rate_are_refused(stage: VoiceStage | VoiceTurns, weights: Path) -> None:
    assert weights.is_dir()
    spoken = transcript(np.ones(RATE_HZ, dtype=np.float32), [(0.0, 1.0)])
    name = type(stage).__name__
    with pytest.raises(SpeechError, match=f"{name}: the stage has not been started"):
        list(stage.on_transcript(spoken))
    stage.start()
    with pytest.raises(SpeechError, match=f"{name}: an utterance of track lane-1 comes at 8000 Hz; 16000 Hz is needed"):
        list(stage.on_transcript(replace(spoken, utterance=replace(spoken.utterance, sample_rate_hz=8000))))
    stage.stop()


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(SpeechError, match=r"^Voiceprint: min_speech_s must be at least 0\.01, found 0$"):
        Voiceprint(min_speech_s=0)
    with pytest.raises(SpeechError, match=r"^Voiceprint: hop_s must be at least 0\.01, found nan$"):
        Voiceprint(hop_s=float("nan"))
    with pytest.raises(SpeechError, match=r"^CampplusVoiceprint: n_threads must be at least 1, found 0$"):
        CampplusVoiceprint(n_threads=0)
    with pytest.raises(SpeechError, match=r"VoiceTurns: likeness 1\.5"):
        VoiceTurns(likeness=1.5)


def test_people_who_come_back_in_another_session_are_known_again(either: VoiceStage, shared: Path) -> None:
    encoder = HashedWords()
    memory = LongTermMemory(encoder)
    memory.start()
    told: list[dict[str, str | None]] = []
    for number in (0, 1):
        session = f"s{number}"
        memory.begin_session(SessionRow(session, "x", datetime(2026, 11, 22, 10 + number, tzinfo=UTC), 0, "mono", complete=False))
        ids = {}
        for place, (who, pieces) in enumerate(ALONE.items()):
            samples = sound(shared, *pieces[number])
            spoken = transcript(samples, [(0.0, len(samples) / RATE_HZ)], shift_s=10.0 * place)
            (found,) = heard(either, spoken)
            vector = encoder.encode([found.text])[0].copy()
            memory.add_lines(
                session, [Line(pts_ns=found.pts_ns, duration_ns=found.duration_ns, transcript=found, embedding=vector)], found.end_ns
            )
            ids[who] = f"{session}-{found.key}"
        memory.finish_session(session, 200 * NS_PER_S)
        speakers = {row.id: row.speaker for row in memory.lines(session)}
        told.append({who: speakers[line] for who, line in ids.items()})
    memory.stop()
    first, second = told
    assert len(set(first.values())) >= 7
    assert sum(first[who] == second[who] for who in ALONE) >= 6


def test_the_voices_of_the_two_encoders_are_told_apart_by_their_length(either: VoiceStage, shared: Path) -> None:
    samples = sound(shared, *ALONE["MEO069"][0])
    (found,) = heard(either, transcript(samples, [(0.0, 3.0)]))
    assert found.voice is not None
    assert found.voice.shape == ((256,) if isinstance(either, Voiceprint) else (192,))
    assert scale_of(found.voice).encoder == ("Resemblyzer" if isinstance(either, Voiceprint) else "CAM++")


def test_nobody_is_taken_for_somebody_else_by_their_first_and_second_pieces(either: VoiceStage, shared: Path) -> None:
    """With CAM++, eight people who spoke 1 to 3 s each are known again by another piece of theirs, or are strangers: nobody is mistaken."""
    voices = {}
    for who, pieces in ALONE.items():
        for number, piece in enumerate(pieces):
            samples = sound(shared, *piece)
            (found,) = heard(either, transcript(samples, [(0.0, len(samples) / RATE_HZ)]))
            assert found.voice is not None
            voices[who, number] = Heard(found.voice, len(samples) / RATE_HZ, "lane-1", None, 0)
    known = [KnownSpeaker(who, voices[who, 0].voice) for who in ALONE]
    chosen = {who: choose(voices[who, 1], known).speaker for who in ALONE}
    mistaken = [who for who, speaker in chosen.items() if speaker not in (who, None)]
    right = [who for who, speaker in chosen.items() if speaker == who]
    if isinstance(either, CampplusVoiceprint):
        assert mistaken == []
        assert len(right) >= 7
    else:
        assert len(mistaken) <= 1
        assert len(right) >= 5
