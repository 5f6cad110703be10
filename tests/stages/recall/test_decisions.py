"""What was settled: asked for as a whole, by topic, talker, side and time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.decision_asked import decision_in
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.small_rooms import Ask, asking
from tests.stages.recall.test_corrections_read import Told

_PARTY = [
    ("Carla", "We have to settle the budget for the summer party."),
    ("David", "The band alone wants nine hundred."),
    ("Carla", "A DJ is three hundred."),
    ("David", "Fine, let's take the DJ."),
    ("Carla", "Where do we hold the party, in the courtyard or at the lake?"),
    ("David", "The lake needs a permit."),
    ("Carla", "Courtyard then."),
    ("David", "Agreed."),
    ("Carla", "By the way, was there an alarm this morning?"),
    ("David", "Yes, the fire alarm went off at nine, it was only a test."),
]
_DOG = [
    ("Anna", "We are getting a dog, a border collie puppy."),
    ("Ben", "Our old spaniel chewed through two sofas."),
    ("Anna", "I hope she will only eat her own toys."),
    ("Ben", "You should walk her four times a day."),
]


class _Reader(Told):
    """Under a name of which it is known how much it counts."""

    name = "mpnet"


@pytest.fixture
def ask(encoder: MinilmOnnx) -> Iterator[Ask]:
    rows = [
        line_row(text, 4.0 * n, track=f"t{who}", speaker=who, azimuth_deg=azimuth, event=event)
        for talk, azimuth, event in ((_PARTY, 210.0, "party"), (_DOG, 30.0, "dog"))
        for n, (who, text) in enumerate(talk)
    ]
    with asking(encoder, {"s": rows}) as asked:
        yield asked


def _quoted(ask: Ask, text: str) -> list[str]:
    answer = ask(text)
    assert answer.intent == "what"
    return [claim.evidence[0].text for claim in answer.claims]


def test_all_that_was_settled_comes_in_its_order_with_its_proof(ask: Ask) -> None:
    answer = ask("What did they decide?")
    assert [[evidence.text for evidence in claim.evidence] for claim in answer.claims] == [
        ["Fine, let's take the DJ."],
        ["Courtyard then.", "Agreed."],
    ]
    assert 'David (210 degrees) agreed: "Agreed."' in answer.text


def test_of_a_topic_what_was_settled_of_it(ask: Ask) -> None:
    assert _quoted(ask, "What was decided about the lake?") == ["Courtyard then."]
    assert _quoted(ask, "What did they agree on about the band?") == ["Fine, let's take the DJ."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What did they decide about the volcano?", 'Nothing that was settled about "volcano" was heard. The nearest thing heard: '),
        ("Did they decide anything about the dog?", 'Nothing that was settled about "dog" was heard. The nearest thing heard: '),
        ("What did Anna decide?", "Nothing that Anna settled was heard."),
        ("What did Anna and Ben agree on?", "Nothing that Anna and Ben settled was heard."),
        ("What was agreed at 30 degrees?", "Nothing that was settled was heard."),
        ("What was decided in the last minute?", "Nothing that was settled was heard."),
    ],
)
def test_where_nothing_was_settled_that_is_told(ask: Ask, text: str, words: str) -> None:
    answer = ask(text)
    assert answer.abstained
    assert answer.text.startswith(words)


@pytest.mark.parametrize("topic", ["alarm", "dog"])
def test_what_was_said_of_a_topic_of_which_nothing_was_settled_is_told_as_that(ask: Ask, topic: str) -> None:
    """Somebody may have settled it in words that no rule knows."""
    answer = ask(f"What did they decide about the {topic}?")
    assert answer.text.startswith(f'Nothing that was settled about "{topic}" was heard for certain; this is what was said about it. At ')
    assert any(topic in evidence.text.lower() for evidence in answer.claims[0].evidence)


def test_what_was_settled_and_taken_back_is_told_with_what_holds(encoder: MinilmOnnx) -> None:
    """By the reader: no rule sees that a landlord takes back a courtyard."""
    back = "Our landlord closes his yards, so the party goes to the lake then."
    rows = [
        line_row(text, 4.0 * n, track=f"t{who}", speaker=who, azimuth_deg=210.0, event="party")
        for n, (who, text) in enumerate([*_PARTY, ("Carla", back)])
    ]
    for reader in (_Reader(("Courtyard then.", back)), None):
        with asking(encoder, {"s": rows}, reader) as ask:
            for text in ("What did they decide?", "What was decided about the lake?", "What did they decide in the first minute?"):
                told = next(claim for claim in ask(text).claims if claim.evidence[0].text == "Courtyard then.")
                assert [one.text for one in told.evidence] == ["Courtyard then.", "Agreed.", *([back] if reader is not None else [])]
                assert ("That was taken back" in told.text) == (reader is not None)


_AFTERWARDS = [
    ("Carla", "Can everybody vote now on the new coffee machine?"),
    ("David", "The Italian one for me."),
    ("Carla", "Three to one, so we buy the Italian one."),
    ("David", "Shall we take a break for ten minutes?"),
    ("Carla", "Yes, a break until quarter past four."),
    ("David", "I will open a window."),
]


@pytest.fixture
def vote(encoder: MinilmOnnx) -> Iterator[Ask]:
    rows = [
        line_row(text, start_s + 4.0 * n, track=f"t{who}", speaker=who, azimuth_deg=210.0, event=event)
        for talk, start_s, event in ((_PARTY, 0.0, "party"), (_AFTERWARDS, 70.0, "vote"))
        for n, (who, text) in enumerate(talk)
    ]
    with asking(encoder, {"s": rows}) as asked:
        yield asked


def test_what_was_settled_before_or_after_a_thing_came_up(vote: Ask) -> None:
    before = ["Fine, let's take the DJ.", "Courtyard then."]
    outcome = "Three to one, so we buy the Italian one."
    assert _quoted(vote, "What did they decide before the vote?") == before
    assert _quoted(vote, "What decisions were made before they talked about the vote?") == before
    # Of a vote that was called before, the outcome is settled after it; a break that came up is settled no later than that.
    assert _quoted(vote, "What was decided after the vote?") == [outcome, "Shall we take a break for ten minutes?"]
    assert vote("Was anything decided after the vote came up?").text.startswith(f'Yes: At 1:18, Carla (210 degrees) said: "{outcome}"')
    nothing = vote("What was decided after the break?")
    assert nothing.abstained
    assert nothing.text == 'After "the break" came up: Nothing that was settled was heard.'
    assert vote("What did they agree on before the volcano?").text == '"the volcano" was not heard of.'
    assert _quoted(vote, "What did David and Carla decide before the vote?") == before
    assert _quoted(vote, "What was decided about the band before the vote?") == before[:1]


def test_a_later_word_of_a_thing_may_look_back_on_it(encoder: MinilmOnnx) -> None:
    talk = ["We agreed to paint the hall before the break.", "And we decided to buy twelve chairs.", "The break was too short."]
    rows = [line_row(text, 4.0 * n, track="tCarla", speaker="Carla", azimuth_deg=210.0, event="party") for n, text in enumerate(talk)]
    with asking(encoder, {"s": rows}) as ask:
        assert _quoted(ask, "What was decided before the break?") == talk[:1]
        assert _quoted(ask, "What was decided after the break?") == talk[1:2]


@pytest.mark.parametrize(
    ("afterwards", "outcome"),
    [
        (["Who is in favour of the Italian one? Hands up.", "Three to one, so we buy the Italian one."], True),
        (["So let's vote. Who wants the Italian one?", "The Italian one for me."], False),
        (["The garden looks lovely."], False),
    ],
)
def test_that_a_thing_will_be_held_was_decided_before_it(encoder: MinilmOnnx, afterwards: list[str], outcome: bool) -> None:
    planned = "We agreed to hold the vote at six."
    late = [("Carla" if n % 2 else "David", text) for n, text in enumerate(afterwards)]
    talk = [*_PARTY[:4], ("Carla", planned), ("David", "Let's buy a kettle too."), ("Carla", "Agreed."), *late]
    rows = [line_row(text, 4.0 * n, track=f"t{who}", speaker=who, azimuth_deg=210.0, event="party") for n, (who, text) in enumerate(talk)]
    with asking(encoder, {"s": rows}) as ask:
        before = _quoted(ask, "What did they decide before the vote?")
        # Where nobody told how the vote went, what was decided after that may have been so after the vote.
        assert before == ["Fine, let's take the DJ.", planned, *(["Let's buy a kettle too."] if outcome else [])]
        assert _quoted(ask, "What did they decide before the vote came up?") == before[:1]


def test_what_was_to_be_done_before_a_thing_was_decided_before_it(encoder: MinilmOnnx) -> None:
    sofa = "We decided to buy the red sofa before the vote on the curtains."
    talk = [("Ben", sofa), ("Carla", "Let's vote on the curtains. Who is for green?"), ("Ben", "Me."), ("Carla", "Then green it is.")]
    rows = [line_row(text, 6.0 * n, track=f"t{who}", speaker=who, azimuth_deg=210.0, event="e") for n, (who, text) in enumerate(talk)]
    with asking(encoder, {"s": rows}) as ask:
        assert _quoted(ask, "What did they decide before the vote?") == [sofa]
        assert _quoted(ask, "What did they decide after the vote?") == ["Then green it is."]


def test_who_settled_it_said_it_or_agreed(ask: Ask) -> None:
    both = ["Fine, let's take the DJ.", "Courtyard then."]
    assert _quoted(ask, "What did David decide?") == both
    assert _quoted(ask, "What did Carla agree to?") == ["Courtyard then."]
    assert _quoted(ask, "What did Carla and David settle?") == both
    assert _quoted(ask, "What was agreed at 210 degrees?") == both
    assert _quoted(ask, "What did they decide between +0 and +20?") == both[:1]


def test_whether_anything_was_settled(ask: Ask) -> None:
    answer = ask("Did they decide anything?")
    assert answer.intent == "did_anybody"
    assert answer.text.startswith("Yes: At 0:12, David")
    assert ask("Was anything agreed about the dog?").abstained


@pytest.mark.parametrize(
    "text",
    [
        "What did they decide?", "What was agreed?", "What did the two decide?", "What have we settled?", "What was planned?",
        "What's been decided?",
        "What did they settle on?", "What decisions were made?", "What decisions did they make?", "What was the outcome of the meeting?",
        "Any decisions?",
        "What did we agree to do?",
    ],
)  # fmt: skip
def test_what_was_settled_at_all(text: str) -> None:
    assert decision_in(text) == ("what", "what did they say")


@pytest.mark.parametrize(
    "text",
    [
        "What did they decide to cook?", "When did they decide?", "Why did they choose the DJ?", "Did Ben agree?",
        "What did the board decide?", "What did Anna's brother decide about the car?", "What is the plan?", "What did Ben agree with?",
        "Who decided that?", "What have they settled on for the railing?", "What was planned for supper?",
        "What did they agree to do on weekdays?", "What have they agreed on after three days of quarrelling?",
    ],
)  # fmt: skip
def test_what_is_a_fact_is_none(text: str) -> None:
    assert decision_in(text, lambda: ["Anna", "Ben"]) == ("", text)


_SETTLES = [
    ("Carla", "And the date? The twelfth of July?"),
    ("David", "I am in Lisbon until the fourteenth."),
    ("Carla", "Okay, the nineteenth of July."),
    ("David", "That works for me."),
    ("Carla", "The price of the tent is still open."),
    ("David", "We have not heard from the shop."),
]


@pytest.fixture
def settling(encoder: MinilmOnnx) -> Iterator[Ask]:
    rows = [
        line_row(text, 4.0 * n, track=f"t{who}", speaker=who, azimuth_deg=210.0, event="party")
        for n, (who, text) in enumerate([*_PARTY, *_SETTLES])
    ]
    with asking(encoder, {"s": rows}) as asked:
        yield asked


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("Did they agree on a date?", "Okay, the nineteenth of July."),
        ("Have they settled on a date?", "Okay, the nineteenth of July."),
        ("Was a date agreed?", "Okay, the nineteenth of July."),
        ("Did Carla and David decide on the courtyard?", "Courtyard then."),
        ("Did they settle on the DJ?", "Fine, let's take the DJ."),
    ],
)
def test_whether_a_thing_was_settled_where_that_is_certain(settling: Ask, text: str, settled: str) -> None:
    answer = settling(text)
    assert answer.intent == "did_anybody"
    assert answer.claims[0].text.startswith("Yes: At ")
    assert answer.claims[0].evidence[0].text == settled


def test_where_something_else_was_settled_of_it_that_is_told_and_judged_by_who_asks(settling: Ask) -> None:
    answer = settling("Have they decided on the lake?")
    assert [claim.evidence[0].text for claim in answer.claims] == ["Courtyard then."]
    assert answer.text.startswith("At 0:24, Carla")


def test_where_nothing_was_settled_of_it_what_was_said_of_it_is_told(settling: Ask) -> None:
    answer = settling("Did they agree on a price?")
    assert answer.text.startswith('Nothing that was settled about "price" was heard for certain; this is what was said about it. At ')
    assert any("price" in claim.evidence[0].text for claim in answer.claims)


def test_where_nothing_was_said_of_it_that_is_told(settling: Ask) -> None:
    assert settling("Did they agree on a volcano?").text.startswith('Nothing that was settled about "volcano" was heard. ')


@pytest.mark.parametrize(
    "text", ["Did they agree on what to cook?", "Did the board agree on a price?", "Did Ben agree with the plan?", "Is the bill settled?"]
)
def test_what_asks_whether_no_thing_was_settled(text: str) -> None:
    assert decision_in(text) == ("", text)


def test_of_people_what_names_them(encoder: MinilmOnnx) -> None:
    """Nothing that they said themselves, and not what is said in words of which one happens to be a name."""
    said = [
        ("Carla", "We will need a driver."),
        ("David", "I asked Will, he has a van."),
        ("Carla", "Then let's ask him to drive."),
        ("David", "Agreed."),
    ]
    rows = [
        line_row(text, start_s + 4.0 * n, track=f"t{who}", speaker=who, azimuth_deg=210.0, event=event)
        for talk, start_s, event in ((_PARTY, 0.0, "party"), (said, 200.0, "van"))
        for n, (who, text) in enumerate(talk)
    ]
    rows.append(line_row("I will come later.", 240.0, track="tWill", speaker="Will", azimuth_deg=30.0, event="late"))
    with asking(encoder, {"s": rows}) as ask:
        assert _quoted(ask, "What was decided about Will?") == ["Then let's ask him to drive."]
        assert _quoted(ask, "What did they decide about will?") == ["Then let's ask him to drive."]
        nothing = ask("What was decided about Carla?")
        assert nothing.abstained
        assert nothing.text.startswith('Nothing that was settled about "Carla" was heard.')
    with asking(encoder, {"s": [*rows[:12], rows[-1]]}) as ask:
        answer = ask("What was decided about Will?")
        assert answer.text.startswith('Nothing that was settled about "Will" was heard for certain; this is what was said about it. At ')
        assert [claim.evidence[0].text for claim in answer.claims] == ["I asked Will, he has a van."]


def test_a_topic_and_a_talker_stay_in_the_question() -> None:
    assert decision_in("What was decided on the new name?") == ("what", "what did they say about the new name")
    assert decision_in("What was the result of the vote?") == ("what", "what did they say about vote")
    # What "it" is stands in an earlier question.
    assert decision_in("What did Anna decide about it?", lambda: ["Anna"]) == ("", "What did Anna decide about it?")
    assert decision_in("what they agreed on") == ("what", "what did they say")
    assert decision_in("Did they agree on anything about the roof?") == ("did_anybody", "what did they say about the roof")
    assert decision_in("What did Anna and Ben agree?", lambda: ["Anna", "Ben"]) == ("what", "what did Anna and Ben talk")


def test_a_room_in_which_nothing_was_settled(kitchen: Asker) -> None:
    answer = kitchen.ask("Did they decide anything about the museum?")
    assert answer.abstained
    assert answer.retrieved
    assert kitchen.ask("What did they decide about the volcano?").abstained
