-- What users put on the tables of a store, of each kind. The role `reader` is there.
ALTER TABLE sources ADD COLUMN rating integer NOT NULL DEFAULT 3,
    ADD COLUMN "Groß" text COLLATE "C" GENERATED ALWAYS AS (upper(source_type)) STORED;
UPDATE sources SET rating = 5 WHERE source_type = 'url';
ALTER TABLE sources ADD CONSTRAINT own_check CHECK (rating BETWEEN 0 AND 5);
CREATE INDEX own_index ON sources (lower(name)) WITH (fillfactor = 80);
CREATE FUNCTION own_rating() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN NEW.rating := least(NEW.rating, 5); RETURN NEW; END';
CREATE TRIGGER own_trigger BEFORE INSERT OR UPDATE ON sources FOR EACH ROW EXECUTE FUNCTION own_rating();
CREATE POLICY own_policy ON sources FOR SELECT TO reader USING (deleted_at IS NULL);
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON notebooks, sources, live_sources TO reader;
GRANT UPDATE (description) ON notebooks TO reader WITH GRANT OPTION;
COMMENT ON COLUMN sources.rating IS 'von 0 bis 5';
CREATE VIEW own_view WITH (security_barrier) AS SELECT n.name, count(*) AS live
    FROM notebooks n JOIN live_sources s ON s.notebook_id = n.id GROUP BY n.id;
COMMENT ON VIEW own_view IS 'unsere Notizbücher';
CREATE STATISTICS own_statistics (dependencies) ON source_type, file_type FROM sources;
ALTER TABLE sources SET (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_enabled = off);
ALTER TABLE sources ALTER COLUMN url SET STORAGE EXTERNAL, ALTER COLUMN notebook_id SET STATISTICS 500,
    ALTER COLUMN notebook_id SET (n_distinct = -0.1);
ALTER TABLE sources CLUSTER ON ix_sources_notebook_id;
