-- Only a store from 1.1 on has this: a batch in the deletion log, one deletion by plain SQL, a held source, one that
-- came back.
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
