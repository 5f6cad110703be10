"""Going back to the sound before answering: a doubtful line that an answer would quote is heard again, more carefully."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pipeline.packets import NS_PER_S, Float32Array, Track, Transcript, Utterance
from pipeline.session import SessionReader
from pipeline.session_info import SessionError
from pipeline.stage import Resource
from stages.memory.disk.disk_use import RECORDINGS
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow, WordRow
from stages.memory.second_looks import look_files
from stages.memory.second_looks.look import Look
from stages.memory.tables.provenance import version
from stages.recall.answers import Claim
from stages.recall.untranscribed import is_untranscribed

if TYPE_CHECKING:
    from models.recogniser import Recogniser

BEAM_SIZE = 5
BEFORE_NS = 4 * NS_PER_S
AFTER_NS = 2 * NS_PER_S
_EDGE_NS = 300_000_000
_LONGEST_NS = 29 * NS_PER_S

_log = logging.getLogger(__name__)


class SecondLookError(ValueError):
    """A setting of `SecondLook` is out of its range."""

    exit_code = 2


class SecondLook(Resource):
    """Hears doubtful lines again, as people play back what they did not catch (MemVR and Play It Back look twice at video).

    A line is doubtful where one of its words, or all of it, was recognised with little confidence. Its audio is heard again with a
    wide search over Whisper's full window; where that audio has left, a new beam is made out of the recording of the array, which
    rests on what comes after the line as well. What is heard then is believed where the recogniser is at least as sure of it as
    before. It is kept with the memory, so that no line is heard again twice.

    Args:
        memory: the memory that the lines, their audio and the recordings are in.
        language: a code such as "en", or "auto".
        doubtful_word: a line that has a word with a probability (0 to 1) under this is doubtful.
        doubtful_line: so is one whose confidence (0 to 1) is under this.
        most_lines: how many lines are heard again for one answer at most; each takes about a second on a CPU.
        n_threads: CPU threads for the network.

    Raises:
        SecondLookError: a setting is out of its range.
    """

    weights: ClassVar[tuple[str, ...]] = ("whisper-base",)

    def __init__(
        self,
        memory: LongTermMemory,
        language: str = "en",
        doubtful_word: float = 0.45,
        doubtful_line: float = 0.6,
        most_lines: int = 2,
        n_threads: int = 2,
    ) -> None:
        if not (0 <= doubtful_word <= 1 and 0 <= doubtful_line <= 1) or most_lines < 1 or n_threads < 1:
            raise SecondLookError(
                f"SecondLook: doubtful_word {doubtful_word}, doubtful_line {doubtful_line}, most_lines {most_lines}, "
                f"n_threads {n_threads}: the first two must be 0 to 1, the others at least 1"
            )
        self.memory = memory
        self.language = language
        self.doubtful_word = doubtful_word
        self.doubtful_line = doubtful_line
        self.most_lines = most_lines
        self.n_threads = n_threads
        self._recogniser: Recogniser | None = None

    def stop(self) -> None:
        """Let go of the weights, which are loaded for the first doubtful line."""
        self._recogniser = None

    def memory_bytes(self) -> int:
        """The weights and what decoding one line needs beside them, once a line is heard again."""
        return 350_000_000

    def looks(self, line_ids: Sequence[str]) -> dict[str, Look]:
        """Second looks at the doubtful ones among some lines, by id: those that are kept, and at most `most_lines` new ones.

        A line of which no sound is left has none. Never raises for what a disk or a recogniser refuses: that is logged, and the line
        stays as it was heard.
        """
        root = self._root
        if root is None or not line_ids:
            return {}
        found: dict[str, Look] = {}
        n_new = 0
        for line in self.memory.lines(ids=list(line_ids)):
            if not self.is_doubtful(line):
                continue
            look = look_files.kept(root, line.id, line.text)
            if look is None and n_new < self.most_lines:
                n_new += 1
                look = self._heard_again(root, line)
            if look is not None:
                found[line.id] = look
        return found

    def is_doubtful(self, line: LineRow) -> bool:
        """Whether a line that was heard (an imported one was not) may say something else than it seems to."""
        if is_untranscribed(line) or not line.words or line.end_ns - line.start_ns > _LONGEST_NS:
            return False
        return line.confidence < self.doubtful_line or min(word.probability for word in line.words) < self.doubtful_word

    @property
    def _root(self) -> Path | None:
        return Path(self.memory.directory) if self.memory.directory else None

    def _heard_again(self, root: Path, line: LineRow) -> Look | None:
        sound = self._line_audio(root, line) or self._new_beam(root, line)
        if sound is None:
            return None
        kind, start_ns, samples, sample_rate_hz = sound
        transcript = self._transcript(line, start_ns, samples, sample_rate_hz)
        look = Look(
            line.id, line.text, line.words, line.confidence, line.text, kind, f"SecondLook {self.weights[0]} beam {BEAM_SIZE}", version()
        )
        if transcript is not None and transcript.confidence >= line.confidence:
            words = tuple(WordRow(word.text, word.start_ns, word.end_ns, word.probability) for word in transcript.words)
            look = replace(look, text=transcript.text, words=words, confidence=transcript.confidence)
        try:
            look_files.keep(root, look)
        except OSError as error:
            _log.warning("line %s was heard again, and that could not be kept: %s", line.id, error)
        return look

    def _line_audio(self, root: Path, line: LineRow) -> tuple[str, int, Float32Array, int] | None:
        """The audio that was kept with a line."""
        import soundfile

        if line.clip is None:
            return None
        try:
            samples, sample_rate_hz = soundfile.read(root / line.clip, dtype="float32")
        except (OSError, RuntimeError) as error:  # soundfile raises RuntimeError for audio that it cannot read
            _log.info("the audio of line %s cannot be heard again: %s", line.id, error)
            return None
        return "line audio", line.clip_start_ns, samples, int(sample_rate_hz)

    def _new_beam(self, root: Path, line: LineRow) -> tuple[str, int, Float32Array, int] | None:
        """A beam towards a line's talker out of the recording of its session, among all who spoke around that time."""
        folder = root / RECORDINGS / line.session
        if line.azimuth_deg is None or not folder.is_dir():
            return None
        begin_ns, end_ns = max(0, line.start_ns - BEFORE_NS), line.end_ns + AFTER_NS
        around = self.memory.lines(line.session, start_ns=begin_ns, end_ns=end_ns, copies=True, words=False)
        bearings = {row.track: (row.azimuth_deg, row.elevation_deg) for row in around if row.azimuth_deg is not None}
        bearings[line.track] = (line.azimuth_deg, line.elevation_deg)
        try:
            with SessionReader(folder) as reader:
                info, rate_hz = reader.info, reader.info.sample_rate_hz
                first = begin_ns * rate_hz // NS_PER_S
                if not info.array.has_bearing or first < reader.first_frame:
                    return None
                samples = reader.read(first, (end_ns - begin_ns) * rate_hz // NS_PER_S)
        except (SessionError, OSError) as error:
            _log.info("the recording of line %s cannot be heard again: %s", line.id, error)
            return None
        from models.offline_beams import offline_beams

        beam = offline_beams(info.array.positions, samples, rate_hz, bearings, info.array.reference)[line.track]
        start_ns = max(begin_ns, line.start_ns - _EDGE_NS)
        cut = slice((start_ns - begin_ns) * rate_hz // NS_PER_S, (line.end_ns + _EDGE_NS - begin_ns) * rate_hz // NS_PER_S)
        return "beam", start_ns, beam[cut], rate_hz

    def _transcript(self, line: LineRow, start_ns: int, samples: Float32Array, sample_rate_hz: int) -> Transcript | None:
        """What is heard in some sound that begins at a session time; None where nothing in it is to be believed."""
        from models.recognition import SAMPLE_RATE_HZ
        from stages.speech.transcript_maker import TranscriptMaker

        if sample_rate_hz != SAMPLE_RATE_HZ:
            _log.info("the sound of line %s has %d Hz, and %d are heard", line.id, sample_rate_hz, SAMPLE_RATE_HZ)
            return None
        (heard,) = self._loaded().recognise([samples])
        track = Track(name=line.track, azimuth_deg=line.azimuth_deg, lane=None)
        duration_ns = len(samples) * NS_PER_S // sample_rate_hz
        utterance = Utterance(pts_ns=start_ns, duration_ns=duration_ns, samples=samples, sample_rate_hz=sample_rate_hz, track=track)
        return TranscriptMaker().transcript(utterance, heard)

    def _loaded(self) -> Recogniser:
        if self._recogniser is None:
            from models.ct2_recogniser import Ct2Recogniser
            from models.recognition import WINDOW_S
            from models.weights import folder_of

            # The search is wide at once, so there is nothing to be tried again.
            self._recogniser = Ct2Recogniser(
                folder_of(self.weights[0]),
                n_threads=self.n_threads,
                language=self.language,
                beam_size=BEAM_SIZE,
                padding_s=WINDOW_S,
                min_confidence=0.0,
            )
        return self._recogniser


def heard_again(line: LineRow, look: Look) -> LineRow:
    """A line as it was heard again."""
    return replace(line, text=look.text, words=look.words if line.words else (), confidence=look.confidence)


def cited_lines(claims: Sequence[Claim]) -> list[str]:
    """The ids of the lines that claims cite, in their order."""
    return list(dict.fromkeys(evidence.utterance for claim in claims for evidence in claim.evidence))


def with_first_words(claims: Sequence[Claim], news: Mapping[str, Look]) -> list[Claim]:
    """Claims whose evidence says what a line was first heard to say, where it was heard again with news."""
    return [
        replace(
            claim,
            evidence=tuple(
                replace(evidence, first_heard=news[evidence.utterance].first_text) if evidence.utterance in news else evidence
                for evidence in claim.evidence
            ),
        )
        for claim in claims
    ]
