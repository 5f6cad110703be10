from __future__ import annotations

from typing import Any

import pytest

from tools.recall_rooms import Room, Said, made_room
from tools.recall_rooms_baselines import Baselines
from tools.recall_rooms_questions import Asked, Truth, asked_of
from tools.recall_rooms_score import cited_lines, says, scored
from tools.recall_rooms_table import kind_table, whole_table, wilson
from tools.recall_rooms_topics import topics

SEEDS = range(30)


def entry(line: Said, **other: Any) -> dict[str, Any]:
    row = {"start_s": line.start_s, "end_s": line.end_s, "azimuth_deg": line.azimuth_deg, "speaker": line.speaker, "text": line.text}
    return {**row, **other}


def claim(*lines: Said, text: str | None = None, **other: Any) -> dict[str, Any]:
    said = " ".join(f'{line.speaker} said: "{line.text}"' for line in lines)
    return {"text": text or said, "confidence": 0.9, "evidence": [entry(line, **other) for line in lines]}


def answer(*claims: dict[str, Any]) -> dict[str, Any]:
    return {"abstained": not claims, "claims": list(claims)}


def found(kind: str, seeds: range = range(200)) -> tuple[Room, Asked, dict[str, Said]]:
    """The first question of a kind, with its room and the room's lines by key."""
    for seed in seeds:
        room = made_room(seed)
        for asked in asked_of(room):
            if asked.kind == kind:
                return room, asked, {line.key: line for line in room.said}
    raise LookupError(kind)


def truth_of(asked: Asked) -> Truth:
    assert asked.truth is not None
    return asked.truth


@pytest.mark.parametrize("seed", SEEDS)
def test_an_answer_of_the_true_lines_is_right_in_everything(seed: int) -> None:
    room = made_room(seed)
    by_key = {line.key: line for line in room.said}
    for asked in asked_of(room):
        if asked.truth is None:
            assert scored(asked, room, answer()).refused
            continue
        truth = asked.truth
        lines = [by_key[key] for group in truth.topics for key in group] or [by_key[key] for key in truth.lines]
        text = f"{truth.number} times" if truth.number else f"first the {truth.order[0]}" if truth.order else None
        verdict = scored(asked, room, answer(claim(*lines, text=text)))
        assert (verdict.what, verdict.where, verdict.when, verdict.who, verdict.false) == (1.0, 1.0, 1.0, 1.0, ()), asked
        assert verdict.n_relevant == verdict.n_evidence == len(lines)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_of_a_question_lies_in_the_room(seed: int) -> None:
    room = made_room(seed)
    keys = {line.key for line in room.said}
    for asked in asked_of(room):
        if asked.truth is not None:
            truth = asked.truth
            assert truth.lines or truth.topics
            assert {*truth.lines, *truth.related, *truth.beside, *(key for group in truth.topics for key in group)} <= keys
            assert "{" not in asked.text


def test_every_kind_of_question_is_asked() -> None:
    kinds = {asked.kind for seed in range(60) for asked in asked_of(made_room(seed))}
    assert kinds == {
        "missed, topic", "missed, speaker", "missed, bearing", "catch up", "time window", "fact", "fact, other words", "fact corrected",
        "follow-up", "when said", "who and where", "who and where, other words", "speaker on topic", "mentioned", "how often", "order",
        "no such topic", "fact of no such topic", "fact never told", "no such person", "no such time", "another person",
    }  # fmt: skip


def test_bearing_time_and_speaker_are_wrong_on_their_own() -> None:
    room, asked, lines = found("fact")
    true = lines[truth_of(asked).lines[0]]
    turned = scored(asked, room, answer(claim(true, azimuth_deg=(true.azimuth_deg + 16.0) % 360.0)))
    assert (turned.what, turned.where, turned.when, turned.who, turned.all_four) == (1.0, 0.0, 1.0, 1.0, 0.0)
    late = scored(asked, room, answer(claim(true, start_s=true.start_s + 6.0, end_s=true.end_s + 6.0)))
    assert (late.what, late.where, late.when, late.who) == (1.0, 1.0, 0.0, 1.0)
    other = scored(asked, room, answer(claim(true, speaker="somebody else")))
    assert (other.what, other.where, other.when, other.who) == (1.0, 1.0, 1.0, 0.0)
    assert scored(asked, room, answer(claim(true, azimuth_deg=None))).where == 0.0


def test_a_claim_on_something_else_is_false_and_one_on_the_topic_is_beside_the_point() -> None:
    room, asked, lines = found("fact")
    truth = truth_of(asked)
    elsewhere = next(line for line in room.said if line.key not in {*truth.lines, *truth.related, *truth.beside})
    verdict = scored(asked, room, answer(claim(elsewhere)))
    assert (verdict.what, verdict.where, verdict.false, verdict.n_relevant) == (0.0, 0.0, ("elsewhere",), 0)
    verdict = scored(asked, room, answer(claim(lines[truth.beside[0]])))
    assert (verdict.what, verdict.false, verdict.n_beside) == (0.0, (), 1)


def test_a_value_that_was_taken_back_is_false_where_the_answer_does_not_say_so() -> None:
    room, asked, lines = found("fact corrected")
    truth = truth_of(asked)
    true = lines[truth.lines[0]]
    old = next(lines[key] for key in truth.related if lines[key].role == "fact")
    verdict = scored(asked, room, answer(claim(old)))
    assert (verdict.what, verdict.false) == (0.0, ("contradicts",))
    verdict = scored(asked, room, answer(claim(old), claim(true)))
    assert (verdict.what, verdict.false) == (1.0, ())


