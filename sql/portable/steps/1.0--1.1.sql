-- What the SQL-only edition has in the place of the triggers of the native one. It counts by transition tables, which
-- PostgreSQL allows in a trigger for one event alone.
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.notebooks
    FOR EACH ROW WHEN (old.id IS DISTINCT FROM new.id AND old.source_count <> 0)
    EXECUTE FUNCTION @functions@.discovery_notebook_change();
CREATE TRIGGER discovery_insert AFTER INSERT ON @store@.sources REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_count_sources();
CREATE TRIGGER discovery_update AFTER UPDATE ON @store@.sources REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_count_sources();
CREATE TRIGGER discovery_delete AFTER DELETE ON @store@.sources REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_count_sources();
CREATE TRIGGER discovery_truncate AFTER TRUNCATE ON @store@.sources
    FOR EACH STATEMENT EXECUTE FUNCTION @functions@.discovery_count_sources();
