-- Soft delete with bad input: NULL, unknown and repeated ids, wrong words and intervals, many ids, missing rights,
-- read-only transactions.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_writer;
CREATE SCHEMA discovery_bad;
CREATE EXTENSION discovery SCHEMA discovery_bad;
SET search_path = discovery_bad;
INSERT INTO notebooks (name) VALUES ('a');
INSERT INTO sources (id, notebook_id, name, source_type)
    SELECT ('00000000-0000-4000-8000-00000000000' || number)::uuid, id, 'source ' || number, 'text'
    FROM notebooks, generate_series(1, 5) AS number;
\set known '00000000-0000-4000-8000-000000000001'
\set unknown 'ffffffff-ffff-4fff-8fff-ffffffffffff'

-- NULL; only the reason may be NULL
SELECT * FROM delete_source(NULL);
\echo :SQLSTATE
SELECT * FROM delete_sources(NULL);
\echo :SQLSTATE
SELECT * FROM delete_sources(ARRAY[:'known', NULL]::uuid[]);
\echo :SQLSTATE
SELECT deleted FROM delete_source(:'known', NULL);
SELECT * FROM restore_source(NULL);
\echo :SQLSTATE
SELECT * FROM restore_source(:'known', NULL);
\echo :SQLSTATE
SELECT * FROM restore_sources(NULL);
\echo :SQLSTATE
SELECT * FROM preview_restore(NULL);
\echo :SQLSTATE
SELECT * FROM purge_deleted_sources(NULL);
\echo :SQLSTATE
SELECT hold_source(NULL, 'reason');
\echo :SQLSTATE
SELECT hold_source(:'known', NULL);
\echo :SQLSTATE
SELECT release_source(NULL);
\echo :SQLSTATE
SELECT count(*) FROM list_source_deletions(NULL, NULL);

-- Unknown ids: the error names up to ten of them; nothing is deleted.
SELECT * FROM delete_source(:'unknown');
\echo :SQLSTATE
SELECT * FROM delete_sources(ARRAY['00000000-0000-4000-8000-000000000002', :'unknown', :'unknown',
                                   'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee']::uuid[]);
\echo :SQLSTATE
SELECT * FROM delete_sources(ARRAY(SELECT ('eeeeeeee-eeee-4eee-8eee-' || lpad(number::text, 12, '0'))::uuid
                                   FROM generate_series(1, 11) AS number));
\echo :SQLSTATE
SELECT count(*) AS deleted FROM sources WHERE deleted_at IS NOT NULL;
SELECT * FROM restore_source(:'unknown');
\echo :SQLSTATE
SELECT * FROM restore_sources(:'unknown');
\echo :SQLSTATE
-- The id of a source is not the id of a deletion.
SELECT * FROM restore_sources(:'known');
\echo :SQLSTATE
SELECT * FROM preview_restore(:'unknown');
\echo :SQLSTATE
SELECT hold_source(:'unknown', 'reason');
\echo :SQLSTATE
SELECT release_source(:'unknown');
\echo :SQLSTATE

-- Wrong option words
SELECT * FROM restore_source(:'known', 'skip');
\echo :SQLSTATE
SELECT * FROM restore_sources((SELECT deletion_id FROM sources WHERE id = :'known'), 'Error');
\echo :SQLSTATE
SELECT * FROM restore_source(:'known', '');
\echo :SQLSTATE
SELECT hold_source(:'known', '');
\echo :SQLSTATE
SELECT deleted_at IS NULL AS lives, hold_reason FROM sources WHERE id = :'known';

-- Intervals and numbers. '2 months -1 day' is positive as a whole.
SELECT * FROM purge_deleted_sources('-1 second');
\echo :SQLSTATE
SELECT * FROM purge_deleted_sources('-1 month 1 day');
\echo :SQLSTATE
SELECT count(*) FROM purge_deleted_sources('2 months -1 day');
SELECT * FROM purge_deleted_sources('30 days', 0);
\echo :SQLSTATE
SELECT * FROM purge_deleted_sources('30 days', -1);
\echo :SQLSTATE
SELECT count(*) FROM purge_deleted_sources('30 days', NULL);
SELECT count(*) FROM purge_deleted_sources('30 days', 2147483647);
-- A time before the first timestamp
SELECT count(*) FROM purge_deleted_sources('7000 years');
\echo :SQLSTATE
SELECT count(*) FROM purge_deleted_sources('178000000 years');
\echo :SQLSTATE
-- PostgreSQL 17 and newer know infinite intervals; for older versions the word is no interval.
CREATE FUNCTION purge_with(older_than text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM purge_deleted_sources(older_than::interval);
    RETURN 'done';
EXCEPTION WHEN invalid_parameter_value OR invalid_datetime_format THEN
    RETURN 'refused';
END $$;
SELECT word, purge_with(word) FROM unnest(ARRAY['infinity', '-infinity', '1 day']) AS word;

-- 100,000 ids, of which five are known, then all of them: in reasonable time
SET statement_timeout = '60s';
\set VERBOSITY terse
SELECT * FROM delete_sources(ARRAY(SELECT ('eeeeeeee-eeee-4eee-8eee-' || lpad(number::text, 12, '0'))::uuid
                                   FROM generate_series(1, 100000) AS number) || ARRAY(SELECT id FROM sources));
\echo :SQLSTATE
\set VERBOSITY default
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources, generate_series(1, 20000)));
SELECT sum(outcomes.number) FROM (SELECT deletion_id, count(*) FROM sources GROUP BY deletion_id) AS batch,
    LATERAL (SELECT count(*) AS number FROM restore_sources(batch.deletion_id)) AS outcomes;
