-- What the SQL-only edition has in the place of the triggers of the native one.
DROP TRIGGER discovery_update ON @store@.notebooks;
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.notebooks
    FOR EACH ROW WHEN (old.id IS DISTINCT FROM new.id AND (old.source_count <> 0 OR old.output_count <> 0))
    EXECUTE FUNCTION @functions@.discovery_notebook_change('output_count');
DROP TRIGGER discovery_delete ON @store@.notebooks;
CREATE TRIGGER discovery_delete AFTER DELETE ON @store@.notebooks
    FOR EACH ROW WHEN (old.source_count <> 0 OR old.output_count <> 0)
    EXECUTE FUNCTION @functions@.discovery_notebook_change('output_count');
CREATE TRIGGER discovery_trash AFTER DELETE ON @store@.notebooks REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_keep_rows();
CREATE TRIGGER discovery_trash AFTER DELETE ON @store@.sources REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_keep_rows();
CREATE TRIGGER discovery_trash AFTER DELETE ON @store@.outputs REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_keep_rows();
CREATE TRIGGER discovery_insert AFTER INSERT ON @store@.outputs REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_count_outputs();
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.outputs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_count_outputs();
CREATE TRIGGER discovery_delete AFTER DELETE ON @store@.outputs REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_count_outputs();
CREATE TRIGGER discovery_truncate AFTER TRUNCATE ON @store@.outputs
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_count_outputs();
