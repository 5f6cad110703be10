"""What the tables know of how episodes, topics, duplicates and links stood before, so that all of them can be read as of a moment."""

from __future__ import annotations

REACHES_NS = (3600 * 10**9, 86_400 * 10**9, 30 * 86_400 * 10**9, 2**62)
"""How long episodes and days grow, in classes: as of a moment those that grew then are found in a window as long as their class."""

TABLES = f"""
CREATE TABLE growths (
    event TEXT PRIMARY KEY,
    begun_at_ns INTEGER NOT NULL,
    ended_at_ns INTEGER NOT NULL,
    reach INTEGER NOT NULL GENERATED ALWAYS AS (CASE WHEN ended_at_ns - begun_at_ns <= {REACHES_NS[0]} THEN 0
        WHEN ended_at_ns - begun_at_ns <= {REACHES_NS[1]} THEN 1
        WHEN ended_at_ns - begun_at_ns <= {REACHES_NS[2]} THEN 2 ELSE 3 END) VIRTUAL
) STRICT, WITHOUT ROWID;
CREATE INDEX growths_by_end ON growths (reach, ended_at_ns);
CREATE INDEX events_to_settle ON events (session, level, ended_at_ns) WHERE parent IS NULL;
CREATE TRIGGER growths_of_parts AFTER UPDATE OF parent ON events
WHEN new.parent IS NOT NULL AND new.parent IS NOT old.parent BEGIN
    INSERT INTO growths (event, begun_at_ns, ended_at_ns)
        SELECT p.id, min(p.ended_at_ns, coalesce((SELECT g.begun_at_ns FROM growths g WHERE g.event = new.id), new.ended_at_ns)),
            p.ended_at_ns
        FROM events p WHERE p.id = new.parent
        ON CONFLICT (event) DO UPDATE SET begun_at_ns = min(begun_at_ns, excluded.begun_at_ns), ended_at_ns = excluded.ended_at_ns;
END;
CREATE TRIGGER growths_of_moved_events AFTER UPDATE OF ended_at_ns ON events
WHEN new.level != 'event' AND new.ended_at_ns IS NOT old.ended_at_ns BEGIN
    UPDATE growths SET ended_at_ns = new.ended_at_ns WHERE event = new.id;
END;
CREATE TRIGGER growths_of_removed_events AFTER DELETE ON events WHEN old.level != 'event' BEGIN
    DELETE FROM growths WHERE event = old.id;
END;

CREATE TABLE topic_names (
    event TEXT NOT NULL,
    known_at_ns INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (event, known_at_ns)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER topic_names_of_removed_events AFTER DELETE ON events WHEN old.level != 'event' BEGIN
    DELETE FROM topic_names WHERE event = old.id;
END;
CREATE TRIGGER moments_of_moved_sessions AFTER UPDATE OF started_at_ns ON sessions WHEN new.started_at_ns != old.started_at_ns BEGIN
    UPDATE growths SET begun_at_ns = begun_at_ns + new.started_at_ns - old.started_at_ns
        WHERE event IN (SELECT id FROM events WHERE session = new.id AND level != 'event');
    UPDATE topic_names SET known_at_ns = known_at_ns + new.started_at_ns - old.started_at_ns
        WHERE event IN (SELECT id FROM events WHERE session = new.id AND level != 'event');
END;

ALTER TABLE duplicates ADD COLUMN since TEXT;
CREATE INDEX duplicates_by_cause ON duplicates (since) WHERE since IS NOT NULL;
CREATE TRIGGER duplicates_of_removed_causes AFTER DELETE ON events WHEN old.level = 'event' BEGIN
    INSERT INTO sleep_due (task, event) SELECT 'duplicate', event FROM duplicates d WHERE d.since = old.id
        AND NOT EXISTS (SELECT 1 FROM sleep_due s WHERE s.event = d.event AND s.task = 'duplicate');
    DELETE FROM duplicates WHERE since = old.id;
END;

ALTER TABLE links ADD COLUMN dropped_by TEXT;
ALTER TABLE links ADD COLUMN history BLOB;
CREATE INDEX links_by_dropping ON links (dropped_by) WHERE dropped_by != '';
CREATE TRIGGER links_dropped_by_removed_events AFTER DELETE ON events WHEN old.level = 'event' BEGIN
    DELETE FROM links WHERE dropped_by = old.id AND dropped_by != '';
END;

INSERT INTO growths (event, begun_at_ns, ended_at_ns)
    SELECT p.id, min(p.ended_at_ns, min(e.ended_at_ns)), p.ended_at_ns
    FROM events e JOIN events p ON p.id = e.parent WHERE e.level = 'event' GROUP BY p.id;
INSERT INTO growths (event, begun_at_ns, ended_at_ns)
    SELECT d.id, min(d.ended_at_ns, min(g.begun_at_ns)), d.ended_at_ns
    FROM growths g JOIN events e ON e.id = g.event JOIN events d ON d.id = e.parent WHERE true GROUP BY d.id
    ON CONFLICT (event) DO UPDATE SET begun_at_ns = min(begun_at_ns, excluded.begun_at_ns);
INSERT INTO topic_names (event, known_at_ns, name)
    SELECT t.event, e.ended_at_ns, t.name FROM topics t JOIN events e ON e.id = t.event WHERE t.name != '';
"""
"""SQL of the migration that makes them.

`growths`: an episode or a day was seen from `begun_at_ns` on at the earliest (a day may be told later), and as it stands now from
`ended_at_ns` on. `topic_names`: what topics were called, each name from the moment on at which the episode was known to which it was given.
`duplicates`: `same_as` is an earlier event, which may be a copy of a still earlier one itself, so that no row changes when two kinds of
copies turn out to be one; `since` is the event that showed it, NULL where that is the copy itself. `links`: those beyond the strongest
stay with what took their place (`dropped_by`; '' where a recall did), since as of an earlier moment they were there; `history` has the
weights of a link of recall over time (`link_history.py`). Moments that follow from others are not stored: they move with their session.
"""

DAYS = """
CREATE TRIGGER growths_of_days AFTER INSERT ON events WHEN new.level = 'day' BEGIN
    INSERT INTO growths (event, begun_at_ns, ended_at_ns)
        SELECT new.id, min(new.ended_at_ns, s.started_at_ns + new.start_ns), new.ended_at_ns FROM sessions s WHERE s.id = new.session
        ON CONFLICT (event) DO UPDATE SET begun_at_ns = min(begun_at_ns, excluded.begun_at_ns), ended_at_ns = excluded.ended_at_ns;
END;
INSERT INTO growths (event, begun_at_ns, ended_at_ns)
    SELECT e.id, min(e.ended_at_ns, s.started_at_ns + e.start_ns), e.ended_at_ns FROM events e JOIN sessions s ON s.id = e.session
    WHERE e.level = 'day' ON CONFLICT (event) DO NOTHING;
"""
"""SQL of the migration for days that no episode is of: all that was said on them belongs to an episode that began the day before."""
