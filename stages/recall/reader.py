"""The reader: a resource that reads a question and a line together, and tells how surely the line answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from pipeline.packets import Float32Array
from pipeline.stage import Resource


class Reader(Resource):
    """Scores lines for a question.

    `name` says which reader it is: its scores mean what they meant when recall learnt to weigh them (`stages/recall/fits`).
    """

    name: str

    @abstractmethod
    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        """A logit for each line, float32, shape (len(lines),), of what was said right before it ("" for nothing) and the line itself."""
