-- The trash beside what users have added to the tables: columns with names of ours, triggers, rows that refer to
-- outputs, row security; and settings that change how values are read.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_obstacles;
CREATE EXTENSION discovery SCHEMA discovery_obstacles;
SET search_path = discovery_obstacles;
SET statement_timeout = '60s';
\set a '\'00000000-0000-4000-8000-00000000000a\''
\set output '\'00000000-0000-4000-a000-000000000001\''
INSERT INTO notebooks (id, name) VALUES (:a, 'a');
INSERT INTO sources (notebook_id, name, source_type, extracted_text) VALUES (:a, 's', 'text', 'text of s');
INSERT INTO outputs (id, notebook_id, title, content) VALUES (:output, :a, 'o', 'text of o');

-- Columns of one's own with names that other tables of the store have
BEGIN;
ALTER TABLE notebooks ADD COLUMN notebook_id uuid, ADD COLUMN title jsonb, ADD COLUMN content bytea DEFAULT '\x00',
    ADD COLUMN extracted_text integer DEFAULT 7;
ALTER TABLE sources ADD COLUMN title text, ADD COLUMN content jsonb DEFAULT '{"a": 1}';
ALTER TABLE outputs ADD COLUMN name integer, ADD COLUMN file_path text DEFAULT '/export', ADD COLUMN content_hash bytea,
    ADD COLUMN deletion_id text, ADD COLUMN hold_reason text DEFAULT 'none', ADD COLUMN extracted_text text DEFAULT 'x';
SELECT deletion_id FROM delete_notebook(:a) \gset
SELECT table_name, name, notebook_id = :a AS is_in_a, content, file_path, hold_reason FROM discovery_trash ORDER BY 1;
SELECT table_name, outcome FROM restore_deletion(:'deletion_id') ORDER BY 1;
SELECT n.content, n.extracted_text, s.extracted_text, s.content, o.content, o.file_path, o.hold_reason, o.extracted_text
    FROM notebooks AS n, sources AS s, outputs AS o;
ROLLBACK;

-- How arrays and XML are read does not depend on the session.
BEGIN;
ALTER TABLE sources ADD COLUMN list text[] DEFAULT '{NULL,"NULL"}', ADD COLUMN node xml DEFAULT 'a <b/>';
SELECT deletion_id FROM delete_notebook(:a) \gset
SET LOCAL array_nulls = off;
SET LOCAL xmloption = document;
SELECT count(*) FROM restore_deletion(:'deletion_id');
RESET array_nulls;
SELECT list, list[1] IS NULL AS has_null, node FROM sources;
ROLLBACK;

-- Columns of types that are of length 1 where none is given
BEGIN;
ALTER TABLE sources ADD COLUMN code character(8) DEFAULT 'code', ADD COLUMN flags bit(4) DEFAULT '1011',
    ADD COLUMN codes character(4)[] DEFAULT '{ab,cd}';
SELECT deletion_id FROM delete_notebook(:a) \gset
SELECT count(*) FROM restore_deletion(:'deletion_id');
SELECT code, flags, codes FROM sources;
-- A column that has become too short is an error.
SELECT deletion_id FROM delete_notebook(:a) \gset
ALTER TABLE sources ALTER COLUMN code TYPE character(2);
\set VERBOSITY terse
SELECT count(*) FROM restore_deletion(:'deletion_id');
\set VERBOSITY default
ROLLBACK;

-- A notebook without a time of its last change
BEGIN;
ALTER TABLE notebooks ALTER COLUMN updated_at DROP NOT NULL;
INSERT INTO notebooks (name, updated_at) VALUES ('b', NULL) RETURNING id AS b \gset
INSERT INTO sources (notebook_id, name, source_type) VALUES (:'b', 's', 'text');
UPDATE notebooks SET updated_at = NULL WHERE name = 'b';
SELECT deletion_id FROM delete_notebook(:'b') \gset
SELECT count(*) FROM restore_deletion(:'deletion_id');
SELECT name, source_count, updated_at FROM notebooks WHERE name = 'b';
ROLLBACK;

