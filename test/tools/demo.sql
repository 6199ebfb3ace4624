-- Files the documents in the table `documents` (notebook, name, path, is_text, bytes) as sources, in the order of their
-- rows, and tells which of them were there already.
INSERT INTO notebooks (name) SELECT notebook FROM documents GROUP BY notebook ORDER BY notebook;

CREATE TEMP TABLE filed AS
SELECT d.notebook, d.name, added.id, added.outcome
FROM documents d
JOIN notebooks n ON n.name = d.notebook
CROSS JOIN lower(substring(d.name FROM '\.([^./]*)$')) ending
CROSS JOIN LATERAL add_source(
    notebook_id => n.id, name => left(d.name, 500), source_type => 'file', content => d.bytes,
    extracted_text => CASE WHEN d.is_text THEN convert_from(d.bytes, 'UTF8') END,
    file_type => CASE WHEN ending IN ('pdf', 'docx', 'doc', 'txt', 'md') THEN ending WHEN d.is_text THEN 'txt' END,
    file_path => d.path) added
WHERE d.bytes <> '';    -- an empty file is no source

\pset footer off
\echo
\echo 'What add_source() said'
SELECT notebook, count(*) AS documents, count(*) FILTER (WHERE outcome = 'added') AS added,
       count(*) FILTER (WHERE outcome = 'duplicate') AS duplicate
FROM filed GROUP BY notebook ORDER BY notebook;
SELECT count(*) > 0 AS some_are_empty, count(*) AS empty FROM documents WHERE bytes = '' \gset
\if :some_are_empty
\echo 'Left out, being empty:' :empty
\echo
\endif

\echo 'The duplicates, and the source that has their content'
SELECT f.notebook, left(f.name, 40) AS document, f.outcome || ' of' AS outcome, left(s.name, 40) AS source,
       left(s.content_hash, 12) AS content_hash
FROM filed f JOIN sources s ON s.id = f.id WHERE f.outcome <> 'added' ORDER BY f.notebook, f.name LIMIT 8;
