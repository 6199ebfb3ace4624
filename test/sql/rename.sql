-- The tables of a store are the user's: renamed, moved to another schema, given to another owner, they go on working where they
-- can, and where they cannot, what is missed is said by name; and all is well again when they are back.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_new_owner;
CREATE SCHEMA discovery_first;
CREATE EXTENSION discovery SCHEMA discovery_first;
SET search_path = discovery_first;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Notes');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    SELECT ('00000000-0000-4000-9000-00000000000' || n)::uuid, '00000000-0000-4000-8000-000000000001', 'text ' || n, 'text', 'hash ' || n
    FROM generate_series(1, 9) AS n;

-- The schema is renamed: its name is nowhere in the store. (The extension is in it too.)
ALTER SCHEMA discovery_first RENAME TO "Discovery Second";
SET search_path = "Discovery Second";
SELECT schema, state FROM discovery_status();
SELECT object FROM discovery_check() WHERE kind <> 'extra';
SELECT deleted FROM delete_source('00000000-0000-4000-9000-000000000001', 'renamed');
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000002';
SELECT source_count FROM notebooks;
SELECT reason, still_deleted FROM list_source_deletions();

-- A session that ran the triggers before sees the new name too.
ALTER SCHEMA "Discovery Second" RENAME TO discovery_third;
SET search_path = discovery_third;
SELECT deleted FROM delete_source('00000000-0000-4000-9000-000000000003', 'and again');
SELECT source_count FROM notebooks;

-- Notebooks renamed: the triggers find them by the foreign key, the functions say what is missing.
ALTER TABLE notebooks RENAME TO folders;
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000004';
SELECT source_count FROM folders;
SELECT state FROM discovery_status();
SELECT * FROM check_source_counts();
\echo :SQLSTATE
SELECT add_source('00000000-0000-4000-8000-000000000001', 'x', 'text');
\echo :SQLSTATE
SELECT object, kind FROM discovery_check('discovery_third') WHERE kind = 'missing';
SELECT discovery_upgrade();
\echo :SQLSTATE
SELECT discovery_downgrade('1.0');
\echo :SQLSTATE
ALTER TABLE folders RENAME TO notebooks;
SELECT state FROM discovery_status();
SELECT * FROM check_source_counts();

-- Sources renamed: their own triggers work on.
ALTER TABLE sources RENAME TO documents;
UPDATE documents SET deleted_at = '2024-01-01' WHERE id = '00000000-0000-4000-9000-000000000005';
SELECT source_count FROM notebooks;
SELECT state FROM discovery_status();
SELECT delete_source('00000000-0000-4000-9000-000000000006');
\echo :SQLSTATE
ALTER TABLE documents RENAME TO sources;
SELECT state FROM discovery_status();

-- The log renamed: what is to be logged is not done, rather than done without its line.
ALTER TABLE discovery_deletions RENAME TO old_deletions;
UPDATE sources SET deleted_at = '2024-01-01' WHERE id = '00000000-0000-4000-9000-000000000006';
\echo :SQLSTATE
SELECT object, kind FROM discovery_check() WHERE kind <> 'extra' AND object NOT LIKE '%old_deletions%';
ALTER TABLE old_deletions RENAME TO discovery_deletions;

-- The record renamed: there is no store to be found; its triggers still work.
ALTER TABLE discovery_migrations RENAME TO history;
SELECT state FROM discovery_status();
SELECT discovery_version();
\echo :SQLSTATE
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000006';
SELECT source_count FROM notebooks;
ALTER TABLE history RENAME TO discovery_migrations;

-- A column renamed, that the triggers need; and back.
ALTER TABLE sources RENAME COLUMN deletion_id TO batch;
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000007';
\echo :SQLSTATE
SELECT object, kind FROM discovery_check() WHERE object = 'column sources.deletion_id' OR object LIKE '%deletion_id%' AND kind = 'missing';
ALTER TABLE sources RENAME COLUMN batch TO deletion_id;
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000007';
SELECT source_count FROM notebooks;

-- One table in another schema.
CREATE SCHEMA discovery_aside;
ALTER TABLE notebooks SET SCHEMA discovery_aside;
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000008';
SELECT source_count FROM discovery_aside.notebooks;
SELECT schema, state FROM discovery_status();
SELECT * FROM check_source_counts();
\echo :SQLSTATE
ALTER TABLE discovery_aside.notebooks SET SCHEMA discovery_third;

-- All of them: the store is where its tables are.
ALTER TABLE notebooks SET SCHEMA discovery_aside;
ALTER TABLE sources SET SCHEMA discovery_aside;
ALTER TABLE discovery_deletions SET SCHEMA discovery_aside;
ALTER TABLE discovery_lost_files SET SCHEMA discovery_aside;
ALTER TABLE discovery_migrations SET SCHEMA discovery_aside;
ALTER VIEW live_sources SET SCHEMA discovery_aside;
ALTER VIEW deleted_sources SET SCHEMA discovery_aside;
SELECT schema, state FROM discovery_status();
SET search_path = discovery_aside, discovery_third;
SELECT object FROM discovery_check() WHERE kind <> 'extra';
SELECT outcome FROM restore_source('00000000-0000-4000-9000-000000000003');
SELECT source_count FROM notebooks;
SELECT reason, still_deleted FROM list_source_deletions() WHERE still_deleted > 0;

-- One table of another owner: no store, and nothing of it is run as anybody else.
ALTER TABLE notebooks OWNER TO regress_discovery_new_owner;
SELECT schema, state FROM discovery_status() WHERE schema = 'discovery_aside';
SELECT * FROM check_source_counts();
\echo :SQLSTATE
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000009';
\echo :SQLSTATE
SELECT discovery_downgrade('1.0', 'discovery_aside');
\echo :SQLSTATE
-- All of them.
ALTER TABLE sources OWNER TO regress_discovery_new_owner;
ALTER TABLE discovery_deletions OWNER TO regress_discovery_new_owner;
ALTER TABLE discovery_migrations OWNER TO regress_discovery_new_owner;
ALTER VIEW live_sources OWNER TO regress_discovery_new_owner;
ALTER VIEW deleted_sources OWNER TO regress_discovery_new_owner;
GRANT USAGE ON SCHEMA discovery_aside, discovery_third TO regress_discovery_new_owner;
SELECT schema, owner, state FROM discovery_status() WHERE schema = 'discovery_aside';
SET ROLE regress_discovery_new_owner;
SELECT deleted FROM delete_source('00000000-0000-4000-9000-000000000003', 'as the new owner');
SELECT source_count = (SELECT count(*) FROM live_sources) AS is_right FROM notebooks;
RESET ROLE;
DELETE FROM notebooks;
SELECT count(*) FROM sources;

RESET search_path;
DROP EXTENSION discovery CASCADE;
DROP SCHEMA discovery_third, discovery_aside CASCADE;
DROP ROLE regress_discovery_new_owner;
