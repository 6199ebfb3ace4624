-- Within a transaction each read of a count is right, whatever reads it: what test/t/random_sql.pl does not do.
SET client_min_messages = warning;
CREATE SCHEMA discovery_readers;
CREATE EXTENSION discovery SCHEMA discovery_readers;
SET search_path = discovery_readers;
CREATE FUNCTION book(int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT format('00000000-0000-4000-8000-00000000000%s', $1)::uuid $$;
CREATE FUNCTION add() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sources (notebook_id, name, source_type) VALUES (book(1), 's', 'file');
    RETURN 0;
END $$;
CREATE FUNCTION live() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(*) FROM sources WHERE notebook_id = book(1));
END $$;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT source_count FROM notebooks WHERE id = book(1));
END $$;
INSERT INTO notebooks (id, name) SELECT book(n), 'n' || n FROM generate_series(1, 3) AS n;

-- A cursor that locks rows goes on to lock them after a count was written.
BEGIN;
SELECT add();
DECLARE c CURSOR FOR SELECT name FROM notebooks ORDER BY name DESC FOR KEY SHARE;
FETCH c;
SELECT source_count FROM notebooks WHERE name = 'n1';
FETCH ALL c;
COMMIT;
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) SELECT id, 's', 'file' FROM notebooks;
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT id FROM notebooks FOR UPDATE LOOP
        UPDATE notebooks SET description = 'done' WHERE id = one.id;
    END LOOP;
END $$;
COMMIT;
SELECT count(*) AS done FROM notebooks WHERE description = 'done';

-- A function of the user in the constraint of a domain, in a cursor from before the last change.
CREATE FUNCTION is_right() RETURNS boolean LANGUAGE plpgsql STABLE AS
    'BEGIN RAISE WARNING ''% live, % counted'', live(), counted(); RETURN true; END';
CREATE DOMAIN checked AS int CHECK (is_right());
BEGIN;
SELECT add();
DECLARE c CURSOR FOR SELECT number::checked FROM (VALUES (1), (2)) AS v (number);
SELECT add();
FETCH 2 c;
COMMIT;
-- The same of a built-in function that runs a query.
BEGIN;
SELECT add();
DECLARE c CURSOR FOR
    SELECT number, word FROM (VALUES (1), (2)) AS v (number),
        ts_stat('SELECT format(''%s_live_%s_counted'', live(), counted())::tsvector');
SELECT add();
FETCH 2 c;
COMMIT;
-- Partitions are found while INSERT runs.
CREATE TABLE parts (number int CHECK (is_right())) PARTITION BY LIST (number);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (0);
BEGIN;
SELECT add();
INSERT INTO parts SELECT add() FROM generate_series(1, 2);
COMMIT;
-- In an expression of PL/pgSQL no statement starts before its functions: they see one state, the newest.
BEGIN;
SELECT add();
DO $$
DECLARE
    seen text;
BEGIN
    seen := add() || ' ' || counted() || ' ' || counted();
    RAISE WARNING '%', seen;
END $$;
COMMIT;

-- Columns that are computed from the count.
ALTER TABLE notebooks ADD double int GENERATED ALWAYS AS (source_count * 2) STORED;
BEGIN;
SELECT add();
SELECT double = 2 * live() AS is_right FROM notebooks WHERE id = book(1);
COMMIT;
ALTER TABLE notebooks DROP double;

-- What is checked at the end of the transaction.
DELETE FROM sources;
DELETE FROM notebooks WHERE name = 'n3';
BEGIN;
SELECT add();
ALTER TABLE notebooks ADD CONSTRAINT own UNIQUE (source_count) DEFERRABLE INITIALLY DEFERRED;
COMMIT;
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) VALUES (book(2), 's', 'file');
COMMIT;
ALTER TABLE notebooks DROP CONSTRAINT own;
ALTER TABLE notebooks ADD CONSTRAINT own UNIQUE (id, source_count);
CREATE TABLE copies (id uuid, number int,
    FOREIGN KEY (id, number) REFERENCES notebooks (id, source_count) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO copies SELECT id, source_count FROM notebooks WHERE id = book(1);
BEGIN;
SELECT add();
COMMIT;
DROP TABLE copies;
ALTER TABLE notebooks DROP CONSTRAINT own;

-- With a deferred foreign key, a source comes before its notebook.
ALTER TABLE sources ALTER CONSTRAINT sources_notebook_id_fkey DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) VALUES (book(7), 's', 'file');
INSERT INTO notebooks (id, name) VALUES (book(7), 'late');
COMMIT;
SET discovery.counts = statement;
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) VALUES (book(8), 's', 'file');
INSERT INTO notebooks (id, name) VALUES (book(8), 'later');
COMMIT;
SELECT name, source_count FROM notebooks ORDER BY name;
SELECT * FROM check_source_counts();

SET client_min_messages = error;
DROP EXTENSION discovery CASCADE;
DROP SCHEMA discovery_readers CASCADE;
