"""What a clause asks as people talk: who talked, what somebody said, when, whether it came up, how often, or for a fact."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stages.recall.spoken_topics import PRONOUN

_WHO_WORDS = r"(?P<who>he|she|they|people|somebody|someone|(?:that|the) person|it|(?-i:[A-Z])[\w-]*|speaker-\d+)"
_ANYONE = r"(?:anybody|anyone|somebody|someone|they|people|any of (?:them|you)|you (?:hear|heard) (?:anybody|anyone))"
_EVER = r"(?: (?:ever|also|actually|really|even|happen(?:ed)? to|once|by any chance|just|have|been|specifically))*"
_ABOUT = r"(?: (?:anything|something|a lot|much|so much|plenty|a word|all))?(?: (?:about|on|of|regarding|to say about|to say on))"
_TALKING = (
    rf"(?:(?:just |always |actually )*(?:talk(?:ed|ing|s)?|spoke|speaking|chatt(?:ed|ing)|going on|banging on|rabbiting on|went on|on"
    rf"|telling (?:us|them|people)|told (?:us|them)|saying{_EVER}"
    r"|said|asking|asked|rav(?:ed|ing)) (?:\w+ )?(?:about|of)|mention(?:ed|ing)?|discuss(?:ed|ing)?|(?:brought"
    r"|bringing|bring) up"
    r"|had (?:\w+ )?to say about)"
)
_UP = (
    r"(?:come up|came up|crop up|get mentioned|got mentioned|been mentioned|get (?:a mention|brought up|talked about)|been brought up"
    r"|been talked about|mentioned|brought up|talked about|discussed)"
)
_SAY = (
    r"(?:say|said|saying|tell (?:us|them|people)|told (?:us|them|people)|telling (?:us|them)|talk|talking|on|going on|have to say"
    r"|had to say|got to say|thinks?|thought|make of)"
)
_TAIL = r"(?: (?:in|over) (?:there|here))?$"
_LATER = r"(?P<topic>.*)$"

# Each: how it is put, and the kind; in the usual ones nothing is to be made plainer.
_FORMS: tuple[tuple[str, str, bool], ...] = (
    (rf"who(?: was| is|'s| were)?(?: it| that| this| they)?(?: that| who)?(?: did| does| was| is)?{_TAIL}", "who did", False),
    (rf"who talked about {_LATER}", "who", True),
    (
        rf"who(?:'s| was| is| were| has| has been| 's been)?(?: it| that| this)?(?: that| who)?(?: was| were| is| has"
        rf"| had)?(?: been)? {_TALKING}(?: {_LATER}|$)",
        "who",
        False,
    ),
    (
        r"(?:where|at which (?:side|bearing)|from where|which (?:side|direction))(?: in (?:the|this) room)?(?:,? (?:was|were|is|are"
        r"|did) (?:that|it|they|he|she|we talking)"
        r"(?: (?:sitting|sat|standing|at|sit|say (?:it|that)|from|in (?:the|this) room))*)?(?: in (?:the|this) room)?",
        "where",
        False,
    ),
    (rf"what did {_WHO_WORDS} say about {_LATER}", "say", True),
    (
        rf"what(?: did| does| has| had| have| was| is| were|'s|'d)? {_WHO_WORDS}(?: (?:just|actually|ever|been|have|had|got"
        rf"|really))* {_SAY}(?:{_ABOUT} {_LATER}|{_ABOUT}?{_TAIL})",
        "say",
        False,
    ),
    (rf"what was it(?: that)? {_WHO_WORDS}(?: (?:had|was|has))? {_SAY}(?:{_ABOUT} {_LATER}|{_ABOUT}?{_TAIL})", "say", False),
    (rf"when did {_WHO_WORDS} say {_LATER}", "when said", True),
    (
        rf"(?:when|what time)(?: did| does| has| had| was)?(?: it(?: was)?(?: that)?)?(?: was)? {_WHO_WORDS}(?: (?:actually|had"
        rf"|was))? (?:say|said|saying|mention|mentioned|tell (?:us|them)) {_LATER}",
        "when said",
        False,
    ),
    (
        rf"(?:just )?(?:when|what time)(?: was| is| did)?(?: {PRONOUN})?(?: was| is)?(?: said| mentioned| come up| happen)?$",
        "when said",
        False,
    ),
    (rf"(?:did|has|have) (?:anybody|anyone|somebody|someone) (?:mention|talk about|mentioned|talked about) {_LATER}", "mentioned", True),
    (rf"(?:(?:did|has|have|had|was|were) )?{_ANYONE}{_EVER} {_TALKING}(?: {_LATER}|$)", "mentioned", False),
    (rf"(?:(?:did|has|have|had) )?{_ANYONE}{_EVER} (?:say|said|saying){_ABOUT} {_LATER}", "mentioned", False),
    (rf"(?:did|has|have|had|was|were|is) (?P<topic>.+?){_EVER} {_UP}$", "mentioned", False),
    (
        rf"(?:was|is|has) there(?: been)? (?:anything|something|any (?:talk|mention)|talk|a mention)(?: said| mentioned)? (?:about|of"
        rf"|on) {_LATER}",
        "mentioned",
        False,
    ),
    (r"how often was (?P<topic>the word \S+) said", "count", True),
    (rf"how many times did somebody mention {_LATER}", "count", True),
    (
        rf"how (?:often|many times) (?:did|has|have|had|was|were|does|do)(?: {_ANYONE}{_EVER})? (?:say|said|{_TALKING}) {_LATER}",
        "count",
        False,
    ),
    (rf"how (?:often|many times) (?:did|has|have|had|was|were|does|do) {_ANYONE}{_EVER} bring (?P<topic>.+) up$", "count", False),
    (rf"how (?:often|many times) (?:did|has|have|had|was|were|does|do|is) (?P<topic>.+?){_EVER} (?:{_UP}|said|spoken)$", "count", False),
)
_COMPILED = tuple((re.compile(f"^(?:and |but |so )?{pattern}", re.I), kind, usual) for pattern, kind, usual in _FORMS)
_BRING_UP = re.compile(r"\bbr(?:ing|ought|inging) (?P<what>(?!up\b).+?) up\b", re.I)
_WHAT_WAS_THAT = re.compile(r"^what (?:was|is) (?:that|it)$", re.I)
_PRONOUN_ONLY = re.compile(rf"(?:up )?(?:actually )?(?:{PRONOUN}|there)?(?: (?:is|was|at all|then|now|up|actually|subject))*", re.I)


@dataclass(frozen=True)
class Asking:
    """What a clause asks: its kind, who is said to have spoken, and what about ("" where that stands in another clause).

    The kinds are who (talked), who did (something that another clause tells), where, say, when said, mentioned, count, what was that,
    and fact. `is_usual` says that it is put in the usual words already.
    """

    kind: str
    who: str = ""
    topic: str = ""
    is_usual: bool = False


def asking_in(text: str) -> Asking:
    """What a clause asks."""
    put = _BRING_UP.sub(r"mention \g<what>", text)
    for pattern, kind, usual in _COMPILED:
        if (match := pattern.match(put)) is None:
            continue
        if kind == "where" and match.end() < len(put):
            continue
        parts = match.groupdict()
        topic = (parts.get("topic") or "").strip()
        own = "" if _PRONOUN_ONLY.fullmatch(topic) else topic
        return Asking(kind, parts.get("who") or "", own, is_usual=usual and bool(own))
    return Asking("what was that" if _WHAT_WAS_THAT.match(put) else "fact")
