from __future__ import annotations

from stages.recall.reader import whether_taken_back
from tools.correction_lessons import CorrectionLessons
from tools.recall_rooms import made_room
from tools.recall_rooms_topics import FITTED, topics

SEEDS = range(5000, 5010)


def test_every_fact_is_taken_back_by_its_own_correction_and_by_nothing_else() -> None:
    known = topics(FITTED)
    read, right = CorrectionLessons(SEEDS, known, {topic.name for topic in known}).round(0)
    told = [fact for seed in SEEDS for fact in made_room(seed, known=known).told]
    assert sum(right) == len(told)
    backs = [(question, later) for (question, _, later), is_right in zip(read, right, strict=True) if is_right]
    for fact, (question, later) in zip(told, backs, strict=True):
        assert fact.fact.fix is not None
        said = fact.taken_back or fact.value
        assert said.lower() in question.lower()
        fixes = (fact.fact.fix, *fact.fact.fixes)
        assert any(fix.format(v=value) in later for fix in fixes for value in fact.fact.v)
        assert not any(fix.format(v=said) in later for fix in fixes)
    others = {later for (_, _, later), is_right in zip(read, right, strict=True) if not is_right}
    assert {fact.fact.adds for fact in told} <= others
    assert sum(fact.fact.again is not None and fact.fact.again.format(v=fact.taken_back or fact.value) in others for fact in told) > 30
    # That somebody takes something back does not say what.
    assert {later for _, later in backs} <= others


def test_only_the_asked_topics_are_learnt_and_a_round_comes_out_the_same() -> None:
    known = topics(FITTED)
    here = {topic.name for part in made_room(5000, known=known).topics for topic in part}
    one = sorted(here)[0]
    lessons = CorrectionLessons([5000], known, {one})
    read, right = lessons.round(0)
    facts = [fact for fact in made_room(5000, known=known).told if fact.topic.name == one]
    assert sum(right) == len(facts) > 0
    assert lessons.round(0) == (read, right)
    assert [(question, line) for question, _, line in lessons.round(1)[0]] == [(question, line) for question, _, line in read]
    assert all(question.startswith(whether_taken_back("")) for question, _, _ in read)


def test_rounds_take_turns_with_the_rooms() -> None:
    known = topics(FITTED)
    of = {topic.name for topic in known}
    lessons = CorrectionLessons(SEEDS, known, of, n_rounds=2)
    every, first, second = CorrectionLessons(SEEDS, known, of).round(0)[0], lessons.round(0)[0], lessons.round(1)[0]
    assert sorted((question, line) for question, _, line in every) == sorted((question, line) for question, _, line in [*first, *second])
    assert [question for question, _, _ in lessons.round(2)[0]] == [question for question, _, _ in first]
    assert len(first) < len(every) > len(second)


def test_of_a_round_some_are_drawn() -> None:
    known = topics(FITTED)
    of = {topic.name for topic in known}
    every = CorrectionLessons(SEEDS, known, of)
    truth = {(question, later): is_right for (question, _, later), is_right in zip(*every.round(0), strict=True)}
    some = CorrectionLessons(SEEDS, known, of, n_each=50)
    read, right = some.round(0)
    assert len(read) == 50
    assert [truth[question, later] for question, _, later in read] == right
    assert 0 < sum(right) < 50
    assert some.round(0) == (read, right)
    assert some.round(1)[0] != read
