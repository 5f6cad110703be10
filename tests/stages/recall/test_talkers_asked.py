"""Who was heard at all, what two people talked about with each other, and what one of them mentioned."""

from __future__ import annotations

from stages.memory.minilm_onnx import MinilmOnnx
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.small_rooms import asking


def test_everybody_who_was_heard_is_named_with_a_line_of_each(kitchen: Asker) -> None:
    answer = kitchen.ask("How many people are in the room?")
    assert answer.text == (
        "4 people were heard: speaker-1 (30 degrees), speaker-3 (210 degrees), speaker-4 (265 degrees) and speaker-2 (75 degrees)."
    )
    assert sorted(evidence.speaker for evidence in answer.claims[0].evidence) == [f"speaker-{n}" for n in (1, 2, 3, 4)]
    assert "1 person was heard: speaker-1 (30 degrees)." in kitchen.ask("Who spoke between +0 and +1?").text


def test_how_many_people_talked_about_something_counts_those_who_took_part(kitchen: Asker) -> None:
    answer = kitchen.ask("How many people talked about the museum?")
    assert answer.claims[0].text.startswith("2 people talked about it: speaker-3 (210 degrees) and speaker-4 (265 degrees). ")
    assert {evidence.speaker for evidence in answer.claims[0].evidence} == {"speaker-3", "speaker-4"}
    for text in ("How many people discussed the museum?", "How many of them took part in the conversation about the museum?"):
        assert kitchen.ask(text).claims == answer.claims
    assert kitchen.ask("How many people talked about the volcano?").abstained


def test_what_two_people_talked_about(kitchen: Asker) -> None:
    kitchen.memory.speakers.rename("speaker-3", "Carla")
    kitchen.memory.speakers.rename("speaker-4", "Dora")
    for text in ("What did Carla and Dora talk about?", "Summarise the conversation between Carla and Dora"):
        answer = kitchen.ask(text)
        assert {evidence.speaker for claim in answer.claims for evidence in claim.evidence} == {"Carla", "Dora"}
    refused = kitchen.ask("Did Carla and Dora talk about the volcano?")
    assert refused.text.startswith('Neither Carla nor Dora was heard talking about "volcano".')


def test_two_people_who_never_talked_with_each_other(kitchen: Asker) -> None:
    answer = kitchen.ask("What did speaker-1 and speaker-3 talk about?")
    assert answer.text.startswith("speaker-1 and speaker-3 were not heard talking with each other. ")
    assert all(len({evidence.speaker for evidence in claim.evidence}) == 1 for claim in answer.claims)
    assert {evidence.speaker for claim in answer.claims for evidence in claim.evidence} == {"speaker-1", "speaker-3"}
    refused = kitchen.ask("Did speaker-1 and speaker-3 talk about the leash?")
    assert refused.abstained
    assert refused.text.startswith(
        'speaker-1 and speaker-3 were not heard talking with each other about "leash". The nearest thing heard: at 0:34, speaker-1'
    )
    assert not kitchen.ask("Did speaker-1 and speaker-2 talk about the leash?").abstained


def test_what_two_people_talked_about_leaves_out_what_one_of_them_told_others(encoder: MinilmOnnx) -> None:
    school = [
        line_row("The bus to the museum leaves at nine.", 1.0, event="school"),
        line_row("Then the children must be at school at eight.", 5.0, track="t2", event="school"),
        line_row("I will make sandwiches for the bus.", 9.0, event="school"),
    ]
    # Half a minute of silence ends a talk.
    dog = [
        line_row("Our dog has learnt to open the fridge.", 60.0, event="dog"),
        line_row("A dog like that belongs on the stage.", 64.0, track="t3", event="dog"),
        line_row("He can even close it again.", 68.0, event="dog"),
    ]
    later = [
        line_row("My knee hurts when it rains.", 1.0, track="t4", session="later", event="knee"),
        line_row("Mine too, since the winter.", 5.0, session="later", event="knee"),
    ]
    with asking(encoder, {"s": school + dog, "later": later}) as ask:
        answer = ask("What did speaker-1 and speaker-2 talk about?")
    shown = {evidence.text for claim in answer.claims for evidence in claim.evidence}
    assert shown
    assert shown <= {line.text for line in school}


def test_before_a_line_has_an_event_nobody_is_told_to_have_talked_with_nobody(encoder: MinilmOnnx) -> None:
    said = [line_row("The bus leaves at nine.", 1.0), line_row("Then I will be there at eight.", 5.0, track="t2")]
    with asking(encoder, {"s": said}) as ask:
        answer, about_it = ask("What did speaker-1 and speaker-2 talk about?"), ask("Did speaker-1 and speaker-2 talk about the bus?")
    assert {evidence.text for claim in answer.claims for evidence in claim.evidence} == {line.text for line in said}
    assert not about_it.abstained
    assert "not heard" not in answer.text + about_it.text


def test_a_name_is_mentioned_by_who_says_it(kitchen: Asker) -> None:
    assert kitchen.ask("Did speaker-3 mention Martin?").text.startswith("Yes: ")
    # Speaker-4 only answered when Martin was named.
    assert kitchen.ask("Did speaker-4 mention Martin?").abstained


