-- discovery_autogenerate(): the statements, up and down, that turn changes made by hand into the next version, in an
-- order in which they can run. (That they run as scripts of a migration: test/long/migration.)
SET client_min_messages = warning;
CREATE SCHEMA discovery_auto;
SET search_path = discovery_auto;
CREATE EXTENSION discovery VERSION '1.1' SCHEMA discovery_auto;
\pset format unaligned
\pset tuples_only on
\pset null '-'

-- no change
SELECT * FROM discovery_autogenerate();

-- Each change by itself: its statements, and the shape after they ran, up and then down, on a store that was not
-- altered.
CREATE SCHEMA discovery_fresh;
SELECT discovery_create_store('discovery_fresh');
CREATE FUNCTION pg_temp.shape(schema name) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(replace(line, schema || '.', ''), E'\n' ORDER BY line) FROM discovery_shape(schema) AS line $$;
CREATE FUNCTION pg_temp.generated(alteration text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    statements text[];
    before text := pg_temp.shape('discovery_fresh');
    one text;
BEGIN
    BEGIN
        EXECUTE alteration;
        statements := (SELECT array_agg(format('%4s: %s%s', direction, regexp_replace(statement,
            '^(CREATE VIEW \S+ ).*', '\1...') || ';',
                                               CASE WHEN statement IS NULL THEN '' ELSE '  ' END || '-- ' || comment))
                       FROM discovery_autogenerate());
        FOR one IN SELECT statement FROM discovery_autogenerate() WHERE direction = 'up' AND statement IS NOT NULL LOOP
            EXECUTE replace(replace(one, '@store@', 'discovery_fresh'), '@functions@', 'discovery_auto');
        END LOOP;
        IF pg_temp.shape('discovery_auto') <> pg_temp.shape('discovery_fresh') THEN
            statements := statements || '      UP MAKES ANOTHER SHAPE'::text;
        END IF;
        FOR one IN SELECT statement FROM discovery_autogenerate()
            WHERE direction = 'down' AND statement IS NOT NULL LOOP
            EXECUTE replace(replace(one, '@store@', 'discovery_fresh'), '@functions@', 'discovery_auto');
        END LOOP;
        IF before <> pg_temp.shape('discovery_fresh') THEN
            statements := statements || '      DOWN MAKES ANOTHER SHAPE'::text;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'Y0001';
    EXCEPTION WHEN SQLSTATE 'Y0001' THEN
        NULL;
    END;
    RETURN QUERY SELECT unnest(statements);
END $$;

SELECT pg_temp.generated('ALTER TABLE sources ADD COLUMN language text');
SELECT pg_temp.generated('ALTER TABLE sources ADD COLUMN pages integer NOT NULL DEFAULT 1');
SELECT pg_temp.generated('ALTER TABLE notebooks DROP COLUMN description');
SELECT pg_temp.generated('ALTER TABLE notebooks ALTER name TYPE varchar(900)');
SELECT pg_temp.generated('ALTER TABLE notebooks ALTER description SET NOT NULL, ALTER tags DROP NOT NULL');
SELECT pg_temp.generated('ALTER TABLE notebooks ALTER output_count SET DEFAULT 7, ALTER tags DROP DEFAULT,
    ALTER description SET DEFAULT ''it''''s''');
SELECT pg_temp.generated('CREATE INDEX ix_new ON sources (lower(name) DESC NULLS LAST) INCLUDE (url)
    WHERE deleted_at IS NULL');
SELECT pg_temp.generated('DROP INDEX ix_notebooks_created_at');
SELECT pg_temp.generated('ALTER TABLE notebooks ADD CONSTRAINT positive CHECK (output_count >= 0),
    ADD CONSTRAINT pair UNIQUE (id, name)');
SELECT pg_temp.generated('ALTER TABLE notebooks DROP CONSTRAINT uq_notebooks_name');
SELECT pg_temp.generated('ALTER TABLE sources DROP CONSTRAINT sources_notebook_id_fkey,
    ADD CONSTRAINT sources_notebook_id_fkey FOREIGN KEY (notebook_id) REFERENCES notebooks ON DELETE RESTRICT');
SELECT pg_temp.generated($$
    CREATE TABLE outputs (id uuid PRIMARY KEY DEFAULT uuid_v7(),
                          notebook_id uuid NOT NULL REFERENCES notebooks ON DELETE CASCADE, title text UNIQUE);
    CREATE INDEX ix_outputs_notebook_id ON outputs (notebook_id); COMMENT ON TABLE outputs IS 'made of it';
    COMMENT ON COLUMN outputs.title IS 'the user''s'$$);
-- Tables that refer to each other, of which one also refers to the store.
SELECT pg_temp.generated($$
    CREATE TABLE b_outputs (id uuid PRIMARY KEY, notebook_id uuid REFERENCES notebooks, file_id uuid);
    CREATE TABLE a_files (id uuid PRIMARY KEY, output_id uuid REFERENCES b_outputs);
    ALTER TABLE b_outputs ADD FOREIGN KEY (file_id) REFERENCES a_files$$);

-- A rename, with the alternative beside it; a rename with another change of the same column; and no rename where two
-- columns may be meant.
SELECT pg_temp.generated('ALTER TABLE notebooks RENAME description TO summary');
SELECT pg_temp.generated('ALTER TABLE notebooks RENAME output_count TO outputs;
    ALTER TABLE notebooks ALTER outputs DROP DEFAULT, ALTER outputs DROP NOT NULL');
SELECT pg_temp.generated('ALTER TABLE notebooks DROP COLUMN description, ADD COLUMN one text, ADD COLUMN two text');
-- A column of another type is no rename.
SELECT pg_temp.generated('ALTER TABLE notebooks DROP COLUMN description, ADD COLUMN described integer');

-- Names that need quotes.
SELECT pg_temp.generated('ALTER TABLE sources ADD COLUMN "order" text, ADD COLUMN "Two Words" text;
    CREATE INDEX "an ""index""" ON sources ("Two Words")');

-- Comments, identity and generated columns, and triggers.
SELECT pg_temp.generated('COMMENT ON COLUMN sources.url IS ''where it was'';
    COMMENT ON TABLE discovery_deletions IS NULL');
SELECT pg_temp.generated('ALTER TABLE sources ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN size integer GENERATED ALWAYS AS (length(name)) STORED');
SELECT pg_temp.generated('DROP TRIGGER discovery_statement ON sources');

-- Literals are what they were, also over several lines, and with words of a definition in them.
SELECT pg_temp.generated($$ALTER TABLE notebooks ADD COLUMN prompt text NOT NULL DEFAULT E'You answer.\n\n  - cite',
    ADD COLUMN note text DEFAULT ' NOT NULL', ADD CONSTRAINT one_line CHECK (name NOT LIKE E'%\n%');
    CREATE INDEX ix_lit ON sources (replace(name, E'\n', '')) WHERE name <> 'a WITH (b) c';
        COMMENT ON COLUMN sources.url IS E'one\n  two'$$);
SELECT pg_temp.generated($$ALTER TABLE sources ADD COLUMN mark text DEFAULT '@store@.x',
    ADD CONSTRAINT c CHECK (name <> '*/ DROP')$$);
-- IN over varchar has two spellings, which mean the same.
SELECT pg_temp.generated($$ALTER TABLE sources ADD CONSTRAINT ck CHECK (source_type IN ('file', 'url'))$$);
-- Parameters of an index, and options of an identity column.
SELECT pg_temp.generated('CREATE INDEX ix_brin ON sources USING brin (created_at) WITH (pages_per_range = 16)');
SELECT pg_temp.generated('ALTER TABLE notebooks ADD COLUMN seq bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 100
    INCREMENT BY 5)');
-- What may be tuned.
SELECT pg_temp.generated('ALTER TABLE sources SET (fillfactor = 80), ALTER extracted_text SET STORAGE EXTERNAL,
    ALTER name SET STATISTICS 500,
    ENABLE ROW LEVEL SECURITY, REPLICA IDENTITY FULL; CREATE POLICY p ON sources FOR SELECT USING (deleted_at IS NULL);
    CREATE STATISTICS st (dependencies) ON notebook_id, source_type FROM sources;
        COMMENT ON INDEX ix_notebooks_name IS ''by name''');
-- What is created after what it needs.
SELECT pg_temp.generated('ALTER TABLE sources ADD COLUMN body text,
    ADD COLUMN a_body text GENERATED ALWAYS AS (upper(body)) STORED');
SELECT pg_temp.generated('ALTER TABLE notebooks ADD COLUMN slug text; CREATE UNIQUE INDEX uq_slug ON notebooks (slug);
    CREATE TABLE links (slug text REFERENCES notebooks (slug))');
-- Types, sequences, functions and tables of the schema that are needed, and views.
SELECT pg_temp.generated($$CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN grade AS integer CHECK (VALUE < 7);
    ALTER TABLE notebooks ADD COLUMN num serial, ADD COLUMN mood mood DEFAULT 'ok', ADD COLUMN grade grade$$);
SELECT pg_temp.generated($$CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER own BEFORE INSERT ON notebooks FOR EACH ROW EXECUTE FUNCTION f();
        ALTER TABLE notebooks ENABLE ALWAYS TRIGGER own$$);
SELECT pg_temp.generated('CREATE VIEW recent AS SELECT id FROM live_sources;
    CREATE MATERIALIZED VIEW counts AS SELECT count(*) FROM recent');
-- What is converted.
SELECT pg_temp.generated('ALTER TABLE notebooks ALTER description TYPE integer USING length(description)');

-- What is not brought along is said.
SELECT pg_temp.generated('CREATE TABLE chunks (source_id uuid REFERENCES sources) PARTITION BY HASH (source_id);
    CREATE TABLE chunks_0 PARTITION OF chunks FOR VALUES WITH (MODULUS 1, REMAINDER 0)');
SELECT pg_temp.generated('CREATE TABLE base (own text); ALTER TABLE notebooks ADD COLUMN own text;
    ALTER TABLE notebooks INHERIT base');
SELECT pg_temp.generated('CREATE SCHEMA discovery_app;
    CREATE TABLE discovery_app.marks (source_id uuid REFERENCES sources);
    CREATE TYPE discovery_app.own AS ENUM (); ALTER TABLE sources ADD COLUMN own discovery_app.own');
SELECT pg_temp.generated($$CREATE INDEX ix_bad ON sources (url);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_bad'::regclass$$);
SELECT pg_temp.generated('ALTER TABLE sources RENAME url TO t; ALTER TABLE sources RENAME file_path TO url;
    ALTER TABLE sources RENAME t TO file_path');

-- Tables of the user's that do not refer to the store are none of its business.
CREATE TABLE own (id integer PRIMARY KEY);
CREATE VIEW own_view AS SELECT id FROM own;
SELECT * FROM discovery_autogenerate();

DROP SCHEMA discovery_auto, discovery_fresh CASCADE;
