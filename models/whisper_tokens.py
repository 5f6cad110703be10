"""Whisper's tokenizer as it was trained, where a copy of it has lost its first rule.

A byte-pair encoding joins letters by a list of rules, and Whisper's begins with "Ġ t": a space and a t are one token. The copy that
belongs to the catalogue's Whisper base lacks it, so that " the" and every other word in t are cut into pieces that the decoder was not
trained on. What is recognised does not depend on the rules, but a text that is shown to the decoder does (`vocabulary`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_FIRST = ("Ġ", "t")


def with_first_merge(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with the rule, where its vocabulary has the token and its rules do not make it; else as it is."""
    whole = "".join(_FIRST)
    if tokenizer.token_to_id(whole) is None or len(tokenizer.encode(" t", add_special_tokens=False).ids) == 1:
        return tokenizer
    told = json.loads(tokenizer.to_str())
    merges = told["model"].get("merges", [])
    # Older files write a rule as one text, newer ones as two.
    told["model"]["merges"] = [" ".join(_FIRST) if merges and isinstance(merges[0], str) else list(_FIRST), *merges]
    return type(tokenizer).from_str(json.dumps(told))