def test_yes_is_said_only_where_a_line_says_so_for_certain(kitchen: Asker) -> None:
    bus = '"Yes. The bus leaves at half past eight in front of the school."'
    for text, is_certain in (
        ("Does the bus leave at half past eight?", True),
        ("Did anybody mention the bus?", True),
        ("Did the bus leave at half past eight?", False),
        ("Does the bus leave at half past nine?", False),
    ):
        answer = kitchen.ask(text)
        assert answer.text.startswith("Yes: ") == is_certain, (text, answer.text)
        assert answer.abstained or bus in answer.text


def test_one_of_two_whom_nobody_knows(kitchen: Asker) -> None:
    assert kitchen.ask("What did speaker-3 and Paul talk about?").text.startswith("No talker is called Paul.")


def test_who_speaks_is_not_mentioned_by_that(kitchen: Asker) -> None:
    kitchen.memory.speakers.rename("speaker-3", "Carla")
    for text in ("How often was Carla mentioned?", "Who mentioned Carla first?"):
        answer = kitchen.ask(text)
        assert answer.abstained
        assert answer.text.startswith('Nobody was heard talking about "Carla')
    martin = kitchen.ask("How often was Martin mentioned?")
    kitchen.memory.speakers.rename("speaker-4", "Martin")
    assert kitchen.ask("How often was Martin mentioned?").retrieved == martin.retrieved != ()


def test_who_talked_with_somebody_are_those_in_their_talks(kitchen: Asker) -> None:
    kitchen.memory.speakers.rename("speaker-3", "Carla")
    for text in (
        "Who talked to Carla?",
        "Who did Carla talk to?",
        "With whom was Carla speaking?",
        "Who spoke with Carla between +0 and +60?",
    ):
        answer = kitchen.ask(text)
        assert answer.intent == "who"
        assert answer.text == "speaker-4 (265 degrees) talked with Carla.", text
        assert [evidence.speaker for evidence in answer.claims[0].evidence] == ["speaker-4"]
        assert answer.claims[0].evidence[0].utterance in answer.retrieved
    assert kitchen.ask("Who did Zora talk to?").text.startswith("No talker is called Zora.")
    assert kitchen.ask("Who talked to Carla between +0 and +1?").abstained


def test_who_talked_with_the_asker_is_known_where_their_voice_is(kitchen: Asker) -> None:
    assert kitchen.ask("Who talked to me?").text.startswith("Echoic does not know which voice is yours")
    kitchen.memory.speakers.rename("speaker-1", "me")
    assert kitchen.ask("Who talked to me?").text == "speaker-2 (75 degrees) talked with you."
    assert kitchen.ask("Who did I talk to?").text == "speaker-2 (75 degrees) talked with you."


def test_whoever_is_no_talker_was_talked_to_elsewhere(kitchen: Asker) -> None:
    assert not kitchen.ask("Who talked to the roofer?").text.endswith("talked with the roofer.")


def test_whether_one_talked_to_the_other(kitchen: Asker) -> None:
    told = kitchen.ask("Did speaker-3 and speaker-4 talk?")
    for text in ("Did speaker-3 ever talk to speaker-4?", "Has speaker-3 spoken with speaker-4?"):
        assert kitchen.ask(text).claims == told.claims
    assert (
        kitchen.ask("What did speaker-3 talk to speaker-4 about?").claims
        == kitchen.ask("What did speaker-3 and speaker-4 talk about?").claims
    )


def test_how_often_somebody_asked_something_counts_their_questions(encoder: MinilmOnnx) -> None:
    texts = ("Is the heating on?", "It is cold in here.", "Who has the key?")
    rows = [line_row(text, 5.0 * place, speaker="speaker-1", event="e1") for place, text in enumerate(texts)]
    other = line_row("Why do you ask?", 20.0, track="t2", speaker="speaker-2", event="e1")
    with asking(encoder, {"s": [*rows, other]}) as ask:
        text = ask("How often did speaker-1 ask something?").text
        assert text == ('2 lines of 1 talker (speaker-1 (30 degrees)) asked something, at 0:00 and 0:10. The first: "Is the heating on?"')


def test_whether_a_talker_asked_something_is_told_by_their_questions(encoder: MinilmOnnx) -> None:
    said = [("Walter", "Do you play cards?"), ("Nina", "Used to. Bridge mostly."), ("Walter", "Then football it is.")]
    rows = [line_row(text, 4.0 * n, track=f"t{who}", speaker=who, event="ward") for n, (who, text) in enumerate(said)]
    nina = line_row("Cards are dull.", 12.0, track="t4", event="ward")
    with asking(encoder, {"s": [*rows, nina]}) as ask:
        for text in ("Did Walter ask speaker-4 whether she plays cards?", "Did Walter ask if anybody plays cards?"):
            assert [entry.text for claim in ask(text).claims for entry in claim.evidence] == ["Do you play cards?"]
        told = ask("Did Walter ask Nina whether she likes football?")
        assert "Do you play cards?" not in [entry.text for claim in told.claims for entry in claim.evidence]
