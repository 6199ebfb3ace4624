-- Outputs: output_count is kept as source_count is, whatever statement writes; updated_at; outputs that never end.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET DateStyle = ISO;
CREATE SCHEMA discovery_outputs;
CREATE EXTENSION discovery SCHEMA discovery_outputs;
SET search_path = discovery_outputs;
INSERT INTO notebooks (id, name, updated_at)
    SELECT ('00000000-0000-4000-8000-00000000000' || name)::uuid, name, '2026-01-01'
    FROM unnest(ARRAY['a', 'b']) AS name;
CREATE VIEW counts AS
    SELECT string_agg(name || ' ' || source_count || ' ' || output_count, ', ' ORDER BY name) FROM notebooks;

-- Each kind of statement; reads in the same transaction see the count.
BEGIN;
INSERT INTO outputs (notebook_id, title, created_at)
    SELECT id, 'o' || n, '2025-12-31' FROM notebooks, generate_series(1, 3) AS n;
TABLE counts;
SAVEPOINT here;
DELETE FROM outputs WHERE title = 'o1';
TABLE counts;
ROLLBACK TO here;
INSERT INTO sources (notebook_id, name, source_type, extracted_text) SELECT id, 's', 'text', name FROM notebooks;
TABLE counts;
COMMIT;
TABLE counts;
-- A new row does not change its notebook, which is what a dump relies on; a change does.
SELECT count(*) AS as_they_were FROM notebooks WHERE updated_at = '2026-01-01';
UPDATE outputs SET notebook_id = '00000000-0000-4000-8000-00000000000b' WHERE title = 'o3';
TABLE counts;
SELECT count(*) AS as_they_were FROM notebooks WHERE updated_at = '2026-01-01';
INSERT INTO outputs (id, notebook_id, title) SELECT id, notebook_id, 'again' FROM outputs WHERE title = 'o1'
    ON CONFLICT (id) DO UPDATE SET title = excluded.title;
WITH gone AS (DELETE FROM outputs WHERE title = 'again' RETURNING *)
    INSERT INTO outputs (notebook_id, title) SELECT notebook_id, title FROM gone;
TABLE counts;
-- What a client writes is ignored.
UPDATE notebooks SET output_count = output_count + 5, source_count = 7;
INSERT INTO notebooks (name, output_count) VALUES ('c', 7);
TABLE counts;
-- A notebook that gets another id is another one.
UPDATE outputs SET title = 'moving' WHERE notebook_id = '00000000-0000-4000-8000-00000000000a';
DELETE FROM notebooks WHERE name = 'c';
TRUNCATE outputs;
TABLE counts;
INSERT INTO outputs (notebook_id, title) SELECT id, 'new' FROM notebooks;
TABLE counts;
SELECT * FROM check_output_counts();
SET session_replication_role = replica;
DELETE FROM outputs WHERE notebook_id = '00000000-0000-4000-8000-00000000000a';
RESET session_replication_role;
SELECT name, output_count, actual_count FROM check_output_counts();
SELECT repair_output_counts(), repair_output_counts();
TABLE counts;

-- updated_at
UPDATE outputs SET updated_at = '2026-01-01';
UPDATE outputs SET title = 'newer' RETURNING updated_at > '2026-01-01' AS is_now;
UPDATE outputs SET updated_at = '2026-01-01', title = 'as given' RETURNING updated_at;
UPDATE outputs SET title = title RETURNING updated_at;

-- Outputs that were begun and never end
INSERT INTO outputs (notebook_id, title, status, updated_at, output_metadata)
    SELECT '00000000-0000-4000-8000-00000000000b', title, status, timezone('UTC', now()) - age, metadata
    FROM (VALUES ('old', 'generating', interval '2 hours', '{"a":  1}'::json), ('list', 'generating', '3 hours', '[1]'),
                 ('zero', 'generating', '3 hours', E'{"a": "\\u0000", "b": {} }\n'),
                 ('young', 'generating', '1 minute', ' { } '), ('done', 'completed', '2 hours', '{}'))
        AS v (title, status, age, metadata);
SET standard_conforming_strings = off;
SELECT title, updated_at < timezone('UTC', now()) - interval '1 hour' AS is_old
    FROM fail_stale_outputs() ORDER BY title;
RESET standard_conforming_strings;
SELECT title, status, output_metadata, updated_at = timezone('UTC', now()) AS is_now FROM outputs
    WHERE title IN ('old', 'list', 'zero', 'young', 'done') ORDER BY title;
SELECT title FROM fail_stale_outputs('0', 'stopped');
SELECT output_metadata FROM outputs WHERE title = 'young';
SELECT * FROM fail_stale_outputs(NULL);
SELECT * FROM fail_stale_outputs('-1 day');
SELECT * FROM fail_stale_outputs('1 day', NULL);
DROP SCHEMA discovery_outputs CASCADE;
