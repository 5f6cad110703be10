"""Questions for the first or the last of what was said: "the last thing Anna said", "who mentioned the vote first?"."""

from __future__ import annotations

import re

_SAID = r"(?:thing|words?|sentence|remark|line|statement)s?"
_THING = rf"(?:{_SAID}|questions?)"
_OPENING = r"(?:what (?:was|were|is|are) |(?:repeat|read|give|tell|show|quote)(?: me| us)? )?"
_THE = rf"{_OPENING}the "
_EDGE = r"(?P<edge>first|last|latest)"
_SAY = r"(?:say|said|mention(?:ed)?|talk(?:ed)?|speak|spoke|spoken|discuss(?:ed)?|ask(?:ed)?|bring up|brought up|hear|heard)"
_BARE = rf"^{_OPENING}(?:the )?(?:very )?{_EDGE} {_SAID}"
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    # "What was the last thing that was said about X?", "What was the last thing that Anna said?", "Anna's last words?"
    (
        re.compile(
            rf"^{_THE}(?:very )?{_EDGE} {_THING}(?: that| which)? (?:was|were) (?P<rest>{_SAY}\b.*)$",
            re.I,
        ),
        "what was {rest}",
    ),
    (
        re.compile(
            rf"^{_THE}(?:very )?{_EDGE} {_THING}(?: that| which)? (?P<who>\S+(?: \S+)?) (?P<rest>{_SAY}\b.*)$",
            re.I,
        ),
        "what did {who} {rest}",
    ),
    # "What was the last thing?", "The last thing said?", "What was the last thing about the roof?"
    (re.compile(rf"{_BARE}(?: that| which)?(?P<rest>[ ?.!]*)$", re.I), "what was said {rest}"),
    (re.compile(rf"{_BARE} (?:said|heard)\b(?P<rest>.*)$", re.I), "what was said {rest}"),
    (re.compile(rf"{_BARE} (?P<rest>about .*)$", re.I), "what was said {rest}"),
    (
        re.compile(rf"^what (?:was|were|is|are) (?P<who>[\w-]+(?: \w+)?)'s (?:very )?{_EDGE} {_THING}(?P<rest>.*)$", re.I),
        "what did {who} say {rest}",
    ),
    (re.compile(rf"^when was the {_EDGE} time (?:that )?(?P<rest>.+)$", re.I), "when was it that {rest}"),
    (re.compile(rf"^who was the {_EDGE} (?:one |person |talker )?(?:to|who) (?P<rest>{_SAY}\b.*)$", re.I), "who did {rest}"),
    # "When did they last talk about X?", "When was X first mentioned?", "Who spoke last?", "What did Anna say first?"
    (re.compile(rf"^(?P<head>(?:when|where|who|what)\b.*?)\b{_EDGE} (?P<rest>{_SAY}\b.*)$", re.I), "{head} {rest}"),
    (re.compile(rf"^(?P<head>(?:who|what)\b.*\b{_SAY}\b.*?) (?:at |the )?{_EDGE}(?P<rest>(?: about .*)?[ ?.!]*)$", re.I), "{head} {rest}"),
)


def edge_in(text: str) -> tuple[str, str]:
    """Which end of what was said a question asks for, "first" or "last" ("" for none), and the question without that."""
    for pattern, form in _FORMS:
        if (match := pattern.match(text)) is not None:
            parts = {name: value.strip() if name != "head" else value for name, value in match.groupdict().items() if value is not None}
            return "first" if parts["edge"].lower() == "first" else "last", " ".join(form.format(**parts).split())
    return "", text
