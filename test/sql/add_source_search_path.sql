-- Which store add_source() and the reports use, and that no other object in the caller's search_path takes the place of
-- theirs.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET discovery.create_store = off;
CREATE SCHEMA discovery_ext;
CREATE EXTENSION discovery SCHEMA discovery_ext;
CREATE SCHEMA "discovery Shop";
CREATE SCHEMA discovery_other;
CREATE SCHEMA discovery_trap;
DO $$ BEGIN
    PERFORM discovery_ext.discovery_create_store('discovery Shop'),
            discovery_ext.discovery_create_store('discovery_other');
END $$;
INSERT INTO "discovery Shop".notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'shop');
INSERT INTO discovery_other.notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'other');
CREATE FUNCTION discovery_trap.add(content text) RETURNS text LANGUAGE sql AS $$
    SELECT outcome FROM discovery_ext.add_source('00000000-0000-4000-8000-000000000001', 'name', 'text',
                                                 extracted_text => content) $$;
CREATE VIEW discovery_trap.shown AS
    SELECT 'shop' AS store, extracted_text FROM "discovery Shop".sources
    UNION ALL SELECT 'other', extracted_text FROM discovery_other.sources ORDER BY 1, 2;

-- No store in the search_path, and an empty search_path.
SET search_path = discovery_ext, discovery_trap;
SELECT add('x');
\echo :SQLSTATE
SET search_path = '';
SELECT discovery_trap.add('x');
\echo :SQLSTATE

-- The first store in the search_path is used; one session, which caches plans, moves between stores.
SET search_path = "discovery Shop", discovery_other, discovery_trap;
SELECT add('a'), add('a');
SET search_path = discovery_trap, discovery_other, "discovery Shop";
SELECT add('a'), add('b'), add('a');
SET search_path = "discovery Shop", discovery_trap;
SELECT add('a'), add('b');
SELECT * FROM shown;
-- The search_path of the calling function decides inside it.
ALTER FUNCTION discovery_trap.add(text) SET search_path = discovery_other;
SELECT add('a'), add('c');
ALTER FUNCTION discovery_trap.add(text) RESET search_path;
SELECT * FROM shown;

-- Tables, functions, operators and types that precede the right ones in the search_path.
CREATE TABLE discovery_trap.sources (LIKE discovery_other.sources);
CREATE TABLE discovery_trap.notebooks (LIKE discovery_other.notebooks);
CREATE TEMPORARY TABLE sources (LIKE discovery_other.sources);
DO $$
DECLARE
    left_type text; right_type text; operator text;
BEGIN
    FOR left_type, right_type IN VALUES ('uuid', 'uuid'), ('varchar', 'text'), ('varchar', 'varchar'), ('text', 'text'),
                                        ('integer', 'integer'), ('timestamp', 'timestamp') LOOP
        EXECUTE format('CREATE FUNCTION discovery_trap.trap(a %s, b %s) RETURNS boolean LANGUAGE plpgsql AS '
                       '$f$ BEGIN RAISE WARNING ''trapped''; RETURN true; END $f$', left_type, right_type);
        FOREACH operator IN ARRAY ARRAY['=', '<>', '<', '>', '+'] LOOP
            EXECUTE format('CREATE OPERATOR discovery_trap.%s '
                           '(LEFTARG = %s, RIGHTARG = %s, FUNCTION = discovery_trap.trap)',
                           operator, left_type, right_type);
        END LOOP;
    END LOOP;
END $$;
CREATE FUNCTION discovery_trap.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '1999-01-01'::timestamptz $$;
CREATE FUNCTION discovery_trap.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'trapped' $$;
CREATE FUNCTION discovery_trap.content_hash(text) RETURNS text LANGUAGE sql AS $$ SELECT 'trapped' $$;
CREATE DOMAIN discovery_trap.json AS text;
SET search_path = discovery_trap, discovery_other, pg_catalog;
SELECT discovery_trap.add('d'), discovery_trap.add('d');
UPDATE discovery_other.sources SET deleted_at = pg_catalog.now() WHERE extracted_text OPERATOR(pg_catalog.=) 'd';
SELECT discovery_trap.add('d');
SELECT * FROM discovery_ext.find_duplicate_sources();
SELECT * FROM discovery_ext.check_source_hashes();
SELECT count(*) FROM discovery_other.sources WHERE created_at OPERATOR(pg_catalog.<) '2000-01-01';
RESET search_path;
SELECT * FROM discovery_trap.shown;
SELECT name, source_count FROM discovery_other.notebooks;

-- A store is dropped and created again under the same name, in a session that has plans for the old one.
SET search_path = discovery_other, discovery_trap;
DROP SCHEMA discovery_other CASCADE;
CREATE SCHEMA discovery_other;
DO $$ BEGIN PERFORM discovery_ext.discovery_create_store('discovery_other'); END $$;
INSERT INTO discovery_other.notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'new');
SELECT discovery_trap.add('a'), discovery_trap.add('a');
-- A store is renamed.
ALTER SCHEMA discovery_other RENAME TO discovery_renamed;
SELECT discovery_trap.add('a');
\echo :SQLSTATE
SET search_path = discovery_renamed, discovery_trap;
SELECT discovery_trap.add('a');
-- The extension cannot move to another schema: it is not relocatable.
ALTER EXTENSION discovery SET SCHEMA discovery_trap;
\echo :SQLSTATE

RESET search_path;
DROP TABLE pg_temp.sources;
DROP SCHEMA discovery_trap, "discovery Shop", discovery_renamed, discovery_ext CASCADE;
