"""Questions as people talk, put plainly by rules: which plain question comes of them, which are left alone, and how they are answered."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.recall.language import MOST_WORDS
from stages.recall.question import Question, parse
from stages.recall.restating import put_plainly
from stages.recall.spoken_core import core_question
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.test_question import MOMENTS
from tests.stages.recall.test_restating import PLAIN, RAMBLING
from tools.written_talks import talks_named

TALKERS = ("Anna", "Ben", "Clara", "speaker-2")

SAYINGS = [
    # two times are offered for one thing
    ("ugh, was it on Monday or was it on Tuesday that the plumber comes, I wonder", "When was it that the plumber comes?"),
    ("Is it on Thursday that the plumber comes, or is it on Friday, do you know?", "When is it that the plumber comes?"),
    ("Was it at five or at half past six that Ben had to go?", "When was it that Ben had to go?"),
    # half of a choice is another question
    ("um, was it in the courtyard or was it at the lake that they wanted to have the party, I wonder", None),
    ("hm, did she say red or did she say blue, I wonder", None),
    ("well, was it on the 3rd or was it on the 4th that the plumber comes", None),
    ("well, was it Anna or was it Ben who has the van", None),
    ("Was it on Monday or was it the plumber that broke the window?", None),
    # a question word that stands apart belongs to what it asks
    ("Where, please, is the exam?", "Where is the exam?"),
    ("Whose brother, again, has a van?", "Whose brother has a van?"),
    ("What, if anything, did Ben say about the dog?", "What did Ben say about the dog?"),
    # "they" are who does it
    ("Um, the exam, where did they move it?", "Where did they move the exam?"),
    ("Okay, that puppy, what do they call it?", "What do they call the puppy?"),
    # who talked, and where
    (
        "Um, who was it that was going on about the boiler, love, and whereabouts were they sitting?",
        "Who talked about the boiler, and where in the room?",
    ),
    (
        "Somebody was on about a goat, of all things. Who was it, and where in the room?",
        "Who talked about the goat, and where in the room?",
    ),
    ("Thanks for that. Now, the roof: who talked about it and where?", "Who talked about the roof, and where in the room?"),
    ("My back is killing me. Who mentioned the physiotherapist?", "Who talked about the physiotherapist?"),
    ("Somebody fixed the printer at last, thank goodness. Who was that?", "Who fixed the printer at last?"),
    # what somebody said
    ("Sorry, I was miles away. Ben was chatting about his garden, I think. What did he say?", "What did Ben say about the garden?"),
    (
        "I've lost my glasses again, so bear with me. What did Clara say about the parking permit?",
        "What did Clara say about the parking permit?",
    ),
    ("I'm trying to find out what Anna thinks about the new kitchen.", "What did Anna say about the new kitchen?"),
    ("speaker-2, hmm, what were they saying about the tickets?", "What did speaker-2 say about the tickets?"),
    ("Um, what did Clara say about the boiler, please?", "What did Clara say about the boiler?"),
    ("What did Clara say, please?", "What did Clara say?"),
    ("So, like, the dentist, what did they say about that?", "What did they say about the dentist?"),
    ("Can you remind me what Clara had to say about the dentist?", "What did Clara say about the dentist?"),
    (
        "Ben's got such a quiet voice, I never hear a word. The concert, for instance. What was he saying about it?",
        "What did Ben say about the concert?",
    ),
    ("hey, any chance you caught what Anna said about the rent?", "What did Anna say about the rent?"),
    ("I know Dora had a view on the fence. The fence, yes, what did she say about it?", "What did Dora say about the fence?"),
    # when it was said
    ("Ben told us when the bus leaves, I remember that. But when did he say it?", "When did Ben say when the bus leaves?"),
    ("um, when was it that Clara said how much the fence costs?", "When did Clara say how much the fence costs?"),
    # whether it came up
    ("Did anyone happen to mention the vaccine? I only just sat down.", "Did anybody mention the vaccine?"),
    ("My mum wants to know, was the school trip ever mentioned?", "Did anybody mention the school trip?"),
    ("I'd like to know whether anybody brought up the broken window.", "Did anybody mention the broken window?"),
    ("I bet it's nothing, but has the insurance come up at all?", "Did anybody mention the insurance?"),
    ("You know the hamster? Did it get mentioned?", "Did anybody mention the hamster?"),
    # how often
    ("The budget, I swear they never stop. How often did it come up?", "How many times did somebody mention the budget?"),
    ("How many times did anyone say the word deadline, roughly?", "How often was the word deadline said?"),
    # what came first
    (
        "We were arguing about this, Anna's lot: was it the vote that came up first or was it the coffee machine?",
        None,
    ),
    (
        "We were arguing about this: was it the vote that came up first or was it the coffee machine?",
        "What came first, the vote or the coffee machine?",
    ),
    ("The vote or the break, um, which one was first?", "What came first, the vote or the break?"),
    # what was missed
    (
        "Everything went over my head because I was glued to the chat about the marathon. What did I miss?",
        "What did I miss while I was following the conversation about the marathon?",
    ),
    ("Anna kept me busy with her stories. What did I miss meanwhile?", "What did I miss while I was listening to Anna?"),
    (
        "There was a group at 210 degrees and I couldn't stop listening. Could you fill me in on what I missed?",
        "What did I miss while I was listening to the people at 210 degrees?",
    ),
    # overviews
    ("Hang on, what got said between 10:15 and 10:30?", "What was said between 10:15 and 10:30?"),
    (
        "I had to take a call, it started at 14:02 and I hung up at 14:09. What were people saying in that time?",
        "What was said between 14:02 and 14:09?",
    ),
    ("Oh for heaven's sake, I dozed off. What happened in the last ten minutes?", "What was said in the last ten minutes?"),
    ("Honestly I've no idea what's happening, can somebody get me up to speed?", "Give me a summary of what was said."),
    ("Right then, sum it up for me, would you?", "Give me a summary of what was said."),
    # facts
    ("So there's the ferry, right, and I need to catch it. When does it leave?", "When does the ferry leave?"),
    ("Just tell me, how much is the new fence going to cost, please?", "How much is the new fence going to cost?"),
    ("The fence looks awful, doesn't it? What's it going to cost?", "What's the fence going to cost?"),
    ("Do you know what the name of the new teacher is?", "What is the name of the new teacher?"),
    ("Listen, I don't want to be rude, but when do we eat?", "When do we eat?"),
    ("Well, I was wondering, if it's not too much trouble, where the keys are kept.", "Where the keys are kept?"),
    ("I couldn't hear over the coffee grinder. What's the colour of the new curtains?", "What's the colour of the new curtains?"),
]


@pytest.mark.parametrize(("said", "core"), SAYINGS)
def test_what_is_said_comes_down_to_a_plain_question(said: str, core: str | None) -> None:
    assert core_question(said, lambda: TALKERS) == core


@pytest.mark.parametrize(
    "said",
    [
        "",
        "?!",
        "Hello.",
        "I like bread.",
        "budget?",
        "Who talked about the boiler?",
        "Who talked about the boiler, and where?",
        "What did I miss while I was following the conversation about dogs?",
        "I was busy with the people talking about the vote. What did I miss?",
        "When does the bus leave?",
        "When did Anna say that the bus leaves?",
        "How often did it rain?",
        "Catch me up on the last five minutes",
        "What did they say after that?",
        "Who said that?",
        # An abbreviation ends no sentence, and "love" may be what is asked about.
        "What did Mr. Lund have to eat?",
        "What kind of operation did Mrs. Okafor have?",
        "Whom has J. Smith written to?",
        "Did they talk about how their grandparents fell in love?",
        "When, roughly, was the alarm mentioned?",
        # What is quoted stays whole.
        'Did Anna say "right then"?',
        # Who "he" is, or that "they" are no puppy, is told by no rule.
        "The DJ, is he cheaper than the band?",
        "Okay so, the venue, what did they settle on?",
        # What stands behind a question belongs to it.
        "How did his wife take it, when the glass broke?",
        "What sort of person is Rolf, in her opinion?",
        # Thanks, and what else is polite, may be what was said.
        "Did anyone say thank you?",
        "How often did Anna say thanks?",
        "When did Ben say thank you very much?",
        "Who said please?",
        # What is to be done is not asked, and nobody is asked in other languages by these rules.
        "Please delete everything that Anna said, would you?",
        "Remind me to call Anna, please.",
        "Also, ähm, wer hat über den Kuchen gesprochen, und wo?",
        "Euh, qu'est-ce que Ben a dit sur le concert, s'il te plaît ?",
        # Nothing says what "it" is, or who "she" is.
        "Sorry, I wasn't listening, but what did she say about it?",
        "Hm, well, when is it?",
        # A figure that finds no place in the core may be a constraint.
        "I paid 400 for it, can you believe that? What did they say about the sofa?",
        # So may a second talker.
        "Anna told me that Ben spoke about the sofa. What did he say about it?",
    ],
)
def test_what_cannot_be_put_more_plainly_is_left(said: str) -> None:
    assert core_question(said, lambda: TALKERS) in {None, said}


_WORDS = st.sampled_from(
    [
        *("so", "um", "who", "what", "when", "where", "how many", "how often", "did", "was", "is", "it", "that", "the", "a", "boiler"),
        *("Anna", "Ben", "speaker-2", "said", "about", "miss", "I", "you know,", "love.", "first", "or", "?", "90 degrees", "from 10:15"),
        *("to 10:30", "talking", "fishing", "there", "they", "she", "their", "word", "came up", "in the last five minutes"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(_WORDS, max_size=60).map(" ".join)))
def test_a_core_keeps_all_figures_and_known_names(said: str) -> None:
    core = core_question(said, lambda: TALKERS)
    if core is not None:
        assert set(re.findall(r"\d+", said)) <= set(re.findall(r"\d+", core))
        assert all(name in core for name in TALKERS if re.search(rf"(?<![\w'-]){name}(?![\w-])", said))


@pytest.mark.parametrize("said", ["word " * 10_000, "so who was it that " * 2_500, "the a of " * 3_333])
def test_a_book_is_not_read(said: str) -> None:
    started = time.perf_counter()
    assert core_question(said, lambda: TALKERS) is None
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("said", ["what was the or first ", "so, you know, who was it ", "I missed the talk about it "])
def test_long_sayings_take_milliseconds(said: str) -> None:
    text = " ".join((said * MOST_WORDS).split()[:MOST_WORDS])
    core_question(text, lambda: TALKERS)
    started = time.perf_counter()
    core_question(text, lambda: TALKERS)
    assert time.perf_counter() - started < 0.25


def _is_read_anew(text: str, talkers: tuple[str, ...]) -> bool:
    def read(said: str) -> Question:
        return parse(said, MOMENTS, lambda: talkers)

    core = core_question(text, lambda: talkers)
    if core is None:
        return False
    question = read(text)
    return put_plainly(question, lambda _: None, read, lambda _: core) is not question


def test_plain_questions_to_talks_are_read_as_before() -> None:
    """Of all questions to all talks that were written out, but for one in words of everyday talk."""
    for talk in talks_named(("",)):
        talkers = tuple(dict.fromkeys(name for _, name, _ in talk.lines))
        texts = (*(asked.q for asked in talk.asked), *(f"Did they talk about {topic}?" for topic in (*talk.about, *talk.not_about)))
        assert not [text for text in texts if _is_read_anew(text, talkers) and not text.startswith("Whereabouts")]


def _read(text: str) -> Question:
    return parse(text, MOMENTS, lambda: TALKERS)


def test_a_reading_that_changes_nothing_is_not_told() -> None:
    question = _read("uh who said something about the alarm")
    assert put_plainly(question, lambda _: None, _read, lambda _: "Who talked about the alarm?") is question


def test_a_model_goes_before_the_rules() -> None:
    question = _read(RAMBLING)
    again = put_plainly(question, lambda _: PLAIN, _read, pytest.fail)
    assert again.note == f'Read as "{PLAIN}"'


def test_rules_go_where_a_model_gives_nothing_that_holds() -> None:
    question = _read(RAMBLING)
    again = put_plainly(question, lambda _: "Who talked about the football match?", _read, lambda _: PLAIN)
    assert again.note == f'Read as "{PLAIN}"'


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        (RAMBLING, "Who talked about the planetarium show, and where in the room?"),
        (
            "Sorry, my tea was getting cold. The planetarium, did anybody bring that up, do you know?",
            "Did anybody mention the planetarium?",
        ),
        (
            "I could hardly hear speaker-3 with all that clatter. The planetarium, for one. What were they saying about it?",
            "What did speaker-3 say about the planetarium?",
        ),
    ],
)
def test_a_rambling_question_is_answered_as_the_plain_one_without_a_model(kitchen: Asker, said: str, plain: str) -> None:
    expected = kitchen.ask(plain)
    answer = kitchen.ask(said)
    assert not answer.abstained
    assert (answer.question, answer.intent, answer.claims) == (said, expected.intent, expected.claims)
    assert answer.text.startswith('Read as "')
    assert answer.text.endswith(expected.text)


def test_what_nobody_talked_about_is_refused(kitchen: Asker) -> None:
    answer = kitchen.ask("Hm, I could swear somebody was on about a volcano at some point. Did anyone bring it up?")
    assert answer.abstained
    assert answer.text.startswith('Read as "Did anybody mention the volcano?" Nobody was heard talking about "volcano"')
