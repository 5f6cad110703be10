"""The table of declared attention: what the user followed from when to when, and when nothing was followed."""

from __future__ import annotations

TABLES = """
CREATE TABLE attentions (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    start_at_ns INTEGER NOT NULL,
    end_at_ns INTEGER,
    kind TEXT NOT NULL,
    azimuth_deg REAL,
    speaker TEXT,
    words TEXT NOT NULL
) STRICT;
CREATE INDEX attentions_by_start ON attentions (start_at_ns);
CREATE TRIGGER attentions_of_moved_sessions AFTER UPDATE OF started_at_ns ON sessions WHEN new.started_at_ns != old.started_at_ns BEGIN
    UPDATE attentions SET start_at_ns = start_at_ns + new.started_at_ns - old.started_at_ns,
        end_at_ns = end_at_ns + new.started_at_ns - old.started_at_ns WHERE session = new.id;
END;
CREATE TRIGGER attentions_of_renumbered_speakers AFTER UPDATE OF id ON speakers WHEN new.id != old.id BEGIN
    UPDATE attentions SET speaker = new.id WHERE speaker = old.id;
END;
CREATE TRIGGER attentions_of_removed_speakers AFTER DELETE ON speakers BEGIN
    DELETE FROM attentions WHERE speaker = old.id;
END;
"""
"""SQL of the migration that makes it.

Times are wall-clock nanoseconds since 1970 in UTC; no `end_at_ns`: until the next one begins. `session`: of this session alone, with which
it moves and goes. `kind` is one of KINDS; `speaker` is an id as `SpeakerRow` has it, also of one whose name came with a transcript; `words`
are the topic, or why somebody was away.
"""

KINDS = ("azimuth", "speaker", "topic", "nothing", "away")
"""What can be declared: a bearing, a person or a topic that was followed, that nothing was, or that nobody was there to follow."""

STRANGER = (
    "a.speaker IS NOT NULL AND a.speaker NOT IN (SELECT id FROM speakers)"
    " AND NOT EXISTS (SELECT 1 FROM tracks t WHERE t.speaker = a.speaker OR t.speaker || '@' || t.session = a.speaker)"
)
"""SQL: whether a row `a` names somebody of whom nothing is in the memory."""
