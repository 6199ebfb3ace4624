-- An upgrade to 1.2 where a column created_by or a table of outputs has another shape: an error that lists the
-- differences, and nothing is changed.
SET client_min_messages = warning;
CREATE EXTENSION discovery VERSION '1.1';
\set SHOW_CONTEXT never
ALTER TABLE notebooks ADD COLUMN created_by integer;
CREATE TABLE outputs (id uuid PRIMARY KEY, notebook_id uuid NOT NULL, title text);
ALTER EXTENSION discovery UPDATE TO '1.2';
\echo :SQLSTATE
DROP TABLE outputs;
CREATE VIEW outputs AS SELECT 1 AS id;
SELECT discovery_upgrade();
DROP VIEW outputs;
ALTER EXTENSION discovery UPDATE TO '1.2';
\echo :SQLSTATE
SELECT state, store_version, extension_version FROM discovery_status();
SELECT object FROM discovery_check() WHERE kind <> 'extra';
ALTER TABLE notebooks DROP COLUMN created_by;
ALTER EXTENSION discovery UPDATE TO '1.2';
SELECT state, store_version, extension_version FROM discovery_status();
SELECT discovery_drop_store();
DROP EXTENSION discovery;
