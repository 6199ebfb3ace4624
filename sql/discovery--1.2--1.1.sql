\echo Use "ALTER EXTENSION discovery UPDATE TO '1.1'" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

/* step 1.2 -> 1.1: the shape of 1.1 again, without outputs and creators; refused while the trash has rows

LOCK TABLE @store@.sources, @store@.notebooks, @store@.outputs IN ACCESS EXCLUSIVE MODE;

DROP VIEW @store@.deleted_outputs;
DROP VIEW @store@.deleted_notebooks;
DROP VIEW @store@.deleted_sources;
DROP VIEW @store@.live_sources;

DROP TABLE @store@.discovery_trash;
DROP TABLE @store@.outputs;
ALTER TABLE @store@.discovery_deletions
    DROP COLUMN outputs,
    DROP COLUMN notebooks;
ALTER TABLE @store@.sources DROP COLUMN created_by;
ALTER TABLE @store@.notebooks DROP COLUMN created_by;

DROP TRIGGER discovery_row ON @store@.notebooks;
CREATE TRIGGER discovery_row BEFORE INSERT OR UPDATE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_notebook_row();
-- @only native@
DROP TRIGGER discovery_update ON @store@.notebooks;
-- @only native@
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.notebooks
    FOR EACH ROW EXECUTE FUNCTION @functions@.discovery_notebook_change();
DROP TRIGGER discovery_trash ON @store@.notebooks;
-- @only native@
CREATE TRIGGER discovery_delete AFTER DELETE ON @store@.notebooks
    FOR EACH ROW WHEN (old.source_count <> 0)
    EXECUTE FUNCTION @functions@.discovery_notebook_change();
DROP TRIGGER discovery_trash ON @store@.sources;
-- @only native@
CREATE TRIGGER discovery_delete AFTER DELETE ON @store@.sources
    FOR EACH ROW WHEN (old.deleted_at IS NULL)
    EXECUTE FUNCTION @functions@.discovery_source_change();
-- @only native@
CREATE TRIGGER discovery_file_delete AFTER DELETE ON @store@.sources
    FOR EACH ROW WHEN (old.file_path IS NOT NULL)
    EXECUTE FUNCTION @functions@.discovery_lost_file();

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

-- A comment of the user's stays.
COMMENT ON COLUMN @store@.notebooks.output_count IS 'number of outputs; kept by the client';
COMMENT ON COLUMN @store@.discovery_deletions.sources IS
    'number of sources that the deletion soft-deleted';
*/

SELECT @extschema@.discovery_run_step('1.2', '1.1');

DROP FUNCTION @extschema@.fail_stale_outputs(interval, text);
DROP FUNCTION @extschema@.erase_data(uuid, text);
DROP FUNCTION @extschema@.purge_trash(interval, integer);
DROP FUNCTION @extschema@.release_deletion(uuid);
DROP FUNCTION @extschema@.hold_deletion(uuid, text);
DROP FUNCTION @extschema@.restore_deletion(uuid, text, text, text);
DROP FUNCTION @extschema@.preview_delete_notebook(uuid);
DROP FUNCTION @extschema@.delete_output(uuid, text);
DROP FUNCTION @extschema@.delete_notebook(uuid, text);
DROP FUNCTION @extschema@.repair_output_counts();
DROP FUNCTION @extschema@.check_output_counts();
DROP FUNCTION @extschema@.discovery_output_statement();
DROP FUNCTION @extschema@.discovery_output_change();
DROP FUNCTION @extschema@.discovery_output_row();
DROP FUNCTION @extschema@.discovery_notebook_delete();
DROP FUNCTION @extschema@.discovery_source_delete();
