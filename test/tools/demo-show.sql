-- What a person wants to see of the demo's store.
\set QUIET on
\pset footer off
\echo
\echo 'Notebooks'
SELECT n.name, n.source_count AS sources, pg_size_pretty(sum(s.file_size)) AS size
FROM notebooks n LEFT JOIN sources s ON s.notebook_id = n.id AND s.deleted_at IS NULL
GROUP BY n.id ORDER BY n.name;

\echo 'Sources (the first of each notebook)'
SELECT notebook, name, file_type AS type, size, left(content_hash, 12) AS content_hash
FROM (SELECT n.name AS notebook, left(s.name, 40) AS name, s.file_type, pg_size_pretty(s.file_size) AS size, s.content_hash,
             row_number() OVER (PARTITION BY n.id ORDER BY s.name, s.id) AS place
      FROM sources s JOIN notebooks n ON n.id = s.notebook_id WHERE s.deleted_at IS NULL) s
WHERE place <= 7 ORDER BY notebook, place;

\echo 'Duplicates: the same content more than once in a notebook'
SELECT n.name AS notebook, left(s.content_hash, 12) AS content_hash, count(*) AS copies,
       left(string_agg(s.name, ', ' ORDER BY s.name), 60) AS names
FROM sources s JOIN notebooks n ON n.id = s.notebook_id WHERE s.deleted_at IS NULL
GROUP BY n.id, s.content_hash HAVING count(*) > 1 ORDER BY n.name, copies DESC, names LIMIT 8;

\d notebooks
\d sources

\echo 'SELECT * FROM discovery_status()'
\pset expanded on
SELECT * FROM discovery_status();
