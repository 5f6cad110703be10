"""The tables of what sleep finds out about events, and of what is still to be found out."""

from __future__ import annotations

TABLES = """
CREATE TABLE sleep_due (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL,
    event TEXT NOT NULL,
    UNIQUE (event, task)
) STRICT;
CREATE INDEX sleep_due_by_task ON sleep_due (task, n);

CREATE TABLE topics (
    event TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    terms TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE topic_terms (
    term TEXT PRIMARY KEY,
    n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE topic_totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n_topics INTEGER NOT NULL,
    n_words INTEGER NOT NULL
) STRICT;
INSERT INTO topic_totals (one, n_topics, n_words) VALUES (1, 0, 0);
CREATE TRIGGER topic_terms_of_new_topics AFTER INSERT ON topics BEGIN
    INSERT INTO topic_terms (term, n) SELECT key, value FROM json_each(new.terms) WHERE true
        ON CONFLICT (term) DO UPDATE SET n = n + excluded.n;
    UPDATE topic_totals SET n_topics = n_topics + 1, n_words = n_words + (SELECT coalesce(sum(value), 0) FROM json_each(new.terms));
END;
CREATE TRIGGER topic_terms_of_removed_topics AFTER DELETE ON topics BEGIN
    UPDATE topic_terms SET n = n - (SELECT value FROM json_each(old.terms) WHERE key = term)
        WHERE term IN (SELECT key FROM json_each(old.terms));
    DELETE FROM topic_terms WHERE n <= 0 AND term IN (SELECT key FROM json_each(old.terms));
    UPDATE topic_totals SET n_topics = n_topics - 1, n_words = n_words - (SELECT coalesce(sum(value), 0) FROM json_each(old.terms));
END;

CREATE TABLE duplicates (
    event TEXT PRIMARY KEY,
    same_as TEXT NOT NULL,
    likeness REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX duplicates_by_original ON duplicates (same_as);

CREATE TABLE summary_people (
    event TEXT NOT NULL,
    speaker TEXT NOT NULL,
    PRIMARY KEY (event, speaker)
) STRICT, WITHOUT ROWID;
CREATE INDEX summary_people_by_speaker ON summary_people (speaker);

CREATE INDEX events_without_parent ON events (session, level, start_ns) WHERE parent IS NULL;

CREATE TRIGGER sleep_due_of_new_events AFTER INSERT ON events BEGIN
    DELETE FROM sleep_due WHERE event = new.id;
    INSERT INTO sleep_due (task, event) SELECT t.value, new.id
        FROM json_each(CASE new.level WHEN 'event' THEN '["duplicate"]' WHEN 'episode' THEN '["topic", "summary"]' ELSE '[]' END) t;
END;
CREATE TRIGGER sleep_due_of_changed_events AFTER UPDATE OF vector, start_ns, end_ns, level ON events
WHEN old.vector IS NOT new.vector OR old.start_ns IS NOT new.start_ns OR old.end_ns IS NOT new.end_ns OR old.level IS NOT new.level BEGIN
    DELETE FROM sleep_due WHERE event = new.id;
    INSERT INTO sleep_due (task, event) SELECT t.value, new.id
        FROM json_each(CASE new.level WHEN 'event' THEN '["duplicate"]' WHEN 'episode' THEN '["topic", "summary"]' ELSE '[]' END) t;
END;
CREATE TRIGGER sleep_findings_of_removed_events AFTER DELETE ON events BEGIN
    DELETE FROM sleep_due WHERE event = old.id;
    DELETE FROM topics WHERE event = old.id;
    DELETE FROM duplicates WHERE event = old.id;
    INSERT INTO sleep_due (task, event) SELECT 'duplicate', event FROM duplicates d WHERE d.same_as = old.id
        AND NOT EXISTS (SELECT 1 FROM sleep_due s WHERE s.event = d.event AND s.task = 'duplicate');
    DELETE FROM duplicates WHERE same_as = old.id;
    DELETE FROM summary_people WHERE event = old.id;
END;
CREATE TRIGGER episodes_of_removed_events AFTER DELETE ON events
WHEN old.level = 'event' AND old.parent IS NOT NULL AND (SELECT complete FROM sessions WHERE id = old.session) = 0 BEGIN
    UPDATE events SET parent = NULL WHERE parent = old.parent AND level = 'event';
    DELETE FROM events WHERE id = old.parent AND level = 'episode';
END;
CREATE TRIGGER sleep_due_of_renamed_speakers AFTER UPDATE OF name ON speakers WHEN old.name IS NOT new.name BEGIN
    DELETE FROM sleep_due WHERE task = 'summary' AND event IN (SELECT p.event FROM summary_people p WHERE p.speaker = new.id);
    INSERT INTO sleep_due (task, event) SELECT 'summary', p.event FROM summary_people p WHERE p.speaker = new.id;
END;
CREATE TRIGGER sleep_due_of_corrected_speakers AFTER UPDATE OF speaker ON line_speakers WHEN old.speaker IS NOT new.speaker BEGIN
    DELETE FROM sleep_due WHERE task = 'summary' AND event IN (
        SELECT e.parent FROM event_lines m JOIN events e ON e.id = m.event
        WHERE m.line = new.line AND EXISTS (SELECT 1 FROM summary_people p WHERE p.event = e.parent));
    INSERT INTO sleep_due (task, event) SELECT DISTINCT 'summary', e.parent
        FROM event_lines m JOIN events e ON e.id = m.event
        WHERE m.line = new.line AND EXISTS (SELECT 1 FROM summary_people p WHERE p.event = e.parent);
END;

INSERT INTO sleep_due (task, event) SELECT 'duplicate', id FROM events WHERE level = 'event' ORDER BY ended_at_ns, id;
INSERT INTO sleep_due (task, event) SELECT 'topic', id FROM events WHERE level = 'episode' ORDER BY ended_at_ns, id;
INSERT INTO sleep_due (task, event) SELECT 'summary', id FROM events WHERE level = 'episode' ORDER BY ended_at_ns, id;
"""
"""SQL of the migration that makes them.

Triggers note what is due, so no step looks for its work: new and changed events and episodes, duplicates whose original went, and
summaries that name somebody who is called otherwise now, or who turned out to be somebody else. What is due already gets a new number, so
that a step that was at work on it meanwhile finds its own number gone and does not store what it found. While a session runs, an episode
that loses an event (one that was torn by a crash) is taken apart, and grows again from the events that are left. `topic_terms` counts how
often a term fell in all episodes that have a topic.
"""
