from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.packets import NS_PER_S
from stages.memory.attention.attention_row import Attention
from stages.memory.rows import LineRow, SessionRow
from stages.memory.tables.row_writer import utc_ns
from stages.recall.answers import Stretch
from stages.recall.heeding import Heeded, Heeding
from stages.recall.missed import missed
from stages.recall.question import Attended, Question
from stages.recall.salience import Vocabulary
from stages.recall.stretches import stretches_of, without_copies
from stages.recall.terms import coverage, stems
from tests.stages.recall.line_rows import line_row

STARTED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
T0_NS = utc_ns(STARTED_AT)
DOGS = [
    line_row("My dog ran away in the park", 0.0, track="t1", speaker="Anna", event="dogs"),
    line_row("Oh no, did you find him?", 3.5, track="t2", speaker="Bob", event="dogs", azimuth_deg=60.0),
    line_row("Yes, the dog was at home with his bone", 6.0, track="t1", speaker="Anna", event="dogs"),
]
BAKERY = [
    line_row("The bakery closes in April", 1.0, track="t3", speaker="Carl", event="bakery", azimuth_deg=200.0),
    line_row("Where will we buy bread?", 4.0, track="t4", speaker="Dora", event="bakery", azimuth_deg=250.0),
]
LAMP = [line_row("The lamp above the table is broken", 30.0, track="t3", speaker="Carl", event="lamp", azimuth_deg=200.0)]
LATER = [line_row("The lamp above the table is broken", 60.0, track="t4", speaker="Dora", event="again", azimuth_deg=250.0)]
ROOM = [*DOGS, *BAKERY, *LAMP, *LATER]


def declared(kind: str, start_s: float, end_s: float | None = None, n: int = 1, **rest: object) -> Attention:
    end_ns = None if end_s is None else T0_NS + round(end_s * NS_PER_S)
    return Attention(kind, T0_NS + round(start_s * NS_PER_S), end_ns, n=n, **rest)  # type: ignore[arg-type] # as each test gives them


def heeding(*attentions: Attention, room: Sequence[LineRow] = ROOM, copies: dict[str, str] | None = None) -> Heeding:
    def heard_in(session: str, span: tuple[int, int]) -> list[LineRow]:
        return [line for line in room if line.session == session and line.start_ns < span[1] and line.end_ns > span[0]]

    def about(stretches: Sequence[Stretch], _words: str, terms: tuple[str, ...]) -> list[Stretch]:
        return [one for one in stretches if coverage(terms, frozenset().union(*(stems(line.text) for line in one.lines))) == 1.0]

    names = sorted({line.session for line in room})
    sessions = {name: SessionRow(name, "x", STARTED_AT, 120 * NS_PER_S, "mono", True) for name in names}
    return Heeding(attentions, sessions, heard_in, stretches_of, about, (copies or {}).get)


def span(end_s: float = 120.0, name: str = "s") -> dict[str, tuple[int, int]]:
    return {name: (0, round(end_s * NS_PER_S))}


def found(heeded: Heeded | None) -> list[tuple[str | None, str]]:
    assert heeded is not None
    return [(stretch.event, stretch.opening) for stretch in heeded.missed]


@pytest.mark.parametrize(
    ("attention", "told"),
    [
        (declared("topic", 0, 20, words="dogs"), "you followed the talk about dogs (30 and 60 degrees, 0:00-0:20)"),
        (declared("speaker", 0, 20, speaker="speaker-7", name="Anna"), "you followed Anna (30 and 60 degrees, 0:00-0:20)"),
        (declared("azimuth", 0, 20, azimuth_deg=50.0), "you followed whoever was at 50 degrees (30 and 60 degrees, 0:00-0:20)"),
    ],
)
def test_what_overlapped_what_was_declared_on_other_tracks_was_missed(attention: Attention, told: str) -> None:
    heeded = heeding(attention).plain(span(20.0))
    assert found(heeded) == [("bakery", f"While {told}, ")]
    assert heeded is not None
    assert [(stretch.event, stretch.source, stretch.says) for stretch in heeded.attended] == [("dogs", "declared", attention.told)]
    assert heeded.notes == (f"You had declared that {attention.told} (0:00-0:20).",)
    assert heeded.spans == (("s", 0, 20 * NS_PER_S),)


def test_declared_time_counts_also_after_what_was_followed_fell_silent() -> None:
    assert [event for event, _ in found(heeding(declared("topic", 0, words="dogs")).plain(span()))] == ["bakery", "lamp", "again"]