def test_a_wrong_count_and_a_wrong_order_are_false() -> None:
    room, asked, lines = found("how often")
    truth = truth_of(asked)
    assert truth.number is not None
    cited = [lines[key] for key in truth.lines]
    assert scored(asked, room, answer(claim(*cited, text=f"{truth.number + 1} lines of 2 talkers"))).false == ("contradicts",)
    room, asked, lines = found("order")
    truth = truth_of(asked)
    assert truth.order is not None
    verdict = scored(asked, room, answer(claim(lines[truth.lines[0]], text=f"The {truth.order[1]} came before the {truth.order[0]}.")))
    assert (verdict.what, verdict.false) == (0.0, ("contradicts",))


def test_words_that_no_evidence_has_are_unsupported() -> None:
    room, asked, lines = found("fact")
    true = lines[truth_of(asked).lines[0]]
    invented = claim(true, text=f'{true.speaker} said: "The meeting is cancelled."')
    assert scored(asked, room, answer(invented)).false == ("unsupported",)
    cut = claim(true, text=f'{true.speaker} said: "{" ".join(true.text.split()[:3])} ..."')
    assert scored(asked, room, answer(cut)).false == ()


def test_an_overview_counts_the_topics_and_nothing_that_was_followed() -> None:
    room, asked, lines = found("missed, speaker")
    truth = truth_of(asked)
    half = truth.topics[:1]
    verdict = scored(asked, room, answer(*(claim(lines[group[0]]) for group in half)))
    assert verdict.what == verdict.when == pytest.approx(1.0 / len(truth.topics))
    followed = next(line for line in room.said if line.key not in truth.related)
    verdict = scored(asked, room, answer(*(claim(lines[group[0]]) for group in truth.topics), claim(followed)))
    assert (verdict.what, verdict.where, verdict.false) == (0.0, 1.0, ("elsewhere",))


def test_everything_said_to_a_question_without_an_answer_is_false() -> None:
    room, asked, _ = found("fact never told")
    verdict = scored(asked, room, answer(claim(room.said[0]), claim(room.said[1])))
    assert (verdict.refused, verdict.answerable, verdict.false) == (False, False, ("answered", "answered"))


def test_lines_are_known_again_by_words_that_were_heard_a_little_wrong() -> None:
    room, asked, lines = found("fact")
    true = lines[truth_of(asked).lines[0]]
    words = true.text.split()
    assert cited_lines(entry(true, text=" ".join(words[1:])), room) == {true.key}
    assert true.key not in cited_lines(entry(true, start_s=true.start_s + 60.0, end_s=true.end_s + 60.0), room)
    later = next(line for line in room.said if line.conversation == true.conversation and line.start_s > true.end_s)
    assert {true.key, later.key} <= cited_lines(entry(true, text=f"{true.text} {later.text}", end_s=later.end_s), room)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The ferry leaves at 9:30.", "half past nine"),
        ("It is 7:45 now", "quarter to eight"),
        ("at 8 o'clock", "eight o'clock"),
        ("That is $950 a month.", "nine hundred and fifty"),
        ("on the 22nd of June", "twenty-second"),
        ("They pulled wisdom tooth", "a wisdom tooth"),
    ],
)
def test_numbers_and_times_are_the_same_however_they_are_written(text: str, value: str) -> None:
    assert says(text, value)
    assert not says(text, "seventeen")


class Letters:
    """Vectors of which letters a text has."""

    def encode(self, texts: list[str]) -> Any:
        import numpy as np

        counts = np.array([[text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_the_baselines_answer_everything_with_lines_of_the_room() -> None:
    room = made_room(5)
    plain = Baselines(room, Letters())  # type: ignore[arg-type]  # all that is needed of an encoder
    line = room.said[4]
    top = plain.top_k(Asked("fact", line.text, None))
    assert len(top["claims"]) == 5
    assert top["claims"][0]["evidence"][0]["text"] == line.text
    (told,) = plain.seed(Asked("fact", line.text, None))["claims"]
    assert line.text in [entry["text"] for entry in told["evidence"]]
    assert len(told["evidence"]) <= 15
    missed = plain.seed(Asked("missed, topic", line.text, None))["claims"]
    own = {other.text for other in room.said if other.conversation == line.conversation}
    assert missed
    assert all(entry["text"] not in own for claim in missed for entry in claim["evidence"])


def test_intervals_and_tables_say_how_sure_a_share_is() -> None:
    low, high = wilson(0.5, 10)
    assert (round(low, 3), round(high, 3)) == (0.237, 0.763)
    assert wilson(0.0, 60)[0] == 0.0
    assert wilson(1.0, 60)[1] == pytest.approx(1.0)
    room, asked, lines = found("fact")
    good = scored(asked, room, answer(claim(lines[truth_of(asked).lines[0]])))
    bad = scored(Asked("fact never told", "?", None), room, answer(claim(room.said[0])))
    table = whole_table({"extractive": [good, bad]})
    assert "| extractive | 1 + 1 | 1.000 (0.207 to 1.000)" in table
    assert "| 0.500 (0.095 to 0.905) |" in table
    assert "| fact never told | 1 | - | - | - | - | - | 0.00 | 1 of 1 | answered 1 |" in kind_table([good, bad])


def test_every_value_of_every_fact_is_known_again_in_its_line_and_no_other_is() -> None:
    for topic in topics():
        for fact in topic.facts:
            for text in filter(None, (fact.a, fact.fix)):
                for value in fact.v:
                    said = [other for other in fact.v if says(text.format(v=value), other)]
                    assert said == [value], (topic.name, text)
