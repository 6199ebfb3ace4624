-- A session starts when there are few sources or none, and adds many. Its cached plans do not know that the table has
-- grown, so it must look for duplicates by an index from its first call to its last.
SET client_min_messages = warning;
CREATE SCHEMA discovery_plan;
CREATE EXTENSION discovery SCHEMA discovery_plan;
SET search_path = discovery_plan;
\set one '\'00000000-0000-4000-8000-000000000001\''
INSERT INTO notebooks (id, name) VALUES (:one, 'one');
CREATE FUNCTION added(first integer, last integer) RETURNS TABLE (outcome text, calls bigint) LANGUAGE sql AS $$
    SELECT outcome, count(*) FROM generate_series(first, last) AS n,
        LATERAL add_source('00000000-0000-4000-8000-000000000001', 'name', 'text', extracted_text => 'text ' || n)
    GROUP BY 1 ORDER BY 1 $$;

-- The statistics say that the table is empty or has one page of rows, so that a sequential scan would be the cheapest
-- at that time. (ANALYZE itself is not counted.)
BEGIN;
ANALYZE sources;
SELECT seq_scan AS before FROM pg_stat_xact_user_tables WHERE relid = 'sources'::regclass \gset
SELECT * FROM added(1, 20);
ANALYZE sources;
SELECT * FROM added(11, 30);
SELECT * FROM added(31, 1000);
SELECT seq_scan - :before AS times_read_whole FROM pg_stat_xact_user_tables WHERE relid = 'sources'::regclass;
-- The same with soft-deleted sources: none when the plans are made, then many.
UPDATE sources SET deleted_at = now() WHERE id <> (SELECT id FROM sources ORDER BY id DESC LIMIT 1);
SELECT seq_scan AS before, idx_tup_fetch AS rows_before
    FROM pg_stat_xact_user_tables WHERE relid = 'sources'::regclass \gset
SELECT * FROM added(1, 20);
SELECT * FROM added(2001, 2020);
SELECT seq_scan - :before AS times_read_whole, idx_tup_fetch - :rows_before < 500 AS few_rows
    FROM pg_stat_xact_user_tables WHERE relid = 'sources'::regclass;
ROLLBACK;

-- Every notebook has the source "Welcome", and in some it is soft-deleted. Adding it to one more notebook reads no row
-- of another notebook.
BEGIN;
INSERT INTO notebooks (id, name) SELECT md5('notebook ' || n)::uuid, 'notebook ' || n FROM generate_series(1, 600) AS n;
INSERT INTO sources (notebook_id, name, source_type, extracted_text, deleted_at)
    SELECT md5('notebook ' || n)::uuid, 'Welcome', 'text', 'Welcome', CASE WHEN n % 2 = 0 THEN now() END
    FROM generate_series(1, 598) AS n;
SELECT idx_tup_fetch AS rows_before FROM pg_stat_xact_user_tables WHERE relid = 'sources'::regclass \gset
SELECT n, outcome
    FROM unnest('{1,2,599}'::int[]) AS n,
        LATERAL add_source(md5('notebook ' || n)::uuid, 'Welcome', 'text', extracted_text => 'Welcome');
SELECT idx_tup_fetch - :rows_before < 20 AS few_rows FROM pg_stat_xact_user_tables WHERE relid = 'sources'::regclass;
-- The same once the statistics say that a hash occurs in few rows.
INSERT INTO sources (notebook_id, name, source_type, extracted_text)
    SELECT md5('notebook ' || n % 600 + 1)::uuid, 'Text', 'text', 'Text ' || n FROM generate_series(1, 10000) AS n;
ANALYZE sources;
SELECT idx_tup_fetch AS rows_before FROM pg_stat_xact_user_tables WHERE relid = 'sources'::regclass \gset
SELECT n, outcome
    FROM unnest('{3,4,600}'::int[]) AS n,
        LATERAL add_source(md5('notebook ' || n)::uuid, 'Welcome', 'text', extracted_text => 'Welcome');
SELECT idx_tup_fetch - :rows_before < 20 AS few_rows FROM pg_stat_xact_user_tables WHERE relid = 'sources'::regclass;
ROLLBACK;

RESET search_path;
DROP SCHEMA discovery_plan CASCADE;
