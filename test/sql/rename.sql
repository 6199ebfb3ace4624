-- The tables of a store belong to the user, who may rename them, move them to another schema or give them to another
-- owner. They go on working where they can; where they cannot, the error names what is missing. When the change is
-- undone, all of it works again.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_new_owner;
CREATE SCHEMA discovery_first;
CREATE EXTENSION discovery SCHEMA discovery_first;
SET search_path = discovery_first;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Notes');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    SELECT ('00000000-0000-4000-9000-00000000000' || n)::uuid, '00000000-0000-4000-8000-000000000001', 'text ' || n,
           'text', 'hash ' || n
    FROM generate_series(1, 9) AS n;

-- The schema is renamed: no object of the store contains its name. (The extension is in that schema, too.)
ALTER SCHEMA discovery_first RENAME TO "Discovery Second";
SET search_path = "Discovery Second";
SELECT schema, state FROM discovery_status();
SELECT object FROM discovery_check() WHERE kind <> 'extra';
SELECT deleted FROM delete_source('00000000-0000-4000-9000-000000000001', 'renamed');
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000002';
SELECT source_count FROM notebooks;
SELECT reason, still_deleted FROM list_source_deletions();

-- A session that ran the triggers before uses the new name, too.
ALTER SCHEMA "Discovery Second" RENAME TO discovery_third;
SET search_path = discovery_third;
SELECT deleted FROM delete_source('00000000-0000-4000-9000-000000000003', 'and again');
SELECT source_count FROM notebooks;

-- notebooks is renamed: the triggers find it by the foreign key, the functions say what is missing.
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

-- sources is renamed: its own triggers go on working.
ALTER TABLE sources RENAME TO documents;
UPDATE documents SET deleted_at = '2024-01-01' WHERE id = '00000000-0000-4000-9000-000000000005';
SELECT source_count FROM notebooks;
SELECT state FROM discovery_status();
SELECT delete_source('00000000-0000-4000-9000-000000000006');
\echo :SQLSTATE
ALTER TABLE documents RENAME TO sources;
SELECT state FROM discovery_status();

-- The log is renamed: a deletion that cannot be logged is refused.
ALTER TABLE discovery_deletions RENAME TO old_deletions;
UPDATE sources SET deleted_at = '2024-01-01' WHERE id = '00000000-0000-4000-9000-000000000006';
\echo :SQLSTATE
SELECT object, kind FROM discovery_check() WHERE kind <> 'extra' AND object NOT LIKE '%old_deletions%';
ALTER TABLE old_deletions RENAME TO discovery_deletions;

-- The record is renamed: no store is found; its triggers still work.
ALTER TABLE discovery_migrations RENAME TO history;
SELECT state FROM discovery_status();
SELECT discovery_version();
\echo :SQLSTATE
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000006';
SELECT source_count FROM notebooks;
ALTER TABLE history RENAME TO discovery_migrations;

-- A column that the triggers need is renamed, and renamed back.
ALTER TABLE sources RENAME COLUMN deletion_id TO batch;
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000007';
\echo :SQLSTATE
SELECT object, kind FROM discovery_check()
    WHERE object = 'column sources.deletion_id' OR object LIKE '%deletion_id%' AND kind = 'missing';
ALTER TABLE sources RENAME COLUMN batch TO deletion_id;
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000007';
SELECT source_count FROM notebooks;

-- One table moves to another schema.
CREATE SCHEMA discovery_aside;
ALTER TABLE notebooks SET SCHEMA discovery_aside;
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000008';
SELECT source_count FROM discovery_aside.notebooks;
SELECT schema, state FROM discovery_status();
SELECT * FROM check_source_counts();
\echo :SQLSTATE
ALTER TABLE discovery_aside.notebooks SET SCHEMA discovery_third;

-- All tables move: the store is in the schema where its tables are.
ALTER TABLE notebooks SET SCHEMA discovery_aside;
ALTER TABLE sources SET SCHEMA discovery_aside;
ALTER TABLE discovery_deletions SET SCHEMA discovery_aside;
ALTER TABLE discovery_lost_files SET SCHEMA discovery_aside;
ALTER TABLE outputs SET SCHEMA discovery_aside;
ALTER TABLE discovery_trash SET SCHEMA discovery_aside;
ALTER TABLE discovery_migrations SET SCHEMA discovery_aside;
ALTER VIEW live_sources SET SCHEMA discovery_aside;
ALTER VIEW deleted_sources SET SCHEMA discovery_aside;
ALTER VIEW deleted_notebooks SET SCHEMA discovery_aside;
ALTER VIEW deleted_outputs SET SCHEMA discovery_aside;
SELECT schema, state FROM discovery_status();
SET search_path = discovery_aside, discovery_third;
SELECT object FROM discovery_check() WHERE kind <> 'extra';
SELECT outcome FROM restore_source('00000000-0000-4000-9000-000000000003');
SELECT source_count FROM notebooks;
SELECT reason, still_deleted FROM list_source_deletions() WHERE still_deleted > 0;

-- One table gets another owner: there is no store, and none of it runs as another role.
ALTER TABLE notebooks OWNER TO regress_discovery_new_owner;
SELECT schema, state FROM discovery_status() WHERE schema = 'discovery_aside';
SELECT * FROM check_source_counts();
\echo :SQLSTATE
DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000009';
\echo :SQLSTATE
SELECT discovery_downgrade('1.0', 'discovery_aside');
\echo :SQLSTATE
-- All tables get the other owner.
ALTER TABLE sources OWNER TO regress_discovery_new_owner;
ALTER TABLE discovery_deletions OWNER TO regress_discovery_new_owner;
ALTER TABLE discovery_lost_files OWNER TO regress_discovery_new_owner;
ALTER TABLE outputs OWNER TO regress_discovery_new_owner;
ALTER TABLE discovery_trash OWNER TO regress_discovery_new_owner;
ALTER TABLE discovery_migrations OWNER TO regress_discovery_new_owner;
ALTER VIEW live_sources OWNER TO regress_discovery_new_owner;
ALTER VIEW deleted_sources OWNER TO regress_discovery_new_owner;
ALTER VIEW deleted_notebooks OWNER TO regress_discovery_new_owner;
ALTER VIEW deleted_outputs OWNER TO regress_discovery_new_owner;
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
