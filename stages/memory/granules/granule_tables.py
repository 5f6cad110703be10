"""The table of keys: what is searched, apart from what is given back; and what lets its indexes follow it."""

from __future__ import annotations

TABLES = """
CREATE TABLE keys (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    level TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    known_at_ns INTEGER NOT NULL,
    vector BLOB,
    summary_due INTEGER NOT NULL DEFAULT 0,
    UNIQUE (value, level, kind)
) STRICT;
CREATE INDEX keys_by_level ON keys (level);
CREATE INDEX keys_by_moment ON keys (level, known_at_ns);
CREATE INDEX keys_with_summary_due ON keys (n) WHERE summary_due = 1;

CREATE TABLE key_removals (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    level TEXT NOT NULL,
    n INTEGER NOT NULL
) STRICT;
CREATE INDEX key_removals_by_level ON key_removals (level, serial);
CREATE INDEX key_removals_by_row ON key_removals (n);

CREATE TRIGGER keys_removed AFTER DELETE ON keys BEGIN
    INSERT INTO key_removals (level, n) VALUES (old.level, old.n);
END;
CREATE TRIGGER keys_of_new_events AFTER INSERT ON events BEGIN
    INSERT INTO keys (level, kind, value, known_at_ns, summary_due) VALUES (new.level, 'lines', new.id, new.ended_at_ns, 1);
END;
CREATE TRIGGER keys_of_changed_events AFTER UPDATE OF vector, level ON events
WHEN old.vector IS NOT new.vector OR old.level IS NOT new.level BEGIN
    DELETE FROM keys WHERE value = old.id AND level = old.level;
    INSERT INTO keys (level, kind, value, known_at_ns, summary_due) VALUES (new.level, 'lines', new.id, new.ended_at_ns, 1);
END;
CREATE TRIGGER keys_of_retold_events AFTER UPDATE OF summary ON events WHEN old.summary IS NOT new.summary BEGIN
    DELETE FROM keys WHERE value = new.id AND level = new.level AND kind = 'summary';
    UPDATE keys SET summary_due = 1 WHERE value = new.id AND level = new.level AND kind = 'lines';
END;
CREATE TRIGGER keys_of_moved_events AFTER UPDATE OF ended_at_ns ON events WHEN old.ended_at_ns IS NOT new.ended_at_ns BEGIN
    UPDATE keys SET known_at_ns = new.ended_at_ns WHERE value = new.id AND level = new.level;
END;
CREATE TRIGGER keys_of_removed_events AFTER DELETE ON events BEGIN
    DELETE FROM keys WHERE value = old.id AND level = old.level;
END;
CREATE INDEX events_by_parent ON events (parent) WHERE parent IS NOT NULL;
INSERT INTO keys (level, kind, value, known_at_ns, summary_due)
    SELECT level, 'lines', id, ended_at_ns, 1 FROM events ORDER BY ended_at_ns, id;
"""
"""SQL of the migration that makes them.

A key with no vector of its own ('lines') has that of its event, so no vector stands twice. The triggers keep keys and events in step
whoever writes events. Row numbers are never given twice: a vector that changes is a new key.
"""

TOPICS = """
CREATE TRIGGER keys_of_new_topics AFTER INSERT ON topics WHEN new.name != '' BEGIN
    UPDATE keys SET summary_due = 1 WHERE value = new.event AND kind = 'lines';
END;
CREATE TRIGGER keys_of_renamed_topics AFTER UPDATE OF name ON topics WHEN old.name IS NOT new.name BEGIN
    DELETE FROM keys WHERE value = new.event AND kind = 'topic';
    UPDATE keys SET summary_due = 1 WHERE value = new.event AND kind = 'lines';
END;
CREATE TRIGGER keys_of_removed_topics AFTER DELETE ON topics BEGIN
    DELETE FROM keys WHERE value = old.event AND kind = 'topic';
END;
UPDATE keys SET summary_due = 1 WHERE kind = 'lines' AND value IN (SELECT event FROM topics WHERE name != '');
"""
"""SQL of the migration that lets the names of topics be keys of their episodes."""
