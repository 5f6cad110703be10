"""How claims on what was missed begin: with what was followed meanwhile, once for all that was missed in that time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stages.recall.answers import Stretch

MEANWHILE = "Meanwhile, "


def with_openings(stretches: Iterable[Stretch], opening: str) -> Iterator[tuple[Stretch, str]]:
    """Each stretch with its opening: its own, or `opening`; "Meanwhile, " where the one before it began in the same way."""
    before = None
    for stretch in stretches:
        own = stretch.opening or opening
        yield stretch, MEANWHILE if own == before else own
        before = own
