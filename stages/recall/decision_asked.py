"""Questions for what was settled: "What did they decide?", "What was agreed about the party?", "Was anything decided?"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

_DO = r"(?:did|do|have|has|had)"
_BE = r"(?:(?:was|were|is|are|has been|have been|had been|got|gets)|'s(?: been)?)"
_OFTEN = r"(?:(?:all|both|finally|then|now|just|also|really|ever|actually|already|jointly|together) )*"
_DECIDED = r"(?:decided?|agreed?|settled?|concluded?|resolved?|planned|plan|arranged?)"
_THING = r"(?:decisions?|agreements?|conclusions?|resolutions?|arrangements?)"
_MADE = r"(?:made|make|reached|reach|taken|take|took|came to|come to|drawn|draw)"
# "What have they settled on for the railing?" and "What was planned for supper?" ask for a fact.
_ABOUT = (
    r" (?:(?:to do )?(?:about|regarding|concerning|with regard to|with respect to|as to)|on|upon|over)"
    r" (?P<topic>(?!(?:for|after|before|in|at|during|when|over)\b)\w.*?)"
)
_END = r"(?=[ ?.!]*$)"
_TAIL = rf"(?:(?: on| upon| to do| to| about)?{_END}|{_ABOUT}{_END})"
_WHO = r"(?P<who>\S+(?: \S+){0,4}?)"
_FORMS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(rf"^(?:and |so |but )?{pattern}", re.I)
    for pattern in (
        rf"what(?: exactly| else)? {_DO} {_WHO} {_OFTEN}{_DECIDED}{_TAIL}",
        rf"what {_WHO} {_OFTEN}(?:decided|agreed|settled|concluded|planned|arranged){_TAIL}",
        rf"what(?: exactly| else)? ?{_BE} {_OFTEN}{_DECIDED}{_TAIL}",
        rf"(?:what|which) {_THING} {_DO} {_WHO} {_OFTEN}{_MADE}{_TAIL}",
        rf"(?:what|which) {_THING} {_BE} {_OFTEN}(?:there|{_MADE}){_TAIL}",
        rf"what ?{_BE} (?:the|their|our) (?:final )?{_THING}(?: {_MADE})?{_TAIL}",
        rf"what ?{_BE} the (?:outcome|result|upshot) (?:of|from) the (?:discussion|meeting|talk|(?P<topic>vote)){_END}",
        rf"(?:(?:list|repeat|read|show|tell|give)(?: me| us)? )?(?:all )?(?:the |any )?(?:final )?{_THING}(?: {_MADE})?{_TAIL}",
    )
)
_WHETHER: tuple[re.Pattern[str], ...] = tuple(
    re.compile(rf"^(?:and |so |but )?{pattern}", re.I)
    for pattern in (
        rf"(?:did|have|has|had) {_WHO} {_OFTEN}(?:decided?|agreed?|settled?|concluded?)(?: on| upon| to)? (?:anything|something){_TAIL}",
        rf"(?:did|have|has|had) {_WHO} {_OFTEN}{_MADE} (?:any|a|some) {_THING}{_TAIL}",
        rf"(?:was|were|has|have|is|are) (?:anything|something) (?:been )?{_OFTEN}{_DECIDED}{_TAIL}",
        rf"(?:was|were|has|have|is|are) (?:there )?(?:any|a|some) {_THING}(?: been)?(?: {_MADE})?{_TAIL}",
    )
)
_OF_TOPIC = r"(?P<topic>(?!(?:anything|something|what|which|who|whose|when|where|why|how|if|whether|for|after|before|in|at|during)\b)\w.*?)"
_WHETHER_OF: tuple[re.Pattern[str], ...] = tuple(
    re.compile(rf"^(?:and |so |but )?{pattern}", re.I)
    for pattern in (
        rf"(?:did|have|has|had) {_WHO} {_OFTEN}(?:decided?|agreed?|settled?) (?:on|upon|about) {_OF_TOPIC}{_END}",
        rf"(?:was|were|has|have|is|are) (?P<topic>(?:an?|any|some) .+?) (?:been )?{_OFTEN}(?:decided|agreed|settled) ?(?:on|upon)?{_END}",
    )
)
_ANYTHING = re.compile(rf"\b(?:anything|something|{_THING})\b", re.I)
_GROUP = re.compile(
    r"^(?:they|we|you|people|everybody|everyone|you all|we all|both"
    r"|(?:the|those|these|both) (?:two|three|four|others|ones|guys|lot|people|group|room|table))$",
    re.I,
)
_ASIDE = re.compile(r"^(?:it|that|this|them|there)$", re.I)


def decision_in(text: str, speakers: Callable[[], Collection[str]] = tuple) -> tuple[str, str]:
    """Whether a question asks for what was settled ("what"), or if anything was ("did_anybody"; "" for neither), and what it is about.

    What is left asks what was said by whom about what: the times and places of a question are taken out of it before. What a board or
    somebody's brother decided is a fact that somebody told; `speakers` gives the names that the memory knows, if needed.
    """
    bare = " ".join(text.split())
    for intent, forms in (("what", _FORMS), ("did_anybody", _WHETHER), ("did_anybody", _WHETHER_OF)):
        for form in forms:
            if (match := form.match(bare)) is not None and (who := _who(match.groupdict().get("who"), speakers)):
                topic = match["topic"]
                if topic and _ASIDE.match(topic):
                    # What "it" is stands in an earlier question, and all decisions are another thing.
                    return "", text
                about = f" about {topic}" if topic else ""
                return intent, f"what did {who} {'talk' if ' and ' in who else 'say'}{about}"
    return "", text


def asks_whether_of(text: str) -> bool:
    """Whether a question for what was settled, of yes or no, names the thing of which it asks that: "Did they agree on a date?"."""
    return _ANYTHING.search(text) is None


def _who(who: str | None, speakers: Callable[[], Collection[str]]) -> str:
    """Those who settled something, as a question for what they said has them; "" for people who were not in the room."""
    if who is None or _GROUP.match(who):
        return "they"
    known = {name.lower() for name in speakers()}
    names = [name.removeprefix("the ") for name in re.split(r",? and ", who.lower())]
    return who if len(names) <= 2 and all(name in known or re.fullmatch(r"(?:speaker|talker)[- ]?\w+", name) for name in names) else ""
