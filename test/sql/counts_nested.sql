-- The counts are added up row by row and written at the end of the statement. In between, triggers of the user's run:
-- statements inside the statement, subtransactions that are rolled back, errors after some of the rows. What stays
-- counts once; what is rolled back does not count.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_nested;
CREATE EXTENSION discovery SCHEMA discovery_nested;
SET search_path = discovery_nested;
INSERT INTO notebooks (id, name)
    SELECT ('00000000-0000-4000-8000-00000000000' || name)::uuid, name FROM unnest(ARRAY['a', 'b']) AS name;
\getenv inputdir PG_ABS_SRCDIR
\set counts :inputdir '/sql/include/counts.sql'
\i :counts
CREATE PROCEDURE add(target text, VARIADIC names text[]) LANGUAGE sql AS $$
    INSERT INTO discovery_nested.sources (notebook_id, name, source_type)
    SELECT discovery_nested.book(target), name, 'text' FROM unnest(names) AS name $$;

-- The user's triggers before ours (by name) and after them, for each row and each statement
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' AND TG_OP = 'INSERT' AND new.name ~ '(copied|both)$' THEN
        CALL discovery_nested.add('b', 'copy ' || new.name || ' ' || TG_NAME);
    END IF;
    IF TG_LEVEL = 'ROW' AND TG_OP = 'INSERT' AND new.name ~ '(undone|both)$' THEN
        BEGIN
            CALL discovery_nested.add('b', 'gone 1', 'gone 2');
            DELETE FROM discovery_nested.sources WHERE name = 'stays';
            RAISE EXCEPTION 'undone';
        EXCEPTION WHEN raise_exception THEN
            CALL discovery_nested.add('b', 'after ' || new.name || ' ' || TG_NAME);
        END;
    END IF;
    IF TG_LEVEL = 'ROW' AND TG_OP = 'DELETE' AND old.name = 'the last' THEN
        DELETE FROM discovery_nested.sources WHERE notebook_id = old.notebook_id AND name ~ '^with it';
    END IF;
    IF TG_LEVEL = 'ROW' AND TG_OP <> 'DELETE' AND new.name = 'bad row' OR
       TG_LEVEL = 'STATEMENT' AND current_setting('nested.fail', true) = TG_NAME THEN
        RAISE EXCEPTION 'failed';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_row AFTER INSERT OR UPDATE OR DELETE ON sources FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER z_row AFTER INSERT OR UPDATE OR DELETE ON sources FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER a_end AFTER INSERT OR UPDATE OR DELETE ON sources FOR EACH STATEMENT EXECUTE FUNCTION act();
CREATE TRIGGER z_end AFTER INSERT OR UPDATE OR DELETE ON sources FOR EACH STATEMENT EXECUTE FUNCTION act();
CALL add('b', 'stays');

-- A statement inside a statement, before and after our own triggers
CALL add('a', 'one', 'two, copied', 'three, copied');
TABLE counts;
-- One that is rolled back, and another in its place
CALL add('a', 'four', 'five, undone', 'six, both', 'seven');
TABLE counts;
SELECT name FROM sources WHERE notebook_id = book('b') ORDER BY name;
CALL add('a', 'with it 1', 'with it 2', 'the last');
DELETE FROM sources WHERE name IN ('one', 'the last', 'seven');
TABLE counts;

-- Errors after some of the rows, or at the end before and after our own trigger: without a savepoint, with a savepoint,
-- in a block that catches the error
CALL add('a', 'nine', 'bad row', 'ten');
TABLE counts;
BEGIN;
CALL add('a', 'eleven');
SAVEPOINT before;
CALL add('a', 'nine', 'bad row', 'ten');
ROLLBACK TO before;
CALL add('a', 'twelve');
TABLE counts;
SET LOCAL nested.fail = 'a_end';
SAVEPOINT before;
CALL add('a', 'nine');
ROLLBACK TO before;
SET LOCAL nested.fail = 'z_end';
SAVEPOINT before;
CALL add('a', 'nine');
ROLLBACK TO before;
SET LOCAL nested.fail = '';
DELETE FROM sources WHERE name = 'four';
TABLE counts;
COMMIT;
DO $$
BEGIN
    FOR number IN 1..3 LOOP
        BEGIN
            CALL discovery_nested.add('a', 'loop ' || number, CASE number WHEN 2 THEN 'bad row' ELSE 'good row' END);
        EXCEPTION WHEN raise_exception THEN
            CALL discovery_nested.add('b', 'instead of ' || number);
        END;
    END LOOP;
