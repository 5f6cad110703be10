"""Questions of order: "What came first, the vote or the break?", "What did they talk about after the vote?"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stages.recall.terms import content_words

_TALK = r"(?:talk(?:ing|ed)?|speak(?:ing)?|spoke|chat(?:ting|ted)?|hear|heard)"
_ABOUT = rf"(?:{_TALK} (?:about|of)|discuss(?:ing|ed)?|mention(?:ing|ed)?|bring up|brought up)"
_THEY = r"(?:they|people|we|you|somebody|someone|anybody|anyone|everybody|the others)"
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
_AROUND = re.compile(
    rf"^(?:and )?what (?:did {_WHO} (?:talk about|speak about|discuss|say|do)|was (?:said|discussed|talked about|going on)"
    rf"|were {_THEY} (?:talking about|discussing)|happened|came(?: up)?) (?:right |just |directly )?(?P<when>after|before) "
    rf"(?:(?:{_THEY} )?(?:{_ABOUT} )|(?:the )?(?:talk|conversation|discussion|chat) (?:about|of|on) )?(?P<b>.+?)[ ?.!]*$",
    re.I,
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
    around_before and around_after (what stands so to the only topic), or between (what lies between the two).
    """

    relation: str
    topics: tuple[str, ...]


def order_in(text: str) -> OrderAsked | None:
    """The order that a question asks for; None where it asks for none, or names nothing that could have come up."""
    if (match := _WHICH.match(text)) is not None:
        relation = "last" if match["end"].lower() in {"last", "later"} else "first"
        return _asked(relation, match["a"], match["b"])
    if (match := _WHETHER.match(text)) is not None:
        # "Before or after?" asks which of them came first.
        return _asked(
            "first" if " or " in match["when"].lower() else match["when"].lower(), match["a"] or match["a2"] or match["a3"], match["b"]
        )
    if (match := _AROUND.match(text)) is not None:
        return _asked(f"around_{match['when'].lower()}", match["b"])
    if (match := _BETWEEN.match(text)) is not None:
        return _asked("between", match["a"], match["b"])
    return None


def _asked(relation: str, *topics: str) -> OrderAsked | None:
    bare = tuple(topic.strip(" ,?.!") for topic in topics)
    return OrderAsked(relation, bare) if all(content_words(topic) for topic in bare) else None
