-- updated_at of notebooks and sources: an UPDATE of a row's own data that does not give another value sets it to the
-- current time in UTC; a value that the UPDATE gives is kept. Changes of a notebook's sources move its updated_at
-- forward, never backward.
SET client_min_messages = warning;
CREATE SCHEMA discovery_moved;
CREATE EXTENSION discovery SCHEMA discovery_moved;
SET search_path = discovery_moved;
SET DateStyle = ISO;
-- Timestamps are in UTC, whatever the session's time zone is.
SET TimeZone = 'Asia/Tokyo';

-- 'now' is the transaction's time in UTC.
CREATE FUNCTION moment(timestamp) RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT CASE WHEN $1 = timezone('UTC', now()) THEN 'now' ELSE $1::text END $$;
CREATE VIEW moments AS SELECT name, moment(updated_at) FROM notebooks ORDER BY name;
CREATE FUNCTION book(text) RETURNS uuid LANGUAGE sql STABLE AS
    'SELECT id FROM discovery_moved.notebooks WHERE name = $1';

INSERT INTO notebooks (name) VALUES ('new') RETURNING moment(created_at) AS created, moment(updated_at) AS updated;
INSERT INTO sources (notebook_id, name, source_type) VALUES (book('new'), 'new', 'text')
    RETURNING moment(created_at) AS created, moment(updated_at) AS updated;
DELETE FROM notebooks;

-- As after restoring a dump: notebooks first, then their sources, none of them newer than its notebook. No updated_at
-- moves. A notebook with a time in the future keeps it.
INSERT INTO notebooks (name, created_at, updated_at) VALUES
    ('a', '2020-01-01', '2020-06-01'), ('b', '2020-01-01', '2020-06-01'), ('future', '2020-01-01', '2999-01-01');
INSERT INTO sources (notebook_id, name, source_type, extracted_text, created_at, updated_at, deleted_at)
    SELECT notebooks.id, source.name, 'text', source.name, '2020-02-01', '2020-03-01', source.deleted_at
    FROM notebooks,
        (VALUES ('one', NULL), ('two', NULL), ('dead', timestamp '2020-03-01')) AS source (name, deleted_at);
TABLE moments;
SELECT DISTINCT moment(updated_at) FROM sources;

-- A row's own data, in the result of the statement itself
UPDATE notebooks SET description = 'x' WHERE name = 'a' RETURNING moment(updated_at);
UPDATE notebooks SET description = 'y', updated_at = '2020-06-01' WHERE name = 'a' RETURNING moment(updated_at);
-- A value that the row has already does not count as given by the client: the trigger cannot tell the difference.
UPDATE notebooks SET description = 'z', updated_at = '2020-06-01' WHERE name = 'a' RETURNING moment(updated_at);
UPDATE notebooks SET updated_at = '2020-06-01' WHERE name = 'a' RETURNING moment(updated_at);
UPDATE notebooks SET updated_at = updated_at, name = name, tags = '{}', description = 'z'
    WHERE name = 'a' RETURNING moment(updated_at);
-- A value that is ignored changes nothing.
UPDATE notebooks SET output_count = 3 WHERE name = 'a' RETURNING moment(updated_at);
UPDATE notebooks SET source_count = source_count + 5 WHERE name = 'a' RETURNING moment(updated_at);
-- The current time also replaces a time in the future.
BEGIN;
UPDATE notebooks SET description = 'x' WHERE name = 'future' RETURNING moment(updated_at);
ROLLBACK;
UPDATE sources SET url = 'http://x' WHERE name = 'one' AND notebook_id = book('a') RETURNING moment(updated_at);
UPDATE sources SET url = NULL, updated_at = '2020-03-01'
    WHERE name = 'one' AND notebook_id = book('a') RETURNING moment(updated_at);
UPDATE sources SET name = name, url = url WHERE name = 'one' AND notebook_id = book('a') RETURNING moment(updated_at);
-- A json value is compared as text; a change from NULL or to NULL counts.
UPDATE sources SET source_metadata = '{ }' WHERE name = 'one' AND notebook_id = book('a') RETURNING moment(updated_at);
UPDATE sources SET source_metadata = '{}', updated_at = '2020-03-01' WHERE name = 'one' AND notebook_id = book('a');
-- A large text that is written again unchanged
UPDATE sources SET extracted_text = repeat('a text of some size ', 100000), updated_at = '2020-03-02'
    WHERE name = 'two' AND notebook_id = book('a');
UPDATE sources SET extracted_text = repeat('a text of some size ', 100000)
    WHERE name = 'two' AND notebook_id = book('a') RETURNING moment(updated_at);
