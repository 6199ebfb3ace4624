\echo Use "ALTER EXTENSION discovery UPDATE TO '1.1'" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

--
-- Identifiers
--

CREATE FUNCTION @extschema@.uuid_v7() RETURNS uuid
    LANGUAGE C VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'discovery_uuid_v7';
COMMENT ON FUNCTION @extschema@.uuid_v7() IS
    'a UUID of version 7 (RFC 9562): ordered by time, strictly increasing within a session';

--
-- Triggers of the store
--

CREATE FUNCTION @extschema@.discovery_source_row() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_source_row';
COMMENT ON FUNCTION @extschema@.discovery_source_row() IS
    'trigger on sources, before each row: sets content_hash, updated_at and deletion_id';

CREATE FUNCTION @extschema@.discovery_source_change() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_source_change';
COMMENT ON FUNCTION @extschema@.discovery_source_change() IS
    'trigger on sources, after each row: collects what the statement changes in the counts and the deletion log';

CREATE FUNCTION @extschema@.discovery_source_statement() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_source_statement';
COMMENT ON FUNCTION @extschema@.discovery_source_statement() IS
    'trigger on sources, after each statement: adds its changes to what the counts of the notebooks are to become, and '
    'writes the deletion log';

CREATE FUNCTION @extschema@.discovery_lost_file() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_lost_file';
COMMENT ON FUNCTION @extschema@.discovery_lost_file() IS
    'trigger on sources, after each row: lists the path of a file that the source loses';

CREATE FUNCTION @extschema@.discovery_notebook_row() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_notebook_row';
COMMENT ON FUNCTION @extschema@.discovery_notebook_row() IS
    'trigger on notebooks, before each row: protects source_count and sets updated_at';

CREATE FUNCTION @extschema@.discovery_notebook_change() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_notebook_change';
COMMENT ON FUNCTION @extschema@.discovery_notebook_change() IS
    'trigger on notebooks, after a row is deleted or gets another id: keeps its count for the next row of that id';

--
-- Deduplication
--

