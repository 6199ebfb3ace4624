-- A call whose function is replaced while it runs: by an argument here, otherwise by an update of the extension in
-- another session, for which the call or an argument waits. It ends as it would have.
SET client_min_messages = warning;
CREATE SCHEMA discovery_replaced;
CREATE EXTENSION discovery SCHEMA discovery_replaced;
SET search_path = discovery_replaced, public;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Notes');
CREATE FUNCTION swap(id text) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    ALTER EXTENSION discovery UPDATE TO '1.0';
    ALTER EXTENSION discovery UPDATE TO '1.1';
    RETURN id;
END $$;
SELECT outcome FROM add_source(swap('00000000-0000-4000-8000-000000000001'), 'a', 'text', extracted_text => 'a');
SELECT (add_source(swap('00000000-0000-4000-8000-000000000001'), 'b', 'text', extracted_text => 'b')).outcome;
SELECT number, outcome FROM add_sources(swap('00000000-0000-4000-8000-000000000001'),
    '[{"name": "c", "source_type": "text", "extracted_text": "c"}]');
SELECT id AS a FROM sources WHERE name = 'a' \gset
SELECT deletion_id IS NOT NULL AS has_deletion, deleted FROM delete_source(swap(:'a'));
SELECT name, source_count FROM notebooks;
DROP EXTENSION discovery CASCADE;
DROP SCHEMA discovery_replaced CASCADE;
