"""How Echoic says that it has no answer: what is missing, and the nearest thing that was heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from stages.answer.wording import Wording, bearing, clock, listed
from stages.memory.rows import LineRow
from stages.recall.answers import mean_azimuth, speaker_of
from stages.recall.own_voice import MY_NAMES
from stages.recall.question import Question
from stages.recall.reported import names_the_telling
from stages.recall.scope import Scope
from stages.recall.sides import BEARING_TOLERANCE_DEG
from stages.recall.terms import content_words, coverage, nearest, stems
from stages.recall.untranscribed import is_untranscribed

_MOST_PLACES = 3


def refusal_text(question: Question, near: LineRow | None, scope: Scope) -> str:
    """Nobody was heard on this; the nearest thing heard was that.

    Where what was heard has no words, whether somebody said it is not known.
    """
    if near is not None and is_untranscribed(near):
        return f"Nothing can be told{_on(question)}: {_lower(Wording(scope.sessions).said(near))}"
    said = nothing_answers(question) if near is not None and _names_it(question, near) else nobody_said(question)
    return f"{said} {_nearest_thing(near, scope)}"


def nothing_answers(question: Question) -> str:
    """That nothing that was heard answers, in a sentence: of what somebody did talk about."""
    words = question.text.rstrip(" ?!.")
    by = question.speaker or " and ".join(question.talkers)
    who = f"{by} {'was' if question.speaker else 'were'}" if by else ""
    return f"Nothing that {f'{who} heard saying' if who else 'was heard'} answers {_quoted(_lower(words))}."


def nobody_said(question: Question) -> str:
    """That nothing that answers was heard, in a sentence."""
    if question.attended is not None:
        return f"No conversation that fits {_quoted(question.attended.phrase)} was heard."
    if question.teller:
        about = " about that" if len(question.gist.split()) > len(content_words(question.teller)) else ""
        return f"No talker is known as {_quoted(question.teller)}, and nobody was heard telling what they said{about}."
    if question.intent in {"missed", "catch_up"} or not question.gist:
        return "Nothing that fits the question was heard."
    who = question.speaker or (f"Neither {' nor '.join(question.talkers)}" if question.talkers else "Nobody")
    verb = "was not heard" if question.speaker else "was heard"
    if question.very_words:
        return f"{who} {verb} saying {_quoted(question.very_words)}."
    if question.about_speech or question.intent == "did_anybody":
        return f"{who} {verb} talking about {_quoted(question.phrase)}."
    return f"{who} {verb} saying anything that answers {_quoted(question.phrase)}."


def nothing_settled(question: Question, near: LineRow | None, scope: Scope) -> str:
    """Nothing was agreed (about it), and where something is asked about, the nearest thing heard."""
    by = question.speaker or " and ".join(question.talkers)
    about = f" about {_quoted(question.phrase)}" if question.phrase else ""
    said = f"Nothing that {f'{by} settled' if by else 'was settled'}{about} was heard."
    return f"{said} {_nearest_thing(near, scope)}" if about else said


def nothing_settled_for_certain(question: Question) -> str:
    """That what is told about a topic is what was said, which nobody settled for certain."""
    return f"Nothing that was settled about {_quoted(question.phrase)} was heard for certain; this is what was said about it."


def not_together(question: Question, near: LineRow | None = None, scope: Scope | None = None) -> str:
    """Those between whom something is asked did not talk with each other (about it), and where there is one, the nearest thing heard."""
    about = f" about {_quoted(question.phrase)}" if question.phrase else ""
    if question.company and question.talkers[0].casefold() in MY_NAMES:
        return "Nobody was heard talking with you."
    if len(question.talkers) == 1:
        return f"{question.speaker or 'Nobody'} was {'not ' if question.speaker else ''}heard talking with {question.talkers[0]}{about}."
    said = f"{' and '.join(question.talkers)} were not heard talking with each other{about}."
    return said if scope is None else f"{said} {_nearest_thing(near, scope)}"


def nothing_heard(at: datetime | None) -> str:
    """The memory is empty, or was at that time."""
    return f"Nothing had been heard up to {clock(at)}." if at is not None else "Nothing has been heard yet: the memory is empty."


def nothing_in_time(question: Question, scope: Scope, ends_ns: Mapping[str, int]) -> str:
    """The asked time lies outside everything that was heard."""
    phrase = question.window.phrase if question.window is not None else "then"
    last = max(scope.sessions.values(), key=lambda session: session.moment(ends_ns[session.id]))
    return (
        f'Nothing was heard in the asked time ("{phrase}"). The latest recording goes from {clock(last.started_at)} to '
        f"{clock(last.moment(ends_ns[last.id]))}."
    )


def not_heard_then(speaker: str, phrase: str) -> str:
    """Somebody who is known said nothing in the asked time."""
    return f'{speaker} was not heard in the asked time ("{phrase}").'


def not_heard_there(speaker: str, azimuth_deg: float, tolerance_deg: float, lines: Iterable[LineRow]) -> str:
    """Somebody who is known said nothing within the tolerance of the asked bearing, but elsewhere: some lines of theirs that say where."""
    tracks: dict[tuple[str, str], list[LineRow]] = {}
    for line in lines:
        tracks.setdefault((line.session, line.track), []).append(line)
    places = dict.fromkeys(round(mean) % 360 for own in tracks.values() if (mean := mean_azimuth(own)) is not None)
    where = f"at {listed([str(place) for place in list(places)[:_MOST_PLACES]])} degrees"
    if tolerance_deg > BEARING_TOLERANCE_DEG:
        first, last = ((azimuth_deg + turn * tolerance_deg) % 360.0 for turn in (-1, 1))
        return f"{speaker} was heard {where}, not between {first:g} and {last:g} degrees."
    return f"{speaker} was heard {where}, not at {bearing(azimuth_deg)}."


def unknown_speaker(name: str, speakers: Sequence[str]) -> str:
    """Nobody of that name was heard."""
    guess = nearest(name, speakers)
    hint = f" Did you mean {guess}?" if guess is not None else ""
    known = f" The talkers are {', '.join(speakers)}." if speakers else " No talker has a name yet."
    return f"No talker is called {name}.{hint}{known}"


def _names_it(question: Question, near: LineRow) -> bool:
    """Whether a line has what nobody could be said to have talked about then: of a fact any of its words, of a topic all of them."""
    if question.teller:
        return names_the_telling(question, near)
    is_of_talk = question.about_speech or question.intent == "did_anybody"
    if not is_of_talk or not question.terms or question.attended is not None or question.intent in {"missed", "catch_up"}:
        return False
    asked = {name.lower() for name in (question.speaker, *question.talkers) if name is not None}
    if asked and speaker_of(near).lower() not in asked:
        return False
    named = coverage(question.terms, stems(near.text))
    return named == 1.0 if question.about_speech else named > 0.0


def _on(question: Question) -> str:
    phrase = question.attended.phrase if question.attended is not None else question.phrase
    return f" on {_quoted(phrase)}" if phrase else ""


def _nearest_thing(near: LineRow | None, scope: Scope) -> str:
    if near is None:
        return "Nothing near it was heard either."
    return f"The nearest thing heard: {_lower(Wording(scope.sessions).said(near))}"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _quoted(text: str) -> str:
    return f'"{text}"'
