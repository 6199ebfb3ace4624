-- The counts add up row by row what a statement does, and are written at its end.
-- In between the user's own triggers run: statements inside of the statement,
-- subtransactions that are undone, errors after some of the rows. What was done
-- counts once, what was undone does not.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_nested;
CREATE EXTENSION discovery SCHEMA discovery_nested;
SET search_path = discovery_nested;
INSERT INTO notebooks (id, name)
    SELECT ('00000000-0000-4000-8000-00000000000' || name)::uuid, name FROM unnest(ARRAY['a', 'b']) AS name;
CREATE FUNCTION book(text) RETURNS uuid LANGUAGE sql STABLE AS 'SELECT id FROM discovery_nested.notebooks WHERE name = $1';
-- 'a 3' is right; 'a 3, not 2' is wrong.
CREATE VIEW counts AS
    SELECT string_agg(notebook.name || ' ' || source_count ||
                      CASE WHEN source_count = live.sources THEN '' ELSE ', not ' || live.sources END,
                      '; ' ORDER BY notebook.name) AS counts
    FROM notebooks AS notebook, LATERAL (
        SELECT count(*) AS sources FROM sources WHERE notebook_id = notebook.id AND deleted_at IS NULL) AS live;
CREATE PROCEDURE add(target text, VARIADIC names text[]) LANGUAGE sql AS $$
    INSERT INTO discovery_nested.sources (notebook_id, name, source_type)
    SELECT discovery_nested.book(target), name, 'text' FROM unnest(names) AS name $$;

-- Triggers of the user's before ours (by name) and after them, at each row and each statement
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

-- A statement inside of a statement, before and after our own triggers
CALL add('a', 'one', 'two, copied', 'three, copied');
TABLE counts;
-- One that is undone, and another in its place
CALL add('a', 'four', 'five, undone', 'six, both', 'seven');
TABLE counts;
SELECT name FROM sources WHERE notebook_id = book('b') ORDER BY name;
CALL add('a', 'with it 1', 'with it 2', 'the last');
DELETE FROM sources WHERE name IN ('one', 'the last', 'seven');
TABLE counts;

-- Errors after some of the rows, or at the end before and after our own trigger:
-- to the top, to a savepoint, to a block
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

-- A trigger of the user's on notebooks that adds a source when a count is
-- written: a statement inside of the writing of another one.
CREATE FUNCTION add_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.source_count > old.source_count AND NOT EXISTS (SELECT FROM discovery_nested.sources WHERE name = 'once') THEN
        CALL discovery_nested.add(CASE new.name WHEN 'a' THEN 'b' ELSE 'a' END, 'once');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER add_once AFTER UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION add_once();
CALL add('a', 'thirteen', 'fourteen');
TABLE counts;
DROP TRIGGER add_once ON notebooks;

-- What is written comes at the end of the statement: a trigger of rows sees the
-- count from before it, one of the statement that comes after ours the new one.
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

-- Rows that come while the statement's trigger is off count when it is on again
-- in the same transaction; those of the row's do not, and the check says so.
BEGIN;
ALTER TABLE sources DISABLE TRIGGER discovery_statement;
CALL add('a', 'sixteen');
ALTER TABLE sources ENABLE TRIGGER discovery_statement;
CALL add('a', 'seventeen');
TABLE counts;
ALTER TABLE sources DISABLE TRIGGER discovery_insert;
CALL add('a', 'eighteen');
ALTER TABLE sources ENABLE TRIGGER discovery_insert;
SELECT name, actual_count - source_count AS missing FROM check_source_counts();
ROLLBACK;
-- Nothing of it is left for the next transaction.
CALL add('a', 'nineteen');
TABLE counts;

DROP SCHEMA discovery_nested CASCADE;
