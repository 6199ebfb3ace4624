-- The owner of a store's schema, who may drop any table in it, replaces outputs by a table with row security, to which
-- another one refers: none of his code runs as the owner of the store, whoever calls the functions.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_mallory;
CREATE ROLE regress_discovery_owner;
CREATE SCHEMA discovery_ext;
SET discovery.create_store = off;
CREATE EXTENSION discovery SCHEMA discovery_ext;
GRANT USAGE ON SCHEMA discovery_ext TO PUBLIC;
CREATE SCHEMA discovery_shop AUTHORIZATION regress_discovery_mallory;
GRANT ALL ON SCHEMA discovery_shop TO regress_discovery_owner;
SET search_path = discovery_shop, discovery_ext;
\set a '\'00000000-0000-4000-8000-00000000000a\''
\set b '\'00000000-0000-4000-8000-00000000000b\''
SET ROLE regress_discovery_owner;
SELECT discovery_create_store('discovery_shop') IS NOT NULL AS has_store;
INSERT INTO notebooks (id, name) VALUES (:a, 'a');
GRANT ALL ON notebooks, sources TO regress_discovery_mallory;
RESET ROLE;
CREATE TABLE model (LIKE outputs INCLUDING ALL);
GRANT SELECT ON model TO PUBLIC;

SET ROLE regress_discovery_mallory;
-- A sequence keeps its value, also after an error.
CREATE SEQUENCE runs_as_owner MINVALUE 0;
GRANT ALL ON SEQUENCE runs_as_owner TO PUBLIC;
CREATE FUNCTION evil() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'regress_discovery_owner' THEN PERFORM nextval('discovery_shop.runs_as_owner'); END IF;
    RETURN true;
END $$;
DROP TABLE outputs CASCADE;
CREATE TABLE outputs (LIKE model INCLUDING ALL);
CREATE TABLE remarks (output uuid REFERENCES outputs ON DELETE CASCADE);
INSERT INTO outputs (id, notebook_id, title, status, updated_at) VALUES (:b, :a, 'o', 'generating', '2026-01-01');
INSERT INTO remarks VALUES (:b);
ALTER TABLE outputs ENABLE ROW LEVEL SECURITY;
CREATE POLICY evil ON outputs USING (evil());
GRANT ALL ON outputs, remarks TO PUBLIC;
SELECT * FROM preview_delete_notebook(:a);
SELECT delete_notebook(:a);
RESET ROLE;
SELECT is_called AS evil_ran_as_owner FROM runs_as_owner;
-- Superusers work as the owner.
SELECT * FROM preview_delete_notebook(:a);
SELECT delete_notebook(:a);
SELECT delete_output(:b);
SELECT * FROM fail_stale_outputs();
SELECT is_called AS evil_ran_as_owner FROM runs_as_owner;
SELECT status FROM outputs;
-- The trap works.
SET ROLE regress_discovery_owner;
SELECT count(*) FROM outputs;
RESET ROLE;
SELECT is_called AS evil_ran_as_owner FROM runs_as_owner;

DROP SCHEMA discovery_shop CASCADE;
DROP SCHEMA discovery_ext CASCADE;
DROP ROLE regress_discovery_mallory;
DROP ROLE regress_discovery_owner;
