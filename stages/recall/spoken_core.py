"""A question as people talk put plainly by rules: "The dog, well, did anybody bring that up at all, do you know?".

Fillers and asides go; of the clauses that are left the one that asks is kept; and what it leaves to others (what "it" is, who "she" is,
which time, which bearing, what was followed) is taken from them. Only words of the asker stand in it, beside those that tell its kind.
Where that is no clearer than what was said, nothing comes of it, and the question is read as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import cache

from stages.recall import cues
from stages.recall.absence_asked import absence_in
from stages.recall.english import QUESTION_WORD
from stages.recall.language import MOST_WORDS, is_order, may_be_foreign
from stages.recall.spoken_choices import offers_two, time_core
from stages.recall.spoken_clauses import Clause, clauses, evened
from stages.recall.spoken_forms import Asking, asking_in
from stages.recall.spoken_overviews import missed_core, order_core, overview_core, window_of
from stages.recall.spoken_topics import PRONOUN, SPEAKS, as_topic, names_in, talker_of, topic_of
from stages.recall.terms import content_terms, content_words, tokens

_MOST_PLAIN = 17
_OF_FOLLOWED = 8
_MOST_PLAIN_PARTS = 2
_LEAST_FACT_TERMS = 2
_MOST_OWN_TERMS = 2
_OF_KIND = 2.0
_KIND = cues.WH | cues.KIND_WORDS
_JOINING = frozenset(["and", "but", "so", "or"])
_TOLD_TO = re.compile(
    r"(?:catch (?:me|us) up|(?:bring|get) (?:me|us) up to speed|(?:give|tell) (?:me|us)|summ?ari[sz]e|recap|play|show|list)\b", re.I
)
"""How a plain question begins that is put as what is to be done."""
_REMINDED = re.compile(rf"(?:please |(?:can|could) you (?:please )?)*remind me,? (?:again,? )?(?:{QUESTION_WORD}|whose|if|whether)\b", re.I)
"""What is to be told again is asked, and to be reminded of something later is not."""
_COLLOQUIAL = re.compile(
    r"\b(?:on about|br(?:ing|ought) up|com(?:e|es|ing) up|came up|get mentioned|got (?:mentioned|said)|(?:who|what|when|where) was it"
    r"|(?:was|were|is) [\w-]+ saying"
    r"|(?:have|has|had|got) to say|been (?:talking|saying)|anyone (?:talk|mention))\b",
    re.I,
)
_NO_TOPIC = re.compile(r"(?:after|before|between|last|this|in|at|on|to|yesterday|today|when|while|during|since|until)\b", re.I)
"""How the time or the place begins of what was said."""
_OBJECT = re.compile(rf"\b(?:about|of|on|mention(?:ed)?|discuss(?:ed)?) (?P<it>{PRONOUN})\b", re.I)
_AFTER_THAT = re.compile(r"\b(?:after|before) (?:that|this|it)\b", re.I)
_TOLD_INDIRECTLY = re.compile(
    r"(?P<what>what|who|when|where|why|how (?!many\b|much\b)\w+) (?P<rest>(?:the|that|this|those|their|it|he|she|they)\b.*) (?P<is>is"
    r"|was|are|were)$",
    re.I,
)
_SOMEBODY = re.compile(
    r"\b(?:somebody|someone|some (?:people|bloke|man|woman|guy|girl|lady)|one of (?:them|these|those|you|the)(?: \w+){0,2}?|a (?:man"
    r"|woman|voice)|people|they)"
    r"(?: must have| has| have| had| is| was| were|'s| kept)?(?: been)? (?P<what>.+)$",
    re.I,
)
_THING = re.compile(
    rf"(?<!\bthe )(?<!\bwhich )(?<!\bit )(?!one\b)\b(?!(?<=is |as )it (?:that|who|they|he|she|we|you)\b)(?:{PRONOUN}"
    rf"|there)\b(?!')(?! (?:was|were) (?:to|a)\b)",
    re.I,
)
_OF_ASKER = re.compile(r"\b(?:i|i'\w+|me|my|we|we'\w+|us|our|you)\b", re.I)
_SOMEONE = re.compile(r"\b(?:he|she|him|her)\b", re.I)
_ADVERB = re.compile(r" (?:actually|really|exactly|again|anyway|at all|now then)\b(?=[ ?]|$)", re.I)


def core_question(text: str, speakers: Callable[[], Collection[str]]) -> str | None:
    """A plain question for one that is not put plainly, None where it cannot be made plainer.

    `speakers` gives the names that the memory knows, if needed.
    """
    said = evened(text)
    words = tokens(said)
    if not words or len(words) > MOST_WORDS or may_be_foreign(said) or (is_order(said) and not _REMINDED.match(said)):
        return None
    known = cache(lambda: tuple(speakers()))
    if '"' in said or cues.ABOUT_ASKER.search(said) or absence_in(said, None, known)[0]:
        return None
    parts = clauses(said)
    of_time = time_core(parts) if parts else None
    if not parts or (of_time is None and _is_plain(said, parts)):
        return None
    found = of_time or missed_core(said, parts, known) or order_core(parts) or overview_core(said, parts)
    if found is None and not offers_two(parts):
        found = _asked(said, parts, known)
    if found is None:
        return None
    core = _finished(found)
    kept = {*re.findall(r"\d+", core)}
    everybody = {name.lower() for name in known()}
    named = {name.lower() for name in names_in(said, known)} & everybody
    if tokens(core) == words or not kept >= set(re.findall(r"\d+", said)) or any(name not in core.lower() for name in named):
        return None
    return core


def _is_plain(said: str, parts: Sequence[Clause]) -> bool:
    """Whether a question asks right away and in the usual words, in one sentence or after one that tells what was followed."""
    words = [word for part in parts for word in tokens(part.text)]
    is_followed = cues.WHILE.search(said) is not None or cues.BUSY.search(said) is not None
    if len(words) > _MOST_PLAIN + _OF_FOLLOWED * is_followed or words != [
        word for word in tokens(said) if word not in _JOINING or word in words
    ]:
        return False
    if (
        is_followed
        and len(parts) <= _MOST_PLAIN_PARTS
        and all(part.asks or cues.WHILE.match(part.text) or cues.BUSY.match(f"{part.text}.") for part in parts)
    ):
        return True
    if _TOLD_TO.match(said):
        return len(parts) == 1
    asking = asking_in(parts[0].text)
    is_usual = asking.kind == "fact" or asking.is_usual or not _COLLOQUIAL.search(said)
    return is_usual and parts[-1].sentence == 0 and all(part.asks for part in parts)


def _asked(said: str, parts: Sequence[Clause], speakers: Callable[[], Collection[str]]) -> str | None:
    """The plain question of the clause that asks most."""
    askings = {place: asking_in(part.text) for place, part in enumerate(parts) if part.asks}
    weights = {place: _weight(parts[place], asking) + place / 100 for place, asking in askings.items() if asking.kind != "where"}
    if not weights:
        return None
    place = max(weights, key=lambda place: weights[place])
    asking = askings[place]
    where = " , and where in the room" if any(other.kind == "where" for other in askings.values()) else ""
    made = _made(parts, place, asking, where, speakers)
    if made is None:
        return None
    for constraint in (window_of(said), _bearing(said)):
        if constraint and not set(re.findall(r"\d+", constraint)) <= set(re.findall(r"\d+", made)):
            made = f"{made} {constraint}"
    return made


def _weight(part: Clause, asking: Asking) -> float:
    n_own = len(content_words(part.text, drop=_KIND))
    return part.asks + min(n_own, 3) * 0.5 + (0.0 if asking.kind in {"fact", "what was that"} else _OF_KIND)


def _bearing(said: str) -> str:
    found = cues.BEARING.findall(said)
    return f"at {found[0]} degrees" if len(found) == 1 else ""


def _made(parts: Sequence[Clause], place: int, asking: Asking, where: str, speakers: Callable[[], Collection[str]]) -> str | None:
    if _NO_TOPIC.match(asking.topic):
        return parts[place].text
    topic = as_topic(asking.topic) if asking.topic else None
    names = {name for part in parts for name in names_in(part.text, speakers)}
    own = topic or topic_of(parts, place, names)
    if asking.kind == "what was that":
        who = talker_of(parts, place, speakers, of_many=True)
        return _fact(parts, place, own) if who is None else f"what did {who} say about {own}" if own is not None else None
    if asking.kind == "who did" and (done := _done_by_somebody(parts, place)) is not None:
        return f"who {done}"
    if asking.kind in {"who", "who did"}:
        return None if own is None else f"who talked about {own}{where}"
    if asking.kind in {"say", "when said"}:
        who = _talker(parts, place, asking, speakers)
        if who is None:
            return None
        if asking.kind == "say":
            return f"what did {who} say about {own}" if own is not None else f"what did {who} say" if who != "they" else None
        what = asking.topic if asking.topic else _told(parts, place, own)
        return None if what is None else f"when did {who} say {what}"
    if asking.kind == "mentioned":
        return None if own is None else f"did anybody mention {own}"
    if asking.kind == "count":
        if own is not None and own.lower().startswith("the word "):
            return f"how often was {own} said"
        return None if own is None else f"how many times did somebody mention {own}"
    return _fact(parts, place, own)


def _talker(parts: Sequence[Clause], place: int, asking: Asking, speakers: Callable[[], Collection[str]]) -> str | None:
    """Who is said to have spoken: a name, or "they" for anybody; None where "he" or "she" is nobody who was named."""
    who = asking.who
    if who.lower() not in {"he", "she", "they", "that person", "the person", "people", "", "somebody", "someone", "it"}:
        return who
    of_many = who.lower() in {"they", "people", "somebody", "someone", "it"}
    named = talker_of(parts, place, speakers, of_many=of_many)
    return named or ("they" if of_many or not who else None)


def _done_by_somebody(parts: Sequence[Clause], place: int) -> str | None:
    """What somebody is told to have done in the clause before ("somebody led the way there"), where that is no talk."""
    for part in reversed(parts[:place]):
        if (match := _SOMEBODY.search(part.text)) is not None:
            if re.search(rf"\b{SPEAKS}\b", match["what"], re.I):
                return None
            what = match["what"]
            topic = topic_of(parts, parts.index(part))
            if topic is not None and _THING.search(what):
                what = _THING.sub(topic, what, count=1)
            return what if len(content_terms(what)) >= _LEAST_FACT_TERMS else None
    return None


def _told(parts: Sequence[Clause], place: int, topic: str | None) -> str | None:
    """What somebody is told to have said before one asks when: "how many birds were counted"."""
    for at in range(place - 1, -1, -1):
        match = re.search(rf"\b{SPEAKS}(?: \w+)?? (?P<what>(?:{QUESTION_WORD}|whose|that)\b.+)$", parts[at].text, re.I)
        if match is not None:
            return match["what"]
        if re.match(rf"(?:{QUESTION_WORD})\b", parts[at].text, re.I) and len(content_terms(parts[at].text)) > 0:
            return _THING.sub(topic, parts[at].text, count=1) if topic is not None else parts[at].text
        match = re.search(r"\b(?:came out with|mentioned|told (?:us|them|me)) (?P<what>(?:the|a|an) .+)$", parts[at].text, re.I)
        if match is not None:
            return match["what"]
    return f"something about {topic}" if topic is not None else None


def _fact(parts: Sequence[Clause], place: int, topic: str | None) -> str | None:
    """A question for a fact, with what it calls "it" by name."""
    text = _ADVERB.sub("", parts[place].text) if len(parts) > 1 else parts[place].text
    n_own = len(content_terms(text, drop=_KIND))
    if any(part.sentence == parts[place].sentence and not _OF_ASKER.search(part.text) for part in parts[place + 1 :]):
        # "How did she take it, when the glass broke?", "in his opinion": what stands behind a question belongs to it.
        return None
    if len(parts) == 1 or _AFTER_THAT.search(text):
        return _inverted(text)
    if len(parts) > 1 and _SOMEONE.search(text):
        # Who "he" is stands elsewhere, and a fact that is asked of him is another without it.
        return None
    if n_own <= _MOST_OWN_TERMS and topic is not None and (match := _OBJECT.search(text) or _named_by_pronoun(text, topic)):
        begin, end = match.span("it" if "it" in match.groupdict() else 0)
        text = f"{text[:begin]}{topic}{text[end:]}"
    is_naming = re.match(r"what(?:'s| is| was| are| were) (?!.*\bof\b)", text, re.I) is not None and n_own == 0
    is_whole = is_naming or (n_own > 0 and topic is None and _THING.search(text) is None)
    return _inverted(text) if len(content_terms(text)) >= (1 if is_whole else _LEAST_FACT_TERMS) else None


def _named_by_pronoun(text: str, topic: str) -> re.Match[str] | None:
    """The pronoun of a clause that stands for the topic: not "they" who do something with it, nor for a single thing."""
    found = list(_THING.finditer(text))
    if found and found[0][0].lower() == "they" and (len(found) > 1 or not topic.endswith("s")):
        return found[-1] if len(found) > 1 else None
    return found[0] if found else None


def _inverted(text: str) -> str:
    """A question that was told indirectly ("what the new teacher's name is") as one that is asked."""
    match = _TOLD_INDIRECTLY.match(text)
    return text if match is None else f"{match['what']} {match['is']} {match['rest']}"


def _finished(text: str) -> str:
    """A text as a question: with a capital, and a mark at its end."""
    words = re.sub(r"\s+([,?.!])", r"\1", " ".join(text.split())).strip(" ,.?!")
    mark = "." if re.match(r"(?:give|catch)\b", words, re.I) else "?"
    return f"{words[0].upper()}{words[1:]}{mark}"
