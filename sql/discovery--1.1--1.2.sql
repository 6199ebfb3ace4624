\echo Use "ALTER EXTENSION discovery UPDATE TO '1.2'" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

--
-- Triggers of the store
--

CREATE FUNCTION @extschema@.discovery_source_delete() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_source_delete';
COMMENT ON FUNCTION @extschema@.discovery_source_delete() IS
    'trigger on sources, after a row is deleted: moves it to the trash if deleted rows are kept, or else lists the '
    'path of its file; collects what changes in the counts';

CREATE FUNCTION @extschema@.discovery_notebook_delete() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_notebook_delete';
COMMENT ON FUNCTION @extschema@.discovery_notebook_delete() IS
    'trigger on notebooks, after a row is deleted: moves it to the trash if deleted rows are kept, and keeps its '
    'counts for the next row of that id';

CREATE FUNCTION @extschema@.discovery_output_row() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_output_row';
COMMENT ON FUNCTION @extschema@.discovery_output_row() IS
    'trigger on outputs, before each row: sets updated_at';

CREATE FUNCTION @extschema@.discovery_output_change() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_output_change';
COMMENT ON FUNCTION @extschema@.discovery_output_change() IS
    'trigger on outputs, after each row: collects what the statement changes in the counts; moves a deleted row to the '
    'trash if deleted rows are kept';

CREATE FUNCTION @extschema@.discovery_output_statement() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_output_statement';
COMMENT ON FUNCTION @extschema@.discovery_output_statement() IS
    'trigger on outputs, after each statement: adds its changes to what the counts of the notebooks are to become';

--
-- Counts
--

CREATE FUNCTION @extschema@.check_output_counts()
    RETURNS TABLE (notebook_id uuid, name text, output_count integer, actual_count bigint)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_check_output_counts';
COMMENT ON FUNCTION @extschema@.check_output_counts() IS
    'notebooks whose output_count differs from the number of their outputs, with both numbers';

CREATE FUNCTION @extschema@.repair_output_counts() RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_repair_output_counts';
COMMENT ON FUNCTION @extschema@.repair_output_counts() IS
    'correct every wrong output_count, also while others write; returns how many were wrong';

--
-- The trash
--

CREATE FUNCTION @extschema@.delete_notebook(id uuid, reason text DEFAULT NULL,
        OUT deletion_id uuid, OUT sources bigint, OUT outputs bigint)
    RETURNS record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_delete_notebook';
COMMENT ON FUNCTION @extschema@.delete_notebook(uuid, text) IS
    'move a notebook with all its sources and outputs to the trash; deletion_id is the argument for '
    'restore_deletion()';

CREATE FUNCTION @extschema@.delete_output(id uuid, reason text DEFAULT NULL) RETURNS uuid
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_delete_output';
COMMENT ON FUNCTION @extschema@.delete_output(uuid, text) IS
    'move an output to the trash; returns the deletion, the argument for restore_deletion()';

CREATE FUNCTION @extschema@.preview_delete_notebook(id uuid)
    RETURNS TABLE (table_name text, rows bigint, effect text)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_preview_delete_notebook';
COMMENT ON FUNCTION @extschema@.preview_delete_notebook(uuid) IS
    'what delete_notebook() would do: the rows that would move to the trash, and those of other tables that refer '
    'to them';

