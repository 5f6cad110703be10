"""Scores an answer to a question of a generated room, from the JSON of the answer alone.

Which lines an entry of evidence stands for is told by its words and its time (words that are heard may differ from those that were
said), so that bearing, time and speaker can be wrong on their own:

- *what*: a claim cites a line that answers, and its text or the text of its evidence says the true value. In an overview the share of
  the topics of which a line is cited, 0 where a claim tells of something that was not asked for (such as what was followed).
- *where*: the bearing of that evidence is within 15 degrees of the true one. *When*: the line began within 5 s of its start, or in it.
  *Who*: its speaker. Where nothing that answers is cited, all three are wrong; in an overview each is a share as well.

A claim is *false* when

- `answered`: the question has no answer in the room;
- `elsewhere`: nothing that it cites belongs to what was asked: it tells of another fact, topic, person or time;
- `contradicts`: it gives a value that was taken back, and the answer never gives the true one; a wrong count; or a wrong order;
- `unsupported`: it quotes words that none of its evidence has.

A claim that cites only other remarks on the asked topic is not false, but beside the point: it is counted apart, and its evidence
is not relevant. *Evidence precision* is the share of all evidence that belongs to what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tools.hearing_words import normal
from tools.recall_rooms import Room, Said
from tools.recall_rooms_questions import Asked, Truth

NEAR_DEG = 15.0
NEAR_S = 5.0
_SLACK_S = 15.0
_LONGEST_S = 15.0
_LEAST_SHARE = 0.6
_SHORT = 3
_TIMES = {"once": 1, "one": 1, "twice": 2}
_UNTOLD = ("elsewhere", "beside the point")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """How good one answer is: shares from 0 to 1, the reasons of its false claims, how many are beside the point, its evidence."""

    kind: str
    answerable: bool
    refused: bool
    what: float = 0.0
    where: float = 0.0
    when: float = 0.0
    who: float = 0.0
    n_claims: int = 0
    false: tuple[str, ...] = ()
    n_beside: int = 0
    n_evidence: int = 0
    n_relevant: int = 0

    @property
    def all_four(self) -> float:
        """Right in what, where, when and who."""
        return min(self.what, self.where, self.when, self.who)


def scored(asked: Asked, room: Room, answer: Json) -> Verdict:
    """The verdict on an answer in the form of `ask --json`."""
    claims: list[Json] = [] if answer["abstained"] else list(answer["claims"])
    truth = asked.truth
    if truth is None or not claims:
        n_evidence = sum(len(claim["evidence"]) for claim in claims)
        wrong = ("answered",) * len(claims)
        return Verdict(asked.kind, truth is not None, not claims, n_claims=len(claims), false=wrong, n_evidence=n_evidence)
    cited = [[cited_lines(entry, room) for entry in claim["evidence"]] for claim in claims]
    related = {*truth.lines, *truth.related}
    faults = [_fault(truth, claim, keys) for claim, keys in zip(claims, cited, strict=True)]
    if truth.taken_back and any(says(_all(claim), truth.value or "") for claim in claims):
        # The answer goes on to say that it was taken back.
        faults = [None if fault == "contradicts" else fault for fault in faults]
    right = _topics(truth, room, claims, cited, faults) if truth.topics else _fact(truth, room, claims, cited)
    return Verdict(
        asked.kind,
        True,
        False,
        *right,
        n_claims=len(claims),
        false=tuple(fault for fault in faults if fault and fault != "beside the point"),
        n_beside=faults.count("beside the point"),
        n_evidence=sum(len(keys) for keys in cited),
        n_relevant=sum(bool(entry & related) for keys in cited for entry in keys),
    )


def cited_lines(entry: Json, room: Room) -> frozenset[str]:
    """The keys of the lines that an entry of evidence stands for: near in time, and most of the shorter's words are in the other."""
    said = _words(entry["text"])
    found = set()
    for line in room.said:
        if entry["start_s"] - _SLACK_S > line.end_s or entry["end_s"] + _SLACK_S < line.start_s:
            continue
        own = _words(line.text)
        shorter, longer = sorted((own, said), key=len)
        overlaps = entry["start_s"] < line.end_s and entry["end_s"] > line.start_s
        if shorter and len(set(shorter) & set(longer)) >= _LEAST_SHARE * len(set(shorter)) and (len(shorter) >= _SHORT or overlaps):
            found.add(line.key)
    exact = {line.key for line in room.said if line.key in found and _words(line.text) == said}
    return frozenset(exact or found)


def says(text: str, value: str) -> bool:
    """Whether a text has a value, however numbers and times are written."""
    return f" {' '.join(_words(value, bare=True))} " in f" {' '.join(_words(text))} "


