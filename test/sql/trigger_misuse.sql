-- The store's trigger functions are called in wrong ways, and another role uses them in triggers on tables of its
-- own, of any shape: they raise a clear error, never crash, and do nothing that the role could not do anyway. Nor can
-- the owner of a store's schema replace the deletion log.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_mallory;
CREATE SCHEMA discovery_ext;
CREATE EXTENSION discovery SCHEMA discovery_ext;
GRANT USAGE ON SCHEMA discovery_ext TO PUBLIC;
CREATE SCHEMA discovery_mallory AUTHORIZATION regress_discovery_mallory;
INSERT INTO discovery_ext.notebooks (id, name, updated_at)
    VALUES ('00000000-0000-4000-8000-00000000000a', 'victim', '2020-01-01');
INSERT INTO discovery_ext.sources (notebook_id, name, source_type, created_at, updated_at)
    VALUES ('00000000-0000-4000-8000-00000000000a', 'victim', 'text', '2020-01-01', '2020-01-01');
CREATE VIEW discovery_ext.victim AS
    SELECT source_count, updated_at = '2020-01-01' AS untouched FROM discovery_ext.notebooks;

-- Wrong calls, on tables with the right columns
SET ROLE regress_discovery_mallory;
SET search_path = discovery_mallory, discovery_ext;
SELECT discovery_ext.discovery_source_row();
\echo :SQLSTATE
CREATE TABLE books (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), source_count int DEFAULT 0, updated_at timestamp);
CREATE TABLE rows (id uuid DEFAULT gen_random_uuid(), notebook_id uuid REFERENCES books, source_type text,
                   extracted_text text DEFAULT '', content_hash text, created_at timestamp, updated_at timestamp,
                   deleted_at timestamp, deletion_id uuid);
INSERT INTO books DEFAULT VALUES;
INSERT INTO rows (source_type) VALUES ('text');
CREATE PROCEDURE try(definition text, statement text) LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE 'CREATE TRIGGER planted ' || definition;
    BEGIN
        EXECUTE statement;
        RAISE EXCEPTION USING MESSAGE = 'done', ERRCODE = '00001';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        RAISE WARNING '%: %', SQLSTATE, concat_ws(' HINT: ', SQLERRM, nullif(hint, ''));
    END;
    EXECUTE 'DROP TRIGGER planted ON ' || substring(definition FROM ' ON (\w+)');
END $$;
CALL try('BEFORE DELETE ON rows FOR EACH ROW EXECUTE FUNCTION discovery_source_row()', 'DELETE FROM rows');
CALL try('AFTER UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION discovery_source_row()', 'UPDATE rows SET id = id');
CALL try('BEFORE UPDATE ON rows FOR EACH STATEMENT EXECUTE FUNCTION discovery_source_row()', 'UPDATE rows SET id = id');
CALL try('BEFORE TRUNCATE ON rows FOR EACH STATEMENT EXECUTE FUNCTION discovery_source_row()', 'TRUNCATE rows');
CALL try('BEFORE DELETE ON books FOR EACH ROW EXECUTE FUNCTION discovery_notebook_row()', 'DELETE FROM books');
CALL try('AFTER INSERT ON books FOR EACH ROW EXECUTE FUNCTION discovery_notebook_row()',
         'INSERT INTO books DEFAULT VALUES');
CALL try('AFTER DELETE ON rows FOR EACH ROW EXECUTE FUNCTION discovery_source_statement()', 'DELETE FROM rows');
CALL try('BEFORE DELETE ON rows FOR EACH STATEMENT EXECUTE FUNCTION discovery_source_statement()', 'DELETE FROM rows');
CALL try('BEFORE DELETE ON rows FOR EACH ROW EXECUTE FUNCTION discovery_source_change()', 'DELETE FROM rows');
CALL try('AFTER DELETE ON rows FOR EACH STATEMENT EXECUTE FUNCTION discovery_source_change()', 'DELETE FROM rows');
-- One of the two triggers without the other counts nothing, so it needs no count column and raises no error.
CALL try('AFTER INSERT ON rows FOR EACH ROW EXECUTE FUNCTION discovery_source_change()',
         'INSERT INTO rows DEFAULT VALUES');
