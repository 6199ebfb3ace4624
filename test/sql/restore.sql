-- restore_source() and restore_sources(): restoring a batch restores exactly the sources that the batch deleted and
-- that are still deleted by it. If there is a live duplicate by now, an error names it, or that one source stays
-- soft-deleted. preview_restore() tells the same beforehand.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_restore;
CREATE EXTENSION discovery SCHEMA discovery_restore;
SET search_path = discovery_restore;
-- Fixed ids, because errors print them.
INSERT INTO notebooks (id, name)
    VALUES ('00000000-0000-4000-8000-0000000000aa', 'a'), ('00000000-0000-4000-8000-0000000000bb', 'b');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    SELECT ('00000000-0000-4000-8000-00000000' || name || number || '00')::uuid, id, name || number, 'file',
           'hash ' || number
    FROM notebooks, generate_series(1, 4) AS number;
CREATE FUNCTION source(text) RETURNS uuid LANGUAGE sql STABLE AS
    'SELECT id FROM discovery_restore.sources WHERE name = $1';
CREATE FUNCTION delete_named(VARIADIC names text[]) RETURNS uuid LANGUAGE sql AS
    'SELECT deletion_id FROM discovery_restore.delete_sources(
         ARRAY(SELECT id FROM discovery_restore.sources WHERE name = ANY (names)))';
CREATE VIEW live AS
    SELECT coalesce(string_agg(name, ' ' ORDER BY name), 'none') AS live FROM sources WHERE deleted_at IS NULL;

-- One source: deleted_at and deletion_id become NULL, its own data stays.
SELECT delete_named('a1') AS deletion \gset
SELECT sources.name, outcome FROM restore_source(source('a1')) JOIN sources USING (id);
SELECT deleted_at, deletion_id, content_hash FROM sources WHERE name = 'a1';
SELECT name, source_count FROM notebooks ORDER BY name;
-- The source is live: there is nothing to do. Its batch is empty by now.
SELECT * FROM restore_source(source('a1'));
SELECT * FROM restore_sources(:'deletion');
SELECT * FROM preview_restore(:'deletion');

-- A batch: sources deleted before it stay soft-deleted, as do sources that were restored and deleted again by another
-- batch.
SELECT delete_named('a1') AS first \gset
SELECT delete_named('a1', 'a2', 'b2', 'b3') AS second \gset
SELECT outcome FROM restore_source(source('b2'));
SELECT delete_named('b2') AS third \gset
SELECT sources.name, preview.outcome, duplicate_id, duplicate_name
    FROM preview_restore(:'second') AS preview JOIN sources USING (id) ORDER BY 1;
SELECT sources.name, outcome FROM restore_sources(:'second') JOIN sources USING (id) ORDER BY 1;
TABLE live;
SELECT sources.name, outcome FROM restore_sources(:'third') JOIN sources USING (id);
SELECT sources.name, outcome FROM restore_sources(:'first') JOIN sources USING (id);
TABLE live;
SELECT name, source_count FROM notebooks ORDER BY name;
-- Deleted, restored and deleted again in one transaction, by plain SQL
BEGIN;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name IN ('a1', 'a2');
UPDATE sources SET deleted_at = NULL WHERE name IN ('a1', 'a2');
SELECT delete_named('a1') AS again \gset
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a2';
SELECT sources.name, outcome FROM restore_sources(:'again') JOIN sources USING (id);
TABLE live;
ROLLBACK;

-- Another live source has the content by now: an error names it, and with 'keep_deleted' that one source stays
-- soft-deleted. The same content in another notebook is no duplicate.
SELECT delete_named('a1', 'a2', 'a3') AS deletion \gset
INSERT INTO sources (id, notebook_id, name, source_type, content_hash) VALUES
    ('00000000-0000-4000-8000-0000000a2fff', '00000000-0000-4000-8000-0000000000aa', 'a2 again', 'file', 'hash 2');
SELECT name, outcome, duplicate_name, duplicate_id = source('a2 again') AS is_duplicate
    FROM preview_restore(:'deletion') ORDER BY name;
SELECT * FROM restore_sources(:'deletion');
\echo :SQLSTATE
SELECT * FROM restore_source(source('a2'));
\echo :SQLSTATE
TABLE live;
SELECT sources.name, outcome FROM restore_sources(:'deletion', 'keep_deleted') JOIN sources USING (id) ORDER BY 1;
SELECT sources.name, outcome FROM restore_source(source('a2'), on_duplicate => 'keep_deleted') JOIN sources USING (id);
TABLE live;
-- The source that stayed soft-deleted still belongs to its batch, and is restored once the duplicate is gone.
SELECT name, outcome, duplicate_name FROM preview_restore(:'deletion');
DELETE FROM sources WHERE name = 'a2 again';
SELECT sources.name, outcome FROM restore_sources(:'deletion') JOIN sources USING (id);
TABLE live;
SELECT name, source_count FROM notebooks ORDER BY name;

