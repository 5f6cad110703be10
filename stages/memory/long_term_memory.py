"""Long-term memory: what was heard, in SQLite, with a FAISS index derived from it."""

from __future__ import annotations

import contextlib
import difflib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import get_args

import numpy as np

from pipeline.packets import Event, Float32Array, Gap, Line, Tracks
from pipeline.stage import Resource
from stages.memory import line_audio, memory_settings
from stages.memory.attention.attention_store import AttentionStore
from stages.memory.bounds import Bounds
from stages.memory.disk.space import Space
from stages.memory.erasing.erasure import Erasures
from stages.memory.examining.examination import Examination, examine
from stages.memory.forgetting.question_contexts import QuestionContexts
from stages.memory.forgetting.strength_store import StrengthStore
from stages.memory.granules.granule_store import GranuleStore
from stages.memory.links.link_store import LinkStore
from stages.memory.memory_errors import MemoryDamaged, MemoryError_, MemoryFull, MemoryInUse, MemorySettingsError
from stages.memory.memory_settings import MemorySettings
from stages.memory.people import speaker_store, talker_speakers
from stages.memory.people.speaker_book import SpeakerBook
from stages.memory.people.talker_store import TalkerStore
from stages.memory.rows import EventRow, GapRow, Hit, LineRow, PositionRow, SessionRow, TrackRow, WordRow
from stages.memory.short_term_store.prototype_store import PrototypeStore
from stages.memory.short_term_store.rehearsals import Rehearsals
from stages.memory.sleeping.episode_growth import end_session
from stages.memory.sleeping.sleep_findings import SleepFindings
from stages.memory.sounds.sound_store import SoundStore
from stages.memory.tables import arrivals, row_filters, row_reader, row_writer
from stages.memory.tables.database import Database, WriterLock, translated
from stages.memory.tables.line_checks import check_event, check_lines, check_start
from stages.memory.tables.position_history import Place, PositionHistory
from stages.memory.tables.span_reader import SpanReader
from stages.memory.text_encoder import TextEncoder
from stages.memory.vectors.line_index import LineIndex
from stages.memory.vectors.vector_checks import check_vectors
from stages.memory.vectors.vector_index import IndexKind, Rows
from stages.memory.words.word_lines import lines_with
from stages.memory.words.word_search import search_words

__all__ = ["LongTermMemory", "MemoryDamaged", "MemoryError_", "MemoryFull", "MemoryInUse", "MemorySettingsError"]


