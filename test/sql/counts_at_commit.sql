-- When counts are written: once, at the end of the transaction, or before a statement of it that reads or writes
-- notebooks. The statistics of the transaction tell how many rows of notebooks it has updated.
SET client_min_messages = warning;
CREATE SCHEMA discovery_at_commit;
CREATE EXTENSION discovery SCHEMA discovery_at_commit;
SET search_path = discovery_at_commit;
CREATE VIEW written AS SELECT
    pg_stat_get_xact_tuples_updated(to_regclass('discovery_at_commit.notebooks')) AS rows;
CREATE FUNCTION book(int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT format('00000000-0000-4000-8000-00000000000%s', $1)::uuid $$;
CREATE PROCEDURE add(number int, name text) LANGUAGE sql AS $$
    INSERT INTO discovery_at_commit.sources (notebook_id, name, source_type)
        VALUES (format('00000000-0000-4000-8000-00000000000%s', number)::uuid, name, 'file') $$;
INSERT INTO notebooks (id, name) SELECT book(n), 'n' || n FROM generate_series(1, 3) AS n;

-- Statements that read nothing of it do not write it.
SELECT pg_stat_force_next_flush();
BEGIN;
CALL add(1, 'a');
CALL add(2, 'b');
SAVEPOINT s;
CALL add(1, 'c');
RELEASE s;
UPDATE sources SET deleted_at = now() WHERE name = 'b';
SELECT id = book(1) AS first, name FROM notebooks WHERE name = 'n1';
SELECT count(*) FROM notebooks;
EXPLAIN (COSTS OFF) SELECT source_count FROM notebooks;
SELECT outcome FROM add_source(book(1), 'd', 'text', extracted_text => 'd');
SELECT rows AS written FROM written;
-- A read does, once.
SELECT name, source_count FROM notebooks ORDER BY name;
SELECT name, source_count FROM notebooks ORDER BY name;
SELECT rows AS written FROM written;
COMMIT;
SELECT name, source_count FROM notebooks ORDER BY name;

-- What a rolled-back subtransaction wrote is written again.
BEGIN;
CALL add(1, 'e');
SAVEPOINT s;
CALL add(2, 'f');
SELECT name, source_count FROM notebooks ORDER BY name;
ROLLBACK TO s;
SELECT name, source_count FROM notebooks ORDER BY name;
ROLLBACK;
SELECT name, source_count FROM notebooks ORDER BY name;

-- A notebook that is deleted, replaced, or gets another id.
BEGIN;
CALL add(3, 'g');
CALL add(2, 'h');
WITH gone AS (DELETE FROM notebooks WHERE id = book(2) RETURNING *)
    INSERT INTO notebooks (id, name) SELECT id, 'again' FROM gone;
DELETE FROM notebooks WHERE id = book(3);
INSERT INTO notebooks (id, name) VALUES (book(3), 'third');
CALL add(3, 'i');
WITH moved AS (UPDATE sources SET notebook_id = book(4) WHERE notebook_id = book(1))
    UPDATE notebooks SET id = book(4) WHERE id = book(1);
COMMIT;
SELECT name, source_count FROM notebooks ORDER BY name;
SELECT * FROM check_source_counts();

-- A transaction that is READ ONLY after it has changed sources still commits.
BEGIN;
CALL add(3, 'j');
SET TRANSACTION READ ONLY;
COMMIT;
BEGIN;
CALL add(3, 'k');
SET TRANSACTION READ ONLY;
SELECT source_count FROM notebooks WHERE id = book(3);
COMMIT;
SELECT source_count FROM notebooks WHERE id = book(3);

-- Other tables of the transaction's own: dropped, renamed, altered.
BEGIN;
CALL add(3, 'l');
ALTER TABLE notebooks RENAME TO books;
SELECT source_count FROM books WHERE id = book(3);
ALTER TABLE books RENAME TO notebooks;
ALTER SCHEMA discovery_at_commit RENAME TO discovery_at_end;
COMMIT;
ALTER SCHEMA discovery_at_end RENAME TO discovery_at_commit;
SELECT * FROM check_source_counts();
BEGIN;
CALL add(3, 'm');
ALTER TABLE notebooks ADD CHECK (source_count <= 4);
ROLLBACK;
BEGIN;
CALL add(3, 'm');
DROP TABLE notebooks CASCADE;
COMMIT;
\echo :SQLSTATE
DROP TABLE sources, outputs, discovery_deletions, discovery_lost_files, discovery_trash, discovery_migrations CASCADE;
SELECT discovery_create_store('discovery_at_commit');
INSERT INTO notebooks (id, name) SELECT book(n), 'n' || n FROM generate_series(1, 3) AS n;

-- TRUNCATE, then more.
BEGIN;
CALL add(1, 'a');
TRUNCATE sources;
CALL add(1, 'b');
COMMIT;
SELECT name, source_count FROM notebooks ORDER BY name;

-- The other value writes at the end of each statement, and first what is owed.
SELECT pg_stat_force_next_flush();
BEGIN;
CALL add(2, 'a');
SET LOCAL discovery.counts = statement;
CALL add(1, 'c');
SELECT rows AS written FROM written;
COMMIT;
SELECT * FROM check_source_counts();
SET discovery.counts = never;
SHOW discovery.counts;

-- A Citus worker is known by the name that the coordinator gives its session, and writes at once.
SET application_name = 'citus_internal gpid=10000000001';
SELECT pg_stat_force_next_flush();
BEGIN;
CALL add(1, 'citus');
SELECT rows AS written FROM written;
ROLLBACK;
-- Nor does it know the search_path of the client.
SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000001', 'citus', 'text');
RESET application_name;

-- Where code of the user runs when a notebook is updated, each statement writes: at the end of the transaction a
-- deferred trigger would be lost.
CREATE TABLE noted (name text, number int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO discovery_at_commit.noted VALUES (new.name, new.source_count); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER note AFTER UPDATE ON notebooks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION note();
SELECT pg_stat_force_next_flush();
BEGIN;
CALL add(1, 'd');
SELECT rows AS written FROM written;
COMMIT;
TABLE noted;
-- The trigger is made after the change.
DROP TRIGGER note ON notebooks;
TRUNCATE noted;
SELECT pg_stat_force_next_flush();
BEGIN;
CALL add(1, 'e');
CREATE CONSTRAINT TRIGGER note AFTER UPDATE ON notebooks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION note();
SELECT rows AS written FROM written;
CALL add(1, 'f');
COMMIT;
TABLE noted;
DROP TRIGGER note ON notebooks;
-- A disabled trigger runs nothing; a rule, and a function in a constraint, do.
CREATE FUNCTION is_small(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 8; END';
ALTER TABLE notebooks ADD CONSTRAINT small CHECK (is_small(source_count));
SELECT pg_stat_force_next_flush();
BEGIN;
CALL add(1, 'g');
CALL add(1, 'h');
SELECT rows AS written FROM written;
ROLLBACK;
ALTER TABLE notebooks DROP CONSTRAINT small;
ALTER TABLE notebooks ADD CONSTRAINT small CHECK (source_count < 6);
\set VERBOSITY terse
SELECT pg_stat_force_next_flush();
BEGIN;
CALL add(1, 'g');
CALL add(1, 'h');
SELECT rows AS written FROM written;
COMMIT;
\set VERBOSITY default
SELECT * FROM check_source_counts();
ALTER TABLE notebooks DROP CONSTRAINT small;

-- A user's trigger on sources sees the count from before the statement, until all of it is counted.
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO discovery_at_commit.noted
        SELECT TG_NAME, source_count FROM discovery_at_commit.notebooks WHERE name = 'n3';
    RETURN NULL;
END $$;
CREATE TRIGGER a_row AFTER INSERT ON sources FOR EACH ROW EXECUTE FUNCTION look();
CREATE TRIGGER before_ours AFTER INSERT ON sources FOR EACH STATEMENT EXECUTE FUNCTION look();
CREATE TRIGGER x_after_ours AFTER INSERT ON sources FOR EACH STATEMENT EXECUTE FUNCTION look();
TRUNCATE noted;
BEGIN;
CALL add(3, 'a');
INSERT INTO sources (notebook_id, name, source_type) SELECT book(3), 's', 'file' FROM generate_series(1, 2);
COMMIT;
TABLE noted;

-- Another role reads: the counts are written as their owner.
CREATE ROLE regress_discovery_reader;
GRANT USAGE ON SCHEMA discovery_at_commit TO regress_discovery_reader;
GRANT SELECT ON notebooks TO regress_discovery_reader;
DROP TRIGGER a_row ON sources;
DROP TRIGGER before_ours ON sources;
DROP TRIGGER x_after_ours ON sources;
BEGIN;
CALL add(3, 'b');
SET LOCAL ROLE regress_discovery_reader;
SELECT source_count, current_user FROM notebooks WHERE name = 'n3';
COMMIT;
SELECT * FROM check_source_counts();

SET client_min_messages = error;
DROP EXTENSION discovery CASCADE;
DROP SCHEMA discovery_at_commit CASCADE;
DROP ROLE regress_discovery_reader;
