"""Transcripts in files: JSON lines, WebVTT and SubRip, read whole and checked before anything is kept."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.packets import NS_PER_S, nanoseconds
from stages.memory.rows import WordRow
from stages.memory.tables.line_checks import is_text


class TranscriptFileError(ValueError):
    """A transcript file that cannot be read; the message says in which line, and what would be right."""


@dataclass(frozen=True)
class SpokenText:
    """One utterance of a transcript file, times as they stand there. `place` is its line number in the file."""

    place: int
    start_ns: int
    end_ns: int
    text: str
    speaker: str | None = None
    azimuth_deg: float | None = None
    track: str | None = None
    words: tuple[WordRow, ...] = ()


_TIMES = re.compile(r"^\s*(\S+)\s+-->\s+(\S+)(\s.*)?$")
_TIME = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})$")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_TAG = re.compile(r"<[^>]*>")
_TRACK = re.compile(r"^[A-Za-z0-9_.-]{1,40}$")
_LONGEST_S = 10**9
_JSON_FORM = '{"start_s": 1.5, "end_s": 3.2, "speaker": "Ann", "text": "..."}'


def read_transcript(path: Path) -> list[SpokenText]:
    """Every utterance of a file, in the order of their ends; the kind of file is told by its name.

    Utterances without words, and copies (`copy_of`) in JSON lines, are left out. Raises TranscriptFileError.
    """
    parsers: dict[str, Callable[[str, Path], Iterator[SpokenText]]] = {".jsonl": _json_lines, ".vtt": _cues, ".srt": _cues}
    parser = parsers.get(path.suffix.lower())
    if parser is None:
        raise TranscriptFileError(f"{path}: a transcript must be a .jsonl, .vtt or .srt file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise TranscriptFileError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TranscriptFileError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    found = [entry for entry in parser(text, path) if entry.text]
    if not found:
        raise TranscriptFileError(f"{path}: there is not one utterance in it")
    return sorted(found, key=lambda entry: (entry.end_ns, entry.start_ns, entry.place))


def _json_lines(text: str, path: Path) -> Iterator[SpokenText]:
    for place, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{path}, line {place}"
            try:
                row = json.loads(line)
            except RecursionError as error:
                raise TranscriptFileError(f"{where}: nested too deeply; each line is like {_JSON_FORM}") from error
            except ValueError as error:
                raise TranscriptFileError(f"{where}: not JSON ({error}); each line is like {_JSON_FORM}") from error
            if not isinstance(row, dict):
                raise TranscriptFileError(f"{where}: found {_told(row)}; each line is like {_JSON_FORM}")
            if row.get("copy_of") is None:
                yield _spoken(row, where, place)


def _spoken(row: dict[str, Any], where: str, place: int) -> SpokenText:
    missing = [name for name in ("start_s", "end_s", "text") if name not in row]
    if missing:
        raise TranscriptFileError(f"{where}: {', '.join(missing)} missing; each line is like {_JSON_FORM}")
    start_ns, end_ns = _span(row, where)
    if not isinstance(row["text"], str):
        raise TranscriptFileError(f"{where}: text must be a string, found {_told(row['text'])}")
    speaker, track, azimuth = row.get("speaker"), row.get("track"), row.get("azimuth_deg")
    if not (speaker is None or isinstance(speaker, str)):
        raise TranscriptFileError(f"{where}: speaker must be a string or null, found {_told(speaker)}")
    if not (track is None or (isinstance(track, str) and _TRACK.match(track))):
        raise TranscriptFileError(f"{where}: track must be up to 40 letters, digits, '.', '_' or '-', or null; found {_told(track)}")
    if not (azimuth is None or (_is_number(azimuth) and 0 <= azimuth < 360)):
        raise TranscriptFileError(f"{where}: azimuth_deg must be at least 0 and below 360, or null; found {_told(azimuth)}")
    words = row.get("words") or []
    if not all(is_text(said) for said in (row["text"], speaker or "")):
        raise TranscriptFileError(f"{where}: text or speaker has half a surrogate pair, which is no character; save the file as UTF-8")
    if (
        not isinstance(words, list)
        or not all(isinstance(word, dict) and isinstance(word.get("text"), str) for word in words)
        or not is_text("".join([word["text"] for word in words]))
    ):
        raise TranscriptFileError(f'{where}: words must be a list of {{"text": "...", "start_s": 1.5, "end_s": 1.7}}')
    return SpokenText(
        place=place,
        start_ns=start_ns,
        end_ns=end_ns,
        text=row["text"].strip(),
        speaker=speaker.strip() or None if speaker else None,
        azimuth_deg=None if azimuth is None else float(azimuth),
        track=track,
        words=tuple(_word(word, where) for word in words),
    )


def _word(word: dict[str, Any], where: str) -> WordRow:
    text, start_s, end_s = word["text"], word.get("start_s"), word.get("end_s")
    # Most of a file is words, and nearly all of them are like this; `_span` says what is wrong with the others.
    if type(start_s) is float and type(end_s) is float and 0.0 <= start_s <= end_s <= _LONGEST_S:
        return WordRow(text, round(start_s * NS_PER_S), round(end_s * NS_PER_S))
    return WordRow(text, *_span(word, f"{where}, word {text!r}"))


def _span(row: dict[str, Any], where: str) -> tuple[int, int]:
    for name in ("start_s", "end_s"):
        if not _is_number(row.get(name)) or row[name] < 0:
            raise TranscriptFileError(f"{where}: {name} must be seconds, at least 0; found {_told(row.get(name))}")
        if row[name] > _LONGEST_S:
            raise TranscriptFileError(f"{where}: {name} must be at most {_LONGEST_S} seconds (31 years); found {_told(row[name])}")
    if row["end_s"] < row["start_s"]:
        raise TranscriptFileError(f"{where}: end_s {row['end_s']} is before start_s {row['start_s']}")
    return nanoseconds(row["start_s"]), nanoseconds(row["end_s"])


def _cues(text: str, path: Path) -> Iterator[SpokenText]:
    """Cues of WebVTT (https://www.w3.org/TR/webvtt1/) and SubRip: a line with two times, then lines of text up to an empty one."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if path.suffix.lower() == ".vtt" and not rows[0].startswith("WEBVTT"):
        raise TranscriptFileError(f"{path}, line 1: a .vtt file begins with WEBVTT, found {_told(rows[0])}")
    place = 0
    while place < len(rows):
        row = rows[place]
        place += 1
        if "-->" not in row:
            if row.startswith(("NOTE", "STYLE", "REGION")) and path.suffix.lower() == ".vtt":
                while place < len(rows) and rows[place].strip():
                    place += 1
            continue
        where, begin = f"{path}, line {place}", place
        times = _TIMES.match(row)
        if times is None:
            raise TranscriptFileError(f"{where}: expected two times like 00:01:02.500 --> 00:01:04.000, found {_told(row)}")
        start_ns, end_ns = (_time_ns(times.group(part), where) for part in (1, 2))
        if end_ns < start_ns:
            raise TranscriptFileError(f"{where}: the cue ends before it starts: {row.strip()}")
        said = []
        while place < len(rows) and rows[place].strip():
            said.append(rows[place].strip())
            place += 1
        marked = " ".join(said)
        voice = _VOICE.search(marked)
        yield SpokenText(
            place=begin,
            start_ns=start_ns,
            end_ns=end_ns,
            text=html.unescape(_TAG.sub("", marked)).strip(),
            speaker=html.unescape(voice.group(1)).strip() if voice else None,
        )


def _time_ns(text: str, where: str) -> int:
    found = _TIME.match(text)
    if found is None:
        raise TranscriptFileError(f"{where}: expected a time like 00:01:02.500, found {_told(text)}")
    hours, minutes, whole_s, thousandths = (int(part or 0) for part in found.groups())
    if hours * 3600 > _LONGEST_S:
        raise TranscriptFileError(f"{where}: {text} is more than 31 years after the beginning")
    return (((hours * 60 + minutes) * 60 + whole_s) * 1000 + thousandths) * 10**6


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _told(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
