"""What is said in a simulated week: stretches of talk about one subject, each line with something that no other line says."""

from __future__ import annotations

import numpy as np

_SUBJECTS = (
    "ferry island harbour saturday ticket deck captain wave luggage pier",
    "fence paint garden brush wood gate hedge ladder bucket varnish",
    "bees honey village hive meadow clover swarm smoke jar wax",
    "printer toner office paper tray cable driver queue scan stapler",
    "budget quarter invoice tax account loan payment ledger refund audit",
    "violin concert rehearsal tempo score bow string choir stage encore",
    "bread oven flour yeast dough crust recipe butter salt kitchen",
    "train platform delay station carriage seat signal bridge timetable luggage",
)
_FRAMES = ("I think the {} and the {} need {}", "did you see the {} with the {}, number {}", "we should ask about {} and {} for {}")
_LINES_A_SUBJECT = 25
_SEED = 411


def said_in(day: int, hour: int, n_lines: int) -> list[tuple[str, str]]:
    """(track, text) of each line of an hour; the same hour says the same, and no two lines of a week are alike."""
    generator = np.random.default_rng((_SEED, day, hour))
    said = []
    words: list[str] = []
    for place in range(n_lines):
        if place % _LINES_A_SUBJECT == 0:
            words = _SUBJECTS[int(generator.integers(len(_SUBJECTS)))].split()
        one, other = generator.choice(words, 2, replace=False)
        frame = _FRAMES[int(generator.integers(len(_FRAMES)))]
        said.append((f"t{int(generator.integers(3)) + 1}", frame.format(one, other, f"item{day}x{hour}x{place}")))
    return said
