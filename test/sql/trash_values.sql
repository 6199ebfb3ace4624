-- What goes to the trash comes back with the same values, of whatever type: as the type itself reads them, not as a
-- cast from text does, which knows no regclass '-', nor the number of a table that is gone. And an update of a row is
-- noticed, whatever values its columns have.
SET client_min_messages = warning;
CREATE SCHEMA discovery_values;
CREATE EXTENSION discovery SCHEMA discovery_values;
SET search_path = discovery_values;
\set SHOW_CONTEXT never
\set a '\'00000000-0000-4000-8000-00000000000a\''
CREATE TABLE gone ();
CREATE DOMAIN relation AS regclass;
CREATE DOMAIN relation_again AS relation;
ALTER TABLE outputs ADD COLUMN nothing regclass, ADD COLUMN stays regclass, ADD COLUMN is_gone regclass,
    ADD COLUMN domain relation_again, ADD COLUMN one "char", ADD COLUMN label name, ADD COLUMN document xml,
    ADD COLUMN several regclass[], ADD COLUMN empty regclass;
INSERT INTO notebooks (id, name) VALUES (:a, 'a');
INSERT INTO outputs (notebook_id, title, nothing, stays, is_gone, domain, one, label, document, several)
    VALUES (:a, 'o', '-', 'outputs', 'gone', '-', '"', E'{"a\\,b" NULL}', 'x<y a="\">&amp;</y>', '{-,notebooks}');
CREATE TABLE before AS SELECT * FROM outputs;
SELECT 'gone'::regclass::oid AS gone \gset
DROP TABLE gone;
SELECT delete_output((SELECT id FROM outputs)) AS deletion \gset
SELECT outcome FROM restore_deletion(:'deletion');
SELECT nothing, stays, is_gone::oid = :gone AS is_gone, domain, one, label, document, several, empty FROM outputs;
SELECT before.*::text = outputs.*::text AS is_same FROM before, outputs;
-- What the type cannot read any longer
CREATE TABLE soon ();
UPDATE outputs SET stays = 'soon';
SELECT delete_output((SELECT id FROM outputs)) AS deletion \gset
DROP TABLE soon;
SELECT outcome FROM restore_deletion(:'deletion');
SELECT title FROM deleted_outputs;

-- A table with a generated column, and json that jsonb does not take
CREATE FUNCTION touched(relation regclass) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    found_one boolean;
BEGIN
    EXECUTE format('SELECT updated_at > %L FROM %s', '2001-01-01', relation) INTO found_one;
    EXECUTE format('UPDATE %s SET updated_at = %L', relation, '2000-01-01');
    RETURN found_one;
END $$;
ALTER TABLE notebooks ADD COLUMN json json, ADD COLUMN size integer GENERATED ALWAYS AS (length(name)) STORED;
ALTER TABLE sources ADD COLUMN size integer GENERATED ALWAYS AS (length(name)) STORED;
ALTER TABLE outputs ADD COLUMN size integer GENERATED ALWAYS AS (length(title)) STORED;
INSERT INTO sources (notebook_id, name, source_type, source_metadata) VALUES (:a, 's', 'file', '"\u0000"');
INSERT INTO outputs (notebook_id, title, output_metadata) VALUES (:a, 'o', '"\u0000"');
UPDATE notebooks SET json = '"\u0000"';
SELECT relation, touched(relation) FROM unnest('{outputs,sources,notebooks}'::regclass[]) AS relation;
UPDATE sources SET file_size = 7;
UPDATE outputs SET word_count = 7;
UPDATE notebooks SET description = 'x';
SELECT relation, touched(relation) FROM unnest('{outputs,sources,notebooks}'::regclass[]) AS relation;
UPDATE sources SET source_metadata = '"\u0000 "';
UPDATE outputs SET output_metadata = '"\u0000 "';
UPDATE notebooks SET json = '"\u0000 "';
SELECT relation, touched(relation) FROM unnest('{outputs,sources,notebooks}'::regclass[]) AS relation;
-- Nothing has changed.
UPDATE sources SET source_metadata = source_metadata;
UPDATE outputs SET output_metadata = output_metadata;
UPDATE notebooks SET source_count = 5, output_count = 5;
SELECT relation, touched(relation) FROM unnest('{outputs,sources,notebooks}'::regclass[]) AS relation;
DROP SCHEMA discovery_values CASCADE;
