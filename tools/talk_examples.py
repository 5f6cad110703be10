"""Questions to talks written out by hand, with the lines that recall finds for each: what it is weighed on how much the reader counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from stages.recall.fact_features import features
from stages.recall.fact_support import judged_lines
from stages.recall.lookup import Lookup
from stages.recall.question_reader import QuestionReader
from stages.recall.reading import asked_before
from tools.fit_examples import Example
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_talks import asked_at, in_memory
from tools.written_talks import WrittenTalk


def talk_examples(recalls: RecallOfRooms, talks: Sequence[WrittenTalk], folder: Path) -> Iterator[Example]:
    """Every question for a fact to each talk, alone in a memory; the topic is the name of the talk, the kind told or near."""
    for talk in talks:
        with in_memory(recalls, talk, folder) as (_, memory):
            lookup = Lookup(memory, recalls.encoder, None)
            reader = QuestionReader(lookup, asked_at(), None)
            for asked in talk.asked:
                question = reader.read(asked.q)
                if question.refusal is not None or question.about_speech or not question.terms:
                    continue
                ranked = lookup.searcher.search(question.topic, question.gist, reader.scope(question))
                lines = judged_lines(ranked)
                answers = {talk.text(number) for number in asked.a}
                right = np.array([line.text in answers for line in lines], dtype=np.bool_)
                texts = tuple((asked_before(ranked, line), line.text) for line in lines)
                rows = features(question, ranked, lines)
                kind, text = "told" if asked.a else "near", question.own_words or question.text
                yield Example(talk.name, kind, text, texts, rows, right, np.zeros(len(lines), dtype=np.bool_))
