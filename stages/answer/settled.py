"""What people agreed on: a decision told as such, a proposal or a choice that somebody else accepted, or a vote with its outcome."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from pipeline.packets import nanoseconds
from stages.answer.moods import reads_like_order
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.english import WEEKDAY, is_question
from stages.recall.terms import coverage, is_irregular, stems, tokens
from stages.recall.untranscribed import is_untranscribed
from stages.recall.word_lists import word_set

_REPLY_NS = nanoseconds(6.0)
VOTE_NS = nanoseconds(60.0)
"""How long after a vote was called its outcome may come."""
_MOST_CHOICE_WORDS = 7
_WHO = r"(?:we|they|everybody|everyone|(?:the|our) (?:board|committee|council|class|team|group|family|majority))"
_DECIDED = re.compile(
    rf"\b{_WHO}(?:'ve| have|'re| are| has)? (?:all |both |now |finally |just )*(?:agreed|decided|settled (?:on|that|for|the)|have settled"
    r"|voted (?:for|to|in favou?r|against))\b(?! (?:nothing|to disagree|with)\b)"
    r"|\b(?:i|we)(?:'ve| have)? (?:now |finally |just )*(?:decided|made up (?:my|our) minds?)\b"
    r"|\b(?:it'?s|that'?s|it is|that is) (?:all )?(?:agreed|settled|decided|a deal|a plan|final)\b"
    r"|\b(?:motion|proposal|vote|plan)(?: is| was| has been|'s)? (?:carrie[ds]|passe[ds]|approved|adopted|accepted)\b"
    r"|\b(?:the|our) (?:final )?decision (?:is|was) (?!up\b|not\b|yours|made by)",
    re.I,
)
_DOUBTED = re.compile(
    r"\b(?:no|not|never|nobody|nothing|hardly|if|unless|whether|until|till|before|once|when|should|must|wish|pretend)\b|n't\b", re.I
)
"""What stands before a decision in its sentence and leaves it open."""
_IT_IS = re.compile(
    r"(?:^|[,.;!:] ?|\b(?:then|so) )\W{0,3}(?:(?:ok|okay|right|fine|good|so|well|then|all right|alright)[, ]+)*"
    r"(?P<what>[\w'-]+(?: [\w'-]+){0,4}) it is(?:,? then)?(?=[.!]|$)",
    re.I,
)
"""The courtyard it is."""
_NO_CHOICE = word_set(
    """
    what how that as like where who whatever wherever which when why yes no here there so think know see say course indeed sure
    certainly guess believe because if than is are was were i you he she we they course enough pity such until time hope told
    """
)
_PROPOSED = re.compile(
    r"\b(?:let'?s|let us) (?!see\b|say\b|hope\b|face\b|hear\b|just say\b|be honest\b|assume\b|wait and see\b|talk\b|think\b)"
    r"|\b(?:shall we|should we|how about|what about|why don'?t we|i suggest|i propose|i'?d suggest|we'?d better|we might as well)\b"
    r"|\bwe(?: should| could| will| can| must|'ll)\b(?!'t| not\b| never\b| have \w+(?:ed|en|t)\b)"
    r"(?! (?:only |just |all |still )?(?:know|see|hear|feel|miss|remember|like|love|believe|need)\b)"
    r"|\b(?:then|so) we (?P<verb>[a-z]+)",
    re.I,
)
_TOLD_VERBS = word_set("are were was have had did do got went could should would might may need want know think said made")
"""What follows in "So we were late", which proposes nothing."""
_LET_US = re.compile(r"\b(?:let'?s|let us) (?!see\b|say\b|hope\b|hear\b|start|begin|go on|move on|continue|talk\b|think\b|wait\b)", re.I)
_OPENER = r"(?:ok|okay|right|fine|good|then|all right|alright)"
_NOUN = (
    r"(?:the|a|an|my|our|your|this|that|next|on|at|in|for|(?-i:[A-Z][a-z]+)|\d[\w.:]*|one|two|three|four|five|six|seven|eight|nine|ten"
    rf"|eleven|twelve|half|{WEEKDAY}|tomorrow|tonight)"
)
_CHOICE = re.compile(
    rf"^\W*(?:(?:{_OPENER}[, ]+)+(?P<named>{_NOUN}\b[^?]*)|(?P<then>[^?,]+?),? then\W*|(?:{_OPENER}[, ]+|so[, ]+)*"
    rf"(?:then|so) it(?:'s| is| will be|'ll be) (?:going to be )?{_NOUN}\b[^?]*)$",
    re.I,
)
"""What is chosen without a verb of its own: "Courtyard then", "Okay, the nineteenth of July"; or "Then it is the courtyard"."""
_SAYS_MORE = re.compile(
    r"\b(?:i|you|he|she|we|they|there|who|what|is|are|was|were|has|have|had|did|does|do|will|would|can|could|should|not|no|see|thank"
    r"|thanks|bye|go|come|back|now|even|since|just|only|until|till)\b|n't\b|'(?:s|m|re|ve|ll|d)\b",
    re.I,
)
_AGREEING = (
    r"agreed|deal|done|that works|works for me|that(?:'s| is) (?:fine|okay|ok|good|perfect)|(?:fine|okay|ok|good) (?:by|with|for) me"
    r"|sounds (?:good|great|fine|like a plan)|i agree|i'?m in|count me in|i'?m fine with|good idea|great idea|perfect|so be it|settled"
    r"|let'?s do (?:that|it|so)"
)
_AGREED = re.compile(
    rf"^\W*(?:(?:yes|yeah|yep|ok|okay|well|good|great|right|sure|all right|alright|fine)[,.! ]+)*(?:{_AGREEING}"
    r"|ok|okay|fine|all right|alright)\b",
    re.I,
)
_ACCEPTED = re.compile(
    r"^\W*(?:yes|yeah|yep|okay|ok|sure|fine|all right|alright|absolutely|of course|definitely|good|great|why not"
    rf"|{_AGREEING})\b(?!,? but\b)",
    re.I,
)
_REFUSED = re.compile(r"\b(?:no|not|never|but|however)\b|n't\b", re.I)
_KINDLY = re.compile(r"\b(?:no problem|no worries|why not|no doubt|not at all|don't worry)\b\W*", re.I)
_OBJECTED = re.compile(
    r"^\W*(?:(?:oh|well|hm+|wait|sorry)[, ]+)*(?:no|nope|but|wait|hold on|never|not|i can't|i cannot|i won't|i don't|we can't)\b", re.I
)
_COUNT = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|none|nobody|zero|nil)"
_VOTING = re.compile(
    r"\bvot(?:e|es|ed|ing)\b|\bshow of hands\b|\bhands up\b|\braise (?:your|a) hands?\b|\b(?:all|who(?:'s| is)) in favou?r\b", re.I
)
_TO_HOLD = re.compile(
    r"^,? to (?:(?:hold|have|take|do|start|begin|open|call|delay|postpone|move|leave|keep)(?: (?:the|a|an|our|this|that|one))? )?"
    r"(?!vote (?:for|against|to)\b)(?P<what>[\w'-]+(?: [\w'-]+)?)",
    re.I,
)
_BEFORE_IT = re.compile(r"^[^.!?;]*? before (?:(?:the|a|an|our|this|that|one) )?(?P<what>[\w'-]+(?: [\w'-]+)?)", re.I)
_VOTE = ("vote",)
_OUTCOME = re.compile(
    rf"\b{_COUNT}(?: votes?)? (?:to|against) {_COUNT}\b|\b{_COUNT} votes? (?:for|to|against)\b|\bmajority\b|\bunanimous|\bcarried\b", re.I
)


def settled(lines: Sequence[LineRow]) -> tuple[LineRow, ...]:
    """The last thing that was agreed in a conversation; nothing where nothing was.

    It is the line that says so, or a proposal (a choice) and the line that accepted it.
    """
    found = settlements(lines)
    return found[-1] if found else ()


def settlements(lines: Sequence[LineRow]) -> list[tuple[LineRow, ...]]:
    """Everything that was agreed in a conversation, by start, each as `settled` has it.

    `lines` are those of one conversation. An answer that takes anything back accepts nothing, and what somebody else objects to at once is
    not settled. Opinions and proposals that nobody took up settle nothing either.
    """
    ordered = [
        line
        for line in sorted(lines, key=lambda line: (line.start_ns, line.id))
        if not is_untranscribed(line) and not reads_like_order(line.text)
    ]
    found: list[tuple[LineRow, ...]] = []
    accepting: set[str] = set()
    for place, line in enumerate(ordered):
        if _tells(line.text) or _is_outcome(ordered, place):
            if line.id not in accepting:
                found.append((line,))
            continue
        after = _reply(ordered, place)
        if after is not None and line.id not in accepting and _takes_up(line.text, ordered[after].text):
            if not _is_objected(ordered, after):
                found.append((line, ordered[after]))
                accepting.add(ordered[after].id)
        elif line.id not in accepting and _accepts_and_says(ordered, place) and not _is_objected(ordered, place):
            found.append((line,))
    return found


def decides_before(text: str, terms: Collection[str]) -> bool:
    """Whether a line tells of a decision that came before something, named by its stems: to hold it, or what to do before it."""
    for match in _DECIDED.finditer(text) if _tells(text) else ():
        named = [_TO_HOLD.match(text[match.end() :]), _BEFORE_IT.match(text[match.end() :])]
        if any(one is not None and coverage(tuple(terms), stems(one["what"])) == 1.0 for one in named):
            return True
    return False


def vote_called(lines: Sequence[LineRow]) -> LineRow | None:
    """The line with which the first vote began of which a conversation, by start, has the outcome; None where it has none."""
    for place, line in enumerate(lines):
        if _is_outcome(lines, place):
            return next((other for other in _voting(lines, place) if not decides_before(other.text, _VOTE)), line)
    return None


def _tells(text: str) -> bool:
    """Whether a line tells a decision by itself."""
    if is_question(text):
        return False
    for match in _DECIDED.finditer(text):
        sentence = re.split(r"[.!?;]", text[: match.start()])[-1]
        if not _DOUBTED.search(sentence):
            return True
    return any(_NO_CHOICE.isdisjoint(tokens(match["what"])) and not _DOUBTED.search(match["what"]) for match in _IT_IS.finditer(text))


def _is_outcome(ordered: Sequence[LineRow], place: int) -> bool:
    """Whether a line tells how a vote that was just called went."""
    text = ordered[place].text
    return not is_question(text) and _OUTCOME.search(text) is not None and bool(_voting(ordered, place))


def _voting(ordered: Sequence[LineRow], place: int) -> list[LineRow]:
    """The lines just before one that speak of voting."""
    start_ns = ordered[place].start_ns
    return [other for other in ordered[:place] if start_ns - other.end_ns <= VOTE_NS and _VOTING.search(other.text)]


def _reply(ordered: Sequence[LineRow], place: int) -> int | None:
    """The place of the next line of somebody else, if it comes soon enough to be a reply."""
    line = ordered[place]
    for later in range(place + 1, len(ordered)):
        if ordered[later].start_ns - line.end_ns > _REPLY_NS:
            return None
        if speaker_of(ordered[later]) != speaker_of(line):
            return later
    return None


def _takes_up(said: str, reply: str) -> bool:
    """Whether a reply accepts what was proposed or chosen."""
    opening = _KINDLY.sub(" ", re.split(r"(?<=[.!?])\s", reply.strip())[0])
    if opening.endswith("?") or _REFUSED.search(_KINDLY.sub(" ", reply)):
        return False
    return (_proposes(said) and _ACCEPTED.search(reply) is not None) or (_chooses(said) and _AGREED.search(reply) is not None)


def _proposes(text: str) -> bool:
    return any(not _is_told(match["verb"]) for match in _PROPOSED.finditer(text))


def _is_told(verb: str | None) -> bool:
    """Whether the verb after "so we" is of a story rather than of a plan."""
    return verb is not None and (verb.lower() in _TOLD_VERBS or verb.lower().endswith("ed") or is_irregular(verb.lower()))


def _chooses(text: str) -> bool:
    match = _CHOICE.match(text.strip())
    if match is None or len(tokens(text)) > _MOST_CHOICE_WORDS:
        return False
    return not _SAYS_MORE.search(match["named"] or match["then"] or "")


def _accepts_and_says(ordered: Sequence[LineRow], place: int) -> bool:
    """Whether a line takes up what somebody else just said, and says what: "Fine, let's take the train"."""
    line = ordered[place]
    before = ordered[place - 1] if place else None
    if before is None or speaker_of(before) == speaker_of(line) or line.start_ns - before.end_ns > _REPLY_NS:
        return False
    is_statement = not is_question(line.text) and not _REFUSED.search(line.text)
    return is_statement and _ACCEPTED.search(line.text) is not None and _LET_US.search(line.text) is not None


def _is_objected(ordered: Sequence[LineRow], place: int) -> bool:
    """Whether the line after one objects to what that accepted."""
    after = ordered[place + 1] if place + 1 < len(ordered) else None
    if after is None or after.start_ns - ordered[place].end_ns > _REPLY_NS or speaker_of(after) == speaker_of(ordered[place]):
        return False
    return _OBJECTED.search(after.text) is not None and not _KINDLY.search(after.text)
