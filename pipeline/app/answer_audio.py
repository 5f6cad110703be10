"""What of an answer can be heard: its evidence, all channels of it, the quotes as a mix, and the answer spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.app.console import say
from pipeline.app.failures import CallerError, WorkError
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.packets import Float32Array, nanoseconds

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

ORDERS = ("time", "answer")
FORMATS = (".wav", ".flac", ".ogg")
_PAUSE_S = 0.4


@dataclass(frozen=True)
class AnswerAudio:
    """What `echoic ask` was told about sound, checked before anything is asked. Raises CallerError.

    `raw` cuts all channels around each evidence, `play` plays the evidence, `mix` is a file for the quotes in stereo, in `mix_order`
    and for a listener who faces `facing_deg`, `speak` says the answer, `speak_to` is a file for that, `sink` a GStreamer sink.
    """

    raw: bool = False
    play: bool = False
    mix: Path | None = None
    mix_order: str = "time"
    facing_deg: float = 0.0
    speak: bool = False
    speak_to: Path | None = None
    sink: str = "autoaudiosink"

    def __post_init__(self) -> None:
        if self.mix_order not in ORDERS:
            raise CallerError(f"--mix-order: found {self.mix_order!r}; allowed are {', '.join(ORDERS)}")
        for option, path in (("--mix", self.mix), ("--speak-to", self.speak_to)):
            if path is not None:
                _check_path(option, path)

    def add_raw(self, answer: dict[str, Any], memory: MemoryDirectory) -> None:
        """Give each evidence its `raw` clip, where that was asked for."""
        if self.raw:
            from pipeline.app.open_memory import memory_to_read

            with memory_to_read(memory) as opened:
                add_raw_clips(answer, opened)

    def let_hear(self, answer: Mapping[str, Any], starts: Mapping[str, datetime], memory: MemoryDirectory, config: str | None) -> None:
        """Write and play what was asked for: first the files, then the spoken answer, then its evidence.

        Raises CallerError or WorkError, SinkError, SpeakingError, WeightsError.
        """
        if self.mix is not None:
            self._mix(self.mix, answer, starts, memory)
        if self.speak or self.speak_to is not None:
            self._speak(answer, memory, config)
        if self.play:
            self._play(answer, memory)

    def _mix(self, path: Path, answer: Mapping[str, Any], starts: Mapping[str, datetime], memory: MemoryDirectory) -> None:
        from stages.recall.catch_up_mix import SAMPLE_RATE_HZ, Quote, mix

        shown = _with_clips(answer, memory, "mixed")
        if self.mix_order == "time":
            begun = {session: moment.timestamp() for session, moment in starts.items()}
            shown.sort(key=lambda evidence: (begun.get(evidence["session"], 0.0) + evidence["start_s"], evidence["utterance"]))
        if not shown:
            return
        quotes = [Quote(memory.path / evidence["clip"], evidence["azimuth_deg"]) for evidence in shown]
        _write(path, "--mix", mix(quotes, self.facing_deg).T, SAMPLE_RATE_HZ)
        say(f"{len(quotes)} {'quote' if len(quotes) == 1 else 'quotes'} in {path}")

    def _speak(self, answer: Mapping[str, Any], memory: MemoryDirectory, config: str | None) -> None:
        from pipeline.app.spoken_answer import voice_of_graph
        from stages.speaking.player import Player

        with voice_of_graph(memory, config) as voice:
            pieces: Iterator[Float32Array] | list[Float32Array] = voice.read(str(answer["answer"]))
            if self.speak_to is not None:
                pieces = list(pieces)
                _write(self.speak_to, "--speak-to", np.concatenate(pieces or [np.zeros(1, dtype=np.float32)]), voice.sample_rate_hz)
            if self.speak:
                Player(self.sink).play(pieces, voice.sample_rate_hz)

    def _play(self, answer: Mapping[str, Any], memory: MemoryDirectory) -> None:
        from stages.speaking.clip_sound import CLIP_RATE_HZ, clip_pieces
        from stages.speaking.player import Player

        paths = [memory.path / evidence["clip"] for evidence in _with_clips(answer, memory, "played")]
        Player(self.sink).play(clip_pieces(paths, _PAUSE_S), CLIP_RATE_HZ)


def add_raw_clips(answer: dict[str, Any], memory: LongTermMemory) -> None:
    """Give each evidence of an answer (the JSON of `ask --json`) the path of its `raw` clip, or None where there is no recording of it."""
    from stages.recall.array_clips import ArrayCutter

    cutter = ArrayCutter(memory.directory)
    shown = [evidence for claim in answer["claims"] for evidence in claim["evidence"]]
    cited = sorted({evidence["utterance"] for evidence in shown})
    lines = {line.id: line for line in memory.lines(ids=cited, copies=True)} if cited else {}
    for evidence in shown:
        line = lines.get(evidence["utterance"])
        evidence["raw"] = None if line is None else cutter.cut(line, nanoseconds(evidence["start_s"]), nanoseconds(evidence["end_s"]))


def _with_clips(answer: Mapping[str, Any], memory: MemoryDirectory, done: str) -> list[dict[str, Any]]:
    """The evidence of an answer in its order, each clip once; what has none is said."""
    shown = [evidence for claim in answer["claims"] for evidence in claim["evidence"]]
    heard = {evidence["clip"]: evidence for evidence in reversed(shown) if evidence["clip"] and (memory.path / evidence["clip"]).is_file()}
    lacking = sum(evidence["clip"] not in heard for evidence in shown)
    if not heard:
        say(f"nothing is {done}: " + ("the evidence has no audio" if shown else "the answer has no evidence"))
    elif lacking:
        say(f"{lacking} of {len(shown)} pieces of evidence have no audio and are not {done}")
    return list(reversed(heard.values()))


def _check_path(option: str, path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        raise CallerError(f"{option} {path}: sound is written as {', '.join(FORMATS)}; give a path that ends in one of them")
    if not path.parent.is_dir():
        raise CallerError(f"{option} {path}: there is no folder {path.parent}; make it, or give another path")
    if path.is_dir():
        raise CallerError(f"{option} {path}: this is a folder; give the path of a file")


def _write(path: Path, option: str, samples: Float32Array, sample_rate_hz: int) -> None:
    """Samples, shape (frames,) or (frames, channels), as a file of the form that its suffix says."""
    import soundfile

    try:
        soundfile.write(path, samples, sample_rate_hz)
    except (OSError, soundfile.SoundFileError) as error:
        raise WorkError(f"{option} {path}: it cannot be written ({error})") from error
