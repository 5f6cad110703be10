import pytest

from pipeline.strict_yaml import read_yaml


def test_plain_values_keep_their_kind_and_line() -> None:
    document = read_yaml("a: 1\nb: 1.5\nc: true\nd: text\ne: [x, 2e3]\nf: {g: null}\n")
    assert document.data == {"a": 1, "b": 1.5, "c": True, "d": "text", "e": ["x", 2000.0], "f": {"g": None}}
    assert document.line("f", "g") == 6
    assert document.line("e", 1) == 5
    assert document.line("nowhere", "at", "all") == 1
    assert document.faults == []


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "True", "FALSE", "1:30", "2026-11-22", "0x1F"])
def test_only_true_and_false_are_booleans_and_only_digits_are_numbers(word: str) -> None:
    assert read_yaml(f"a: {word}").data == {"a": word}


def test_a_name_that_stands_twice_is_a_fault_with_both_lines() -> None:
    document = read_yaml("stages:\n  mic: 1\n  vad: 2\n  mic: 3\n")
    assert document.faults == [(4, "'mic' stands twice, first in line 2: give each its own name")]
    assert document.data == {"stages": {"mic": 1, "vad": 2}}


def test_broken_yaml_and_tags_are_faults_with_their_line() -> None:
    assert read_yaml("a: [1, 2\nb: 3\n").faults[0][0] == 2
    document = read_yaml("a: 1\nb: !!python/object:os.system {}\n")
    assert document.data == {"a": 1, "b": {}}
    assert read_yaml("a: !secret x").faults == [(1, "the tag '!secret' is not allowed: write a plain value")]
