"""An answer for people: what, then for each claim its evidence: where, when, who, the words, and the clip to play."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.app import times


def answer_text(answer: Mapping[str, Any], starts: Mapping[str, datetime], memory: Path) -> str:
    """An answer (the JSON of `ask --json`) as text; what was not heard stands in its words. `starts` says when each session began."""
    proof = evidence_text(answer, starts, memory)
    return f"{answer['answer']}\n\n{proof}" if proof else str(answer["answer"])


def evidence_text(answer: Mapping[str, Any], starts: Mapping[str, datetime], memory: Path) -> str:
    """Each claim of an answer with its proof; empty where there are no claims."""
    claims = enumerate(answer["claims"], start=1)
    return "\n\n".join(_claim(number, claim, str(answer["answer"]), starts, memory) for number, claim in claims)


def evidence_lines(evidence: Mapping[str, Any], starts: Mapping[str, datetime], memory: Path) -> list[str]:
    """One piece of evidence: who, where and when; the words; the clip."""
    who = evidence["speaker"] or "somebody"
    lines = [f"{who}, {bearing(evidence['azimuth_deg'])}, {when(evidence, starts)}", f"“{evidence['text']}”"]
    if evidence.get("first_heard"):
        lines.append(f"heard again; at first it seemed to be “{evidence['first_heard']}”")
    if evidence.get("clip"):
        lines.append(f"play {memory / evidence['clip']}")
    if evidence.get("raw"):
        lines.append(f"all channels {memory / evidence['raw']}")
    return lines


def bearing(azimuth_deg: float | None) -> str:
    """Where a sound came from."""
    return "no bearing" if azimuth_deg is None else f"at {azimuth_deg:.0f}°"


def when(evidence: Mapping[str, Any], starts: Mapping[str, datetime]) -> str:
    """When it was said: the clock, and the offset from the session's start."""
    start = starts.get(evidence["session"])
    offset = f"+{evidence['start_s']:.1f} to +{evidence['end_s']:.1f} s"
    if start is None:
        return f"{offset} of {evidence['session']}"
    moment = start + timedelta(seconds=evidence["start_s"])
    return f"{moment.strftime('%Y-%m-%d')} {times.clock(moment)} ({offset} of {evidence['session']})"


def _claim(number: int, claim: Mapping[str, Any], answer: str, starts: Mapping[str, datetime], memory: Path) -> str:
    confidence = f"sure to {claim['confidence']:.0%}"
    said = claim["text"] not in answer
    lines = [f"{number}. {claim['text']}  ({confidence})"] if said else []
    for index, evidence in enumerate(claim["evidence"]):
        who, *rest = evidence_lines(evidence, starts, memory)
        lines.append(f"   {who}" if said or index else f"{number}. {who}  ({confidence})")
        lines += [f"   {line}" for line in rest]
    return "\n".join(lines)
