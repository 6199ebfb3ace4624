--
-- Purge
--

CREATE FUNCTION @extschema@.discovery_check_purge(function text, older_than interval, most integer, argument text)
    RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable(function);
    PERFORM @extschema@.discovery_require_argument(older_than IS NULL, 'older_than');
    IF most <= 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('%s must be positive', argument);
    END IF;
    IF older_than < interval '0' OR NOT isfinite(older_than) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'older_than must be finite and not negative';
    END IF;
    RETURN now() - older_than;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_check_purge(text, interval, integer, text) IS
    'internal: the time before which a purge removes, after a check of its arguments';

-- Removes log entries that neither a source nor a row in the trash refers to any longer, for who may delete rows of the
-- table. It skips those that another purge is removing.
CREATE FUNCTION @extschema@.discovery_drop_finished_deletions(
        call uuid, schema name, relation name, cutoff timestamp with time zone)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'sources', 'discovery_deletions');
    IF relation NOT IN ('sources', 'discovery_trash') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('invalid table to purge: "%s"', relation);
    END IF;
    PERFORM @extschema@.discovery_require_right(@extschema@.discovery_caller(call), schema, relation, 'DELETE');
    EXECUTE replace(
        'DELETE FROM @store@.discovery_deletions WHERE id = ANY (ARRAY('
        ' SELECT deletion.id FROM @store@.discovery_deletions AS deletion WHERE deletion.deleted_at < $1'
        ' AND NOT EXISTS (SELECT FROM @store@.sources AS source WHERE source.deletion_id = deletion.id)'
        ' AND NOT EXISTS (SELECT FROM @store@.discovery_trash AS trash WHERE trash.deletion_id = deletion.id)'
        ' AND NOT EXISTS (SELECT FROM @store@.discovery_trash AS trash WHERE trash.source_deletion_id = deletion.id)'
        ' FOR UPDATE SKIP LOCKED))', '@store@', quote_ident(schema)) USING cutoff;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_drop_finished_deletions(uuid, name, name, timestamp with time zone) IS
    'internal: removes old entries of the deletion log that nothing refers to';

-- The same for the caller.
CREATE FUNCTION @extschema@.discovery_end_purge(store text, relation name, cutoff timestamp with time zone) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.discovery_drop_finished_deletions(
        @extschema@.discovery_call(), (parse_ident(store))[1], relation, cutoff);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_end_purge(text, name, timestamp with time zone) IS
    'internal: removes what a purge leaves in the deletion log';

-- A client can set deleted_at to a time in the past, so deletion_id is checked, too. The oldest rows are chosen that
-- nobody has locked; choosing by ctid avoids a second look into an index.
CREATE FUNCTION @extschema@.purge_deleted_sources(older_than interval DEFAULT '30 days', max_rows integer DEFAULT NULL)
    RETURNS TABLE (id uuid, notebook_id uuid, content_hash text, file_path text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    cutoff pg_catalog.timestamptz :=
        @extschema@.discovery_check_purge('purge_deleted_sources()', older_than, max_rows, 'max_rows');
    store pg_catalog.text := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    is_removable pg_catalog.text :=
        'deleted_at OPERATOR(pg_catalog.<) pg_catalog.timezone(''UTC'', $1)'
        ' AND deleted_at OPERATOR(pg_catalog.>) ''-infinity''::pg_catalog.timestamp'
        ' AND hold_reason IS NULL AND (deletion_id IS NULL OR deletion_id OPERATOR(pg_catalog.<) $3)';
    -- What was deleted long ago does not move to the trash.
    outer_keeping pg_catalog.text := @extschema@.discovery_set_keeping('off');
BEGIN
    RETURN QUERY EXECUTE pg_catalog.format(
        'DELETE FROM %1$s.sources WHERE %2$s AND ctid OPERATOR(pg_catalog.=) ANY (ARRAY('
        'SELECT ctid FROM %1$s.sources WHERE %2$s ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED))'
        ' RETURNING id, notebook_id, content_hash::pg_catalog.text, file_path', store, is_removable)
        USING cutoff, max_rows, @extschema@.discovery_first_id(cutoff);
    PERFORM @extschema@.discovery_set_keeping(outer_keeping);
    PERFORM @extschema@.discovery_end_purge(store, 'sources', cutoff);
END
$$;
