-- discovery_check(): what each kind of difference looks like, and that the statement given with it repairs it. Any role
-- that can see the tables may call it; it changes nothing.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_reader;
CREATE SCHEMA discovery_check;
SET search_path = discovery_check;
CREATE EXTENSION discovery VERSION '1.1' SCHEMA discovery_check;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-0000-0000-00000000000a', 'Notebook');
INSERT INTO sources (notebook_id, name, source_type, extracted_text)
    VALUES ('00000000-0000-0000-0000-00000000000a', 'Source', 'text', 'text');
SELECT count(*) FROM delete_source((SELECT id FROM sources), 'for the log');
SELECT * FROM discovery_check();

-- Of a long text, the beginning and the end are shown. PostgreSQL 16 and newer print no table's name before the columns
-- of a view, so it is removed.
CREATE FUNCTION pg_temp.ends(words text) RETURNS text LANGUAGE sql RETURN
    (SELECT CASE WHEN length(one) > 200 THEN left(one, 160) || ' ... ' || right(one, 35) ELSE one END
     FROM regexp_replace(words, '\msources?\.', '', 'g') AS one);

-- Alters the store, runs the check, repairs the store with the given statements and runs the check again; then all of
-- it is undone.
CREATE FUNCTION pg_temp.differences(alteration text)
    RETURNS TABLE (difference text, actual text, expected text, fix text, after_fix text) LANGUAGE plpgsql AS $$
DECLARE
    rows_before text := (SELECT string_agg(id || name || extracted_text, ',' ORDER BY id) FROM sources);
    all_found json;
    found record;
    outcomes text[];
    outcome text;
    number integer := 0;
BEGIN
    BEGIN
        EXECUTE alteration;
        all_found := (SELECT json_agg(c) FROM discovery_check() AS c);
        FOR found IN SELECT * FROM json_to_recordset(all_found) AS f (fix text) LOOP
            outcome := 'nothing to do';
            BEGIN
                IF found.fix IS NOT NULL THEN
                    EXECUTE found.fix;
                    outcome := 'fixed';
                END IF;
            EXCEPTION WHEN OTHERS THEN
                outcome := SQLERRM;
            END;
            outcomes := outcomes || outcome;
        END LOOP;
        IF EXISTS (SELECT FROM discovery_check() AS c WHERE c.kind <> 'extra') THEN
            outcomes := outcomes || (SELECT string_agg('still ' || c.kind || ' ' || c.object, ', ')
                                     FROM discovery_check() AS c WHERE c.kind <> 'extra');
        END IF;
        IF rows_before <> (SELECT string_agg(id || name || extracted_text, ',' ORDER BY id) FROM sources) THEN
            outcomes := outcomes || 'the rows have changed'::text;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'Y0001';
    EXCEPTION WHEN SQLSTATE 'Y0001' THEN
        NULL;
    END;
    FOR found IN
        SELECT * FROM json_to_recordset(all_found)
            AS f (object text, kind text, actual text, expected text, fix text)
    LOOP
        number := number + 1;
        difference := found.kind || ' ' || found.object;
        actual := pg_temp.ends(found.actual);
        expected := pg_temp.ends(found.expected);
        fix := pg_temp.ends(found.fix);
        after_fix := outcomes[number];
        RETURN NEXT;
    END LOOP;
    FOR number IN number + 1 .. coalesce(cardinality(outcomes), 0) LOOP
        difference := outcomes[number];
        actual := NULL; expected := NULL; fix := NULL; after_fix := 'NOT CLEAN';
        RETURN NEXT;
    END LOOP;
END $$;
\pset format unaligned
\pset tuples_only on
\pset null '-'
\pset recordsep '\n\n'
\pset fieldsep '\n  '

