-- Who may do what with the trash, and rows of users' tables that refer to what goes there.
SET client_min_messages = warning;
CREATE SCHEMA discovery_trash_rights;
CREATE EXTENSION discovery SCHEMA discovery_trash_rights;
SET search_path = discovery_trash_rights;
\set SHOW_CONTEXT never
\set a '\'00000000-0000-4000-8000-00000000000a\''
INSERT INTO notebooks (id, name) VALUES (:a, 'a');
INSERT INTO sources (notebook_id, name, source_type, extracted_text) VALUES (:a, 's', 'text', 's');
INSERT INTO outputs (notebook_id, title) VALUES (:a, 'o');
CREATE ROLE regress_discovery_trash;
GRANT USAGE ON SCHEMA discovery_trash_rights TO regress_discovery_trash;
GRANT SELECT, DELETE ON notebooks TO regress_discovery_trash;

-- As by a foreign key, who may delete a notebook deletes what is in it. The trash is the owner's.
SET ROLE regress_discovery_trash;
SELECT sources, outputs FROM delete_notebook(:a, 'mine');
SELECT * FROM deleted_notebooks;
SELECT * FROM discovery_trash;
SELECT * FROM purge_trash();
RESET ROLE;
SELECT acting_role = 'regress_discovery_trash' AS is_told FROM discovery_deletions;
SELECT id FROM discovery_deletions \gset
-- To restore takes the right to insert.
SET ROLE regress_discovery_trash;
SELECT * FROM restore_deletion(:'id');
\set VERBOSITY sqlstate
SELECT * FROM erase_data(:a);
\set VERBOSITY default
RESET ROLE;
-- Who lacks it learns nothing of what is there, whatever else stands in the way.
BEGIN;
ALTER TABLE notebooks ADD COLUMN secret text;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-00000000000b', 'b');
INSERT INTO outputs (id, notebook_id, title)
    VALUES ('00000000-0000-4000-a000-000000000001', '00000000-0000-4000-8000-00000000000b', 'secret');
SELECT delete_output('00000000-0000-4000-a000-000000000001') AS output \gset
SELECT deletion_id AS notebook FROM delete_notebook('00000000-0000-4000-8000-00000000000b') \gset
ALTER TABLE notebooks DROP COLUMN secret;
SET LOCAL ROLE regress_discovery_trash;
SAVEPOINT before;
SELECT * FROM restore_deletion(:'notebook');
ROLLBACK TO before;
SELECT * FROM restore_deletion(:'output');
ROLLBACK;
GRANT SELECT, INSERT, UPDATE ON notebooks, sources, outputs TO regress_discovery_trash;
GRANT SELECT ON discovery_trash, discovery_deletions, deleted_notebooks TO regress_discovery_trash;
-- Whoever row security keeps from rows of a table keeps them in the trash, too.
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON sources USING (name = 'mine');
SET ROLE regress_discovery_trash;
SELECT * FROM restore_deletion(:'id');
SELECT name FROM deleted_notebooks;
RESET ROLE;
ALTER TABLE sources DISABLE ROW LEVEL SECURITY;
SET ROLE regress_discovery_trash;
SELECT name FROM deleted_notebooks;
SELECT table_name, outcome FROM restore_deletion(:'id');
RESET ROLE;
SELECT name, source_count, output_count FROM notebooks;

-- Rows of other tables
CREATE TABLE remarks (source uuid REFERENCES sources ON DELETE CASCADE, text text);
CREATE TABLE favorites (notebook uuid REFERENCES notebooks ON DELETE SET NULL);
CREATE TABLE contracts (notebook uuid REFERENCES notebooks);
SELECT * FROM preview_delete_notebook(:a) WHERE table_name !~ '^(notebooks|sources|outputs)$';
INSERT INTO remarks SELECT id, 'good' FROM sources;
INSERT INTO favorites VALUES (:a), (NULL);
INSERT INTO contracts VALUES (:a);
SELECT * FROM preview_delete_notebook(:a) WHERE table_name !~ '^(notebooks|sources|outputs)$';
SELECT delete_notebook(:a);
TRUNCATE favorites;
SELECT delete_notebook(:a);
TRUNCATE remarks;
SELECT delete_notebook(:a);
TRUNCATE contracts;
-- A trigger of the user's that keeps the notebook
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE DELETE ON notebooks FOR EACH ROW EXECUTE FUNCTION keep();
SELECT delete_notebook(:a);
DROP TRIGGER keep ON notebooks;
SELECT sources FROM delete_notebook(:a);
-- A foreign key of the user's that the row would break
SELECT deletion_id FROM deleted_notebooks \gset
CREATE TABLE people (name varchar PRIMARY KEY);
ALTER TABLE notebooks ADD FOREIGN KEY (created_by) REFERENCES people;
SELECT * FROM restore_deletion(:'deletion_id');
DROP OWNED BY regress_discovery_trash;
DROP ROLE regress_discovery_trash;
DROP SCHEMA discovery_trash_rights CASCADE;
