"""What kept the asker away in a question: "while I was at the dentist", "I was in the kitchen, what did I miss?".

Being somewhere or doing something is an absence. Where people or a talk are named that were there ("at the window with Anna", "in the
budget discussion"), they were followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from stages.recall import cues
from stages.recall.calendar_phrase import asked_time
from stages.recall.time_phrase import Moments

_JUST = r"(?:(?:just|still|only|briefly|quickly|already)\s+)*"
_STATE = (
    r"(?:(?:half|fast|sound|miles|far)\s+)?(?:away|out|off|asleep|gone|absent|sleeping|elsewhere|somewhere else|outside|inside|upstairs"
    r"|downstairs|next door|abroad|home|daydreaming|distracted(?! by)|not (?:here|there|around|listening|paying attention))\b"
)
_STAYING = r"(?:(?:busy|over|stuck|sitting|standing|waiting|lying|down|up|back|called)\s+)*"
_THERE = r"(?:at|in|on|by|near|under|behind|with|having)\s+(?:(?:the|an?|my|our|your|his|their|some)\s+)?[^\s,?.!;]+"
_NO_DOING = (
    r"(?:(?:follow|listen|hear|overhear|eavesdropp|attend|focuss?|concentrat|hav|talk|speak|chatt|discuss|debat|argu|gossip|tell|say|ask"
    r"|answer|reply|explain|jok|join|be|wonder|think|hop|go|try|mean|look|dur|someth|anyth|noth)ing|paying attention)\b"
)
_DOING = rf"(?!{_NO_DOING})[a-z]+ing\b"
_WENT = (
    r"(?:went|left|stepped|popped|nipped|ran|walked|fell asleep|dozed off|nodded off|drifted off|zoned out|slept"
    r"|had to (?:go|leave|take|answer|get|make|fetch)|took|answered)\b"
)
_AWAY = rf"(?:(?P<state>{_STATE})|{_STAYING}(?:{_THERE}|(?P<doing>{_DOING})))"
_BEING = r"(?:\s+(?:was|were|am|are|had been|have been)|'m|'ve been|'d been)\s+"
_LEFT = rf"(?:{_BEING}{_JUST}(?P<what>{_AWAY})|\s+{_JUST}(?P<went>{_WENT}))"
_MORE = r"(?P<more>[^,?.!;]*?)(?=[,?.!;]|\s+(?:and\s+)?(?:what|who|which|did)\s+(?:did|was|were|else|happened|has|have|i)\b|$)"
_WHILE = re.compile(rf"\b(?:while|when|as|whilst)\s+(?:i|we){_LEFT}{_MORE}", re.I)
_FIRST = re.compile(rf"^\W*(?:(?:so|and|well|oh|ok|okay|right|sorry|hi|hey|um|uh)\b[, ]+)*(?:i|we){_LEFT}{_MORE}[,.;!]", re.I)
"""Said before the question: "I was in the kitchen, what did I miss?"."""
_FOR_SO_LONG = re.compile(
    r"\s*\bfor (?:about |around |just |only )?"
    r"(?:a|an|one|two|three|four|five|ten|fifteen|twenty|half an?|\d+|some)"
    r"(?: (?:few|couple of|little|quick|bit|good|short|long))*"
    r"(?: (?:seconds?|secs?|minutes?|mins?|moments?|hours?|while|bit|time))?(?=\W|$)",
    re.I,
)
_TALK = re.compile(
    r"\b(?:conversations?|discussions?|talks?|chats?|stor(?:y|ies)|dialogue|debates?|arguments?|gossip|topic|groups?|crowd)\b"
    r"|\d ?(?:°|deg)",
    re.I,
)
_OUT_OF_HEARING = re.compile(r"\b(?:phone|telephone|calls?|toilet|loo|bathroom|restroom|shower|bed|lunch|breakfast|dinner)\b", re.I)
_PEOPLE = re.compile(
    r"\b(?:(?:people|persons?|m[ae]n|wom[ae]n|lad(?:y|ies)|guys?|boys|girls|folks|others|ones|pair|couple(?! of)|someone|somebody|everybody"
    r"|everyone)(?!')|talkers?|speakers?|voices?|talking|speaking|chatting|listen|hear|follow|them|him|(?:with|to) (?:her|us)"
    r"|other (?:table|side)|(?:the|those|these) (?:two|three|four)(?! (?:minutes?|hours?|seconds?)))\b"
    r"|\babout (?!\w+ (?:minutes?|hours?|seconds?)\b)",
    re.I,
)
_WONDERED = re.compile(
    r"^\W*(?:(?:is|was) there )?(?:anything|something)(?: else)? (?:important|interesting|new|exciting|worth|special)\b", re.I
)


def absence_in(text: str, moments: Moments | None, speakers: Callable[[], Collection[str]]) -> tuple[str, str]:
    """What a question says that kept the asker away, and the question without it; "" where it says nothing of it.

    A time in it stays in the question where there are `moments`. What is told before the question counts where that asks what was missed;
    for other questions it is only how they begin.
    """
    match = _WHILE.search(text) or _FIRST.match(text)
    if match is None:
        return "", text
    what, more = match["what"] or match["went"], _FOR_SO_LONG.sub("", match["more"])
    if match["state"] is None and _is_followed(what + more, speakers, doing=match["doing"] is not None):
        return "", text
    asks = text[match.end() :].strip()
    if match.re is _FIRST and not (cues.MISSED.search(asks) or _WONDERED.search(asks)):
        return "", asks if asks and match["went"] is None else text
    time, bare = asked_time(more, moments) if moments is not None else (None, more)
    phrase = " ".join(f"{what}{bare}".split())
    if match.re is _WHILE:
        return phrase, f"{text[: match.start()]} {'' if time is None else time.phrase} {text[match.end() :]}"
    return phrase, asks if time is None else f"{asks.rstrip(' ?.!')} {time.phrase}?"


def when_is_unknown(absence: str) -> str:
    """Why a question about an absence cannot be served without a time."""
    was = absence if re.match(_WENT, absence, re.I) else f"were {absence}"
    return (
        f'Echoic cannot tell when you {was}; give the time, such as "in the last ten minutes" or "between ten and half past", '
        "or declare it: echoic attend --away --from TIME --to TIME"
    )


def _is_followed(phrase: str, speakers: Callable[[], Collection[str]], *, doing: bool) -> bool:
    """Whether people or a talk are named that were there; what is done may be "about" something, and with somebody, without any talk."""
    if _TALK.search(phrase) or _OUT_OF_HEARING.search(phrase):
        return _TALK.search(phrase) is not None
    if doing:
        return _PEOPLE.search(re.sub(r"\babout\b", " ", phrase)) is not None
    is_named = re.search(r"\b[A-Z]|\d", phrase) is not None and any(re.search(rf"\b{re.escape(name)}\b", phrase) for name in speakers())
    return is_named or _PEOPLE.search(phrase) is not None
