-- add_source() looks into the two indexes by itself, and leaves out the queries where they have no entry. It asks as
-- before where an index is not as the store makes it, or where the caller may not read all columns.
SET client_min_messages = warning;
CREATE SCHEMA discovery_probe;
CREATE EXTENSION discovery SCHEMA discovery_probe;
SET search_path = discovery_probe;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'n');
CREATE FUNCTION add(text) RETURNS text LANGUAGE sql AS
    $$ SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000001', $1, 'text', extracted_text => $1) $$;
SELECT add('a'), add('a'), add('b');
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources));
-- An index without the entry of a deleted source
DROP INDEX ix_sources_deleted_hash;
SELECT add('a');
CREATE INDEX ix_sources_deleted_hash ON sources (notebook_id, content_hash)
    WHERE deleted_at IS NOT NULL AND content_hash <> '' AND name <> 'b';
SELECT add('b');
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources));
DROP INDEX ix_sources_deleted_hash;
CREATE INDEX ix_sources_deleted_hash ON sources (content_hash, notebook_id)
    WHERE deleted_at IS NOT NULL AND content_hash <> '';
SELECT add('b');
DROP INDEX ix_sources_deleted_hash;
CREATE INDEX ix_sources_deleted_hash ON notebooks (name);
SELECT add('a');
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources));
DROP INDEX ix_sources_deleted_hash;
CREATE INDEX ix_sources_deleted_hash ON sources (notebook_id, content_hash)
    WHERE deleted_at IS NOT NULL AND content_hash <> '';
SELECT add('a'), add('b'), add('c');
-- What the transaction itself has just written, in one statement and in several
BEGIN;
SELECT add('d'), add('d'), deleted, add('d') FROM delete_source((SELECT id FROM sources WHERE name = 'c'));
INSERT INTO sources (notebook_id, name, source_type, extracted_text)
    VALUES ('00000000-0000-4000-8000-000000000001', 'e', 'text', 'e');
SELECT add('e'), add('c');
ROLLBACK;
-- Some columns are enough, as for the query.
CREATE ROLE regress_discovery_probe;
GRANT USAGE ON SCHEMA discovery_probe TO regress_discovery_probe;
GRANT INSERT, SELECT (id, name, notebook_id, content_hash, deleted_at) ON sources TO regress_discovery_probe;
SET ROLE regress_discovery_probe;
SELECT add('a'), add('f'), add('f');
RESET ROLE;
REVOKE SELECT (name) ON sources FROM regress_discovery_probe;
SET ROLE regress_discovery_probe;
\set SHOW_CONTEXT never
SELECT add('g');
RESET ROLE;
SELECT name, deleted_at IS NULL AS lives FROM sources ORDER BY name, 2;
DROP SCHEMA discovery_probe CASCADE;
DROP ROLE regress_discovery_probe;