-- A trigger of the user's that lets nothing in
CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT deletion_id FROM delete_notebook(:a) \gset
CREATE TRIGGER keep_out BEFORE INSERT ON notebooks FOR EACH ROW EXECUTE FUNCTION keep_out();
SELECT * FROM restore_deletion(:'deletion_id');
SELECT * FROM restore_deletion(:'deletion_id', on_name_taken => 'rename');
DROP TRIGGER keep_out ON notebooks;
CREATE TRIGGER keep_out BEFORE INSERT ON outputs FOR EACH ROW EXECUTE FUNCTION keep_out();
SELECT * FROM restore_deletion(:'deletion_id', 'keep_deleted');
DROP TRIGGER keep_out ON outputs;
CREATE TRIGGER keep_out BEFORE INSERT ON sources FOR EACH ROW EXECUTE FUNCTION keep_out();
SELECT * FROM restore_deletion(:'deletion_id');
DROP TRIGGER keep_out ON sources;
SELECT count(*) FROM restore_deletion(:'deletion_id');

-- The name is taken, above READ COMMITTED, too.
SELECT deletion_id FROM delete_notebook(:a) \gset
INSERT INTO notebooks (name) VALUES ('a');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM restore_deletion(:'deletion_id');
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT table_name, outcome FROM restore_deletion(:'deletion_id', on_name_taken => 'rename') ORDER BY 1;
ROLLBACK;
DELETE FROM notebooks;
SELECT count(*) FROM restore_deletion(:'deletion_id');

-- Rows that refer to an output
CREATE TABLE comments (output uuid REFERENCES outputs ON DELETE CASCADE);
INSERT INTO comments VALUES (:output);
SELECT delete_output(:output);
SELECT delete_notebook(:a);
TRUNCATE comments;
SELECT delete_output(:output) AS deletion_id \gset
SELECT count(*) FROM restore_deletion(:'deletion_id');

-- A key refers to a row as the operator of its type says, here in upper and lower case.
BEGIN;
CREATE TYPE code AS ENUM ('a', 'A');
CREATE FUNCTION is_same(code, code) RETURNS boolean IMMUTABLE LANGUAGE sql
    AS 'SELECT lower($1::text) = lower($2::text)';
CREATE FUNCTION compared(code, code) RETURNS integer IMMUTABLE LANGUAGE sql
    AS 'SELECT bttextcmp(lower($1::text), lower($2::text))';
CREATE OPERATOR = (FUNCTION = is_same, LEFTARG = code, RIGHTARG = code);
CREATE OPERATOR CLASS code_ops DEFAULT FOR TYPE code USING btree AS OPERATOR 3 =, FUNCTION 1 compared(code, code);
ALTER TABLE sources ADD COLUMN code code UNIQUE;
UPDATE sources SET code = 'A';
CREATE TABLE codes (code code REFERENCES sources (code) ON DELETE CASCADE);
INSERT INTO codes VALUES ('a');
SELECT * FROM preview_delete_notebook(:a) WHERE table_name ~ 'codes';
SELECT delete_notebook(:a);
ROLLBACK;

-- A foreign key between rows that come back one by one
ALTER TABLE notebooks ADD COLUMN cover uuid CONSTRAINT cover REFERENCES sources;
UPDATE notebooks SET cover = (SELECT id FROM sources);
SELECT deletion_id FROM delete_notebook(:a) \gset
\set VERBOSITY terse
SELECT count(*) FROM restore_deletion(:'deletion_id');
\set VERBOSITY default
ALTER TABLE notebooks ALTER CONSTRAINT cover DEFERRABLE;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
SELECT count(*) FROM restore_deletion(:'deletion_id');
COMMIT;
SELECT cover IS NOT NULL AS has_cover, source_count FROM notebooks;
ALTER TABLE notebooks DROP COLUMN cover;

