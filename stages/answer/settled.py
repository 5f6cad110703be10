"""What people agreed on: a decision told as such, or a proposal that somebody else accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.packets import nanoseconds
from stages.answer.moods import reads_like_order
from stages.memory.rows import LineRow
from stages.recall.untranscribed import is_untranscribed

_REPLY_NS = nanoseconds(6.0)
_DECIDED = re.compile(
    r"\b(?:we|they|everybody|everyone)(?:'ve| have|'re| are)? (?:all |both |now |finally )*(?:agreed|decided|settled)\b"
    r"|\b(?:it'?s|that'?s|it is|that is) (?:agreed|settled|decided|a deal)\b",
    re.I,
)
_PROPOSED = re.compile(
    r"\b(?:let'?s|let us|shall we|we (?:should|could|will|can|must)|we'll|how about|what about|why don'?t we|i suggest|i propose"
    r"|then we|so we)\b",
    re.I,
)
_ACCEPTED = re.compile(
    r"^\W*(?:yes|yeah|yep|okay|ok|agreed|deal|sure|fine|good idea|great idea|sounds (?:good|great|fine)|all right|alright|perfect"
    r"|done|that works|works for me|absolutely|of course|definitely|good|great)\b(?!,? but\b)",
    re.I,
)
_REFUSED = re.compile(r"\b(?:no|not|never|but|however)\b|n't\b", re.I)


def settled(lines: Sequence[LineRow]) -> tuple[LineRow, ...]:
    """The last thing that was agreed in a conversation: the line that says so, or a proposal and the line that accepted it; else nothing.

    `lines` are those of one conversation. An answer that takes anything back accepts nothing.
    """
    ordered = [
        line
        for line in sorted(lines, key=lambda line: (line.start_ns, line.id))
        if not is_untranscribed(line) and not reads_like_order(line.text)
    ]
    for place in range(len(ordered) - 1, -1, -1):
        line = ordered[place]
        if _DECIDED.search(line.text) and not _REFUSED.search(line.text) and not line.text.rstrip().endswith("?"):
            return (line,)
        after = next((other for other in ordered[place + 1 :] if other.track != line.track), None)
        if (
            after is not None
            and after.start_ns - line.end_ns <= _REPLY_NS
            and _PROPOSED.search(line.text)
            and _ACCEPTED.search(after.text)
            and not _REFUSED.search(after.text)
        ):
            return (line, after)
    return ()
