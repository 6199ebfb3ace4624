-- Plain SQL and the unique index: what the index refuses and with which error, the ON CONFLICT clauses that can use
-- it, and a bulk load with duplicates in it.
SET client_min_messages = warning;
CREATE SCHEMA discovery_plain;
CREATE EXTENSION discovery SCHEMA discovery_plain;
SET search_path = discovery_plain;
\set one '\'00000000-0000-4000-8000-000000000001\''
\set two '\'00000000-0000-4000-8000-000000000002\''
INSERT INTO notebooks (id, name) VALUES (:one, 'one'), (:two, 'two');
PREPARE put (uuid, text, text) AS
    INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES ($1, $2, 'file', $3);

-- One live source for each notebook and hash; a soft-deleted source or one of another notebook does not count.
EXECUTE put(:one, 'a', 'hash a');
EXECUTE put(:two, 'a', 'hash a');
EXECUTE put(:one, 'b', 'hash a');
\echo :SQLSTATE
UPDATE sources SET deleted_at = now() WHERE notebook_id = :one;
EXECUTE put(:one, 'b', 'hash a');
UPDATE sources SET deleted_at = NULL WHERE name = 'a' AND notebook_id = :one;
\echo :SQLSTATE
UPDATE sources SET notebook_id = :one WHERE notebook_id = :two;
\echo :SQLSTATE
-- Many sources may have no hash, or be soft-deleted.
EXECUTE put(:one, 'none', '');
EXECUTE put(:one, 'none', NULL);
UPDATE sources SET deleted_at = now() WHERE notebook_id = :one;
SELECT name, content_hash, deleted_at IS NOT NULL AS deleted, count(*) FROM sources GROUP BY 1, 2, 3 ORDER BY 1, 3;
-- An application finds the index by its name in the error.
DO $$
DECLARE
    state text; at_schema text; at_table text; at_constraint text;
BEGIN
    INSERT INTO sources (notebook_id, name, source_type, content_hash) SELECT notebook_id, 'c', 'file', content_hash
        FROM sources WHERE deleted_at IS NULL;
EXCEPTION WHEN unique_violation THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, at_schema = SCHEMA_NAME, at_table = TABLE_NAME,
        at_constraint = CONSTRAINT_NAME;
    RAISE WARNING '% % % %', state, at_schema, at_table, at_constraint;
END $$;

-- ON CONFLICT: without a target, or with columns and predicate.
INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES (:two, 'c', 'file', 'hash a')
    ON CONFLICT DO NOTHING RETURNING name;
INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES (:two, 'c', 'file', 'hash a')
    ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL AND content_hash <> '' DO NOTHING RETURNING name;
INSERT INTO sources AS known (notebook_id, name, source_type, content_hash) VALUES (:two, 'c', 'file', 'hash a')
    ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL AND content_hash <> ''
    DO UPDATE SET name = known.name || ' and ' || excluded.name RETURNING name;
-- ON CONFLICT with only the name of the index, or with only the columns, does not work.
INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES (:two, 'c', 'file', 'hash a')
    ON CONFLICT ON CONSTRAINT ix_sources_notebook_hash DO NOTHING;
\echo :SQLSTATE
INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES (:two, 'c', 'file', 'hash a')
    ON CONFLICT (notebook_id, content_hash) DO NOTHING;
\echo :SQLSTATE
-- With a generic plan the parameters do not prove the predicate, so the clause states it itself.
SET plan_cache_mode = force_generic_plan;
PREPARE upsert (uuid, text, text) AS
    INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES ($1, $2, 'file', $3)
    ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL AND content_hash <> '' DO NOTHING RETURNING name;
EXECUTE upsert(:two, 'd', 'hash a');
EXECUTE upsert(:two, 'd', 'hash d');
EXECUTE upsert(:two, 'e', '');
-- A query uses the index if it states that there is a hash.
PREPARE look_up (uuid, text) AS
    SELECT name FROM sources WHERE notebook_id = $1 AND content_hash = $2 AND deleted_at IS NULL AND content_hash <> '';
SET enable_seqscan = off;
SET enable_bitmapscan = off;
BEGIN;
-- Otherwise the query could use this index as well.
DROP INDEX ix_sources_content_hash;
EXPLAIN (COSTS OFF) EXECUTE look_up(:two, 'hash d');
ROLLBACK;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET plan_cache_mode;
TRUNCATE sources;

-- A bulk load that may have duplicates, in itself and of existing sources: COPY into a temporary table, then INSERT
-- in the order of the keys, so that two loads wait for each other but do not deadlock.
EXECUTE put(:one, 'there already', encode(sha256('text 3'), 'hex'));
CREATE TEMPORARY TABLE load (LIKE sources INCLUDING DEFAULTS);
ALTER TABLE load ALTER content_hash DROP NOT NULL;
COPY load (notebook_id, name, source_type, extracted_text) FROM stdin WITH (FORMAT csv);
00000000-0000-4000-8000-000000000001,one,text,text 1
00000000-0000-4000-8000-000000000001,two,text,text 2
00000000-0000-4000-8000-000000000001,three,text,text 3
00000000-0000-4000-8000-000000000001,one again,url,text 1
00000000-0000-4000-8000-000000000002,one,text,text 1
\.
INSERT INTO sources (notebook_id, name, source_type, extracted_text, content_hash)
    SELECT notebook_id, name, source_type, extracted_text, content_hash(extracted_text) FROM load
    ORDER BY notebook_id, content_hash(extracted_text), id
    ON CONFLICT DO NOTHING;
SELECT notebook.name AS notebook, source.name, extracted_text
    FROM sources AS source JOIN notebooks AS notebook ON notebook.id = notebook_id ORDER BY 1, 2;
SELECT name, source_count FROM notebooks ORDER BY name;
DROP TABLE load;

RESET search_path;
DROP SCHEMA discovery_plain CASCADE;
