-- The reports about duplicates: find_duplicate_sources(), across notebooks and,
-- in a store that is still at 1.0, within one; check_source_hashes(), whole and
-- in batches. Neither changes anything.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET discovery.create_store = off;
CREATE SCHEMA discovery_ext;
CREATE SCHEMA discovery_old;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_ext;
SELECT discovery_ext.discovery_create_store('discovery_old') AS version;
ALTER EXTENSION discovery UPDATE;
CREATE SCHEMA discovery_new;
DO $$ BEGIN PERFORM discovery_ext.discovery_create_store('discovery_new'); END $$;
\set one '\'00000000-0000-4000-8000-000000000001\''
\set two '\'00000000-0000-4000-8000-000000000002\''
-- Ids by number. In the old store a notebook may have several live sources with the same content.
CREATE FUNCTION discovery_ext.source(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT lpad(n::text, 32, '0')::uuid $$;
CREATE FUNCTION discovery_ext.numbers(ids uuid[]) RETURNS integer[] LANGUAGE sql IMMUTABLE AS
    $$ SELECT array_agg(right(id::text, 3)::integer ORDER BY place)
       FROM unnest(ids) WITH ORDINALITY AS given (id, place) $$;

SET search_path = discovery_old, discovery_ext;
INSERT INTO notebooks (id, name) VALUES (:one, 'one'), (:two, 'two');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text, created_at, deleted_at) VALUES
    (source(3), :one, 'a', 'text', 'hash a', 'ten bytes.', '2024-01-03', NULL),
    (source(1), :one, 'a', 'text', 'hash a', 'ten bytes.', '2024-01-05', NULL),
    (source(2), :one, 'a', 'text', 'hash a', 'ten bytes.', '2024-01-04', NULL),
    (source(4), :two, 'a', 'text', 'hash a', 'ten bytes.', '2024-01-01', NULL),
    (source(5), :two, 'a', 'text', 'hash a', 'ten bytes.', '2024-01-01', '2024-01-02'),
    -- The same created_at: ordered by id. Of unequal texts, the longest is the one that would stay as the only copy.
    (source(7), :one, 'b', 'file', repeat('AB', 32), 'short', '2024-01-01', NULL),
    (source(6), :one, 'b', 'file', repeat('AB', 32), 'ä longer', '2024-01-01', NULL),
    -- Another spelling of the same hash; the upgrade makes the spellings equal.
    (source(8), :one, 'b', 'file', repeat('ab', 32), '', '2024-01-01', NULL),
    -- A source without a hash has no duplicates; a single live source is no duplicate, nor is its soft-deleted copy.
    (source(9), :one, 'c', 'text', '', 'c', '2024-01-01', NULL),
    (source(10), :one, 'c', 'text', '', 'c', '2024-01-01', NULL),
    (source(11), :one, 'd', 'text', 'hash d', 'd', '2024-01-01', NULL),
    (source(12), :one, 'd', 'text', 'hash d', 'd', '2024-01-01', '2024-01-02'),
    (source(13), :two, 'ABC', 'text', 'HASH A', 'not hex', '2024-01-01', NULL);
SELECT left(content_hash, 8) AS hash, copies, notebooks, numbers(source_ids) AS sources, duplicate_bytes
    FROM find_duplicate_sources();
SELECT left(content_hash, 8) AS hash, copies, notebooks, numbers(source_ids) AS sources, duplicate_bytes
    FROM find_duplicate_sources(:one);
SELECT * FROM find_duplicate_sources(notebook_id => :two);
SELECT * FROM find_duplicate_sources('00000000-0000-4000-8000-00000000000f');

-- From 1.1 on, a notebook has at most one live source with the same content, but several notebooks may have one each.
SET search_path = discovery_new, discovery_ext;
INSERT INTO notebooks (id, name) VALUES (:one, 'one'), (:two, 'two');
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text, content_hash, created_at) VALUES
    (source(101), :one, 'right', 'text', 'right', NULL, '2024-01-02'),
    (source(102), :two, 'right', 'text', 'right', NULL, '2024-01-01'),
    (source(103), :one, 'large', 'text', repeat('large ', 100000), NULL, '2024-01-01'),
    (source(104), :two, 'large', 'url', repeat('large ', 100000), NULL, '2024-01-02');
