-- A step that would lose data is refused, with what and how many, unless data loss is allowed. A step that cannot run
-- on a store names itself and the statement, has the server's own message in DETAIL, and changes nothing.
SET client_min_messages = warning;
-- PostgreSQL 18 and newer print the script, too.
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_refused;
SET search_path = discovery_refused;
CREATE EXTENSION discovery VERSION '1.1' SCHEMA discovery_refused;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-0000-0000-00000000000a', 'Notebook');
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text)
    SELECT md5('source ' || n)::uuid, '00000000-0000-0000-0000-00000000000a', 'Source ' || n, 'text', 'text ' || n
    FROM generate_series(1, 5) AS n;
-- A digest of all that exists, which shows whether a failed attempt changed any of it.
CREATE FUNCTION pg_temp.everything() RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(line, E'\n' ORDER BY line))
    FROM (SELECT discovery_shape()
          UNION ALL SELECT notebooks::text FROM notebooks UNION ALL SELECT sources::text FROM sources
          UNION ALL SELECT discovery_migrations::text FROM discovery_migrations
          UNION ALL SELECT extversion FROM pg_extension WHERE extname = 'discovery') AS all_of_it (line) $$;

--
-- Data
--

-- Deletions are recorded in a table that 1.0 does not have, and in a column.
SELECT deleted FROM delete_sources(ARRAY[md5('source 1')::uuid, md5('source 2')::uuid], 'a mistake');
SELECT hold_source(md5('source 3')::uuid, 'still needed');
SELECT pg_temp.everything() AS before \gset
SELECT discovery_downgrade();
\echo :SQLSTATE
ALTER EXTENSION discovery UPDATE TO '1.0';
\echo :SQLSTATE
SELECT discovery_downgrade('base');
\echo :SQLSTATE
SELECT :'before' = pg_temp.everything() AS unchanged;
-- Without soft-deleted or held sources, the log alone still is data.
SELECT outcome FROM restore_sources((SELECT id FROM discovery_deletions));
SELECT release_source(md5('source 3')::uuid);
SELECT discovery_downgrade();
\echo :SQLSTATE
-- A transaction may allow the loss for itself.
BEGIN;
SET LOCAL discovery.allow_data_loss = on;
SELECT discovery_downgrade();
COMMIT;
SHOW discovery.allow_data_loss;
SELECT count(*) AS sources FROM sources WHERE deleted_at IS NULL;
-- A step does not count the user's own columns among what it loses.
ALTER TABLE sources ADD COLUMN own integer DEFAULT 7;
SELECT discovery_upgrade('1.1');
SELECT discovery_downgrade();
SELECT count(*) AS kept FROM sources WHERE own = 7;
ALTER TABLE sources DROP COLUMN own;

--
-- Stores in which a step cannot run
--

-- The user has added a column with the name that the step adds.
BEGIN;
ALTER TABLE sources ADD COLUMN deletion_id integer;
SELECT pg_temp.everything() AS before \gset
SAVEPOINT before_upgrade;
SELECT discovery_upgrade('1.1');
\echo :SQLSTATE
ROLLBACK TO before_upgrade;
SELECT :'before' = pg_temp.everything() AS unchanged;
ROLLBACK;
-- An index that the step replaces does not exist.
DROP INDEX ix_sources_deleted_at;
ALTER EXTENSION discovery UPDATE TO '1.1';
\echo :SQLSTATE
CREATE INDEX ix_sources_deleted_at ON sources (deleted_at);
-- A trigger of the user's stops a statement; its message is kept, with its HINT.
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'not today' USING ERRCODE = 'P0007', DETAIL = 'The books are closed.', HINT = 'Come back tomorrow.';
END $$;
CREATE TRIGGER stop BEFORE UPDATE ON notebooks FOR EACH STATEMENT EXECUTE FUNCTION stop();
SELECT pg_temp.everything() AS before \gset
SELECT discovery_upgrade('1.1');
\echo :SQLSTATE
SELECT :'before' = pg_temp.everything() AS unchanged;
DROP FUNCTION stop CASCADE;
-- A view of the user's depends on a column that the downgrade drops.
SELECT discovery_upgrade('1.1');
CREATE VIEW own AS SELECT name, hold_reason FROM sources;
SELECT pg_temp.everything() AS before \gset
SELECT discovery_downgrade();
\echo :SQLSTATE
SELECT :'before' = pg_temp.everything() AS unchanged;
DROP VIEW own;
-- The log's table does not exist, or something else has its name.
ALTER TABLE discovery_deletions RENAME TO elsewhere;
SELECT discovery_downgrade();
\echo :SQLSTATE
CREATE VIEW discovery_deletions AS SELECT * FROM elsewhere;
SELECT discovery_downgrade();
\echo :SQLSTATE
DROP VIEW discovery_deletions;
ALTER TABLE elsewhere RENAME TO discovery_deletions;
-- The step runs but does not give the expected shape, because the user altered a column before. Each step ends with a
-- check of its own shape.
ALTER TABLE notebooks ALTER COLUMN description TYPE varchar(2000);
SELECT pg_temp.everything() AS before \gset
SELECT discovery_downgrade();
\echo :SQLSTATE
SELECT :'before' = pg_temp.everything() AS unchanged;
ALTER TABLE notebooks ALTER COLUMN description TYPE text;
SELECT discovery_downgrade();
SELECT object, kind FROM discovery_check();

DROP SCHEMA discovery_refused CASCADE;
