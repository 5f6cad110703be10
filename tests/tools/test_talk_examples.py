"""Questions to a talk that was written out by hand, with the lines that recall finds."""

from __future__ import annotations

from pathlib import Path

from stages.recall.fact_features import NAMES
from tools.recall_rooms_text import RecallOfRooms
from tools.talk_examples import talk_examples
from tools.written_talks import Asked, WrittenTalk

TALK = WrittenTalk(
    name="ferry",
    lines=(
        (1, "Ana", "Is the ferry late again?"),
        (2, "Ben", "It leaves at nine on Thursday."),
        (3, "Ana", "My knee hurts since the race in the hills."),
    ),
    asked=(
        Asked(q="When does the ferry leave?", a=(2,)),
        Asked(q="Who won the race?", near=(3,)),
        Asked(q="Did anybody talk about the ferry?", a=(1,)),
        Asked(q="Did anybody say what hurts?", a=(3,)),
    ),
    about=("a ferry",),
    not_about=(),
)


def test_facts_are_examples_and_topics_are_none(weights: Path, tmp_path: Path) -> None:
    assert weights.is_dir()
    with RecallOfRooms(Path("configs/replay.yaml")) as recalls:
        leaves, won, hurts = talk_examples(recalls, [TALK], tmp_path)
    assert (leaves.topic, leaves.kind, leaves.question) == ("ferry", "told", "When does the ferry leave?")
    assert dict(zip(leaves.lines, leaves.right.tolist(), strict=True)) == {
        ("", "Is the ferry late again?"): False,
        ("Is the ferry late again?", "It leaves at nine on Thursday."): True,
        ("", "My knee hurts since the race in the hills."): False,
    }
    assert leaves.rows.shape == (3, len(NAMES))
    assert not leaves.related.any()
    assert won.kind == "near"
    assert not won.right.any()
    assert hurts.question == "Did anybody say what hurts?"
