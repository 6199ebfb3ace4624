-- add_source(columns => …) writes the columns that a user has added to sources:
-- each value becomes the column's type as jsonb_populate_record() makes it, in a
-- new row and in one that is restored, with the caller's privileges. The store's
-- own columns, unknown ones and generated ones are refused.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_own;
CREATE SCHEMA discovery_own_types;
CREATE EXTENSION discovery SCHEMA discovery_own;
SET search_path = discovery_own;
INSERT INTO notebooks (name) VALUES ('A') RETURNING id AS book \gset
-- As the later revisions of the application have it
ALTER TABLE sources ADD COLUMN owned_by character varying(10) NOT NULL;
\set VERBOSITY terse
SELECT outcome FROM add_source(:'book', 'a', 'text', extracted_text => 'a');
\echo :SQLSTATE
SELECT outcome FROM add_source(:'book', 'a', 'text', extracted_text => 'a', columns => '{}');
SELECT outcome FROM add_source(:'book', 'a', 'text', extracted_text => 'a', columns => '{"owned_by": null}');
\echo :SQLSTATE
SELECT outcome FROM add_source(:'book', 'a', 'text', extracted_text => 'a', columns => '{"owned_by": "anna"}');
\set VERBOSITY default
SELECT outcome FROM add_source(:'book', 'b', 'text', extracted_text => 'b',
    columns => '{"owned_by": "longer than ten"}');
\echo :SQLSTATE
-- A duplicate stays as it is; a source that is restored is changed.
SELECT id, outcome FROM add_source(:'book', 'a', 'text', extracted_text => 'a',
    columns => '{"owned_by": "bert"}') \gset
\echo :outcome
SELECT deleted FROM delete_source(:'id');
SELECT outcome FROM add_source(:'book', 'a', 'text', extracted_text => 'a');
SELECT owned_by FROM live_sources JOIN sources USING (id);
SELECT deleted FROM delete_source(:'id');
SELECT outcome FROM add_source(:'book', 'a', 'text', extracted_text => 'a', columns => '{"owned_by": "bert"}');
SELECT owned_by FROM live_sources JOIN sources USING (id);
SELECT deleted FROM delete_source(:'id');
\set VERBOSITY terse
SELECT outcome FROM add_source(:'book', 'a', 'text', extracted_text => 'a', columns => '{"owned_by": null}');
\set VERBOSITY default
SELECT deleted_at IS NULL AS live, owned_by FROM sources;

--
-- Types
--
ALTER TABLE sources ALTER owned_by SET DEFAULT 'nobody';
CREATE TYPE discovery_own_types.mood AS ENUM ('good', 'bad');
CREATE DOMAIN discovery_own_types.rating AS integer NOT NULL DEFAULT 3 CHECK (VALUE BETWEEN 0 AND 5);
CREATE TYPE discovery_own_types.place AS (page integer, line text);
ALTER TABLE sources ADD number numeric(5, 1), ADD is_read boolean DEFAULT true, ADD at timestamptz,
    ADD words text[], ADD grid integer[][],
    ADD extra jsonb, ADD plain json, ADD fixed char(3), ADD mood discovery_own_types.mood,
    ADD places discovery_own_types.place[],
    ADD rating discovery_own_types.rating DEFAULT 3, ADD size int4range, ADD bits bit(3), ADD bytes bytea;
\set values '{"number": 12.34, "is_read": "f", "words": ["a", null, "c,d"], '
\set values :values '"grid": [[1, 2], [3, 4]], "extra": {"a": [1, "2"]}, "plain": [1, {"b": null}], '
\set values :values '"fixed": "x", "mood": "bad", "places": [{"page": 7, "line": "8"}, null], "rating": 5, '
\set values :values '"size": "[1,5)", "bits": "101", "bytes": "\\\\x00ff"} '
SELECT id, outcome FROM add_source(:'book', 'typed', 'text', extracted_text => 'typed', columns => :'values') \gset
-- The same as jsonb_populate_record(), column by column.
SELECT stored.key, stored.value = should_be.value AS same, stored.value FROM sources,
    jsonb_each(to_jsonb(sources)) AS stored, jsonb_populate_record(sources, :'values') AS populated,
    jsonb_each(to_jsonb(populated)) AS should_be
    WHERE sources.id = :'id' AND stored.key = should_be.key AND :'values'::jsonb ? stored.key
    ORDER BY stored.key COLLATE "C";
-- Every value null; the columns that are not named keep their defaults, also one whose type allows no null.
SELECT id FROM add_source(:'book', 'null', 'text', extracted_text => 'null',
    columns => '{"number": null, "is_read": null, "words": null, "extra": null, "plain": null, "mood": null}') \gset
SELECT number, is_read, words, extra, plain, mood, rating, owned_by FROM sources WHERE id = :'id';
SELECT add_source(:'book', 'wrong', 'text', columns => '{"number": "many"}');
\echo :SQLSTATE
SELECT add_source(:'book', 'wrong', 'text', columns => '{"rating": 6}');
\echo :SQLSTATE
SELECT add_source(:'book', 'wrong', 'text', columns => '{"rating": null}');
\echo :SQLSTATE
SELECT add_source(:'book', 'wrong', 'text', columns => '{"words": "no array"}');
\echo :SQLSTATE
-- Another type, after the plan is cached.
ALTER TABLE sources ALTER number TYPE text;
SELECT id FROM add_source(:'book', 'text', 'text', columns => '{"number": "many"}') \gset
SELECT number FROM sources WHERE id = :'id';

