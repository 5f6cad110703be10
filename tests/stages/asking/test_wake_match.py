"""The wake phrase in what a recogniser makes of it, and not in anything else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.asking.wake_match import question_after

PHRASES = ("echoic",)


@pytest.mark.parametrize(
    ("heard", "question"),
    [
        # As Whisper base wrote what Kokoro's voices said.
        ("Echoic, what did I miss?", "what did I miss?"),
        ("Echoic. What did I miss?", "What did I miss?"),
        ("Ekoek, who talked about the budget.", "who talked about the budget."),
        ("Hey, Akoak, when did Anna say she would leave?", "when did Anna say she would leave?"),
        ("Hey, a Koek, when did Anna say she would leave?", "when did Anna say she would leave?"),
        ("a koek what did I miss?", "what did I miss?"),
        ("Akoic catch me up.", "catch me up."),
        ("Ikkoic catch me up.", "catch me up."),
        ("a choic, who was it?", "who was it?"),
        ("Echo ik, who was it?", "who was it?"),
        ("Okay, Echoic: play me that.", "play me that."),
        ("Echoic.", ""),
    ],
)
def test_the_phrase_is_known_however_it_is_spelled(heard: str, question: str) -> None:
    assert question_after(heard, PHRASES) == question


@pytest.mark.parametrize(
    "heard",
    [
        *("A cake was baked.", "I cook.", "A coke, please.", "A coach told us.", "A quick question.", "Okay, so."),
        *("Echo is here.", "Heroic.", "A colleague said so.", "Hey, what did I miss?", "I asked Echoic what I missed."),
        *("The echoic memory is short.", "Okay, I go.", ""),
    ],
)
def test_other_words_are_left_alone(heard: str) -> None:
    assert question_after(heard, PHRASES) is None


def test_a_phrase_may_be_several_words_and_any_of_several() -> None:
    phrases = ("computer", "dear memory")
    assert question_after("Dear memory, who was it?", phrases) == "who was it?"
    assert question_after("Deer memori who was it?", phrases) == "who was it?"
    assert question_after("Komputer! Who?", phrases) == "Who?"
    assert question_after("Commuters are late.", phrases) is None
    assert question_after("Echoic, who?", phrases) is None


@given(st.text(max_size=60))
def test_any_text_is_taken(text: str) -> None:
    question = question_after(text, PHRASES)
    assert question is None or text.endswith(question) or " ".join(text.split()).endswith(question)


def test_real_meetings_do_not_ask(shared: Path) -> None:
    """Every sentence of some QMSum meetings, none of which was said to Echoic."""
    n_sentences, asked = 0, []
    for path in sorted((shared / "data" / "qmsum").glob("*.json"))[:6]:
        for turn in json.loads(path.read_text())["meeting_transcripts"]:
            for sentence in re.split(r"(?<=[.?!])\s+", turn["content"].strip()):
                n_sentences += 1
                if question_after(sentence, PHRASES) is not None:
                    asked.append(sentence)
    assert n_sentences > 5000
    assert asked == []
