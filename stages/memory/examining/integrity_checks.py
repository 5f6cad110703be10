"""What must hold in the tables of a memory, as questions that find what is broken; and how what is derived is made anew."""

from __future__ import annotations

from typing import NamedTuple

from stages.memory.attention.attention_tables import STRANGER


class Check(NamedTuple):
    """An invariant: `query` names in its only column what breaks it. With `repair` (a statement) it is derived and made anew."""

    what: str
    query: str
    repair: str | None = None


_OF_SESSION = "JOIN sessions s ON s.id = x.session"
# Of an episode or a day (p): when the first of its events was known.
_FIRST_KNOWN = (
    "min(p.ended_at_ns, coalesce((SELECT min(e.ended_at_ns) FROM events e WHERE e.parent = p.id), p.ended_at_ns), coalesce("
    "(SELECT min(e.ended_at_ns) FROM events q JOIN events e ON e.parent = q.id WHERE q.parent = p.id), p.ended_at_ns))"
)
# See vector_codec: 0 to 2 are formats, which the length of a vector tells too, 3 is no vector, 4 one that is left as it is.
_OTHER_FORMAT = "l.vector_format = 3 OR l.vector_format < 3 AND l.vector_format != length(v.vector) % 4"
# Damaged terms are told by a check of their own; to the others they are none.
_TERMS = "json_each(CASE WHEN json_valid(x.terms) THEN x.terms ELSE '{}' END)"
_NO_TERMS = (
    "CASE WHEN NOT json_valid(terms) THEN 1 WHEN json_type(terms) != 'object' THEN 1"
    " ELSE EXISTS (SELECT 1 FROM json_each(terms) WHERE type != 'integer' OR value < 1) END"
)
# total() in place of sum(), which fails where a damaged number is huge.
_COUNTED = f"SELECT w.key AS term, CAST(total(w.value) AS INTEGER) AS n FROM topics x, {_TERMS} w GROUP BY w.key"
_TOTALS = f"SELECT 1, (SELECT count(*) FROM topics), (SELECT CAST(total(w.value) AS INTEGER) FROM topics x, {_TERMS} w)"
_NO_LINK = "kind NOT IN ('people', 'recall', 'topic') OR NOT weight BETWEEN 0 AND 1"
_OTHER_PARENT = "SELECT x.id FROM events x JOIN events p ON p.id = x.parent WHERE p.session != x.session"
# What is computed may be off by as much as it was rounded.
_NO_SHARE = "NOT {} BETWEEN -0.000001 AND 1.000001"

_BLOCKS = "SELECT n >> 10 AS block, min(ended_at_ns) AS first_ns, max(ended_at_ns) AS last_ns FROM lines GROUP BY n >> 10"

