-- A trigger of the owner's keeps deletions out of the log: then nothing is deleted, as nobody could restore it.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE SCHEMA discovery_unlogged;
CREATE EXTENSION discovery SCHEMA discovery_unlogged;
SET search_path = discovery_unlogged;
\set a '\'00000000-0000-4000-8000-00000000000a\''
\set source '\'00000000-0000-4000-9000-000000000001\''
INSERT INTO notebooks (id, name) VALUES (:a, 'a');
INSERT INTO sources (id, notebook_id, name, source_type) VALUES (:source, :a, 's', 'file');
INSERT INTO outputs (id, notebook_id, title) VALUES (:source, :a, 'o');
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing BEFORE INSERT ON discovery_deletions FOR EACH ROW EXECUTE FUNCTION nothing();
DO $$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY ARRAY[
        'SELECT delete_notebook(''00000000-0000-4000-8000-00000000000a'')',
        'SELECT delete_output(''00000000-0000-4000-9000-000000000001'')',
        'SELECT delete_source(''00000000-0000-4000-9000-000000000001'')',
        'UPDATE sources SET deleted_at = now()',
        'SET LOCAL discovery.keep_deleted = on; DELETE FROM outputs'] LOOP
        BEGIN
            EXECUTE statement;
            RAISE WARNING 'no error: %', statement;
        EXCEPTION WHEN triggered_action_exception THEN
            RAISE WARNING '%: %', statement, regexp_replace(sqlerrm, '[0-9a-f-]{36}', 'ID');
        END;
    END LOOP;
END $$;
SELECT (SELECT count(*) FROM live_sources) AS sources, (SELECT count(*) FROM outputs) AS outputs,
       (SELECT count(*) FROM discovery_trash) AS trash;
-- The same where the entry goes at once
DROP TRIGGER nothing ON discovery_deletions;
CREATE FUNCTION removed() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN DELETE FROM discovery_unlogged.discovery_deletions; RETURN NULL; END';
CREATE TRIGGER removed AFTER INSERT ON discovery_deletions FOR EACH ROW EXECUTE FUNCTION removed();
DO $$
BEGIN
    PERFORM delete_notebook('00000000-0000-4000-8000-00000000000a');
    RAISE WARNING 'no error';
EXCEPTION WHEN triggered_action_exception THEN
    RAISE WARNING '%', regexp_replace(sqlerrm, '[0-9a-f-]{36}', 'ID');
END $$;
SELECT count(*) FROM notebooks;
-- And where the trash takes nothing
DROP TRIGGER removed ON discovery_deletions;
CREATE TRIGGER nothing BEFORE INSERT ON discovery_trash FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT delete_output(:source);
BEGIN;
SET LOCAL discovery.keep_deleted = on;
DELETE FROM notebooks;
ROLLBACK;
SELECT (SELECT count(*) FROM live_sources) AS sources, (SELECT count(*) FROM outputs) AS outputs;
DROP SCHEMA discovery_unlogged CASCADE;