-- The user's own columns are data, too; generated columns only follow.
ALTER TABLE sources ADD COLUMN stars int, ADD COLUMN shout text GENERATED ALWAYS AS (upper(name)) STORED;
UPDATE sources SET stars = stars WHERE name = 'two' AND notebook_id = book('a') RETURNING moment(updated_at);
UPDATE sources SET stars = 5 WHERE name = 'two' AND notebook_id = book('a') RETURNING moment(updated_at);
UPDATE sources SET updated_at = '2020-03-01' WHERE name = 'two' AND notebook_id = book('a');
ALTER TABLE sources DROP COLUMN stars, DROP COLUMN shout;
-- None of these UPDATEs of sources moved a notebook's updated_at.
TABLE moments;

-- Adding sources moves the notebook's updated_at to the latest of the rows' timestamps.
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) VALUES (book('a'), 'now', 'text'), (book('future'), 'now', 'text');
TABLE moments;
ROLLBACK;
BEGIN;
INSERT INTO sources (notebook_id, name, source_type, created_at, updated_at) VALUES
    (book('a'), 'first', 'text', '2020-07-01', '2020-07-02'), (book('a'), 'second', 'text', '2020-07-03', '2020-07-01'),
    (book('b'), 'third', 'text', '2020-05-01', '2020-05-01'),
    (book('future'), 'fourth', 'text', '3000-01-01', '2020-01-01');
TABLE moments;
ROLLBACK;
-- Infinite timestamps move nothing.
BEGIN;
INSERT INTO sources (notebook_id, name, source_type, created_at, updated_at) VALUES
    (book('a'), 'first', 'text', '-infinity', 'infinity'), (book('b'), 'second', 'text', 'infinity', '2020-07-01');
TABLE moments;
ROLLBACK;
-- A source that is inserted as soft-deleted does not move the notebook's updated_at.
BEGIN;
INSERT INTO sources (notebook_id, name, source_type, deleted_at) VALUES (book('a'), 'dead too', 'text', '2020-07-01');
TABLE moments;
ROLLBACK;

-- Soft delete and restore move the source's updated_at, and the notebook's with it.
BEGIN;
UPDATE sources SET deleted_at = '2020-07-01'
    WHERE name = 'one' AND notebook_id <> book('b') RETURNING moment(updated_at);
TABLE moments;
ROLLBACK;
BEGIN;
UPDATE sources SET deleted_at = '2020-07-01', updated_at = '2020-06-15' WHERE name = 'one' AND notebook_id = book('a')
    RETURNING moment(updated_at);
TABLE moments;
UPDATE sources SET deleted_at = NULL, updated_at = '2020-04-01' WHERE name = 'one' AND notebook_id = book('a')
    RETURNING moment(updated_at);
TABLE moments;
ROLLBACK;
BEGIN;
UPDATE sources SET deleted_at = NULL WHERE name = 'dead' AND notebook_id = book('a') RETURNING moment(updated_at);
TABLE moments;
ROLLBACK;
BEGIN;
SELECT deleted FROM delete_source((SELECT id FROM sources WHERE name = 'one' AND notebook_id = book('a')));
TABLE moments;
ROLLBACK;
-- Another deleted_at of a soft-deleted source moves only the source's updated_at.
BEGIN;
UPDATE sources SET deleted_at = '2020-07-01' WHERE name = 'dead' RETURNING moment(updated_at);
TABLE moments;
ROLLBACK;

-- Moving a source to another notebook moves the updated_at of both notebooks.
BEGIN;
UPDATE sources SET notebook_id = book('b'), content_hash = 'moved' WHERE name = 'one' AND notebook_id = book('a');
TABLE moments;
ROLLBACK;
-- If sources exchange their notebooks, no updated_at of the notebooks moves, because no count changes.
BEGIN;
UPDATE sources SET content_hash = '', extracted_text = '' WHERE name = 'one';
UPDATE sources SET notebook_id = CASE notebook_id WHEN book('a') THEN book('b') ELSE book('a') END
    WHERE name = 'one' AND notebook_id <> book('future');
TABLE moments;
ROLLBACK;

-- DELETE of a live source: the notebook's updated_at moves to the current time, never backward; DELETE of a
-- soft-deleted source moves nothing.
BEGIN;
DELETE FROM sources WHERE name = 'one' AND notebook_id <> book('b');
TABLE moments;
ROLLBACK;
BEGIN;
DELETE FROM sources WHERE name = 'dead';
TABLE moments;
ROLLBACK;
BEGIN;
DELETE FROM sources WHERE notebook_id = book('b');
TRUNCATE sources;
TABLE moments;
ROLLBACK;
BEGIN;
INSERT INTO notebooks (name, updated_at) VALUES ('empty', '2020-06-01');
TRUNCATE sources;
TABLE moments;
ROLLBACK;

-- The repair of a count does not move the notebook's updated_at.
ALTER TABLE notebooks DISABLE TRIGGER discovery_row;
UPDATE notebooks SET source_count = 77;
ALTER TABLE notebooks ENABLE TRIGGER discovery_row;
SELECT repair_source_counts();
SELECT name, source_count FROM notebooks ORDER BY name;
TABLE moments;

DROP SCHEMA discovery_moved CASCADE;
