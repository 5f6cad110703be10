"""Both recognisers on real speech, and on what is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile

from pipeline.packets import NS_PER_S, Float32Array, Transcript, Utterance
from pipeline.testing import noise, tone
from stages.speech.faster_whisper import FasterWhisper
from stages.speech.openai_whisper import OpenaiWhisper
from stages.speech.transcript_maker import TranscriptMaker

Recogniser = FasterWhisper | OpenaiWhisper
Maker = Callable[..., Utterance]
Reader = Callable[[str], Float32Array]

JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
# When each word starts in the recording, read off its waveform.
JFK_STARTS_S = {"ask": 3.3, "not": 4.05, "what": 5.4, "country": 5.85}


@pytest.fixture(scope="session", params=["faster", "openai"])
def recogniser(request: pytest.FixtureRequest) -> Recogniser:
    stage = request.getfixturevalue(f"{request.param}_whisper")
    assert isinstance(stage, FasterWhisper | OpenaiWhisper)
    return stage


def transcripts(stage: Recogniser, *utterances: Utterance) -> list[Transcript]:
    """What a stage makes of utterances at the start of a session."""
    stage._maker = TranscriptMaker()
    return [emit.packet for emit in stage.batch_utterance(list(utterances))]


def plain(text: str) -> str:
    return " ".join("".join(c for c in text.lower() if c.isalnum() or c in " '").split())


def test_kennedy_word_for_word_and_in_time(recogniser: Recogniser, speech: Reader, utterance_of: Maker) -> None:
    (found,) = transcripts(recogniser, utterance_of(speech("jfk"), start_s=100.0))
    assert plain(found.text) == JFK
    assert " ".join(plain(word.text) for word in found.words) == JFK
    assert found.language == "en"
    assert found.confidence > 0.6
    starts: dict[str, float] = {}
    for word in found.words:
        starts.setdefault(plain(word.text), word.start_ns / NS_PER_S - 100)
    for text, start_s in JFK_STARTS_S.items():
        assert starts[text] == pytest.approx(start_s, abs=0.15), text
    assert all(first.end_ns <= second.start_ns for first, second in zip(found.words, found.words[1:], strict=False))
    assert found.pts_ns / NS_PER_S == pytest.approx(100.3, abs=0.15)
    assert found.end_ns / NS_PER_S == pytest.approx(110.4, abs=0.3)


def test_read_speech_has_few_word_errors(recogniser: Recogniser, speech: Reader, said: dict[str, str], utterance_of: Maker) -> None:
    names = ["librivox_0870", "librivox_0880", "librivox_0890", "libri_2412-153948-0000", "LJ002-0020"]
    numbers = {"1813": "eighteen thirteen"}
    heard = []
    for name in names:
        (found,) = transcripts(recogniser, utterance_of(speech(name)))
        text = plain(found.text.replace("Mr.", "mister").replace("-", " "))
        heard.append(" ".join(numbers.get(word, word) for word in text.split()))
    assert jiwer.wer([plain(said[name]) for name in names], heard) <= 0.05


@pytest.mark.parametrize("kind", ["silence", "faint noise", "noise", "tone", "dishes", "hum", "clicks"])
def test_nobody_says_anything_where_nobody_speaks(recogniser: Recogniser, kind: str, utterance_of: Maker, shared: Path) -> None:
    dishes, rate = soundfile.read(shared / "data/noise/doing_the_dishes.wav", dtype="float32", frames=320_000)
    assert rate == 16000
    clicks = np.zeros(80_000, np.float32)
    clicks[::8000] = 0.9
    sounds = {
        "silence": np.zeros(64_000, np.float32),
        "faint noise": noise(6.0, amplitude=1e-4),
        "noise": noise(4.0, amplitude=0.05),
        "tone": tone(440, 4.0),
        "dishes": dishes[160_000:240_000],
        "hum": tone(100, 5.0, amplitude=0.2) + tone(200, 5.0, amplitude=0.1) + noise(5.0, amplitude=0.01),
        "clicks": clicks,
    }
    assert [found.text for found in transcripts(recogniser, utterance_of(sounds[kind]))] == []


def test_words_keep_their_times_across_pauses(faster_whisper: FasterWhisper, speech: Reader, utterance_of: Maker) -> None:
    names, pause_s = ["librivox_0880", "asterisk_invalid", "librivox_0880"], 1.5
    pieces, starts_s, at = [], [], 0
    for name in names:
        voice = speech(name)
        loud = np.flatnonzero(np.abs(voice) > 0.02)
        voice = voice[loud[0] : loud[-1]]
        starts_s.append(at / 16000)
        pieces += [voice, noise(pause_s, amplitude=0.0005)]
        at += len(pieces[-2]) + len(pieces[-1])
    (found,) = transcripts(faster_whisper, utterance_of(np.concatenate(pieces)))
    words = [(plain(word.text), word.start_ns / NS_PER_S, word.end_ns / NS_PER_S) for word in found.words]
    first_words = [start for text, start, _ in words if text == "he"] + [start for text, start, _ in words if text in {"i", "i'm"}][:1]
    assert sorted(first_words) == pytest.approx(starts_s, abs=0.2)
    ends_s = [start + len(piece) / 16000 for start, piece in zip(starts_s, pieces[::2], strict=True)]
    last_words = [max(end for _, start, end in words if start < border - 0.3) for border in [*starts_s[1:], 1e9]]
    assert last_words == pytest.approx(ends_s, abs=0.3)


def test_a_batch_gives_what_each_gives_alone(recogniser: Recogniser, speech: Reader, utterance_of: Maker) -> None:
    utterances = [utterance_of(speech("librivox_0880")), utterance_of(np.zeros(32_000, np.float32), 4.0), utterance_of(speech("jfk"), 10.0)]
    together = transcripts(recogniser, *utterances)
    alone = [found for utterance in utterances for found in transcripts(recogniser, utterance)]
    assert [found.utterance for found in together] == [utterances[0], utterances[2]]
    for one, other in zip(together, alone, strict=True):
        assert [(w.text, w.start_ns, w.end_ns) for w in one.words] == [(w.text, w.start_ns, w.end_ns) for w in other.words]
        assert (one.text, one.pts_ns, one.end_ns) == (other.text, other.pts_ns, other.end_ns)
    assert [t.confidence for t in together] == pytest.approx([t.confidence for t in alone], rel=1e-4)


def test_the_same_audio_gives_the_same_transcript_again(faster_whisper: FasterWhisper, speech: Reader, utterance_of: Maker) -> None:
    utterance = utterance_of(speech("asterisk_dir-nomatch"))
    assert transcripts(faster_whisper, utterance) == transcripts(faster_whisper, utterance)


def test_an_empty_utterance_has_no_text(recogniser: Recogniser, utterance_of: Maker) -> None:
    assert transcripts(recogniser, utterance_of(np.zeros(0, np.float32))) == []
    assert transcripts(recogniser, utterance_of(noise(0.01))) == []
