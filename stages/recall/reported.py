"""What others told of what somebody said who is no talker: "the doctor said that ..." answers "What did the doctor say?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stages.recall.answers import speaker_of
from stages.recall.english import is_question
from stages.recall.material import Found
from stages.recall.terms import content_terms, coverage, stem, stems, tokens
from stages.recall.word_lists import word_set

if TYPE_CHECKING:
    from stages.memory.rows import LineRow
    from stages.recall.question import Question
    from stages.recall.search import Ranked

_SAID = 0.9
_SAYS = (
    r"(?:ever |also )?(?:say|said|says|tell|told|tells|mention(?:ed)?|suggest(?:ed)?|ask(?:ed)?|answer(?:ed)?|promised?|thinks?|thought"
    r"|explain(?:ed)?|advised?)\b"
)
_TELLER = re.compile(
    r"\b(?:(?i:did|does|has|had|will|would|do|have) |(?<=what )|(?<=that ))"
    rf"(?P<who>(?:the|my|our|your|his|her|their|[\w-]+'s) (?:[a-z][\w'-]* ){{0,2}}?(?P<head>[a-z][\w'-]*)) {_SAYS}"
)
_PERSONS = word_set(
    """
    mother mum mom mam mummy father dad daddy parent brother sister sibling son daughter child husband wife partner boyfriend girlfriend
    fiance fiancee ex aunt auntie uncle cousin niece nephew grandmother grandma granny gran nan nana grandfather grandad grandpa grandson
    granddaughter grandchild godmother godfather twin stepmother stepfather stepson stepdaughter mother-in-law father-in-law
    brother-in-law sister-in-law son-in-law daughter-in-law friend mate neighbour neighbor flatmate housemate roommate colleague coworker
    landlord landlady tenant lodger boss manager supervisor foreman director chef cook waiter waitress barman bartender doctor gp nurse
    surgeon consultant specialist cardiologist midwife matron paramedic physio physiotherapist therapist psychologist psychiatrist
    optician dentist hygienist pharmacist chemist vet carer teacher headmaster headmistress headteacher tutor professor lecturer coach
    trainer instructor examiner student pupil lawyer solicitor barrister judge notary accountant banker adviser advisor agent broker
    policeman policewoman officer detective inspector sergeant fireman soldier engineer plumber electrician builder carpenter joiner
    roofer painter decorator mechanic technician architect surveyor gardener cleaner caretaker janitor porter driver pilot conductor
    guard receptionist secretary assistant clerk cashier shopkeeper butcher baker hairdresser barber tailor jeweller farmer postman
    vicar priest pastor rabbi imam mayor councillor minister president chairman chairwoman editor journalist reporter author photographer
    babysitter childminder nanny
    """
)
"""What one person is to somebody or does for a living; whether anything else that is said to say something is one is not certain."""
_TOLD = (
    r"(?:said|says|told|tells|thinks|thought|reckons|mentioned|mentions|suggested|suggests|promised|warned|advised|advises|recommended"
    r"|recommends|explained|swears|claims|claimed|wrote)\b"
)
_REPORTS = re.compile(
    r"\b(?:said|says?|saying|told|tells?|telling|thinks?|thought|reckons?|mention(?:ed|s)|suggest(?:ed|s)|promised|warned|wants|wanted"
    r"|advised|recommend(?:ed|s)|asked|explained|swears|claims?|according|wrote|texted|rang|called|spoken|spoke|talked)\b",
    re.I,
)


def teller_in(text: str) -> str:
    """Somebody who is known by what they are ("the doctor", "my sister") and is asked about as who told something; "" for none."""
    match = _TELLER.search(text)
    return match["who"] if match is not None and match["head"] in _PERSONS else ""


def reported(question: Question, found: Sequence[Found], ranked: Ranked) -> list[Found]:
    """The lines that tell what the one who is asked about said: they name them, or answer a question that does.

    What was said "about the car" is nothing that was said of something else. Where none of what was found does, a line answers that says
    in so many words that they said something, of what is asked about if anything is.
    """
    about = _about(question)
    told = [(entry, _line_and_asked(entry)) for entry in found]
    kept = [
        entry
        for entry, lines in told
        if any(reports(question.teller, line) for line in lines) and (not about or any(coverage(about, stems(line.text)) for line in lines))
    ]
    return kept or [
        Found(line, ranked.scores[line.id], _SAID, coverage(question.terms, stems(line.text)), ranked.context(line), ranked.stretch(line))
        for line in ranked.nearest
        if _tells(question.teller, line) and (about or _asks_all(question)) and (not about or coverage(about, stems(line.text)))
    ]


def speaks_of(teller: str, line: LineRow) -> bool:
    """Whether a line speaks of such a person."""
    return stem(teller.split()[-1].lower()) in {stem(token) for token in tokens(line.text)}


def names_the_telling(question: Question, line: LineRow) -> bool:
    """Whether a line may tell what such a person said of what is asked: then nobody can be said to have told nothing of it."""
    return reports(question.teller, line) and (_asks_all(question) or coverage(_topic(question), stems(line.text)) > 0.0)


def reports(teller: str, line: LineRow) -> bool:
    """Whether a line speaks of such a person, and of telling."""
    return speaks_of(teller, line) and _REPORTS.search(line.text) is not None


def _topic(question: Question) -> list[str]:
    """The terms of a question beside those of who told it."""
    own = set(content_terms(question.teller))
    return [term for term in question.terms if term not in own]


def _about(question: Question) -> list[str]:
    return _topic(question) if re.search(r"\babout\b", question.text, re.I) else []


def _asks_all(question: Question) -> bool:
    """Whether a question asks for whatever such a person said."""
    return not _topic(question)


def _tells(teller: str, line: LineRow) -> bool:
    """Whether a line says in so many words that such a person said something: "my brother told me", "according to the vet".

    A brother of somebody else is somebody else.
    """
    whose, head = teller.split()[0], re.escape(teller.split()[-1])
    own = r"(?:my|our)"
    if whose.endswith("'s"):
        own = own if speaker_of(line).lower() == whose[:-2].lower() else re.escape(whose)
    elif whose not in {"my", "our"}:
        own = r"(?:the|my|our|your|his|her|their|[\w-]+'s)"
    who = rf"\b{own} (?:\w+ )?{head}\b"
    return re.search(rf"{who} (?:\w+ )?{_TOLD}|\baccording to {who}", line.text, re.I) is not None and not is_question(line.text)


def _line_and_asked(entry: Found) -> list[LineRow]:
    """A line, and the question of somebody else right before it."""
    before = [line for line in entry.context if line.start_ns < entry.line.start_ns][-1:]
    return [entry.line, *(line for line in before if line.track != entry.line.track and is_question(line.text))]
