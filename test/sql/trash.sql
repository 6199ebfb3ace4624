-- The trash: what delete_notebook(), delete_output() and, with discovery.keep_deleted, DELETE move there comes back
-- exactly, is held, purged and erased.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET DateStyle = ISO;
SET IntervalStyle = postgres;
CREATE SCHEMA discovery_trash_test;
CREATE EXTENSION discovery SCHEMA discovery_trash_test;
SET search_path = discovery_trash_test;
\set a '\'00000000-0000-4000-8000-00000000000a\''
\set b '\'00000000-0000-4000-8000-00000000000b\''
-- Columns of one's own, of types whose values depend on settings when they are printed
ALTER TABLE sources ADD COLUMN span interval, ADD COLUMN number double precision, ADD COLUMN "Odd ""name" timestamptz[],
    ADD COLUMN doubled integer GENERATED ALWAYS AS (length(name) * 2) STORED;
ALTER TABLE notebooks ADD COLUMN rank integer GENERATED ALWAYS AS IDENTITY;
INSERT INTO notebooks (id, name, tags, created_by) VALUES (:a, 'a', '{x,"y z",NULL}', 'ann'), (:b, 'b', '{}', 'bob');
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text, file_path, source_metadata, span, number,
                     "Odd ""name")
    SELECT ('00000000-0000-4000-9000-00000000000' || n)::uuid, :a, 's' || n, 'text',
           repeat(E'text of \\ ' || n, (10 ^ n)::integer), '/files/' || n, '{"n":  1 }', interval '1 month -1 day',
           0.1 + n / 3.0,
           '[5:6]={"2026-01-01 00:00:00.000001+00",NULL}'
    FROM generate_series(1, 4) AS n;
INSERT INTO outputs (id, notebook_id, title, content, source_references)
    SELECT ('00000000-0000-4000-a000-00000000000' || n)::uuid, :a, 'o' || n, 'output ' || n, ARRAY['s1', NULL]
    FROM generate_series(1, 2) AS n;
SELECT deleted FROM delete_sources(ARRAY['00000000-0000-4000-9000-000000000003'::uuid], 'soft');
SELECT hold_source('00000000-0000-4000-9000-000000000004', 'a law');
UPDATE notebooks SET updated_at = '2026-01-01';
CREATE TABLE everything (row text);
CREATE VIEW now_there AS
    SELECT md5(n::text) AS row FROM notebooks AS n UNION ALL SELECT md5(s::text) FROM sources AS s
    UNION ALL SELECT md5(o::text) FROM outputs AS o;
INSERT INTO everything TABLE now_there;
CREATE VIEW changed AS
    SELECT (SELECT count(*) FROM (TABLE everything EXCEPT ALL TABLE now_there) AS gone) AS gone,
           (SELECT count(*) FROM (TABLE now_there EXCEPT ALL TABLE everything) AS came) AS came;
CREATE VIEW trash AS
    SELECT string_agg(table_name || ' ' || name, ', ' ORDER BY table_name, name) AS trash FROM discovery_trash;

-- A notebook goes with all that is in it, and comes back.
SELECT * FROM preview_delete_notebook(:a);
SELECT sources, outputs FROM delete_notebook(:a, 'no longer needed');
SELECT name, source_count, output_count FROM notebooks;
SELECT (SELECT count(*) FROM sources) AS sources, (SELECT count(*) FROM outputs) AS outputs,
       (SELECT count(*) FROM discovery_lost_files) AS lost;
TABLE trash;
SELECT name, created_by, sources, outputs, reason, hold_reason, days_until_purge FROM deleted_notebooks;
SELECT title, reason FROM deleted_outputs ORDER BY title;
SELECT reason, sources, notebooks, outputs FROM discovery_deletions ORDER BY id;
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = sql_standard;
SET extra_float_digits = -5;
SELECT table_name, outcome, count(*) FROM restore_deletion((SELECT deletion_id FROM deleted_notebooks))
    GROUP BY 1, 2 ORDER BY 1;
