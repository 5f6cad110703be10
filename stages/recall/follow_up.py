"""Questions that go on from the last one: "after that", "who said that?", "what else did she say?", "play me that"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_POLITE = r"(?:and|so|but|ok|okay|please|now|echoic|can you|could you|would you)"
_OPENING = rf"^(?:{_POLITE}[, ]+)*"
_IT = r"(?:that|this|it|those|them)"
_SAY = r"(?:say|said|tell|told|mention|mentioned|talk|talked|speak|spoken|add|added)"
_PLAY = re.compile(
    rf"{_OPENING}(?:play|replay|repeat|let me hear|let us hear|let me listen to)(?: me| us)?(?: back)? "
    rf"(?:{_IT}|the (?:quote|clip|last one|recording|answer|proof))(?: back| again| out loud)*(?: to me)?(?:,? please)?[ ?.!]*$",
    re.I,
)
_HEAR = r"(?:(?:play|replay)(?: me| us)?(?: back)?|let (?:me|us) (?:hear|listen to))"
_PLAY_SOMETHING = re.compile(
    rf"{_OPENING}{_HEAR}\s+"
    r"(?=(?:what|where|when|who|how)\b|the (?:part|bit|place|moment|(?:very )?(?:first|last))\b)",
    re.I,
)
_PLAY_ALL = re.compile(
    rf"{_OPENING}{_HEAR}\s+(?:everything|anything|all|whatever)(?: of(?: (?:it|them))?)?(?: (?:that|what|which))?\s+(?=\w)",
    re.I,
)
_WITHIN = re.compile(r"(?:in|during|within|over) the\b", re.I)
_ON = re.compile(
    r"(?:about|regarding|concerning|on(?= (?:the|our|my|your|his|her|their) (?!\d|last|next|first|second|third))) (?P<topic>.+)$", re.I
)
_PLAY_TOPIC = re.compile(
    rf"{_OPENING}{_HEAR}\s+(?:(?:the|that|this|their|our|my) (?:conversation|talk|discussion|chat|bit|part|lines?) "
    r"(?P<about>about|on|of|over) |(?=(?:the|my|our|their|that|this) \w))(?P<topic>[^?.!]+?)"
    r"(?:,? (?:please|(?:to|for) (?:me|us)|again))*[ ?.!]*$",
    re.I,
)
_MUSIC = re.compile(
    r"\b(?:music|songs?|radio|tv|videos?|films?|movies?|games?|playlists?|albums?|podcasts?|pianos?|guitars?|drums?|violins?|flutes?|tunes?"
    r"|anthem)[ ?.!]*$",
    re.I,
)
"""What is played by other machines, and by hand."""
_TIME = re.compile(
    r"the (?:(?:last|past|first) (?:[\w-]+ )?(?:seconds?|minutes?|hours?)|(?:second|third|\w+th|\d+(?:nd|rd)) (?:minute|hour)"
    r"|(?:first|second|middle|last|latter|other) (?:half|third))\b",
    re.I,
)
_ABOUT_IT = (
    (
        "where",
        re.compile(rf"{_OPENING}(?:from )?where (?:was|is|did|were|does) {_IT}(?: said| happen(?:ing|ed)?| come from)?[ ?.!]*$", re.I),
    ),
    ("where", re.compile(rf"{_OPENING}where did (?:he|she|they) say {_IT}[ ?.!]*$|{_OPENING}where[ ?.!]*$", re.I)),
    ("when", re.compile(rf"{_OPENING}(?:when|what time) (?:was|is|did|were) {_IT}(?: said| happen(?:ing|ed)?)?[ ?.!]*$", re.I)),
    ("when", re.compile(rf"{_OPENING}when did (?:he|she|they) say {_IT}[ ?.!]*$|{_OPENING}when[ ?.!]*$", re.I)),
    (
        "what",
        re.compile(
            rf"{_OPENING}(?:what did you (?:just )?(?:say|tell me)|say (?:{_IT} )?again|what was that|pardon(?: me)?|come again)[ ?.!]*$",
            re.I,
        ),
    ),
    ("who", re.compile(rf"{_OPENING}(?:who (?:said|was|mentioned|told) {_IT}|whose voice was {_IT}|who)[ ?.!]*$", re.I)),
)
_AFTER = re.compile(
    rf"\b(?:right |just |straight |immediately |directly |shortly )?after {_IT}(?=\s*(?:[?.!,]|$|in\b|at\b|on\b|about\b))"
    r"|\b(?:afterwards|subsequently)\b|(?<=\bsay )(?:next|then)(?=[ ?.!]*$)",
    re.I,
)
_BEFORE = re.compile(
    rf"\b(?:right |just |straight |immediately |directly |shortly )?before {_IT}(?=\s*(?:[?.!,]|$|in\b|at\b|on\b|about\b))|\bbeforehand\b",
    re.I,
)
_THEN = re.compile(
    rf"{_OPENING}(?P<ask>what (?:happened|came|was said|did (?:they|he|she|we|people) (?:say|talk about|do)))"
    r"\s+(?:then|next)(?: happen)?[ ?.!]*$"
    rf"|{_OPENING}(?:then what|what (?:then|next)|then|and then)[ ?.!]*$",
    re.I,
)
_ELSE = re.compile(
    rf"{_OPENING}what (?:else|more) (?P<aux>did|has|have|had) (?P<who>(?:the |my )?[\w-]+(?: \w+)?) (?:also |then )?(?P<say>{_SAY})\b"
    rf"(?: (?:to say )?(?:about|on|of) (?:{_IT}|there)(?=[ ?.!]*$))?(?P<rest>.*)$",
    re.I,
)
_MORE = re.compile(
    rf"{_OPENING}(?:(?:what|anything|something|was there anything) else(?: was said| did (?:they|people) say)? (?:about|on|to) {_IT}"
    rf"|(?:anything|something|what) (?:else|more)|tell (?:me|us) (?:some)?(?:more|the rest)(?: (?:about|of) {_IT})?|go on)[ ?.!]*$",
    re.I,
)
_WHO_ELSE = re.compile(
    rf"{_OPENING}who else(?: (?:said|talked|spoke|was there|took part)(?: (?:about|on|in) {_IT}| {_IT}| something)?)?[ ?.!]*$", re.I
)
_REPLY = re.compile(
    rf"{_OPENING}(?:what did (?P<who>[\w-]+) (?:answer|reply|respond|say (?:to|in reply to|in answer to) {_IT})(?: (?:to|on) {_IT})?"
    rf"|what (?:was|is) (?:the|his|her|their|[\w-]+'s) (?:answer|reply|response|reaction)(?: to {_IT})?"
    rf"|how did (?P<whom>[\w-]+) (?:react|answer|reply|respond)(?: to {_IT})?"
    rf"|(?:who|did anybody|did anyone) (?:answered|answer|replied|reply)(?: (?:to )?{_IT})?)[ ?.!]*$",
    re.I,
)
_ANYBODY = frozenset(["he", "she", "they", "people", "somebody", "someone", "anybody", "anyone", "everybody", "the others"])
_TALKER = re.compile(
    r"\b(?P<aux>did|has|had|does|will|would) (?P<who>he|she) (?=(?:ever |also |really |just )?"
    r"(?:say|said|tell|told|talk|talked|speak|spoken|mention|mentioned|ask|asked|think|suggest|suggested|want|promise|promised|agree|agreed|decide|decided|settle|settled)\b)",
    re.I,
)


@dataclass(frozen=True)
class FollowUp:
    """How a question goes on from the last one.

    `kind` is after or before (the lines that were cited), that (those lines themselves), play (their sound), else (what more was said)
    or reply (what others said to them); `aspect` is what is asked about "that". A question that stands by itself too (`alone`) is asked
    as it is where there is nothing to go on from.
    """

    kind: str
    aspect: str = ""
    alone: bool = False


def follow_up_in(text: str) -> tuple[FollowUp | None, str]:
    """How a question goes on from the last one (None where it stands by itself), and the question without those words."""
    if _PLAY.match(text):
        return FollowUp("play"), ""
    for aspect, pattern in _ABOUT_IT:
        if pattern.match(text):
            return FollowUp("that", aspect), ""
    if (then := _THEN.match(text)) is not None:
        return FollowUp("after"), then["ask"] if then["ask"] and " did " in then["ask"].lower() else "what happened"
    if _WHO_ELSE.match(text):
        return FollowUp("else", "who"), "who said something"
    if _MORE.match(text):
        return FollowUp("else"), "what did they say"
    if (reply := _REPLY.match(text)) is not None:
        who = reply["who"] or reply["whom"] or "they"
        return FollowUp("reply"), f"what did {'they' if who.lower() in _ANYBODY else who} say"
    if (more := _ELSE.match(text)) is not None:
        about_it = re.search(rf"\b(?:{_IT}|there)[ ?.!]*$", text[: more.start("rest")], re.I) is not None
        who, rest = more["who"], more["rest"].strip(" ?.!")
        is_person = who.lower() not in _ANYBODY | {"the others", "others", "i", "you", "we"}
        if who.lower() in {"he", "she"} or about_it or is_person or (rest and who.lower() != "the others"):
            alone = who.lower() not in {"he", "she"} and not about_it
            return FollowUp("else", alone=alone), f"what {more['aux']} {who} {more['say']} {rest}".strip()
    for kind, pattern in (("after", _AFTER), ("before", _BEFORE)):
        match = pattern.search(text)
        if match is not None:
            rest = f"{text[: match.start()]} {text[match.end() :]}"
            bare = not re.search(r"\w", re.sub(rf"{_OPENING}(?:what)?|\b{_POLITE}\b", " ", rest, flags=re.I))
            return FollowUp(kind), "what happened" if bare else rest
    return None, text


def plays_all(text: str) -> bool:
    """Whether a question asks to hear all that was said about something or by somebody: "Play everything about the dog"."""
    return _PLAY_ALL.match(text) is not None


def played_in(text: str) -> tuple[bool, str]:
    """Whether a question asks to hear what answers it ("Play me what Anna said", "Play the vote"), and the question itself."""
    if (every := _PLAY_ALL.match(text)) is not None:
        rest = text[every.end() :]
        if (on := _ON.match(rest)) is not None:
            return True, f"what was said about {on['topic']}"
        return True, f"what was said {rest}" if _WITHIN.match(rest) else f"what {rest}"
    topic = _PLAY_TOPIC.match(text)
    match = _PLAY_SOMETHING.match(text)
    if match is not None and (topic is None or topic["about"] is None):
        return True, text[match.end() :]
    if topic is None or _MUSIC.search(topic["topic"]):
        return False, text
    span = _TIME.match(topic["topic"])
    return True, f"what was said {'in' if span else 'about'} {topic['topic']}"


def talker_in(text: str) -> tuple[str, str]:
    """The pronoun for the talker that a question names ("did she say"; "" for none), and the question without it."""
    match = _TALKER.search(text)
    return ("", text) if match is None else (match["who"].lower(), f"{text[: match.start('who')]}they{text[match.end('who') :]}")


def no_context(minutes: int) -> str:
    """Why a question that goes on from another cannot be served where there is none."""
    return (
        f"This goes on from an earlier question, but none was answered in the last {minutes} minutes: ask first for what you mean,"
        ' such as "What did they say about the budget?", or name it'
    )
