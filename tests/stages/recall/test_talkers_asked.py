"""Who was heard at all, what two people talked about with each other, and what one of them mentioned."""

from __future__ import annotations

from tests.stages.recall.room_memory import Asker


def test_everybody_who_was_heard_is_named_with_a_line_of_each(kitchen: Asker) -> None:
    answer = kitchen.ask("How many people are in the room?")
    assert answer.text == (
        "4 people were heard: speaker-1 (30 degrees), speaker-3 (210 degrees), speaker-4 (265 degrees) and speaker-2 (75 degrees)."
    )
    assert sorted(evidence.speaker for evidence in answer.claims[0].evidence) == [f"speaker-{n}" for n in (1, 2, 3, 4)]
    assert "1 person was heard: speaker-1 (30 degrees)." in kitchen.ask("Who spoke between +0 and +1?").text


def test_what_two_people_talked_about(kitchen: Asker) -> None:
    kitchen.memory.speakers.rename("speaker-3", "Carla")
    kitchen.memory.speakers.rename("speaker-4", "Dora")
    for text in ("What did Carla and Dora talk about?", "Summarise the conversation between Carla and Dora"):
        answer = kitchen.ask(text)
        assert {evidence.speaker for claim in answer.claims for evidence in claim.evidence} == {"Carla", "Dora"}
    refused = kitchen.ask("Did Carla and Dora talk about the volcano?")
    assert refused.text.startswith('Neither Carla nor Dora was heard talking about "volcano".')


def test_a_name_is_mentioned_by_who_says_it(kitchen: Asker) -> None:
    assert kitchen.ask("Did speaker-3 mention Martin?").text.startswith("Yes: ")
    # Speaker-4 only answered when Martin was named.
    assert kitchen.ask("Did speaker-4 mention Martin?").abstained


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
