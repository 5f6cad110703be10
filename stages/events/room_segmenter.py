"""The lines of a whole room, cut into the stretches of each of its conversations: a pure state machine."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from stages.events.conversations import Conversations, Group
from stages.events.segmenter import Segmenter
from stages.events.spoken_line import SpokenLine, Stretch

_CONTEXT_LINES = 40
_EVERYBODY: Group = frozenset()
_log = logging.getLogger("echoic.events")


class RoomSegmenter:
    """Keeps a segmenter for each conversation and gives back stretches in the order in which their ends became known.

    `make(reason)` makes a segmenter; with `apart` False the whole room is one conversation. When it turns out that people
    talk with others than was thought, lines that are in no stretch yet move to the conversation they belong to.
    """

    def __init__(self, make: Callable[[str], Segmenter], *, apart: bool = True) -> None:
        self._make = make
        self._conversations = Conversations() if apart else None
        self._segmenters: dict[Group, Segmenter] = {}
        self._context: deque[SpokenLine] = deque(maxlen=_CONTEXT_LINES)
        self._passed_ns = 0
        self._heard_ns = 0
        self._told_ns = 0
        self._begun = False

    @property
    def open_lines(self) -> list[SpokenLine]:
        """Lines that belong to no stretch yet."""
        return sorted((line for segmenter in self._segmenters.values() for line in segmenter.open_lines), key=_line_order)

    def prime(self, line: SpokenLine) -> None:
        """Let a line that already stands in a stretch count as context: for going on after a crash."""
        self._begun = True
        line = _usable(line)
        self._context.append(line)
        if self._conversations is not None:
            self._conversations.take(line)

    def take(self, line: SpokenLine) -> list[Stretch]:
        """Take in a line; lines come in the order of their ends.

        One that comes late (a clock went back) is taken as it comes, and stretches still leave in order. A vector that is not
        finite says nothing about the topic and is warned of.
        """
        line = _usable(line)
        self._heard_ns = max(self._heard_ns, line.end_ns)
        ended = self.passed(line.end_ns)
        groups: tuple[Group, ...] = (_EVERYBODY,)
        group = _EVERYBODY
        if self._conversations is not None:
            self._conversations.take(line)
            groups, group = self._conversations.groups, self._conversations.group_of(line.track)
        now = self._regrouped(groups)
        if group not in self._segmenters:
            self._segmenters[group] = self._fresh(group)
        now += self._segmenters[group].take(line)
        # After people have been grouped anew, silence may show that was not there before.
        now += [stretch for segmenter in self._segmenters.values() for stretch in segmenter.passed(line.end_ns)]
        return ended + self._known(now, self._passed_ns)

    def hear(self, label: str) -> None:
        """A sound that is not speech was heard: by everybody in the room."""
        for segmenter in self._segmenters.values():
            segmenter.hear(label)

    def passed(self, pts_ns: int) -> list[Stretch]:
        """No line that ends before `pts_ns` will come any more: what silence has ended."""
        ended = [stretch for segmenter in self._segmenters.values() for stretch in segmenter.passed(pts_ns)]
        known = self._known(ended, self._passed_ns)
        self._passed_ns = max(self._passed_ns, pts_ns)
        return known

    def promise(self, pts_ns: int) -> int:
        """The time before which no stretch will be closed any more, when no line that ends before `pts_ns` will come."""
        return min(pts_ns, max(self._heard_ns, self._told_ns)) if self.open_lines else pts_ns

    def end(self) -> list[Stretch]:
        """Everything that is open, at the end of the session: it counts as closed with the last line, whatever has been passed since."""
        now_ns = max(self._heard_ns, self._told_ns)
        ended = [stretch for segmenter in self._segmenters.values() for stretch in segmenter.end(now_ns)]
        self._segmenters = {}
        return self._known(ended, now_ns)

    def _known(self, ended: Iterable[Stretch], least_ns: int) -> list[Stretch]:
        stretches = [replace(stretch, closed_ns=max(stretch.closed_ns, least_ns)) for stretch in ended]
        stretches.sort(key=lambda stretch: (stretch.closed_ns, stretch.end_ns, stretch.lines[0].key))
        for stretch in stretches:
            self._context.extend(stretch.lines)
            self._told_ns = max(self._told_ns, stretch.closed_ns)
        return stretches

    def _regrouped(self, groups: tuple[Group, ...]) -> list[Stretch]:
        """Give open lines to the conversations as they are seen now; what ended on the way."""
        stale = [segmenter for group, segmenter in self._segmenters.items() if group not in groups]
        if not stale:
            return []
        kept = {group: segmenter for group, segmenter in self._segmenters.items() if group in groups}
        moving = sorted((line for segmenter in stale for line in segmenter.open_lines), key=_line_order)
        self._segmenters = kept
        ended: list[Stretch] = []
        for group in groups:
            mine = [line for line in moving if line.track in group]
            if not mine:
                continue
            moving = [line for line in moving if line.track not in group]
            before = kept.get(group)
            # A conversation that has later lines already is told anew from its first open line.
            lines = sorted([*mine, *(before.open_lines if before else ())], key=_line_order)
            self._segmenters[group] = fresh = self._fresh(group, [*stale, *([before] if before else [])], lines[0])
            for line in lines:
                ended += fresh.take(line)
        for segmenter in stale:
            # Lines of people who are no longer known: they went long ago.
            left = [line for line in segmenter.open_lines if line in moving]
            if left:
                ended.append(Stretch(tuple(left), segmenter.reason, segmenter.surprise, left[-1].end_ns))
        return ended

    def _fresh(self, group: Group, old: Iterable[Segmenter] = (), first: SpokenLine | None = None) -> Segmenter:
        """A segmenter for a conversation, with what its people said before as context."""
        segmenter = self._make("another conversation begins" if self._begun else "the session begins")
        self._begun = True
        for before in old:
            if first is not None and before.open_lines and before.open_lines[0].key == first.key:
                # The open stretch goes on, in other company.
                segmenter.reason, segmenter.surprise = before.reason, before.surprise
        for line in sorted(self._context, key=_line_order):
            if group == _EVERYBODY or line.track in group:
                segmenter.prime(line)
        return segmenter


def _line_order(line: SpokenLine) -> tuple[int, str]:
    return line.end_ns, line.key


def _usable(line: SpokenLine) -> SpokenLine:
    """The line as it is, or without what cannot be used of it."""
    if not np.isfinite(line.vector).all():
        _log.warning("line %s of %s has a vector that is not finite: it counts without its meaning", line.key, line.track)
        line = replace(line, vector=np.zeros_like(line.vector))
    if not 0.0 <= line.confidence <= 1.0:
        line = replace(line, confidence=min(1.0, max(0.0, line.confidence)) if line.confidence == line.confidence else 0.0)
    return line