def test_in_an_absence_all_was_missed_and_one_that_interrupts_is_told_beside_the_rest() -> None:
    heeded = heeding(declared("topic", 0, words="dogs"), declared("away", 25, 50, n=2, words="on the phone")).plain(span(50.0))
    told = "you followed the talk about dogs"
    assert set(found(heeded)) == {
        ("bakery", f"While {told} (30 and 60 degrees, 0:00-0:25), "),
        ("lamp", "While you were away (on the phone, 0:25-0:50), "),
    }
    assert heeded is not None
    assert heeded.notes == (f"You had declared that {told} (0:00-0:25) and that you were away (on the phone, 0:25-0:50).",)
    assert [(stretch.event, stretch.says, len(stretch.lines)) for stretch in heeded.attended] == [
        ("dogs", told, 3),
        (None, "you were away (on the phone)", 0),
    ]
    assert heeded.attended[1].to_json()["tracks"] == []


def test_who_followed_nothing_missed_everything() -> None:
    assert {event for event, _ in found(heeding(declared("nothing", 0)).plain(span()))} == {"dogs", "bakery", "lamp", "again"}


def test_what_is_said_twice_is_told_once() -> None:
    away = declared("away", 0)
    assert {event for event, _ in found(heeding(away, copies={"again": "lamp"}).plain(span()))} == {"dogs", "bakery", "lamp"}
    assert [event for event, _ in found(heeding(away, room=LATER, copies={"again": "lamp"}).plain(span()))] == ["again"]


def test_ones_own_words_are_not_missed() -> None:
    mine = [replace(line, speaker="me") if line.track == "t4" else line for line in ROOM]
    heeded = heeding(declared("away", 0, 20), room=mine).plain(span(20.0))
    assert heeded is not None
    assert {line.speaker for stretch in heeded.missed for line in stretch.lines} == {"Anna", "Bob", "Carl"}


def test_without_declarations_ones_own_voice_tells() -> None:
    mine = [replace(line, speaker="me") if line.track == "t1" else line for line in ROOM]
    heeded = heeding(room=mine).plain(span(20.0))
    assert found(heeded) == [("bakery", "While you talked with Bob (60 degrees, 0:00-0:09), ")]
    assert heeded is not None
    assert heeded.notes == ("Judging by your own voice, you talked with Bob (60 degrees).",)
    assert [(stretch.event, stretch.source, stretch.says) for stretch in heeded.attended] == [
        ("dogs", "inferred", "you talked with Bob (60 degrees)")
    ]


def test_what_was_declared_goes_before_ones_own_voice_and_the_rest_is_said_to_be_unknown() -> None:
    mine = [replace(line, speaker="me") if line.track == "t1" else line for line in ROOM]
    heeded = heeding(declared("azimuth", 0, 20, azimuth_deg=200.0), room=mine).plain(span())
    assert found(heeded) == [("dogs", "While you followed whoever was at 200 degrees (200 and 250 degrees, 0:00-0:20), ")]
    assert heeded is not None
    assert heeded.notes == (
        "You had declared that you followed whoever was at 200 degrees (0:00-0:20).",
        "What you followed in the rest of that time is not known, so it is left out.",
    )


def test_where_what_was_followed_was_not_heard_everything_was_missed_and_it_is_said() -> None:
    heeded = heeding(declared("topic", 0, 20, words="volcanoes")).plain(span(20.0))
    assert {event for event, _ in found(heeded)} == {"dogs", "bakery"}
    assert heeded is not None
    assert heeded.notes[1:] == (
        "When you followed the talk about volcanoes, nothing that fits was heard, so everything that was heard then counts as missed.",
    )
    assert [(stretch.lines, stretch.says) for stretch in heeded.attended] == [((), "you followed the talk about volcanoes")]


def test_a_line_that_only_reaches_out_of_declared_time_is_no_rest() -> None:
    heeded = heeding(declared("away", 0.5), room=DOGS).plain(span())
    assert heeded is not None
    assert len(heeded.notes) == 1


def test_where_nothing_is_known_nothing_is_told() -> None:
    assert heeding().plain(span()) is None
    assert heeding(declared("away", 0, 20, session="z")).plain(span()) is None


def test_a_time_in_which_nothing_was_said() -> None:
    heeded = heeding(declared("away", 90, 100)).plain(span())
    assert heeded is not None
    assert heeded.refused == "Nothing else was heard while you were away (1:30-1:40)."