class LongTermMemory(Resource):
    """Sessions, lines, events, tracks and gaps in a directory that one process writes and any number may read.

    Every call may come from any thread. What has been written is on the disk when the call returns, writing it again changes
    nothing, and a process that dies leaves everything committed and nothing half-done. `directory` "" is a memory in RAM.
    `read_only` opens without taking the writer's place. `at` in a question is a wall-clock moment: nothing that ended later is
    seen. Copies (speech that leaked into another beam) are kept, but no search finds them.

    The index kind of the writer's config wins over the one the memory had; a reader takes the memory's own.
    """

    def __init__(
        self, encoder: TextEncoder, directory: str = "", index: IndexKind = "flat", read_only: bool = False, bounds: Bounds | None = None
    ) -> None:
        self.encoder = encoder
        self.directory = directory
        self.index: IndexKind = index
        self.read_only = read_only
        self.session = ""
        self._root = Path(directory) if directory else None
        self._database = Database(self._root / "memory.sqlite" if self._root else None, read_only=read_only)
        self._lock: WriterLock | None = None
        self._index: LineIndex | None = None
        self._positions = PositionHistory()
        self.spans = SpanReader(self._database)
        self.sounds = SoundStore(self._database, self._writing_to)
        self.speakers = SpeakerBook(self._database)
        self.attention = AttentionStore(self._database)
        self.talkers = TalkerStore(self._database, self._writing_to)
        self.links = LinkStore(self._database)
        self.findings = SleepFindings(self._database)
        self.strengths = StrengthStore(self._database, self._root, self.links)
        self.contexts = QuestionContexts(self._root)
        self.prototypes = PrototypeStore(self._database, self._writing_to)
        self.rehearsals = Rehearsals()
        self.granules = GranuleStore(self._database, self._opened, encoder.encode)
        self.erasures = Erasures(self._database, self._root, self._opened, self.granules)
        self.space = Space(self._database, self._root, bounds, lambda: self._index.ram_bytes if self._index else 0)

    def start(self) -> None:
        """Open the memory, making it where there is none.

        Raises MemoryInUse (another process writes to it), MemorySettingsError (another encoder, or a newer version), MemoryFull,
        MemoryDamaged, or MemoryError_ where it cannot be opened.
        """
        if self._index is not None:
            return
        kind = self.index
        try:
            if self._root is not None:
                kind = self._open_directory(self._root)
            index = LineIndex(self._database, self._root / "index" if self._root else None, kind, self.encoder.dimension)
            self._database.open()
            with self._database.reading() as connection:
                switched_to = row_reader.switched_to(connection)
            if switched_to not in (None, (self.encoder.name, self.encoder.dimension)):
                raise MemorySettingsError(
                    f"memory {self._database.where}: encoding it anew for {switched_to} was cut short in its last step;"
                    f" `echoic reindex --memory {self._database.where} --config CONFIG` ends it"
                )
            self._index = index
            if not self.read_only:
                with self._database.writing() as connection:
                    row_writer.drop_torn_events(connection)
                self.erasures.finish()
        except BaseException:
            self._close()
            raise

    def stop(self) -> None:
        """Write what is still in RAM and close the memory."""
        index = self._index
        if index is None:
            return
        try:
            if not self.read_only:
                if self.session:
                    self.set_passed(self.session, 0)
                index.close()
        finally:
            self._close()

    def memory_bytes(self) -> int:
        """The index in RAM grows with the memory; it is on the host, not on the device."""
        return 0

    # -- writing

    def begin_session(self, row: SessionRow) -> None:
        """Make a session, or go on with one that was cut short: it is the one that writes go to."""
        check_start(row.id, row.started_at)
        if not row.id or "/" in row.id or row.id.startswith("."):
            raise MemoryError_(f"session {row.id!r}: an id may not be empty, hold '/', or begin with '.': it names a folder")
        with self._database.writing() as connection:
            row_writer.add_session(connection, row)
        self.session = row.id
        self._positions = PositionHistory()

    def correct_start(self, session: str, started_at: datetime) -> None:
        """Say when a session really began: live, that is known only when the first sample has come."""
        check_start(session, started_at)
        with self._writing_to(session) as connection:
            row_writer.correct_start(connection, session, started_at)

    def drop_empty_session(self, session: str) -> None:
        """Leave nothing of a session in which nothing was said. Raises MemoryError_ where it has lines or events."""
        with self._writing_to(session) as connection:
            row_writer.drop_empty_session(connection, session)
        self.session, self._positions = "", PositionHistory()

    def finish_session(self, session: str, duration_ns: int) -> None:
        """The session has been heard to its end: its events become episodes and days."""
        with self._writing_to(session) as connection:
            connection.execute("UPDATE sessions SET complete = 1, duration_ns = ? WHERE id = ?", (duration_ns, session))
            talker_speakers.settle_talkers(connection, session)
            speaker_store.settle(connection, session)
            end_session(connection, session, duration_ns)
        self.tend_index()

    def passed_ns(self, session: str) -> int:
        """The session time before which every line that ended is stored: where to go on after a crash."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT passed_ns FROM sessions WHERE id = ?", (session,)).fetchone()
        return int(row[0]) if row else 0

    def arrivals(self, session: str) -> dict[str, int]:
        """When each line of a session that is no copy had been heard, in session time, by its id; in the order in which they came."""
        with self._database.reading() as connection:
            return arrivals.arrivals(connection, session)

    def add_lines(self, session: str, lines: Sequence[Line], passed_ns: int) -> None:
        """Store lines with their audio in one transaction, in the order of their ends. Lines that are there already stay.

        Raises MemoryFull when the disk is full; nothing of these lines is stored then.
        """
        rows = [_row(session, line, keeps_audio=self._root is not None) for line in lines]
        written: list[str] = []
        audio: dict[str, int] = {}
        vectors = np.stack([line.embedding for line in lines]) if lines else np.zeros((0, self.encoder.dimension), dtype=np.float32)
        try:
            if self._root is not None:
                known = {row.id for row in self.lines(ids=[row.id for row in rows], copies=True)}
                with translated(self._database.where):
                    for line, row in zip(lines, rows, strict=True):
                        if row.clip and row.id not in known:
                            written.append(row.clip)
                            audio[row.id] = line_audio.save(
                                self._root, row.clip, line.transcript.utterance.samples, line.transcript.utterance.sample_rate_hz
                            )
                    if written:
                        line_audio.sync_folder((self._root / written[0]).parent)
            heard = zip(rows, lines, strict=True)
            voices = {row.id: line.transcript.voice for row, line in heard if line.transcript.voice is not None}
            talkers = {row.id: line.transcript.talker for row, line in zip(rows, lines, strict=True) if line.transcript.talker is not None}
            self.add_rows(session, rows, vectors, passed_ns, voices, talkers, audio)
        except BaseException:
            if self._root is not None:
                line_audio.remove(self._root, written)
            raise

    def add_rows(
        self,
        session: str,
        rows: Sequence[LineRow],
        vectors: Float32Array,
        passed_ns: int,
        voices: Mapping[str, Float32Array] | None = None,
        talkers: Mapping[str, int] | None = None,
        audio: Mapping[str, int] | None = None,
    ) -> None:
        """Store lines that have no audio of their own; `vectors` is float32, shape (len(rows), dimension), of unit length.

        A row's `speaker` names its track where the track has no name yet. With `voices` (float32, shape (192,) or (256,), by line
        id; empty where nobody has looked), every line gets a speaker of its own, by voice and place; `talkers` says whose lines belong
        together, as in `Transcript.talker`, `audio` is the CRC-32 of files written for them. Raises MemoryError_ for vectors
        and voices of another shape, or with numbers that are not finite; nothing of these lines is stored then.
        """
        check_lines(session, rows)
        check_vectors(session, "vectors", vectors, (len(rows), self.encoder.dimension))
        for line, voice in (voices or {}).items():
            n_numbers = len(voice) if len(voice) in speaker_store.VOICE_SIZES else speaker_store.VOICE_SIZES[0]
            check_vectors(session, f"the voice of line {line}", voice, (n_numbers,))
        with self._writing_to(session) as connection:
            added = set(row_writer.add_lines(connection, session, rows, vectors, audio))
            if voices is not None:
                speaker_store.place(connection, session, [row for row in rows if row.id in added], voices, talkers)
            row_writer.set_passed(connection, session, passed_ns)

    def add_event(self, session: str, event: Event) -> None:
        """Store an event and set the event of its lines. An event of the same name is replaced."""
        self.add_events(session, [event])

    def add_events(self, session: str, events: Iterable[Event]) -> None:
        """Store events in one transaction.

        `extra["end_ns"]` is when the last words ended, where the packet lasts longer; `extra["parts"]` names the events that an
        episode is made of.
        """
        with self._writing_to(session) as connection:
            for event in events:
                check_event(session, event, self.encoder.dimension)
                row_writer.add_event(connection, session, event)

    def add_gap(self, session: str, gap: Gap) -> None:
        """Note a stretch that was lost."""
        with self._writing_to(session) as connection:
            row_writer.add_gap(connection, GapRow(session, gap.pts_ns, gap.end_ns, gap.reason))

    def add_tracks(self, session: str, tracks: Tracks) -> None:
        """Note where the tracks are. Only moves are kept, and they reach the disk with the next lines or position."""
        if session == self.session:
            self._positions.add(tracks)

    def name_tracks(self, session: str, speakers: Mapping[str, str | None]) -> None:
        """Say who speaks on which track; a name that is there already stays."""
        with self._writing_to(session) as connection:
            row_writer.name_tracks(connection, session, speakers)

    def set_passed(self, session: str, passed_ns: int) -> None:
        """Every line that ends before `passed_ns` is stored. It never goes back."""
        with self._writing_to(session) as connection:
            row_writer.set_passed(connection, session, passed_ns)

    # -- reading

    def sessions(self, *, at: datetime | None = None) -> list[SessionRow]:
        """Every session, by start; one that had not ended at that moment is as long as what was stored of it by then."""
        with self._database.reading() as connection:
            return row_reader.sessions(connection, _at_ns(at))

    def session_row(self, session: str) -> SessionRow:
        """One session. Raises MemoryError_ with the nearest ids where there is none of that id."""
        rows = {row.id: row for row in self.sessions()}
        if session not in rows:
            near = difflib.get_close_matches(session, rows, n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise MemoryError_(
                f"session {session!r} is not in this memory, which has {len(rows)} sessions{hint} `echoic sessions` lists them"
            )
        return rows[session]

    def lines(
        self,
        session: str | None = None,
        *,
        ids: Iterable[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        tracks: Iterable[str] | None = None,
        copies: bool = False,
        at: datetime | None = None,
        words: bool = True,
        most: int | None = None,
    ) -> list[LineRow]:
        """Lines that overlap a span of session time, by session start and start; without their words (a third of the time) if so asked.

        Of lines that are not given by `ids` the first `most` alone are read.
        """
        with self._database.reading() as connection:
            return row_reader.lines(connection, session, ids, start_ns, end_ns, tracks, copies, _at_ns(at), words, most)

    def events(self, session: str | None = None, *, level: str | None = "event", at: datetime | None = None) -> list[EventRow]:
        """Events of a level (None: all levels), by session start and start."""
        with self._database.reading() as connection:
            return row_reader.events(connection, session, level, _at_ns(at))

    def event(self, event_id: str, *, at: datetime | None = None) -> EventRow:
        """One event of any level. Raises MemoryError_ where there is none of that id."""
        with self._database.reading() as connection:
            row = row_reader.event(connection, event_id, _at_ns(at))
        if row is None:
            raise MemoryError_(f"event {event_id!r} is not in this memory; `echoic events` lists them")
        return row

    def tracks(self, session: str | None = None, *, at: datetime | None = None) -> list[TrackRow]:
        """Tracks, by session start and then in the order in which they were first heard."""
        with self._database.reading() as connection:
            return row_reader.tracks(connection, session, _at_ns(at))

    def positions(self, session: str, *, at: datetime | None = None) -> list[PositionRow]:
        """Where a session's tracks were, by time; a track stays where it was until its next row."""
        with self._database.reading() as connection:
            return row_reader.positions(connection, session, _at_ns(at))

    def gaps(
        self, session: str | None = None, start_ns: int | None = None, end_ns: int | None = None, *, at: datetime | None = None
    ) -> list[GapRow]:
        """Lost stretches that overlap a span of session time."""
        with self._database.reading() as connection:
            return row_reader.gaps(connection, session, start_ns, end_ns, _at_ns(at))

    def search_dense(self, vector: Float32Array, k: int, at: datetime | None = None, among: Rows | None = None) -> list[Hit]:
        """The `k` lines nearest in meaning to a vector, float32, shape (dimension,), of unit length; score is the cosine.

        `among` are rows as `rows_among` gives them. The question rehearses short-term memory.
        Raises VectorIndexError for a vector that is not finite.
        """
        found = self._opened().search(vector, k, _at_ns(at), among)
        self.rehearsals.add(vector)
        return found

    def search_words(self, query: str, k: int, at: datetime | None = None, among: Rows | None = None) -> list[Hit]:
        """The `k` lines that share the most telling words (after stemming) with a text; score is -bm25."""
        if k < 1:
            return []
        with self._database.reading() as connection:
            return [Hit(name, score) for name, score in search_words(connection, query, k, _at_ns(at), among)]

    def lines_saying(self, words: Sequence[str], *, at: datetime | None = None) -> list[LineRow]:
        """Every line, no copies, that has all of some words after stemming; without the times of its words."""
        with self._database.reading() as connection:
            ids = lines_with(connection, words, _at_ns(at))
            return row_reader.lines(connection, None, ids, None, None, None, False, _at_ns(at), False)

    def rows_among(
        self, spans: Mapping[str, tuple[int, int]] | None = None, speaker: str | None = None, *, at: datetime | None = None
    ) -> Rows | None:
        """The row numbers of the lines in spans of session time (by session) and of a speaker; None where they are many.

        A line that only just misses a span may be among them.
        """
        with self._database.reading() as connection:
            rows = None if spans is None else row_filters.rows_in_spans(connection, spans, _at_ns(at))
            theirs = None if speaker is None else row_filters.rows_of_speaker(connection, speaker, _at_ns(at))
        if rows is None or theirs is None:
            return theirs if rows is None else rows
        return np.intersect1d(rows, theirs)

    def vectors(self, line_ids: Sequence[str]) -> Float32Array:
        """Float32, shape (len(line_ids), dimension); 0 where a vector has faded. Raises MemoryError_ naming the first line not there."""
        with self._database.reading() as connection:
            found = row_reader.vectors(connection, line_ids, self.encoder.dimension)
        missing = [name for name in line_ids if name not in found]
        if missing:
            raise MemoryError_(f"line {missing[0]!r} is not in this memory")
        return np.array([found[name] for name in line_ids], dtype=np.float32).reshape(len(line_ids), self.encoder.dimension)

    def salience(self, session: str) -> dict[str, float]:
        """How much each line (by id) mattered while it was in short-term memory."""
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT id, salience FROM lines WHERE session = ? ORDER BY start_ns, n", (session,)).fetchall())

    def tend_index(self) -> None:
        """Bring the index of vectors up to date and in shape: for the end of a session, for sleep, and while much is imported.

        Searches do without; they only get slower. Mostly nothing to do; seconds at a million lines when they have doubled.
        """
        self._opened().tend()

    def check(self) -> list[str]:
        """Every broken invariant in words; an empty list when the memory is whole. What is derived is repaired on the way."""
        return list(self.examine().faults)

    def examine(self) -> Examination:
        """Check every invariant, repair what is derived (the writer only), and measure the stores against their bounds."""
        self.granules.attach()
        return examine(self._database, self._root, self._opened(), self.encoder.dimension, self.space)

    # -- inside

    @contextlib.contextmanager
    def _writing_to(self, session: str) -> Iterator[sqlite3.Connection]:
        """One transaction on a session that exists; places of its tracks that wait go along."""
        places: frozenset[Place] = frozenset()
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session,)).fetchone() is None:
                raise MemoryError_(f"session {session!r} is not in this memory; begin_session makes it")
            if session == self.session:
                places = self._positions.store(connection, session)
            yield connection
        self._positions.stored(places)

    def _open_directory(self, root: Path) -> IndexKind:
        """Take the writer's place, and agree on settings; the kind of index to use."""
        if not self.read_only:
            with translated(str(root)):
                root.mkdir(parents=True, exist_ok=True)
                self._lock = WriterLock(root)
                self._lock.take()
        found = memory_settings.load(root)
        if found is not None:
            memory_settings.check_encoder(found, self.encoder.name, self.encoder.dimension, root)
            if self.read_only or found.index == self.index:
                return _index_kind(found.index, root)
        elif self.read_only:
            return self.index
        with translated(str(root)):
            MemorySettings(self.encoder.name, self.encoder.dimension, self.index).save(root)
        return self.index

    def _close(self) -> None:
        self._index = None
        self._database.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _opened(self) -> LineIndex:
        if self._index is None:
            raise MemoryError_(f"memory {self._database.where}: it is not open")
        return self._index


