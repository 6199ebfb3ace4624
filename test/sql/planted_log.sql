-- The owner of a store's schema, who may drop any table in it, replaces the deletion log: none of his code runs as
-- the owner of the store, in any of the functions that read or write the log with that owner's rights.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_mallory;
CREATE SCHEMA discovery_shop AUTHORIZATION regress_discovery_mallory;
CREATE EXTENSION discovery SCHEMA discovery_shop;
SET search_path = discovery_shop;
GRANT ALL ON notebooks, sources TO regress_discovery_mallory;
INSERT INTO notebooks (name) VALUES ('Notebook');
INSERT INTO sources (notebook_id, name, source_type, extracted_text, deleted_at)
    SELECT id, 'Source', 'text', 'text', now() FROM notebooks;

SET ROLE regress_discovery_mallory;
-- A sequence keeps its value, also after an error.
CREATE SEQUENCE runs_as_other MINVALUE 0;
GRANT ALL ON SEQUENCE runs_as_other TO PUBLIC;
CREATE FUNCTION evil() RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'regress_discovery_mallory' THEN PERFORM nextval('discovery_shop.runs_as_other'); END IF;
    RETURN '00000000-0000-4000-8000-000000000001';
END $$;
DROP TABLE discovery_deletions CASCADE;
CREATE VIEW discovery_deletions AS SELECT evil() AS id, now() - interval '1 year' AS deleted_at;
GRANT ALL ON discovery_deletions TO PUBLIC;
SELECT * FROM restore_sources('00000000-0000-4000-8000-000000000001');
\echo :SQLSTATE
SELECT * FROM preview_restore('00000000-0000-4000-8000-000000000001');
\echo :SQLSTATE
SELECT count(*) FROM purge_deleted_sources('0 days');
\echo :SQLSTATE

-- A table with a trigger in place of the log
DROP VIEW discovery_deletions;
CREATE TABLE discovery_deletions (id uuid, deleted_at timestamptz);
INSERT INTO discovery_deletions VALUES ('00000000-0000-4000-8000-000000000001', '2020-01-01');
CREATE FUNCTION evil_row() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM discovery_shop.evil(); RETURN old; END $$;
CREATE TRIGGER evil BEFORE DELETE ON discovery_deletions FOR EACH ROW EXECUTE FUNCTION evil_row();
GRANT ALL ON discovery_deletions TO PUBLIC;
SELECT count(*) FROM purge_deleted_sources('0 days');
\echo :SQLSTATE
SELECT is_called AS evil_ran_as_another FROM runs_as_other;
RESET ROLE;
SELECT name FROM sources;

DROP SCHEMA discovery_shop CASCADE;
DROP ROLE regress_discovery_mallory;