INSERT INTO sources (notebook_id, name, source_type)
    SELECT id, 'many', 'text' FROM notebooks, generate_series(1, 100000);
SELECT deletion_id AS deletion, deleted
    FROM delete_sources(ARRAY(SELECT id FROM sources WHERE name = 'many'), 'many') \gset
\echo :deleted
SELECT count(*) FROM restore_sources(:'deletion');
SELECT source_count FROM notebooks;
DELETE FROM sources WHERE name = 'many';
RESET statement_timeout;

-- A role that may not change sources can neither delete, restore, hold nor purge them.
GRANT USAGE ON SCHEMA discovery_bad TO regress_discovery_writer;
SELECT deletion_id AS deletion FROM delete_source(:'known') \gset
SET ROLE regress_discovery_writer;
SELECT * FROM delete_source('00000000-0000-4000-8000-000000000002');
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON sources TO regress_discovery_writer;
SET ROLE regress_discovery_writer;
SELECT * FROM delete_source('00000000-0000-4000-8000-000000000002');
\echo :SQLSTATE
SELECT * FROM restore_source(:'known');
\echo :SQLSTATE
SELECT * FROM restore_sources(:'deletion');
\echo :SQLSTATE
SELECT * FROM purge_deleted_sources();
\echo :SQLSTATE
SELECT hold_source(:'known', 'reason');
\echo :SQLSTATE
SELECT release_source(:'known');
\echo :SQLSTATE
-- preview_restore() needs only the right to read.
SELECT outcome FROM preview_restore(:'deletion');
RESET ROLE;
GRANT INSERT, UPDATE, DELETE ON sources TO regress_discovery_writer;
-- Rows that policies hide count as unknown. Rows that can be seen but not changed stay unchanged: a batch restores
-- the rows that the role may change, and does not report the others.
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd ON sources TO regress_discovery_writer USING (name IN ('source 1', 'source 3'));
SET ROLE regress_discovery_writer;
SELECT * FROM delete_sources('{00000000-0000-4000-8000-000000000002,00000000-0000-4000-8000-000000000003}');
\echo :SQLSTATE
RESET ROLE;
SELECT deletion_id AS deletion FROM delete_sources(ARRAY(SELECT id FROM sources WHERE deleted_at IS NULL)) \gset
CREATE POLICY seen ON sources FOR SELECT TO regress_discovery_writer USING (name <> 'source 5');
SET ROLE regress_discovery_writer;
SELECT * FROM delete_sources('{00000000-0000-4000-8000-000000000002,00000000-0000-4000-8000-000000000003}');
\echo :SQLSTATE
SELECT sources.name, outcome FROM restore_sources(:'deletion') JOIN sources USING (id);
SELECT outcome FROM restore_source('00000000-0000-4000-8000-000000000002');
RESET ROLE;
SELECT name FROM sources WHERE deleted_at IS NULL;

-- A read-only transaction
BEGIN READ ONLY;
SELECT outcome FROM preview_restore(:'deletion') LIMIT 1;
SAVEPOINT one;
SELECT * FROM delete_source(:'known');
\echo :SQLSTATE
ROLLBACK TO one;
SELECT * FROM delete_sources('{}');
\echo :SQLSTATE
ROLLBACK TO one;
SELECT * FROM restore_source(:'known');
\echo :SQLSTATE
ROLLBACK TO one;
SELECT * FROM restore_sources(:'deletion');
\echo :SQLSTATE
ROLLBACK TO one;
SELECT * FROM purge_deleted_sources();
\echo :SQLSTATE
ROLLBACK TO one;
SELECT hold_source(:'known', 'reason');
\echo :SQLSTATE
ROLLBACK TO one;
SELECT release_source(:'known');
\echo :SQLSTATE
ROLLBACK;

DROP SCHEMA discovery_bad CASCADE;
DROP ROLE regress_discovery_writer;
