from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.events.surprise_segmenter import SurpriseSettings
from stages.memory.long_term_memory import LongTermMemory, MemoryError_
from stages.memory.transcript_files import TranscriptFileError, export_session, import_transcript
from stages.memory.transcript_parser import read_transcript
from tests.stages.memory.made import ENCODER, STARTED_AT

LINES = [
    {"start_s": 0.1, "end_s": 2.345678901, "speaker": "Ann", "azimuth_deg": 30.0, "text": "My dog loves the snow."},
    {"start_s": 2.5, "end_s": 4.0, "speaker": "Ben", "azimuth_deg": 100, "text": "Mine hates the snow; he is an old dog."},
    {"start_s": 2.5, "end_s": 4.0, "speaker": "Ben", "text": "Really, he does."},
    {"start_s": 60.0, "end_s": 63.0, "speaker": "Ann", "text": "When does the ferry leave?"},
    {"start_s": 63.2, "end_s": 65.0, "speaker": None, "text": "At half past nine."},
]


def written(path: Path, rows: list[dict[str, object]] = LINES) -> Path:  # type: ignore[assignment] # dicts of JSON
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def memory() -> LongTermMemory:
    made = LongTermMemory(ENCODER)
    made.start()
    return made


def test_a_transcript_becomes_a_session_with_events(memory: LongTermMemory, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    report = import_transcript(
        written(tmp_path / "Team Talk.jsonl"), memory, ENCODER, STARTED_AT, lambda done, total: told.append((done, total))
    )
    assert (report.n_lines, report.n_added, told) == (5, 5, [(5, 5)])
    assert report.session.startswith("team-talk-")
    rows = memory.lines(report.session)
    assert [(row.start_ns, row.end_ns) for row in rows][:2] == [(100_000_000, 2_345_678_901), (2_500_000_000, 4_000_000_000)]
    assert [row.speaker for row in rows] == ["Ann", "Ben", "Ben", "Ann", None]
    assert len({row.id for row in rows}) == 5
    assert [row.azimuth_deg for row in rows] == [30.0, 100.0, None, None, None]
    events = memory.events(report.session)
    assert len(events) == report.n_events == 2
    assert [row.event for row in rows] == [events[0].id] * 3 + [events[1].id] * 2
    assert events[1].reason == "silence of 56.0 s"
    assert memory.search_words("ferry", 1)[0].line == rows[3].id
    assert memory.search_dense(ENCODER.encode(["a dog in the snow"])[0], 1)[0].line in {rows[0].id, rows[1].id}
    session = memory.session_row(report.session)
    assert (session.complete, session.duration_ns, session.started_at) == (True, 65_000_000_000, STARTED_AT)
    assert memory.check() == []


def test_a_file_that_was_read_before_need_not_be_read_again(memory: LongTermMemory, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl")
    other = LongTermMemory(ENCODER)
    other.start()
    told = [
        import_transcript(path, memory, ENCODER, STARTED_AT),
        import_transcript(path, other, ENCODER, STARTED_AT, spoken=read_transcript(path)),
    ]
    assert told[0] == told[1]
    assert memory.lines(told[0].session) == other.lines(told[0].session)
    assert memory.events(told[0].session) == other.events(told[0].session)
    other.stop()


def test_the_same_content_is_the_same_session(memory: LongTermMemory, tmp_path: Path) -> None:
    first = import_transcript(written(tmp_path / "a.jsonl"), memory, ENCODER, STARTED_AT)
    again = import_transcript(written(tmp_path / "renamed.jsonl"), memory, ENCODER, STARTED_AT)
    assert (again.session, again.n_added, again.n_events) == (first.session, 0, first.n_events)
    assert len(memory.sessions()) == 1
    assert len(memory.lines()) == 5


class Interrupted(Exception):  # noqa: N818 - stands for Ctrl-C
    pass


def test_an_import_that_was_cut_short_goes_on(memory: LongTermMemory, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"start_s": n, "end_s": n + 0.9, "speaker": f"s{n % 2}", "text": f"words {n * n}"} for n in range(1500)
    ]
    path = written(tmp_path / "long.jsonl", rows)

    def interrupt(done: int, total: int) -> None:
        raise Interrupted(f"{done} of {total}")

    with pytest.raises(Interrupted, match="512 of 1500"):
        import_transcript(path, memory, ENCODER, STARTED_AT, interrupt)
    assert not memory.sessions()[0].complete
    report = import_transcript(path, memory, ENCODER, STARTED_AT)
    assert (report.n_lines, report.n_added) == (1500, 988)
    whole = LongTermMemory(ENCODER)
    whole.start()
    import_transcript(path, whole, ENCODER, STARTED_AT)
    assert memory.events() == whole.events()
    assert memory.lines() == whole.lines()
    assert memory.check() == []


def test_what_is_exported_can_be_imported(memory: LongTermMemory, tmp_path: Path) -> None:
    first = import_transcript(written(tmp_path / "a.jsonl"), memory, ENCODER, STARTED_AT)
    exported = list(export_session(memory, first.session, "jsonl"))
    row = json.loads(exported[0])
    assert list(row) == ["id", "session", "start_s", "end_s", "track", "azimuth_deg", "speaker", "text", "words", "event", "copy_of"]
    other = LongTermMemory(ENCODER)
    other.start()
    path = tmp_path / "b.jsonl"
    path.write_text("\n".join(exported))
    second = import_transcript(path, other, ENCODER, STARTED_AT)

    def plain(lines: list[str]) -> list[dict[str, object]]:
        return [{name: value for name, value in json.loads(text).items() if name not in {"id", "session", "event"}} for text in lines]

    assert plain(list(export_session(other, second.session, "jsonl"))) == plain(exported)


def test_exports_as_captions_and_as_marked_time(memory: LongTermMemory, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"start_s": 3661.5, "end_s": 3662.25, "speaker": "Ann B", "text": "a < b & c --> d"}]
    report = import_transcript(written(tmp_path / "a.jsonl", rows), memory, ENCODER, STARTED_AT)
    assert list(export_session(memory, report.session, "vtt")) == [
        "WEBVTT",
        "",
        "01:01:01.500 --> 01:01:02.250",
        "<v Ann B>a &lt; b &amp; c --&gt; d</v>",
    ]
    assert list(export_session(memory, report.session, "rttm")) == [f"SPEAKER {report.session} 1 3661.500 0.750 <NA> <NA> Ann_B <NA> <NA>"]
    with pytest.raises(MemoryError_, match="session 'x' is not in this memory"):
        export_session(memory, "x", "vtt")
    path = tmp_path / "again.vtt"
    path.write_text("\n".join(export_session(memory, report.session, "vtt")))
    (cue,) = read_transcript(path)
    assert (cue.text, cue.speaker, cue.start_ns, cue.end_ns) == ("a < b & c --> d", "Ann B", 3_661_500_000_000, 3_662_250_000_000)


