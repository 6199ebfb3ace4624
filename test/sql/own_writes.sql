-- discovery_write(), by which the statements of the functions tell the triggers why they write a row: a call is good
-- for one row in one statement, a count is taken from the owner of the table alone, and nobody chooses the id of a
-- deletion.
SET client_min_messages = warning;
CREATE SCHEMA discovery_own_writes;
CREATE EXTENSION discovery SCHEMA discovery_own_writes;
SET search_path = discovery_own_writes, public;
CREATE ROLE regress_discovery_writer;
GRANT USAGE ON SCHEMA discovery_own_writes TO regress_discovery_writer;
GRANT SELECT, INSERT, UPDATE ON notebooks, sources TO regress_discovery_writer;
INSERT INTO notebooks (id, name) VALUES
    ('00000000-0000-4000-8000-00000000000a', 'a'), ('00000000-0000-4000-8000-00000000000b', 'b');
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text)
    SELECT ('00000000-0000-4000-8000-00000000001' || n)::uuid, '00000000-0000-4000-8000-00000000000a', n, 'text', n
    FROM generate_series(1, 4) AS n;

-- Arguments
SELECT discovery_write(NULL, 'count');
SELECT discovery_write(gen_random_uuid(), NULL);
SELECT discovery_write(gen_random_uuid(), 'purge');
SELECT discovery_write(gen_random_uuid(), 'delete');
SELECT discovery_write(gen_random_uuid(), 'delete', gen_random_uuid());

-- A count: not from another role, not from the owner's statement on another row, nor for a later statement; but
-- whoever may alter the table can also set a count.
SET ROLE regress_discovery_writer;
UPDATE notebooks SET source_count = 9 WHERE discovery_write(id, 'count');
RESET ROLE;
UPDATE notebooks SET source_count = 9 WHERE discovery_write('00000000-0000-4000-8000-00000000000b', 'count')
    AND name = 'a';
BEGIN;
SELECT discovery_write(id, 'count') FROM notebooks;
UPDATE notebooks SET source_count = 9;
COMMIT;
SELECT name, source_count FROM notebooks ORDER BY name;
UPDATE notebooks SET source_count = 9 WHERE discovery_write(id, 'count');
SELECT name, source_count FROM notebooks ORDER BY name;
SELECT repair_source_counts();
SELECT name, source_count FROM notebooks ORDER BY name;

-- A deletion: two statements of one call are one deletion, two calls are two, whatever the reason. The id is new.
SET ROLE regress_discovery_writer;
BEGIN;
UPDATE sources SET deleted_at = now()
    WHERE name = '1' AND discovery_write(id, 'delete', '00000000-0000-4000-8000-0000000000ca', 'a reason');
UPDATE sources SET deleted_at = now()
    WHERE name = '2' AND discovery_write(id, 'delete', '00000000-0000-4000-8000-0000000000ca', 'a reason');
UPDATE sources SET deleted_at = now()
    WHERE name = '3' AND discovery_write(id, 'delete', '00000000-0000-4000-8000-0000000000cb', 'a reason');
COMMIT;
RESET ROLE;
SELECT dense_rank() OVER (ORDER BY deletion_id) AS deletion, name, reason,
       deletion_id::text LIKE '%-0000000000c_' AS is_chosen
    FROM deleted_sources ORDER BY name;
SELECT sources, acting_role FROM discovery_deletions ORDER BY id;
-- Two calls in one transaction, too
BEGIN;
SELECT deleted FROM delete_source('00000000-0000-4000-8000-000000000014', 'a reason');
SELECT deletion_id IS NULL AS was_deleted, deleted
    FROM delete_source('00000000-0000-4000-8000-000000000014', 'a reason');
SELECT outcome FROM restore_source('00000000-0000-4000-8000-000000000014');
SELECT deleted FROM delete_source('00000000-0000-4000-8000-000000000014', 'a reason');
COMMIT;
SELECT sources FROM discovery_deletions ORDER BY id;

-- A hash that is kept with another text, as add_source() restores a source: only of a row that comes back
UPDATE sources SET deleted_at = NULL WHERE name <> '1';
SET ROLE regress_discovery_writer;
UPDATE sources SET deleted_at = NULL, extracted_text = 'other' WHERE name = '1' AND discovery_write(id, 'restore');
UPDATE sources SET extracted_text = 'another' WHERE name = '2' AND discovery_write(id, 'restore');
UPDATE sources SET extracted_text = 'a third' WHERE name = '3';
RESET ROLE;
SELECT name, content_hash = content_hash(name) AS has_old_hash FROM sources WHERE name IN ('1', '2', '3') ORDER BY name;

DROP SCHEMA discovery_own_writes CASCADE;
DROP ROLE regress_discovery_writer;