CREATE FUNCTION @extschema@.add_source(
        notebook_id uuid,
        name text,
        source_type text,
        content bytea DEFAULT NULL,
        extracted_text text DEFAULT NULL,
        content_hash text DEFAULT NULL,
        file_type text DEFAULT NULL,
        url text DEFAULT NULL,
        file_path text DEFAULT NULL,
        file_size bigint DEFAULT NULL,
        source_metadata json DEFAULT NULL,
        on_duplicate text DEFAULT 'return',
        on_deleted text DEFAULT 'restore',
        columns jsonb DEFAULT NULL)
    RETURNS TABLE (id uuid, outcome text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
    AS 'MODULE_PATHNAME', 'discovery_add_source';
COMMENT ON FUNCTION @extschema@.add_source(uuid, text, text, bytea, text, text, text, text, text,
        bigint, json, text, text, jsonb) IS
    'add a source, or find the existing source with the same content: outcome is added, duplicate or '
    'restored, id is the source that has the content';

CREATE FUNCTION @extschema@.add_sources(
        notebook_id uuid,
        sources jsonb,
        on_duplicate text DEFAULT 'return',
        on_deleted text DEFAULT 'restore')
    RETURNS TABLE (number integer, id uuid, outcome text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100
    AS 'MODULE_PATHNAME', 'discovery_add_sources';
COMMENT ON FUNCTION @extschema@.add_sources(uuid, jsonb, text, text) IS
    'add a batch of sources, each as add_source() would: sources is an array of objects whose keys are the names '
    'of its arguments, content in base64 or as \x and hex digits; one row per object, in their order';

CREATE FUNCTION @extschema@.find_duplicate_sources(notebook_id uuid DEFAULT NULL)
    RETURNS TABLE (content_hash text, copies bigint, notebooks bigint, source_ids uuid[], duplicate_bytes bigint)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_find_duplicate_sources';
COMMENT ON FUNCTION @extschema@.find_duplicate_sources(uuid) IS
    'content with more than one live source: hash, copies, notebooks, ids (oldest first), and bytes of '
    'text stored more than once; NULL: across all notebooks';

CREATE FUNCTION @extschema@.check_source_hashes(after uuid DEFAULT NULL, max_rows integer DEFAULT NULL)
    RETURNS TABLE (id uuid, notebook_id uuid, stored_hash text, actual_hash text)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_check_source_hashes';
COMMENT ON FUNCTION @extschema@.check_source_hashes(uuid, integer) IS
    'live url and text sources whose hash does not match their text, ordered by id: the first max_rows '
    'with ids above after';

--
-- Counts
--

CREATE FUNCTION @extschema@.check_source_counts()
    RETURNS TABLE (notebook_id uuid, name text, source_count integer, actual_count bigint)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_check_source_counts';
COMMENT ON FUNCTION @extschema@.check_source_counts() IS
    'notebooks whose source_count differs from the number of their live sources, with both numbers';

CREATE FUNCTION @extschema@.repair_source_counts() RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_repair_source_counts';
COMMENT ON FUNCTION @extschema@.repair_source_counts() IS
    'correct every wrong source_count, also while others write; returns how many were wrong';

--
-- Soft delete
--

CREATE FUNCTION @extschema@.delete_source(id uuid, reason text DEFAULT NULL, OUT deletion_id uuid, OUT deleted integer)
    RETURNS record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_delete_source';
COMMENT ON FUNCTION @extschema@.delete_source(uuid, text) IS
    'soft-delete a source; deletion_id is the argument for restore_sources(), NULL if the source was already deleted';

CREATE FUNCTION @extschema@.delete_sources(
        ids uuid[], reason text DEFAULT NULL, OUT deletion_id uuid, OUT deleted integer)
    RETURNS record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_delete_sources';
COMMENT ON FUNCTION @extschema@.delete_sources(uuid[], text) IS
    'soft-delete sources as one batch; sources that were already deleted are left alone and not counted';

CREATE FUNCTION @extschema@.restore_source(id uuid, on_duplicate text DEFAULT 'error')
    RETURNS TABLE (id uuid, outcome text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
    AS 'MODULE_PATHNAME', 'discovery_restore_source';
COMMENT ON FUNCTION @extschema@.restore_source(uuid, text) IS
    'restore a soft-deleted source; a live duplicate is an error, or with on_duplicate => '
    '''keep_deleted'' the source stays deleted';

CREATE FUNCTION @extschema@.restore_sources(deletion_id uuid, on_duplicate text DEFAULT 'error')
    RETURNS TABLE (id uuid, outcome text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_restore_sources';
COMMENT ON FUNCTION @extschema@.restore_sources(uuid, text) IS
    'restore the sources that a deletion deleted and that are still deleted by it; one row per source: '
    'restored or kept_deleted';

CREATE FUNCTION @extschema@.preview_restore(deletion_id uuid)
    RETURNS TABLE (id uuid, notebook_id uuid, name text, outcome text, duplicate_id uuid, duplicate_name text)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_preview_restore';
COMMENT ON FUNCTION @extschema@.preview_restore(uuid) IS
    'what restore_sources() would restore, and what it would keep deleted because of a duplicate';

CREATE FUNCTION @extschema@.list_source_deletions(
        notebook_id uuid DEFAULT NULL, since timestamp with time zone DEFAULT NULL)
    RETURNS TABLE (deletion_id uuid, deleted_at timestamp with time zone, login_role text, acting_role text,
                   reason text, sources bigint, still_deleted bigint)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_list_source_deletions';
COMMENT ON FUNCTION @extschema@.list_source_deletions(uuid, timestamp with time zone) IS
    'the deletion log, newest first; for a notebook: the deletions by which sources of it are still deleted';

CREATE FUNCTION @extschema@.purge_deleted_sources(older_than interval DEFAULT '30 days', max_rows integer DEFAULT NULL)
    RETURNS TABLE (id uuid, notebook_id uuid, content_hash text, file_path text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_purge_deleted_sources';
COMMENT ON FUNCTION @extschema@.purge_deleted_sources(interval, integer) IS
    'remove for good what was deleted longer ago than older_than, oldest first, at most max_rows; does '
    'not wait for locks and skips held sources; unlink files only after COMMIT';

CREATE FUNCTION @extschema@.hold_source(id uuid, reason text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_hold_source';
COMMENT ON FUNCTION @extschema@.hold_source(uuid, text) IS
    'protect a source from being purged, until release_source()';

CREATE FUNCTION @extschema@.release_source(id uuid) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_release_source';
COMMENT ON FUNCTION @extschema@.release_source(uuid) IS
    'end the protection by hold_source()';

--
-- The step
--

/* step 1.0 -> 1.1: deduplication, counts and soft delete inside the database

-- Every writer locks the tables in this order.
LOCK TABLE @store@.sources, @store@.notebooks IN ACCESS EXCLUSIVE MODE;

-- Ids are ordered by time, so that new rows are neighbours in the index; and
-- the clock is UTC, as the application's own timestamps are.
ALTER TABLE @store@.notebooks
    ALTER COLUMN id SET DEFAULT @functions@.uuid_v7(),
    ALTER COLUMN created_at SET DEFAULT timezone('UTC', now()),
    ALTER COLUMN updated_at SET DEFAULT timezone('UTC', now());
-- @ahead@
ALTER TABLE @store@.sources
    ADD COLUMN deletion_id uuid,
    ADD COLUMN hold_reason text;
ALTER TABLE @store@.sources
    ALTER COLUMN id SET DEFAULT @functions@.uuid_v7(),
    ALTER COLUMN created_at SET DEFAULT timezone('UTC', now()),
    ALTER COLUMN updated_at SET DEFAULT timezone('UTC', now()),
    -- The trigger replaces '' by the hash. Without a default, typed clients and code generators would
    -- require a value.
    ALTER COLUMN content_hash SET DEFAULT '',
    -- lz4 if the server supports it: with pglz, importing 50 KB documents took 2.5 times as long.
    ALTER COLUMN extracted_text SET COMPRESSION @compression@;

-- @ahead@
CREATE TABLE @store@.discovery_deletions (
    id uuid NOT NULL,
    deleted_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    login_role text NOT NULL,
    acting_role text NOT NULL,
    reason text,
    sources bigint NOT NULL,
    CONSTRAINT discovery_deletions_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE @store@.discovery_deletions IS
    'deletion log of the discovery store: sources.deletion_id refers to it';

-- The bytes of files are not in the database, so a path that a source loses must be told: by a
-- purge, a DELETE, an UPDATE, or a restore with another path. There is no index on file_path: a
-- path can be longer than an index allows, and an entry must never wait for another transaction.
-- @ahead@
CREATE TABLE @store@.discovery_lost_files (
    id uuid NOT NULL,
    file_path text NOT NULL,
    lost_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT discovery_lost_files_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE @store@.discovery_lost_files IS
    'paths of files that a source has lost: whoever unlinks a file that no source has removes its rows here';

-- Write hashes in lower case, so that equal contents have equal hashes. Almost all are: the first test
-- takes half the time of the second.
-- @ahead@ pages of sources
UPDATE @store@.sources SET content_hash = lower(content_hash)
    WHERE ctid @batch@ AND content_hash ~ '[A-F]' AND content_hash ~ '^[0-9A-Fa-f]{64}$';

-- Concurrent requests of the application could add duplicates. The oldest copy stays live. The
-- others are soft-deleted in one deletion, which can be listed and restored. The final SELECT
-- returns a message and a hint for the user.
-- @ahead@ ids of notebooks
WITH deletion AS MATERIALIZED (
    SELECT @functions@.discovery_new_id() AS id
), twice AS (
    -- The index on the two columns alone tells which contents may have copies.
    SELECT notebook_id, content_hash FROM @store@.sources
    WHERE notebook_id @batch@ AND content_hash <> ''
    GROUP BY notebook_id, content_hash HAVING count(*) > 1
), numbered AS (
    SELECT id, content_hash,
           row_number() OVER (PARTITION BY notebook_id, content_hash ORDER BY created_at, id) AS copy
    FROM twice JOIN @store@.sources USING (notebook_id, content_hash) WHERE deleted_at IS NULL
), deleted AS (
    UPDATE @store@.sources AS source
    SET deleted_at = timezone('UTC', now()), updated_at = timezone('UTC', now()), deletion_id = deletion.id
    FROM numbered, deletion
    WHERE source.id = numbered.id AND numbered.copy > 1
      -- It may have changed, where this runs beside others.
      AND source.deleted_at IS NULL AND source.content_hash = numbered.content_hash
    RETURNING source.id
), logged AS (
    INSERT INTO @store@.discovery_deletions (id, login_role, acting_role, reason, sources)
    SELECT deletion.id, SESSION_USER, CURRENT_USER, 'duplicate found by the upgrade to 1.1', counted.sources
    FROM deletion, (SELECT count(*) AS sources FROM deleted) AS counted
    WHERE counted.sources > 0
    RETURNING id, sources
)
SELECT 'duplicate sources were soft-deleted: ' || sources AS message,
       format('The oldest copy of each remains live. The others are deletion %s; preview_restore() lists them.', id)
           AS hint
FROM logged;

-- @ahead@ locked ids of notebooks
UPDATE @store@.notebooks AS notebook SET source_count = counted.sources
    FROM (SELECT each_notebook.id, count(source.id)::integer AS sources
              FROM @store@.notebooks AS each_notebook
              LEFT JOIN @store@.sources AS source
                  ON source.notebook_id = each_notebook.id AND source.deleted_at IS NULL
              WHERE each_notebook.id @batch@
              GROUP BY each_notebook.id) AS counted
    WHERE notebook.id = counted.id AND notebook.source_count <> counted.sources;

-- An index that runs ahead is created by a session with its own search_path: its operators are qualified.
DROP INDEX @store@.ix_sources_notebook_hash;
-- @ahead@
CREATE UNIQUE INDEX ix_sources_notebook_hash ON @store@.sources (notebook_id, content_hash)
    WHERE deleted_at IS NULL AND content_hash OPERATOR(pg_catalog.<>) '';
-- Queries use only equality, so a hash index suffices, in any collation. It stores 4 bytes per
-- row instead of 64 characters.
DROP INDEX @store@.ix_sources_content_hash;
-- @ahead@
CREATE INDEX ix_sources_content_hash ON @store@.sources USING hash (content_hash)
    WHERE content_hash OPERATOR(pg_catalog.<>) '';
-- Returns the newest sources of a notebook in order, without a sort.
DROP INDEX @store@.ix_sources_notebook_id;
-- @ahead@
CREATE INDEX ix_sources_notebook_id ON @store@.sources (notebook_id, created_at);
-- Live sources, which are most, cost these three nothing.
DROP INDEX @store@.ix_sources_deleted_at;
-- @ahead@
CREATE INDEX ix_sources_deleted_at ON @store@.sources (deleted_at) WHERE deleted_at IS NOT NULL;
-- @ahead@
CREATE INDEX ix_sources_deletion_id ON @store@.sources (deletion_id) WHERE deletion_id IS NOT NULL;
-- @ahead@
CREATE INDEX ix_sources_deleted_hash ON @store@.sources (notebook_id, content_hash)
    WHERE deleted_at IS NOT NULL AND content_hash OPERATOR(pg_catalog.<>) '';

-- @ahead@
CREATE TRIGGER discovery_row BEFORE INSERT OR UPDATE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_notebook_row();
-- Without WHEN, which PostgreSQL would read and plan anew for each update of a count: 43,000 instructions, half of
-- what the update itself takes. A function in PL/pgSQL would take more.
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_notebook_change();
-- @ahead@
CREATE TRIGGER discovery_delete AFTER DELETE ON @store@.notebooks
    FOR EACH ROW WHEN (old.source_count <> 0)
    EXECUTE FUNCTION @functions@.discovery_notebook_change();
-- @ahead@
CREATE TRIGGER discovery_row BEFORE INSERT OR UPDATE ON @store@.sources
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_source_row();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_insert AFTER INSERT ON @store@.sources
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_source_change();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.sources
    FOR EACH ROW WHEN ((old.deleted_at IS NULL) <> (new.deleted_at IS NULL)
                       OR old.notebook_id IS DISTINCT FROM new.notebook_id)
    EXECUTE FUNCTION @functions@.discovery_source_change();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_delete AFTER DELETE ON @store@.sources
    FOR EACH ROW WHEN (old.deleted_at IS NULL)
    EXECUTE FUNCTION @functions@.discovery_source_change();
-- @ahead@
CREATE TRIGGER discovery_file_update AFTER UPDATE ON @store@.sources
    FOR EACH ROW WHEN (old.file_path IS NOT NULL AND old.file_path IS DISTINCT FROM new.file_path)
    EXECUTE FUNCTION @functions@.discovery_lost_file();
-- @ahead@
CREATE TRIGGER discovery_file_delete AFTER DELETE ON @store@.sources
    FOR EACH ROW WHEN (old.file_path IS NOT NULL)
    EXECUTE FUNCTION @functions@.discovery_lost_file();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_statement AFTER INSERT OR UPDATE OR DELETE ON @store@.sources
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_source_statement();
-- This one stands alone: Citus puts no trigger on its shards whose events include TRUNCATE.
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_truncate AFTER TRUNCATE ON @store@.sources
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_source_statement();

-- While the version before is in use: refuse new duplicates, as the unique index will, and notice who writes
-- where the triggers do not fire.
-- @only ahead@
CREATE TRIGGER discovery_twin_insert AFTER INSERT ON @store@.sources
    FOR EACH ROW WHEN (new.deleted_at IS NULL AND new.content_hash <> '')
    EXECUTE FUNCTION @functions@.discovery_prepared('discovery_twin');
-- @only ahead@
CREATE TRIGGER discovery_twin_update AFTER UPDATE ON @store@.sources
    FOR EACH ROW WHEN (new.deleted_at IS NULL AND new.content_hash <> ''
                       AND (old.deleted_at IS NOT NULL OR old.notebook_id <> new.notebook_id
                            OR old.content_hash <> new.content_hash))
    EXECUTE FUNCTION @functions@.discovery_prepared('discovery_twin');
-- @only ahead@
CREATE TRIGGER discovery_spoilt AFTER INSERT OR UPDATE OR DELETE ON @store@.sources
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_prepared('discovery_spoilt');
-- @only ahead@
CREATE TRIGGER discovery_spoilt_truncate AFTER TRUNCATE ON @store@.sources
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_prepared('discovery_spoilt');
-- @only ahead@
CREATE TRIGGER discovery_spoilt AFTER INSERT OR UPDATE OR DELETE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_prepared('discovery_spoilt');
-- @only ahead@
ALTER TABLE @store@.sources
    ENABLE REPLICA TRIGGER discovery_spoilt,
    ENABLE REPLICA TRIGGER discovery_spoilt_truncate;
-- @only ahead@
ALTER TABLE @store@.notebooks ENABLE REPLICA TRIGGER discovery_spoilt;

CREATE VIEW @store@.live_sources WITH (security_invoker = true) AS
    SELECT source.id, source.notebook_id, source.name, source.source_type, source.file_type, source.url,
           source.file_path, source.file_size, source.content_hash, source.extracted_text,
           source.source_metadata, source.created_at, source.updated_at
    FROM @store@.sources AS source
    WHERE source.deleted_at IS NULL;
COMMENT ON VIEW @store@.live_sources IS 'sources that are not deleted';

CREATE VIEW @store@.deleted_sources WITH (security_invoker = true) AS
    SELECT source.id, source.notebook_id, source.name, source.source_type, source.file_type, source.url,
           source.file_path, source.file_size, source.content_hash, source.deleted_at, source.deletion_id,
           deletion.login_role AS deleted_by, deletion.reason, source.hold_reason,
           CASE WHEN source.hold_reason IS NULL AND isfinite(source.deleted_at) THEN
               greatest(0, ceil(extract(epoch FROM greatest(source.deleted_at, timezone('UTC', deletion.deleted_at))
                                                   - timezone('UTC', now())) / 86400 + 30))::integer
           END AS days_until_purge
    FROM @store@.sources AS source
    LEFT JOIN @store@.discovery_deletions AS deletion ON deletion.id = source.deletion_id
    WHERE source.deleted_at IS NOT NULL;
COMMENT ON VIEW @store@.deleted_sources IS
    'soft-deleted sources: who deleted them and why, and in how many days purge_deleted_sources() would remove them';

-- A comment of the user's stays: a step changes only comments that its first version has.
COMMENT ON TABLE @store@.notebooks IS 'notebooks: collections of sources';
COMMENT ON COLUMN @store@.notebooks.id IS
    'primary key: a UUID of version 7, so ordered by time, if the database made it';
COMMENT ON COLUMN @store@.notebooks.name IS 'name of the notebook, unique';
COMMENT ON COLUMN @store@.notebooks.description IS 'what the notebook is about';
COMMENT ON COLUMN @store@.notebooks.tags IS 'categories of the notebook';
COMMENT ON COLUMN @store@.notebooks.created_at IS 'time of creation, in UTC';
COMMENT ON COLUMN @store@.notebooks.updated_at IS
    'time of the last change, in UTC; set by the database if the client does not set it';
COMMENT ON COLUMN @store@.notebooks.source_count IS
    'number of live sources; kept by the database, which ignores what clients write';
COMMENT ON COLUMN @store@.notebooks.output_count IS 'number of outputs; kept by the client';
COMMENT ON TABLE @store@.sources IS
    'sources of the notebooks: files, URLs and texts; those with deleted_at are soft-deleted';
COMMENT ON COLUMN @store@.sources.id IS
    'primary key: a UUID of version 7, so ordered by time, if the database made it';
COMMENT ON COLUMN @store@.sources.notebook_id IS 'notebook of the source';
COMMENT ON COLUMN @store@.sources.name IS 'name of the source';
COMMENT ON COLUMN @store@.sources.source_type IS 'file, url or text';
COMMENT ON COLUMN @store@.sources.file_type IS 'type of the file: pdf, docx, doc, txt or md';
COMMENT ON COLUMN @store@.sources.url IS 'address of the content';
COMMENT ON COLUMN @store@.sources.file_path IS
    'path of the file, whose bytes are not in the database';
COMMENT ON COLUMN @store@.sources.file_size IS 'size of the content in bytes';
COMMENT ON COLUMN @store@.sources.content_hash IS
    'SHA-256 of the content in hex; empty if the source has no hash and so is never a duplicate';
COMMENT ON COLUMN @store@.sources.extracted_text IS 'text of the content';
COMMENT ON COLUMN @store@.sources.source_metadata IS 'other properties, chosen by the client';
COMMENT ON COLUMN @store@.sources.created_at IS 'time of creation, in UTC';
COMMENT ON COLUMN @store@.sources.updated_at IS
    'time of the last change, in UTC; set by the database if the client does not set it';
COMMENT ON COLUMN @store@.sources.deleted_at IS
    'time of the soft deletion, in UTC; NULL if the source is live';
COMMENT ON COLUMN @store@.sources.deletion_id IS
    'deletion that soft-deleted the source: discovery_deletions.id';
COMMENT ON COLUMN @store@.sources.hold_reason IS
    'why the source must not be purged; NULL if it may be';
COMMENT ON COLUMN @store@.discovery_deletions.id IS
    'primary key: a UUID of version 7, so ordered by time';
COMMENT ON COLUMN @store@.discovery_deletions.deleted_at IS 'time of the deletion';
COMMENT ON COLUMN @store@.discovery_deletions.login_role IS 'role that logged in';
COMMENT ON COLUMN @store@.discovery_deletions.acting_role IS 'role whose privileges were used';
COMMENT ON COLUMN @store@.discovery_deletions.reason IS 'reason that the client gave';
COMMENT ON COLUMN @store@.discovery_deletions.sources IS
    'number of sources that the deletion soft-deleted';
COMMENT ON COLUMN @store@.discovery_lost_files.id IS 'primary key: a UUID of version 7, so ordered by time';
COMMENT ON COLUMN @store@.discovery_lost_files.file_path IS 'path of the file';
COMMENT ON COLUMN @store@.discovery_lost_files.lost_at IS 'when the source lost it';
*/

SELECT @extschema@.discovery_run_step('1.0', '1.1');
