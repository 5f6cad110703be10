"""What a question asks, read without a model: intent, topic, time, speaker, bearing, and what was being followed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from stages.answer.talkers import asks_who_was_not_told, asks_who_was_told
from stages.recall import cues
from stages.recall.absence_asked import absence_in, when_is_unknown
from stages.recall.absences import away_for
from stages.recall.calendar_phrase import asked_time
from stages.recall.compounds import kind_words
from stages.recall.contradictions import ahead, asks_what_will_be, beside_an_event, excluded_times, is_to_come, no_bearing, two_bearings
from stages.recall.decision_asked import asks_whether_of, decision_in
from stages.recall.duration_asked import duration_fault, duration_in
from stages.recall.edge_asked import edge_in
from stages.recall.follow_up import FollowUp, follow_up_in, played_in, plays_all, talker_in
from stages.recall.language import refusal
from stages.recall.lengths import length_in
from stages.recall.named_talkers import asked_of, company_asked, company_in, named_in, speaker_in, talkers_in
from stages.recall.order_asked import OrderAsked, order_in
from stages.recall.own_voice import MY_NAMES
from stages.recall.reported import teller_in
from stages.recall.sides import BEARING_TOLERANCE_DEG, SIDE_TOLERANCE_DEG, bearing_of, bearings_in, side_in, sides_in
from stages.recall.terms import STOP_WORDS, content_words, spoken_span, stem, tokens
from stages.recall.time_phrase import Moments, Window, is_beginning

_WHOSE_VOICE = "Echoic does not know which voice is yours; say so with: echoic speakers rename speaker-1 me"
_MOST_NAME_WORDS = 2
_MISSING = frozenset(["missing"])
_NEWS = frozenset(["news"])
_MOST_BARE_WORDS = 2
_MOST_REFERRING_TERMS = 2
_NAMED_KIND = re.compile(r"\babout (?:the|a|an|my|our|your|his|her|their|this|that) ([a-z]+)")
_MOST_CHARACTERS = 2000


@dataclass(frozen=True)
class Attended:
    """What a question says was being followed: a topic, a speaker, or a bearing."""

    phrase: str
    topic: str = ""
    terms: tuple[str, ...] = ()
    speaker: str | None = None
    azimuth_deg: float | None = None

    @property
    def says_what(self) -> bool:
        """Whether it names anything: "while I was following the conversation" does not."""
        return bool(self.terms) or self.speaker is not None or self.azimuth_deg is not None

    @property
    def whether_it_came_up(self) -> Question:
        """The question whether its topic was talked about."""
        what = cues.GROUP.sub("", self.phrase)
        return Question(
            text=f"Did they talk about {what if set(self.topic.split()) <= set(tokens(what)) else self.topic}?",
            intent="did_anybody",
            topic=f"a conversation about {self.topic}",
            gist=self.topic,
            terms=self.terms,
            about_speech=True,
        )


@dataclass(frozen=True)
class Question:
    """A question as Echoic understood it.

    `topic` is the question without its constraints, `gist` its content words (both are embedded); `terms` are the stems of
    these; `about_speech` says that it
    asks who talked about something, rather than for a fact. `aspects` are the further things asked for ("and where"). `refusal` says why an
    unservable question cannot be served. `absence` is what kept the asker from following anything ("on the phone"); it is unservable
    without a time, unless the memory knows when that was. A side ("on my left") is a bearing with a wide `azimuth_tolerance_deg`, a group
    ("the people at 210 degrees") one with the usual one; None: whoever is nearest. `length_s` is how long the answer may take to read (inf:
    however long). `follow_up` says how it goes on from the
    last question, `order` which order it asks for. `pronoun` stands for the talker ("did she say"), whom only the last answer tells;
    `note` is how it was read then. `refers` says that it speaks of something that it does not name ("When does it start?").
    `edge` is first or last where only that of all that was said is asked for. `talkers` are those between whom it was said, or the one with
    whom (only where it asks how long, or with `company` who it was that talked with them);
    `asks_present` says that it asks who was heard at all. `duration` is length, most, least or talkers where it asks how long people
    talked, who did so most or least, or how many did. `own_words` is the question as the talker of whom it asks would ask it ("When will I
    leave?"); "" for others. `teller` is who is asked about as having told something where that is no talker of the memory ("the doctor"):
    others may have told of it.
    """

    text: str
    intent: str
    topic: str = ""
    gist: str = ""
    terms: tuple[str, ...] = ()
    about_speech: bool = False
    aspects: tuple[str, ...] = ()
    speaker: str | None = None
    azimuth_deg: float | None = None
    window: Window | None = None
    attended: Attended | None = None
    refusal: str | None = None
    absence: str | None = None
    azimuth_tolerance_deg: float | None = None
    length_s: float | None = None
    follow_up: FollowUp | None = None
    order: OrderAsked | None = None
    pronoun: str = ""
    note: str = ""
    refers: bool = False
    edge: str = ""
    talkers: tuple[str, ...] = ()
    asks_present: bool = False
    company: bool = False
    duration: str = ""
    settles: bool = False
    asking: bool = False
    very_words: str = ""
    own_words: str = ""
    teller: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The stems of its capitalised content words: names, which nothing that is merely alike can stand for."""
        inner = re.findall(r"(?<!^)(?<![.?!] )\b[A-Z][a-z][\w'-]*", self.text)
        return tuple(term for term in dict.fromkeys(stem(word.lower()) for word in inner) if term in self.terms)

    @property
    def phrase(self) -> str:
        """What it asks about, as the asker put it: the things it names, or for a fact the whole question; "" where it names nothing."""
        if not self.gist:
            return ""
        if self.about_speech or self.intent == "did_anybody":
            return spoken_span(self.text, self.gist.split())
        words = self.text.rstrip(" ?!.")
        return words[0].lower() + words[1:] if words.split()[0].lower() in cues.WH else words

    @property
    def every(self) -> bool:
        """Whether all lines that answer are to be played, and not a choice of them."""
        return self.intent == "play" and plays_all(cleaned(self.text))

    @property
    def wants_amount(self) -> bool:
        """Whether the fact asked for is a number."""
        return re.search(r"\bhow (?:much|many|old|far|big|tall|long)\b", self.text, re.I) is not None and not self.about_speech

    @property
    def wants_time(self) -> bool:
        """Whether the fact asked for is a time."""
        if self.about_speech:
            return False
        is_when = self.intent == "when" or (self.intent == "did_anybody" and "when" in self.aspects)
        return is_when or re.search(r"\b(?:how late|what time)\b", self.text, re.I) is not None


def parse(text: str, moments: Moments, speakers: Callable[[], Collection[str]] = tuple, facing_deg: float | None = None) -> Question:
    """Read a question. Never raises: what cannot be served says why.

    `speakers` gives the names that the memory knows, if needed. `facing_deg` is the azimuth that the asker faces, for left and right.
    """
    said = cues.WHO_IT_WAS.sub(r"\g<who> ", plain_marks(text))
    # A question far too long is refused before any of it is read.
    follow_up, rest = follow_up_in(cleaned(said)) if len(said) <= _MOST_CHARACTERS else (None, said)
    if follow_up is not None and follow_up.kind in {"play", "that"}:
        return Question(text=said, intent=follow_up.aspect or "play", about_speech=True, follow_up=follow_up)
    played, rest = played_in(rest)
    fault = refusal(rest)
    if fault is not None:
        return _unservable(said, fault)
    if asks_who_was_not_told(rest):
        return _unservable(said, 'Echoic tells who took part when something was said, not who was not told; ask "Who was told about X?"')
    if cues.ABOUT_ASKER.search(rest):
        return _unservable(said, 'Echoic does not know what you are called; ask with your name, such as "Did anybody mention Anna?"')
    rest = asked_of(rest, speakers)
    edge, rest = edge_in(rest) if follow_up is None else ("", rest)
    duration, rest = duration_in(rest) if not (edge or follow_up) else ("", rest)
    if duration and (fault := duration_fault(rest, speakers)) is not None:
        return _unservable(said, fault)
    pronoun, rest = talker_in(rest)
    order = order_in(rest, speakers) if follow_up is None and not asked_time(rest, moments)[0] else None
    if order is not None and (order.asks or order.talker):
        # Who brought it up is not who is asked about.
        rest = order.main
    rest = cues.FRAME.sub("", rest)
    framed = cues.SOMEBODY_SAID.match(rest) if follow_up is None else None
    rest = rest if framed is None else rest[framed.end()].upper() + rest[framed.end() + 1 :]
    if (fault := no_bearing(rest) or beside_an_event(rest, moments)) is not None:
        return _unservable(said, fault)
    told = rest
    absence, rest = absence_in(rest, moments, speakers)
    attended, rest = _attended(rest, moments, speakers)
    catching_up = cues.CATCH_UP.search(rest) is not None
    away = away_for(told, moments) if absence or catching_up or cues.MISSED.search(rest) else None
    is_overview = catching_up or cues.MISSED.search(rest) is not None or cues.ALL_IN_WORDS.match(rest) is not None
    length_s, rest = length_in(rest, overview=is_overview)
    window, untimed = asked_time(rest, moments)
    if window is not None and ((is_beginning(window) and asks_what_will_be(untimed)) or _goes_then(window, untimed)):
        # "Who has the key in the first hour?" and "Who goes at five?" ask for what was said of it.
        window, untimed = None, rest
    rest = untimed
    if away is not None and (window is None or window.phrase.endswith(f"{away.phrase} ago")):
        window = away
    if absence and window is None and attended is None:
        return replace(_unservable(said, when_is_unknown(absence)), absence=absence)
    side, apart = side_in(rest)
    fault = ahead(rest, window, moments) or excluded_times(window, rest, moments) or two_bearings(rest) or _two_sides(rest)
    if fault is not None:
        return _unservable(said, fault)
    if window is not None and is_to_come(window, moments):
        # What will be then was told before.
        window = None
    if side is not None and facing_deg is None:
        return _unservable(
            said,
            'Echoic does not know which way you face; give the bearing in degrees, such as "at 90 degrees", or the azimuth that you face: '
            "--facing DEG, or facing_deg under recall: in the config",
        )
    rest = apart
    rest = cues.SOMEBODY_AT.sub("they ", rest)
    bearing, is_about = next(iter(bearings_in(rest)), None), cues.AROUND_BEARING.search(said) is not None
    rest = cues.BEARING.sub(" ", rest)
    decided, rest = decision_in(rest, speakers) if follow_up is None and attended is None and not (edge or duration) else ("", rest)
    talkers, rest = talkers_in(rest, speakers)
    if duration and not talkers:
        talkers, rest = company_in(rest, speakers)
    company = company_asked(" ".join(rest.split()), speakers) if not (talkers or duration or edge or follow_up or attended) else None
    if company is not None:
        if company.lower() in MY_NAMES and company not in speakers():
            return _unservable(said, _WHOSE_VOICE)
        talkers, rest = (company,), "who talked"
    order = None if talkers and order is not None and order.relation == "between" else order
    speaker, rest = speaker_in(rest, speakers)
    asked_whom = cues.ASKED_WHAT.match(" ".join(rest.split())) if speaker is not None and not talkers else None
    if asked_whom is not None and (whom := speaker_in(asked_whom["whom"] or "", speakers, anywhere=True)[0]) is not None:
        talkers, rest = (speaker or "", whom), "what did they ask"
    whether = cues.ASKED_WHETHER.match(" ".join(rest.split())) if speaker is not None and not talkers else None
    if whether is not None:
        # To whom it was put is not said in it.
        rest = f"{whether['asked']}{whether['what']}"
    said_bare = " ".join(rest.split())
    room = re.sub(r"[, ]*\b(?:and )?(?:where|at which bearing) in the room\b|\bin (?:the|this) room\b", " ", rest, flags=re.I)
    order = None if duration else order
    intent = "play" if played else "order" if order is not None and not order.asks else _intent(rest, attended, has_missed=bool(absence))
    if duration and attended is None and not absence:
        intent = "count" if duration == "talkers" else "duration"
    intent = "did_anybody" if framed is not None and intent in {"when", "where", "who", "what"} else intent
    intent = intent if played else decided or intent
    if intent == "what" and catching_up and length_s is not None:
        intent = "catch_up"
    if (pronoun or edge or (follow_up is not None and follow_up.kind in {"else", "reply"})) and intent in {"catch_up", "missed"}:
        intent = "what"
    teller = teller_in(rest) if speaker is None and not talkers and bearing is None and side is None and attended is None else ""
    about_speech = cues.SPEECH.search(rest) is not None and (speaker is not None or not (teller or cues.THING_SAYS.search(rest)))
    # "Did they agree on a date for the party?" asks for a date, not for what was said of the party.
    kinds = frozenset[str]() if decided == "did_anybody" and asks_whether_of(said) else kind_words(rest)
    empty = cues.WH | kinds | (cues.OVERVIEW_WORDS if intent in {"catch_up", "missed"} else frozenset[str]())
    empty |= (_MISSING if intent == "missed" else frozenset()) | (cues.DECIDING_WORDS | _NEWS if about_speech else frozenset())
    # "About the name" is about a name, while "what is the name" asks for one.
    words = content_words(room, drop=empty) or content_words(room, drop=empty - set(_NAMED_KIND.findall(room.lower())))
    if not words and decided:
        words = named_in(rest.partition(" about ")[2], speakers)
    if not words and speaker is not None and (said_what := cues.SAID_WHAT.search(rest)) is not None:
        # "When did Anna say on which day they got together?" asks for one thing that she said, however dull its words are.
        words = tuple(word for word in tokens(rest[said_what.end() :]) if word not in STOP_WORDS and word not in cues.WH)
        about_speech = about_speech and not words
    if speaker is not None:
        # "Want" in "When does Anna want to leave?" is how it is told, as "say" is; "What does Anna want?" has nothing else.
        words = tuple(word for word in words if word not in cues.TELLING_WORDS) or tuple(
            word for word in words if word not in cues.ASKING_WORDS
        )
    terms = tuple(dict.fromkeys(stem(word) for word in words))
    aspects = tuple(
        name
        for name, pattern in (("when", cues.WHEN), ("where", cues.WHERE), ("who", cues.WHO))
        if pattern.search(rest) and name not in {intent, "who" if duration else ""}
    )
    if intent == "catch_up" and terms and not re.search(r"catch|up to speed|recap|summ?ar|going on|happening", rest, re.I):
        intent = "what"
    # A word or two by themselves ask what was said about them.
    very = cues.VERY_WORDS.search(rest) if intent != "count" else None
    very_words = "" if very is None else next(filter(None, very.groups()))
    bare = 0 < len(words) == sum(word not in {"the", "a", "an"} for word in tokens(rest)) <= _MOST_BARE_WORDS
    about_speech = about_speech or bare or bool(very_words) or (bool(words) and asks_who_was_told(rest))
    gist = " ".join(words)
    stands_alone = (
        about_speech
        or speaker
        or pronoun
        or window
        or bearing is not None
        or side
        or attended
        or follow_up
        or order
        or edge
        or intent == "catch_up"
    )
    azimuth_deg = bearing % 360.0 if bearing is not None else None
    if side is not None and facing_deg is not None:
        azimuth_deg = bearing_of(side, facing_deg)
    return Question(
        text=said,
        intent=intent,
        # "When and where did they talk about X?" is alike to every line that asks when and where.
        topic=f"a conversation about {gist}" if about_speech and gist else _tidy(room),
        gist=gist,
        terms=terms,
        about_speech=about_speech,
        aspects=aspects,
        speaker=speaker,
        azimuth_deg=azimuth_deg,
        window=window,
        attended=attended,
        absence=absence or ("away" if window is not None and window.guessed else None),
        azimuth_tolerance_deg=SIDE_TOLERANCE_DEG if side is not None else BEARING_TOLERANCE_DEG if is_about else None,
        length_s=length_s,
        follow_up=follow_up,
        order=order,
        pronoun=pronoun if speaker is None else "",
        edge=edge if order is None else "",
        duration=duration if intent in {"duration", "count"} else "",
        talkers=talkers,
        company=company is not None,
        settles=bool(decided),
        asking=asked_whom is not None or whether is not None or cues.ASKED.match(said_bare) is not None,
        very_words=very_words,
        teller=teller,
        asks_present=intent in {"who", "count"}
        and company is None
        and not (terms or edge or azimuth_deg is not None)
        and cues.PRESENT.match(said_bare) is not None,
        refers=not stands_alone and len(terms) <= _MOST_REFERRING_TERMS and cues.REFERS.search(rest) is not None,
    )


def _goes_then(window: Window, rest: str) -> bool:
    """Whether a question asks what somebody told, of which the time is all that it names."""
    return not window.exact and cues.GOES_THEN.match(rest.strip()) is not None and not content_words(rest, drop=cues.WH)


def _unservable(said: str, why: str) -> Question:
    return Question(text=said, intent="unservable", refusal=why)


def _two_sides(rest: str) -> str | None:
    """Why a question that names two sides, or a side and a bearing, cannot be served."""
    places = [*sides_in(rest), *(match[0].strip() for match in cues.BEARING.finditer(rest))]
    if len(places) < 2 or not sides_in(rest):
        return None
    return f"The question names {len(places)} places ({', '.join(places)}); ask about one of them at a time"


def _intent(rest: str, attended: Attended | None, *, has_missed: bool) -> str:
    if attended is not None or has_missed or cues.MISSED.search(rest):
        return "missed"
    if cues.CATCH_UP.search(rest):
        return "catch_up"
    if cues.COUNT.search(rest):
        return "count"
    if cues.DID.search(rest):
        return "did_anybody"
    found = [
        (match.start(), name)
        for name, pattern in (("when", cues.WHEN), ("where", cues.WHERE), ("who", cues.WHO))
        if (match := pattern.search(rest))
    ]
    other = re.search(r"\b(?:what|which|how|why)\b", rest, re.I)
    if other is not None and not re.match(
        r"what (?:time|day|date|year|month|direction|bearing)|which (?:side|bearing|direction|person|speaker)", rest[other.start() :], re.I
    ):
        found.append((other.start(), "what"))
    return min(found)[1] if found else "what"


def _attended(text: str, moments: Moments, speakers: Callable[[], Collection[str]]) -> tuple[Attended | None, str]:
    """What the question says was being followed, and the question without it."""
    match = (
        cues.WHILE.search(text)
        or cues.BUSY.search(text)
        or cues.BESIDES.search(text)
        or (cues.DURING.search(text) if cues.MISSED.search(text) else None)
    )
    named = match is not None and match.groupdict().get("who")
    if match is None or (named and speaker_in(named, speakers, anywhere=True)[0] is None):
        return None, text
    what = "who" if named else "what"
    phrase = re.split(r"\b(?:what|who|which)\s+(?:did|was|were|else|happened|has|have)\b", match[what], flags=re.I)[0].strip()
    end = match.end() if named else match.start(what) + len(match[what].split(phrase)[0]) + len(phrase)
    rest = f"{text[: match.start()]} {text[end:]}" if phrase else text
    moment, bare = asked_time(phrase, moments)
    if moment is not None:
        rest, phrase = f"{rest} {moment.phrase}", " ".join(bare.split())
    bearing = next(iter(bearings_in(phrase)), None)
    may_be_name = re.search(r"\b[A-Z]", phrase) is not None or len(phrase.split()) <= _MOST_NAME_WORDS
    speaker, _ = speaker_in(phrase, speakers, anywhere=may_be_name)
    subject = cues.GROUP.sub("", cues.BEARING.sub(" ", phrase))
    if bearing is not None or speaker is not None:
        subject = ""
    words = content_words(subject, drop={"group", "table", "chat", "one", "guys", "men", "women", "debate", "argument"})
    return Attended(
        phrase,
        " ".join(words),
        tuple(dict.fromkeys(stem(word) for word in words)),
        speaker,
        bearing % 360.0 if bearing is not None else None,
    ), rest


def plain_marks(text: str) -> str:
    """A text on one line, with the apostrophe that keyboards have."""
    return " ".join(text.translate(cues.EVEN_QUOTES).split())


def cleaned(said: str) -> str:
    """A question without what is only said to begin it, and with the words that tell its kind as they are spelled."""
    bare = cues.IN_THE_END.sub("", cues.ADDRESSED.sub("", said))
    return re.sub(r"[A-Za-z]+", lambda match: cues.SLIPS.get(match[0].lower(), match[0]), bare)


def _tidy(text: str) -> str:
    return re.sub(r"\s+([?.!,])", r"\1", " ".join(text.split())).strip(" ,;")
