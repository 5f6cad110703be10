"""Marks what leaked from one talker's beam into another's, so that no line is stored twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from pipeline.packets import NS_PER_S, Transcript, nanoseconds
from pipeline.stage import Emit, In, Out, Stage
from stages.speech.leaked_words import ends_unheard, find_leaks, parted
from stages.speech.ownership import OwnershipRules, owner_of
from stages.speech.setting_checks import check_range
from stages.speech.speech_errors import SpeechError

# No utterance is longer than this (Whisper's window), so what ended earlier can overlap nothing that is still to come.
_HISTORY_NS = 30 * NS_PER_S


class CopyMarker(Stage):
    """Gives a transcript `copy_of` when the same words were said at the same time on a beam that owns them.

    A transcript waits until those that overlap it on other tracks have ended. Only what ends within that time is compared, so what is
    marked does not depend on when it was told. The same words by somebody else at another time are no copy. Words that leaked into a
    line which is otherwise the talker's own are taken out of it and become a copy of their own. Of what holds the words of a copy nothing
    becomes a copy later, so no words are lost by two beams that each leave them to the other.

    Args:
        min_likeness: how alike (over 0, at most 1) words at the same time must be to be the same words.
        hold_s: how many seconds past its end a transcript waits.
        doubtful_hold_s: the same, at most 30 s, where the presence was low or ended low: a fragment that leaked out of a long utterance
            ends long before the utterance does.
        doubtful_presence: the mean presence (0 to 1) of an utterance under which it is low.

    Raises:
        SpeechError: a setting is out of its range.
    """

    transcript = In(Transcript)
    transcripts = Out(Transcript)

    def __init__(
        self,
        min_likeness: float = 0.6,
        hold_s: float = 2.0,
        doubtful_hold_s: float = 8.0,
        doubtful_presence: float = 0.45,
    ) -> None:
        if not 0 < min_likeness <= 1 or not 0 <= hold_s <= doubtful_hold_s <= 30:
            raise SpeechError(
                f"CopyMarker: min_likeness {min_likeness}, hold_s {hold_s}, doubtful_hold_s {doubtful_hold_s}: "
                "0 < min_likeness <= 1 and 0 <= hold_s <= doubtful_hold_s <= 30 are needed"
            )
        check_range("CopyMarker", 0, 1, doubtful_presence=doubtful_presence)
        self._rules = OwnershipRules(min_likeness)
        self._hold_ns = nanoseconds(hold_s)
        self._doubtful_hold_ns = nanoseconds(doubtful_hold_s)
        self._doubtful_presence = doubtful_presence
        self.delay_ns = self._doubtful_hold_ns
        self._waiting: deque[Transcript] = deque()
        self._recent: deque[Transcript] = deque()
        self._owners: list[Transcript] = []

    def on_transcript(self, transcript: Transcript) -> Iterator[Emit[Transcript]]:
        """Hold it; let go of those that nothing can overlap any more."""
        yield from self._release(transcript.end_ns)
        self._waiting.append(transcript)
        self._recent.append(transcript)

    def on_passed(self, pts_ns: int) -> Iterator[Emit[Transcript]]:
        """Let go of those that nothing can overlap any more."""
        yield from self._release(pts_ns)
        needed_ns = min([pts_ns, *(held.pts_ns for held in self._waiting)]) - _HISTORY_NS
        while self._recent and self._recent[0].end_ns < needed_ns:
            self._recent.popleft()
        self._owners = [owner for owner in self._owners if owner.end_ns >= needed_ns]

    def flush(self) -> Iterator[Emit[Transcript]]:
        """Let go of everything."""
        while self._waiting:
            yield from map(self.transcripts, self._marked(self._waiting.popleft()))
        self._recent.clear()
        self._owners.clear()

    def promise(self, pts_ns: int) -> int:
        """Nothing ends before the first one that waits."""
        return min(pts_ns, self._waiting[0].end_ns) if self._waiting else pts_ns

    def _release(self, pts_ns: int) -> Iterator[Emit[Transcript]]:
        while self._waiting and self._waiting[0].end_ns + self._hold_of(self._waiting[0]) < pts_ns:
            yield from map(self.transcripts, self._marked(self._waiting.popleft()))

    def _hold_of(self, transcript: Transcript) -> int:
        is_doubtful = transcript.utterance.presence < self._doubtful_presence or ends_unheard(transcript)
        return self._doubtful_hold_ns if is_doubtful else self._hold_ns

    def _marked(self, transcript: Transcript) -> list[Transcript]:
        """The transcript as it is; or marked; or what is its own and the words that leaked into it."""
        if any(transcript is owner for owner in self._owners):
            return [transcript]
        until_ns = transcript.end_ns + self._hold_of(transcript)
        others = [other for other in self._recent if other.end_ns <= until_ns]
        owner = owner_of(transcript, others, self._rules)
        if owner is not None:
            self._owners.extend(owner.transcripts)
            return self._replaced(transcript, [replace(transcript, copy_of=owner.track)])
        leaks = find_leaks(transcript, others)
        if not leaks:
            return [transcript]
        self._owners.extend(leak.owner for leak in leaks)
        return self._replaced(transcript, parted(transcript, leaks))

    def _replaced(self, transcript: Transcript, parts: list[Transcript]) -> list[Transcript]:
        self._recent = deque(part for other in self._recent for part in (parts if other is transcript else [other]))
        return parts
