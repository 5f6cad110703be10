"""Questions about sounds that are not speech: "Did anybody hear the alarm?", "When did the door slam?"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from stages.answer.wording import Wording, bearing, quote
from stages.memory.sounds.sound_groups import LIKENESS
from stages.memory.sounds.sound_store import SoundRow
from stages.recall.answers import Claim, Evidence
from stages.recall.question import Question
from stages.recall.scope import Scope, is_near
from stages.recall.terms import stem, stems
from stages.recall.word_lists import word_set

MOST_CLAIMS = 5
NOT_SPEECH = "(not speech)"
"""Stands where an evidence names the speaker."""

_CUE = re.compile(
    r"\b(?:hear|heard|hearing|sounds?|sounded|noises?|r[iau]ng|ring(?:s|ing)|slam(?:s|med|ming)?|knock(?:s|ed|ing)?|bang(?:s|ed|ing)?"
    r"|bark(?:s|ed|ing)?|meow(?:s|ed|ing)?|beep(?:s|ed|ing)?|buzz(?:es|ed|ing)?|laugh(?:s|ed|ing|ter)?|cough(?:s|ed|ing)?"
    r"|sneez(?:e|es|ed|ing)|clap(?:s|ped|ping)?|applau(?:se|ded|ding)|cr(?:y|ies|ied|ying)|scream(?:s|ed|ing)?|sing(?:s|ing)?|sang"
    r"|whistl(?:e|es|ed|ing)|play(?:s|ed|ing)?|go(?:es|ing)? off|went off|gone off)\b",
    re.I,
)
"""Only a question that asks for hearing, or for what only sounds do, is one about sounds: "Who has the phone?" is not."""
_ANY_SOUND = word_set("sound sounds noise noises loud")
_SOUNDING = word_set("play plays played playing happen happened make made loud noise noises sound sounds sounded")

_MEANING: tuple[tuple[str, str], ...] = (
    # part of a class's name, and what people may call such a sound
    ("phone", "phone telephone ring ringing rang rung ringtone call mobile cell"),
    ("ringtone", "phone telephone ring ringing rang rung mobile cell"),
    ("alarm", "alarm beep ring ringing rang rung alert"),
    ("siren", "siren alarm"),
    ("buzzer", "buzzer buzz alarm"),
    ("beep", "beep alarm"),
    ("doorbell", "doorbell door bell ring ringing rang rung"),
    ("ding-dong", "doorbell door bell ring ringing rang rung"),
    ("bell", "bell ring ringing rang rung"),
    ("slam", "door slam bang shut close"),
    ("door", "door slam bang shut close open"),
    ("knock", "door knock bang"),
    ("laugh", "laugh laughing laughter"),
    ("giggle", "laugh laughing laughter"),
    ("chuckle", "laugh laughing laughter"),
    ("snicker", "laugh laughing laughter"),
    ("cry", "cry crying cries baby"),
    ("bark", "dog bark barking"),
    ("dog", "dog bark barking"),
    ("meow", "cat meow"),
    ("applause", "applause applaud clap clapping"),
    ("clap", "applause applaud clap clapping"),
    ("sing", "sing singing sang song"),
    ("typing", "type typing keyboard"),
    ("keyboard", "type typing keyboard"),
    ("dishes", "dishes dish plates kitchen"),
    ("glass", "glass break breaking shatter"),
    ("vacuum", "vacuum hoover"),
    ("whistl", "whistle whistling"),
)


def sounds_asked(question: Question, scope: Scope, sounds: Callable[[], Iterable[SoundRow]]) -> list[SoundRow]:
    """The sounds that a question asks about, by time; none where it does not ask about sounds, or about somebody's words.

    Every word of the question must be one for the sound: its label, its name, or what people call such a sound. A question for sounds
    or noises as such gets them all. `sounds` gives what there is; it is looked up only for a question about sounds.
    """
    if question.refusal is not None or question.attended is not None or question.about_speech or scope.speaker is not None:
        return []
    if not _CUE.search(question.text):
        return []
    asked = {term for term in question.terms if term not in {stem(word) for word in _SOUNDING}}
    if not asked and not any(word in _ANY_SOUND for word in re.findall(r"[a-z]+", question.text.lower())):
        return []
    return [sound for sound in sounds() if asked <= _words_for(sound.label) and _allows(scope, sound)]


def sound_claims(sounds: Sequence[SoundRow], scope: Scope) -> list[Claim]:
    """A claim for each sound, the surest `MOST_CLAIMS` of them, by time; the first one says how many there were where there were more."""
    surest = sorted(sounds, key=lambda sound: (-_sureness(sound), sound.session, sound.start_ns, sound.id))[:MOST_CLAIMS]
    wording = Wording(scope.sessions)
    claims: list[Claim] = []
    for sound in sounds:
        if sound in surest:
            where = "" if sound.azimuth_deg is None else f" at {bearing(sound.azimuth_deg)}"
            moment = wording.moment(sound.session, sound.start_ns, on_the_clock=True)
            more = f" (one of {len(sounds)} such sounds)" if len(sounds) > MOST_CLAIMS and not claims else ""
            claims.append(Claim(f"At {moment}, {quote(sound.label)} was heard{where}{more}.", _sureness(sound), (_evidence(sound),)))
    return claims


def _sureness(sound: SoundRow) -> float:
    """How sure it is that it was this sound: the score of its class, or for a group how alike its sounds are at least."""
    return sound.score if sound.group is None else LIKENESS


def _evidence(sound: SoundRow) -> Evidence:
    return Evidence(
        utterance=sound.id,
        session=sound.session,
        start_ns=sound.start_ns,
        end_ns=sound.end_ns,
        azimuth_deg=sound.azimuth_deg,
        speaker=NOT_SPEECH,
        text=sound.label,
    )


def _words_for(label: str) -> frozenset[str]:
    """The stems of everything that a sound may be called."""
    lower = label.lower()
    return stems(" ".join([lower, *(words for part, words in _MEANING if part in lower)]))


def _allows(scope: Scope, sound: SoundRow) -> bool:
    span = scope.spans.get(sound.session)
    if span is None or sound.end_ns <= span[0] or sound.start_ns >= span[1]:
        return False
    return scope.azimuth_deg is None or is_near(sound.azimuth_deg, scope.azimuth_deg)
