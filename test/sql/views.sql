-- live_sources and deleted_sources: they are read with the rights and under the policies of the reader.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_reader;
CREATE SCHEMA discovery_views;
CREATE EXTENSION discovery SCHEMA discovery_views;
SET search_path = discovery_views;
SET TimeZone = 'Asia/Tokyo';
INSERT INTO notebooks (name) VALUES ('a');
INSERT INTO sources (notebook_id, name, source_type, extracted_text)
    SELECT id, 'source ' || number, 'text', 'text ' || number FROM notebooks, generate_series(1, 8) AS number;
SELECT deleted FROM delete_source((SELECT id FROM sources WHERE name = 'source 1'), 'a reason');
UPDATE sources SET deleted_at = timezone('UTC', now()) - interval '10 days' WHERE name = 'source 2';
UPDATE sources SET deleted_at = timezone('UTC', now()) - interval '100 days' WHERE name = 'source 3';
UPDATE sources SET deleted_at = timezone('UTC', now()) + interval '10 days' WHERE name = 'source 4';
UPDATE sources SET deleted_at = 'infinity' WHERE name = 'source 5';
UPDATE sources SET deleted_at = '-infinity' WHERE name = 'source 6';
UPDATE sources SET deleted_at = timezone('UTC', now()) WHERE name = 'source 7';
SELECT hold_source((SELECT id FROM sources WHERE name = 'source 7'), 'asked for by the court');

-- The live sources, with all columns except those of soft-deleted sources
SELECT name, extracted_text, content_hash = content_hash(extracted_text) AS hash FROM live_sources;
SELECT attname FROM pg_attribute WHERE attrelid = 'sources'::regclass AND attnum > 0
    EXCEPT SELECT attname FROM pg_attribute WHERE attrelid = 'live_sources'::regclass ORDER BY attname;
-- The purge spares sources that are held or have no finite deleted_at. It uses the time when a source was really
-- deleted, whatever deleted_at says.
SELECT name, deleted_by = session_user AS by_me, reason, hold_reason, days_until_purge
    FROM deleted_sources ORDER BY name;
SELECT deletion_id = (SELECT id FROM discovery_deletions WHERE reason = 'a reason') AS of_the_log
    FROM deleted_sources WHERE name = 'source 1';
-- A source that was inserted as soft-deleted belongs to no deletion.
INSERT INTO sources (notebook_id, name, source_type, deleted_at)
    SELECT id, 'source 9', 'text', timezone('UTC', now()) - interval '100 days' FROM notebooks;
SELECT deleted_by, reason, days_until_purge FROM deleted_sources WHERE name = 'source 9';

-- The reader's rights
GRANT USAGE ON SCHEMA discovery_views TO regress_discovery_reader;
GRANT SELECT ON live_sources, deleted_sources TO regress_discovery_reader;
SET ROLE regress_discovery_reader;
SELECT count(*) FROM live_sources;
\echo :SQLSTATE
SELECT count(*) FROM deleted_sources;
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON sources TO regress_discovery_reader;
SET ROLE regress_discovery_reader;
SELECT count(*) FROM live_sources;
SELECT count(*) FROM deleted_sources;
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON discovery_deletions TO regress_discovery_reader;
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON sources TO regress_discovery_reader USING (name IN ('source 2', 'source 8'));
SET ROLE regress_discovery_reader;
SELECT name FROM live_sources;
SELECT name FROM deleted_sources;
RESET ROLE;

DROP SCHEMA discovery_views CASCADE;
DROP ROLE regress_discovery_reader;