-- missing
SELECT * FROM pg_temp.differences('DROP VIEW deleted_sources; ALTER TABLE sources DROP COLUMN hold_reason');
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks DROP COLUMN description');
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks DROP CONSTRAINT uq_notebooks_name');
SELECT * FROM pg_temp.differences('ALTER TABLE sources DROP CONSTRAINT sources_notebook_id_fkey;
    ALTER TABLE notebooks DROP CONSTRAINT notebooks_pkey');
SELECT * FROM pg_temp.differences('ALTER TABLE discovery_migrations
    DROP CONSTRAINT discovery_migrations_direction_check');
SELECT * FROM pg_temp.differences('DROP INDEX ix_sources_notebook_hash, ix_sources_deleted_at');
SELECT * FROM pg_temp.differences('DROP TRIGGER discovery_update ON sources');
SELECT * FROM pg_temp.differences('DROP VIEW live_sources');
SELECT * FROM pg_temp.differences('COMMENT ON TABLE discovery_deletions IS NULL; COMMENT ON VIEW live_sources IS NULL');
SELECT * FROM pg_temp.differences('DROP TABLE discovery_deletions CASCADE');

-- different
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks ALTER name TYPE varchar(200),
    ALTER description TYPE text COLLATE "C"');
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks ALTER output_count TYPE bigint,
    ALTER output_count SET DEFAULT 7, ALTER output_count DROP NOT NULL');
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks ALTER source_count SET DEFAULT 1, ALTER tags DROP DEFAULT,
    ALTER updated_at SET DEFAULT now()');
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks ALTER output_count DROP DEFAULT,
    ALTER output_count ADD GENERATED BY DEFAULT AS IDENTITY');
-- A column that a view shows: the repair drops the views first.
SELECT * FROM pg_temp.differences($$DROP VIEW live_sources, deleted_sources; ALTER TABLE sources ALTER name TYPE text;
    CREATE VIEW live_sources AS SELECT name FROM sources; CREATE VIEW deleted_sources AS SELECT name FROM sources$$);
SELECT * FROM pg_temp.differences('ALTER TABLE sources DROP CONSTRAINT sources_notebook_id_fkey,
    ADD CONSTRAINT sources_notebook_id_fkey FOREIGN KEY (notebook_id) REFERENCES notebooks');
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks DROP CONSTRAINT uq_notebooks_name,
    ADD CONSTRAINT uq_notebooks_name UNIQUE (name, id) DEFERRABLE');
SELECT * FROM pg_temp.differences('ALTER TABLE discovery_migrations
    DROP CONSTRAINT discovery_migrations_direction_check,
    ADD CONSTRAINT discovery_migrations_direction_check CHECK (direction <> '''')');
SELECT * FROM pg_temp.differences('DROP INDEX ix_sources_notebook_hash;
    CREATE INDEX ix_sources_notebook_hash ON sources (notebook_id, content_hash) WHERE deleted_at IS NULL');
SELECT * FROM pg_temp.differences('DROP INDEX ix_notebooks_name, ix_notebooks_created_at;
    CREATE INDEX ix_notebooks_name ON notebooks USING hash (name);
    CREATE INDEX ix_notebooks_created_at ON notebooks (created_at DESC)');
SELECT * FROM pg_temp.differences('ALTER TABLE sources DISABLE TRIGGER discovery_update');
SELECT * FROM pg_temp.differences('DROP TRIGGER discovery_row ON notebooks;
    CREATE TRIGGER discovery_row BEFORE INSERT ON notebooks FOR EACH ROW EXECUTE FUNCTION discovery_notebook_row()');
SELECT * FROM pg_temp.differences('CREATE OR REPLACE VIEW live_sources AS TABLE sources');
SELECT * FROM pg_temp.differences('ALTER VIEW live_sources SET (security_invoker = false)');
SELECT * FROM pg_temp.differences('COMMENT ON TABLE discovery_deletions IS ''it''''s mine''');
SELECT * FROM pg_temp.differences('ALTER TABLE discovery_deletions SET UNLOGGED');

-- What the store's guarantees stand on.
SELECT * FROM pg_temp.differences('ALTER TABLE sources DISABLE TRIGGER ALL;
    ALTER TABLE notebooks DISABLE TRIGGER discovery_row');
SELECT * FROM pg_temp.differences('ALTER TABLE discovery_deletions OWNER TO regress_discovery_reader');
SELECT * FROM pg_temp.differences('ALTER TABLE sources DROP CONSTRAINT sources_notebook_id_fkey,
    ADD CONSTRAINT sources_notebook_id_fkey FOREIGN KEY (notebook_id) REFERENCES notebooks
    ON DELETE CASCADE NOT VALID');
SELECT * FROM pg_temp.differences($$UPDATE pg_index SET indisready = false, indisvalid = false
    WHERE indexrelid = 'ix_notebooks_name'::regclass$$);
SELECT * FROM pg_temp.differences('CREATE TABLE own_parent (); ALTER TABLE notebooks INHERIT own_parent');
-- A name that something else has.
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks DROP CONSTRAINT uq_notebooks_name;
    CREATE UNIQUE INDEX uq_notebooks_name ON notebooks (name)');
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks DROP CONSTRAINT uq_notebooks_name;
    CREATE INDEX uq_notebooks_name ON notebooks (name)');
SELECT * FROM pg_temp.differences('DROP INDEX ix_notebooks_name; CREATE TABLE ix_notebooks_name ()');
-- A newline is a difference, too.
SELECT * FROM pg_temp.differences($$COMMENT ON VIEW live_sources IS E'sources that\nare not deleted'$$);

-- extra: what is on the tables beside what should be; the user's own tables and
-- views are none of the store's business. There is nothing to repair.
SELECT difference, actual FROM pg_temp.differences($$
    ALTER TABLE sources ADD COLUMN rating integer DEFAULT 3 CHECK (rating > 0);
    COMMENT ON COLUMN sources.rating IS 'of mine';
    CREATE INDEX own_index ON sources (rating);
    CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER own AFTER INSERT ON sources FOR EACH STATEMENT EXECUTE FUNCTION own();
    CREATE RULE own AS ON DELETE TO discovery_deletions DO INSTEAD NOTHING;
    CREATE VIEW own_view AS TABLE notebooks;
    CREATE TABLE own_table (id uuid REFERENCES notebooks)$$);

-- The order of the columns, privileges, storage and policies are not compared.
SELECT * FROM pg_temp.differences('ALTER TABLE notebooks DROP COLUMN description, ADD COLUMN description text;
    GRANT SELECT ON sources TO public; ALTER TABLE sources SET (fillfactor = 70), ENABLE ROW LEVEL SECURITY;
    ALTER TABLE sources ALTER extracted_text SET STORAGE EXTERNAL;
    ALTER INDEX ix_notebooks_name SET (fillfactor = 70)');
\pset recordsep '\n'
\pset fieldsep '|'
\pset tuples_only off

-- The applied steps are compared with the installed ones.
UPDATE discovery_migrations SET checksum = 'of another step' WHERE version = '1.1';
SELECT object, kind, actual, expected ~ '^[0-9a-f]{64}$' AS is_checksum, fix FROM discovery_check();

-- A role that can see the tables but has no right on them. It cannot read the history, which is then not compared.
ALTER TABLE notebooks DROP CONSTRAINT uq_notebooks_name;
GRANT USAGE ON SCHEMA discovery_check TO regress_discovery_reader;
SET ROLE regress_discovery_reader;
SELECT object, kind FROM discovery_check();
SELECT direction, statement FROM discovery_autogenerate();
SELECT count(*) > 10 AS statements FROM discovery_plan('1.0');
RESET ROLE;

-- Another store, in a schema whose name needs quotes.
CREATE SCHEMA "Another 'Store'";
SELECT discovery_create_store('Another ''Store''');
ALTER TABLE "Another 'Store'".notebooks ALTER tags DROP NOT NULL;
DROP TRIGGER discovery_row ON "Another 'Store'".sources;
SELECT object, kind, fix FROM discovery_check('Another ''Store''');

-- A store of a version that this extension does not know.
ALTER TABLE discovery_migrations ALTER version SET DEFAULT '7.7';
SELECT * FROM discovery_check();
\echo :SQLSTATE

DROP SCHEMA discovery_check, "Another 'Store'" CASCADE;
DROP ROLE regress_discovery_reader;
