-- The owner of a store has changed the types of columns, or that they are never null: what reads them raises an error,
-- and takes no value for one of another type.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE SCHEMA discovery_altered;
CREATE EXTENSION discovery SCHEMA discovery_altered;
SET search_path = discovery_altered;
\set a '\'00000000-0000-4000-8000-00000000000a\''
INSERT INTO notebooks (id, name) VALUES (:a, 'a');
INSERT INTO sources (notebook_id, name, source_type, extracted_text)
    VALUES (:a, 's', 'text', 's'), (:a, 't', 'text', 't');
SELECT deleted FROM delete_source((SELECT id FROM sources WHERE name = 't'));
SET discovery.keep_deleted = on;
DELETE FROM sources WHERE name = 's';
RESET discovery.keep_deleted;
SELECT deletion_id FROM discovery_trash \gset
DROP VIEW deleted_sources, deleted_notebooks, deleted_outputs, live_sources;

BEGIN;
ALTER TABLE discovery_deletions ALTER login_role TYPE int USING 1073741823;
SELECT * FROM list_source_deletions();
ROLLBACK;
BEGIN;
ALTER TABLE discovery_trash ALTER row_id TYPE bigint USING 4711;
SELECT * FROM restore_deletion(:'deletion_id');
ROLLBACK;
BEGIN;
ALTER TABLE discovery_trash ALTER column_values TYPE int USING 4711;
SELECT * FROM restore_deletion(:'deletion_id');
ROLLBACK;
BEGIN;
ALTER TABLE discovery_trash ALTER table_name TYPE int USING 4711;
SELECT * FROM restore_deletion(:'deletion_id');
ROLLBACK;
BEGIN;
ALTER TABLE discovery_trash ALTER file_path TYPE int USING 4711;
SELECT * FROM purge_trash('0');
ROLLBACK;
BEGIN;
ALTER TABLE notebooks ALTER output_count TYPE bigint;
UPDATE notebooks SET output_count = 7;
SELECT * FROM check_output_counts();
ROLLBACK;
BEGIN;
ALTER TABLE discovery_deletions ALTER sources TYPE numeric;
SELECT * FROM delete_notebook(:a);
ROLLBACK;
BEGIN;
ALTER TABLE discovery_trash DROP CONSTRAINT discovery_trash_pkey;
ALTER TABLE discovery_trash ALTER row_id DROP NOT NULL, ALTER name DROP NOT NULL;
UPDATE discovery_trash SET row_id = NULL;
SELECT * FROM restore_deletion(:'deletion_id');
ROLLBACK;
BEGIN;
ALTER TABLE discovery_trash ALTER column_values DROP NOT NULL;
UPDATE discovery_trash SET column_values = NULL;
SELECT * FROM restore_deletion(:'deletion_id');
ROLLBACK;
DROP SCHEMA discovery_altered CASCADE;