def test_captions_are_read_with_notes_tags_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "talk.vtt"
    path.write_text(
        "WEBVTT - a talk\r\n\r\nNOTE\r\n00:00 --> not a cue\r\n\r\nintro\r\n00:01.000 --> 00:02.500 align:start\r\n"
        "<v.loud Ann>Hello <i>there</i></v>\r\nsecond row\r\n\r\n00:03.000 --> 00:04.000\r\n\r\n"
    )
    (cue,) = read_transcript(path)
    assert (cue.text, cue.speaker, cue.start_ns, cue.end_ns) == ("Hello there second row", "Ann", 10**9, 2_500_000_000)
    path = tmp_path / "talk.srt"
    path.write_text("\ufeff1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:03,000 --> 00:00:04,250\nBye.\n", encoding="utf-8")
    assert [(cue.text, cue.end_ns) for cue in read_transcript(path)] == [("Hello.", 2 * 10**9), ("Bye.", 4_250_000_000)]


GOOD = '{"start_s": 0, "end_s": 1, "text": "fine"}\n'
BAD = [
    ("t.jsonl", GOOD + "{nope", "{path}, line 2: not JSON ("),
    ("t.jsonl", GOOD + "[" * 200_000, "{path}, line 2: nested too deeply; each line is like"),
    ("t.jsonl", GOOD + "[1]", "{path}, line 2: found [1]; each line is like"),
    ("t.jsonl", '{"start_s": 0, "words": 3}', "{path}, line 1: end_s, text missing; each line is like"),
    ("t.jsonl", GOOD + '\n{"start_s": 5, "end_s": 4, "text": "x"}', "{path}, line 3: end_s 4 is before start_s 5"),
    ("t.jsonl", '{"start_s": -1, "end_s": 4, "text": "x"}', "{path}, line 1: start_s must be seconds, at least 0; found -1"),
    ("t.jsonl", '{"start_s": 1, "end_s": NaN, "text": "x"}', "{path}, line 1: end_s must be seconds, at least 0; found nan"),
    ("t.jsonl", '{"start_s": 1, "end_s": true, "text": "x"}', "{path}, line 1: end_s must be seconds, at least 0; found True"),
    ("t.jsonl", '{"start_s": 1, "end_s": 2, "text": 7}', "{path}, line 1: text must be a string, found 7"),
    ("t.jsonl", '{"start_s": 1, "end_s": 2, "text": "x", "speaker": 7}', "{path}, line 1: speaker must be a string or null, found 7"),
    ("t.jsonl", '{"start_s": 1, "end_s": 2, "text": "x", "track": "../x"}', "{path}, line 1: track must be up to 40 letters, digits"),
    (
        "t.jsonl",
        '{"start_s": 1, "end_s": 2, "text": "x", "azimuth_deg": 360}',
        "{path}, line 1: azimuth_deg must be at least 0 and below 360",
    ),
    ("t.jsonl", '{"start_s": 1, "end_s": 2, "text": "x", "words": ["x"]}', "{path}, line 1: words must be a list of"),
    ("t.jsonl", '{"start_s": 1, "end_s": 2, "text": "x", "words": [{"text": "x"}]}', "{path}, line 1, word 'x': start_s must be seconds"),
    ("t.jsonl", "\n\n", "{path}: there is not one utterance in it"),
    ("t.vtt", "1\n00:00 --> 00:01\nx\n", "{path}, line 1: a .vtt file begins with WEBVTT, found '1'"),
    ("t.vtt", "WEBVTT\n\n00:01.000 --> soon\nx\n", "{path}, line 3: expected a time like 00:01:02.500, found 'soon'"),
    ("t.vtt", "WEBVTT\n\n-->\nx\n", "{path}, line 3: expected two times like 00:01:02.500 --> 00:01:04.000, found '-->'"),
    ("t.srt", "1\n00:00:02,000 --> 00:00:01,000\nx\n", "{path}, line 2: the cue ends before it starts"),
    ("t.txt", "x", "{path}: a transcript must be a .jsonl, .vtt or .srt file"),
]