-- The trash has an earlier row of the same id: it is not taken for the one that does not get there.
SELECT delete_output(:output) AS deletion_id \gset
INSERT INTO outputs (id, notebook_id, title) VALUES (:output, :a, 'again');
ALTER TABLE outputs DISABLE TRIGGER discovery_trash;
\set VERBOSITY terse
SELECT delete_output(:output);
\set VERBOSITY default
ALTER TABLE outputs ENABLE TRIGGER discovery_trash;
DELETE FROM outputs;
SELECT count(*) FROM restore_deletion(:'deletion_id');

-- Whoever does not see a notebook learns nothing of the rows that refer to it.
CREATE TABLE favorites (notebook uuid REFERENCES notebooks ON DELETE CASCADE);
INSERT INTO favorites VALUES (:a);
CREATE ROLE regress_discovery_obstacle;
GRANT USAGE ON SCHEMA discovery_obstacles TO regress_discovery_obstacle;
GRANT SELECT, INSERT, DELETE ON notebooks, sources, outputs TO regress_discovery_obstacle;
GRANT SELECT ON discovery_trash, discovery_deletions, deleted_notebooks, deleted_outputs TO regress_discovery_obstacle;
ALTER TABLE notebooks ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON notebooks USING (created_by = current_user);
SET ROLE regress_discovery_obstacle;
SELECT delete_notebook(:a);
SELECT * FROM preview_delete_notebook(:a);
RESET ROLE;
TRUNCATE favorites;
SELECT deletion_id FROM delete_notebook(:a) \gset
SET ROLE regress_discovery_obstacle;
SELECT (SELECT count(*) FROM discovery_trash) AS trash, (SELECT count(*) FROM deleted_notebooks) AS notebooks,
       (SELECT count(*) FROM deleted_outputs) AS outputs;
SELECT * FROM restore_deletion(:'deletion_id');
SET row_security = off;
SELECT count(*) FROM discovery_trash;
RESET row_security;
RESET ROLE;
SELECT count(*) FROM restore_deletion(:'deletion_id');
DROP OWNED BY regress_discovery_obstacle;
DROP ROLE regress_discovery_obstacle;
ALTER TABLE notebooks DISABLE ROW LEVEL SECURITY;

-- A column with a mark of our statements in its name
BEGIN;
ALTER TABLE sources ADD COLUMN "by@store@" text DEFAULT 'x', ADD COLUMN "@functions@" int DEFAULT 7;
SELECT deletion_id FROM delete_notebook(:a) \gset
SELECT count(*) FROM restore_deletion(:'deletion_id');
SELECT "by@store@", "@functions@" FROM sources;
ROLLBACK;

-- A trigger that deletes while rows come back, as part of the same deletion: what it moves to the trash stays there.
BEGIN;
INSERT INTO outputs (notebook_id, title) VALUES (:a, 'placeholder');
CREATE FUNCTION no_placeholder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM discovery_obstacles.outputs WHERE notebook_id = NEW.notebook_id AND title = 'placeholder';
    RETURN NULL;
END $$;
CREATE TRIGGER no_placeholder AFTER INSERT ON sources FOR EACH ROW EXECUTE FUNCTION no_placeholder();
SET LOCAL discovery.keep_deleted = on;
DELETE FROM sources;
SELECT table_name, outcome
    FROM restore_deletion((SELECT deletion_id FROM discovery_trash WHERE table_name = 'sources'));
SELECT table_name, name FROM discovery_trash;
SELECT count(*) FROM outputs WHERE title = 'placeholder';
ROLLBACK;

-- The owner erases beside a foreign key that is deferred.
BEGIN;
CREATE TABLE notes (source uuid REFERENCES sources DEFERRABLE INITIALLY DEFERRED);
SELECT * FROM erase_data(notebook_id => :a);
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
DROP SCHEMA discovery_obstacles CASCADE;
