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
        is_changed := NOT probe *= OLD;
        -- Generated columns are not computed yet; they depend on the others alone.
        IF is_changed AND EXISTS (SELECT FROM pg_attribute
                                  WHERE attrelid = TG_RELID AND attgenerated <> '' AND NOT attisdropped) THEN
            EXECUTE (SELECT format('SELECT NOT ROW(%s)::record *= ROW(%s)::record',
                                   string_agg(format('($1).%I', attname), ', '),
                                   string_agg(format('($2).%I', attname), ', '))
                     FROM pg_attribute
                     WHERE attrelid = TG_RELID AND attnum > 0 AND attgenerated = '' AND NOT attisdropped)
                INTO is_changed USING probe, OLD;
        END IF;
    END IF;
    NEW.source_count := CASE WHEN NEW.id = OLD.id THEN OLD.source_count ELSE 0 END;
    IF keeps_outputs THEN NEW.output_count := CASE WHEN NEW.id = OLD.id THEN OLD.output_count ELSE 0 END; END IF;
    IF is_changed THEN NEW.updated_at := timezone('UTC', now()); END IF;
    RETURN NEW;
END
$$;

REVOKE ALL ON FUNCTION @extschema@.discovery_notebook_row() FROM PUBLIC;

-- Another row may have the id by the end of the statement; then the sources are that one's. A foreign key that cascades
-- has moved or deleted them before: its triggers fire first.
CREATE FUNCTION @extschema@.discovery_notebook_change() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    relation name;
    is_left boolean;
BEGIN
    PERFORM @extschema@.discovery_require_own(TG_TABLE_SCHEMA, TG_TABLE_NAME);
    -- The trigger that a dump of the native edition has fires for each update of a notebook.
    IF TG_OP = 'UPDATE' AND NEW.id = OLD.id THEN RETURN NULL; END IF;
    IF @extschema@.discovery_add_to_counts(TG_TABLE_SCHEMA, OLD.id, OLD.source_count,
                                           CASE WHEN TG_NARGS > 0 THEN OLD.output_count ELSE 0 END, NULL) THEN
        RETURN NULL;
    END IF;
    FOREACH relation IN ARRAY CASE WHEN TG_NARGS > 0 THEN '{sources,outputs}' ELSE '{sources}' END::name[] LOOP
        PERFORM @extschema@.discovery_require_own(TG_TABLE_SCHEMA, relation);
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I WHERE notebook_id = $1 AND %s)', TG_TABLE_SCHEMA, relation,
                       (SELECT condition FROM @extschema@.discovery_count_of(relation))) INTO is_left USING OLD.id;
        IF is_left THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('cannot count the %s of notebook %s after it is gone', relation, OLD.id),
                DETAIL = 'The SQL-only edition counts at the end of each statement.',
                HINT = 'Move or delete them first; a deferred foreign key does not help.';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION @extschema@.discovery_notebook_change() FROM PUBLIC;
