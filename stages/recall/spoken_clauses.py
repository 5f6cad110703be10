"""The clauses of a question as people talk: without what is only said to fill, and which of them ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stages.recall.english import ANY_QUESTION_WORD, AUXILIARY, QUESTION_WORD

_TAG = (
    r"(?:(?:is|are|was|were|do|does|did|has|have|had|ca|wo|would|could|should|must|need|ai)n't|won't|can't|is|are|did|was) "
    r"(?:i|it|he|she|they|you|we|there|that)(?: not)?"
)
_HUMS = r"(?:u[mh]+|uhm|e+r+m?|h+m+|mm+|a+h+|oh+|o+h dear|aw+|ugh|ouch|huh|eh|ooh|ha(?:ha)*)"
_SURE = r"(?:(?:fairly|pretty|quite|almost|really|rather|sort of|kind of) )?"
_FILL = (
    rf"{_HUMS}|oh (?:my|boy|no|dear|gosh)|(?:my )?(?:gosh|goodness)(?: me)?|dear me|you (?:know|see)(?: what)?|i mean|mind you|hang on"
    rf"|hold on"
    r"|wait(?: a (?:sec|second|minute|moment))?|(?:just )?(?:a|one) (?:sec|second|moment|minute)|let me (?:think|see|start again)"
    r"|(?:i'm |so |i am |really |terribly )*sorry(?: (?:about that|to (?:bother|trouble|interrupt) you|to ask|if that's rude))?"
    r"|excuse me|pardon(?: me)?"
    r"|honestly|frankly|seriously|basically|actually|literally|really|truly|obviously|clearly|apparently|evidently|annoyingly|sadly"
    r"|anyway|anyhow|well|right|righto|right then|okay|ok|so|now|now then|then|like|yeah|yes|yep|no|nope|look|listen|here|there|though"
    r"|again|and|but|or"
    r"|(?:my |me )?(?:love|dear|darling|mate|pal|buddy|friend|sweetheart|honey|duck|man|dude|old (?:chap|boy|friend))"
    r"|hey|hi|hiya|hello|echoic|cheers|ta|thanks(?: a (?:lot|million|bunch)| so much| very much)?|thank you(?: (?:so|very) much)?|please"
    r"|kindly"
    r"|if (?:you|i) (?:don't |wouldn't )?(?:please|mind|may|might|can|could|know|remember|like|will|can tell|could tell me)(?: my asking"
    r"| me asking)?"
    r"|if it(?: isn't| is not|'s not|'s) (?:too much|no|any|not any) (?:bother|trouble)|if (?:anything|at all|possible|so)"
    r"|to be (?:honest|frank|fair|sure|precise)"
    r"|to tell (?:you )?the truth|truth be told|in all honesty|i must (?:say|admit|confess)|i have to (?:say|admit)|i dare say"
    r"|needless to say"
    r"|don't you (?:think|know|agree)|wouldn't you say|would you say|as far as i (?:know|could tell|can tell|remember)|by the way"
    r"|just (?:asking|curious|wondering)"
    r"|(?:do|did|would|could|can|will) you(?: (?:know|remember|recall|think|say|tell|catch (?:it|that)|hear (?:it|that)|check(?: that)?"
    r"|count (?:them|it)))?"
    r"|(?:do|would|could|can|will) you (?:please )?(?:tell|help) me|(?:just |please )?tell me|remind me(?: again)?|help me out"
    r"|any (?:idea|ideas|clue|chance|thoughts)"
    rf"|(?:i (?:just )?(?:think|guess|suppose|reckon|believe|gather|gathered|imagine|presume|wonder|know|bet)|i'm {_SURE}(?:sure|certain"
    rf"|afraid|curious)"
    r"|i was wondering|i wonder)(?: (?:of it|of that|so|it|that))?|unless i'm mistaken|if i'm not mistaken|or (?:something|so|whatever"
    r"|not|what|thereabouts)"
    r"|(?:or )?whatever (?:you|they) call (?:it|them)|for (?:one|instance|example|once)|believe it or not|quick(?: one| question)"
    r"|one (?:more|quick) (?:thing|question)"
    r"|go on|come on|settle it|that's all|that's it|in fact|of course|for sure|no (?:really|seriously)|once more|one more time"
    r"|as i (?:said|say)"
    r"|exactly|precisely|typical|or so|even|what(?:'s| is) it called|what was it|what else|may i ask|can i ask(?: you)?|if you ask me"
    r"|surely(?: to goodness)?|bless (?:him|her|them|you)|poor things?"
    rf"|{_TAG}"
)
_FILLER = re.compile(rf"(?:(?:{_FILL})\b[ .!?]*)+", re.I)
_HUM = re.compile(rf"(?:^|(?<=[\s,])){_HUMS}\b(?!-)[,. ]*", re.I)
# What begins a clause and says nothing; "so", "now" and "then" stand before nearly every question that is asked aloud.
_LEADING = re.compile(
    r"^(?:(?:and|but|so|well|right|okay|ok|oh|now|then|anyway|hey|hi|hello|look|listen|please|yeah|yes|no|sorry|honestly|seriously"
    r"|actually|anyhow"
    r"|just|like|echoic|you know (?=th(?:e|is|at|ose|ese)\b)|come on|go on|hang on|hold on|i mean|you know|tell me|remind me"
    r"|quick question)\b[ ]*(?!\w+ing\b))+",
    re.I,
)
# "Did she say thank you?" asks for these words.
_NOT_SAID = r"(?<!\bsay )(?<!\bsays )(?<!\bsaid )(?<!\bsaying )"
_TRAILING = re.compile(
    r"(?: (?:then|though|by the way|at all|eh|anyway|or not|or what|or something|you know|i mean|i wonder"
    rf"|do you know|{_NOT_SAID}(?:please|thanks|thank you(?: (?:so|very) much)?)"
    r"|honestly|for me|if anything|any idea|anyhow))+$",
    re.I,
)
_EARTH = re.compile(r"\b(what|who|where|why|how|when) (?:on earth|in the world|the (?:hell|heck|devil))\b", re.I)
_SHORTENED = (
    (
        re.compile(
            r"\b(what|who|where|when|how|why)'d (?=(?:you|he|she|it|we|they|i|[A-Z][\w-]*|speaker-\d+|the|people|somebody|anybody)\b)", re.I
        ),
        r"\1 did ",
    ),
    (re.compile(r"\b(what|who|where|when|how|why)'ve\b", re.I), r"\1 have"),
    (re.compile(r"\bwhereabouts\b", re.I), "where"),
    (re.compile(r"\b(anyone|anybody|somebody|someone|everybody|everyone)'s been\b", re.I), r"\1 has been"),
)
_JOINTS = re.compile(
    r"\s*[,;:]+\s+|(?<!\bwhen)(?<!\bwhere)\s+(?=(?:and|but|so|or|because|cos|only|except)\s+(?:(?:so|then|now|just|um|uh)\s+)*"
    r"(?:i\b|i'[a-z]+|we|he|she|they|it|it's|there|there's|you|who|what|where|when|why|how|which|did|does|do|was|were|has|have|is|are"
    r"|can|could"
    r"|would|will|my|nobody|whether|everything|everybody|everyone|the rest)\b)",
    re.I,
)
_WH = f"(?:{ANY_QUESTION_WORD})"
_AUX = f"(?:{AUXILIARY}|should|must|might)"
_SOMEBODY = r"(?:anybody|anyone|somebody|someone|people|they|he|she|it|that|this|there|the|these|those|any|a|an|everybody|everyone)"
_ADDED = r"(?:and |but |so |or |then |now |just |only |because |cos )*"
_INDIRECT = re.compile(
    rf"^{_ADDED}(?:(?:(?:can|could|would|will) you (?:maybe |just |please |possibly |kindly |quickly |perhaps )*(?:tell|remind"
    rf"|show) (?:me|us)"
    r"|would you mind telling (?:me|us)|(?:just |please |so |go on |do )*(?:tell|remind) (?:me|us)(?: again)?|let me know"
    r"|(?:do|would|did) you (?:happen to |still |by any chance )?(?:know|remember|recall|catch|hear|notice|get)"
    r"|(?:any|no) (?:idea|clue|chance)(?: (?:that )?you (?:know|knew|remember|could tell me|can tell me|caught))?|(?:is"
    r"|was) there any chance you know"
    r"|i(?:'d| would|'m|'ve)?(?: \w+){0,4}? (?:to (?:know|find out|hear|ask|learn|work out|figure out|remember|recall|check|understand)"
    r"|wondering|curious(?: about)?"
    r"|curious to know|asking)|i wonder(?:ed)?|(?:what|all|the thing|the bit|the only thing) i(?:'m| am|'d)?(?: really| still| just)* "
    r"(?:after|need|want|like|wonder about|wondering|asking|missed|was wondering)(?: to (?:know|find out|hear|ask))? is|(?:the"
    r"|my) question is"
    r"|wants? to know)(?: if you know)?)(?: is)?[,: ]+(?=(?:if|whether|(?:at|in|from|to|on|for) (?:what|which|whose|whom)"
    rf"|{ANY_QUESTION_WORD})\b)",
    re.I,
)
_NOT_KNOWN = re.compile(
    r"^.*?\bi(?:'ve)? (?:just |still |really |quite |also |honestly )*(?:didn't|can't|couldn't|don't|do not|did not|never|cannot|haven't"
    r"|missed|forgot|forgotten)\b"
    rf"(?: \w+(?: of me)?){{0,6}}? (?=(?:if|whether|{QUESTION_WORD})\b(?!(?: exactly)?$))",
    re.I,
)
_ASKS = re.compile(
    rf"^{_ADDED}(?:(?:at|in|from|to|on|for|with|by|about|of) )?(?:(?:{QUESTION_WORD})(?:'s|'re|'ll|'d| {_AUX})\b"
    rf"|who (?!i\b|we\b|they\b|he\b|she\b|it\b|you\b|the\b|\w+ly\b)[\w-]+|(?:which|whose|whom)\b|what (?!i\b|we\b|they\b|he\b|she\b|it\b"
    rf"|you\b|with\b|a\b)[\w-]+"
    r"|how (?:many|much|often|long|old|far|big|tall|high|late|soon|bad|fast|large|wide|deep|heavy|[a-z]+ (?:is|are|was|were|did|do|does"
    r"|will))\b"
    rf"|{_AUX} (?:{_SOMEBODY}|[A-Z][\w-]+|speaker-\d+)\b|(?:anyone|anybody|someone|somebody) (?:talk|mention|say|bring|on about|speak"
    rf"|discuss)(?:ed|ing|s)?\b)",
    re.I,
)
_SELF = re.compile(rf"^{_ADDED}(?:{_AUX}|am) (?:i|we|you|it just me|that (?:ok|okay|right|it))\b(?!.*\bmiss(?:ed)?\b)", re.I)
_ELLIPTIC = re.compile(
    r"^(?:and |but |so |or )*(?:when|where|who|why|how|what time|which (?:side|direction))(?: in (?:the|this) room)?(?: (?:are|were|was"
    r"|is|did) (?:they|he|she|it|that)\b.*)?$",
    re.I,
)
_OF_ASKER = re.compile(rf"{_WH} (?:\w+ )?(?:i|we)\b(?!.*\bmiss(?:ed)?\b)", re.I)
_FRAME = re.compile(r"\b(?:wonder|wondering|tell me|remind me|know|idea|clue|chance)\b", re.I)
_ASKED_WORD = re.compile(rf"(?:{_WH}|whether)\b", re.I)
_WHETHER = re.compile(r"^(?:if|whether) (?=(?:anyone|anybody|someone|somebody|people|they)\b)", re.I)
_WHAT = re.compile(r"\bwhat was it$", re.I)
_CLEFT = re.compile(r"\b(?:was|is) it$", re.I)
_PLACE = re.compile(r"(?:on|in|at|of|from|with|behind|near|under) (?:the|a|an|that|this|those) [\w'-]+(?: [\w'-]+){0,2}", re.I)
_BARE_WH = re.compile(
    rf"(?:(?:and|but|so|or) )?(?:{_WH}|(?:what|which|whose) [\w'-]+"
    r"|how (?:much|many|old|long|far|often|big|high|late|soon)(?: [\w'-]+)?)(?: \w+ly)?",
    re.I,
)
"""A question word that is put apart from what it asks: "where, please, is the exam"."""
_DASHES = re.compile(r"\s+-+\s+|\s*[\u2013\u2014]\s*|\s*(?:\.{2,}|\u2026)\s*")
BETWEEN_SENTENCES = re.compile(r"(?<=[.?!])(?<!\b[A-Z]\.)(?<!\b(?:Mr|Ms|Dr|St)\.)(?<!\bMrs\.)(?<!\bProf\.)[\"')]*\s+(?=\S)")
"""Where a sentence ends and another begins: not after "Mr." or an initial."""


@dataclass(frozen=True)
class Clause:
    """A part of what was said, without what fills it; `sentence` is the number of its sentence, `asks` how surely it asks (0: it tells)."""

    text: str
    sentence: int
    asks: int = 0


def evened(text: str) -> str:
    """A text with plain quotes, commas in place of dashes and dots, and single spaces."""
    plain = text.replace("\u2019", "'").replace("\u2018", "'").replace("\u201c", '"').replace("\u201d", '"')
    return " ".join(_DASHES.sub(", ", plain).split())


def sentences(text: str) -> list[str]:
    """The sentences of an even text, without hums and with whole words for short ones."""
    found = []
    for sentence in BETWEEN_SENTENCES.split(text):
        bare = _EARTH.sub(r"\1", _HUM.sub(" ", sentence))
        for pattern, whole in _SHORTENED:
            bare = pattern.sub(whole, bare)
        found.append(" ".join(bare.split()).strip(" ,"))
    return [sentence for sentence in found if re.search(r"\w", sentence)]


def clauses(text: str) -> list[Clause]:
    """The clauses of an even text that say something."""
    found: list[Clause] = []
    for number, sentence in enumerate(sentences(text)):
        is_question = sentence.endswith("?")
        parts = [part for part in (part.strip(" .?!\"'") for part in _JOINTS.split(sentence)) if part]
        kept: list[str] = []
        is_framed = False
        for part in parts:
            if is_filler(part) and not (is_question and part is parts[-1] and _WHAT.search(part)):
                is_framed = is_framed or _FRAME.search(part) is not None
                continue
            # "I was wondering, if it's no bother, where the keys are."
            kept.append(f"tell me {part}" if is_framed and _ASKED_WORD.match(part) and not _ASKS.match(part) else part)
            is_framed = False
        found += [_clause(part, number, is_question=is_question, is_last=part == kept[-1]) for part in _joined(kept)]
    return [clause for clause in found if re.search(r"\w", clause.text)]


def _joined(kept: Sequence[str]) -> list[str]:
    """The parts of a sentence, with what was only put apart as one.

    "Who was it, then, that said so", "this crane, on the site", "how much, in euros, is left".
    """
    found: list[str] = []
    for part in kept:
        is_cleft = bool(found) and _CLEFT.search(found[-1]) is not None and re.match(r"(?:that|who|which)\b", part, re.I) is not None
        is_split = bool(found) and _BARE_WH.fullmatch(found[-1]) is not None
        is_place = bool(found) and _PLACE.fullmatch(part) is not None and not _ASKS.match(_LEADING.sub("", found[-1]))
        if is_cleft or is_place or is_split:
            found[-1] = f"{found[-1]} {part}"
        else:
            found.append(part)
    return found


def is_filler(part: str) -> bool:
    """Whether a part between commas says nothing."""
    return _FILLER.fullmatch(part) is not None


def bare(part: str) -> str:
    """A clause without what only begins and ends it."""
    return _TRAILING.sub("", _LEADING.sub("", part)).strip(" ,")


def _clause(part: str, number: int, *, is_question: bool, is_last: bool) -> Clause:
    for pattern, sure in ((_INDIRECT, 3), (_NOT_KNOWN, 1)):
        if (match := pattern.match(part)) is not None:
            if _OF_ASKER.match(part[match.end() :]):
                return Clause(bare(part), number)
            return Clause(_WHETHER.sub("", bare(part[match.end() :])), number, sure)
    short = _LEADING.sub("", part)
    if _SELF.match(short):
        return Clause(bare(part), number)
    if _ASKS.match(short) or _ELLIPTIC.match(short):
        return Clause(bare(short), number, 3 if is_question else 1)
    # "And his name is what?"
    asks_late = is_question and is_last and re.search(rf"\b{_WH}$", short, re.I) is not None
    return Clause(bare(short), number, 2 if asks_late else 0)
