"""JSON that reads in any script and that no terminal and no splitter of lines takes for something else."""

from __future__ import annotations

import json
from typing import Any

# JSON escapes what is below a space; these are control characters and line ends too, to some readers.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(127, 160), 0x2028, 0x2029)}


def safe_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, letters as they are, control characters and line separators escaped."""
    return json.dumps(value, ensure_ascii=False, indent=indent).translate(_ESCAPED)