--
-- Names
--
ALTER TABLE sources ADD "Two Words" text, ADD "select" text, ADD "@store@" text, ADD "a ""quoted"" one" text,
    ADD "100 %s" text, ADD "Größe" text, ADD given text, ADD source text;
\set names '{"Two Words": "1", "select": "2", "@store@": "3", "a \\"quoted\\" one": "4", '
\set names :names '"100 %s": "5", "Größe": "6", "given": "7", "source": "8"}'
SELECT id FROM add_source(:'book', 'names', 'text', extracted_text => 'names', columns => :'names') \gset
SELECT "Two Words", "select", "@store@", "a ""quoted"" one", "100 %s", "Größe", given, source FROM sources
    WHERE id = :'id';
SELECT deleted FROM delete_source(:'id');
SET quote_all_identifiers = on;
SELECT outcome FROM add_source(:'book', 'names', 'text', extracted_text => 'names',
    columns => '{"Two Words": "I", "given": "VII", "source": "VIII"}');
RESET quote_all_identifiers;
SELECT "Two Words", "select", given, source FROM sources WHERE id = :'id';

--
-- What is refused
--
SELECT add_source(:'book', 'x', 'text', columns => '[]');
\echo :SQLSTATE
SELECT add_source(:'book', 'x', 'text', columns => '"owned_by"');
SELECT add_source(:'book', 'x', 'text', columns => 'null');
SELECT add_source(:'book', 'x', 'text', columns => '{"owned_by": "anna", "no_such": 1}');
\echo :SQLSTATE
SELECT add_source(:'book', 'x', 'text', columns => '{"CREATED_BY": "anna"}');
SELECT add_source(:'book', 'x', 'text', columns => '{"ctid": "(0,1)"}');
\echo :SQLSTATE
SELECT add_source(:'book', 'x', 'text', columns => '{"name": "y"}');
\echo :SQLSTATE
ALTER TABLE sources ADD doubled text GENERATED ALWAYS AS (name || name) STORED,
    ADD counted bigint GENERATED ALWAYS AS IDENTITY,
    ADD numbered bigint GENERATED BY DEFAULT AS IDENTITY;
SELECT add_source(:'book', 'x', 'text', columns => '{"doubled": "y"}');
\echo :SQLSTATE
SELECT add_source(:'book', 'x', 'text', columns => '{"counted": 7}');
\echo :SQLSTATE
SELECT outcome FROM add_source(:'book', 'numbered', 'text', columns => '{"numbered": 7}');
CREATE FUNCTION refusal(attname text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_source(uuid_v7(), 'x', 'text', columns => jsonb_build_object(attname, NULL));
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
-- A column that was dropped
ALTER TABLE sources ADD gone text;
ALTER TABLE sources DROP gone;
SELECT refusal(attname) FROM pg_attribute WHERE attrelid = 'sources'::regclass AND attisdropped;
-- Each column of the store itself
CREATE SCHEMA discovery_own_other;
SELECT discovery_create_store('discovery_own_other');
SELECT DISTINCT refusal(attname) FROM pg_attribute WHERE attrelid = 'discovery_own_other.sources'::regclass
    AND attnum > 0 AND attname <> 'created_by';
-- Who created a source, the client says.
SELECT outcome FROM add_source(:'book', 'by anna', 'text', columns => '{"created_by": "anna"}');
SELECT created_by FROM sources WHERE name = 'by anna';

--
-- Privileges: those of INSERT and UPDATE, column by column
--
CREATE ROLE regress_discovery_own;
GRANT USAGE ON SCHEMA discovery_own TO regress_discovery_own;
GRANT SELECT, INSERT (notebook_id, name, source_type, extracted_text, content_hash, file_type, url,
    file_path, file_size, source_metadata, owned_by)
    ON sources TO regress_discovery_own;
SET ROLE regress_discovery_own;
SELECT outcome FROM add_source(:'book', 'role', 'text', extracted_text => 'role',
    columns => '{"owned_by": "role"}');
SELECT outcome FROM add_source(:'book', 'role 2', 'text', extracted_text => 'role 2',
    columns => '{"owned_by": "role", "source": "x"}');
\echo :SQLSTATE
RESET ROLE;
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources WHERE name = 'role'));
GRANT UPDATE (deleted_at, name, source_type, extracted_text, file_type, url, file_path,
    file_size, source_metadata) ON sources TO regress_discovery_own;
SET ROLE regress_discovery_own;
SELECT outcome FROM add_source(:'book', 'role', 'text', extracted_text => 'role',
    columns => '{"owned_by": "role 2"}');
\echo :SQLSTATE
SELECT outcome FROM add_source(:'book', 'role', 'text', extracted_text => 'role');
RESET ROLE;

DROP OWNED BY regress_discovery_own;
DROP ROLE regress_discovery_own;
DROP SCHEMA discovery_own, discovery_own_other, discovery_own_types CASCADE;
