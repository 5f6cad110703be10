"""How well search finds what meetings say where it learnt nothing of their series: all of QMSum's questions, as a markdown table.

    python -m tools.recall_meetings_crossed --data ../shared/data/qmsum [--config configs/replay.yaml] [--vectors FILE] [--rooms 150]
        [--first-seed 30000]

The query adapter and the weights of search were learnt from the tuning half of the meetings, so `tools.recall_meetings` says little by
that half. Here they are learnt anew for each of four groups of its series, without the meetings of the group, as
`tools.fit_query_adapter` learns them; the held-out half is asked with what ships. So all questions count, and none was learnt from
(cross-validation: Stone 1974). The lead is told with its bootstrap interval (95 %, by drawing questions).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stages.recall.encoder_fits import FIRST, SearchFit, relevance_fit
from tools.fit_query_adapter import asked_of_meetings, asked_of_rooms, learnt_without
from tools.query_examples import QueryExample
from tools.recall_meetings import OURS, KeepingEncoder, ask_all, encoder_of, settings
from tools.recall_meetings_data import Meeting, read_meetings, tuning_half
from tools.recall_meetings_score import NAMES, Scores, table

_N_DRAWS = 4_000
_Floats = npt.NDArray[np.float64]


def crossed_fits(meetings: Sequence[Meeting], asked: Sequence[QueryExample], rooms: Sequence[QueryExample]) -> dict[str, SearchFit]:
    """What search goes by in questions about each meeting of the tuning half, by its name: learnt without its group of series."""
    groups = list(learnt_without(meetings, asked, rooms, relevance_fit(FIRST).weights))
    return {meeting.name: fit for group, fit in groups for meeting in meetings if meeting.series in group}


def leads(by_method: Mapping[str, Sequence[Scores]], n_draws: int = _N_DRAWS) -> str:
    """The lead over the best other method in each figure, with its interval, as text; the best other is chosen in each draw anew."""
    draw = np.random.default_rng(0)
    scores = {method: np.array(rows, dtype=np.float64) for method, rows in by_method.items()}
    n_questions = len(scores[OURS])
    drawn = [draw.integers(n_questions, size=n_questions) for _ in range(n_draws)]
    found = np.array([_lead({method: rows[places] for method, rows in scores.items()}) for places in drawn])
    bounds = np.percentile(found, [2.5, 97.5], axis=0)
    told = zip(NAMES, _lead(scores), bounds[0], bounds[1], strict=True)
    return ", ".join(f"{name} {100 * lead:+.1f} % ({100 * least:+.1f} to {100 * most:+.1f} %)" for name, lead, least, most in told)


def _lead(scores: Mapping[str, _Floats]) -> _Floats:
    means = {method: rows.mean(axis=0) for method, rows in scores.items()}
    best = np.max([rows for method, rows in means.items() if method != OURS], axis=0)
    lead: _Floats = means[OURS] / best - 1.0
    return lead


def main() -> None:
    """Parse options, learn, ask, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of QMSum's meetings, one JSON file each")
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"))
    parser.add_argument("--vectors", type=Path, help="an .npz file to keep vectors of texts in, so that a second run is faster")
    parser.add_argument("--rooms", type=int, default=150)
    parser.add_argument("--first-seed", type=int, default=30_000)
    options = parser.parse_args()
    meetings = read_meetings(options.data)
    tuning = tuning_half(meetings)
    rooms = asked_of_rooms(options.config, range(options.first_seed, options.first_seed + options.rooms))
    with KeepingEncoder(encoder_of(str(options.config))).keeping(options.vectors) as encoder:
        learnt_from = [meeting for meeting in meetings if meeting.name in tuning]
        own, written = asked_of_meetings(learnt_from, encoder)
        fits = crossed_fits(learnt_from, [*own, *written], rooms)
        alone = [entry for meeting in meetings for entry in ask_all([meeting], encoder, fits)]
        together = ask_all(meetings, encoder, fits)
    found = settings("per meeting", alone, tuning) | settings("one memory", together, tuning)
    sys.stdout.write(f"{len(meetings)} meetings, {len(alone)} questions; of none was anything learnt that it is asked with.\n\n")
    sys.stdout.write(f"{table(found, OURS)}\n\n")
    for name, by_method in found.items():
        sys.stdout.write(f"- {name}: {leads(by_method)}\n")


if __name__ == "__main__":
    main()
