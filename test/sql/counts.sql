-- notebooks.source_count is the number of live sources after each statement that writes sources, whichever statement
-- it is, also inside a transaction. A statement that changes no count writes no notebook. A value that a client
-- writes into source_count or output_count is ignored.
SET client_min_messages = warning;
CREATE SCHEMA discovery_counts;
CREATE EXTENSION discovery SCHEMA discovery_counts;
SET search_path = discovery_counts;

INSERT INTO notebooks (id, name)
    SELECT ('00000000-0000-4000-8000-00000000000' || name)::uuid, name FROM unnest(ARRAY['a', 'b', 'c']) AS name;
\getenv inputdir PG_ABS_SRCDIR
\set counts :inputdir '/sql/include/counts.sql'
\i :counts
-- The place of each notebook's row and the transaction that wrote it: one of them changes if the row is written.
CREATE VIEW places AS SELECT name, ctid AS place, xmin AS writer, updated_at FROM notebooks;
CREATE FUNCTION remember() RETURNS void LANGUAGE sql AS $$
    DROP TABLE IF EXISTS remembered; CREATE TEMP TABLE remembered AS SELECT * FROM discovery_counts.places $$;
CREATE FUNCTION touched() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT coalesce(string_agg(name, ' ' ORDER BY name), 'none') FROM discovery_counts.places AS now
            WHERE NOT EXISTS (SELECT FROM remembered WHERE remembered.* IS NOT DISTINCT FROM now.*));
END $$;

-- One row; many rows of many notebooks; rows that are inserted as soft-deleted.
INSERT INTO sources (notebook_id, name, source_type) VALUES (book('a'), 'one', 'text');
TABLE counts;
INSERT INTO sources (notebook_id, name, source_type, deleted_at)
    SELECT book(target), 'many ' || number, 'text', CASE WHEN number = 3 THEN timestamp '2020-01-01' END
    FROM unnest(ARRAY['b', 'a', 'b', 'c']) AS target, generate_series(1, 3) AS number;
TABLE counts;
-- COPY
COPY sources (notebook_id, name, source_type) FROM stdin WITH (FORMAT csv);
00000000-0000-4000-8000-00000000000c,copied 1,text
00000000-0000-4000-8000-00000000000c,copied 2,text
\.
TABLE counts;

-- Moving to another notebook; two sources exchange their notebooks.
UPDATE sources SET notebook_id = book('a') WHERE notebook_id = book('c') AND name LIKE 'copied %';
TABLE counts;
SELECT remember();
WITH pair AS (SELECT DISTINCT ON (notebook_id) id, notebook_id FROM sources
              WHERE notebook_id IN (book('a'), book('b')) AND deleted_at IS NULL ORDER BY notebook_id, id)
    UPDATE sources SET notebook_id = CASE pair.notebook_id WHEN book('a') THEN book('b') ELSE book('a') END
    FROM pair WHERE sources.id = pair.id;
TABLE counts;
SELECT touched();

-- Soft delete, restore, and both in one statement
UPDATE sources SET deleted_at = timezone('UTC', now()) WHERE notebook_id = book('b') AND deleted_at IS NULL;
TABLE counts;
UPDATE sources SET deleted_at = NULL WHERE notebook_id = book('b');
TABLE counts;
UPDATE sources SET deleted_at = CASE WHEN deleted_at IS NULL THEN timestamp '2020-01-01' END
    WHERE notebook_id = book('c');
TABLE counts;
UPDATE sources SET deleted_at = CASE WHEN deleted_at IS NULL THEN timestamp '2020-01-01' END
    WHERE notebook_id = book('c');
TABLE counts;
-- A soft-deleted source moves to another notebook and is restored there.
UPDATE sources SET notebook_id = book('c'), deleted_at = NULL
    WHERE notebook_id = book('a') AND deleted_at IS NOT NULL;
TABLE counts;

-- Statements that change no count write no notebook: other columns of live sources, any change of a soft-deleted
-- source, a statement without rows.
SELECT remember();
UPDATE sources SET name = name || '!', extracted_text = 'text of ' || id;
INSERT INTO sources (notebook_id, name, source_type, deleted_at) VALUES (book('a'), 'dead', 'text', '2020-01-01');
UPDATE sources SET deleted_at = '2021-01-01' WHERE name = 'dead';
UPDATE sources SET notebook_id = book('b') WHERE name = 'dead';
DELETE FROM sources WHERE name = 'dead';
DELETE FROM sources WHERE false;
INSERT INTO sources (notebook_id, name, source_type) SELECT id, name, 'text' FROM notebooks WHERE false;
SELECT touched();
TABLE counts;

-- ON CONFLICT: a row that is skipped does not count, a row that is updated instead counts as an update; rows of both
-- kinds in one statement.
INSERT INTO sources (notebook_id, name, source_type, content_hash)
    SELECT book('b'), 'conflict', 'file', hash FROM unnest(ARRAY['h1', 'h2', 'h1']) AS hash ON CONFLICT DO NOTHING;
TABLE counts;
INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES (book('b'), 'conflict', 'file', 'h2'),
                                                                          (book('b'), 'conflict', 'file', 'h3')
    ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL AND content_hash <> ''
    DO UPDATE SET deleted_at = '2020-01-01';
TABLE counts;
INSERT INTO sources (id, notebook_id, name, source_type) SELECT id, book('a'), 'again', 'text'
    FROM sources WHERE name = 'conflict'
    ON CONFLICT (id) DO UPDATE SET notebook_id = excluded.notebook_id, deleted_at = NULL;
