\echo Use "ALTER EXTENSION discovery UPDATE TO '1.0'" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

/* step 1.1 -> 1.0: the shape of 1.0 again; deleted rows stay deleted

LOCK TABLE @store@.sources, @store@.notebooks IN ACCESS EXCLUSIVE MODE;

DROP VIEW @store@.deleted_sources;
DROP VIEW @store@.live_sources;

DROP TRIGGER discovery_truncate ON @store@.sources;
-- @only native@
DROP TRIGGER discovery_statement ON @store@.sources;
DROP TRIGGER discovery_file_delete ON @store@.sources;
DROP TRIGGER discovery_file_update ON @store@.sources;
DROP TRIGGER discovery_delete ON @store@.sources;
DROP TRIGGER discovery_update ON @store@.sources;
DROP TRIGGER discovery_insert ON @store@.sources;
DROP TRIGGER discovery_row ON @store@.sources;
DROP TRIGGER discovery_delete ON @store@.notebooks;
DROP TRIGGER discovery_update ON @store@.notebooks;
DROP TRIGGER discovery_row ON @store@.notebooks;

DROP INDEX @store@.ix_sources_deletion_id;
DROP INDEX @store@.ix_sources_deleted_hash;
DROP INDEX @store@.ix_sources_deleted_at;
CREATE INDEX ix_sources_deleted_at ON @store@.sources (deleted_at);
DROP INDEX @store@.ix_sources_notebook_id;
CREATE INDEX ix_sources_notebook_id ON @store@.sources (notebook_id);
DROP INDEX @store@.ix_sources_content_hash;
CREATE INDEX ix_sources_content_hash ON @store@.sources (content_hash);
DROP INDEX @store@.ix_sources_notebook_hash;
CREATE INDEX ix_sources_notebook_hash ON @store@.sources (notebook_id, content_hash);

DROP TABLE @store@.discovery_lost_files;
DROP TABLE @store@.discovery_deletions;

ALTER TABLE @store@.sources
    DROP COLUMN hold_reason,
    DROP COLUMN deletion_id,
    ALTER COLUMN content_hash DROP DEFAULT,
    ALTER COLUMN extracted_text SET COMPRESSION default,
    ALTER COLUMN updated_at SET DEFAULT now(),
    ALTER COLUMN created_at SET DEFAULT now(),
    ALTER COLUMN id DROP DEFAULT;
ALTER TABLE @store@.notebooks
    ALTER COLUMN updated_at SET DEFAULT now(),
    ALTER COLUMN created_at SET DEFAULT now(),
    ALTER COLUMN id DROP DEFAULT;

-- A comment of the user's stays.
COMMENT ON TABLE @store@.notebooks IS NULL;
COMMENT ON COLUMN @store@.notebooks.id IS NULL;
COMMENT ON COLUMN @store@.notebooks.name IS NULL;
COMMENT ON COLUMN @store@.notebooks.description IS NULL;
COMMENT ON COLUMN @store@.notebooks.tags IS NULL;
COMMENT ON COLUMN @store@.notebooks.created_at IS NULL;
COMMENT ON COLUMN @store@.notebooks.updated_at IS NULL;
COMMENT ON COLUMN @store@.notebooks.source_count IS NULL;
COMMENT ON COLUMN @store@.notebooks.output_count IS NULL;
COMMENT ON TABLE @store@.sources IS NULL;
COMMENT ON COLUMN @store@.sources.id IS NULL;
COMMENT ON COLUMN @store@.sources.notebook_id IS NULL;
COMMENT ON COLUMN @store@.sources.name IS NULL;
COMMENT ON COLUMN @store@.sources.source_type IS NULL;
COMMENT ON COLUMN @store@.sources.file_type IS NULL;
COMMENT ON COLUMN @store@.sources.url IS NULL;
COMMENT ON COLUMN @store@.sources.file_path IS NULL;
COMMENT ON COLUMN @store@.sources.file_size IS NULL;
COMMENT ON COLUMN @store@.sources.content_hash IS NULL;
COMMENT ON COLUMN @store@.sources.extracted_text IS NULL;
COMMENT ON COLUMN @store@.sources.source_metadata IS NULL;
COMMENT ON COLUMN @store@.sources.created_at IS NULL;
COMMENT ON COLUMN @store@.sources.updated_at IS NULL;
COMMENT ON COLUMN @store@.sources.deleted_at IS NULL;
*/

SELECT @extschema@.discovery_run_step('1.1', '1.0');

DROP FUNCTION @extschema@.release_source(uuid);
DROP FUNCTION @extschema@.hold_source(uuid, text);
DROP FUNCTION @extschema@.purge_deleted_sources(interval, integer);
DROP FUNCTION @extschema@.list_source_deletions(uuid, timestamp with time zone);
DROP FUNCTION @extschema@.preview_restore(uuid);
DROP FUNCTION @extschema@.restore_sources(uuid, text);
DROP FUNCTION @extschema@.restore_source(uuid, text);
DROP FUNCTION @extschema@.delete_sources(uuid[], text);
DROP FUNCTION @extschema@.delete_source(uuid, text);
DROP FUNCTION @extschema@.repair_source_counts();
DROP FUNCTION @extschema@.check_source_counts();
DROP FUNCTION @extschema@.check_source_hashes(uuid, integer);
DROP FUNCTION @extschema@.find_duplicate_sources(uuid);
DROP FUNCTION @extschema@.add_sources(uuid, jsonb, text, text);
DROP FUNCTION @extschema@.add_source(uuid, text, text, bytea, text, text, text, text, text,
        bigint, json, text, text, jsonb);
DROP FUNCTION @extschema@.discovery_notebook_change();
DROP FUNCTION @extschema@.discovery_notebook_row();
DROP FUNCTION @extschema@.discovery_lost_file();
DROP FUNCTION @extschema@.discovery_source_statement();
DROP FUNCTION @extschema@.discovery_source_change();
DROP FUNCTION @extschema@.discovery_source_row();
DROP FUNCTION @extschema@.uuid_v7();