-- Two sources with the same content in one batch: one is deleted, the content added again and deleted again in one
-- transaction. Only one can be live: the older, unless another one is live already.
BEGIN;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a4';
INSERT INTO sources (id, notebook_id, name, source_type, content_hash, created_at) VALUES
    ('00000000-0000-4000-8000-0000000a4fff', '00000000-0000-4000-8000-0000000000aa', 'a4 again', 'file', 'hash 4',
     '2999-01-01');
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a4 again';
COMMIT;
SELECT deletion_id AS deletion FROM sources WHERE name = 'a4' \gset
SELECT name, outcome, duplicate_name FROM preview_restore(:'deletion') ORDER BY name;
SELECT * FROM restore_sources(:'deletion');
\echo :SQLSTATE
SELECT sources.name, outcome FROM restore_sources(:'deletion', 'keep_deleted') JOIN sources USING (id) ORDER BY 1;
SELECT name, outcome, duplicate_name FROM preview_restore(:'deletion') ORDER BY name;
-- A source without a hash has no duplicate.
INSERT INTO sources (notebook_id, name, source_type) SELECT id, 'blank ' || number, 'file'
    FROM notebooks, generate_series(1, 3) AS number WHERE notebooks.name = 'b';
SELECT delete_named('blank 1', 'blank 2') AS deletion \gset
SELECT outcome, count(*) FROM restore_sources(:'deletion') GROUP BY outcome;

-- Plain SQL restores, too; the unique index refuses a duplicate.
SELECT delete_named('b1', 'b2') AS deletion \gset
INSERT INTO sources (notebook_id, name, source_type, content_hash)
    SELECT id, 'b1 again', 'file', 'hash 1' FROM notebooks WHERE name = 'b';
\set VERBOSITY sqlstate
UPDATE sources SET deleted_at = NULL WHERE deletion_id = :'deletion';
\set VERBOSITY default
UPDATE sources SET deleted_at = NULL WHERE name = 'b2' RETURNING deletion_id;
-- A source that moved to another notebook still belongs to its batch.
UPDATE sources SET notebook_id = (SELECT id FROM notebooks WHERE name = 'a'), content_hash = 'moved' WHERE name = 'b1';
SELECT sources.name, outcome FROM restore_sources(:'deletion') JOIN sources USING (id);

-- An error that is not about a duplicate, such as one of a trigger of the user's, is raised unchanged. A caller that
-- catches it goes on, and nothing of the restore stays.
SELECT delete_named('a1', 'a2') AS deletion \gset
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
CREATE TRIGGER fail AFTER UPDATE ON sources FOR EACH STATEMENT EXECUTE FUNCTION fail();
SELECT * FROM restore_sources(:'deletion');
\echo :SQLSTATE
SELECT 'the session goes on' AS state;
BEGIN;
SELECT set_config('regress.deletion', :'deletion', true) IS NOT NULL AS set;
DO $$
BEGIN
    CREATE TABLE discovery_restore.gone (a int);
    PERFORM discovery_restore.restore_sources(current_setting('regress.deletion')::uuid);
EXCEPTION WHEN raise_exception THEN
    RAISE WARNING 'caught: %', SQLERRM;
END $$;
SELECT to_regclass('gone') AS of_the_block;
DROP TRIGGER fail ON sources;
SELECT count(*) AS restored FROM restore_sources(:'deletion');
COMMIT;
TABLE live;
SELECT name, source_count FROM notebooks ORDER BY name;
-- Triggers of the user's: one source stays soft-deleted, and the update of another does not happen.
SELECT delete_named('a1', 'a2', 'b2') AS deletion \gset
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.name = 'a1' THEN
        new.deleted_at := old.deleted_at;
    END IF;
    RETURN CASE WHEN new.name <> 'a2' THEN new END;
END $$;
CREATE TRIGGER a_keep BEFORE UPDATE ON sources FOR EACH ROW EXECUTE FUNCTION keep();
SELECT sources.name, outcome FROM restore_sources(:'deletion') JOIN sources USING (id) ORDER BY name;
DROP TRIGGER a_keep ON sources;
SELECT count(*) AS restored FROM restore_sources(:'deletion');
SELECT name, source_count FROM notebooks ORDER BY name;
-- A unique index of the user's does not report a duplicate either.
CREATE UNIQUE INDEX one_name ON sources (name) WHERE deleted_at IS NULL;
SELECT delete_named('a1') AS deletion \gset
INSERT INTO sources (notebook_id, name, source_type) SELECT id, 'a1', 'file' FROM notebooks WHERE name = 'b';
SELECT * FROM restore_sources(:'deletion', 'keep_deleted');
\echo :SQLSTATE
SELECT * FROM restore_sources(:'deletion');
\echo :SQLSTATE

DROP SCHEMA discovery_restore CASCADE;
