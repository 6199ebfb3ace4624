-- No row is lost on its way to the trash or back: not a second row of the same id, nor one that goes to the trash while
-- another comes back. What comes back changes its notebook, and takes no more rights than needed.
SET client_min_messages = warning;
CREATE SCHEMA discovery_again;
CREATE EXTENSION discovery SCHEMA discovery_again;
SET search_path = discovery_again;
\set SHOW_CONTEXT never
\set a '\'00000000-0000-4000-8000-00000000000a\''
\set x '\'00000000-0000-4000-a000-000000000001\''
\set y '\'00000000-0000-4000-a000-000000000002\''
\set z '\'00000000-0000-4000-a000-000000000003\''
INSERT INTO notebooks (id, name) VALUES (:a, 'a');

-- Three rows that have had one id in one transaction
INSERT INTO outputs (id, notebook_id, title) VALUES (:x, :a, 'first'), (:y, :a, 'second'), (:z, :a, 'third');
BEGIN;
SET LOCAL discovery.keep_deleted = on;
SET LOCAL discovery.reason = 'same';
DELETE FROM outputs WHERE id = :x;
UPDATE outputs SET id = :x WHERE id = :y;
DELETE FROM outputs WHERE id = :x;
UPDATE outputs SET id = :x WHERE id = :z;
DELETE FROM outputs WHERE id = :x;
COMMIT;
SELECT id = :x AS is_x, title, reason FROM deleted_outputs ORDER BY title;
SELECT outputs, reason, login_role = session_user AS by_me FROM discovery_deletions;
SELECT deletion_id AS second FROM deleted_outputs WHERE title = 'second' \gset
SELECT deletion_id AS first FROM deleted_outputs WHERE title = 'first' \gset
SELECT outcome FROM restore_deletion(:'second');
SELECT outcome FROM restore_deletion(:'first');
UPDATE outputs SET id = :y;
SELECT outcome FROM restore_deletion(:'first');
SELECT title FROM outputs ORDER BY title;
SELECT output_count FROM notebooks;
-- Some of the rows of a statement
BEGIN;
SET LOCAL discovery.keep_deleted = on;
DELETE FROM outputs WHERE id = :x;
INSERT INTO outputs (id, notebook_id, title) VALUES (:x, :a, 'again');
DELETE FROM outputs;
COMMIT;
SELECT string_agg(title, ', ' ORDER BY title) FROM deleted_outputs GROUP BY deletion_id ORDER BY 1;
TRUNCATE discovery_trash;

-- A trigger of the user's that deletes a row whenever one comes: in the deletion that is restored, which is of the same
-- transaction
CREATE FUNCTION replace_others() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM discovery_again.outputs WHERE title <> NEW.title;
    RETURN NULL;
END $$;
INSERT INTO outputs (id, notebook_id, title) VALUES (:x, :a, 'old'), (:y, :a, 'new');
CREATE TRIGGER replace_others AFTER INSERT ON outputs FOR EACH ROW EXECUTE FUNCTION replace_others();
BEGIN;
SET LOCAL discovery.keep_deleted = on;
DELETE FROM outputs WHERE title = 'new';
SELECT outcome FROM restore_deletion((SELECT deletion_id FROM deleted_outputs));
COMMIT;
SELECT title FROM outputs;
SELECT title FROM deleted_outputs;
DROP TRIGGER replace_others ON outputs;

-- A source that stays deleted, and an output of the same id that does not
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text) VALUES (:y, :a, 's', 'text', 'same');
BEGIN;
SET LOCAL discovery.keep_deleted = on;
DELETE FROM sources;
DELETE FROM outputs WHERE id = :y;
COMMIT;
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text) VALUES (:x, :a, 't', 'text', 'same');
SELECT deletion_id FROM deleted_outputs WHERE id = :y \gset
SELECT table_name, outcome FROM restore_deletion(:'deletion_id', on_duplicate => 'keep_deleted');
SELECT table_name FROM discovery_trash WHERE row_id = :y;

-- What comes back into a notebook changes it; what comes back with it does not.
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-00000000000b', 'b');
INSERT INTO outputs (id, notebook_id, title, created_at, updated_at)
    VALUES (:z, '00000000-0000-4000-8000-00000000000b', 'inside', '1999-01-01', '1999-01-01');
SELECT delete_output(:z) AS output \gset
UPDATE notebooks SET updated_at = '2000-01-01';
SELECT outcome FROM restore_deletion(:'output');
SELECT name, updated_at > '2001-01-01' AS is_changed FROM notebooks ORDER BY name;
UPDATE notebooks SET updated_at = '2000-01-01';
SELECT deletion_id FROM delete_notebook('00000000-0000-4000-8000-00000000000b') \gset
SELECT table_name, outcome FROM restore_deletion(:'deletion_id');
SELECT name, updated_at FROM notebooks ORDER BY name;
-- Nor does a source that was deleted before, and still is.
INSERT INTO sources (id, notebook_id, name, source_type, created_at, deleted_at)
    VALUES (:z, '00000000-0000-4000-8000-00000000000b', 's', 'file', '1999-01-01', '1999-01-02');
BEGIN;
SET LOCAL discovery.keep_deleted = on;
DELETE FROM sources WHERE id = :z;
COMMIT;
SELECT deletion_id FROM discovery_trash WHERE row_id = :z \gset
UPDATE notebooks SET updated_at = '2000-01-01';
SELECT table_name, outcome FROM restore_deletion(:'deletion_id');
SELECT name, updated_at > '2001-01-01' AS is_changed FROM notebooks ORDER BY name;

-- To delete an output and to restore it takes no right on other tables.
CREATE ROLE regress_discovery_writer;
GRANT USAGE ON SCHEMA discovery_again TO regress_discovery_writer;
GRANT SELECT, INSERT, DELETE ON outputs TO regress_discovery_writer;
SET ROLE regress_discovery_writer;
SELECT delete_output(:z) AS output \gset
SELECT outcome FROM restore_deletion(:'output');
RESET ROLE;
-- For soft-deleted sources of the same deletion it does.
BEGIN;
SET LOCAL discovery.keep_deleted = on;
UPDATE sources SET deleted_at = now() WHERE name = 't';
DELETE FROM outputs WHERE id = :z;
COMMIT;
SELECT deletion_id FROM discovery_trash WHERE row_id = :z AND table_name = 'outputs' \gset
SET ROLE regress_discovery_writer;
SELECT table_name, outcome FROM restore_deletion(:'deletion_id');
RESET ROLE;
SELECT table_name, outcome FROM restore_deletion(:'deletion_id');
DROP OWNED BY regress_discovery_writer;
DROP ROLE regress_discovery_writer;
DROP SCHEMA discovery_again CASCADE;
