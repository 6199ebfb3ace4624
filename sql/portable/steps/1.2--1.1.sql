-- The triggers of the SQL-only edition at version 1.1 again.
DROP TRIGGER discovery_update ON @store@.notebooks;
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.notebooks
    FOR EACH ROW WHEN (old.id IS DISTINCT FROM new.id AND old.source_count <> 0)
    EXECUTE FUNCTION @functions@.discovery_notebook_change();
DROP TRIGGER discovery_delete ON @store@.notebooks;
CREATE TRIGGER discovery_delete AFTER DELETE ON @store@.notebooks
    FOR EACH ROW WHEN (old.source_count <> 0)
    EXECUTE FUNCTION @functions@.discovery_notebook_change();
