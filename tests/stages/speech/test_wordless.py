from pipeline.packets import Track, Transcript, Utterance
from pipeline.testing import noise, run_stage
from stages.speech.wordless import TEXT, Wordless


def test_place_and_time_are_kept_and_no_word_is_claimed() -> None:
    track = Track(name="t1", azimuth_deg=90.0)
    utterance = Utterance(pts_ns=5, duration_ns=10**9, samples=noise(1.0), sample_rate_hz=16000, track=track)
    (transcript,) = run_stage(Wordless(), {"utterance": [utterance]})["transcripts"]
    assert isinstance(transcript, Transcript)
    assert (transcript.pts_ns, transcript.end_ns, transcript.text, transcript.confidence) == (5, 10**9 + 5, TEXT, 0.0)
    assert transcript.utterance is utterance