SELECT left(content_hash, 8) AS hash, copies, notebooks, numbers(source_ids) AS sources, duplicate_bytes
    FROM find_duplicate_sources();
SELECT * FROM find_duplicate_sources(:one);

-- Hashes that are not those of the text: given by clients, or changed while the triggers were off. Files,
-- soft-deleted sources and sources without text are not compared.
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text, content_hash, deleted_at) VALUES
    (source(105), :one, 'given', 'text', 'given', 'hash a', NULL),
    (source(106), :one, 'given', 'url', 'given', 'hash b', NULL),
    (source(107), :one, 'file', 'file', 'file', 'hash c', NULL),
    (source(108), :one, 'deleted', 'text', 'deleted', 'hash d', '2024-01-01'),
    (source(109), :one, 'no text', 'text', '', 'hash e', NULL),
    (source(110), :two, 'right', 'text', 'also right', NULL, NULL),
    (source(111), :two, 'changed', 'text', 'changed', NULL, NULL),
    (source(112), :two, 'large', 'text', repeat('long ', 100000), 'hash f', NULL);
SET session_replication_role = replica;
UPDATE sources SET content_hash = '' WHERE name = 'changed';
RESET session_replication_role;
CREATE TEMPORARY TABLE before AS SELECT * FROM sources;
SELECT numbers(ARRAY[id]) AS source, notebook_id = :one AS in_one, stored_hash, actual_hash FROM check_source_hashes();
SELECT count(*) AS right_ones FROM check_source_hashes() AS checked JOIN sources AS source USING (id)
    WHERE actual_hash = encode(sha256(convert_to(extracted_text, 'UTF8')), 'hex') AND stored_hash = content_hash;
-- In batches: the next batch begins after the last id of the one before, until a batch is empty.
SELECT numbers(array_agg(id)) FROM check_source_hashes(max_rows => 2);
SELECT numbers(array_agg(id)) FROM check_source_hashes(after => source(106), max_rows => 2);
SELECT numbers(array_agg(id)) FROM check_source_hashes(source(112), 2);
SELECT numbers(array_agg(id)) FROM check_source_hashes(source(106));
WITH RECURSIVE batch (last, found) AS (
    SELECT NULL::uuid, ARRAY[]::uuid[]
    UNION ALL
    SELECT next.ids[1], found || next.ids
    FROM batch, LATERAL (SELECT array_agg(id) FROM check_source_hashes(last, 1)) AS next (ids)
    WHERE next.ids IS NOT NULL)
SELECT numbers(found) AS found FROM batch ORDER BY cardinality(found) DESC LIMIT 1;
SELECT * FROM check_source_hashes(max_rows => 0);
\echo :SQLSTATE
SELECT * FROM check_source_hashes(max_rows => -1);
\echo :SQLSTATE

-- The reports work in a read-only transaction, too. They changed no row.
BEGIN READ ONLY;
SELECT count(*) FROM check_source_hashes();
SELECT count(*) FROM find_duplicate_sources();
COMMIT;
SELECT count(*) AS changed FROM sources FULL JOIN before USING (id)
    WHERE sources::text IS DISTINCT FROM before::text;
-- The reports use the caller's own rights.
CREATE ROLE regress_discovery_reader;
GRANT USAGE ON SCHEMA discovery_new, discovery_ext TO regress_discovery_reader;
SET ROLE regress_discovery_reader;
SELECT count(*) FROM find_duplicate_sources();
\echo :SQLSTATE
SELECT count(*) FROM check_source_hashes();
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON sources TO regress_discovery_reader;
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sources USING (notebook_id = '00000000-0000-4000-8000-000000000001');
SET ROLE regress_discovery_reader;
SELECT count(*) FROM find_duplicate_sources();
SELECT numbers(array_agg(id)) FROM check_source_hashes();
RESET ROLE;

RESET search_path;
DROP TABLE before;
DROP SCHEMA discovery_new, discovery_old, discovery_ext CASCADE;
DROP ROLE regress_discovery_reader;
