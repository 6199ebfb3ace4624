-- Counts are kept with the rights of the sources' owner: a writer needs no right on notebooks, row-level security
-- hides no row from the counting (also with FORCE), and neither the search_path nor the store's schema matters. The
-- log of deletions needs no right either.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_owner;
CREATE ROLE regress_discovery_writer;
CREATE SCHEMA discovery_ext;
CREATE EXTENSION discovery SCHEMA discovery_ext;
CREATE SCHEMA "Discovery Two" AUTHORIZATION regress_discovery_owner;
GRANT USAGE ON SCHEMA discovery_ext, "Discovery Two" TO PUBLIC;
SET ROLE regress_discovery_owner;
SELECT discovery_ext.discovery_create_store('Discovery Two');
INSERT INTO "Discovery Two".notebooks (id, name)
    SELECT ('00000000-0000-4000-8000-00000000000' || name)::uuid, name FROM unnest(ARRAY['a', 'b']) AS name;
RESET ROLE;
INSERT INTO discovery_ext.notebooks SELECT * FROM "Discovery Two".notebooks;
CREATE VIEW discovery_ext.counts AS
    SELECT 'one' AS store, name, source_count FROM discovery_ext.notebooks
    UNION ALL SELECT 'two', name, source_count FROM "Discovery Two".notebooks ORDER BY store, name;

-- A writer that has only INSERT, on some columns; only UPDATE of the columns that a soft delete needs; only DELETE.
-- It has no right on notebooks, and its own objects with the same names, first in its search_path, are not used.
GRANT INSERT (notebook_id, name, source_type) ON "Discovery Two".sources TO regress_discovery_writer;
CREATE SCHEMA discovery_own AUTHORIZATION regress_discovery_writer;
SET ROLE regress_discovery_writer;
CREATE TABLE discovery_own.notebooks (id uuid, source_count int, updated_at timestamp);
CREATE TABLE discovery_own.discovery_deletions (id uuid);
CREATE FUNCTION discovery_own.seven(int, int) RETURNS int LANGUAGE sql AS 'SELECT 7';
CREATE OPERATOR discovery_own.+ (LEFTARG = int, RIGHTARG = int, FUNCTION = discovery_own.seven);
CREATE FUNCTION discovery_own.never(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR discovery_own.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = discovery_own.never);
SET search_path = discovery_own, pg_catalog;
INSERT INTO "Discovery Two".sources (notebook_id, name, source_type)
    SELECT ('00000000-0000-4000-8000-00000000000' || letter)::uuid, letter || number, 'text'
    FROM unnest(ARRAY['a', 'b', 'a']) AS letter, generate_series(1, 2) AS number;
RESET ROLE;
TABLE discovery_ext.counts;
GRANT UPDATE (deleted_at), SELECT (name, deleted_at) ON "Discovery Two".sources TO regress_discovery_writer;
SET ROLE regress_discovery_writer;
UPDATE "Discovery Two".sources SET deleted_at = '2020-01-01' WHERE name = 'a1';
RESET ROLE;
TABLE discovery_ext.counts;
SELECT acting_role, sources FROM "Discovery Two".discovery_deletions;
REVOKE ALL ON "Discovery Two".sources FROM regress_discovery_writer;
GRANT DELETE, SELECT (name) ON "Discovery Two".sources TO regress_discovery_writer;
SET ROLE regress_discovery_writer;
DELETE FROM "Discovery Two".sources WHERE name = 'a2';
-- These writes give the writer no right to read.
SELECT FROM "Discovery Two".notebooks;
SELECT FROM "Discovery Two".discovery_deletions;
RESET ROLE;
TABLE discovery_ext.counts;
GRANT TRUNCATE ON "Discovery Two".sources TO regress_discovery_writer;
BEGIN;
SET LOCAL ROLE regress_discovery_writer;
TRUNCATE "Discovery Two".sources;
RESET ROLE;
TABLE discovery_ext.counts;
ROLLBACK;

-- Row-level security, with FORCE, on all tables: the writer sees its own sources and the soft-deleted ones, and no
-- notebook; the owner itself sees nothing.
RESET search_path;
REVOKE ALL ON "Discovery Two".sources FROM regress_discovery_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON "Discovery Two".sources TO regress_discovery_writer;
ALTER TABLE "Discovery Two".sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Discovery Two".sources FORCE ROW LEVEL SECURITY;
ALTER TABLE "Discovery Two".notebooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Discovery Two".notebooks FORCE ROW LEVEL SECURITY;
ALTER TABLE "Discovery Two".discovery_deletions ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Discovery Two".discovery_deletions FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON "Discovery Two".sources TO regress_discovery_writer
    USING (name LIKE 'own%' OR deleted_at IS NOT NULL) WITH CHECK (true);
SET ROLE regress_discovery_writer;
INSERT INTO "Discovery Two".sources (notebook_id, name, source_type)
    SELECT ('00000000-0000-4000-8000-00000000000' || letter)::uuid, 'own ' || letter || number, 'text'
    FROM unnest(ARRAY['a', 'b']) AS letter, generate_series(1, 2) AS number;
UPDATE "Discovery Two".sources SET deleted_at = '2020-01-01' WHERE name LIKE 'own %1';
DELETE FROM "Discovery Two".sources WHERE name = 'own b2';
RESET ROLE;
SELECT notebook.name, source_count, count(source.id) AS live
    FROM "Discovery Two".notebooks AS notebook
    LEFT JOIN "Discovery Two".sources AS source ON source.notebook_id = notebook.id AND source.deleted_at IS NULL
    GROUP BY notebook.id ORDER BY notebook.name;
SELECT acting_role, sources FROM "Discovery Two".discovery_deletions ORDER BY deleted_at;
SET ROLE regress_discovery_owner;
SELECT count(*) AS seen_by_owner FROM "Discovery Two".notebooks;
DELETE FROM "Discovery Two".sources;
TRUNCATE "Discovery Two".sources;
RESET ROLE;
TABLE discovery_ext.counts;

-- Two stores, one search_path, one statement: each counts its own.
ALTER TABLE "Discovery Two".sources DISABLE ROW LEVEL SECURITY;
WITH two AS (INSERT INTO "Discovery Two".sources (notebook_id, name, source_type)
             SELECT '00000000-0000-4000-8000-00000000000a', 'two', 'text' RETURNING notebook_id)
    INSERT INTO discovery_ext.sources (notebook_id, name, source_type)
    SELECT '00000000-0000-4000-8000-00000000000b', 'one ' || number, 'text' FROM two, generate_series(1, 2) AS number;
TABLE discovery_ext.counts;
-- After its schema is renamed, a store goes on counting.
ALTER SCHEMA "Discovery Two" RENAME TO discovery_renamed;
INSERT INTO discovery_renamed.sources (notebook_id, name, source_type)
    VALUES ('00000000-0000-4000-8000-00000000000a', 'renamed', 'text');
UPDATE discovery_renamed.sources SET deleted_at = '2020-01-01' WHERE name = 'two';
SELECT name, source_count FROM discovery_renamed.notebooks ORDER BY name;
SELECT count(*) AS log FROM discovery_renamed.discovery_deletions;

DROP SCHEMA discovery_own, discovery_renamed, discovery_ext CASCADE;
DROP ROLE regress_discovery_owner, regress_discovery_writer;
