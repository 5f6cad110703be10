"""Going back to the sound before answering: a doubtful line that an answer would quote is heard again, more carefully."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from models.whisper_languages import LANGUAGES
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

_Sound = tuple[str, int, Float32Array, int]
"""What is heard ("line audio" or "beam"), where it starts on the session's clock in nanoseconds, its samples and their rate in Hz."""

_log = logging.getLogger(__name__)


class SecondLookError(ValueError):
    """A setting of `SecondLook` is out of its range."""

    exit_code = 2


class SecondLook(Resource):
    """Hears doubtful lines again, as people play back what they did not catch (MemVR and Play It Back look twice at video).

    A line is doubtful where one of its words, or all of it, was recognised with little confidence. Its audio is heard again with a
    wide search over Whisper's full window; where that audio has left, a new beam is made out of the recording of the array, which
    rests on what comes after the line as well. What is heard then is believed where the recogniser is at least as sure of it as
    before. It is kept with the memory, so that no line is heard again twice by one model; by another it is, in its turn.

    Args:
        memory: the memory that the lines, their audio and the recordings are in.
        language: a code such as "en", or "auto"; a model that knows English only takes "en".
        doubtful_word: a line that has a word with a probability (0 to 1) under this is doubtful.
        doubtful_line: so is one whose confidence (0 to 1) is under this.
        most_lines: how many lines are heard again for one answer at most; each takes about a second on a CPU.
        n_threads: CPU threads for the network.
        device: "cpu", or a GPU such as "cuda:0"; "auto" is a GPU where there is one.
        model: a group of the catalogue of weights, or the path of a folder with another Whisper model (stages/speech/README.md). It
            should be no smaller than the one that heard the lines at first.

    Raises:
        SecondLookError: a setting is out of its range, or the language is not known.
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
        device: str = "cpu",
        model: str = "whisper-base",
    ) -> None:
        if not (0 <= doubtful_word <= 1 and 0 <= doubtful_line <= 1) or most_lines < 1 or n_threads < 1:
            raise SecondLookError(
                f"SecondLook: doubtful_word {doubtful_word}, doubtful_line {doubtful_line}, most_lines {most_lines}, "
                f"n_threads {n_threads}: the first two must be 0 to 1, the others at least 1"
            )
        if language != "auto" and language not in LANGUAGES:
            raise SecondLookError(f"SecondLook: language {language!r} is not known; allowed are auto, {', '.join(sorted(LANGUAGES))}")
        self.memory = memory
        self.language = language
        self.doubtful_word = doubtful_word
        self.doubtful_line = doubtful_line
        self.most_lines = most_lines
        self.n_threads = n_threads
        self.device = device
        self.model = model
        self._recogniser: Recogniser | None = None
        self._does_not_load = False

    def start(self) -> None:
        """Look for a model that is not the catalogue's. Raises WhisperFolderError where there is none.

        It is loaded for the first doubtful line. What fails then is logged, and lines stay as they were heard.
        """
        from models.whisper_folder import own_folder

        own_folder(self.model)

    def stop(self) -> None:
        """Let go of the weights."""
        self._recogniser = None
        self._does_not_load = False

    def memory_bytes(self) -> int:
        """The weights and what decoding one line needs beside them, once a line is heard again."""
        from models.whisper_folder import memory_bytes

        return memory_bytes(self.model, "auto")

    def looks(self, line_ids: Sequence[str]) -> dict[str, Look]:
        """Second looks at the doubtful ones among some lines, by id: those that are kept, and at most `most_lines` new ones.

        A look that another model made is made anew, or stays where no sound of its line is left. A line without sound and without a
        look has none. Never raises for what a disk or a recogniser refuses: that is logged, and the line stays as it was heard.
        """
        root = self._root
        if root is None or not line_ids:
            return {}
        found: dict[str, Look] = {}
        n_new, made_by = 0, self._made_by
        for line in self.memory.lines(ids=list(line_ids)):
            if not self.is_doubtful(line):
                continue
            look = look_files.kept(root, line.id, line.text)
            is_due = look is None or look.made_by != made_by
            if is_due and n_new < self.most_lines and not self._does_not_load and (sound := self._sound(root, line)) is not None:
                n_new += 1
                look = self._heard_again(root, line, sound, made_by) or look
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

    @property
    def _made_by(self) -> str:
        from models.whisper_folder import name_of

        return f"SecondLook {name_of(self.model)} beam {BEAM_SIZE}"

    def _sound(self, root: Path, line: LineRow) -> _Sound | None:
        return self._line_audio(root, line) or self._new_beam(root, line)

    def _heard_again(self, root: Path, line: LineRow, sound: _Sound, made_by: str) -> Look | None:
        kind, start_ns, samples, sample_rate_hz = sound
        try:
            transcript = self._transcript(line, start_ns, samples, sample_rate_hz)
        except (OSError, RuntimeError, ValueError) as error:  # CTranslate2 and CUDA raise the two last
            _log.warning("line %s cannot be heard again: %s", line.id, error)
            return None
        look = Look(line.id, line.text, line.words, line.confidence, line.text, kind, made_by, version())
        if transcript is not None and transcript.confidence >= line.confidence:
            words = tuple(WordRow(word.text, word.start_ns, word.end_ns, word.probability) for word in transcript.words)
            look = replace(look, text=transcript.text, words=words, confidence=transcript.confidence)
        try:
            look_files.keep(root, look)
        except OSError as error:
            _log.warning("line %s was heard again, and that could not be kept: %s", line.id, error)
        return look

    def _line_audio(self, root: Path, line: LineRow) -> _Sound | None:
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

    def _new_beam(self, root: Path, line: LineRow) -> _Sound | None:
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
        """The model, loaded once; one that did not load is not tried again before the next start."""
        if self._recogniser is None:
            from models.ct2_recogniser import Ct2Recogniser
            from models.recognition import WINDOW_S
            from models.whisper_folder import whisper_folder

            self._does_not_load = True
            # The search is wide at once, so there is nothing to be tried again.
            self._recogniser = Ct2Recogniser(
                whisper_folder(self.model),
                device=self.device,
                n_threads=self.n_threads,
                language=self.language,
                beam_size=BEAM_SIZE,
                padding_s=WINDOW_S,
                min_confidence=0.0,
            )
            self._does_not_load = False
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
