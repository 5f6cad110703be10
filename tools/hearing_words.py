"""How many words are wrong: per talker, and over a whole session (cpWER, tcpWER), after Whisper's English text normaliser."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

Row = dict[str, Any]
COLLAR_S = 5.0


@cache
def _normaliser() -> Any:
    from whisper.normalizers import EnglishTextNormalizer

    with warnings.catch_warnings():
        # It leaves a file to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        return EnglishTextNormalizer()


@cache
def _meeteval() -> Any:
    # It takes the length of a line for that of a word, and warns.
    logging.getLogger("preprocess").setLevel(logging.ERROR)
    return importlib.import_module("meeteval")  # it has no types


def normal(text: str) -> str:
    """A text as it is scored: lower case, no punctuation, numbers as digits, contractions spelled out."""
    return str(_normaliser()(text))


@dataclass(frozen=True)
class WordError:
    """Wrong words of how many. `rate` is nan where nothing was said."""

    n_wrong: int
    n_words: int
    n_inserted: int = 0
    n_deleted: int = 0

    @property
    def rate(self) -> float:
        """Wrong words by said words."""
        return self.n_wrong / self.n_words if self.n_words else float("nan")

    def __add__(self, other: WordError) -> WordError:
        return WordError(
            self.n_wrong + other.n_wrong,
            self.n_words + other.n_words,
            self.n_inserted + other.n_inserted,
            self.n_deleted + other.n_deleted,
        )


def word_error(said: str, heard: str) -> WordError:
    """The word error of one text against another."""
    import jiwer

    said, heard = normal(said), normal(heard)
    if not said.split():
        return WordError(len(heard.split()), 0, len(heard.split()))
    measured = jiwer.process_words(said, heard)
    n_wrong = measured.substitutions + measured.insertions + measured.deletions
    return WordError(n_wrong, len(said.split()), measured.insertions, measured.deletions)


def in_order(rows: Iterable[Row]) -> str:
    """The text of lines, by start."""
    return " ".join(row["text"] for row in sorted(rows, key=lambda row: (row["start_s"], row["end_s"])))


def _segments(rows: Sequence[Row], who: str) -> Any:
    said = [(row, normal(row["text"])) for row in rows]
    return _meeteval().io.SegLST(
        [
            {
                "session_id": "scene",
                "speaker": str(row.get("speaker") or row["track"]) if who == "speaker" else str(row["track"]),
                "start_time": row["start_s"],
                "end_time": max(row["end_s"], row["start_s"] + 0.01),
                "words": text,
            }
            for row, text in said
            if text
        ]
    )


def session_error(truth: Sequence[Row], heard: Sequence[Row], who: str = "speaker", timed: bool = False) -> WordError:
    """cpWER: every talker's words in order against one stream of the memory each, the best permutation (tcpWER where `timed`).

    `who` says what a stream is: a "speaker" (the track where a line has none) or a "track".
    """
    rates = _meeteval().wer
    said, streams = _segments(truth, "track"), _segments(heard, who)
    n_words = sum(len(normal(row["text"]).split()) for row in truth)
    if not len(streams):
        return WordError(n_words, n_words, 0, n_words)
    if timed:
        rate = rates.time_constrained_minimum_permutation_word_error_rate(said, streams, collar=COLLAR_S)
    else:
        rate = rates.cp_word_error_rate(said, streams)
    return WordError(int(rate.errors), int(rate.length), int(rate.insertions), int(rate.deletions))
