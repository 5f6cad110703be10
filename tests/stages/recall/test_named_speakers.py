from __future__ import annotations

import pytest

from stages.recall.named_speakers import is_named


@pytest.mark.parametrize(
    ("speaker", "text", "named"),
    [
        ("Project Manager", "What did the project manager think?", True),
        ("Project Manager", "Which project did they mean?", False),
        ("Grad B", "What did B think of it?", True),
        ("Grad A", "What was a good idea?", False),
        ("Hon. Bill Blair (Minister of Public Safety)", "What did Bill Blair say about safety?", True),
        ("", "What?", False),
    ],
)
def test_who_is_named(speaker: str, text: str, named: bool) -> None:
    assert is_named(speaker, text) is named
