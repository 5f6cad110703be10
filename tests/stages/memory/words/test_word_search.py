from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.words import word_search
from tests.stages.memory.made import ENCODER, line, session_row


@pytest.fixture
def memory() -> LongTermMemory:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    lines = [line(f"meeting project {'budget' if number % 10 == 0 else 'plan'} {number}", number, 0.5) for number in range(300)]
    lines.append(line("the walrus came to the meeting about the project", 300))
    memory.add_lines("s1", lines, 301 * NS_PER_S)
    return memory


def found(memory: LongTermMemory, text: str, k: int = 5) -> list[str]:
    rows = {row.id: row.text for row in memory.lines("s1")}
    return [rows[hit.line] for hit in memory.search_words(text, k)]


def test_rare_words_count_and_common_ones_only_within_the_budget(memory: LongTermMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_search, "_BUDGET", 50)
    assert found(memory, "the walrus of the meeting project", 400) == ["the walrus came to the meeting about the project"]
    assert len(found(memory, "walrus budget meeting", 400)) == 31
    monkeypatch.setattr(word_search, "_BUDGET", 5000)
    assert len(found(memory, "the walrus of the meeting project", 400)) == 301


def test_where_every_word_is_everywhere_the_newest_lines_are_found(memory: LongTermMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_search, "_BUDGET", 50)
    assert found(memory, "meeting plan", 3) == ["meeting project plan 299", "meeting project plan 298", "meeting project plan 297"]


def test_only_allowed_lines_are_found(memory: LongTermMemory) -> None:
    among = memory.rows_among({"s1": (10 * NS_PER_S, 20 * NS_PER_S)})
    assert among is not None
    assert len(among) <= 12
    hits = memory.search_words("budget", 50, among=among)
    times = {row.id: row.start_ns // NS_PER_S for row in memory.lines("s1")}
    assert [times[hit.line] for hit in hits] == [10]
    assert memory.search_words("budget", 50, among=among[:0]) == []


@pytest.mark.parametrize(
    "text",
    [
        'NEAR("walrus" "meeting", 9999) AND text:walrus* OR NOT ^walrus',
        "'; DROP TABLE lines; -- walrus",
        "walrus \x00\x01\x7f \ud800",
        '"""walrus',
        "walrus " + " ".join(f"word{number}" for number in range(5000)),
    ],
)
def test_hostile_text_is_only_words(memory: LongTermMemory, text: str) -> None:
    assert found(memory, text, 1) == ["the walrus came to the meeting about the project"]


@pytest.mark.parametrize("text", ["", "\x00", "___", "\ud800", "()*:^\"'", "会议讨论", "совещание", "الاجتماع", "🦭"])
def test_text_without_a_word_of_the_memory_finds_nothing(memory: LongTermMemory, text: str) -> None:
    assert found(memory, text) == []


@pytest.mark.parametrize("budget", [5, 31, 40, 330, 3000])
def test_counting_only_so_far_chooses_the_words_that_counting_all_would(
    memory: LongTermMemory, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    words = ["meeting", "walrus", "nobody", "budget", "plan", "7", "project"]
    held = {"meeting": 301, "walrus": 1, "nobody": 0, "budget": 30, "plan": 270, "7": 1, "project": 301}
    found_by = {}
    for steps in ((budget + 1,), (2, 20, 200, budget + 1)):
        monkeypatch.setattr(word_search, "_BUDGET", budget)
        monkeypatch.setattr(word_search, "_COUNTED_TO", tuple(step for step in steps if step <= budget + 1))
        with memory._database.reading() as connection:
            counted = word_search._counted(connection, words, 0, 2**62)
        assert all(count in {held[word], budget + 1} for count, _, word in counted)
        chosen, total = [], 0
        for count, _, word in sorted(entry for entry in counted if entry[0]):
            total += count
            if total > budget:
                break
            chosen.append(word)
        found_by[len(steps)] = chosen
    assert found_by[1] == found_by[4]


def test_as_of_a_moment_a_word_counts_as_often_as_it_stands_and_less_in_a_longer_line() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    texts = [
        "a walrus and a seal",
        "walrus walrus, seal",
        "walrus " + "and " * 200,
        "nothing of that",
        "nothing again",
        "nothing",
        "no",
        "not",
    ]
    memory.add_lines("s1", [line(text, number, 0.5) for number, text in enumerate(texts)], 20 * NS_PER_S)
    moment = session_row().started_at + timedelta(hours=1)
    rows = {row.id: row.text for row in memory.lines("s1")}
    hits = memory.search_words("walrus", 5, moment)
    assert [rows[hit.line].strip() for hit in hits] == [texts[1], texts[0], texts[2].strip()]
    assert hits[0].score > hits[1].score > hits[2].score > 0.0


def test_copies_among_the_best_make_room_for_others() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    heard = [line("walrus walrus walrus", 0, 0.5), line("the walrus of the meeting", 300, 0.5)]
    copies = [line("walrus walrus walrus", number, 0.5, copy_of=heard[0].transcript.key) for number in range(1, 100)]
    memory.add_lines("s1", [heard[0], *copies, heard[1]], 400 * NS_PER_S)
    # More copies than are looked up at once stand before the other line.
    assert len(memory.search_words("walrus", 60)) == 2