CREATE FUNCTION @extschema@.restore_deletion(
        deletion_id uuid,
        on_duplicate text DEFAULT 'error',
        on_name_taken text DEFAULT 'error',
        on_missing_column text DEFAULT 'error')
    RETURNS TABLE (table_name text, id uuid, outcome text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_restore_deletion';
COMMENT ON FUNCTION @extschema@.restore_deletion(uuid, text, text, text) IS
    'bring back all that a deletion deleted and that is still deleted by it: sources, outputs, a notebook; one row '
    'each: restored, renamed, kept_deleted, or in_trash if another deletion has moved it there since';

CREATE FUNCTION @extschema@.hold_deletion(deletion_id uuid, reason text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_hold_deletion';
COMMENT ON FUNCTION @extschema@.hold_deletion(uuid, text) IS
    'protect what a deletion moved to the trash from being purged, until release_deletion()';

CREATE FUNCTION @extschema@.release_deletion(deletion_id uuid) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_release_deletion';
COMMENT ON FUNCTION @extschema@.release_deletion(uuid) IS
    'end the protection by hold_deletion(), and that of the sources that were held when they moved to the trash';

CREATE FUNCTION @extschema@.purge_trash(older_than interval DEFAULT '30 days', max_deletions integer DEFAULT NULL)
    RETURNS TABLE (table_name text, id uuid, notebook_id uuid, content_hash text, file_path text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_purge_trash';
COMMENT ON FUNCTION @extschema@.purge_trash(interval, integer) IS
    'remove for good what moved to the trash longer ago than older_than, a deletion as a whole, oldest first, at most '
    'max_deletions; does not wait for locks and skips deletions with a held row; unlink files only after COMMIT';

CREATE FUNCTION @extschema@.erase_data(notebook_id uuid DEFAULT NULL, created_by text DEFAULT NULL)
    RETURNS TABLE (table_name text, rows bigint)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_erase_data';
COMMENT ON FUNCTION @extschema@.erase_data(uuid, text) IS
    'for the owner of the store: remove for good a notebook, or all that a person created, from the tables and the '
    'trash, held or not, and the reasons of their deletions; returns what it removed';

--
-- Outputs
--

CREATE FUNCTION @extschema@.fail_stale_outputs(
        older_than interval DEFAULT '1 hour', reason text DEFAULT 'generation did not end in time')
    RETURNS TABLE (id uuid, notebook_id uuid, title text, updated_at timestamp)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_fail_stale_outputs';
COMMENT ON FUNCTION @extschema@.fail_stale_outputs(interval, text) IS
    'set the status of outputs that are generating, and have not changed for longer than older_than, to failed, with '
    'the reason as "error" in output_metadata; returns them, with the time of their last change';

--
-- The step
--

/* step 1.1 -> 1.2: outputs, creators and a trash for notebooks

-- Every writer locks the tables in this order.
LOCK TABLE @store@.sources, @store@.notebooks IN ACCESS EXCLUSIVE MODE;

-- A later version of the application's own schema may have made these columns and the table of outputs, without
-- defaults and with some of the indexes. They stay as they are, with their rows; what they lack is added. Another
-- column or table of these names differs from the shape of this version, and the upgrade ends there.
-- @ahead@
ALTER TABLE @store@.notebooks
    ADD COLUMN IF NOT EXISTS created_by character varying(255) NOT NULL DEFAULT 'system@discovery.local';
-- @ahead@
ALTER TABLE @store@.sources
    ADD COLUMN IF NOT EXISTS created_by character varying(255) NOT NULL DEFAULT 'system@discovery.local';
-- @ahead@
CREATE TABLE IF NOT EXISTS @store@.outputs (
    id uuid NOT NULL,
    notebook_id uuid NOT NULL,
    title character varying(500) NOT NULL,
    content text NOT NULL,
    output_type character varying(50) NOT NULL,
    status character varying(20) NOT NULL,
    prompt text,
    template_name character varying(100),
    output_metadata json NOT NULL,
    source_references character varying[] NOT NULL,
    word_count integer NOT NULL,
    created_at timestamp without time zone NOT NULL,
    updated_at timestamp without time zone NOT NULL,
    completed_at timestamp without time zone,
    CONSTRAINT outputs_pkey PRIMARY KEY (id),
    CONSTRAINT outputs_notebook_id_fkey FOREIGN KEY (notebook_id)
        REFERENCES @store@.notebooks (id) ON DELETE CASCADE
);
-- @ahead@
ALTER TABLE @store@.outputs
    ADD COLUMN IF NOT EXISTS created_by character varying(255) NOT NULL DEFAULT 'system@discovery.local';
ALTER TABLE @store@.notebooks ALTER COLUMN created_by SET DEFAULT 'system@discovery.local';
ALTER TABLE @store@.sources ALTER COLUMN created_by SET DEFAULT 'system@discovery.local';
ALTER TABLE @store@.outputs
    ALTER COLUMN id SET DEFAULT @functions@.uuid_v7(),
    ALTER COLUMN content SET DEFAULT '',
    ALTER COLUMN content SET COMPRESSION @compression@,
    ALTER COLUMN output_type SET DEFAULT 'blog_post',
    ALTER COLUMN status SET DEFAULT 'draft',
    ALTER COLUMN output_metadata SET DEFAULT '{}',
    ALTER COLUMN source_references SET DEFAULT '{}',
    ALTER COLUMN word_count SET DEFAULT 0,
    ALTER COLUMN created_at SET DEFAULT timezone('UTC', now()),
    ALTER COLUMN updated_at SET DEFAULT timezone('UTC', now()),
    ALTER COLUMN created_by SET DEFAULT 'system@discovery.local';

-- @ahead@
ALTER TABLE @store@.discovery_deletions
    ADD COLUMN notebooks bigint NOT NULL DEFAULT 0,
    ADD COLUMN outputs bigint NOT NULL DEFAULT 0;

-- A row that moves here takes all its columns along, those that a user has added, too, as text. The long text
-- stands alone, so that it moves as it is stored.
-- @ahead@
CREATE TABLE @store@.discovery_trash (
    deletion_id uuid NOT NULL,
    table_name text NOT NULL,
    row_id uuid NOT NULL,
    notebook_id uuid NOT NULL,
    name text NOT NULL,
    created_by text NOT NULL,
    content_hash text,
    file_path text,
    source_deletion_id uuid,
    hold_reason text,
    column_names text[] NOT NULL,
    column_values text[] COMPRESSION @compression@ NOT NULL,
    content text COMPRESSION @compression@,
    CONSTRAINT discovery_trash_pkey PRIMARY KEY (deletion_id, table_name, row_id)
);
COMMENT ON TABLE @store@.discovery_trash IS
    'trash of the discovery store: deleted notebooks, sources and outputs, until they are restored or purged';
-- @ahead@
CREATE INDEX discovery_trash_source_deletion ON @store@.discovery_trash (source_deletion_id)
    WHERE source_deletion_id IS NOT NULL;
-- @ahead@
CREATE INDEX discovery_trash_held ON @store@.discovery_trash (deletion_id) WHERE hold_reason IS NOT NULL;
-- @ahead@
CREATE INDEX discovery_trash_notebook ON @store@.discovery_trash (notebook_id);

-- Whoever row security keeps from rows of a table sees nothing of the trash.
ALTER TABLE @store@.discovery_trash ENABLE ROW LEVEL SECURITY;
CREATE POLICY discovery_visible ON @store@.discovery_trash
    USING (NOT (row_security_active('@store@.notebooks'::regclass)
                OR row_security_active('@store@.sources'::regclass)
                OR row_security_active('@store@.outputs'::regclass)));

-- The correction of a count is no change of the notebook: its updated_at stays.
DROP TRIGGER discovery_row ON @store@.notebooks;
-- @ahead@ locked ids of notebooks
UPDATE @store@.notebooks AS notebook SET output_count = counted.outputs
    FROM (SELECT each_notebook.id, count(output.id)::integer AS outputs
              FROM @store@.notebooks AS each_notebook
              LEFT JOIN @store@.outputs AS output ON output.notebook_id = each_notebook.id
              WHERE each_notebook.id @batch@
              GROUP BY each_notebook.id) AS counted
    WHERE notebook.id = counted.id AND notebook.output_count <> counted.outputs;

-- @ahead@
CREATE INDEX IF NOT EXISTS ix_notebooks_created_by ON @store@.notebooks (created_by);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_sources_created_by ON @store@.sources (created_by);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_outputs_notebook_id ON @store@.outputs (notebook_id);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_outputs_status ON @store@.outputs (status);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_outputs_output_type ON @store@.outputs (output_type);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_outputs_created_at ON @store@.outputs (created_at);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_outputs_updated_at ON @store@.outputs (updated_at);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_outputs_completed_at ON @store@.outputs (completed_at);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_outputs_created_by ON @store@.outputs (created_by);
-- @ahead@
CREATE INDEX IF NOT EXISTS ix_outputs_notebook_status ON @store@.outputs (notebook_id, status);

CREATE TRIGGER discovery_row BEFORE INSERT OR UPDATE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_notebook_row('output_count');
-- @only native@
DROP TRIGGER discovery_update ON @store@.notebooks;
-- @only native@
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_notebook_change('output_count');
-- @only native@
DROP TRIGGER discovery_delete ON @store@.notebooks;
-- @only native@
CREATE TRIGGER discovery_trash AFTER DELETE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_notebook_delete();
-- One trigger for all that a deleted source leaves: its count, its file, its place in the trash.
-- @only native@
DROP TRIGGER discovery_delete ON @store@.sources;
-- @only native@
DROP TRIGGER discovery_file_delete ON @store@.sources;
-- @only native@
CREATE TRIGGER discovery_trash AFTER DELETE ON @store@.sources
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_source_delete();
-- @ahead@
CREATE TRIGGER discovery_row BEFORE UPDATE ON @store@.outputs
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_output_row();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_insert AFTER INSERT ON @store@.outputs
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_output_change();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.outputs
    FOR EACH ROW WHEN (old.notebook_id IS DISTINCT FROM new.notebook_id)
    EXECUTE FUNCTION @functions@.discovery_output_change();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_trash AFTER DELETE ON @store@.outputs
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_output_change();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_statement AFTER INSERT OR UPDATE OR DELETE ON @store@.outputs
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_output_statement();
-- @only native@
-- @ahead@
CREATE TRIGGER discovery_truncate AFTER TRUNCATE ON @store@.outputs
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_output_statement();

-- While the version before is in use: keep its output_count from what its clients write, and notice who writes
-- where the triggers do not fire.
-- @only ahead@
CREATE TRIGGER discovery_output_count BEFORE INSERT OR UPDATE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_prepared('discovery_output_count');
-- @only ahead@
CREATE TRIGGER discovery_spoilt AFTER INSERT OR UPDATE OR DELETE ON @store@.outputs
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_prepared('discovery_spoilt');
-- @only ahead@
CREATE TRIGGER discovery_spoilt_truncate AFTER TRUNCATE ON @store@.outputs
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_prepared('discovery_spoilt');
-- @only ahead@
CREATE TRIGGER discovery_spoilt AFTER INSERT OR UPDATE OR DELETE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_prepared('discovery_spoilt');
-- @only ahead@
ALTER TABLE @store@.outputs
    ENABLE REPLICA TRIGGER discovery_spoilt,
    ENABLE REPLICA TRIGGER discovery_spoilt_truncate;
-- @only ahead@
ALTER TABLE @store@.notebooks ENABLE REPLICA TRIGGER discovery_spoilt;

-- The new columns come last: the views keep their privileges, and the views of users on them.
CREATE OR REPLACE VIEW @store@.live_sources WITH (security_invoker = true) AS
    SELECT source.id, source.notebook_id, source.name, source.source_type, source.file_type, source.url,
           source.file_path, source.file_size, source.content_hash, source.extracted_text,
           source.source_metadata, source.created_at, source.updated_at, source.created_by
    FROM @store@.sources AS source
    WHERE source.deleted_at IS NULL;
CREATE OR REPLACE VIEW @store@.deleted_sources WITH (security_invoker = true) AS
    SELECT source.id, source.notebook_id, source.name, source.source_type, source.file_type, source.url,
           source.file_path, source.file_size, source.content_hash, source.deleted_at, source.deletion_id,
           deletion.login_role AS deleted_by, deletion.reason, source.hold_reason,
           CASE WHEN source.hold_reason IS NULL AND isfinite(source.deleted_at) THEN
               greatest(0, ceil(extract(epoch FROM greatest(source.deleted_at, timezone('UTC', deletion.deleted_at))
                                                   - timezone('UTC', now())) / 86400 + 30))::integer
           END AS days_until_purge,
           source.created_by
    FROM @store@.sources AS source
    LEFT JOIN @store@.discovery_deletions AS deletion ON deletion.id = source.deletion_id
    WHERE source.deleted_at IS NOT NULL;

CREATE VIEW @store@.deleted_notebooks WITH (security_invoker = true) AS
    SELECT trash.row_id AS id, trash.name, trash.created_by, inside.sources, inside.outputs,
           deletion.deleted_at, trash.deletion_id, deletion.login_role AS deleted_by, deletion.reason,
           held.hold_reason,
           CASE WHEN held.hold_reason IS NULL THEN
               greatest(0, ceil(extract(epoch FROM deletion.deleted_at - now()) / 86400 + 30))::integer
           END AS days_until_purge
    FROM @store@.discovery_trash AS trash
    JOIN @store@.discovery_deletions AS deletion ON deletion.id = trash.deletion_id
    LEFT JOIN LATERAL (SELECT min(other.hold_reason) AS hold_reason FROM @store@.discovery_trash AS other
                       WHERE other.deletion_id = trash.deletion_id
                         AND other.hold_reason IS NOT NULL) AS held ON true
    LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE other.table_name = 'sources') AS sources,
                              count(*) FILTER (WHERE other.table_name = 'outputs') AS outputs
                       FROM @store@.discovery_trash AS other
                       WHERE other.deletion_id = trash.deletion_id
                         AND other.notebook_id = trash.row_id) AS inside ON true
    WHERE trash.table_name = 'notebooks';
COMMENT ON VIEW @store@.deleted_notebooks IS
    'notebooks in the trash: who deleted them and why, and in how many days purge_trash() would remove them';

CREATE VIEW @store@.deleted_outputs WITH (security_invoker = true) AS
    SELECT trash.row_id AS id, trash.notebook_id, trash.name AS title, trash.created_by,
           deletion.deleted_at, trash.deletion_id, deletion.login_role AS deleted_by, deletion.reason,
           held.hold_reason,
           CASE WHEN held.hold_reason IS NULL THEN
               greatest(0, ceil(extract(epoch FROM deletion.deleted_at - now()) / 86400 + 30))::integer
           END AS days_until_purge
    FROM @store@.discovery_trash AS trash
    JOIN @store@.discovery_deletions AS deletion ON deletion.id = trash.deletion_id
    LEFT JOIN LATERAL (SELECT min(other.hold_reason) AS hold_reason FROM @store@.discovery_trash AS other
                       WHERE other.deletion_id = trash.deletion_id
                         AND other.hold_reason IS NOT NULL) AS held ON true
    WHERE trash.table_name = 'outputs';
COMMENT ON VIEW @store@.deleted_outputs IS
    'outputs in the trash, alone or with their notebook: who deleted them and why, and in how many days purge_trash() '
    'would remove them';

-- A comment of the user's stays: a step changes only comments that its first version has.
COMMENT ON COLUMN @store@.notebooks.output_count IS
    'number of outputs; kept by the database, which ignores what clients write';
COMMENT ON COLUMN @store@.notebooks.created_by IS 'who created the notebook; set by the client';
COMMENT ON COLUMN @store@.sources.created_by IS 'who created the source; set by the client';
COMMENT ON TABLE @store@.outputs IS 'outputs: texts that were generated from the sources of a notebook';
COMMENT ON COLUMN @store@.outputs.id IS
    'primary key: a UUID of version 7, so ordered by time, if the database made it';
COMMENT ON COLUMN @store@.outputs.notebook_id IS 'notebook of the output';
COMMENT ON COLUMN @store@.outputs.title IS 'title of the output';
COMMENT ON COLUMN @store@.outputs.content IS 'text of the output';
COMMENT ON COLUMN @store@.outputs.output_type IS 'kind of the text, such as blog_post; chosen by the client';
COMMENT ON COLUMN @store@.outputs.status IS
    'draft, generating, completed, failed or another one that the client chooses';
COMMENT ON COLUMN @store@.outputs.prompt IS 'prompt that the text was generated from';
COMMENT ON COLUMN @store@.outputs.template_name IS 'template that the text was generated with';
COMMENT ON COLUMN @store@.outputs.output_metadata IS 'other properties, chosen by the client';
COMMENT ON COLUMN @store@.outputs.source_references IS 'sources that the text refers to';
COMMENT ON COLUMN @store@.outputs.word_count IS 'number of words of the text; set by the client';
COMMENT ON COLUMN @store@.outputs.created_at IS 'time of creation, in UTC';
COMMENT ON COLUMN @store@.outputs.updated_at IS
    'time of the last change, in UTC; set by the database if the client does not set it';
COMMENT ON COLUMN @store@.outputs.completed_at IS 'when the text was complete, in UTC; set by the client';
COMMENT ON COLUMN @store@.outputs.created_by IS 'who created the output; set by the client';
COMMENT ON COLUMN @store@.discovery_deletions.sources IS
    'number of sources that the deletion soft-deleted or moved to the trash';
COMMENT ON COLUMN @store@.discovery_deletions.notebooks IS 'number of notebooks that it moved to the trash';
COMMENT ON COLUMN @store@.discovery_deletions.outputs IS 'number of outputs that it moved to the trash';
COMMENT ON COLUMN @store@.discovery_trash.deletion_id IS 'deletion that moved the row here: discovery_deletions.id';
COMMENT ON COLUMN @store@.discovery_trash.table_name IS 'table of the row: notebooks, sources or outputs';
COMMENT ON COLUMN @store@.discovery_trash.row_id IS 'id of the row in its table';
COMMENT ON COLUMN @store@.discovery_trash.notebook_id IS 'notebook of the row; of a notebook, its own id';
COMMENT ON COLUMN @store@.discovery_trash.name IS 'name or title of the row';
COMMENT ON COLUMN @store@.discovery_trash.created_by IS 'who created the row';
COMMENT ON COLUMN @store@.discovery_trash.content_hash IS 'content_hash of a source';
COMMENT ON COLUMN @store@.discovery_trash.file_path IS 'file_path of a source: its file is still needed';
COMMENT ON COLUMN @store@.discovery_trash.source_deletion_id IS
    'deletion that had soft-deleted the source before; NULL if it was live';
COMMENT ON COLUMN @store@.discovery_trash.hold_reason IS
    'why the row, and all of its deletion, must not be purged; NULL if it may be';
COMMENT ON COLUMN @store@.discovery_trash.column_names IS 'names of the columns of the row';
COMMENT ON COLUMN @store@.discovery_trash.column_values IS 'values of these columns, as text';
COMMENT ON COLUMN @store@.discovery_trash.content IS
    'value of extracted_text of a source, or of content of an output';
*/

SELECT @extschema@.discovery_run_step('1.1', '1.2');
