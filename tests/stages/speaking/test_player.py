"""Playing through GStreamer's own sinks, and stopping."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.clock import elapsed_ns
from pipeline.packets import Float32Array
from pipeline.testing import tone
from stages.speaking.player import Player
from stages.speaking.speaking_errors import SinkError, SpeakingError

RATE = 22050


def test_every_sample_arrives_in_order(tmp_path: Path) -> None:
    pieces = [tone(440, 0.33, RATE), tone(880, 0.5, RATE), tone(220, 0.001, RATE)]
    heard = tmp_path / "heard.wav"
    assert Player(f"wavenc ! filesink location={heard}").play(pieces, RATE)
    samples, rate = soundfile.read(heard, dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, np.concatenate(pieces), atol=1e-6)


def test_stereo_is_played_left_first(tmp_path: Path) -> None:
    stereo = np.stack([tone(440, 0.2, RATE), np.zeros(RATE // 5, dtype=np.float32)])
    heard = tmp_path / "heard.wav"
    assert Player(f"wavenc ! filesink location={heard}").play([stereo], RATE)
    samples, _ = soundfile.read(heard, dtype="float32")
    np.testing.assert_allclose(samples.T, stereo, atol=1e-6)


def test_stop_cuts_it_short_and_the_next_one_is_played() -> None:
    player = Player("fakesink sync=true")
    played: list[bool] = []
    thread = threading.Thread(target=lambda: played.append(player.play([tone(440, 60.0, RATE)], RATE)))
    thread.start()
    while thread.is_alive():
        # Told again and again: before it has begun there is nothing to stop.
        player.stop()
        thread.join(0.05)
    assert played == [False]
    assert player.play([tone(440, 0.05, RATE)], RATE)
    player.stop()
    player.stop()


def test_a_piece_that_comes_late_is_still_played(tmp_path: Path) -> None:
    """A voice that is slower than its words must not lose them."""
    heard = tmp_path / "heard.wav"

    def slow() -> Iterator[Float32Array]:
        yield tone(440, 0.1, RATE)
        begin = elapsed_ns()
        while elapsed_ns() - begin < 400_000_000:
            pass
        yield tone(880, 0.1, RATE)

    assert Player(f"wavenc ! filesink sync=true location={heard}").play(slow(), RATE)
    samples, _ = soundfile.read(heard, dtype="float32")
    np.testing.assert_allclose(samples, np.concatenate([tone(440, 0.1, RATE), tone(880, 0.1, RATE)]), atol=1e-6)


def test_nothing_to_play_opens_nothing() -> None:
    assert Player("nonsense").play([], RATE)


def test_what_is_no_sink_is_refused() -> None:
    with pytest.raises(SinkError) as caught:
        Player("nonsense").play([tone(440, 0.1)], 16000)
    told = "sink 'nonsense': GStreamer cannot understand it (no element \"nonsense\"); give a sink such as autoaudiosink"
    assert str(caught.value) == told


def test_a_sink_that_fails_is_told_in_gstreamers_words(tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "x"
    with pytest.raises(SpeakingError) as caught:
        Player(f"filesink location={gone}").play([tone(440, 0.1)], 16000)
    told = f'no sound can be played there (Could not open file "{gone}" for writing); choose another sink'
    assert str(caught.value) == f"sink 'filesink location={gone}': {told}"


def test_an_error_while_pieces_are_made_takes_the_pipeline_down() -> None:
    def broken() -> Iterator[Float32Array]:
        yield tone(440, 0.1)
        raise SpeakingError("the voice failed")

    player = Player("fakesink")
    with pytest.raises(SpeakingError, match="the voice failed"):
        player.play(broken(), 16000)
    assert not player.is_playing