@pytest.mark.parametrize(("name", "text", "message"), BAD)
def test_a_bad_file_is_told_with_its_line_and_nothing_is_written(
    memory: LongTermMemory, tmp_path: Path, name: str, text: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TranscriptFileError) as caught:
        import_transcript(path, memory, ENCODER, STARTED_AT)
    assert str(caught.value).startswith(message.format(path=path))
    assert memory.sessions() == []


def test_a_file_that_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with pytest.raises(TranscriptFileError, match=r"t\.jsonl: cannot be read \(No such file or directory\)"):
        read_transcript(path)
    path.write_bytes(b'{"text": "\xff"}')
    with pytest.raises(TranscriptFileError, match=r"t\.jsonl: not UTF-8 \(byte 10\); save it as UTF-8"):
        read_transcript(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("talk.vtt", "WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ann>The ferry leaves.\n\n00:03.000 --> 00:04.000\n<v Ben>At nine.\n"),
        ("talk.srt", "1\n00:00:01,000 --> 00:00:02,500\nThe ferry leaves.\n\n2\n00:00:03,000 --> 00:00:04,000\nAt nine.\n"),
    ],
)
def test_captions_are_the_same_session_when_they_come_again(memory: LongTermMemory, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    first = import_transcript(tmp_path / name, memory, ENCODER, STARTED_AT)
    before = (memory.sessions(), memory.lines(first.session), memory.events(first.session))
    again = import_transcript(tmp_path / name, memory, ENCODER, STARTED_AT)
    assert (first.n_lines, first.n_added, again.n_lines, again.n_added, again.session) == (2, 2, 2, 0, first.session)
    assert (memory.sessions(), memory.lines(first.session), memory.events(first.session)) == before
    assert len(before[0]) == 1


def test_settings_of_the_segmenter_are_taken(memory: LongTermMemory, tmp_path: Path) -> None:
    settings = SurpriseSettings(silence_s=100.0, gamma=9.0)
    report = import_transcript(written(tmp_path / "a.jsonl"), memory, ENCODER, STARTED_AT, settings=settings)
    assert report.n_events == 1


def test_where_lines_came_from_counts_in_their_events(memory: LongTermMemory, tmp_path: Path) -> None:
    told = {}
    for name, moved_deg in (("stays", 0.0), ("moves", 120.0)):
        rows: list[dict[str, object]] = [
            {
                "start_s": 4.0 * place,
                "end_s": 4.0 * place + 3.0,
                "track": f"t{place % 2 + 1}",
                "text": f"we look at the plan of house {place} again",
                "azimuth_deg": (90.0 * (place % 2) + (moved_deg if place >= 60 else 0.0)) % 360,
            }
            for place in range(120)
        ]
        session = import_transcript(written(tmp_path / f"{name}.jsonl", rows), memory, ENCODER, STARTED_AT).session
        told[name] = [(event.start_ns, event.reason) for event in memory.events(session)]
    assert told["stays"] != told["moves"]
    assert any("bearing" in reason for _, reason in told["moves"])


def test_words_with_whole_seconds_are_read_and_bad_ones_are_told(tmp_path: Path) -> None:
    row: dict[str, object] = {"start_s": 1, "end_s": 3, "text": "old house", "words": [{"text": "old", "start_s": 1, "end_s": 2.5}]}
    (entry,) = read_transcript(written(tmp_path / "whole.jsonl", [row]))
    assert [(word.start_ns, word.end_ns) for word in entry.words] == [(10**9, 2_500_000_000)]
    for bad in ({"start_s": 2.5, "end_s": 1.5}, {"start_s": float("nan"), "end_s": 2.0}, {"start_s": -0.5, "end_s": 1.0}, {"start_s": 1.0}):
        row["words"] = [{"text": "old", **bad}]
        with pytest.raises(TranscriptFileError, match="line 1, word 'old'"):
            read_transcript(written(tmp_path / "bad.jsonl", [row]))
