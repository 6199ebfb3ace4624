-- The planner evaluates functions in the predicates of partial indexes. A table of another role that refers to
-- notebooks has such an index: what refers to a notebook is counted with the rights of that role, not of the store's
-- owner, who is a superuser here.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_mallory;
CREATE SCHEMA discovery_planted;
CREATE EXTENSION discovery SCHEMA discovery_planted;
GRANT USAGE ON SCHEMA discovery_planted TO PUBLIC;
\set a '\'00000000-0000-4000-8000-00000000000a\''
INSERT INTO discovery_planted.notebooks (id, name) VALUES (:a, 'a');
INSERT INTO discovery_planted.sources (notebook_id, name, source_type) VALUES (:a, 's1', 'file'), (:a, 's2', 'file');
GRANT REFERENCES, SELECT ON discovery_planted.notebooks, discovery_planted.sources TO regress_discovery_mallory;
CREATE SCHEMA discovery_shop AUTHORIZATION regress_discovery_mallory;
SET search_path = discovery_shop;
SET ROLE regress_discovery_mallory;
CREATE SEQUENCE runs_as_other MINVALUE 0;
GRANT ALL ON SEQUENCE runs_as_other TO PUBLIC;
CREATE SEQUENCE runs MINVALUE 0;
CREATE FUNCTION tell() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'regress_discovery_mallory' THEN PERFORM nextval('discovery_shop.runs_as_other');
    ELSE PERFORM nextval('discovery_shop.runs'); END IF;
END $$;
CREATE FUNCTION evil() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM discovery_shop.tell(); RETURN true; END $$;
CREATE TABLE remarks (notebook uuid REFERENCES discovery_planted.notebooks ON DELETE CASCADE,
                      source uuid REFERENCES discovery_planted.sources ON DELETE CASCADE);
CREATE INDEX ON remarks (notebook) WHERE evil();
GRANT USAGE ON SCHEMA discovery_shop TO PUBLIC;
GRANT SELECT ON remarks TO PUBLIC;
RESET ROLE;
SELECT setval('discovery_shop.runs', 0, false) AS none_yet;
\c -
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET search_path = discovery_planted;
SELECT table_name, rows, effect FROM preview_delete_notebook(:a);
SELECT sources, outputs FROM delete_notebook(:a);
SELECT is_called AS evil_ran_as_another FROM discovery_shop.runs_as_other;
SELECT is_called AS evil_ran FROM discovery_shop.runs;
-- The rows are counted, also by a key of several columns.
SELECT table_name, outcome FROM restore_deletion((SELECT deletion_id FROM deleted_notebooks)) ORDER BY 1, 2;
ALTER TABLE sources ADD UNIQUE (notebook_id, name);
GRANT REFERENCES ON sources TO regress_discovery_mallory;
SET ROLE regress_discovery_mallory;
CREATE TABLE discovery_shop.quotes (notebook uuid, name varchar, FOREIGN KEY (notebook, name)
    REFERENCES discovery_planted.sources (notebook_id, name) ON DELETE SET NULL);
INSERT INTO discovery_shop.remarks VALUES (:a, NULL), (:a, NULL);
INSERT INTO discovery_shop.remarks SELECT NULL, id FROM sources;
INSERT INTO discovery_shop.quotes VALUES (:a, 's1'), (:a, 's1'), (:a, 's2'), (:a, NULL);
GRANT SELECT ON discovery_shop.quotes TO PUBLIC;
RESET ROLE;
SELECT table_name, rows, effect FROM preview_delete_notebook(:a);
SELECT delete_notebook(:a);
SELECT is_called AS evil_ran_as_another FROM discovery_shop.runs_as_other;
-- The trap works.
SELECT count(*) FROM discovery_shop.remarks WHERE notebook = :a;
SELECT is_called AS evil_ran_as_another FROM discovery_shop.runs_as_other;
DROP SCHEMA discovery_shop, discovery_planted CASCADE;
DROP ROLE regress_discovery_mallory;
