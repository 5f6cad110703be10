"""Recall by meaning and by words together."""

from __future__ import annotations

from stages.answer.answerer import Answerer
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.text_encoder import TextEncoder
from stages.recall.encoder_fits import query_adapter, reading_fit
from stages.recall.memory_recall import MemoryRecall, RecallSettingsError
from stages.recall.reader import Reader
from stages.recall.second_look import SecondLook


class HybridRecall(MemoryRecall):
    """Dense search and FTS5, fused by reciprocal ranks, then contiguity (EM-LLM, arXiv 2407.09450).

    What was missed is what was said at the same time as what was attended, by people who took no part in it. `facing_deg` is
    the azimuth that the listener faces, which gives left, right, behind and in front their bearings; None: unknown. A `reader`
    reads again where it is in doubt whether a line holds an asked fact; None: likeness and words decide alone.

    Raises:
        RecallSettingsError: `facing_deg` is not finite, the `reader` was never fitted to go with an encoder, or what moves the encoder's
            questions is damaged or made for vectors of another length (`encoder_fits.py`).
    """

    def __init__(
        self,
        memory: LongTermMemory,
        encoder: TextEncoder,
        answerer: Answerer,
        second_look: SecondLook | None = None,
        facing_deg: float | None = None,
        reader: Reader | None = None,
    ) -> None:
        super().__init__(memory, answerer, second_look, facing_deg, reader)
        self._encoder = encoder
        try:
            adapter = query_adapter(encoder.name)
            if reader is not None:
                reading_fit(encoder.name, reader.name)
        except (OSError, ValueError) as error:
            raise RecallSettingsError(str(error)) from error
        if adapter is not None and adapter.dimension != encoder.dimension:
            raise RecallSettingsError(
                f"encoder {encoder.name}: its vectors have {encoder.dimension} numbers, and what moves its questions is made for"
                f" {adapter.dimension}; an encoder of your own needs a name of its own"
            )

    @property
    def encoder(self) -> TextEncoder:
        """What meanings are compared with."""
        return self._encoder