CALL try('AFTER INSERT ON rows FOR EACH STATEMENT EXECUTE FUNCTION discovery_source_statement()',
         'INSERT INTO rows DEFAULT VALUES');
CREATE VIEW seen AS SELECT * FROM rows;
CALL try('INSTEAD OF INSERT ON seen FOR EACH ROW EXECUTE FUNCTION discovery_source_row()',
         'INSERT INTO seen (id) VALUES (NULL)');
DROP VIEW seen;
-- NULL in all columns does not crash either.
CALL try('BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION discovery_source_row()',
         'INSERT INTO rows SELECT FROM (VALUES (1)) AS one; INSERT INTO rows (extracted_text, id) VALUES (NULL, NULL)');
CALL try('BEFORE INSERT OR UPDATE ON books FOR EACH ROW EXECUTE FUNCTION discovery_notebook_row()',
         'UPDATE books SET source_count = NULL, updated_at = NULL');

-- Columns that do not exist or have another type, in the trigger's own table and in the notebooks
CREATE PROCEDURE try_with(change text, definition text, statement text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'ALTER TABLE ' || change;
    CALL try(definition, statement);
    RAISE EXCEPTION USING ERRCODE = '00001';
EXCEPTION WHEN SQLSTATE '00001' THEN
    NULL;  -- the change is undone
END $$;
CREATE PROCEDURE try_row(change text) LANGUAGE sql AS $$
    CALL try_with('rows ' || change, 'BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION discovery_source_row()',
                  'INSERT INTO rows (id) VALUES (NULL)') $$;
CREATE TRIGGER planted_statement AFTER DELETE ON rows FOR EACH STATEMENT EXECUTE FUNCTION discovery_source_statement();
CREATE PROCEDURE try_change(change text) LANGUAGE sql AS $$
    CALL try_with(change, 'AFTER DELETE ON rows FOR EACH ROW EXECUTE FUNCTION discovery_source_change()',
                  'DELETE FROM rows') $$;
CREATE PROCEDURE try_book(change text) LANGUAGE sql AS $$
    CALL try_with('books ' || change,
                  'BEFORE INSERT OR UPDATE ON books FOR EACH ROW EXECUTE FUNCTION discovery_notebook_row()',
                  'UPDATE books SET updated_at = ''2020-01-01''') $$;
CALL try_row('DROP COLUMN content_hash');
CALL try_row('RENAME COLUMN extracted_text TO text');
CALL try_row('ALTER COLUMN extracted_text DROP DEFAULT, ALTER COLUMN extracted_text TYPE int USING 5');
CALL try_row('ALTER COLUMN deletion_id TYPE int USING 5');
CALL try_row('ALTER COLUMN deleted_at TYPE text');
CALL try_change('rows DROP COLUMN deleted_at');
CALL try_change('rows ALTER COLUMN deleted_at TYPE timestamptz');
CALL try_change('rows DROP CONSTRAINT rows_notebook_id_fkey, ALTER COLUMN notebook_id TYPE int USING 5');
CALL try_book('RENAME COLUMN source_count TO sources');
CALL try_book('ALTER COLUMN source_count DROP DEFAULT, ALTER COLUMN source_count TYPE text');
CALL try_book('ALTER COLUMN updated_at TYPE text');
-- Domains are treated as their base types, and varchar as text.
CREATE DOMAIN hash AS varchar(64);
CALL try_row('ALTER COLUMN content_hash TYPE hash');
-- No foreign key, or a foreign key to a table that is no notebooks
UPDATE rows SET notebook_id = books.id FROM books;
CALL try_change('rows DROP CONSTRAINT rows_notebook_id_fkey');
CALL try_change('books DROP COLUMN source_count');

-- A table of mallory's refers to the victim's notebooks: neither with REFERENCES nor with UPDATE, too, can mallory
-- change a count or a timestamp through it.
RESET ROLE;
GRANT REFERENCES, SELECT ON discovery_ext.notebooks TO regress_discovery_mallory;
SET ROLE regress_discovery_mallory;
CREATE TABLE spy (notebook_id uuid REFERENCES discovery_ext.notebooks, created_at timestamp DEFAULT '3000-01-01',
                  updated_at timestamp, deleted_at timestamp, deletion_id uuid);
CREATE TRIGGER planted AFTER INSERT ON spy FOR EACH ROW EXECUTE FUNCTION discovery_source_change();
CREATE TRIGGER planted_too AFTER INSERT OR TRUNCATE ON spy
    FOR EACH STATEMENT EXECUTE FUNCTION discovery_source_statement();
INSERT INTO spy (notebook_id) VALUES ('00000000-0000-4000-8000-00000000000a');
\echo :SQLSTATE
TRUNCATE spy;
\echo :SQLSTATE
RESET ROLE;
GRANT UPDATE ON discovery_ext.notebooks TO regress_discovery_mallory;
SET ROLE regress_discovery_mallory;
INSERT INTO spy (notebook_id) VALUES ('00000000-0000-4000-8000-00000000000a');
\echo :SQLSTATE
TRUNCATE spy;
\echo :SQLSTATE
UPDATE discovery_ext.notebooks SET source_count = 0, updated_at = updated_at;
RESET ROLE;
TABLE discovery_ext.victim;
-- Another role writes into mallory's table: the trigger acts as mallory.
GRANT INSERT ON discovery_mallory.spy TO PUBLIC;
INSERT INTO discovery_mallory.spy (notebook_id) VALUES ('00000000-0000-4000-8000-00000000000a');
\echo :SQLSTATE
TABLE discovery_ext.victim;

-- The tables of a store have different owners: triggers of one owner would run with the rights of the other.
BEGIN;
ALTER TABLE discovery_ext.notebooks OWNER TO regress_discovery_mallory;
INSERT INTO discovery_ext.sources (notebook_id, name, source_type)
    VALUES ('00000000-0000-4000-8000-00000000000a', 'new', 'text');
\echo :SQLSTATE
ROLLBACK;

-- The owner of the schema may drop a table in it. Its own table in place of the log is not used: a trigger on it
-- would run as the owner of the sources.
CREATE SCHEMA discovery_rented AUTHORIZATION regress_discovery_mallory;
SELECT discovery_ext.discovery_create_store('discovery_rented');
INSERT INTO discovery_rented.notebooks (name) VALUES ('a');
INSERT INTO discovery_rented.sources (notebook_id, name, source_type)
    SELECT id, 'one', 'text' FROM discovery_rented.notebooks;
SET ROLE regress_discovery_mallory;
CREATE SEQUENCE runs_as_other;
GRANT ALL ON SEQUENCE runs_as_other TO PUBLIC;
CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'regress_discovery_mallory' THEN
        PERFORM nextval('discovery_mallory.runs_as_other');
    END IF;
    RETURN new;
END $$;
DROP TABLE discovery_rented.discovery_deletions CASCADE;
CREATE TABLE discovery_rented.discovery_deletions
    (id uuid PRIMARY KEY, login_role text, acting_role text, reason text, sources bigint);
CREATE TRIGGER evil BEFORE INSERT ON discovery_rented.discovery_deletions FOR EACH ROW EXECUTE FUNCTION evil();
GRANT ALL ON discovery_rented.discovery_deletions TO PUBLIC;
RESET ROLE;
UPDATE discovery_rented.sources SET deleted_at = '2020-01-01';
\echo :SQLSTATE
DROP TABLE discovery_rented.discovery_deletions;
UPDATE discovery_rented.sources SET deleted_at = '2020-01-01';
\echo :SQLSTATE
SELECT is_called AS evil_ran_as_another FROM discovery_mallory.runs_as_other;
-- A statement that soft-deletes nothing needs no log.
UPDATE discovery_rented.sources SET name = 'renamed';
DELETE FROM discovery_rented.sources;
SELECT source_count FROM discovery_rented.notebooks;

RESET search_path;
DROP SCHEMA discovery_rented, discovery_mallory, discovery_ext CASCADE;
DROP ROLE regress_discovery_mallory;