TABLE counts;

-- MERGE that updates, deletes and inserts
MERGE INTO sources USING (SELECT id, content_hash FROM sources WHERE name = 'conflict'
                          UNION ALL SELECT gen_random_uuid(), 'new') AS given ON sources.id = given.id
    WHEN MATCHED AND given.content_hash = 'h1' THEN DELETE
    WHEN MATCHED THEN UPDATE SET notebook_id = book('c')
    WHEN NOT MATCHED THEN INSERT (notebook_id, name, source_type) VALUES (book('c'), 'merged', 'text');
TABLE counts;

-- CTEs that insert and delete in one statement: each notebook's net change
WITH gone AS (DELETE FROM sources WHERE notebook_id = book('c') RETURNING name),
     moved AS (UPDATE sources SET notebook_id = book('c') WHERE name LIKE 'copied %' RETURNING id)
    INSERT INTO sources (notebook_id, name, source_type)
    SELECT book('b'), name, 'text' FROM gone UNION ALL SELECT book('b'), 'for ' || id, 'text' FROM moved;
TABLE counts;

-- The next statement of the transaction sees the count, also in a function; ROLLBACK TO a savepoint restores the count.
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) VALUES (book('a'), 'in a transaction', 'text');
TABLE counts;
SAVEPOINT one;
DELETE FROM sources WHERE notebook_id = book('a');
TABLE counts;
ROLLBACK TO one;
TABLE counts;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'in a transaction';
RELEASE one;
TABLE counts;
ROLLBACK;
TABLE counts;

-- DELETE of a notebook deletes its sources.
DELETE FROM notebooks WHERE name = 'c';
TABLE counts;
SELECT count(*) AS orphans FROM sources WHERE NOT EXISTS (SELECT FROM notebooks WHERE notebooks.id = notebook_id);
-- A notebook changes its id while it has no source.
INSERT INTO notebooks (name) VALUES ('d');
UPDATE notebooks SET id = gen_random_uuid() WHERE name = 'd';
INSERT INTO sources (notebook_id, name, source_type) VALUES (book('d'), 'one', 'text');
TABLE counts;

-- What a client writes: a new notebook starts at 0, an existing one keeps its count, also if the client writes the
-- whole row as it was read before.
INSERT INTO notebooks (name, source_count, output_count) VALUES ('e', 42, 7);
SELECT source_count, output_count FROM notebooks WHERE name = 'e';
CREATE TEMP TABLE read_before AS SELECT * FROM notebooks WHERE name = 'e';
INSERT INTO sources (notebook_id, name, source_type) VALUES (book('e'), 'one', 'text');
UPDATE notebooks SET source_count = 133 WHERE name = 'e';
UPDATE notebooks AS notebook
    SET (name, description, tags, updated_at, source_count, output_count) =
        (SELECT name, 'written back', tags, updated_at, source_count + 5, output_count + 1 FROM read_before)
    WHERE notebook.id = (SELECT id FROM read_before);
INSERT INTO notebooks (id, name, source_count) SELECT id, name, -1 FROM read_before
    ON CONFLICT (id) DO UPDATE SET source_count = excluded.source_count;
SELECT source_count, output_count, description FROM notebooks WHERE name = 'e';
TABLE counts;
-- One statement adds a source and writes the notebook, whose row it read before the source was added.
WITH added AS (INSERT INTO sources (notebook_id, name, source_type) VALUES (book('e'), 'two', 'text'))
    UPDATE notebooks SET source_count = 0, output_count = 9 WHERE name = 'e';
SELECT source_count, output_count FROM notebooks WHERE name = 'e';

-- TRUNCATE, of both tables too
TRUNCATE sources;
TABLE counts;
INSERT INTO sources (notebook_id, name, source_type) VALUES (book('a'), 'after', 'text');
BEGIN;
TRUNCATE notebooks CASCADE;
SELECT (SELECT count(*) FROM notebooks) AS notebooks, (SELECT count(*) FROM sources) AS sources;
ROLLBACK;
TABLE counts;
TRUNCATE notebooks CASCADE;
SELECT (SELECT count(*) FROM notebooks) AS notebooks, (SELECT count(*) FROM sources) AS sources;

-- The user may drop NOT NULL: a source without a notebook is counted nowhere.
INSERT INTO notebooks (name) VALUES ('a');
ALTER TABLE sources ALTER notebook_id DROP NOT NULL;
INSERT INTO sources (notebook_id, name, source_type) VALUES (NULL, 'nowhere', 'text'), (book('a'), 'somewhere', 'text');
TABLE counts;
UPDATE sources SET notebook_id = CASE WHEN notebook_id IS NULL THEN book('a') END;
TABLE counts;
UPDATE sources SET notebook_id = book('a'), deleted_at = '2020-01-01';
TABLE counts;
UPDATE sources SET notebook_id = NULL, deleted_at = NULL;
TABLE counts;
-- The user may add a second foreign key on the column.
CREATE TABLE shelves (id uuid PRIMARY KEY);
ALTER TABLE sources ADD CONSTRAINT a_shelf FOREIGN KEY (notebook_id) REFERENCES shelves (id);
INSERT INTO shelves SELECT id FROM notebooks;
INSERT INTO sources (notebook_id, name, source_type) VALUES (book('a'), 'on a shelf', 'text');
TABLE counts;

DROP SCHEMA discovery_counts CASCADE;
