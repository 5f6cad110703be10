"""Whom a question names: somebody who said something, or two people who talked with each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches

from stages.recall import cues
from stages.recall.english import AUXILIARY
from stages.recall.own_voice import MY_NAMES
from stages.recall.terms import STOP_WORDS, tokens

_NEAR_NAME = 0.75
_ANYBODY = frozenset(["they", "people", "anybody", "anyone", "somebody", "someone", "everybody", "everyone", "others"])
_OTHERS = _ANYBODY | {"he", "she", "nobody"}
_SUBJECT = re.compile(rf"\b(?:{AUXILIARY}|should) (?!I\b)([\w'-]+)(?<!'s) ", re.I)
_HEARD_FROM = re.compile(r"\b(?:by|from|hear|heard|hearing)\s+(?:the\s+)?$", re.I)
_LABEL = re.compile(r"(?:guest|spk|mic|user|person|participant|voice|caller)[-_]?\d+", re.I)
"""As transcripts call people whose names they do not know."""
_APART = r"(?<![\w'-])"
_WITH = re.compile(
    r"\b(?P<aux>did|do|does|have|has|had|was|were) (?P<one>[\w'-]+) talk (?:(?:to|with) |(?P<topic>about .+?) with )(?P<other>[\w'-]+)",
    re.I,
)
_WHO_OF_TWO = re.compile(r"\bwho talked(?:(?P<topic> about [^,]+),| ?,?) (?P<one>[\w'-]+) or (?P<other>[\w'-]+)(?=[ ?.!]*$)", re.I)
_TALKED_TO = re.compile(
    r"\b(?P<aux>did|has|have|had|was|were) (?P<one>[\w'-]+) (?:ever |also |really )?"
    r"(?P<verb>talk(?:ed|ing)?|sp(?:eak|oke|oken|eaking)|chat(?:ted|ting)?) (?:to|with) (?P<other>[\w'-]+)",
    re.I,
)
_WHO_WITH = re.compile(r"\bwho talked (?:(?:to|with) |(?P<topic>about .+?) with )(?P<other>[\w'-]+)", re.I)

_ALONE = re.compile(r"^(?:and )?(?:who|where)(?:'s| is| was) (?P<who>[\w' -]+?)(?: (?:sitting|standing))?[ ?.!]*$", re.I)
_TALK = r"(?:talk(?:ed|ing)?|sp(?:eak|oke|oken|eaking)|chat(?:ted|ting)?|conversed?)"
_COMPANY = re.compile(
    rf"^(?:and )?(?:(?:who|which people)(?: (?:has|had|have|was|were|is|are))? {_TALK} (?:to|with) (?P<one>[\w'-]+)"
    r"|(?:who(?:m|ever)?|with whom|to whom) (?:did|does|do|has|have|had|was|were|is|am|are) (?P<other>[\w'-]+) "
    rf"{_TALK}(?: (?:to|with))?)[ ?.!]*$",
    re.I,
)


def company_asked(text: str, speakers: Callable[[], Collection[str]]) -> str | None:
    """The talker of whom a question asks who talked with them ("Who talked to Emma?", "Who did I talk to?"), by name; None for others.

    Who asks is the talker of such a name, or "me" where nobody has one.
    """
    match = _COMPANY.match(text)
    name = match["one"] or match["other"] if match is not None else None
    if name is None:
        return None
    known = {other.lower(): other for other in speakers()}
    if name.lower() in MY_NAMES:
        return next((known[own] for own in sorted(MY_NAMES) if own in known), "me")
    return known.get(name.lower()) or (name if name[:1].isupper() or cues.LABEL.fullmatch(name) else None)


def talkers_in(text: str, speakers: Callable[[], Collection[str]]) -> tuple[tuple[str, ...], str]:
    """Two talkers between whom something was said, and the question without them; a name that nobody has may be one of them."""
    known = {name.lower(): name for name in speakers()}
    match = cues.BETWEEN.search(text) or cues.TOGETHER.search(text)
    if match is None:
        return _talked_to(text, known)
    pair = tuple(known.get(match[side].lower(), match[side]) for side in ("one", "other"))
    are_known = [name.lower() in known for name in pair]
    if not any(are_known) or not all(one or name[:1].isupper() for one, name in zip(are_known, pair, strict=True)):
        return (), text
    left = " they " if "aux" in match.groupdict() else " "
    return pair, f"{text[: match.start()]} {match.groupdict().get('aux', '')}{left}{text[match.end() :]}"


def _talked_to(text: str, known: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """Two talkers of whom one talked to the other, and the question without them."""
    match = _TALKED_TO.search(text)
    if match is None or not {match["one"].lower(), match["other"].lower()} <= known.keys():
        return (), text
    pair = (known[match["one"].lower()], known[match["other"].lower()])
    return pair, f"{text[: match.start()]}{match['aux']} they {match['verb']}{text[match.end() :]}"


def company_in(text: str, speakers: Callable[[], Collection[str]]) -> tuple[tuple[str, ...], str]:
    """Who talked with whom where a length of talk is asked for ("what did Anna talk to Tom"), and the question without them.

    The one with whom anybody talked comes alone ("who talked with Anna"); of two people it may be asked which ("who talked, Anna or Ben").
    """
    match = _WITH.search(text) or _WHO_OF_TWO.search(text) or _WHO_WITH.search(text)
    if match is None:
        return (), text
    parts = match.groupdict()
    known = {name.lower(): name for name in speakers()}
    one, other, topic = parts.get("one") or "they", parts["other"], parts["topic"] or ""
    # What a topic was about may end with a name that nobody has: "about a trip with Lufthansa".
    if other.lower() not in known and ((match.re is not _WHO_OF_TWO and topic) or not other[:1].isupper()):
        return (), text
    if one.lower() not in known and one.lower() not in _ANYBODY and not one[:1].isupper():
        return (), text
    who = tuple(known.get(name.lower(), name) for name in (one, other) if name.lower() not in _ANYBODY)
    asks = f"{parts['aux']} they talk" if "aux" in parts else "who talked"
    return who, f"{text[: match.start()]} {asks} {topic} {text[match.end() :]}"


def alone_in(text: str, speakers: Callable[[], Collection[str]]) -> str | None:
    """The talker of whom a question asks nothing but who they are or where they were, by name; None for others."""
    match = _ALONE.match(text)
    return next((name for name in speakers() if name.lower() == match["who"].lower()), None) if match is not None else None


def asked_of(text: str, speakers: Callable[[], Collection[str]]) -> str:
    """A question with "What about Anna?" read as what it asks where Anna is a talker: what she said."""
    match = cues.WHAT_ABOUT.match(text)
    if match is None or match["who"].lower() not in {name.lower() for name in speakers()}:
        return text
    return f"what did {match['who']} say"


def named_in(text: str, speakers: Callable[[], Collection[str]]) -> tuple[str, ...]:
    """The words of a text that are names though they also are words that say nothing, such as Will; in lower case."""
    said = re.findall(r"[\w-]+", text)
    known = {word for name in speakers() for word in name.lower().split()} if said else set()
    return tuple(word.lower() for word in said if word.lower() in known or re.fullmatch(r"[A-Z][a-z]+", word))


def is_named(name: str, text: str) -> bool:
    """Whether a text has a name, given in lower case; one that is a word too counts where it is surely a name: "I asked Will"."""
    if name not in STOP_WORDS:
        return name in tokens(text)
    written = re.escape(name.capitalize())
    return re.search(rf"(?<=[\w,;] ){written}\b|\b{written}(?=[,.!?]|'s\b| and [A-Z])", text) is not None


def speaker_in(text: str, speakers: Callable[[], Collection[str]], *, anywhere: bool = False) -> tuple[str | None, str]:
    """The speaker that a question names, and the question without the name."""
    label = cues.LABEL.search(text)
    if label is not None and not anywhere and _is_object(text, label, speakers):
        text, label = cues.LABEL.sub(lambda match: f"speaker-{cues.DIGITS.get(match[1].lower(), match[1])}", text), None
    if label is not None:
        number = cues.DIGITS.get(label[1].lower(), label[1])
        filler = (
            "they" if re.search(r"\b(?:did|does|do|has|had|have|will|would|can|could|by|from)\s*$", text[: label.start()], re.I) else ""
        )
        return f"speaker-{number}", f"{text[: label.start()]} {filler} {text[label.end() :]}"
    if not (anywhere or cues.MAY_NAME.search(text)):
        return None, text
    told_of = {match.end("who") for match in cues.TOLD_OF.finditer(text)}
    first: tuple[int, int, str] | None = None
    for name in sorted(speakers(), key=lambda name: (-len(name), name)):
        known = re.escape(name)
        if anywhere:
            if re.search(rf"\b{known}\b", text, re.I):
                return name, text
            continue
        # Neither a co-host nor Ann's mum is the talker Host or Mum.
        role = rf"{_APART}(?:by|from)\s+{_named('source', known)}"
        role += rf"|{_APART}(?<!'s ){_named('teller', known)}(?=\s+{cues.TELLS})"
        match = next((match for match in re.finditer(role, text, re.I) if match.end() not in told_of), None)
        if match is not None:
            begin, end = match.span("source" if match["source"] else "teller")
            # "Did Ruth say Colin promised it?" asks what Ruth said.
            first = (begin, end, name) if first is None or begin < first[0] else first
    if first is not None:
        return first[2], f"{text[: first[0]]}they{text[first[1] :]}"
    for match in cues.NAMED.finditer(text):
        said = match[1] or match[2]
        begin, end = match.span(1 if match[1] else 2)
        if said.lower() not in cues.NOT_NAMES and end not in told_of:
            return said, f"{text[:begin]}they{text[end:]}"
    lower = cues.LOWER_NAMED.search(text)
    if lower is None or lower[1].lower() in cues.NOT_NAMES:
        return None, text
    # A name in small letters that is nearly that of somebody who was heard, or a label as transcripts have them ("guest-2").
    is_near = get_close_matches(lower[1].lower(), [name.lower() for name in speakers()], n=1, cutoff=_NEAR_NAME)
    if not is_near and not _LABEL.fullmatch(lower[1]):
        return None, text
    return lower[1], f"{text[: lower.start(1)]}they{text[lower.end(1) :]}"


def _is_object(text: str, label: re.Match[str], speakers: Callable[[], Collection[str]]) -> bool:
    """Whether somebody else does something where a label stands: "What did Walter ask speaker-4?" asks what Walter said."""
    if re.match(rf"\s+{cues.TELLS}", text[label.end() :], re.I) or _HEARD_FROM.search(text[: label.start()]):
        return False
    subject = _SUBJECT.search(text[: label.start()])
    if subject is None:
        return False
    return subject[1][:1].isupper() or subject[1].lower() in _OTHERS or subject[1].lower() in {name.lower() for name in speakers()}


def _named(group: str, known: str) -> str:
    """The pattern of a name that stands by itself, escaped already, with its article."""
    return rf"(?P<{group}>(?:the\s+)?{known})(?![\w'-])"