CHECKS: tuple[Check, ...] = (
    Check(
        "lines without a vector",
        "SELECT l.id FROM lines l LEFT JOIN vectors v ON v.n = l.n WHERE v.n IS NULL AND l.vector_format != 3",
    ),
    Check(
        "lines whose vector is of another format than they say",
        f"SELECT l.id FROM lines l JOIN vectors v ON v.n = l.n WHERE {_OTHER_FORMAT}",
        "UPDATE lines SET vector_format = coalesce((SELECT nullif(length(v.vector) % 4, 3) FROM vectors v WHERE v.n = lines.n), 4)"
        f" WHERE n IN (SELECT l.n FROM lines l JOIN vectors v ON v.n = l.n WHERE {_OTHER_FORMAT})",
    ),
    Check("vectors without a line", "SELECT v.n FROM vectors v LEFT JOIN lines l ON l.n = v.n WHERE l.n IS NULL"),
    Check("vectors that are said to be removed", "SELECT DISTINCT r.n FROM vector_removals r JOIN vectors v ON v.n = r.n"),
    Check("lines that end before they start", "SELECT id FROM lines WHERE end_ns < start_ns OR start_ns < 0"),
    Check(
        "lines whose moment does not fit their session",
        f"SELECT x.id FROM lines x {_OF_SESSION} WHERE x.ended_at_ns != s.started_at_ns + x.end_ns",
        "UPDATE lines SET ended_at_ns = (SELECT s.started_at_ns + lines.end_ns FROM sessions s WHERE s.id = lines.session)"
        " WHERE ended_at_ns != (SELECT s.started_at_ns + lines.end_ns FROM sessions s WHERE s.id = lines.session)",
    ),
    Check(
        "blocks of lines whose moments do not hold them",
        f"SELECT x.block FROM ({_BLOCKS}) x LEFT JOIN line_blocks b ON b.block = x.block"
        " WHERE b.block IS NULL OR b.first_ended_at_ns > x.first_ns OR b.last_ended_at_ns < x.last_ns",
        f"INSERT OR REPLACE INTO line_blocks (block, first_ended_at_ns, last_ended_at_ns) {_BLOCKS}",
    ),
    Check(
        "lines longer than their session knows",
        f"SELECT x.id FROM lines x {_OF_SESSION} WHERE x.end_ns - x.start_ns > s.longest_line_ns",
        "UPDATE sessions SET longest_line_ns = max(longest_line_ns,"
        " coalesce((SELECT max(end_ns - start_ns) FROM lines WHERE session = sessions.id), 0))",
    ),
    Check(
        "lines of a track that is not listed",
        "SELECT l.id FROM lines l LEFT JOIN tracks t ON t.session = l.session AND t.track = l.track WHERE t.track IS NULL",
        "INSERT INTO tracks (session, track) SELECT DISTINCT session, track FROM lines WHERE true ON CONFLICT DO NOTHING",
    ),
    Check(
        "places of a track that is not listed",
        "SELECT p.session || ' ' || p.track FROM positions p LEFT JOIN tracks t ON t.session = p.session AND t.track = p.track"
        " WHERE t.track IS NULL",
        "INSERT INTO tracks (session, track) SELECT DISTINCT session, track FROM positions WHERE true ON CONFLICT DO NOTHING",
    ),
    Check(
        "lines whose salience is no share",
        f"SELECT id FROM lines WHERE {_NO_SHARE.format('salience')}",
        f"UPDATE lines SET salience = min(max(salience, 0), 1) WHERE {_NO_SHARE.format('salience')}",
    ),
    Check("lines whose confidence is no share", f"SELECT id FROM lines WHERE {_NO_SHARE.format('confidence')}"),
    Check("lines whose azimuth is no bearing", "SELECT id FROM lines WHERE NOT azimuth_deg BETWEEN 0 AND 360"),
    Check(
        "lines that were recalled less than once",
        "SELECT coalesce((SELECT l.id FROM lines l WHERE l.n = x.n), x.n) FROM strengths x WHERE n_recalls < 1",
        "DELETE FROM strengths WHERE n_recalls < 1",
    ),
    Check("lines whose words are not JSON", "SELECT id FROM lines WHERE NOT json_valid(words)"),
    Check("lines whose audio lies elsewhere", "SELECT id FROM lines WHERE clip IS NOT NULL AND clip NOT LIKE 'lines/' || session || '/%'"),
    Check("events that end before they start", "SELECT id FROM events WHERE end_ns < start_ns"),
    Check(
        "events that were known before they ended",
        f"SELECT x.id FROM events x {_OF_SESSION} WHERE x.ended_at_ns < s.started_at_ns + x.end_ns",
        "UPDATE events SET ended_at_ns = max(ended_at_ns,"
        " (SELECT s.started_at_ns + events.end_ns FROM sessions s WHERE s.id = events.session))",
    ),
    Check("events whose tracks are not JSON", "SELECT id FROM events WHERE NOT json_valid(tracks)"),
    Check("events of a level that is not known", "SELECT id FROM events WHERE level NOT IN ('event', 'episode', 'day')"),
    Check(
        "events with lines that are not there",
        "SELECT m.event || ' (' || m.line || ')' FROM event_lines m JOIN events e ON e.id = m.event JOIN sessions s ON s.id = e.session"
        " LEFT JOIN lines l ON l.id = m.line WHERE l.id IS NULL AND s.complete = 1",
    ),
    Check(
        "lines outside the span of their event",
        "SELECT l.id FROM lines l JOIN event_lines m ON m.line = l.id JOIN events e ON e.id = m.event"
        " WHERE l.start_ns < e.start_ns OR l.end_ns > e.end_ns OR l.session != e.session",
    ),
    Check(
        "events whose parent is not there",
        "SELECT e.id FROM events e LEFT JOIN events p ON p.id = e.parent WHERE e.parent IS NOT NULL AND p.id IS NULL",
        "UPDATE events SET parent = NULL WHERE parent IS NOT NULL AND parent NOT IN (SELECT id FROM events)",
    ),
    Check(
        "events whose parent is in another session",
        _OTHER_PARENT,
        f"UPDATE events SET parent = NULL WHERE id IN ({_OTHER_PARENT})",
    ),
    Check(
        "episodes and days without any event",
        "SELECT e.id FROM events e WHERE e.level != 'event' AND NOT EXISTS"
        " (SELECT 1 FROM events c WHERE c.session = e.session AND c.level = 'event')",
    ),
    Check("sounds that end before they start", "SELECT id FROM sounds WHERE end_ns < start_ns"),
    Check(
        "sounds whose moment does not fit their session",
        f"SELECT x.id FROM sounds x {_OF_SESSION} WHERE x.ended_at_ns != s.started_at_ns + x.end_ns",
        "UPDATE sounds SET ended_at_ns = (SELECT s.started_at_ns + sounds.end_ns FROM sessions s WHERE s.id = sounds.session)"
        " WHERE ended_at_ns != (SELECT s.started_at_ns + sounds.end_ns FROM sessions s WHERE s.id = sounds.session)",
    ),
    Check("sounds without a label or a group", "SELECT id FROM sounds WHERE label IS NULL AND sound_group IS NULL"),
    Check("sounds whose embedding has another length", "SELECT id FROM sounds WHERE length(vector) != 4096"),
    Check(
        "groups of sounds that recurred and have no number",
        "SELECT n FROM sound_groups g WHERE id IS NULL AND (SELECT count(*) FROM sounds x WHERE x.sound_group = g.n) > 1",
    ),
    Check("gaps that end before they start", "SELECT session || ' ' || start_ns FROM gaps WHERE end_ns < start_ns"),
    Check("speakers whose id is not their number", "SELECT id FROM speakers WHERE id != 'speaker-' || number"),
    Check(
        "speakers whose voice has no length that a voice may have",
        "SELECT id FROM speakers WHERE voice IS NOT NULL AND length(voice) NOT IN (768, 1536, 2304, 1024, 2048, 3072)",
    ),
    Check(
        "lines whose voice has no length that a voice may have",
        "SELECT line FROM line_voices WHERE length(voice) NOT IN (768, 1024)",
    ),
    Check(
        "lines whose speaker has a confidence that is no share", f"SELECT line FROM line_speakers WHERE {_NO_SHARE.format('confidence')}"
    ),
    Check(
        "copies that have a speaker of their own",
        "SELECT w.line FROM line_speakers w JOIN lines l ON l.id = w.line WHERE l.copy_of IS NOT NULL",
    ),
    Check(
        "turns that end before they start",
        "SELECT session || ' ' || track || ' ' || start_ns FROM talker_turns WHERE end_ns < start_ns",
    ),
    Check(
        "turns of a talker who is not listed",
        "SELECT t.session || ' ' || t.track || ' ' || t.talker FROM talker_turns t LEFT JOIN talkers k ON k.session = t.session"
        " AND k.track = t.track AND k.talker = t.talker WHERE k.talker IS NULL",
        "INSERT INTO talkers (session, track, talker) SELECT DISTINCT session, track, talker FROM talker_turns WHERE true"
        " ON CONFLICT DO NOTHING",
    ),
    Check(
        "lines of a talker on another track",
        "SELECT t.line FROM line_talkers t JOIN lines l ON l.id = t.line"
        " WHERE l.session != t.session OR l.track != t.track OR l.start_ns != t.start_ns",
        "UPDATE line_talkers SET (session, track, start_ns) = (SELECT l.session, l.track, l.start_ns FROM lines l WHERE l.id = line)",
    ),
    Check(
        "events that no key finds",
        "SELECT id FROM events e WHERE NOT EXISTS (SELECT 1 FROM keys k WHERE k.value = e.id AND k.level = e.level AND k.kind = 'lines')",
        "INSERT INTO keys (level, kind, value, known_at_ns, summary_due) SELECT level, 'lines', id, ended_at_ns, 1 FROM events e"
        " WHERE NOT EXISTS (SELECT 1 FROM keys k WHERE k.value = e.id AND k.level = e.level AND k.kind = 'lines')",
    ),
    Check(
        "keys of events that are not there",
        "SELECT n FROM keys k WHERE level IN ('event', 'episode', 'day')"
        " AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = k.value AND e.level = k.level)",
        "DELETE FROM keys WHERE level IN ('event', 'episode', 'day')"
        " AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = keys.value AND e.level = keys.level)",
    ),
    Check(
        "keys whose moment does not fit their event",
        "SELECT k.n FROM keys k JOIN events e ON e.id = k.value AND e.level = k.level WHERE k.known_at_ns != e.ended_at_ns",
        "UPDATE keys SET known_at_ns = (SELECT e.ended_at_ns FROM events e WHERE e.id = keys.value)"
        " WHERE level IN ('event', 'episode', 'day') AND known_at_ns != (SELECT e.ended_at_ns FROM events e WHERE e.id = keys.value)",
    ),
    Check(
        "links of no kind or weight that a link may have",
        f"SELECT a || ' ' || b FROM links WHERE {_NO_LINK}",
        f"DELETE FROM links WHERE {_NO_LINK}",
    ),
    Check(
        "links of events that are not there",
        "SELECT a || ' ' || b FROM links WHERE a NOT IN (SELECT id FROM events) OR b NOT IN (SELECT id FROM events)",
        "DELETE FROM links WHERE a NOT IN (SELECT id FROM events) OR b NOT IN (SELECT id FROM events)",
    ),
    Check(
        "people of events that are not there",
        "SELECT event || ' ' || person FROM event_people WHERE event NOT IN (SELECT id FROM events)",
        "DELETE FROM event_people WHERE event NOT IN (SELECT id FROM events)",
    ),
    Check(
        "events with more than sixteen links of a kind",
        "SELECT event FROM (SELECT a AS event, kind FROM links WHERE dropped_by IS NULL"
        " UNION ALL SELECT b, kind FROM links WHERE dropped_by IS NULL) GROUP BY event, kind HAVING count(*) > 16",
    ),
    Check(
        "links that gave way to events that are not there",
        "SELECT a || ' ' || b FROM links WHERE dropped_by != '' AND dropped_by NOT IN (SELECT id FROM events)",
        "DELETE FROM links WHERE dropped_by != '' AND dropped_by NOT IN (SELECT id FROM events)",
    ),
    Check(
        "copies of events that are not there",
        "SELECT event FROM duplicates WHERE event NOT IN (SELECT id FROM events) OR same_as NOT IN (SELECT id FROM events)"
        " OR since NOT IN (SELECT id FROM events)",
        "DELETE FROM duplicates WHERE event NOT IN (SELECT id FROM events) OR same_as NOT IN (SELECT id FROM events)"
        " OR since NOT IN (SELECT id FROM events)",
    ),
    Check(
        "episodes and days whose growth does not fit their events",
        "SELECT p.id FROM events p LEFT JOIN growths g ON g.event = p.id WHERE p.level != 'event' AND (g.event IS NULL"
        f" OR g.ended_at_ns != p.ended_at_ns OR g.begun_at_ns > {_FIRST_KNOWN})",
        "INSERT INTO growths (event, begun_at_ns, ended_at_ns)"
        f" SELECT p.id, {_FIRST_KNOWN}, p.ended_at_ns FROM events p WHERE p.level != 'event'"
        " ON CONFLICT (event) DO UPDATE SET begun_at_ns = excluded.begun_at_ns, ended_at_ns = excluded.ended_at_ns",
    ),
    Check(
        "growths of events that are not there",
        "SELECT event FROM growths WHERE event NOT IN (SELECT id FROM events)",
        "DELETE FROM growths WHERE event NOT IN (SELECT id FROM events)",
    ),
    Check(
        "topics whose terms are not counted in JSON",
        f"SELECT event FROM topics WHERE {_NO_TERMS}",
        f"UPDATE topics SET terms = '{{}}' WHERE {_NO_TERMS}",
    ),
    Check(
        "topics without terms that are not due to be named anew",
        "SELECT event FROM topics WHERE terms = '{}' AND event NOT IN (SELECT event FROM sleep_due WHERE task = 'topic')",
        "INSERT INTO sleep_due (task, event) SELECT 'topic', event FROM topics WHERE terms = '{}'"
        " AND event NOT IN (SELECT event FROM sleep_due WHERE task = 'topic')",
    ),
    Check(
        "terms that no topic has",
        f"SELECT term FROM topic_terms WHERE term NOT IN (SELECT w.key FROM topics x, {_TERMS} w)",
        f"DELETE FROM topic_terms WHERE term NOT IN (SELECT w.key FROM topics x, {_TERMS} w)",
    ),
    Check(
        "terms of topics that are counted wrongly",
        f"SELECT c.term FROM ({_COUNTED}) c LEFT JOIN topic_terms t ON t.term = c.term WHERE t.n IS NOT c.n",
        f"INSERT OR REPLACE INTO topic_terms (term, n) SELECT term, n FROM ({_COUNTED})",
    ),
    Check(
        "totals of topics that do not add up",
        f"SELECT 'topic_totals' WHERE NOT EXISTS ({_TOTALS} INTERSECT SELECT one, n_topics, n_words FROM topic_totals)",
        f"INSERT OR REPLACE INTO topic_totals (one, n_topics, n_words) {_TOTALS}",
    ),
    Check(
        "topics of episodes that are not there",
        "SELECT event FROM topics WHERE event NOT IN (SELECT id FROM events)",
        "DELETE FROM topics WHERE event NOT IN (SELECT id FROM events)",
    ),
    Check(
        "work of sleep on events that are not there",
        "SELECT event FROM sleep_due WHERE event NOT IN (SELECT id FROM events)",
        "DELETE FROM sleep_due WHERE event NOT IN (SELECT id FROM events)",
    ),
    Check(
        "people in summaries that are not there",
        "SELECT event || ' ' || speaker FROM summary_people WHERE event NOT IN (SELECT id FROM events)",
        "DELETE FROM summary_people WHERE event NOT IN (SELECT id FROM events)",
    ),
    Check(
        "names of topics of episodes that are not there",
        "SELECT event FROM topic_names WHERE event NOT IN (SELECT id FROM events)",
        "DELETE FROM topic_names WHERE event NOT IN (SELECT id FROM events)",
    ),
    Check(
        "events to be linked that are not there",
        "SELECT event FROM links_due WHERE event NOT IN (SELECT id FROM events)",
        "DELETE FROM links_due WHERE event NOT IN (SELECT id FROM events)",
    ),
    Check("prototypes that end before they start", "SELECT id FROM prototypes WHERE end_ns < start_ns"),
    Check(
        "lines of prototypes that are not there",
        "SELECT m.line FROM prototype_lines m LEFT JOIN lines l ON l.id = m.line WHERE l.id IS NULL",
        "DELETE FROM prototype_lines WHERE line NOT IN (SELECT id FROM lines)",
    ),
    Check(
        "prototypes of fewer than two lines",
        "SELECT id FROM prototypes p WHERE (SELECT count(*) FROM prototype_lines m WHERE m.prototype = p.id) < 2",
        "DELETE FROM prototypes WHERE (SELECT count(*) FROM prototype_lines m WHERE m.prototype = prototypes.id) < 2",
    ),
    Check(
        "prototypes that count their lines wrongly",
        "SELECT id FROM prototypes p WHERE n_lines != (SELECT count(*) FROM prototype_lines m WHERE m.prototype = p.id)",
        "UPDATE prototypes SET n_lines = (SELECT count(*) FROM prototype_lines m WHERE m.prototype = prototypes.id)",
    ),
    Check(
        "prototypes whose usage is no share",
        "SELECT id FROM prototypes WHERE NOT usage BETWEEN 0 AND 1",
        "UPDATE prototypes SET usage = min(max(usage, 0), 1)",
    ),
    Check(
        "prototypes that were known before they ended",
        f"SELECT x.id FROM prototypes x {_OF_SESSION} WHERE x.ended_at_ns < s.started_at_ns + x.end_ns",
        "UPDATE prototypes SET ended_at_ns = max(ended_at_ns,"
        " (SELECT s.started_at_ns + prototypes.end_ns FROM sessions s WHERE s.id = prototypes.session))",
    ),
    Check(
        "keys of prototypes that are not there",
        "SELECT n FROM keys WHERE level = 'prototype' AND value NOT IN (SELECT id FROM prototypes)",
        "DELETE FROM keys WHERE level = 'prototype' AND value NOT IN (SELECT id FROM prototypes)",
    ),
    Check(
        "prototypes that no key finds",
        "SELECT id FROM prototypes p WHERE NOT EXISTS (SELECT 1 FROM keys k WHERE k.value = p.id AND k.level = 'prototype'"
        " AND k.vector = p.vector AND k.known_at_ns = p.ended_at_ns)",
        "INSERT INTO keys (level, kind, value, known_at_ns, vector) SELECT 'prototype', 'lines', id, ended_at_ns, vector FROM prototypes p"
        " WHERE NOT EXISTS (SELECT 1 FROM keys k WHERE k.value = p.id AND k.level = 'prototype' AND k.vector = p.vector"
        " AND k.known_at_ns = p.ended_at_ns) ON CONFLICT (value, level, kind) DO UPDATE SET known_at_ns = excluded.known_at_ns,"
        " vector = excluded.vector",
    ),
    Check("declarations of what was followed that end before they begin", "SELECT n FROM attentions WHERE end_at_ns <= start_at_ns"),
    Check(
        "declarations that do not say what was followed",
        "SELECT n FROM attentions WHERE NOT CASE kind WHEN 'azimuth' THEN azimuth_deg IS NOT NULL AND azimuth_deg BETWEEN 0 AND 360"
        " WHEN 'speaker' THEN speaker IS NOT NULL WHEN 'topic' THEN words != '' ELSE kind IN ('nothing', 'away') END",
    ),
    Check("declarations that name somebody who is not there", f"SELECT a.n FROM attentions a WHERE {STRANGER}"),
)
