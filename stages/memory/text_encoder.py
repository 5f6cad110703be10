"""The text encoder: a resource that memory and recall share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from pipeline.packets import Float32Array
from pipeline.stage import Resource


class TextEncoder(Resource):
    """Turns texts into vectors whose cosine says how alike their meanings are.

    `name` stands in the memory's settings: vectors of different encoders cannot be compared.
    """

    name: str
    dimension: int

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Float32, shape (len(texts), dimension), each row of unit length; the same row however the texts were batched."""

    def encode_together(self, texts: Sequence[str]) -> Float32Array:
        """As `encode`, for the few texts of a question, which may take less time together; rows may be rounded otherwise."""
        return self.encode(texts)
