-- An upgrade where columns or tables that the step adds are there already: an error that lists what differs before
-- anything is changed. A preparation drops only what it has added itself.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION discovery VERSION '1.0';
ALTER TABLE sources ADD COLUMN deletion_id integer;
CREATE VIEW discovery_lost_files AS SELECT 1 AS one;
ALTER EXTENSION discovery UPDATE TO '1.1';
\echo :SQLSTATE
SELECT discovery_upgrade('1.1');
SELECT store_version, state FROM discovery_status();
SELECT object FROM discovery_check() WHERE kind <> 'extra';
DROP VIEW discovery_lost_files;
ALTER TABLE sources DROP COLUMN deletion_id;

ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT store_version, state FROM discovery_status();
SELECT discovery_drop_store();
DROP EXTENSION discovery;

-- A preparation knows what it has added.
CREATE EXTENSION discovery VERSION '1.0';
SELECT statement FROM discovery_prepare_upgrade('1.1') LIMIT 1 \gexec
SELECT step, statement, proof FROM discovery_preparation WHERE step ~ 'made' ORDER BY statement;
SELECT statement FROM discovery_cancel_upgrade() \gexec
SELECT to_regclass('discovery_deletions') IS NULL AND NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'sources'::regclass AND attname = 'deletion_id' AND NOT attisdropped)
    AS gone;
SELECT discovery_drop_store();
DROP EXTENSION discovery;