def absence(phrase: str) -> Question:
    return Question(text=f"What did I miss while I was {phrase}?", intent="missed", absence=phrase)


def test_a_question_about_an_absence_means_those_that_fit_it_else_any() -> None:
    calls = (declared("away", 0, 10, words="call with mum"), declared("away", 25, 40, n=2, words="lunch"))
    heeded = heeding(*calls).absent(absence("on the phone"), span(), in_all=False)
    assert {event for event, _ in found(heeded)} == {"dogs", "bakery"}
    assert {event for event, _ in found(heeding(*calls).absent(absence("away"), span(), in_all=False))} == {"dogs", "bakery", "lamp"}
    other = heeding(calls[1]).absent(absence("on the phone"), span(), in_all=False)
    assert found(other) == [("lamp", "While you were away (lunch, 0:25-0:40), ")]
    assert other is not None
    assert other.notes == (
        'No absence was declared as "on the phone"; this goes by the ones that were declared.',
        "You had declared that you were away (lunch, 0:25-0:40).",
    )
    assert heeding(declared("topic", 0, words="dogs")).absent(absence("away"), span(), in_all=False) is None


def test_without_an_asked_time_the_latest_session_that_has_such_an_absence_is_meant() -> None:
    later = [replace(line, session="z", id=f"z{line.id}", event=f"z-{line.event}") for line in ROOM]
    made = heeding(
        declared("away", 0, 10, words="phone", session="s"), declared("away", 0, 10, n=2, words="lunch", session="z"), room=[*ROOM, *later]
    )
    both = span() | span(name="z")

    def sessions(phrase: str, *, in_all: bool) -> set[str]:
        heeded = made.absent(absence(phrase), both, in_all=in_all)
        assert heeded is not None
        return {stretch.session for stretch in heeded.missed}

    assert sessions("on the phone", in_all=False) == {"s"}
    assert sessions("away", in_all=False) == {"z"}
    assert sessions("away", in_all=True) == {"s", "z"}


def test_what_a_question_names_may_be_the_reason_of_an_absence() -> None:
    made = heeding(declared("away", 25, 40, words="at the dentist"))
    dentist = Attended("the dentist", "dentist", ("dentist",))
    asked = Question(text="What did I miss while I was at the dentist?", intent="missed", attended=dentist)
    assert [event for event, _ in found(made.absent(asked, span(), in_all=False))] == ["lamp"]
    followed = replace(asked, text="What did I miss while I was following the talk about the dentist?")
    assert made.absent(followed, span(), in_all=False) is None


@pytest.mark.parametrize(
    ("attentions", "note"),
    [
        ((), 'As you said, you followed "the talk about dogs".'),
        (
            (declared("azimuth", 0, azimuth_deg=70.0),),
            'As you said, you followed "the talk about dogs"; you had declared it too.',
        ),
        ((declared("topic", 0, words="my dog"),), 'As you said, you followed "the talk about dogs"; you had declared it too.'),
        (
            (declared("speaker", 0, speaker="Carl", name="Carl"),),
            'As you said, you followed "the talk about dogs". '
            "You had declared that you followed Carl (0:00-0:09): your question goes before that.",
        ),
        (
            (declared("away", 5, 8),),
            'As you said, you followed "the talk about dogs". '
            "You had declared that you were away (0:05-0:08): your question goes before that.",
        ),
        ((declared("away", 50),), 'As you said, you followed "the talk about dogs".'),
    ],
)
def test_the_questions_own_words_count_and_what_was_declared_is_noted(attentions: tuple[Attention, ...], note: str) -> None:
    stretches = stretches_of(ROOM)
    followed = [stretch for stretch in stretches if stretch.event == "dogs"]
    lost = missed(stretches, followed, Vocabulary(ROOM))
    heeded = heeding(*attentions).asked(Attended("the talk about dogs", "dogs", ("dog",)), followed, lost)
    assert [stretch.event for stretch in heeded.missed] == ["bakery"]
    assert heeded.notes == (note,)
    assert [stretch.source for stretch in heeded.attended] == ["question"]


def test_stretches_are_told_once_each() -> None:
    loose = [line_row("Hello", 80.0, track="t8"), line_row("Hello", 110.0, track="t8")]
    stretches = stretches_of([*LAMP, *LATER, *loose])
    assert [stretch.event for stretch in without_copies(stretches, {"again": "lamp"}.get)] == ["lamp", None, None]
    assert [stretch.event for stretch in without_copies(reversed(stretches), {"again": "lamp"}.get)] == [None, None, "again"]
