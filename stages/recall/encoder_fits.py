"""What was fitted to one text encoder: likeness means another thing to each. `stages/recall/fits/` has a folder for every encoder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.recall.boosted_trees import BoostedTrees
from stages.recall.query_adapter import QueryAdapter

_DIGITS = 2
FOLDER = Path(__file__).parent / "fits"
FIRST = "all-MiniLM-L6-v2"
"""The encoder whose fits an encoder without any gets, as one of the user's own: `tools/fit_fact_support.py`, `fit_topic_support.py` and
`fit_relevance.py` make better ones. What moves questions (`query_adapter`) is of one encoder alone; `tools/fit_query_adapter.py` learns
it."""


@dataclass(frozen=True)
class TopicFit:
    """A logistic regression that tells whether a stretch of talk is about a topic."""

    names: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float

    def support(self, features: Float32Array) -> Float32Array:
        """How surely each stretch is about the topic, 0 to 1, float32, shape (stretches,), of features, shape (stretches, len(names))."""
        logits = features @ np.array(self.weights, dtype=np.float32) + np.float32(self.intercept)
        support: Float32Array = (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
        return support

    def to_json(self) -> str:
        """The fit as its file has it."""
        return json.dumps({"intercept": self.intercept, "weights": dict(zip(self.names, self.weights, strict=True))}, indent=1) + "\n"


@dataclass(frozen=True)
class RelevanceFit:
    """The weights by which search tells which lines a question asks for (`relevance.py`)."""

    names: tuple[str, ...]
    weights: Float32Array

    def to_json(self) -> str:
        """The fit as its file has it."""
        weights = (round(weight, _DIGITS) for weight in self.weights.tolist())
        return json.dumps({"weights": dict(zip(self.names, weights, strict=True))}, indent=1) + "\n"


@dataclass(frozen=True)
class SearchFit:
    """What search goes by: what moves a question's vector (None where nothing does), and the weights that tell which lines it asks for."""

    adapter: QueryAdapter | None
    relevance: RelevanceFit

    def moved(self, meaning: Float32Array) -> Float32Array:
        """Where lines are looked for that answer a question with this vector; float32, shape (dimension,), of unit length as that is."""
        return meaning if self.adapter is None else self.adapter.of(meaning)


@dataclass(frozen=True)
class ReadingFit:
    """How other log-odds and a reader's are weighed (`reading.py`, `topic_reading.py`), where the best of the former lie within `doubt`.

    A logistic regression; 0 or more for a line that answers.
    """

    doubt: tuple[float, float]
    names: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float

    def in_doubt(self, best: float) -> bool:
        """Whether trees whose best line has these log-odds should not decide alone."""
        return self.doubt[0] <= best <= self.doubt[1]

    def log_odds(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Float64, shape (lines,), of features, shape (lines, len(weights))."""
        found: npt.NDArray[np.float64] = features @ np.array(self.weights) + self.intercept
        return found

    def to_json(self) -> str:
        """The fit as its file has it."""
        weights = dict(zip(self.names, self.weights, strict=True))
        return json.dumps({"doubt": self.doubt, "intercept": self.intercept, "weights": weights}, indent=1) + "\n"


def reading_file(encoder: str, reader: str) -> Path:
    """How a reader is weighed beside an encoder's trees, in a file that need not be there."""
    return FOLDER / encoder / f"reading-{reader}.json"


@cache
def reading_fit(encoder: str, reader: str) -> ReadingFit:
    """How a reader is weighed beside the trees of an encoder, by their names. Raises ValueError for a reader that was never fitted."""
    path = reading_file(encoder if fact_file(encoder).is_file() else FIRST, reader)
    if not path.is_file():
        raise ValueError(f"reader {reader}: how much it counts beside {encoder} is not known; tools/fit_reader.py finds it out")
    return _read_fit(path)


def _read_fit(path: Path) -> ReadingFit:
    read = json.loads(path.read_text(encoding="utf-8"))
    return ReadingFit(tuple(read["doubt"]), tuple(read["weights"]), tuple(read["weights"].values()), read["intercept"])


def topic_reading_file(encoder: str, reader: str) -> Path:
    """How a reader is weighed beside an encoder's topic fit, in a file that need not be there."""
    return FOLDER / encoder / f"topics-{reader}.json"


@cache
def topic_reading_fit(encoder: str, reader: str) -> ReadingFit | None:
    """How a reader that knows topics is weighed beside the topic fit of an encoder, by their names; None where it was not fitted."""
    path = topic_reading_file(encoder if topic_file(encoder).is_file() else FIRST, reader)
    return _read_fit(path) if path.is_file() else None


def fact_file(encoder: str) -> Path:
    """The trees of an encoder, in a file that need not be there."""
    return FOLDER / encoder / "facts.json"


def topic_file(encoder: str) -> Path:
    """The regression of an encoder, in a file that need not be there."""
    return FOLDER / encoder / "topics.json"


def query_file(encoder: str) -> Path:
    """The query adapter of an encoder, in a file that need not be there."""
    return FOLDER / encoder / "query.npz"


def relevance_file(encoder: str) -> Path:
    """The weights of search of an encoder, in a file that need not be there."""
    return FOLDER / encoder / "relevance.json"


@cache
def fact_fit(encoder: str) -> BoostedTrees:
    """Trees that tell whether a line answers a question for a fact, where their log-odds are 0 or more; for an encoder, by its name."""
    return BoostedTrees.read(fact_file(encoder if fact_file(encoder).is_file() else FIRST))


@cache
def topic_fit(encoder: str) -> TopicFit:
    """What tells whether a stretch of talk is about a topic; for an encoder, by its name."""
    read = json.loads(topic_file(encoder if topic_file(encoder).is_file() else FIRST).read_text(encoding="utf-8"))
    return TopicFit(tuple(read["weights"]), tuple(read["weights"].values()), read["intercept"])


@cache
def query_adapter(encoder: str) -> QueryAdapter | None:
    """What moves the vectors of questions, made for this encoder alone; None where nothing was."""
    return QueryAdapter.read(query_file(encoder)) if query_file(encoder).is_file() else None


@cache
def relevance_fit(encoder: str) -> RelevanceFit:
    """What tells which lines a question asks for; for an encoder, by its name."""
    read = json.loads(relevance_file(encoder if relevance_file(encoder).is_file() else FIRST).read_text(encoding="utf-8"))
    return RelevanceFit(tuple(read["weights"]), np.array(list(read["weights"].values()), dtype=np.float32))


def search_fit(encoder: str) -> SearchFit:
    """What search goes by; for an encoder, by its name."""
    return SearchFit(query_adapter(encoder), relevance_fit(encoder))
