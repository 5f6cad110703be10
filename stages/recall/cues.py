"""The phrases by which a question's kind and constraints are known."""

from __future__ import annotations

import re

from stages.recall.english import ANY_QUESTION_WORD, QUESTION_WORD
from stages.recall.word_lists import word_set

ATTENDING = (
    r"(?:following|listening (?:in )?(?:to|on)|listened (?:in )?(?:to|on)|followed|attending(?: to)?|attended"
    r"|focus(?:s)?(?:ed|ing) on|busy with|eavesdropping on|watching|distracted by|caught up in|engrossed in|absorbed (?:in|by)|"
    r"paying attention to|concentrating on|hearing|heard|overhearing|talking (?:to|with|about)|talked (?:to|with|about)"
    r"|speaking (?:to|with|about)|"
    r"spoke (?:to|with)|chatting (?:to|with|about)|discussing|having|in|part of|with|at|on)"
)
_JUST = r"(?:(?:just|busy|sitting|standing)\s+)*"
WHILE = re.compile(
    r"\b(?:while|when|as|whilst)\s+(?:i|we|me)\s*(?:was|were|am|are|had been|have been|'m"
    rf"|'ve been)?\s*{_JUST}{ATTENDING}\s+"
    r"(?P<what>[^,?.!;]+)",
    re.I,
)
BUSY = re.compile(
    rf"^\s*(?:i|we)\s+(?:was|were|have been|had been)\s+{_JUST}{ATTENDING}\s+(?P<what>[^,?.!;]+)[.,;!]",
    re.I,
)
"""What was followed, said before the question: "I was with the people talking about dogs. What did I miss?"."""
_ARE_TALKING = (
    r"(?:talk(?:ing|ed)|sp(?:oke|eaking)|discuss(?:ing|ed)|chatt(?:ing|ed)|go(?:ing|es) on|went on|on|argu(?:ing|ed)|bang(?:ing|ed) on"
    r"|rambl(?:ing|ed)|gossip(?:ing|ed|ping|ped)|complain(?:ing|ed)|jok(?:ing|ed))"
)
DURING = re.compile(
    r"\b(?:while|when|as|whilst)\s+(?:(?:they|people|some(?:body|one)|every(?:body|one)|the others?|[\w'-]+(?: and [\w'-]+)?)"
    rf"\s+(?:(?:was|were|are|is) (?:all |just |both )?)?{_ARE_TALKING}\s+(?:about\s+|of\s+|over\s+|on\s+)?(?P<what>[^,?.!;]+)"
    rf"|(?P<who>[\w'-]+(?: and [\w'-]+)?)\s+(?:was|were) (?:all |just |both )?{_ARE_TALKING}(?=[ ,?.!;]*$|[,.;]))",
    re.I,
)
"""When others talked about something, or somebody talked: that is what was followed."""
BESIDES = re.compile(
    r"\b(?:besides|apart from|other than|except(?: for)?|aside from|during|instead of|in parallel (?:to|with)|at the same time as)\s+"
    r"(?P<what>(?:the\s+)?[^,?.!;]*?(?:conversation|discussion|talk|chat|story|dialogue|people|group)s?\b[^,?.!;]*)",
    re.I,
)
GROUP = re.compile(
    r"^(?:the|that|this|my|our|their|a)?\s*(?:\w+\s+)?(?:conversation|discussion|talk|chat|story|dialogue|debate"
    r"|argument|group|table|people|persons?|men|women|"
    r"two|others|ones|guys|talker|speaker)s?\s*(?:(?:who|that|which)\s+(?:was|were|is|are)?\s*)?(?:talk(?:ing|ed)"
    r"|speak(?:ing)?|spoke|chatting|discussing)?\s*"
    r"(?:about|on|of|over|regarding|concerning)\s+",
    re.I,
)
_GOES_ON = (
    r"(?:sa(?:y|ys|id|ying)|talk(?:ed|ing)?|discuss(?:ed|ing)?|sp(?:eak|oke|eaking)|chat(?:ted|ting)?|t(?:ell|old|elling)|mention(?:ed)?"
    r"|hear|heard|decide[ds]?|agreed?|go(?:ing|es)? on|went on|happen(?:ed|ing)?|took place|doing|on about|up to|c[ao]m(?:e|ing) up|topics?"
    r"|thinks?|thought|want(?:ed)?|ask(?:ed|ing)?|suggest(?:ed|ing)?|plan(?:ned|ning)?|explain(?:ed|ing)?|complain(?:ed|ing)?"
    r"|argu(?:e|ed|ing)|laugh(?:ed|ing)?|answer(?:ed|ing)?|conversations?)"
)
MISSED = re.compile(
    r"\b(?:i|we)(?:'m|'ve)?(?: \w+){0,5}? miss(?:ed|ing)?\b|^\W*(?:(?:so|and|ok|okay|now)[, ]+)*(?:anything |something |what )?missed\b"
    r"|\b(?:what|anything|something|things?|parts?|points?|bits?|much)\b(?: [a-z]+){0,3}? (?:was|were|got|been) missed\b"
    r"|\b(?:was|were|has|have) (?:anything|something|much) (?:been )?missed\b"
    r"|\b(?:what|who)\b.*\b(?<!two )(?<!three )others\b(?! (?:living|who|that|with|in)\b)"
    rf"|^(?=.*\b{_GOES_ON}\b).*?\b(?:what|who)\b.*\bother (?:people|groups?|tables?|sides?|ones|two|three|speakers?|talkers?)\b"
    rf"|^(?=.*\b{_GOES_ON}\b).*?\b(?:what|who)\b.*\bthe other(?=[ ?.!]*$| (?:say|said|talk\w*|do|did|doing|think|want)\b)"
    r"|\bwho (?:is|was|are|were|sat|sits) (?:at|in|with) the other (?:table|group)\b"
    rf"|\bwhat else\b(?=.*\b{_GOES_ON}\b|(?: is| was|'s)?(?: new| important| interesting| there)?[ ?.!]*$)"
    rf"|^(?=.*\b{_GOES_ON}\b).*\belsewhere\b|\bother conversations?\b",
    re.I,
)
"""What the asker missed, or what went on beside it; "Who has the other key?" and "Why did Ben miss his train?" ask for facts."""
CATCH_UP = re.compile(
    r"\b(?:main|key|most important) (?:points?|topics?|things?)\b|\bhighlights\b|\bthe gist\b|\b(?:short|full|long) version\b"
    r"|\bcatch (?:me|us) up\b|\bup to speed\b|\brecap\b|\bsumm?ar(?:y|i[sz]e)\b|\bwhat(?:'s| is| was"
    r"| has been)? (?:been )?(?:going on|happening|happened|new)\b"
    r"|\bwhat(?:'s| is| was| were| did| has| have) (?:been )?(?:they |people |everybody |everyone |anybody |somebody "
    r"|speaker-\d+ |you )?(?:been )?"
    r"(?:said|talk(?:ed|ing)?(?: about)?|discuss(?:ed|ing)?|say(?:ing)?|hear|heard)\s*[?.!]*$",
    re.I,
)
COUNT = re.compile(
    r"\bhow (?:often|many times)\b(?=[ ?.!]*$|.*\b(?:sa(?:y|ys|id|ying)|talk(?:s|ed|ing)?|sp(?:eak|oke|oken|eaking)"
    r"|mention(?:s|ed|ing)?|discuss(?:ed|es|ing)?|c[ao]m(?:e|ing) up|brought up|bring up|heard|words?|named?|ask(?:ed)?|t(?:ell|old)"
    r"|quote[ds]?|refer(?:red)?|repeat(?:ed)?|suggest(?:ed)?|(?:argu(?:e|ed)|complain(?:ed)?) about|called)\b)"
    r"|\bhow many (?:speakers|talkers|voices)\b"
    r"|\bhow many (?:people|persons) (?:(?:have|had|were|are|was|did you|do you|ever|also|else) )*"
    r"(?:talk(?:ed|ing)?|sp(?:eak|oke|eaking)|discuss(?:ed|ing)?|mention(?:ed|ing)?|sa(?:y|id|ying)|t(?:ell|old|elling)|ask(?:ed|ing)?"
    r"|answer(?:ed|ing)?|complain(?:ed|ing)?|chat(?:ted|ting)?|argu(?:e|ed|ing)|agree(?:d|ing)?|hear|heard)\b"
    r"|\bhow many (?:people|persons) (?:(?:are|were|was|is|have|had|been) )+"
    r"(?:there|here|present|in (?:the|this) (?:room|conversation))[?.! ]*$",
    re.I,
)
"""Talkers are counted, and what was said; "How many people are going?" and "How often does it need water?" ask for what somebody told."""
HAS_OFTEN = re.compile(r"\bhow (?:often|many times) (?:did|was|were|has|have|had)\b", re.I)
"""A fact, or else what was said of it is counted: "How often did somebody call?"."""
DID = re.compile(
    r"^\s*(?:(?:and|so|but|please|hey|ok|okay)[, ]+)?(?:did|has|have|does|do|was|were|is|are|will|would|can|could)\b"
    r"|^\s*(?:anything|something|any news|anybody|anyone) (?:\w+ )?(?:about|on)\b",
    re.I,
)
WHEN = re.compile(r"\bwhen\b|\bwhat time\b|\bwhat (?:day|date|year|month)\b|\bhow long ago\b", re.I)
WHERE = re.compile(r"\bwhere\b|\bwhich direction\b|\bwhat direction\b|\bwhich (?:side|bearing)\b|\bwhat bearing\b", re.I)
WHO = re.compile(r"\bwho(?:m|se)?\b|\bwhich (?:person|speaker|talker|voice)\b", re.I)
SPEECH = re.compile(
    r"(?<!\bto )\b(?:talk(?:s|ed|ing)?|speak(?:s|ing)?(?! (?:for|against|terms))|spoke|chat(?:s|ted|ting)?|discuss(?:ed|es|ing|ion)?)\b"
    r"|\bto (?:talk|speak|chat) (?:about|of|on)\b|\b(?:mention(?:s|ed|ing)?|conversations?|bring up|brought up|topic)\b"
    r"|\b(?:say|said|says|saying|tell|told|hear|heard)\b.*\b(?:about|of|on)\b"
    r"|\b(?:anything|something|news)\b(?: \w+){0,2} (?:about|of|on)\b"
    r"|^\s*(?:(?:and |but |so )?what )?about\b|(?<!\bto )\b(?:decided?|agreed?|concluded?|settled?)\b.*\b(?:about|on)\b",
    re.I,
)
"""What people talked about; "Who taught the parrot to talk?" and "What speaks for Crete?" ask for facts."""
SOMEBODY_SAID = re.compile(
    r"^(?:(?:and|so|but)[, ]+)?(?:did|has|have) (?:anybody|anyone|somebody|someone|they|people) (?:ever )?"
    r"(?:say|said|mention(?:ed)?|tell|told)(?: (?:me|us|them))? "
    rf"(?=(?:(?:on|in|at|for|by|with|to|from) )?(?:{ANY_QUESTION_WORD})\b)",
    re.I,
)
"""What stands before a question for a fact: "Did anybody say when the bus leaves?"."""
BEARING = re.compile(
    r"\b(?:at|from|around|near|of|to)?\s*(?:a |the )?(?:bearing|azimuth|direction)?\s*(?:of )?"
    r"((?:minus |(?<!\w)-)?\d+(?:\.\d+)?)\s*(?:°|deg\b|degrees?\b)",
    re.I,
)
AROUND_BEARING = re.compile(
    r"\b(?:people|persons|those|them|group|table|conversation|talk|discussion|two|pair|couple|ones|guys|others)\b(?: [a-z]+){0,3}? "
    r"(?:at|from|near|around|about|of) (?:a bearing of )?(?:about |around )?[-\d.]+ ?(?:°|deg)"
    r"|\b(?:around|about|near|roughly|approximately) (?:minus )?[-\d.]+ ?(?:°|deg)",
    re.I,
)
"""A group, which sits on both sides of its bearing, or a bearing that is not meant to be exact."""
_SAYING_WORDS = """
    say said says saying tell told talk talked talks speak spoke mention mentioned mentions ask
    asked think thinks suggest suggested answer answered want wants promise promised
"""
SAID_WHAT = re.compile(
    rf"\b(?:say|said|tell|told|mention(?:ed)?) (?:(?:them|us|me) )?(?:(?:on|in|at|for|by|with) )?(?:{QUESTION_WORD})\b",
    re.I,
)
"""Something that was said, told as a question of its own: "When did Anna say where it had happened?"."""
_TELLING_THINGS = """
    test result report letter note card postcard email mail message text sign poster notice label leaflet brochure menu map contract
    agreement lease bill invoice receipt law rule regulation manual recipe forecast newspaper paper article book website page
    survey study scan x-ray certificate prescription will instruction timetable schedule
"""
THING_SAYS = re.compile(
    r"\bwhat (?:did|does|do|had|has|have|will|would) (?:an?|the|my|our|your|his|her|their|that|this|these|those|[\w-]+'s) "
    rf"(?:[\w'-]+ ){{0,2}}?(?:{'|'.join(_TELLING_THINGS.split())})s?"
    r"(?: (?:on|in|at|from|of|for)(?: [\w'-]+){1,3}?)? (?:say|said|tell|told)\b",
    re.I,
)
"""What something is said to have told: "What did the test say about the allergy?" asks for a fact."""
ASKING_WORDS = word_set("ask asked answer answered")
TELLING_WORDS = word_set("ask asked think thinks suggest suggested answer answered want wants promise promised")
SAYS = rf"(?:{'|'.join(_SAYING_WORDS.split())})"
TELLS = rf"(?:ever\s+|also\s+)?{SAYS}\b"
LABEL = re.compile(rf"\b(?:speaker|talker)[\s-]?(\d+|one|two|three|four|five|six|seven|eight|nine)\b(?!'s\s+[\w'-]+\s+{TELLS})", re.I)
"""A talker by the id that the memory gave; what somebody of theirs said ("speaker-2's brother said") is not theirs."""
NAMED = re.compile(rf"\b(?:did|does|has|had|will|would|was|is)\s+([A-Z][\w'-]+)(?<!'s)\s+{TELLS}|\b([A-Z][\w'-]+)(?<!'s)\s+{SAYS}\b")
LOWER_NAMED = re.compile(rf"\b(?i:did|does|has|had|will|would)\s+([a-z][\w'-]+)(?<!'s)\s+{TELLS}")
MAY_NAME = re.compile(
    rf"(?<!^)\b(?!I\b)[A-Z]|\b(?i:did|does|has|had|will|would)\s+(?!(?:they|anybody|anyone|somebody|someone|people|i|we|you)\b)"
    rf"(?:[\w'-]+\s+){{1,3}}(?i:{SAYS})\b"
)
"""Whether a question may name a talker at all."""
TOLD_OF = re.compile(
    rf"\b(?:was|were|is|are)\s+(?:the\s+)?(?:[\w'-]+\s+(?:and|or)\s+(?:the\s+)?)?(?P<who>[\w'-]+)(?=\s+(?:ever\s+|also\s+)?(?!saying\b){SAYS}\b)",
    re.I,
)
"""Whom or what others spoke of: "Was Anna mentioned?", "How often was the Danube mentioned?"."""
DIGITS = dict(zip(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], range(1, 10), strict=True))
NOT_NAMES = word_set(
    """
    i we you they he she it anybody anyone somebody someone everybody everyone nobody people the a who what others
    been being just already never not
    """
)
WH = frozenset(ANY_QUESTION_WORD.split("|"))
KIND_WORDS = word_set(
    """
    color colour day date hour kind minute name number place room sort time type city town country much many long old way
    happen happens happened happening occur occurred often times summary summarise summarize summarised recap miss missed
    else others catch elsewhere word words
    """
)
DECIDING_WORDS = word_set("agree agreed conclude concluded decide decided settle settled")
"""What is no topic in \"What did they decide about the name?\"."""
OVERVIEW_WORDS = word_set(
    """
    bring exciting gist give highlights important interesting key main new news point points quick relevant short speed worth
    """
)
"""What is no topic in \"Give me a quick recap\", or in \"Did I miss anything important?\"."""
SOMEBODY_AT = re.compile(
    r"\b(?:the|a) (?:person|people|man|men|woman|women|one|guy|lady|speaker|talker|voice)s?"
    r"(?: (?:who )?(?:sits?|sitting|stands?|standing))? (?=(?:at|from|near|around) (?:about )?(?:minus |-)?\d+(?:\.\d+)? ?(?:°|deg))",
    re.I,
)
"""Somebody who is known by a bearing alone."""
REFERS = re.compile(
    r"\b(?:he|she|it|him|her|his|hers|its)\b|^\s*(?:and |but )?(?:why|how(?: much| many| long| old| far| come)?|which(?: one)?)[ ?.!]*$",
    re.I,
)
"""Words for somebody or something that was named before."""
ABOUT_ASKER = re.compile(r"\b(?:about|mention(?:s|ed)?) (?:me|myself)\b|\b(?:say|said|mention(?:ed)?|hear|heard|use|used) my name\b", re.I)
"""What is asked about the asker, whose name a question does not tell."""
WHAT_ABOUT = re.compile(r"^(?:(?:and|but|so|ok|okay)[, ]+)?(?:what|how) about (?P<who>(?:the )?[\w'-]+(?: [\w'-]+)?)[ ?.!]*$", re.I)
ADDRESSED = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|so|well|uh|uhm|um|erm|please|excuse me|echoic)\b[, ]*)*"
    r"(?:(?:hey|hi|hello|uh|uhm|um|erm|excuse me|echoic)\b[,.! ]+)(?=\w)",
    re.I,
)
"""How a question begins that is spoken to Echoic."""
SLIPS = {
    "abuot": "about", "abot": "about", "taht": "that", "teh": "the", "hte": "the", "waht": "what", "wat": "what", "whta": "what",
    "wehn": "when", "whne": "when", "wheer": "where", "whre": "where", "wich": "which", "woh": "who", "mised": "missed", "mis": "miss",
    "siad": "said", "sayed": "said", "metion": "mention", "mentiond": "mentioned", "tlak": "talk", "takled": "talked", "anybdoy": "anybody",
}  # fmt: skip
"""Words by which kinds of questions are known, as they are often mistyped; no other word is written so."""
PRESENT = re.compile(
    r"^(?:and )?(?:who(?:'s|'re)?(?: all| else)?|how many (?:people|persons|speakers|talkers|voices|of them)) "
    r"(?:is|are|was|were)?(?: there)? ?"
    r"(?:here|there|present|around|in (?:the|this) (?:room|conversation)|at (?:the|this) table"
    r"|talk(?:ing|ed)?|speak(?:ing)?|spoke)?[ ?.!]*$",
    re.I,
)
"""Who was heard at all."""
BETWEEN = re.compile(
    r"\b(?:(?:the|that) )?(?:(?:conversation|talk|discussion|chat|argument)s? )?between (?P<one>[\w' -]+?) and (?P<other>[\w'-]+)", re.I
)
TOGETHER = re.compile(
    r"\b(?P<aux>did|do|have|had|were|are) (?P<one>[\w'-]+) and (?P<other>[\w'-]+) "
    r"(?=(?:talk|speak|spoke|chat|discuss)(?:ed|en|ing|ted|ting)?\b)",
    re.I,
)
"""Two people who talked with each other."""
WHO_IT_WAS = re.compile(
    r"^(?P<who>(?:and |so )?who(?: else)?) (?:was|is) it (?:that|who) (?!(?:i|we|you|he|she|they|it)\b|(?-i:[A-Z]))", re.I
)
"""How "Who was it that has the van?" begins, which asks who has it."""
ASKED = re.compile(
    r"^(?:and )?(?:who (?:has |had |was |else )?(?:ask(?:s|ed|ing)?)|(?:did|has|have|was) (?:anybody|anyone|somebody|someone) (?:ever )?"
    rf"ask(?:ed|ing)?) (?:about|after|if|whether|{QUESTION_WORD})\b",
    re.I,
)
"""Who put a question in the room."""
ASKED_WHAT = re.compile(r"^(?:and )?what (?:did|has|had) they ask(?:ed)?(?: (?P<whom>[\w-]+))?[ ?.!]*$", re.I)
"""What a talker, who stands as "they", asked at all, or asked somebody."""
ASKED_WHETHER = re.compile(
    r"^(?P<asked>(?:and )?(?:did|has|had) they (?:ever )?ask(?:ed)?)(?: (?P<whom>[\w-]+))?(?P<what> (?:whether|if) .+)$", re.I
)
"""Whether a talker, who stands as "they", put a question, or put it to somebody."""
EVEN_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})
"""Marks that telephones write."""
_FORMULA = (
    r"(?:thank you(?: (?:so|very) much)?|thanks(?: a lot)?|many thanks|(?:i'm |i am )?(?:so |very )?sorry|excuse me|pardon(?: me)?|please"
    r"|hello|hi|hey|welcome|cheers|good ?(?:morning|afternoon|evening|night|bye|day|luck)|bye(?:[- ]bye)?|see you(?: (?:later|soon))?"
    r"|congratulations|well done|bless you|happy birthday|you're welcome|no problem|no way|oh no|wow)"
)
VERY_WORDS = re.compile(
    r"^(?=\W*(?:\w+,? )?(?:who|what|when|where|how|which|did|does|do|has|have|had|was|were|is|anybody|anyone|somebody|someone|they|was)\b)"
    r".*?\b(?:said|says?|saying|used?|using|mention(?:s|ed)?|heard)\b(?: the (?:words?|phrase|name|term))? "
    r"(?:\"(?P<double>[^\"]+)\"|'(?P<single>[^']+(?:'\w[^']*)*)'(?!\w)|(?<=\bword )(?P<word>[\w-]+)(?=[ ?.!]*$))"
    r"|^(?:(?:and|so|but)\b,? )?(?:(?:who(?: else)?(?: has| had)?(?: ever)?|(?:when|where) (?:did|does|has) [\w' -]+?"
    r"|(?:did|has|have|does) [\w' -]+?) (?:said|says?|saying)|who (?:is|was) (?:it (?:that|who) said|saying)) "
    rf"(?P<formula>{_FORMULA}(?:(?:,| and)? {_FORMULA})?)(?=[ ?.!]*$)",
    re.I,
)
"""Words that are asked for as they were said: in quotes, or such as have no meaning but that they are said ("thank you")."""
ALL_IN_WORDS = re.compile(
    r"^\W*(?:(?:and|so|but) )?what (?:was said|(?:did|has|have) [\w-]+(?: and [\w-]+)? (?:say|said)),? (?:in|with|using)(?: [\w-]+){1,4} "
    r"(?:words?|sentences?)[ ?.!]*$",
    re.I,
)
"""All that was said, or by one, in a few words."""
GOES_THEN = re.compile(
    r"^(?:and )?who (?:goes|comes|gets|(?:has|have|needs?|wants?) to (?:go|come|get|be)|(?:will|must|can|should) (?:go|come|get|be)"
    r"|is (?:going|coming))\b",
    re.I,
)
"""A question of which a time of day is what it asks about."""
IN_THE_END = re.compile(r",? (?:in the end|at last|finally|eventually|so far|exactly)(?=[ ?.!]*$)", re.I)
FRAME = re.compile(
    r"\b(?:can you |could you |please )?"
    r"(?:tell me |(?:do you|does anybody|does anyone) know |i(?: would|'d)? (?:want|like) to know )(?:if |whether )?",
    re.I,
)
