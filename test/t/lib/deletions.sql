-- Only a store of the newest version has all of this: a batch in the deletion log, one deletion by plain SQL, a held
-- source, one that came back; outputs; an output and a notebook in the trash, and a notebook that came back.
SELECT FROM delete_sources(
    ARRAY['00000000-0000-4000-9000-000000000102', '00000000-0000-4000-9000-000000000203']::uuid[],
    'aufgeräumt: ''ß''');
UPDATE sources SET deleted_at = '2024-05-05' WHERE id = '00000000-0000-4000-9000-000000000304';
SELECT FROM hold_source('00000000-0000-4000-9000-000000000304', 'Rechtsstreit §3');
SELECT FROM delete_source('00000000-0000-4000-9000-000000000305', 'by mistake');
SELECT FROM restore_source('00000000-0000-4000-9000-000000000305');
SELECT FROM add_source('00000000-0000-4000-8000-000000000004', 'von Hand', 'text', extracted_text => 'neu');
-- Its own timestamp moves, that of its notebook does not.
UPDATE sources SET updated_at = '2031-01-01', name = 'umbenannt' WHERE id = '00000000-0000-4000-9000-000000000106';
INSERT INTO outputs (id, notebook_id, title, content, status, prompt, output_metadata, source_references, word_count,
                     created_at, updated_at, completed_at, created_by)
    SELECT ('00000000-0000-4000-a000-' || lpad(n::text, 12, '0'))::uuid,
           ('00000000-0000-4000-8000-' || lpad((1 + n % 3)::text, 12, '0'))::uuid, 'Ausgabe №' || n || ' – "q"',
           repeat(E'Absatz\n\t\\N ü ', n * 100), CASE WHEN n = 1 THEN 'generating' ELSE 'completed' END,
           CASE WHEN n % 2 = 0 THEN 'Schreibe über Ünïcödé' END, '{"a":  1, "a": [null, 1.50]}',
           ARRAY['Quelle №' || n, NULL, '{}']::varchar[], n, '2024-02-01'::timestamp + n * interval '1 minute',
           '2024-02-02'::timestamp + n * interval '1 minute 1 microsecond',
           CASE WHEN n > 1 THEN '2024-02-03'::timestamp END, 'jemand@example.org'
    FROM generate_series(1, 6) AS n;
SELECT FROM delete_output('00000000-0000-4000-a000-000000000006', 'überholt');
INSERT INTO notebooks (id, name, tags, created_by)
    VALUES ('00000000-0000-4000-8000-000000000005', 'im Papierkorb „5“', '{"a b",NULL}', 'jemand@example.org');
INSERT INTO sources (notebook_id, name, source_type, file_path, extracted_text, source_metadata, deleted_at)
    SELECT '00000000-0000-4000-8000-000000000005', 'Blatt ' || n, 'file', '/data/blatt' || n,
           CASE WHEN n = 1 THEN repeat('lang \ ü ', 20000) ELSE 'kurz' END, '{"b":  null}',
           CASE WHEN n = 3 THEN '2024-03-03'::timestamp END
    FROM generate_series(1, 3) AS n;
INSERT INTO outputs (notebook_id, title) VALUES ('00000000-0000-4000-8000-000000000005', 'Titel');
SELECT FROM delete_notebook('00000000-0000-4000-8000-000000000005', 'weg');
SELECT FROM deleted_notebooks, hold_deletion(deletion_id, 'Rechtsstreit §4');
SELECT FROM restore_deletion((SELECT deletion_id FROM delete_notebook('00000000-0000-4000-8000-000000000003')));