@cache
def _words(text: str, bare: bool = False) -> tuple[str, ...]:
    words = normal(text)
    # Whisper's normaliser takes the o of "8 o'clock" for a nought.
    words = re.sub(r"(\d+)0 clock\b", r"\1 00", words)
    words = re.sub(r"\bhalf past (\d+)", r"\1 30", words)
    words = re.sub(r"\b(?:a )?quarter past (\d+)", r"\1 15", words)
    words = re.sub(r"\b(?:a )?quarter to (\d+)", lambda match: f"{int(match[1]) - 1} 45", words)
    words = re.sub(r"(\d+)[:.](\d\d)\b", r"\1 \2", words)
    words = re.sub(r"[$€£%]", "", words)
    return tuple(re.sub(r"^(?:a|an|the) ", "", words).split() if bare else words.split())


def _fault(truth: Truth, claim: Json, cited: list[frozenset[str]]) -> str | None:
    """What is wrong with a claim on a question that has an answer; None for nothing."""
    keys = frozenset[str]().union(*cited)
    shown = " ".join(entry["text"] for entry in claim["evidence"])
    if any(not says(shown, quoted) for quoted in _quotes(claim["text"])):
        return "unsupported"
    if not keys & {*truth.lines, *truth.related}:
        return "beside the point" if keys & set(truth.beside) else "elsewhere"
    if truth.taken_back and says(_all(claim), truth.taken_back) and not says(_all(claim), truth.value or ""):
        return "contradicts"
    if truth.number is not None and _number(claim["text"]) != truth.number:
        return "contradicts"
    if truth.order is not None and not _in_order(truth, claim, keys):
        return "contradicts"
    return None


def _fact(truth: Truth, room: Room, claims: list[Json], cited: list[list[frozenset[str]]]) -> tuple[float, float, float, float]:
    by_key = {line.key: line for line in room.said}
    best = (0.0, 0.0, 0.0, 0.0)
    for claim, keys in zip(claims, cited, strict=True):
        proofs = [(entry, by_key[key]) for entry, own in zip(claim["evidence"], keys, strict=True) for key in own & set(truth.lines)]
        if not proofs:
            continue
        what = truth.value is None or says(_all(claim), truth.value)
        what = what and (truth.number is None or _number(claim["text"]) == truth.number)
        what = what and (truth.order is None or _in_order(truth, claim, frozenset[str]().union(*keys)))
        where, when, who = (float(any(fits(*proof) for proof in proofs)) for fits in (_where, _when, _who))
        best = max(best, (float(what), where, when, who))
    return best


def _topics(
    truth: Truth, room: Room, claims: list[Json], cited: list[list[frozenset[str]]], faults: list[str | None]
) -> tuple[float, float, float, float]:
    by_key = {line.key: line for line in room.said}
    entries = [(entry, own) for claim, keys in zip(claims, cited, strict=True) for entry, own in zip(claim["evidence"], keys, strict=True)]

    def share(fits: Any) -> float:
        told = [any(fits(entry, by_key[key]) for entry, own in entries for key in own & set(group)) for group in truth.topics]
        return sum(told) / len(told)

    what = 0.0 if any(fault in _UNTOLD for fault in faults) else share(_cited)
    who = share(_who)
    if truth.speakers:
        shown = " ".join([claim["text"] for claim in claims] + [entry["speaker"] for entry, _ in entries])
        who = float(all(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", shown) for name in truth.speakers))
    return what, share(_where), share(_when), who


def _cited(_entry: Json, _line: Said) -> bool:
    return True


def _where(entry: Json, line: Said) -> bool:
    azimuth = entry["azimuth_deg"]
    return azimuth is not None and bool(abs((azimuth - line.azimuth_deg + 180.0) % 360.0 - 180.0) <= NEAR_DEG)


def _when(entry: Json, line: Said) -> bool:
    inside = entry["start_s"] <= line.start_s <= entry["end_s"] and entry["end_s"] - entry["start_s"] <= _LONGEST_S
    return bool(inside or abs(entry["start_s"] - line.start_s) <= NEAR_S)


def _who(entry: Json, line: Said) -> bool:
    return bool(entry["speaker"] == line.speaker)


def _all(claim: Json) -> str:
    return " ".join([claim["text"], *(entry["text"] for entry in claim["evidence"])])


def _quotes(text: str) -> list[str]:
    return [part.strip() for quoted in re.findall(r'"([^"]+)"', text) for part in quoted.split("...") if part.strip()]


def _number(text: str) -> int | None:
    """The first number of a text: how often something is said to have been. Whisper's normaliser leaves a one in letters."""
    for word in normal(text).split():
        if word in _TIMES:
            return _TIMES[word]
        if word.isdigit():
            return int(word)
    return None


def _in_order(truth: Truth, claim: Json, keys: Collection[str]) -> bool:
    """Whether the claim cites the line that came first, and does not name the other thing before it."""
    first, second = (claim["text"].lower().find(word) for word in truth.order or ("", ""))
    return bool(set(truth.lines) & set(keys)) and first >= 0 and (second < 0 or first < second)
