"""Finding any of many byte strings in bytes: a proof of erasure looks for every text and every word that was erased."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import numpy as np

KEY_BYTES = 6
"""The shortest string that may be sought."""


class TextFinder:
    """Finds any of many byte strings (each of `KEY_BYTES` bytes and more) in bytes, exactly.

    Places whose six bytes begin none of them are passed over for all places at once. At each of the others one binary search among the
    sorted strings finds the last that is not after what stands there; every string that stands there is that one or begins it, so the
    work at a place grows with the logarithm of how many strings there are, however many begin alike.
    """

    def __init__(self, sought: Iterable[bytes]) -> None:
        """Prepare to look for these. Raises ValueError for one that is too short."""
        self._texts = sorted(set(sought))
        self._longest: dict[bytes, int] = {}
        # The place of the longest other string that begins each; of a chain of them all before a match match too.
        self._begins: list[int] = []
        self._tables = [np.zeros(65536, dtype=bool) for _ in range(KEY_BYTES // 2)]
        for place, text in enumerate(self._texts):
            if len(text) < KEY_BYTES:
                raise ValueError(f"a text to find must have at least {KEY_BYTES} bytes, found {text!r}")
            begin = place - 1
            while begin >= 0 and not text.startswith(self._texts[begin]):
                begin = self._begins[begin]
            self._begins.append(begin)
            key = text[:KEY_BYTES]
            self._longest[key] = max(len(text), self._longest.get(key, 0))
        for key in self._longest:
            for part, table in enumerate(self._tables):
                table[int.from_bytes(key[2 * part : 2 * part + 2], "little")] = True

    @property
    def n_sought(self) -> int:
        """How many strings are looked for."""
        return len(self._texts)

    def found_in(self, data: bytes) -> set[bytes]:
        """Those that stand in the data."""
        found: set[bytes] = set()
        if not self._texts or len(data) < KEY_BYTES:
            return found
        octets = np.frombuffer(data, dtype=np.uint8).astype(np.uint16)
        pairs = octets[:-1] | (octets[1:] << 8)
        places = np.flatnonzero(self._tables[0][pairs[: len(data) - KEY_BYTES + 1]])
        for part, table in enumerate(self._tables[1:], start=1):
            places = places[table[pairs[places + 2 * part]]]
        for place in places.tolist():
            longest = self._longest.get(data[place : place + KEY_BYTES])
            if longest is None:
                continue
            there = data[place : place + longest]
            last = bisect_right(self._texts, there) - 1
            while last >= 0 and not there.startswith(self._texts[last]):
                last = self._begins[last]
            while last >= 0 and self._texts[last] not in found:
                found.add(self._texts[last])
                last = self._begins[last]
        return found
