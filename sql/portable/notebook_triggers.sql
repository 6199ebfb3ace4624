--
-- The triggers of notebooks
--

-- The owner's function that counts names the notebook in discovery_internal.counting. A client's own count is ignored.
CREATE FUNCTION @extschema@.discovery_notebook_row() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    probe record;
    is_changed boolean := false;
    keeps_outputs constant boolean := TG_NARGS > 0 AND TG_ARGV[0] = 'output_count';
BEGIN
    -- Before version 1.2, the client keeps output_count.
    IF TG_OP = 'INSERT' THEN
        NEW.source_count := 0;
        IF keeps_outputs THEN NEW.output_count := 0; END IF;
        RETURN NEW;
    END IF;
    IF current_setting('discovery_internal.counting', true) = OLD.id::text
       AND quote_ident(current_user)::regrole = (SELECT relowner FROM pg_class WHERE oid = TG_RELID) THEN
        PERFORM set_config('discovery_internal.counting', '', true);
        RETURN NEW;
    END IF;
    IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at THEN
        probe := NEW;
        probe.source_count := OLD.source_count;
        IF keeps_outputs THEN probe.output_count := OLD.output_count; END IF;
        -- Generated columns are not computed yet; they depend on the others alone.
        SELECT CASE WHEN probe *= OLD THEN false WHEN generated IS NULL THEN true
                    ELSE to_jsonb(probe) - generated <> to_jsonb(OLD) - generated END INTO is_changed
            FROM (SELECT array_agg(attname::text) FROM pg_attribute
                  WHERE attrelid = TG_RELID AND attgenerated <> '' AND NOT attisdropped) AS columns (generated);
    END IF;
    NEW.source_count := CASE WHEN NEW.id = OLD.id THEN OLD.source_count ELSE 0 END;
    IF keeps_outputs THEN NEW.output_count := CASE WHEN NEW.id = OLD.id THEN OLD.output_count ELSE 0 END; END IF;
    IF is_changed THEN NEW.updated_at := timezone('UTC', now()); END IF;
    RETURN NEW;
END
$$;

-- Another row may have the id by the end of the statement; then the sources are that one's.
CREATE FUNCTION @extschema@.discovery_notebook_change() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_own(TG_TABLE_SCHEMA, TG_TABLE_NAME);
    -- The trigger that a dump of the native edition has fires for each update of a notebook.
    IF TG_OP = 'UPDATE' AND NEW.id = OLD.id THEN RETURN NULL; END IF;
    PERFORM @extschema@.discovery_add_to_counts(
        TG_TABLE_SCHEMA, OLD.id, OLD.source_count, CASE WHEN TG_NARGS > 0 THEN OLD.output_count ELSE 0 END, NULL);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION @extschema@.discovery_notebook_change() FROM PUBLIC;
