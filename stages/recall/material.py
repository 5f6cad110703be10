"""What recall found for a question: the material that an answerer makes claims of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stages.memory.rows import LineRow, SessionRow
from stages.recall.answers import Stretch


@dataclass(frozen=True)
class Found:
    """A line that retrieval brought.

    `score` is that of the search, `support` (0 to 1) says how well the line and its neighbours hold what was asked, and `named`
    (0 to 1) how many
    of the question's words fell in the line itself.

    `context` are its neighbours in the same conversation, by start, itself among them; `conversation` are the lines of its event, as far as
    they are near what was found; `talk` is what was said in its conversation before and after, over a longer
    time, where that was looked up; `taken_back` is the line that says what holds instead, where a reader found one. `misheard` says that
    what was asked for may have been said there, though what was recognised only sounds like it (`misheard.py`).
    """

    line: LineRow
    score: float
    support: float
    named: float = 0.0
    context: tuple[LineRow, ...] = ()
    conversation: tuple[LineRow, ...] = ()
    talk: tuple[LineRow, ...] = ()
    taken_back: LineRow | None = None
    misheard: bool = False


@dataclass(frozen=True)
class Material:
    """Everything an answerer may use: nothing else was heard.

    `found` are lines that support an answer, best first; `stretches` what was said in the asked time, by importance ("catch me
    up"); `attended` and
    `missed` are filled for questions about what was missed. `is_part` says that more than the stretches may be about what was asked.
    """

    found: tuple[Found, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    attended: tuple[Stretch, ...] = ()
    missed: tuple[Stretch, ...] = ()
    is_part: bool = False
    sessions: Mapping[str, SessionRow] = field(default_factory=dict)

    @property
    def lines(self) -> dict[str, LineRow]:
        """Every line of the material by id, neighbours included."""
        lines = {line.id: line for found in self.found for line in (found.line, *found.context, *found.conversation, *found.talk)}
        for stretch in (*self.attended, *self.missed, *self.stretches):
            lines.update((line.id, line) for line in stretch.lines)
        return lines

    def told_anew(self, lines: Mapping[str, LineRow]) -> Material:
        """The same material with some lines, by id, in other words."""

        def anew(line: LineRow) -> LineRow:
            return lines.get(line.id, line)

        def stretch_anew(stretch: Stretch) -> Stretch:
            return replace(stretch, lines=tuple(anew(line) for line in stretch.lines))

        def found_anew(found: Found) -> Found:
            context, conversation, talk = (tuple(map(anew, lines)) for lines in (found.context, found.conversation, found.talk))
            taken_back = None if found.taken_back is None else anew(found.taken_back)
            return replace(found, line=anew(found.line), context=context, conversation=conversation, talk=talk, taken_back=taken_back)

        return replace(
            self,
            found=tuple(map(found_anew, self.found)),
            stretches=tuple(map(stretch_anew, self.stretches)),
            attended=tuple(map(stretch_anew, self.attended)),
            missed=tuple(map(stretch_anew, self.missed)),
        )
