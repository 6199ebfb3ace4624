-- What a person wants to see of the demo's store; then a deletion, and taking it back.
\set QUIET on
\pset footer off
\echo 'Notebooks'
SELECT n.name, n.source_count AS sources, pg_size_pretty(sum(s.file_size)) AS size
FROM notebooks n LEFT JOIN live_sources s ON s.notebook_id = n.id
GROUP BY n.id ORDER BY n.name;

\echo 'Sources (the first of each notebook)'
SELECT notebook, name, file_type AS type, size, left(content_hash, 12) AS content_hash
FROM (SELECT n.name AS notebook, left(s.name, 40) AS name, s.file_type, pg_size_pretty(s.file_size) AS size,
             s.content_hash, row_number() OVER (PARTITION BY n.id ORDER BY s.name, s.id) AS place
      FROM live_sources s JOIN notebooks n ON n.id = s.notebook_id) s
WHERE place <= 5 ORDER BY notebook, place;

SELECT id AS source, notebook_id AS notebook, name AS deleted_name FROM live_sources ORDER BY id LIMIT 1 \gset
\echo 'SELECT * FROM delete_source(the id of' :deleted_name', reason => ''to show it'')'
SELECT deletion_id AS deletion FROM delete_source(:'source', reason => 'to show it') \gset
SELECT n.name AS notebook, n.source_count AS sources, left(d.name, 40) AS deleted, d.deleted_by, d.reason,
       d.days_until_purge
FROM deleted_sources d JOIN notebooks n ON n.id = d.notebook_id;

\echo 'SELECT * FROM restore_sources(that deletion)'
SELECT outcome FROM restore_sources(:'deletion') \gset
SELECT name AS notebook, source_count AS sources, :'deleted_name' AS source, :'outcome' AS outcome
FROM notebooks WHERE id = :'notebook';

SELECT count(*) AS "wrong counts" FROM check_source_counts();

\d notebooks
\d sources

\echo 'SELECT * FROM discovery_status()'
\pset expanded on
SELECT * FROM discovery_status();
