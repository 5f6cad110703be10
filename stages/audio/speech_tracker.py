"""Tracks from directions, of talkers only."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from models.bearing_tracks import Candidate
from pipeline.geometry import ArrayGeometry
from pipeline.packets import AudioBlock, Directions, Tracks, nanoseconds
from pipeline.stage import Emit
from stages.audio.array_part import heard_by
from stages.audio.bearing_tracker import BearingTracker
from stages.memory.long_term_memory import LongTermMemory

if TYPE_CHECKING:
    from models.silero import Silero
    from models.talk_score import TalkScore

_RATE_HZ = 16000
_MOMENT_NS = nanoseconds(1.0)
_N_CHUNKS = 5
_N_FREE_REFUSALS = 2
_N_KNOWN = 4
_DOUBT_PER_REFUSAL = 0.05
_SURELY_SPEECH = 0.85


class SpeechTrackerError(ValueError):
    """Audio that cannot be judged, or a setting that makes no sense: the graph or the audio must change."""

    exit_code = 2


class SpeechTracker(BearingTracker):
    """Follows talkers by their bearing, and only talkers: fans, clatter and music are given no track.

    The same ports and meaning as `BearingTracker`. Before a track is born, the last second is listened to with a beam towards it that
    leaves out the other bearings, and a small network (Silero VAD) must hear 160 ms of speech in it. Then another one that knows many
    sounds (YAMNet) must find that it may be somebody talking and not dishes or an animal. That is asked at births only, so
    it costs next to nothing; a talker is found a tenth of a second later. What is refused again and again needs surer speech.
    Voices from a loudspeaker are speech.

    Args:
        gate_deg: what is heard this near to a track belongs to it; two tracks are at least this far apart when born.
        birth_s: evidence for a new track, in seconds times share of the sound.
        lead_s: how much of that must have come while nothing else was louder.
        wake_s: evidence for a sleeping track to wake.
        sleep_after_s: a track sleeps when it was not heard for this long.
        max_tracks: how many tracks there may be; for one more, the one that slept longest is forgotten.
        least_speech: the probability of speech (0 to 1) that a birth needs.
        least_talk: YAMNet's score for somebody talking (0 to 1) that a birth needs where no loud music hides it; with 0 it is not asked.
        n_threads: CPU threads for the networks.
        memory: where a resumed session's tracks are found, so that their names go on.

    Raises:
        SpeechTrackerError: a setting is out of its range: `least_speech` or `least_talk` is not from 0 to 1, `n_threads` or `max_tracks`
            not at least 1, `gate_deg` not from 0 to 180, or a time is negative.
    """

    weights: ClassVar[tuple[str, ...]] = ("silero_vad.onnx", "yamnet")

    def __init__(
        self,
        gate_deg: float = 20.0,
        birth_s: float = 0.025,
        lead_s: float = 0.003,
        wake_s: float = 0.01,
        sleep_after_s: float = 1.0,
        max_tracks: int = 8,
        least_speech: float = 0.5,
        least_talk: float = 0.2,
        n_threads: int = 1,
        memory: LongTermMemory | None = None,
    ) -> None:
        for name, least in (("least_speech", least_speech), ("least_talk", least_talk)):
            if not 0.0 <= least <= 1.0:
                raise SpeechTrackerError(f"{name} must be from 0 to 1, found {least}: it is a probability")
        for name, number in (("n_threads", n_threads), ("max_tracks", max_tracks)):
            if number < 1:
                raise SpeechTrackerError(f"{name} must be at least 1, found {number}")
        if not 0.0 <= gate_deg <= 180.0:
            raise SpeechTrackerError(f"gate_deg must be from 0 to 180, found {gate_deg}: it is an angle between two bearings")
        for name, time_s in (("birth_s", birth_s), ("lead_s", lead_s), ("wake_s", wake_s), ("sleep_after_s", sleep_after_s)):
            if not 0.0 <= time_s < math.inf:
                raise SpeechTrackerError(f"{name} must be at least 0, found {time_s}")
        self._least_speech = least_speech
        self._least_talk = least_talk
        self._n_threads = n_threads
        self._silero: Silero | None = None
        self._talk: TalkScore | None = None
        self._moment: deque[AudioBlock] = deque()
        super().__init__(gate_deg, birth_s, lead_s, wake_s, sleep_after_s, max_tracks, memory)

    def start(self) -> None:
        """Load the networks, and begin with the tracks that the memory has of this session."""
        from models.silero import Silero
        from models.weights import path_of

        self._silero = Silero(path_of("silero_vad.onnx"), self._n_threads)
        if self._least_talk > 0.0:
            from models.talk_score import TalkScore
            from models.yamnet import Yamnet, class_names

            self._talk = TalkScore(Yamnet(path_of("yamnet/model.zip"), self._n_threads), class_names(path_of("yamnet/class_map.csv")))
        self._moment.clear()
        super().start()

    def stop(self) -> None:
        """Let go of the networks and of what was heard."""
        self._silero = None
        self._talk = None
        self._moment.clear()

    def _accept(self) -> Callable[[Candidate], bool] | None:
        return self._speaks

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[Tracks]]:
        """Keep the last second.

        Raises SpeechTrackerError where it is not at 16 kHz.
        """
        if block.array.has_bearing:
            if block.sample_rate_hz != _RATE_HZ:
                raise SpeechTrackerError(
                    f"SpeechTracker: the array {block.array.name} comes at {block.sample_rate_hz} Hz; {_RATE_HZ} Hz is needed"
                    " (BearingTracker takes any rate)"
                )
            if self._moment and self._moment[-1].end_ns != block.pts_ns:
                self._moment.clear()
            if self._moment and self._moment[-1].array != block.array:
                self._moment = deque(heard_by(self._moment, block.array) or ())
            self._moment.append(block)
        yield from super().on_audio(block)

    def on_directions(self, heard: Directions) -> Iterator[Emit[Tracks]]:
        """Move the tracks on by a block."""
        while self._moment and self._moment[0].end_ns <= heard.end_ns - _MOMENT_NS:
            self._moment.popleft()
        yield from super().on_directions(heard)

    def _speaks(self, candidate: Candidate) -> bool:
        from models.steered_speech import speech_probabilities, steered

        if candidate.n_refused_alone >= _N_KNOWN and any(track.active for track in self._tracker.tracks):
            # A fan or music, known from when nobody spoke: now the room's echo of who speaks would pass for speech from there.
            return False
        heard = [block for block in self._moment if block.end_ns <= self._tracker.now_ns]
        if self._silero is None or not heard:
            return False
        array: ArrayGeometry = heard[-1].array
        samples = np.nan_to_num(np.concatenate([block.samples for block in heard], axis=1), posinf=0.0, neginf=0.0)
        rivals = [rival for rival in self._tracker.candidates if rival is not candidate and rival.evidence >= candidate.evidence / 4.0]
        away = [(track.azimuth_deg, track.elevation_deg) for track in self._tracker.tracks if track.active]
        away += [(rival.azimuth_deg, rival.elevation_deg) for rival in rivals]
        signal = steered(samples, array.positions, _RATE_HZ, (candidate.azimuth_deg, candidate.elevation_deg), away)
        best = sorted(speech_probabilities(signal, self._silero))[-_N_CHUNKS:]
        # What was long heard without a word is a fan or music: then a little speech that leaks into its beam is not enough.
        doubt = _DOUBT_PER_REFUSAL * max(0, candidate.n_refused - _N_FREE_REFUSALS)
        if sum(best) / _N_CHUNKS < min(self._least_speech + doubt, max(self._least_speech, _SURELY_SPEECH)):
            return False
        talk = self._talk.of(signal) if self._talk is not None else None
        return talk is None or talk >= self._least_talk
