"""Questions as people talk for what was missed, for all that was said, and for what came first, put plainly."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from stages.recall import cues
from stages.recall.absences import away_for
from stages.recall.calendar_phrase import asked_time
from stages.recall.lengths import length_phrase
from stages.recall.spoken_clauses import Clause
from stages.recall.spoken_topics import as_topic, names_in
from stages.recall.terms import content_words, tokens
from stages.recall.time_phrase import Moments
from stages.recall.word_lists import word_set

_MISSED = re.compile(
    r"\b(?:i|we)(?:'ve|'d| have| had| did| might have| must have)?(?: \w+){0,2}? miss(?:ed)?\b|\b(?:have|did|had) (?:i|we) (?:just "
    r"|actually )?miss(?:ed)?\b"
    r"|\b(?:went|gone|go|passed|slipped|washed|flew) (?:right |straight )?(?:past|over|by|through) (?:me|us|my head)\b|\bpassed (?:me"
    r"|us) by\b"
    r"|\bescaped (?:me|us)\b|\bfill me in on what\b|\bcatch (?:me|us) up on what i missed\b",
    re.I,
)
_OTHERS = re.compile(
    r"\bwhat (?:did|were|was|have|has|are) (?:the |all the )?(?:others|rest(?: of (?:them|you|the (?:people|room)))?|other (?:people"
    r"|ones|groups?|tables?)|everybody else|everyone else)\b",
    re.I,
)
_FACT_MISSED = re.compile(
    r"\bmiss(?:ed)? (?:(?:how|what|who|when|where|why|which) (?!exactly\b)\w|the (?:name|number|time|place|bit|part)\b|it\b)", re.I
)
_GROUP = (
    r"(?:conversation|talk|chat|discussion|story|debate|argument|gossip|group|table|lot|people|bunch|folks|pair|couple|ones|crowd"
    r"|two|guys|those)"
)
_TALKING = (
    r"(?:(?:who |that )?(?:are |were |was |is |had been )?(?:all |just )?(?:talking|going on|chatting|speaking|gossiping|on"
    r"|discussing|arguing|debating|yapping))"
)
_FOLLOWED = re.compile(
    rf"\b(?:{_GROUP}s?(?: over there| there)? (?:{_TALKING} )?(?:about|on|of|over)|{_GROUP}s? (?:who were |that were "
    rf"|were )?discussing) (?P<what>.+)$",
    re.I,
)
_FOLLOWED_BEFORE = re.compile(
    r"\b(?:the|that|their) (?P<what>[\w'-]+(?: [\w'-]+){0,2}) (?:talk|conversation|chat|discussion|story)\b", re.I
)
_CUT = re.compile(
    r"\s+(?:the (?:whole|entire|full) (?:time|while|way|thing)|all (?:the|that) (?:time|while|way)|all along|over there|over here"
    r"|right to the end|for ages|just now"
    r"|and (?:i|it|you|they|we|nothing|everything)\b.*|while i\b.*|when i\b.*|so (?:i|much)\b.*|at the (?:same )?time|in the meantime"
    r"|meanwhile)\b.*$",
    re.I,
)
_OVERVIEW = re.compile(
    r"\b(?:catch|fill|bring|get|clue) (?:me|us) (?:up|in)\b(?: to speed)?(?: on| with)?|\bup to speed\b|\bsumm?ar(?:y|i[sz]e)\b"
    r"|\brecap\b|\bsum (?:it |that |this |things |everything )?(?:all )?up\b"
    r"|\bthe gist\b|\bwhat(?:'s| has| have| is| was|'ve)?(?: everyone| everybody| people| they| we| you)? been (?:going on|happening"
    r"|saying|said|talking about|discussing|on about)\b"
    r"|\bwhat(?:'s| is| was) (?:going on|happening)\b",
    re.I,
)
_SAID = re.compile(
    r"^what(?: (?:was|were|is|got|did|has|have|had|people|they|everybody|everyone|somebody|anybody|been|being))* (?:said|saying|say"
    r"|happened|happen|happening|discussed|discuss|talk about|talking about|going on|goes on|on about)\b(?P<rest>.*)$",
    re.I,
)
_OVERVIEW_WORDS = (
    cues.OVERVIEW_WORDS
    | cues.KIND_WORDS
    | cues.WH
    | word_set(
        "gist sum fill full brief speed recap summary times time catch going happening give bring get clue missed stretch bit part earth"
        " while lot everything two both stuff happen"
    )
)
_FIRST = r"(?P<end>first|earlier|before|last|later)"
_ITEM = r"(?:the |an? |that |this |those |these )?[\w'-]+(?: [\w'-]+){0,5}?"
_WHICH = r"(?:what|which)(?: one| ones| thing| topic)?(?: of (?:them|those|these|the) ?(?:two|both)?)?"
_CAME = (
    r"(?: (?:was|were|is|did|got|had|it|that|they|came|come|comes|up|mentioned|brought|discussed|said|talked about|happened|there"
    r"|actually|been))*"
)
_ORDERS = (
    # "Which one came first, the vote or the break?"
    re.compile(
        rf"\b{_WHICH}{_CAME} {_FIRST}(?: of all| then| now)?(?: up)?[,:]? (?:was it |is it )?(?P<a>{_ITEM}),? or (?P<b>{_ITEM})$", re.I
    ),
    # "The vote or the break, which came first?"
    re.compile(rf"(?:^|[,.] |\bit )(?P<a>{_ITEM}),? or (?P<b>{_ITEM}),? {_WHICH}{_CAME} {_FIRST}$", re.I),
    # "The first thing to come up, was it the vote or the break?"
    re.compile(
        rf"\b{_FIRST} (?:thing|one|topic)?(?: to (?:come up|be mentioned))?,? was it (?P<a>{_ITEM}),? or (?:was it )?(?P<b>{_ITEM})$", re.I
    ),
    # "Was it the vote that came up first, or was the break before that?"
    re.compile(
        rf"\bwas (?:it )?(?P<a>{_ITEM})(?: that| which)?{_CAME} {_FIRST},? or (?:was |did |were )?(?:it )?(?P<b>{_ITEM})(?: that"
        rf"| which)?(?: (?:came|come|up|was|before|first|earlier|that|it))*$",
        re.I,
    ),
    re.compile(
        rf"\bdid (?P<a>{_ITEM}){_CAME} {_FIRST},? or (?:was |did )?(?P<b>{_ITEM})(?: (?:come|came|up|before|first|earlier|that))*$", re.I
    ),
)
_ORDER_ONLY = re.compile(rf"^{_WHICH}{_CAME} {_FIRST}$", re.I)
_CLOCK = re.compile(r"(?<![\d:.-])\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?![\d:])")
_PLACES = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|middle|last|latter|other"
_ANY = Moments(datetime(2024, 1, 3, 12, tzinfo=UTC), datetime(2024, 1, 3, 12, tzinfo=UTC), datetime(2024, 1, 3, 11, tzinfo=UTC))
"""Only which words tell a time is looked for, whatever the time is."""
_PAIR = re.compile(r"\b(?:the|that|this|an?) (?P<what>(?!one\b|other\b|order\b|thing\b|right\b|wrong\b|first\b|last\b)[\w'-]+)", re.I)


def missed_core(said: str, parts: Sequence[Clause], speakers: Callable[[], Collection[str]]) -> str | None:
    """What was missed while something was followed; None where it does not ask that."""
    asking = next((part for part in parts if (_MISSED.search(part.text) or _OTHERS.search(part.text)) and _asks_missed(part, parts)), None)
    if asking is None:
        return None
    bearings = cues.BEARING.findall(said)
    window = _away_time(said) or window_of(said)
    limits = "".join(f" {limit}" for limit in (window, length_phrase(said)) if limit)
    if len(bearings) == 1:
        return f"what did I miss while I was listening to the people at {bearings[0]} degrees{limits}"
    names = names_in(said, speakers)
    if len(names) == 1 and not bearings:
        return f"what did I miss while I was listening to {names[0]}{limits}"
    for part in parts:
        for pattern in (_FOLLOWED, _FOLLOWED_BEFORE):
            match = pattern.search(part.text)
            topic = as_topic(_CUT.sub("", match["what"])) if match is not None else None
            if topic is not None:
                return f"what did I miss while I was following the conversation about {topic}{limits}"
    own = content_words(
        re.sub(r"\b(?:while|when|during|because)\b.*$", "", asking.text, flags=re.I),
        drop=_OVERVIEW_WORDS | word_set("went past passed miss missed discuss"),
    )
    if [word for word in own if not window or word not in tokens(window)]:
        return None
    return f"what did I miss{limits}"


def window_of(said: str) -> str:
    """The time that a text tells, as a plain question does; "" for none that is sure."""
    clocks = _CLOCK.findall(said)
    if len(clocks) == 2:
        return f"between {clocks[0]} and {clocks[1]}"
    window, _ = asked_time(said, _ANY)
    if window is not None and re.match(rf"\w+ (?:the )?(?:very )?(?:{_PLACES})\b", window.phrase, re.I):
        return window.phrase
    if window is None or not (clocks or window.rolling_s is not None):
        return ""
    if re.match(r"(?:the |these )?(?:last|past|previous)\b", window.phrase, re.I):
        return f"in {'' if window.phrase.lower().startswith(('the', 'these')) else 'the '}{window.phrase}"
    return window.phrase


def _away_time(said: str) -> str:
    """How long somebody was away, as a plain question asks for that time; "" where nobody says so."""
    away = away_for(said, _ANY)
    return f"in the last {away.phrase}" if away is not None else ""


def overview_core(said: str, parts: Sequence[Clause]) -> str | None:
    """A summary, or what was said in the asked time; None where it asks about something that has a name."""
    window = _away_time(said) or window_of(said)
    for part in parts:
        match = _OVERVIEW.search(part.text)
        is_asked = match is not None and (
            part.asks or re.match(r"(?:\w+ ){0,4}?(?:catch|fill|bring|get|clue|give|summ|sum|recap|could|can|what)", part.text, re.I)
        )
        spoken = _SAID.match(part.text) if part.asks and match is None else None
        if not is_asked and spoken is None:
            continue
        rest = part.text if match is None else part.text[match.end() :]
        bare = rest if spoken is None else spoken["rest"]
        bare = re.sub(r"\d[\d:.]*", " ", bare)
        if content_words(bare, drop=_OVERVIEW_WORDS | set(tokens(window))) or re.search(
            r"\bdegrees\b|\b(?:my|the|your) (?:left|right)\b", said, re.I
        ):
            continue
        if window:
            return f"what was said {window}"
        if is_asked:
            return f"give me a summary of what was said {length_phrase(said)}"
    return None


def order_core(parts: Sequence[Clause]) -> str | None:
    """What came first of two things; None where it does not ask that."""
    for sentence in dict.fromkeys(part.sentence for part in parts):
        text = ", ".join(part.text for part in parts if part.sentence == sentence)
        for pattern in _ORDERS:
            if (match := pattern.search(text)) is not None:
                return _ordered(match["end"], match["a"], match["b"])
    only = next((match for part in parts if part.asks and (match := _ORDER_ONLY.match(part.text))), None)
    if only is None:
        return None
    halves = [_PAIR.findall(half) for part in parts if not part.asks for half in re.split(r"\b(?:and|or)\b", part.text)]
    things = [f"the {found[-1]}" for found in halves if found and content_words(found[-1])]
    return _ordered(only["end"], *things[-2:]) if len(things) >= 2 else None


def _ordered(end: str, one: str, other: str) -> str | None:
    first, second = (as_topic(item) for item in (one, other))
    if first is None or second is None:
        return None
    return f"what came {'last' if end.lower() in {'last', 'later'} else 'first'}, {first} or {second}"


def _asks_missed(part: Clause, parts: Sequence[Clause]) -> bool:
    """Whether a clause asks what was missed, or another one does of it ("so what was it?"), rather than tells that some fact was."""
    if _FACT_MISSED.search(part.text):
        return False
    asks = part.asks > 0 or re.search(r"\bfill me in\b|\bmissed what\b|\bwhat (?:else )?i(?:'ve)? missed\b", part.text, re.I) is not None
    return asks or any(
        other.asks and re.match(r"what (?:was|is|were|did i miss)(?: (?:it|that|they|all that))?$", other.text, re.I) for other in parts
    )
