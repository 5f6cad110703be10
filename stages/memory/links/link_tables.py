"""The tables of links between events, of the people of events, and of the events that are still to be linked."""

from __future__ import annotations

TABLES = """
CREATE TABLE links (
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    kind TEXT NOT NULL,
    weight REAL NOT NULL CHECK (weight BETWEEN 0 AND 1),
    made_at_ns INTEGER NOT NULL,
    updated_at_ns INTEGER NOT NULL,
    PRIMARY KEY (a, b, kind),
    CHECK (a < b)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_b ON links (b);

CREATE TABLE event_people (
    event TEXT NOT NULL,
    person TEXT NOT NULL,
    ended_at_ns INTEGER NOT NULL,
    PRIMARY KEY (event, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_people_by_person ON event_people (person, ended_at_ns, event);

CREATE TABLE links_due (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER links_of_new_events AFTER INSERT ON events WHEN new.level = 'event' BEGIN
    DELETE FROM links_due WHERE event = new.id;
    INSERT INTO links_due (event) VALUES (new.id);
END;
CREATE TRIGGER links_of_changed_events AFTER UPDATE OF vector ON events WHEN new.level = 'event' AND old.vector IS NOT new.vector BEGIN
    DELETE FROM links_due WHERE event = new.id;
    INSERT INTO links_due (event) VALUES (new.id);
END;
CREATE TRIGGER links_of_moved_events AFTER UPDATE OF ended_at_ns ON events WHEN old.ended_at_ns IS NOT new.ended_at_ns BEGIN
    UPDATE event_people SET ended_at_ns = new.ended_at_ns WHERE event = new.id;
END;
CREATE TRIGGER links_of_removed_events AFTER DELETE ON events BEGIN
    DELETE FROM links WHERE a = old.id;
    DELETE FROM links WHERE b = old.id;
    DELETE FROM event_people WHERE event = old.id;
    DELETE FROM links_due WHERE event = old.id;
END;
CREATE TRIGGER links_of_told_people AFTER INSERT ON line_speakers BEGIN
    DELETE FROM links_due WHERE event IN (SELECT m.event FROM event_lines m
        WHERE m.line = new.line AND EXISTS (SELECT 1 FROM event_people p WHERE p.event = m.event));
    INSERT INTO links_due (event) SELECT DISTINCT m.event FROM event_lines m
        WHERE m.line = new.line AND EXISTS (SELECT 1 FROM event_people p WHERE p.event = m.event);
END;
CREATE TRIGGER links_of_corrected_people AFTER UPDATE OF speaker ON line_speakers WHEN old.speaker IS NOT new.speaker BEGIN
    DELETE FROM links_due WHERE event IN (SELECT m.event FROM event_lines m
        WHERE m.line = new.line AND EXISTS (SELECT 1 FROM event_people p WHERE p.event = m.event));
    INSERT INTO links_due (event) SELECT DISTINCT m.event FROM event_lines m
        WHERE m.line = new.line AND EXISTS (SELECT 1 FROM event_people p WHERE p.event = m.event);
END;
INSERT INTO links_due (event) SELECT id FROM events WHERE level = 'event' ORDER BY ended_at_ns, id;
"""
"""SQL of the migration that makes them.

A link stands once, from the smaller id to the greater. What is due is found without reading the memory: the triggers note new events,
changed vectors, and events whose people were told again.
"""
