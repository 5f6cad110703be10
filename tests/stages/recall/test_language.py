from __future__ import annotations

import pytest

from stages.recall.language import other_language
from tests.stages.recall.room_memory import load_rooms


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wer hat über das Budget gesprochen?", "German"),
        ("Qu'est-ce que j'ai manqué pendant la conversation sur les chiens ?", "French"),
        ("¿Quién habló sobre los perros?", "Spanish"),
        ("Che cosa ho perso mentre parlavano di cani?", "Italian"),
        ("Wat heb ik gemist terwijl zij over de hond spraken?", "Dutch"),
        ("Кто видел собак?", "another language than English"),
    ],
)
def test_other_languages_are_told(text: str, language: str) -> None:
    assert other_language(text) == language


def test_english_is_not_taken_for_another_language() -> None:
    for file in ("rooms.yaml", "held_out.yaml"):
        for room in load_rooms(file):
            assert [question["ask"] for question in room.questions if other_language(question["ask"])] == []
    assert other_language("museum tickets price") is None
    assert other_language("Did Señor Núñez mention El Niño?") is None
