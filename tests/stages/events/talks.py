"""Talks that the tests of this folder cut: made ones, and those of the data sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.packets import NS_PER_S, Float32Array, Line, nanoseconds
from stages.events.spoken_line import SpokenLine, Stretch
from stages.memory.hashed_words import HashedWords
from tests.stages.memory.made import line

ENCODER = HashedWords()

DOGS = [
    ("anna", "My dog was so happy in the snow this morning."),
    ("ben", "My dog hates the snow, my dog wants to stay in bed."),
    ("anna", "How old is your dog now, is your dog an old dog?"),
    ("ben", "My dog is twelve, an old dog, and my dog still runs after every cat."),
    ("anna", "My dog eats everything, last week my dog ate my left shoe."),
    ("ben", "A young dog needs a toy, my dog loves a red ball."),
    ("anna", "The doctor says that my dog is too heavy and my dog needs walks."),
    ("ben", "My dog walks slowly now and my dog looks at every tree."),
    ("anna", "Does your dog sleep in the bedroom with you?"),
    ("ben", "No, my dog sleeps in the kitchen, but my dog snores."),
]
FERRY = [
    ("clara", "Did you buy the ferry tickets for the ferry on Saturday?"),
    ("david", "Yes, six ferry tickets, and the ferry leaves at half past nine."),
    ("clara", "Where do we meet for the ferry, at the harbour?"),
    ("david", "At the north harbour, where the ferry tickets are checked."),
    ("clara", "How much was one ferry ticket for the ferry?"),
    ("david", "One ferry ticket was eighteen dollars at the harbour."),
    ("clara", "And the ferry back from the island leaves the harbour when?"),
    ("david", "The last ferry leaves the island harbour at seven."),
]
CONCERT = [
    ("clara", "Did you buy the tickets for the ferry?"),
    ("david", "Yes, we have six tickets. The ferry leaves on Saturday at half past nine."),
    ("clara", "And where do we all meet?"),
    ("david", "We meet at the north harbor, next to the old lighthouse."),
    ("clara", "How much was one ticket?"),
    ("david", "One ticket was eighteen dollars. The children go for free."),
    ("clara", "Now the food for the village concert. Who brings the bread?"),
    ("david", "Martin brings bread and cheese. My sister Laura makes a big potato salad."),
    ("clara", "Then I will bake two apple cakes. How many guests will come to the concert?"),
    ("david", "About sixty guests. We also need more cups for the coffee."),
    ("clara", "There is one more problem. The heating is broken again, and the rooms are very cold."),
    ("david", "Oh no. Did you call somebody to repair it?"),
    ("clara", "Yes. The plumber will come on Thursday at two o'clock. His name is Peter Baker."),
    ("david", "How can he get into the building?"),
    ("clara", "The key is in the blue box under the stairs. The repair will cost three hundred dollars."),
]


def conversation(turns: Sequence[tuple[str, str]], start_s: float, turn_s: float = 4.0, pause_s: float = 0.4) -> list[Line]:
    """People who take turns."""
    return [line(text, start_s + place * (turn_s + pause_s), turn_s, track=track) for place, (track, text) in enumerate(turns)]


def by_end(*talks: Sequence[Line]) -> list[Line]:
    """Several talks at once, in the order in which a graph would deliver them."""
    return sorted((said for talk in talks for said in talk), key=lambda said: (said.end_ns, said.transcript.key))


def spoken_line(key: str, track: str, start_s: float, end_s: float, vector: Float32Array, text: str = "four words of text") -> SpokenLine:
    return SpokenLine(key, track, nanoseconds(start_s), nanoseconds(end_s), text, vector)


def tiage(shared: Path, n_talks: int) -> list[tuple[list[str], npt.NDArray[np.bool_]]]:
    """Chit-chat dialogues with the lines at which people changed the topic (TIAGE)."""
    talks = json.loads((shared / "data/tiage/anno_dev.json").read_text())
    chosen = [talks[name] for name in list(talks)[:n_talks]]
    return [([text for text, _ in talk], np.array([mark == "1" for _, mark in talk])) for talk in chosen]


def cuts(stretches: Sequence[Stretch], n_lines: int) -> npt.NDArray[np.bool_]:
    """At which lines stretches begin, the first apart; keys are line numbers."""
    found = np.zeros(n_lines, dtype=bool)
    found[[int(stretch.lines[0].key) for stretch in stretches]] = True
    found[0] = False
    return found


def seconds_of(stretches: Sequence[Stretch]) -> list[tuple[float, float]]:
    return [(stretch.start_ns / NS_PER_S, stretch.end_ns / NS_PER_S) for stretch in stretches]
