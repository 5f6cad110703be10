from __future__ import annotations

import pytest

from stages.recall.salience import Vocabulary, best_lines, importance, key_words, telling
from stages.recall.terms import content_terms
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import load_rooms


def test_facts_tell_more_than_questions_and_small_talk() -> None:
    lines = [
        line_row("The plumber comes on Thursday at two", 0.0),
        line_row("Did the plumber call?", 4.0),
        line_row("Yes, I know", 6.0),
    ]
    vocabulary = Vocabulary(lines)
    scores = [telling(line, vocabulary) for line in lines]
    assert max(scores[1:]) < 0.5 * scores[0]


def test_a_line_that_repeats_another_comes_later() -> None:
    lines = [
        line_row("The plumber comes on Thursday at two", 0.0),
        line_row("The plumber comes Thursday at two", 4.0),
        line_row("The key is under the stairs", 8.0),
    ]
    assert [line.start_ns for line in best_lines(lines, Vocabulary(lines), 2)] == [0, 8 * 10**9]


def test_the_best_lines_are_those_that_tell_most_anew() -> None:
    for room in load_rooms("rooms.yaml"):
        lines = list(room.lines)
        vocabulary = Vocabulary(lines)
        said: set[str] = set()
        rest = sorted(lines, key=lambda line: (-telling(line, vocabulary), line.start_ns, line.id))
        expected = []
        for _ in range(6):
            news = []
            for line in rest:
                terms = content_terms(line.text)
                news.append(telling(line, vocabulary) * (0.4 + 0.6 * sum(term not in said for term in terms) / max(1, len(terms))))
            expected.append(rest.pop(news.index(max(news))))
            said.update(content_terms(expected[-1].text))
        assert best_lines(lines, vocabulary, 6) == expected
        assert importance(lines, vocabulary) == sum(telling(line, vocabulary) for line in expected[:5])


def test_more_talk_is_more_important() -> None:
    room = load_rooms("rooms.yaml")[0]
    vocabulary = Vocabulary(room.lines)
    museum = [line for line in room.lines if room.section_of(line.id) == "museum"]
    assert importance(museum, vocabulary) > importance(museum[:2], vocabulary) > 0
    assert importance([], vocabulary) == 0


def test_names_stay_whole_and_are_written_as_they_were_said() -> None:
    lines = [
        line_row("The boat leaves from North Harbour on Sunday", 0.0),
        line_row("North Harbour is closed because of the storm", 6.0),
        line_row("Tell Maria before she drives to the harbour", 12.0),
    ]
    things = key_words(lines, Vocabulary(lines), 6)
    assert {"North Harbour", "Maria"} <= set(things)
    assert not {"north", "harbour", "North", "Harbour", "Tell Maria"} & set(things)


def test_a_name_at_the_beginning_of_a_sentence_stays_whole() -> None:
    lines = [line_row("North Harbour is closed because of the storm", 6.0)]
    assert "North Harbour" in key_words(lines, Vocabulary(lines), 6)


def test_words_side_by_side_in_the_question_stay_together() -> None:
    lines = [line_row("We have the school trip on Friday", 0.0), line_row("The trip costs ten dollars", 6.0)]
    things = key_words(lines, Vocabulary(lines), 6, "What did they say about the school trip?")
    assert "school trip" in things
    assert not {"school", "trip"} & set(things)


@pytest.mark.parametrize(("section", "thing"), [("museum", "museum"), ("roof", "roof"), ("dogs", "dog"), ("car", "car")])
def test_key_words_are_things_that_the_talk_was_about(section: str, thing: str) -> None:
    room = load_rooms("rooms.yaml")[0]
    lines = sorted((line for line in room.lines if room.section_of(line.id) == section), key=lambda line: line.start_ns)
    things = key_words(lines, Vocabulary(room.lines), 4)
    assert thing in things
    assert all(any(word.lower() in line.text.lower() for line in lines) for word in things)


def test_what_tells_that_somebody_speaks_is_no_thing() -> None:
    lines = [line_row("The vet says Biscuit limps."), line_row("The engineer said it holds.", 3.0)]
    assert key_words(lines, Vocabulary(lines), 4) == ["Biscuit", "vet", "engineer"]