def _row(session: str, line: Line, *, keeps_audio: bool) -> LineRow:
    transcript = line.transcript
    track = transcript.utterance.track
    return LineRow(
        id=f"{session}-{transcript.key}",
        session=session,
        track=track.name,
        start_ns=line.pts_ns,
        end_ns=transcript.spoken_end_ns,
        azimuth_deg=track.azimuth_deg,
        elevation_deg=track.elevation_deg,
        speaker=None,
        text=transcript.text,
        words=tuple(WordRow(word.text, word.start_ns, word.end_ns, word.probability) for word in transcript.words),
        confidence=transcript.confidence,
        language=transcript.language,
        copy_of=transcript.copy_of,
        clip=line_audio.clip_path(session, transcript.key) if keeps_audio and len(transcript.utterance.samples) else None,
        clip_start_ns=transcript.utterance.audio_pts_ns,
        heard_ns=line.end_ns if line.end_ns != transcript.spoken_end_ns else None,
    )


def _index_kind(found: str, root: Path) -> IndexKind:
    known: dict[str, IndexKind] = {kind: kind for kind in get_args(IndexKind)}
    if found not in known:
        raise MemorySettingsError(f"{root / 'memory.yaml'}: index {found!r} is not known; allowed are {', '.join(known)}")
    return known[found]


def _at_ns(at: datetime | None) -> int | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise MemoryError_(f"at {at.isoformat()} must carry its UTC offset, like 2026-11-22T10:00+01:00")
    return row_writer.utc_ns(at)
