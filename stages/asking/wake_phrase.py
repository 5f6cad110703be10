"""Takes questions to Echoic out of what the room says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.packets import NS_PER_S, SpeechBlock, SpokenQuestion, Transcript, nanoseconds, seconds
from pipeline.stage import Emit, In, Out, Stage
from stages.asking.asking_errors import AskingError
from stages.asking.wake_match import question_after
from stages.memory.long_term_memory import LongTermMemory
from stages.recall.rough_sounds import sound_of
from stages.speech.speaker_clusters import Heard

_SPEECH_PROBABILITY = 0.5
_AFTER_WORDS_NS = nanoseconds(0.4)
"""A detector of speech goes on for a moment after a word; what it says within this is no new speech."""
_QUIET_NS = nanoseconds(1.0)
_LONGEST_NS = 30 * NS_PER_S
_LEAST_SOUNDS = 4


@dataclass(frozen=True)
class _Asking:
    """A question that may go on: its lines so far, its words, and when the last of them ended."""

    first: Transcript
    text: str
    end_ns: int
    spoken_end_ns: int


class WakePhrase(Stage):
    """Lines that begin with a wake phrase ("Echoic, what did I miss?") become questions and go no further, so nobody remembers them.

    A question may go on after a pause: what the same track says within `continue_s` belongs to it, and the speech tells that more is
    coming before there are words. A wake phrase behind which nothing comes asks nothing, and is not remembered either; nor are copies
    of a question that leaked into other beams. However a recogniser spells the phrase (`wake_match.py`), it helps to put it into its
    `vocabulary`. All other transcripts pass at once.

    Where the memory knows somebody named `own_speaker`, only they can ask: the line is theirs if it would be stored as theirs. While nobody
    has that name, anybody can ask, unless `anybody` is false.

    Args:
        memory: whose speakers are looked at.
        wake_phrases: how Echoic is called.
        own_speaker: the name of the user, given with `echoic speakers rename`; "" lets anybody ask, whoever is named.
        anybody: whether anybody can ask while nobody has that name.
        continue_s: the longest pause within a question, 0 to 5 s.

    Raises:
        AskingError: a setting is out of its range, or a phrase is so short that it would be heard everywhere.
    """

    speech = In(SpeechBlock)
    transcript = In(Transcript)
    questions = Out(SpokenQuestion)
    transcripts = Out(Transcript)

    def __init__(
        self,
        memory: LongTermMemory,
        wake_phrases: tuple[str, ...] = ("echoic",),
        own_speaker: str = "me",
        anybody: bool = True,
        continue_s: float = 1.2,
    ) -> None:
        short = [phrase for phrase in wake_phrases if len(sound_of("".join(filter(str.isalpha, phrase.lower())))) < _LEAST_SOUNDS]
        if not wake_phrases or short:
            told = f"at least one is needed, and each must have at least {_LEAST_SOUNDS} sounds"
            raise AskingError(f"WakePhrase: wake_phrases {list(wake_phrases)}; {told}")
        if not 0 <= continue_s <= 5:
            raise AskingError(f"WakePhrase: continue_s is {continue_s}; allowed are 0 to 5")
        self._memory = memory
        self._phrases = wake_phrases
        self._own_speaker = own_speaker
        self._anybody = anybody
        self._continue_ns = nanoseconds(continue_s)
        self._open: dict[str, _Asking] = {}
        self._spoke_until_ns: dict[str, int] = {}
        self._asked: list[_Asking] = []
        self._last_end_ns = 0

    def on_speech(self, block: SpeechBlock) -> Iterator[Emit[SpokenQuestion]]:
        """Note until when each track has spoken."""
        yield from self._let_go(block.end_ns)
        if block.probability >= _SPEECH_PROBABILITY:
            self._spoke_until_ns[block.beam.track.name] = block.end_ns

    def on_transcript(self, transcript: Transcript) -> Iterator[Emit[Transcript | SpokenQuestion]]:
        """Pass it on, or keep it as a question or as more of one."""
        yield from self._let_go(transcript.end_ns)
        track = transcript.utterance.track.name
        if transcript.copy_of is not None:
            if not self._leaked_from_question(transcript):
                yield self.transcripts(transcript)
            return
        asking = self._open.get(track)
        if asking is not None and transcript.pts_ns <= asking.spoken_end_ns + self._continue_ns:
            more = f"{asking.text} {transcript.text}".strip()
            self._open[track] = replace(asking, text=more, end_ns=transcript.end_ns, spoken_end_ns=transcript.spoken_end_ns)
            return
        if asking is not None:
            yield from self._ended(track)
        text = question_after(transcript.text, self._phrases)
        if text is None or not self._may_ask(transcript):
            yield self.transcripts(transcript)
            return
        self._open[track] = _Asking(transcript, text, transcript.end_ns, transcript.spoken_end_ns)

    def on_passed(self, pts_ns: int) -> Iterator[Emit[SpokenQuestion]]:
        """Let go of questions that are over."""
        yield from self._let_go(pts_ns)
        self._asked = [asking for asking in self._asked if asking.end_ns >= pts_ns - _LONGEST_NS]

    def flush(self) -> Iterator[Emit[SpokenQuestion]]:
        """Let go of every question."""
        for track in sorted(self._open, key=lambda name: (self._open[name].end_ns, name)):
            yield from self._ended(track)

    def promise(self, pts_ns: int) -> int:
        """Nothing ends before the first question that may go on."""
        return min([pts_ns, *(asking.end_ns for asking in self._open.values())])

    def _let_go(self, pts_ns: int) -> Iterator[Emit[SpokenQuestion]]:
        """Let go of questions that are over at a time up to which everything was told.

        Packets ask too, before anything else: what belongs to a question must not depend on how often time is told.
        """
        for track in sorted(self._open, key=lambda name: (self._open[name].end_ns, name)):
            if pts_ns >= self._over_ns(track):
                yield from self._ended(track)

    def _over_ns(self, track: str) -> int:
        """The time from which nothing more can belong to a question, as far as is known by now."""
        asking = self._open[track]
        over_ns = asking.spoken_end_ns + self._continue_ns
        spoke_until_ns = self._spoke_until_ns.get(track, 0)
        if spoke_until_ns > asking.spoken_end_ns + _AFTER_WORDS_NS:
            # Somebody speaks on: their words are there once the speech is over.
            over_ns = max(over_ns, min(spoke_until_ns + _QUIET_NS, asking.spoken_end_ns + _LONGEST_NS))
        return over_ns

    def _ended(self, track: str) -> Iterator[Emit[SpokenQuestion]]:
        asking = self._open.pop(track)
        self._asked.append(asking)
        if any(mark.isalnum() for mark in asking.text):
            # A question of another track may have ended later and left before, because this one might have gone on.
            self._last_end_ns = max(self._last_end_ns, asking.end_ns)
            start_ns = asking.first.pts_ns
            lasts_ns = self._last_end_ns - start_ns
            yield self.questions(
                SpokenQuestion(pts_ns=start_ns, duration_ns=lasts_ns, track=asking.first.utterance.track, text=asking.text)
            )

    def _leaked_from_question(self, copy: Transcript) -> bool:
        """Whether a copy is of a question: it says so itself, or it overlaps one on the track that it leaked from."""
        if question_after(copy.text, self._phrases) is not None:
            return True
        asked = [*self._asked, *self._open.values()]
        return any(
            asking.first.utterance.track.name == copy.copy_of
            and copy.pts_ns < asking.spoken_end_ns
            and copy.spoken_end_ns > asking.first.pts_ns
            for asking in asked
        )

    def _may_ask(self, transcript: Transcript) -> bool:
        """Whether whoever spoke a line may ask."""
        own = self._own_speaker.casefold()
        if not own:
            return True
        if own not in {name.casefold() for name in self._memory.speakers.names()}:
            return self._anybody
        spoken_ns = sum(word.end_ns - word.start_ns for word in transcript.words) or transcript.duration_ns
        track = transcript.utterance.track
        heard = Heard(transcript.voice, seconds(spoken_ns), track.name, track.azimuth_deg, transcript.pts_ns)
        name = self._memory.speakers.likely(self._memory.session, heard, transcript.talker)
        return name is not None and name.casefold() == own
