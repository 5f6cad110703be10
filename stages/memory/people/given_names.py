"""Names that people give to speakers and sounds: what may be one."""

from __future__ import annotations

import re

from stages.memory.memory_errors import MemoryError_

_LONGEST = 80
# With a session behind it it tells apart those of older memories and imported transcripts, where every session began with 1.
_AUTOMATIC = re.compile(r"(?:speaker|sound)[ -]?\d+(?:@.*)?", re.IGNORECASE)


class GivenNameError(MemoryError_):
    """Nobody and nothing can be called so; the message says what a name may be."""

    exit_code = 2


def is_automatic(name: str) -> bool:
    """Whether a name is of the form that Echoic gives out by itself, such as speaker-2 or sound-7."""
    return _AUTOMATIC.fullmatch(name) is not None


def checked_name(name: str, own_id: str) -> str:
    """A name without needless space, fit for whoever has the id `own_id`.

    Raises GivenNameError: empty, too long, with control characters, or an id that is or may become somebody else's.
    """
    clean = " ".join(name.split())
    if not clean or not clean.isprintable() or len(clean) > _LONGEST:
        shown = repr(name) if len(name) <= _LONGEST else f"{name[:20]!r}... ({len(clean)} characters)"
        raise GivenNameError(f"name {shown}: a name must have 1 to {_LONGEST} printable characters, such as 'Anna' or 'coffee machine'")
    if is_automatic(clean) and (clean != own_id or "@" in clean):
        raise GivenNameError(f"name {clean!r}: names of this form are given out by Echoic itself; give {own_id} another one")
    return clean