END $$;
TABLE counts;
SELECT count(*) AS loops FROM sources WHERE name ~ 'loop|instead';

-- A trigger of the user's on notebooks adds a source when a count is written: a statement inside the writing of another
-- one's count.
CREATE FUNCTION add_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.source_count > old.source_count AND
       NOT EXISTS (SELECT FROM discovery_nested.sources WHERE name = 'once') THEN
        CALL discovery_nested.add(CASE new.name WHEN 'a' THEN 'b' ELSE 'a' END, 'once');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER add_once AFTER UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION add_once();
CALL add('a', 'thirteen', 'fourteen');
TABLE counts;
DROP TRIGGER add_once ON notebooks;
-- The same by a trigger that runs before our own trigger on notebooks
CREATE TRIGGER a_first BEFORE UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION add_once();
CREATE OR REPLACE FUNCTION add_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.name = 'a' THEN
        CALL discovery_nested.add('b', 'before ' || new.source_count);
    END IF;
    RETURN new;
END $$;
CALL add('a', 'first');
TABLE counts;
DROP TRIGGER a_first ON notebooks;

-- A statement inside a statement does not change the effects of the outer one: each notebook is still written once, and
-- the deletion is logged for the role that deletes.
CREATE TABLE writes (notebook text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO discovery_nested.writes VALUES (new.name);
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION note();
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE discovery_nested.sources SET source_metadata = '{"touched": true}' WHERE id = new.id;
    DELETE FROM discovery_nested.sources WHERE false;
    RETURN NULL;
END $$;
CREATE TRIGGER touch AFTER INSERT ON sources FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER touch_deleted AFTER UPDATE OF deleted_at ON sources
    FOR EACH ROW WHEN (new.name LIKE 'touched%') EXECUTE FUNCTION touch();
CALL add('a', 'touched 1', 'touched 2', 'touched 3', 'touched 4');
SELECT notebook, count(*) FROM writes GROUP BY notebook;
CREATE ROLE regress_discovery_deleter;
GRANT USAGE ON SCHEMA discovery_nested TO regress_discovery_deleter;
GRANT SELECT, UPDATE ON sources TO regress_discovery_deleter;
SET ROLE regress_discovery_deleter;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name LIKE 'touched%';
RESET ROLE;
SELECT acting_role, sources FROM discovery_deletions;
SELECT notebook, count(*) FROM writes GROUP BY notebook;
TABLE counts;
DROP TRIGGER touch ON sources;
DROP TRIGGER touch_deleted ON sources;
DROP TRIGGER note ON notebooks;

-- The count is written at the end of the statement: a row trigger sees the count from before the statement, a statement
-- trigger that runs after ours sees the new one.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING '%: %', TG_NAME, (SELECT counts FROM discovery_nested.counts);
    RETURN NULL;
END $$;
CREATE TRIGGER tell_row AFTER INSERT ON sources FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER tell_end AFTER INSERT ON sources FOR EACH STATEMENT EXECUTE FUNCTION tell();
CALL add('a', 'fifteen');
DROP TRIGGER tell_row ON sources;
DROP TRIGGER tell_end ON sources;

-- Rows added while one of our triggers is disabled do not count, and the check reports them. After the repair has
-- counted them they are not counted again.
BEGIN;
ALTER TABLE sources DISABLE TRIGGER discovery_statement;
CALL add('a', 'sixteen');
ALTER TABLE sources ENABLE TRIGGER discovery_statement;
ALTER TABLE sources DISABLE TRIGGER discovery_insert;
CALL add('a', 'seventeen');
ALTER TABLE sources ENABLE TRIGGER discovery_insert;
SELECT name, actual_count - source_count AS missing FROM check_source_counts();
SELECT repair_source_counts();
CALL add('a', 'eighteen');
TABLE counts;
ROLLBACK;
CALL add('a', 'nineteen');
TABLE counts;

DROP SCHEMA discovery_nested CASCADE;
DROP ROLE regress_discovery_deleter;
