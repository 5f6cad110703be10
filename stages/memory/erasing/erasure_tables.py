"""The table of erasures that have begun, and which table of a memory is erased by what."""

from __future__ import annotations

TABLES = """
CREATE TABLE erasures (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    plan TEXT NOT NULL
) STRICT;
"""
"""SQL of the migration that makes it.

A row is what is to go, as row numbers, spans and ids but never as words; it stands until everything of it is gone and leaves then.
"""

ERASED_BY: dict[str, str] = {
    "lines": "row",
    "vectors": "row of its line",
    "lines_fts": "built anew from the lines that stay",
    "lines_fts_data": "part of lines_fts",
    "lines_fts_idx": "part of lines_fts",
    "lines_fts_docsize": "part of lines_fts",
    "lines_fts_config": "part of lines_fts; holds settings alone",
    "line_checksums": "row of its line, by trigger",
    "line_speakers": "row of its line",
    "line_voices": "row of its line",
    "line_talkers": "row of its line",
    "event_lines": "row of its line",
    "events": "row, where no line of it stays; else told anew from what stays",
    "keys": "with its event, by trigger",
    "topics": "with its event, or made anew in sleep",
    "topic_names": "with its event, or as its topic",
    "growths": "with its event, by trigger; holds moments alone",
    "topic_terms": "by trigger, when a topic goes",
    "topic_totals": "by trigger; holds counts alone",
    "duplicates": "with its event, or looked for anew in sleep",
    "summary_people": "with its event, or told anew in sleep",
    "sleep_due": "with its event",
    "prototypes": "row, where fewer than two lines of it stay; else made anew from those",
    "prototype_lines": "row of its line",
    "strengths": "row of its line",
    "recall_spools": "stays: names of files and how far they were read",
    "line_blocks": "stays: of each thousand rows the earliest and the latest moment",
    "short_terms": "with its session; elsewhere traces that have a part in an erased line are taken out",
    "links": "with its event, or made anew in sleep",
    "event_people": "with its event, or made anew in sleep",
    "links_due": "with its event",
    "speakers": "row, where nothing of them stays; else their voice is told anew from what stays",
    "speaker_places": "told anew from what stays",
    "talkers": "row, where no turn of it stays; a voice that was heard in part is dropped",
    "talker_turns": "cut",
    "tracks": "row, where nothing of it stays; a name of its own goes with its person",
    "positions": "rows in the span",
    "sounds": "rows in the span",
    "sound_groups": "row, where no sound stays; else made anew from what stays",
    "sessions": "row, where all of it goes",
    "attentions": "row, where it names somebody who goes, or everything heard while it counted does",
    "gaps": "with its session; elsewhere a gap says that something was forgotten",
    "erasures": "row, when it is done",
    "vector_removals": "stays: numbers of rows that are gone, for readers of older indexes",
    "key_removals": "stays: numbers of keys that are gone, for readers of older indexes",
    "reencodings": "stays: names of encoders",
    "vector_codebooks": "stays: means of parts of many vectors",
    "vectors_next": "row of its line; there only while a memory is encoded anew",
    "makers": "stays: names of stages and versions",
    "migrations": "stays: names of versions of the tables",
    "sqlite_sequence": "stays: counts",
}
"""What erasing does to each table. A test compares it with the tables that a memory has."""
