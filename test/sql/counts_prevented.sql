-- A trigger or rule of the user's that keeps a notebook from being updated makes no count wrong: what would change the
-- count is refused.
SET client_min_messages = warning;
CREATE SCHEMA discovery_prevented;
CREATE EXTENSION discovery SCHEMA discovery_prevented;
SET search_path = discovery_prevented, public;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-00000000000a', 'a');
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text)
    SELECT ('00000000-0000-4000-8000-00000000001' || n)::uuid, '00000000-0000-4000-8000-00000000000a', n, 'text', n
    FROM generate_series(1, 3) AS n;
CREATE FUNCTION prevent() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER prevent BEFORE UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION prevent();
\set SHOW_CONTEXT never
INSERT INTO sources (notebook_id, name, source_type, extracted_text)
    VALUES ('00000000-0000-4000-8000-00000000000a', 'x', 'text', 'x');
\echo :SQLSTATE
DELETE FROM sources WHERE name = '1';
SELECT deleted FROM delete_source('00000000-0000-4000-8000-000000000011');
-- What changes no count is allowed.
UPDATE sources SET name = 'one' WHERE name = '1';
ALTER TABLE notebooks DISABLE TRIGGER prevent;
CREATE RULE prevent AS ON UPDATE TO notebooks DO INSTEAD NOTHING;
DELETE FROM sources WHERE name = 'one';
DROP RULE prevent ON notebooks;
DELETE FROM sources WHERE name = 'one';
SELECT source_count, (SELECT count(*) FROM sources) AS sources FROM notebooks;
SELECT * FROM check_source_counts();
DROP SCHEMA discovery_prevented CASCADE;
