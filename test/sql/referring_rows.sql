-- What refers to a notebook that moves to the trash, and would be lost: by which key it refers, and how values compare
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_referring;
CREATE EXTENSION discovery SCHEMA discovery_referring;
SET search_path = discovery_referring;
\set a '\'00000000-0000-4000-8000-00000000000a\''
\set b '\'00000000-0000-4000-8000-00000000000b\''
INSERT INTO notebooks (id, name) VALUES (:a, 'a'), (:b, 'b');
INSERT INTO sources (notebook_id, name, source_type) VALUES (:a, 'of a', 'file'), (:b, 'of b', 'file');

-- A second key of sources to notebooks, by which a source of another notebook refers
BEGIN;
ALTER TABLE sources ADD origin uuid REFERENCES notebooks ON DELETE CASCADE;
UPDATE sources SET origin = :a;
SELECT * FROM preview_delete_notebook(:a) WHERE effect ~ 'key';
SAVEPOINT s;
SELECT * FROM delete_notebook(:a);
ROLLBACK TO s;
-- Without that source, the rest goes with the notebook.
DELETE FROM sources WHERE name = 'of b';
SELECT * FROM preview_delete_notebook(:a) WHERE effect ~ 'key';
SELECT sources FROM delete_notebook(:a);
ROLLBACK;
-- A key that would change the source before it goes
BEGIN;
ALTER TABLE sources ADD origin uuid REFERENCES notebooks ON DELETE SET NULL;
UPDATE sources SET origin = notebook_id;
SELECT * FROM preview_delete_notebook(:a) WHERE effect ~ 'key';
SELECT delete_notebook(:a);
ROLLBACK;
BEGIN;
ALTER TABLE sources ADD parent uuid REFERENCES sources ON DELETE SET NULL;
UPDATE sources SET parent = id;
SELECT deletion_id, sources FROM delete_notebook(:a) \gset
SELECT count(*) FROM restore_deletion(:'deletion_id');
SELECT parent = id AS is_unchanged FROM sources WHERE name = 'of a';
ROLLBACK;
-- Sources that refer to each other within the notebook
BEGIN;
ALTER TABLE sources ADD parent uuid REFERENCES sources ON DELETE CASCADE;
UPDATE sources SET parent = id;
SELECT * FROM preview_delete_notebook(:a) WHERE effect ~ 'key';
SELECT deletion_id, sources FROM delete_notebook(:a) \gset
SELECT table_name, outcome FROM restore_deletion(:'deletion_id') ORDER BY 1;
ROLLBACK;
-- A key to a column with a collation of its own
BEGIN;
CREATE COLLATION ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
ALTER TABLE notebooks ADD slug text COLLATE ignoring_case UNIQUE;
UPDATE notebooks SET slug = upper(name);
DO $$
BEGIN
    CREATE TABLE slugs (slug text COLLATE "C" REFERENCES notebooks (slug) ON DELETE CASCADE);
EXCEPTION WHEN invalid_foreign_key OR collation_mismatch THEN
    -- From 18 on
    CREATE TABLE slugs (slug text COLLATE ignoring_case REFERENCES notebooks (slug) ON DELETE CASCADE);
END $$;
INSERT INTO slugs VALUES ('a'), ('A'), ('b');
SELECT * FROM preview_delete_notebook(:a) WHERE effect ~ 'key';
SELECT delete_notebook(:a);
ROLLBACK;
-- A key of a table that others inherit from is none of theirs; that of a partitioned table is that of its partitions.
BEGIN;
CREATE TABLE parents (notebook uuid REFERENCES notebooks ON DELETE CASCADE);
CREATE TABLE children () INHERITS (parents);
INSERT INTO children VALUES (:a);
CREATE TABLE whole (notebook uuid REFERENCES notebooks ON DELETE CASCADE) PARTITION BY HASH (notebook);
CREATE TABLE part PARTITION OF whole FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT * FROM preview_delete_notebook(:a) WHERE effect ~ 'key';
INSERT INTO whole VALUES (:a);
SELECT * FROM preview_delete_notebook(:a) WHERE effect ~ 'key';
DELETE FROM whole;
SELECT sources FROM delete_notebook(:a);
ROLLBACK;

-- A trigger that keeps the sources of a notebook which goes
BEGIN;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE DELETE ON sources FOR EACH ROW EXECUTE FUNCTION keep();
\set VERBOSITY terse
SELECT delete_notebook(:a);
ROLLBACK;
\set VERBOSITY default
-- A trigger that keeps a count from being written, where it is set to 0 or corrected
BEGIN;
INSERT INTO outputs (notebook_id, title) VALUES (:a, 'o');
ALTER TABLE outputs DISABLE TRIGGER USER;
INSERT INTO outputs (notebook_id, title) VALUES (:a, 'p');
ALTER TABLE outputs ENABLE TRIGGER USER;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION keep();
SAVEPOINT s;
TRUNCATE outputs;
ROLLBACK TO s;
SELECT repair_output_counts();
ROLLBACK;
DROP SCHEMA discovery_referring CASCADE;
