"""Questions of order: "What came first, the vote or the break?", "What did they talk about after the vote?"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from stages.recall.decision_asked import decision_in
from stages.recall.terms import content_words
from stages.recall.word_lists import NUMBER_WORDS

_TALK = r"(?:talk(?:ing|ed)?|speak(?:ing)?|spoke|chat(?:ting|ted)?|hear|heard)"
_ABOUT = rf"(?:{_TALK} (?:about|of)|discuss(?:ing|ed)?|mention(?:ing|ed)?|bring up|brought up)"
_LENGTH = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)\b"
_THEY = r"(?:they|people|we|you|somebody|someone|anybody|anyone|everybody|the others)"
_AMOUNT = rf"(?:(?:about|over|more than|nearly|almost) )?(?:\d+|an?|some|many|several|{'|'.join(NUMBER_WORDS.split())}) (?:more )?{_LENGTH}"
_WHICH = re.compile(
    rf"^(?:and )?(?:what|which)(?: one| of them| topic)? (?:(?:came|comes|was(?: mentioned| discussed)?|happened|started"
    rf"|(?:did {_THEY} {_ABOUT})) )?(?:up )?"
    r"(?P<end>first|earlier|before|last|later)[,: ]+(?P<a>.+?),? or (?P<b>.+?)[ ?.!]*$",
    re.I,
)
_WHETHER = re.compile(
    rf"^(?:and )?(?:did {_THEY} {_ABOUT} (?P<a>.+?)|(?:was|were) (?P<a2>.+?)(?: mentioned| discussed| brought up| talked about)?"
    r"|did (?P<a3>.+?) (?:come(?: up)?|happen|start))"
    rf" (?P<when>before or after|after or before|before|after) (?:{_THEY} (?:{_ABOUT} )?)?(?P<b>.+?)[ ?.!]*$",
    re.I,
)
_WHO = rf"(?:{_THEY}|(?:the )?[\w'-]+(?: [\w'-]+){{0,2}}?(?: (?:at|from) \d+ degrees)?)"
_ONE = rf"(?:{_THEY}|(?P<by>he|she|(?:the )?[\w'-]+))"
_AROUND = re.compile(
    rf"^(?:and )?what (?:did {_WHO} (?:talk about|speak about|discuss|say|do)|was (?:said|discussed|talked about|going on)"
    rf"|were {_THEY} (?:talking about|discussing)|happened|came(?: up)?) (?:right |just |directly )?(?P<when>after|before) "
    rf"(?:(?:{_ONE} )?(?:{_ABOUT} )|(?:the )?(?:talk|conversation|discussion|chat) (?:about|of|on) )?(?P<b>.+?)[ ?.!]*$",
    re.I,
)
_REST_AROUND = re.compile(
    rf"^(?P<rest>(?:and )?(?:what|who|when|where|did|has|have)\b.*\b(?:about|of|on|mention(?:ed)?|discuss(?:ed)?)\b.+?) (?:right |just )?"
    rf"(?P<when>after|before) (?:{_ONE} {_ABOUT} (?P<b>.+?)|(?P<b2>.+?) (?:came up|(?:was|were) (?:mentioned|discussed|brought up"
    r"|talked about)))[ ?.!]*$",
    re.I,
)
"""What was said about one thing after another one came up."""
_SETTLED_AROUND = re.compile(
    rf"^(?P<rest>.+?) (?:right |just )?(?P<when>after|before) (?:(?:{_ONE} )?{_ABOUT} )?(?!{_AMOUNT})(?P<b>.+?)"
    r"(?: (?:came up|(?:was|were) (?:mentioned|discussed|brought up|talked about)))?[ ?.!]*$",
    re.I,
)
"""What was decided before something came up; "after three days of quarrelling" is no such thing."""
_SPOKEN_OF = re.compile(
    rf"\b(?:after|before) (?:{_ONE} {_ABOUT}|.* (?:came up|(?:was|were) (?:mentioned|discussed|brought up|talked about)))\b", re.I
)
_BETWEEN = re.compile(
    rf"^(?:and )?what (?:did {_WHO} (?:talk about|speak about|discuss|say|do)|was (?:said|discussed|talked about|going on)|happened)"
    r" between (?P<a>.+?) and (?P<b>.+?)[ ?.!]*$",
    re.I,
)


@dataclass(frozen=True)
class OrderAsked:
    """An order that is asked for.

    `relation` is first or last (of the two topics), before or after (does the first stand so to the second?),
    around_before and around_after (what stands so to the only topic), or between (what lies between the two). `talker` is who brought up
    the only topic, where that is said; `asks` is what is asked of the time beside it ("What did they say about the boiler?"), "" where
    it is what was said at all, and `main` the question without the topic.
    """

    relation: str
    topics: tuple[str, ...]
    talker: str | None = None
    asks: str = ""
    main: str = ""


def order_in(text: str, speakers: Callable[[], Collection[str]] = tuple) -> OrderAsked | None:
    """The order that a question asks for; None where it asks for none, or names nothing that could have come up.

    `speakers` gives the names that the memory knows, if needed.
    """
    beside = _SETTLED_AROUND.match(text)
    if beside is not None and decision_in(beside["rest"], speakers)[0]:
        return _beside(beside, beside["b"], beside["rest"], speakers, asks=f"{beside['rest']}?")
    if (match := _WHICH.match(text)) is not None:
        relation = "last" if match["end"].lower() in {"last", "later"} else "first"
        return _asked(relation, match["a"], match["b"])
    if (match := _WHETHER.match(text)) is not None:
        # "Before or after?" asks which of them came first.
        return _asked(
            "first" if " or " in match["when"].lower() else match["when"].lower(), match["a"] or match["a2"] or match["a3"], match["b"]
        )
    if (match := _AROUND.match(text)) is not None:
        return _beside(match, match["b"], text[: match.start("when")], speakers)
    if (match := _REST_AROUND.match(text)) is not None:
        return _beside(match, match["b"] or match["b2"], match["rest"], speakers, asks=f"{match['rest']}?")
    if (match := _BETWEEN.match(text)) is not None:
        return _asked("between", match["a"], match["b"])
    return None


def names_what_was_said(text: str) -> bool:
    """Whether a question asks what lies beside the mention of a thing ("before the vote came up") rather than beside the thing itself."""
    return _SPOKEN_OF.search(text) is not None


def _beside(match: re.Match[str], topic: str, main: str, speakers: Callable[[], Collection[str]], asks: str = "") -> OrderAsked | None:
    """What lies beside a topic, and who brought that up."""
    asked = _asked(f"around_{match['when'].lower()}", topic)
    by = match["by"]
    if asked is None or by is None:
        return None if asked is None else replace(asked, asks=asks, main=main)
    known = {name.lower(): name for name in speakers()}
    if by.lower() not in {*known, "he", "she"} and not by[:1].isupper():
        # "After the waiter mentioned the soup": who is not known as a talker may be part of what came up.
        return replace(asked, topics=(match.string[match.start("by") : match.end()].strip(" ,?.!"),), asks=asks, main=main)
    return replace(asked, talker=None if by.lower() in {"he", "she"} else known.get(by.lower(), by), asks=asks, main=main)


def _asked(relation: str, *topics: str) -> OrderAsked | None:
    bare = tuple(topic.strip(" ,?.!") for topic in topics)
    return OrderAsked(relation, bare) if all(content_words(topic) for topic in bare) else None
