"""The matrix of `make bench-hearing`: which scenes there are. One base cell, and others that differ from it in one or two things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Talk = Literal["turns", "half", "full"]
ALLISON = "allison"
"""Not a voice of Kokoro: a person who recorded announcements."""
DICKENS, JFK, LIBRI, AUSTEN = "dickens", "jfk", "libri", "austen"
WORDS = "words-"
"""Before the name of a voice: it says single words, with pauses between them."""
LENGTH_S = 58.0


@dataclass(frozen=True)
class Cell:
    """One scene.

    `talkers` are voices of Kokoro or the people of `hearing_speech`; they sit `apart_deg` from one another, the first at
    `first_deg`. `talk`: one after the other, each beginning in the middle of the one before, or all the time. `walking`: the
    first talker walks `WALK_DEG` while speaking. `goal` is by how much the word error may exceed that of each talker alone.
    """

    name: str
    talkers: tuple[str, ...] = ("bm_george", ALLISON)
    array: str = "uma8"
    apart_deg: float = 90.0
    first_deg: float = 40.0
    rt60_s: float = 0.3
    snr_db: float = 30.0
    talk: Talk = "full"
    walking: bool = False
    seed: int = 100
    length_s: float = LENGTH_S
    goal: float | None = None
    few: bool = False

    def bearings_deg(self) -> tuple[float, ...]:
        """Where the talkers are (the first one: where the walk begins), in the array's frame."""
        return tuple((self.first_deg + n * self.apart_deg) % 360.0 for n in range(len(self.talkers)))


WALK_DEG = 50.0
THREE = ("af_heart", ALLISON, "am_michael")
FOUR = ("af_heart", ALLISON, "am_michael", "am_fenrir")

CELLS: tuple[Cell, ...] = (
    Cell("base", goal=0.05, few=True),
    Cell("60deg-rt0.5", ("af_bella", "am_fenrir"), apart_deg=60, rt60_s=0.5, seed=101, goal=0.12, few=True),
    Cell("3-talkers", THREE, first_deg=15, seed=102, goal=0.12, few=True),
    Cell("respeaker", ("bf_emma", "am_michael"), "respeaker4", seed=103, few=True),
    Cell("line8", ("af_heart", "bm_george"), "linear8", first_deg=40, seed=104, few=True),
    Cell("1-talker", (DICKENS,), first_deg=220, seed=105),
    Cell("4-talkers", FOUR, first_deg=70, seed=106),
    Cell("45deg", ("bf_emma", ALLISON), apart_deg=45, first_deg=200, seed=107),
    Cell("60deg", ("af_heart", "bm_lewis"), apart_deg=60, first_deg=300, seed=108),
    Cell("rt0.2", ("am_michael", "bf_isabella"), rt60_s=0.2, first_deg=110, seed=109),
    Cell("rt0.5", (ALLISON, "am_fenrir"), rt60_s=0.5, first_deg=250, seed=110),
    Cell("snr15", ("bm_george", ALLISON), snr_db=15, first_deg=75, seed=111),
    Cell("snr5", ("af_bella", "am_michael"), snr_db=5, first_deg=330, seed=112),
    Cell("turns", ("af_heart", ALLISON), talk="turns", first_deg=130, seed=113),
    Cell("half", ("bm_george", ALLISON), talk="half", first_deg=10, seed=114),
    Cell("walking", ("am_michael", "bf_emma"), first_deg=60, apart_deg=120, walking=True, seed=115),
    Cell("walking-turns", ("bf_isabella", "bm_lewis"), talk="turns", first_deg=150, apart_deg=120, walking=True, seed=116),
    Cell("3-turns", (JFK, "af_bella", AUSTEN), talk="turns", first_deg=80, rt60_s=0.5, seed=117),
    Cell("3-half-60deg", ("bf_emma", "am_fenrir", ALLISON), apart_deg=60, talk="half", first_deg=180, seed=118),
    Cell("4-turns", (LIBRI, "bf_isabella", "bm_george", ALLISON), talk="turns", first_deg=20, snr_db=15, seed=119),
    Cell("respeaker-60deg-rt0.5", ("af_heart", "bm_lewis"), "respeaker4", apart_deg=60, rt60_s=0.5, first_deg=100, seed=120),
    Cell("respeaker-snr15-half", (ALLISON, "am_michael"), "respeaker4", snr_db=15, talk="half", first_deg=280, seed=121),
    Cell("line8-60deg-rt0.5", ("bf_emma", "am_fenrir"), "linear8", apart_deg=60, rt60_s=0.5, first_deg=55, seed=122),
    Cell("line8-3-turns", ("bm_george", "af_bella", AUSTEN), "linear8", apart_deg=45, talk="turns", first_deg=45, seed=123),
    Cell("single-words", (f"{WORDS}bm_george",), talk="turns", first_deg=160, seed=124),
)
QUICK_S = 20.0


class MatrixError(ValueError):
    """There is no such cell."""


def chosen(only: tuple[str, ...], cells: tuple[Cell, ...] = CELLS) -> tuple[Cell, ...]:
    """The cells with these names, all where there are none. Raises MatrixError for a name that no cell has."""
    names = [cell.name for cell in cells]
    for name in only:
        if name not in names:
            raise MatrixError(f"--only {name}: there is no such cell; cells are {', '.join(names)}")
    return tuple(cell for cell in cells if not only or cell.name in only)
