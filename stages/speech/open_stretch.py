"""One unbroken stretch of one track that also shows, now and then, what has been said of an utterance that has not ended."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.packets import OpenUtterance, SpeechBlock, Utterance
from stages.speech.cut_stretch import CutStretch
from stages.speech.utterance_state import UtteranceState


class OpenStretch(CutStretch):
    """A `CutStretch` that hands each look at an open utterance to `show`: at most one in `every_ns`, none where nobody has spoken since.

    Its utterances are those of a `CutStretch`: looking changes nothing.
    """

    def __init__(
        self, first: SpeechBlock, state: UtteranceState, min_presence: float, every_ns: int, show: Callable[[OpenUtterance], None]
    ) -> None:
        super().__init__(first, state, min_presence)
        self._open_state = state
        self._every_ns = every_ns
        self._show = show
        self._shown_ns: int | None = None
        self._shown_voiced = 0

    def push(self, block: SpeechBlock) -> list[Utterance]:
        """The utterances that a block ends."""
        utterances = super().push(block)
        cut = self._open_state.open_cut()
        if cut is None:
            self._shown_ns = None
            return utterances
        # The first look, too, waits for as much as the others.
        since_ns = block.end_ns - (self._grid.time_ns(cut.start) if self._shown_ns is None else self._shown_ns)
        if since_ns >= self._every_ns and cut.end > self._shown_voiced and self._is_own(cut):
            so_far = self._utterance(cut)
            # It ends with the block, not with the last voiced frame: blocks of all tracks come in the order of their ends.
            self._show(OpenUtterance(pts_ns=so_far.pts_ns, duration_ns=block.end_ns - so_far.pts_ns, so_far=so_far))
            self._shown_ns, self._shown_voiced = block.end_ns, cut.end
        return utterances
