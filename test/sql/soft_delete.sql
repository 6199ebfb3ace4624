-- delete_source() and delete_sources(): one call is one batch; a source that is already soft-deleted stays unchanged;
-- a soft-deleted source no longer prevents adding its content; DELETE of sources and of notebooks works as before.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_soft;
CREATE EXTENSION discovery SCHEMA discovery_soft;
SET search_path = discovery_soft;
INSERT INTO notebooks (name) VALUES ('a'), ('b');
INSERT INTO sources (notebook_id, name, source_type, content_hash)
    SELECT id, notebooks.name || number, 'file', 'hash ' || number FROM notebooks, generate_series(1, 5) AS number;
CREATE FUNCTION source(text) RETURNS uuid LANGUAGE sql STABLE AS
    'SELECT id FROM discovery_soft.sources WHERE name = $1';
CREATE FUNCTION sources_of(VARIADIC text[]) RETURNS uuid[] LANGUAGE sql STABLE AS
    'SELECT array_agg(discovery_soft.source(name) ORDER BY number)
     FROM unnest($1) WITH ORDINALITY AS given (name, number)';
-- The soft-deleted sources of each deletion, with the reason and the number of sources in the log.
CREATE VIEW batches AS
    SELECT string_agg(source.name, ' ' ORDER BY source.name) AS deleted, deletion.reason, deletion.sources AS logged
    FROM sources AS source LEFT JOIN discovery_deletions AS deletion ON deletion.id = source.deletion_id
    WHERE source.deleted_at IS NOT NULL OR source.deletion_id IS NOT NULL
    GROUP BY source.deletion_id, deletion.id ORDER BY 1;

-- One source; the second call changes nothing and is not logged.
SELECT deletion_id AS deletion, deleted FROM delete_source(source('a1'), 'no longer wanted') \gset
SELECT :deleted AS deleted, deletion_id = :'deletion' AS has_its_deletion FROM sources WHERE name = 'a1';
SELECT deleted_at = updated_at AS moved, deleted_at <= timezone('UTC', clock_timestamp()) AS in_utc
    FROM sources WHERE name = 'a1';
SELECT deletion_id, deleted FROM delete_source(source('a1'), 'another reason');
TABLE batches;

-- Several sources of several notebooks, one of them deleted before, one given twice
SELECT deletion_id IS NOT NULL AS has_id, deleted
    FROM delete_sources(sources_of('b1', 'a1', 'a2', 'b1', 'a2'), 'cleanup');
TABLE batches;
SELECT name, source_count FROM notebooks ORDER BY name;
-- All are soft-deleted already; an empty list
SELECT deletion_id, deleted FROM delete_sources(sources_of('b1', 'a1'));
SELECT deletion_id, deleted FROM delete_sources('{}');
SELECT count(*) AS batches FROM discovery_deletions;

-- In one statement, each call is a batch of its own; so is each call among plain SQL in one transaction, whatever the
-- reasons.
SELECT sum(deleted) FROM unnest(sources_of('a3', 'b3')) AS given (id), LATERAL delete_source(given.id, 'row by row');
TABLE batches;
BEGIN;
SET LOCAL discovery.reason = 'same';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a4';
SELECT deleted FROM delete_source(source('b4'), 'same');
SELECT deleted FROM delete_sources(sources_of('a5'));
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'b5';
TABLE batches;
ROLLBACK;
-- An array with several dimensions is a list of ids as well.
BEGIN;
SELECT deleted FROM delete_sources(ARRAY[sources_of('a4', 'b4'), sources_of('a5', 'b5')]);
ROLLBACK;

-- A call within a call: a trigger of the user's deletes a related source, and finds its names by the session's
-- search_path, as in plain SQL. Each call's sources are its own batch, also those that follow the inner call.
CREATE FUNCTION delete_companion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.name = 'a4' THEN
        PERFORM delete_source(source('b4'), 'inner');
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER companion BEFORE UPDATE ON sources FOR EACH ROW EXECUTE FUNCTION delete_companion();
BEGIN;
SELECT deleted FROM delete_sources(sources_of('a4', 'a5', 'b5'), 'outer');
SELECT * FROM batches WHERE reason IN ('inner', 'outer') OR reason IS NULL;
ROLLBACK;
DROP TRIGGER companion ON sources;
-- After an error in a call, plain SQL works as before the call.
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('discovery.reason') <> 'plain' THEN
        RAISE EXCEPTION 'not now';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fail AFTER UPDATE ON sources FOR EACH STATEMENT EXECUTE FUNCTION fail();
BEGIN;
DO $$
BEGIN
    PERFORM discovery_soft.delete_source(discovery_soft.source('a4'), 'failing');
EXCEPTION WHEN raise_exception THEN
    RAISE WARNING '%', SQLERRM;
END $$;
SET LOCAL discovery.reason = 'plain';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name IN ('a4', 'a5');
SELECT * FROM batches WHERE reason IN ('failing', 'plain') OR reason IS NULL;
ROLLBACK;
DROP TRIGGER fail ON sources;

-- The content of a soft-deleted source may be added again, and deleted again.
INSERT INTO sources (notebook_id, name, source_type, content_hash)
    SELECT notebook_id, 'a1 again', 'file', content_hash FROM sources WHERE name = 'a1';
SELECT deleted FROM delete_source(source('a1 again'));
INSERT INTO sources (notebook_id, name, source_type, content_hash)
    SELECT notebook_id, 'a1 third', 'file', content_hash FROM sources WHERE name = 'a1';
SELECT name, deleted_at IS NULL AS lives FROM sources WHERE content_hash = 'hash 1' AND name LIKE 'a%' ORDER BY name;

-- Other notations: as a record, and by argument names
SELECT (delete_source(id => source('a1 third'), reason => 'named')).deleted;
SELECT deleted FROM delete_sources(reason => 'named', ids => sources_of('a4'));

-- An empty reason is none: that of the setting holds.
BEGIN;
SET LOCAL discovery.reason = 'of the setting';
SELECT deletion_id FROM restore_source(source('a4')), delete_source(source('a4'), '') \gset
SELECT reason FROM discovery_deletions WHERE id = :'deletion_id';
ROLLBACK;

-- DELETE removes live and soft-deleted sources permanently, and logs nothing; so does DELETE of a notebook, which
-- removes its sources.
SELECT count(*) AS batches FROM discovery_deletions;
DELETE FROM sources WHERE name IN ('a1', 'a5');
DELETE FROM notebooks WHERE name = 'b';
SELECT name, deleted_at IS NULL AS lives FROM sources ORDER BY name;
SELECT count(*) AS batches FROM discovery_deletions;
SELECT name, source_count FROM notebooks;

DROP SCHEMA discovery_soft CASCADE;
