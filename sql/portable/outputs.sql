--
-- Outputs
--

CREATE FUNCTION @extschema@.discovery_output_row() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    is_changed boolean := NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at AND NOT NEW *= OLD;
BEGIN
    -- Generated columns are not computed yet; they depend on the others alone.
    IF is_changed AND EXISTS (SELECT FROM pg_attribute
                              WHERE attrelid = TG_RELID AND attgenerated <> '' AND NOT attisdropped) THEN
        EXECUTE (SELECT format('SELECT NOT ROW(%s)::record *= ROW(%s)::record',
                               string_agg(format('($1).%I', attname), ', '),
                               string_agg(format('($2).%I', attname), ', '))
                 FROM pg_attribute
                 WHERE attrelid = TG_RELID AND attnum > 0 AND attgenerated = '' AND NOT attisdropped)
            INTO is_changed USING NEW, OLD;
    END IF;
    IF is_changed THEN NEW.updated_at := timezone('UTC', now()); END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION @extschema@.discovery_output_row() FROM PUBLIC;

CREATE FUNCTION @extschema@.discovery_count_outputs() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    changes refcursor;
BEGIN
    PERFORM @extschema@.discovery_require_own(TG_TABLE_SCHEMA, 'notebooks', TG_TABLE_NAME);
    -- As in discovery_count_sources()
    IF TG_OP = 'INSERT' THEN
        OPEN changes FOR
            SELECT notebook_id AS notebook, count(*) AS rows,
                   max(created_at) FILTER (WHERE isfinite(created_at)) AS newest
            FROM new_rows WHERE notebook_id IS NOT NULL GROUP BY notebook_id ORDER BY notebook_id;
    ELSIF TG_OP = 'DELETE' THEN
        OPEN changes FOR
            SELECT notebook_id AS notebook, -count(*) AS rows, timezone('UTC', now()) AS newest
            FROM old_rows WHERE notebook_id IS NOT NULL GROUP BY notebook_id ORDER BY notebook_id;
    ELSIF TG_OP = 'UPDATE' THEN
        OPEN changes FOR
            SELECT side.notebook, sum(side.rows) AS rows, max(side.newest) AS newest
            FROM old_rows AS o
            FULL JOIN new_rows AS n ON n.id = o.id
            CROSS JOIN LATERAL (
                SELECT greatest(CASE WHEN isfinite(n.created_at) THEN n.created_at END,
                                CASE WHEN isfinite(n.updated_at) THEN n.updated_at END) AS newest) AS output
            CROSS JOIN LATERAL (VALUES (o.notebook_id, -1, output.newest), (n.notebook_id, 1, output.newest))
                AS side (notebook, rows, newest)
            WHERE o.notebook_id IS DISTINCT FROM n.notebook_id AND side.notebook IS NOT NULL
            GROUP BY side.notebook HAVING sum(side.rows) <> 0 ORDER BY side.notebook;
    ELSE
        PERFORM @extschema@.discovery_require_read_committed(format('truncate %s', TG_TABLE_NAME));
        OPEN changes FOR EXECUTE format(
            'SELECT id AS notebook, -output_count::bigint AS rows, timezone(''UTC'', now()) AS newest'
            ' FROM %I.notebooks WHERE output_count <> 0 ORDER BY id FOR NO KEY UPDATE', TG_TABLE_SCHEMA);
    END IF;
    PERFORM @extschema@.discovery_write_changes(TG_TABLE_SCHEMA, TG_TABLE_NAME, changes);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_count_outputs() IS
    'trigger on outputs, after each statement: writes the counts of the notebooks';
REVOKE ALL ON FUNCTION @extschema@.discovery_count_outputs() FROM PUBLIC;

CREATE FUNCTION @extschema@.fail_stale_outputs(
        older_than interval DEFAULT '1 hour', reason text DEFAULT 'generation did not end in time')
    RETURNS TABLE (id uuid, notebook_id uuid, title text, updated_at timestamp)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    cutoff pg_catalog.timestamptz :=
        @extschema@.discovery_check_purge('fail_stale_outputs()', older_than, NULL, 'max_rows');
    store pg_catalog.text := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
BEGIN
    PERFORM @extschema@.discovery_require_argument(reason IS NULL, 'reason');
    RETURN QUERY EXECUTE pg_catalog.replace($sql$
        UPDATE @store@.outputs AS output SET status = 'failed', output_metadata =
            -- As text: jsonb does not take all that json takes, and one such row would keep all from ending.
            pg_catalog.concat(
                CASE WHEN pg_catalog.json_typeof(output.output_metadata) OPERATOR(pg_catalog.<>) 'object'
                          OR stale.metadata OPERATOR(pg_catalog.~) '^[[:space:]]*{[[:space:]]*}' THEN '{'
                     ELSE pg_catalog.regexp_replace(stale.metadata, '[[:space:]]*}[[:space:]]*$', ', ') END,
                '"error": ', pg_catalog.to_json($2), '}')::pg_catalog.json
        FROM (SELECT id, updated_at, output_metadata::pg_catalog.text AS metadata FROM @store@.outputs
              WHERE status OPERATOR(pg_catalog.=) 'generating'
              AND updated_at OPERATOR(pg_catalog.<) pg_catalog.timezone('UTC', $1)
              ORDER BY id FOR UPDATE SKIP LOCKED) AS stale
        WHERE output.id OPERATOR(pg_catalog.=) stale.id
        RETURNING output.id, output.notebook_id, output.title::pg_catalog.text, stale.updated_at$sql$, '@store@', store)
        USING cutoff, reason;
END
$$;
