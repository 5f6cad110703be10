from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Float32Array
from stages.memory import memory_settings
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.memory_errors import MemoryError_, MemorySettingsError
from stages.memory.memory_settings import MemorySettings
from stages.memory.vectors import reencoding
from stages.memory.vectors.reencoding import reencode
from tests.stages.memory.made import ENCODER, event, line, session_row

N_LINES = 600


class OtherWords(HashedWords):
    """Another encoder, which may fail after so many texts."""

    name = "other-words"

    def __init__(self, most: int = 10**9, broken: bool = False) -> None:
        super().__init__(64)
        self.most = most
        self.broken = broken
        self.n_encoded = 0

    def encode(self, texts: Sequence[str]) -> Float32Array:
        self.n_encoded += len(texts)
        if self.n_encoded > self.most:
            raise KeyboardInterrupt
        vectors = super().encode(texts)
        return vectors * np.float32(np.nan) if self.broken else vectors


@pytest.fixture
def root(tmp_path: Path) -> Path:
    memory = LongTermMemory(ENCODER, str(tmp_path), index="ivf_sq8")
    memory.start()
    memory.begin_session(session_row())
    lines = [line(f"words of line{number}", number, audio_s=0.0) for number in range(N_LINES)]
    memory.add_lines("s1", lines, N_LINES * NS_PER_S)
    memory.add_event("s1", event("e1", lines[:3]))
    memory.finish_session("s1", N_LINES * NS_PER_S)
    memory.stop()
    return tmp_path


def found(root: Path, encoder: HashedWords, text: str) -> str:
    memory = LongTermMemory(encoder, str(root), index="ivf_sq8")
    memory.start()
    hit = memory.search_dense(encoder.encode([text])[0], 1)[0]
    assert memory.check() == []
    memory.stop()
    return hit.line


def test_a_memory_goes_over_to_another_encoder_and_back(root: Path) -> None:
    with pytest.raises(MemorySettingsError, match=f"echoic reindex --memory {root} --config CONFIG"):
        found(root, OtherWords(), "words of line77")
    told: list[tuple[int, int]] = []
    report = reencode(root, OtherWords(), "ivf_sq8", lambda done, total: told.append((done, total)))
    assert report is not None
    assert (report.n_lines, report.n_encoded, report.n_events) == (N_LINES, N_LINES, 3)
    assert told[0] == (0, N_LINES)
    assert told[-1] == (N_LINES, N_LINES)
    assert found(root, OtherWords(), "words of line77").endswith("00077000")
    with sqlite3.connect(root / "memory.sqlite") as connection:
        assert {row[0] for row in connection.execute("SELECT length(vector) FROM events")} == {256}
        assert connection.execute("SELECT count(*) FROM vector_removals").fetchone() == (0,)
    connection.close()
    assert reencode(root, OtherWords(), "ivf_sq8") is None
    assert reencode(root, ENCODER, "flat") is not None
    assert found(root, ENCODER, "words of line78").endswith("00078000")


def test_a_run_that_was_cut_short_is_taken_up_and_the_memory_stays_as_it_was(root: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        reencode(root, OtherWords(most=300), "ivf_sq8")
    assert found(root, ENCODER, "words of line77").endswith("00077000")
    report = reencode(root, OtherWords(), "ivf_sq8")
    assert report is not None
    assert (report.n_lines, report.n_encoded) == (N_LINES, N_LINES - 256)


def test_a_crash_in_the_last_step_is_told_and_ended(root: Path) -> None:
    reencode(root, OtherWords(), "ivf_sq8")
    MemorySettings(ENCODER.name, ENCODER.dimension, "ivf_sq8").save(root)
    with pytest.raises(MemorySettingsError, match="was cut short in its last step"):
        found(root, ENCODER, "words of line77")
    assert reencode(root, OtherWords(), "ivf_sq8") is None
    settings = memory_settings.load(root)
    assert settings is not None
    assert settings.encoder == "other-words"
    assert found(root, OtherWords(), "words of line77").endswith("00077000")


def test_vectors_that_are_not_numbers_change_nothing(root: Path) -> None:
    with pytest.raises(MemoryError_, match="the memory stays as it was"):
        reencode(root, OtherWords(broken=True), "ivf_sq8")
    assert found(root, ENCODER, "words of line77").endswith("00077000")


def test_where_there_is_no_memory_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(MemoryError_, match="there is no memory here yet"):
        reencoding.reencode(tmp_path, ENCODER, "flat")
    assert list(tmp_path.iterdir()) == []
