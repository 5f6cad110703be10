"""Questions for how long people talked, who did so most, and how many did: "How long did they talk about it?", "Who spoke most?"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from stages.recall.cues import FRAME

_TALK = r"(?:talk(?:s|ed|ing)?|speak(?:s|ing)?|spoken?|chat(?:s|ted|ting)?)"
_DISCUSS = r"(?:discuss(?:ed|ing)?|debat(?:e|ed|ing))"
_WHO = rf"(?P<who>(?!(?:the|a|an|that|this|their|our|your) {_TALK}).+?)"
_DO = r"(?:did|do|does|have|has|had|was|were)"
_LONG = r"(?:for )?how (?:long|much time|many (?:seconds|minutes|hours))"
_MOST = r"(?:for )?(?:the )?(?P<which>most|least|longest)(?: time)?"
_MORE = r"(?:for )?(?P<which>more|less|longer)(?! than\b)"
_END = r"(?P<rest>.*?)(?: for)?(?=[ ?.!]*$)"
_FORMS: tuple[tuple[str, str], ...] = (
    (rf"(?:{_LONG}|how much) {_DO}n't .+? {_TALK}\b{_END}", "what did nobody talk {rest}"),
    # "How long did they discuss X?", "How long did they talk about X?", "How much did Anna talk?", "How much time did they spend talking?"
    (rf"{_LONG} {_DO} {_WHO} (?:been )?{_DISCUSS} {_END}", "what did {who} talk about {rest}"),
    (rf"(?:{_LONG}|how much) {_DO} {_WHO} (?:been |spen[dt] )?{_TALK}\b{_END}", "what did {who} talk {rest}"),
    # "Tell me how long they talked about X"
    (rf"{_LONG} (?P<who>(?!(?:is|are|will|can|would|should|the|a|an|this|that)\b)\S+) {_TALK}\b{_END}", "what did {who} talk {rest}"),
    # "How long was the conversation about X?", "How long did the discussion of X last?"
    (
        rf"{_LONG} (?:was|were|did) (?:the |that |their )?(?:conversation|discussion|talk|chat|debate|argument)s? (?:about|on|of|over) "
        r"(?P<rest>.+?)(?: (?:last|go on|take))?(?=[ ?.!]*$)",
        "what did they talk about {rest}",
    ),
    # "How long did the conversation last?", "How long was the conversation with Tom?"
    (
        rf"{_LONG} (?:was|were|did) (?:the|that|their|this) (?:conversation|discussion|talk|chat|debate|argument)s?"
        r"(?P<rest>(?: (?:with|between) .+?)?)(?: (?:last|go on|take))?(?=[ ?.!]*$)",
        "what did they talk {rest}",
    ),
    # "Who talked more, Anna or Ben?", "Did Anna or Ben talk more about X?"
    (rf"who (?:has |had )?{_TALK} {_MORE}\b{_END}", "who talked {rest}"),
    (rf"who (?:has |had )?{_TALK} (?P<rest>about .+?) {_MORE}(?P<who>, \S+ or [^ ?.!]+)(?=[ ?.!]*$)", "who talked {rest}{who}"),
    (rf"{_DO} (?P<who>\S+ or \S+) {_TALK} (?:{_MOST}|{_MORE.replace('which', 'other')})\b{_END}", "who talked {rest}, {who}"),
    # "Who spoke most about X?", "Who talked about X the most?", "Who had the most to say?", "Who did most of the talking?"
    (rf"who (?:has |had )?(?:{_TALK}|said) {_MOST}\b{_END}", "who talked {rest}"),
    (rf"who (?:has |had )?(?:{_TALK}|said) (?P<rest>.+?) {_MOST}(?=[ ?.!]*$)", "who talked {rest}"),
    (rf"who had {_MOST} to say\b{_END}", "who talked {rest}"),
    (rf"who did {_MOST} (?:of the )?talking\b{_END}", "who talked {rest}"),
)
_MANY = re.compile(
    r"^(?:and )?how many (?:people|persons|speakers|talkers|of them) (?:(?:have|had|were|also) )*"
    rf"(?:{_TALK} about|{_DISCUSS}"
    r"|(?:took|taken|taking) part in (?:the |that )?(?:conversation|discussion|talk|chat|debate)s? (?:about|on|of))"
    r" (?P<rest>.+)",
    re.I,
)
_PATTERNS = tuple((re.compile(rf"^(?:and )?{pattern}", re.I), form) for pattern, form in _FORMS)
_TOO_MANY = 3
_SILENT = re.compile(r"\b(?:nobody|no one|none)\b|\b(?:not|never) (?:\w+ )?talk(?:ed)?\b|\btalk(?:ed)? (?:not|nothing)\b", re.I)
_NAMES = r"[\w'-]+(?:, [\w'-]+)*(?:,? and [\w'-]+)?"
_SEVERAL = re.compile(rf"\b{_DO} ({_NAMES} talk(?: (?:to|with) {_NAMES})?)(?=[ ,?.!]|$)|\btalked (?:to|with) ({_NAMES})(?=[ ,?.!]|$)", re.I)
_NAMELESS = re.compile(r"\b(?:about|on|of|over) (?:it|that|this|them)\b", re.I)


def duration_in(text: str) -> tuple[str, str]:
    """What a question asks of how long people talked, and the question without that.

    "length" is how long they did, "most" and "least" who did so for how long, "talkers" how many did; "" asks for nothing of the kind.
    """
    bare = FRAME.sub("", text)
    if (match := _MANY.match(bare)) is not None:
        return "talkers", f"what did they talk about {match['rest']}"
    for pattern, form in _PATTERNS:
        if (match := pattern.match(bare)) is not None:
            parts = {name: value.strip() for name, value in match.groupdict().items() if value is not None}
            which = (parts.pop("which", "") or parts.pop("other", "")).lower()
            return "least" if which in {"least", "less"} else "most" if which else "length", " ".join(form.format(**parts).split())
    return "", text


def duration_fault(text: str, speakers: Callable[[], Collection[str]]) -> str | None:
    """Why a question for a length of talk has none: it asks for silence, or of more than two people; None for any other.

    `text` is what `duration_in` left of it; `speakers` gives the names that the memory knows, if needed.
    """
    if _SILENT.search(re.split(r"\babout\b", text)[0]):
        return 'Echoic tells how long somebody talked, not how long they did not; ask "How long did Anna talk?"'
    match = _SEVERAL.search(text)
    if match is None:
        return None
    names = [name for name in re.split(r",? and |, | (?:to|with) | talk(?:ed)?\b", next(filter(None, match.groups()))) if name]
    known = {name.lower() for name in speakers()}
    if len(names) < _TOO_MANY or not any(name.lower() in known for name in names):
        return None
    return (
        f"The question names {len(names)} people ({', '.join(names)}); Echoic tells how long one person spoke, or two with each other: "
        f'ask "How long did {names[0]} and {names[1]} talk?"'
    )


def is_nameless(text: str) -> bool:
    """Whether a question speaks of a topic without naming it: "How long did they talk about it?"."""
    return _NAMELESS.search(text) is not None
