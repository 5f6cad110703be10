"""Verdicts as Markdown: each way of answering in a row, each kind of question in a row, and the goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt

from tools.recall_rooms_score import Verdict

_Z = 1.96


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n (Wilson 1927); nan, nan where n is 0."""
    if n == 0:
        return float("nan"), float("nan")
    middle = share + _Z**2 / (2 * n)
    half = _Z * sqrt(max(0.0, share * (1.0 - share)) / n + _Z**2 / (4 * n * n))
    return max(0.0, (middle - half) / (1 + _Z**2 / n)), min(1.0, (middle + half) / (1 + _Z**2 / n))


def whole_table(verdicts: Mapping[str, Sequence[Verdict]]) -> str:
    """One row for each way of answering: shares over the answerable questions, refusals, false claims, precision; with intervals."""
    rows = [
        "| answers by | questions | what | where | when | who | all four | what, where and when | refused though answerable"
        " | refused rightly | false claims | beside the point | evidence precision |",
        "|---|---:" + "|---:" * 11 + "|",
    ]
    for name, found in verdicts.items():
        good = [verdict for verdict in found if verdict.answerable]
        void = [verdict for verdict in found if not verdict.answerable]
        n_claims, n_evidence = sum(verdict.n_claims for verdict in found), sum(verdict.n_evidence for verdict in good)
        parts = [
            _share([verdict.what for verdict in good]),
            _share([verdict.where for verdict in good]),
            _share([verdict.when for verdict in good]),
            _share([verdict.who for verdict in good]),
            _share([verdict.all_four for verdict in good]),
            _share([min(verdict.what, verdict.where, verdict.when) for verdict in good]),
            _share([float(verdict.refused) for verdict in good]),
            _share([float(verdict.refused) for verdict in void]),
            _part(sum(len(verdict.false) for verdict in found), n_claims),
            _part(sum(verdict.n_beside for verdict in found), n_claims),
            _part(sum(verdict.n_relevant for verdict in good), n_evidence),
        ]
        rows.append(f"| {name} | {len(good)} + {len(void)} | {' | '.join(parts)} |")
    return "\n".join(rows)


def kind_table(verdicts: Sequence[Verdict]) -> str:
    """One row for each kind of question."""
    rows = [
        "| kind | questions | what | where | when | who | all four | refused | false claims, of all | false because |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    kinds = dict.fromkeys(verdict.kind for verdict in sorted(verdicts, key=lambda verdict: not verdict.answerable))
    for kind in kinds:
        own = [verdict for verdict in verdicts if verdict.kind == kind]
        reasons = Counter(reason for verdict in own for reason in verdict.false)
        told = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common())
        shares = [_mean([getattr(verdict, name) for verdict in own]) for name in ("what", "where", "when", "who", "all_four")]
        if not own[0].answerable:
            shares = ["-"] * len(shares)
        refused = _mean([float(verdict.refused) for verdict in own])
        rows.append(
            f"| {kind} | {len(own)} | {' | '.join(shares)} | {refused} | {sum(reasons.values())} of"
            f" {sum(verdict.n_claims for verdict in own)} | {told} |"
        )
    return "\n".join(rows)


def _mean(shares: Sequence[float]) -> str:
    return f"{sum(shares) / len(shares):.2f}" if shares else "-"


def _share(shares: Sequence[float]) -> str:
    if not shares:
        return "-"
    mean = sum(shares) / len(shares)
    low, high = wilson(mean, len(shares))
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"


def _part(n: int, n_all: int) -> str:
    return f"{_share([1.0] * n + [0.0] * (n_all - n))}" if n_all else "-"