SET DateStyle = ISO;
SET IntervalStyle = postgres;
RESET extra_float_digits;
TABLE changed;
TABLE trash;
SELECT name, source_count, output_count, updated_at FROM notebooks ORDER BY name;
SELECT * FROM check_source_counts();
SELECT * FROM check_output_counts();
-- What was soft-deleted before is still so, by its own deletion.
BEGIN;
SELECT table_name, outcome FROM restore_deletion((SELECT id FROM discovery_deletions WHERE reason = 'soft'));
ROLLBACK;

-- An output alone; a deletion that has nothing any more
SELECT delete_output('00000000-0000-4000-a000-000000000001', 'draft') AS deletion \gset
SELECT output_count FROM notebooks WHERE id = :a;
SELECT table_name, outcome FROM restore_deletion(:'deletion');
SELECT table_name, outcome FROM restore_deletion(:'deletion');
UPDATE notebooks SET updated_at = '2026-01-01' WHERE id = :a;
TABLE changed;

-- A plain DELETE is for good, unless the setting says otherwise; then all statements of a transaction with one reason
-- are one deletion.
BEGIN;
DELETE FROM outputs;
TABLE trash;
ROLLBACK;
-- Several notebooks that one statement deletes are one deletion, and each has its own numbers.
BEGIN;
INSERT INTO notebooks (name) VALUES ('c') RETURNING id AS c \gset
INSERT INTO sources (notebook_id, name, source_type, extracted_text) SELECT :'c', 's', 'text', n::text
    FROM generate_series(1, 7) AS n;
SET LOCAL discovery.keep_deleted = on;
DELETE FROM notebooks;
SELECT count(DISTINCT deletion_id) AS deletions FROM deleted_notebooks;
SELECT name, sources, outputs FROM deleted_notebooks ORDER BY name;
ROLLBACK;
SET discovery.keep_deleted = on;
SET discovery.reason = 'by the application';
DELETE FROM notebooks WHERE id = :a;
RESET discovery.keep_deleted;
RESET discovery.reason;
TABLE trash;
SELECT deletion_id FROM deleted_notebooks \gset
-- Its name is free.
INSERT INTO notebooks (name) VALUES ('a');
SELECT * FROM restore_deletion(:'deletion_id');
INSERT INTO notebooks (name) VALUES ('a (restored)');
SELECT table_name, outcome, count(*) FROM restore_deletion(:'deletion_id', on_name_taken => 'rename')
    GROUP BY 1, 2 ORDER BY 1;
SELECT name FROM notebooks ORDER BY name;
DELETE FROM notebooks WHERE name IN ('a', 'a (restored)');
UPDATE notebooks SET name = 'a', updated_at = '2026-01-01' WHERE id = :a;
UPDATE notebooks SET updated_at = '2026-01-01' WHERE id = :a;
TABLE changed;

-- A source that is in the trash alone, while the same content comes again
SET discovery.keep_deleted = on;
DELETE FROM sources WHERE name = 's1';
RESET discovery.keep_deleted;
SELECT deletion_id FROM discovery_trash \gset
SELECT outcome FROM add_source(:a, 'again', 'text', extracted_text => repeat(E'text of \\ 1', 10));
SELECT * FROM restore_deletion(:'deletion_id');
SELECT table_name, outcome FROM restore_deletion(:'deletion_id', 'keep_deleted');
TABLE trash;
DELETE FROM sources WHERE name = 'again';
SELECT table_name, outcome FROM restore_deletion(:'deletion_id', 'keep_deleted');

-- A column that has gone since
SELECT deletion_id FROM delete_notebook(:a) \gset
BEGIN;
ALTER TABLE sources DROP COLUMN number, DROP COLUMN "Odd ""name";
SAVEPOINT here;
SELECT * FROM restore_deletion(:'deletion_id');
ROLLBACK TO here;
SELECT count(*) FROM restore_deletion(:'deletion_id', on_missing_column => 'leave_out');
SELECT name, span FROM sources ORDER BY name;
ROLLBACK;
-- A notebook that has gone for good
SELECT count(*) FROM restore_deletion(:'deletion_id');
SELECT delete_output('00000000-0000-4000-a000-000000000002') AS output \gset
SELECT deletion_id FROM delete_notebook(:a) \gset
\set VERBOSITY terse
SELECT * FROM restore_deletion(:'output');
\set VERBOSITY default

