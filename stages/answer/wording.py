"""How times, bearings, people and quotes are said in an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pipeline.packets import NS_PER_S
from stages.memory.rows import LineRow, SessionRow
from stages.recall.answers import Stretch, mean_azimuth, speaker_of
from stages.recall.untranscribed import is_untranscribed

LONGEST_QUOTE_WORDS = 45
"""How many words of a quote an answer shows, unless it is asked for more or for less."""
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


class Wording:
    """Says things about the sessions of one memory; where there are several, it says which."""

    def __init__(self, sessions: Mapping[str, SessionRow]) -> None:
        self._sessions = sessions

    def moment(self, session: str, time_ns: int, *, on_the_clock: bool = False) -> str:
        """A time from the start of the recording, "0:42"; `on_the_clock` adds the wall-clock time."""
        row = self._sessions.get(session)
        text = offset(time_ns)
        if row is None:
            return text
        if on_the_clock or len(self._sessions) > 1:
            text += f" ({clock(row.moment(time_ns))}"
            text += f", session {session})" if len(self._sessions) > 1 else ")"
        return text

    def span(self, session: str, start_ns: int, end_ns: int) -> str:
        """A stretch of time, "0:05-0:40"."""
        text = f"{offset(start_ns)}-{offset(end_ns)}"
        return f"{text} of session {session}" if len(self._sessions) > 1 else text

    def said(self, line: LineRow, *, on_the_clock: bool = False) -> str:
        """Who said a line, when and where, and the words, if they are known: 'At 0:42, speaker-2 (210 degrees) said: "..."'."""
        opening = f"At {self.moment(line.session, line.start_ns, on_the_clock=on_the_clock)}, {person(line)}"
        if is_untranscribed(line):
            return f"{opening} spoke; the words were not transcribed."
        return f"{opening} {'asked' if line.text.rstrip().endswith('?') else 'said'}: {quote(line.text)}"

    def corrected(self, line: LineRow) -> str:
        """What goes on a quote that a later line took back, with that line."""
        return f" That was taken back: at {self.moment(line.session, line.start_ns)}, {person(line)} corrected it: {quote(line.text)}"

    def sounding_like(self, lines: Sequence[LineRow], *, quoted: bool) -> str:
        """What is told of lines of which it is not certain that they name what was asked for; the first is shown if it was not `quoted`."""
        shown = "." if quoted else f": {quote(lines[0].text)}"
        times = listed([self.moment(line.session, line.start_ns) for line in lines])
        return f" It is not certain that it was named at {times}, where what was recognised sounds like it{shown}"


def offset(time_ns: int) -> str:
    """Minutes and seconds, and hours where there are any."""
    total = time_ns // NS_PER_S
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def clock(moment: datetime) -> str:
    """A wall-clock time with its day."""
    return f"{moment:%H:%M:%S} on {moment.day} {moment:%B %Y}"


def person(line: LineRow) -> str:
    """A speaker with the bearing: "speaker-2 (210 degrees)"."""
    return speaker_of(line) if line.azimuth_deg is None else f"{speaker_of(line)} ({bearing(line.azimuth_deg)})"


def bearing(azimuth_deg: float) -> str:
    """A bearing in whole degrees."""
    return f"{round(azimuth_deg) % 360} degrees"


def people(stretch: Stretch) -> str:
    """Everybody who spoke in a stretch, where they were first, the one who spoke most first.

    "at 210 degrees speaker-2", "at 210 and 265 degrees two people (speaker-2 and Anna)"; without bearings "two people (...)".
    """
    said: dict[str, list[LineRow]] = {}
    for line in stretch.lines:
        said.setdefault(speaker_of(line), []).append(line)
    # By who spoke, not by track: at one microphone all talkers share one.
    names = sorted(said, key=lambda name: (-sum(line.end_ns - line.start_ns for line in said[name]), name))
    azimuths = [mean_azimuth(said[name]) for name in names]
    degrees = list(dict.fromkeys(str(round(azimuth) % 360) for azimuth in azimuths if azimuth is not None))
    where = f"at {listed(degrees)} degrees " if degrees else ""
    if len(names) == 1:
        return f"{where}{names[0]}"
    return f"{where}{_COUNTS.get(len(names), str(len(names)))} people ({listed(names)})"


def names(stretch: Stretch, most: int) -> str:
    """Everybody who spoke in a stretch by name; where they are more than `most`, how many they are."""
    who = list(dict.fromkeys(speaker_of(line) for line in stretch.lines))
    return listed(who) if len(who) <= most else f"{_COUNTS.get(len(who), str(len(who)))} people"


def bearings(stretches: Sequence[Stretch]) -> str:
    """The bearings of everybody in some stretches, in rising order: "30 and 75 degrees"; empty where there are none."""
    lines: dict[tuple[str, str], list[LineRow]] = {}
    for stretch in stretches:
        for line in stretch.lines:
            lines.setdefault((line.session, line.track), []).append(line)
    found = sorted({round(azimuth) % 360 for own in lines.values() if (azimuth := mean_azimuth(own)) is not None})
    return f"{listed([str(azimuth) for azimuth in found])} degrees" if found else ""


def listed(names: Sequence[str]) -> str:
    """Names in a row: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


def quote(text: str, most_words: int = LONGEST_QUOTE_WORDS) -> str:
    """Words as they were heard, in quotation marks; a very long line is cut with an ellipsis."""
    words = text.split()
    shown = " ".join(words[:most_words]) + (" ..." if len(words) > most_words else "")
    return '"' + shown.replace('"', "'") + '"'