-- Held until it is released: a held source holds its notebook.
SELECT table_name, id FROM purge_trash('0') ORDER BY 1, 2;
TABLE trash;
SELECT name, hold_reason, days_until_purge FROM deleted_notebooks;
SELECT release_deletion(:'deletion_id');
SELECT hold_deletion(:'deletion_id', 'another law');
SELECT count(*) FROM purge_trash('0');
SELECT release_deletion(:'deletion_id');
SELECT table_name, id, content_hash IS NOT NULL AS has_hash, file_path FROM purge_trash('0') ORDER BY 1, 2;
SELECT file_path FROM discovery_lost_files ORDER BY 1;
DELETE FROM discovery_lost_files;
SELECT count(*) FROM purge_trash();
SELECT count(*) AS log FROM discovery_deletions;

-- A soft-deleted source that goes to the trash with its notebook comes back with it.
BEGIN;
INSERT INTO notebooks (name) VALUES ('d') RETURNING id AS d \gset
SELECT id AS source FROM add_source(:'d', 's', 'text', extracted_text => 's') \gset
SELECT deletion_id AS soft FROM delete_source(:'source') \gset
SELECT deletion_id AS hard FROM delete_notebook(:'d') \gset
SELECT table_name, outcome FROM restore_deletion(:'soft');
SELECT table_name, outcome FROM restore_deletion(:'hard');
SELECT table_name, outcome FROM restore_deletion(:'soft');
ROLLBACK;

-- Erased for good: a notebook, and all of a person
INSERT INTO notebooks (id, name, created_by) VALUES (:a, 'a', 'ann');
INSERT INTO sources (notebook_id, name, source_type, file_path, created_by)
    VALUES (:a, 'of ann', 'file', '/ann', 'ann'), (:a, 'of bob', 'file', '/bob', 'bob'),
           (:b, 'of ann', 'file', '/ann in trash', 'ann');
INSERT INTO outputs (notebook_id, title, created_by) VALUES (:b, 'of ann', 'ann'), (:b, 'of bob', 'bob');
SELECT outputs FROM delete_notebook(:b, 'ann''s wish');
SELECT hold_deletion(deletion_id, 'a law') FROM deleted_notebooks;
SELECT * FROM erase_data(created_by => 'ann');
TABLE trash;
SELECT file_path FROM discovery_lost_files ORDER BY 1;
SELECT reason FROM discovery_deletions;
SELECT * FROM erase_data(:b);
TABLE trash;

-- Errors
SELECT delete_notebook(NULL);
SELECT delete_notebook(:a);
SELECT delete_output(:a);
SELECT * FROM preview_delete_notebook(:a);
SELECT * FROM restore_deletion(NULL);
SELECT * FROM restore_deletion(:a);
SELECT * FROM restore_deletion(:a, 'merge');
SELECT * FROM restore_deletion(:a, on_name_taken => 'replace');
SELECT * FROM restore_deletion(:a, on_missing_column => NULL);
SELECT hold_deletion(:a, '');
SELECT hold_deletion(:a, 'why');
SELECT * FROM purge_trash(max_deletions => 0);
-- What a trigger keeps is said.
BEGIN;
INSERT INTO notebooks (id, name) VALUES (:a, 'a');
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE DELETE ON notebooks FOR EACH ROW EXECUTE FUNCTION keep();
SELECT * FROM erase_data(:a);
\echo :SQLSTATE
ROLLBACK;
SELECT * FROM erase_data();
SELECT * FROM erase_data(:a, 'ann');
BEGIN READ ONLY;
SELECT delete_notebook(:a);
ROLLBACK;
DROP SCHEMA discovery_trash_test CASCADE;
