--
-- Counts, and the deletion log
--
-- This edition counts a statement at a time, by transition tables; SQL has no hook at the end of a transaction.
--

-- Adds to the count of one notebook, with the rights of the owner. Returns whether the notebook exists.
CREATE FUNCTION @extschema@.discovery_add_to_count(
        schema name, notebook uuid, sources bigint, newest timestamp without time zone)
    RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    -- A user's trigger may update other counts before our trigger sees this row.
    outer_notebook text := current_setting('discovery_internal.counting', true);
    rows bigint;
    is_prevented boolean;
BEGIN
    PERFORM set_config('discovery_internal.counting', notebook::text, true);
    EXECUTE format('UPDATE ONLY %I.notebooks SET source_count = source_count + $2,'
                   ' updated_at = GREATEST(updated_at, $3) WHERE id = $1', schema)
        USING notebook, sources::integer, newest;
    GET DIAGNOSTICS rows = ROW_COUNT;
    IF rows = 0 THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.notebooks WHERE id = $1)', schema)
            INTO is_prevented USING notebook;
        IF is_prevented AND sources <> 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
                MESSAGE = format('cannot write the count of notebook %s', notebook),
                DETAIL = 'A trigger or rule on table "notebooks" prevents the update.';
        END IF;
    END IF;
    PERFORM set_config('discovery_internal.counting', coalesce(outer_notebook, ''), true);
    RETURN rows > 0;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_add_to_count(name, uuid, bigint, timestamp without time zone) IS
    'internal: adds to the count of a notebook';
REVOKE ALL ON FUNCTION @extschema@.discovery_add_to_count(name, uuid, bigint, timestamp without time zone) FROM PUBLIC;

CREATE FUNCTION @extschema@.discovery_count_sources() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    change record;
    changes refcursor;
BEGIN
    PERFORM @extschema@.discovery_require_own(TG_TABLE_SCHEMA, 'notebooks', TG_TABLE_NAME);
    -- Every writer locks the notebooks in the order of their ids. A FULL JOIN is never a nested loop, which a plan that
    -- was made for one row would repeat for each of many.
    IF TG_OP = 'INSERT' THEN
        OPEN changes FOR
            SELECT notebook_id AS notebook, count(*) AS sources,
                   max(created_at) FILTER (WHERE isfinite(created_at)) AS newest
            FROM new_rows WHERE deleted_at IS NULL AND notebook_id IS NOT NULL
            GROUP BY notebook_id ORDER BY notebook_id;
    ELSIF TG_OP = 'DELETE' THEN
        OPEN changes FOR
            SELECT notebook_id AS notebook, -count(*) AS sources, timezone('UTC', now()) AS newest
            FROM old_rows WHERE deleted_at IS NULL AND notebook_id IS NOT NULL
            GROUP BY notebook_id ORDER BY notebook_id;
    ELSIF TG_OP = 'UPDATE' THEN
        OPEN changes FOR
            SELECT side.notebook, sum(side.live) AS sources, max(side.newest) AS newest
            FROM old_rows AS o
            FULL JOIN new_rows AS n ON n.id = o.id
            CROSS JOIN LATERAL (
                SELECT o.id IS NOT NULL AND o.deleted_at IS NULL AS was_live,
                       n.id IS NOT NULL AND n.deleted_at IS NULL AS is_live,
                       greatest(CASE WHEN isfinite(n.created_at) THEN n.created_at END,
                                CASE WHEN isfinite(n.updated_at) THEN n.updated_at END,
                                CASE WHEN isfinite(n.deleted_at) THEN n.deleted_at END) AS newest) AS source
            CROSS JOIN LATERAL (VALUES (o.notebook_id, -source.was_live::integer, source.newest),
                                       (n.notebook_id, source.is_live::integer, source.newest))
                AS side (notebook, live, newest)
            WHERE (source.was_live <> source.is_live OR o.notebook_id IS DISTINCT FROM n.notebook_id)
              AND side.live <> 0 AND side.notebook IS NOT NULL
            GROUP BY side.notebook HAVING sum(side.live) <> 0 ORDER BY side.notebook;
    ELSE
        OPEN changes FOR EXECUTE format(
            'SELECT id AS notebook, -source_count AS sources, timezone(''UTC'', now()) AS newest'
            ' FROM %I.notebooks WHERE source_count <> 0 ORDER BY id FOR NO KEY UPDATE', TG_TABLE_SCHEMA);
    END IF;
    LOOP
        FETCH changes INTO change;
        EXIT WHEN NOT FOUND;
        IF NOT @extschema@.discovery_add_to_count(TG_TABLE_SCHEMA, change.notebook, change.sources, change.newest)
           AND change.sources > 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('cannot count the sources of notebook %s before it exists', change.notebook),
                DETAIL = 'The SQL-only edition counts at the end of each statement.',
                HINT = 'Insert the notebook first; a deferred foreign key does not help.';
        END IF;
    END LOOP;
    CLOSE changes;

    IF TG_OP = 'UPDATE' THEN
        -- A row whose id changes as well is a deletion, unless others had its deletion before.
        FOR change IN
            SELECT n.deletion_id AS id, count(*) AS sources
            FROM old_rows AS o FULL JOIN new_rows AS n ON n.id = o.id
            WHERE CASE WHEN n.deleted_at IS NULL OR n.deletion_id IS NULL OR o.deleted_at IS NOT NULL THEN false
                       WHEN o.id IS NOT NULL THEN true
                       ELSE NOT EXISTS (SELECT FROM old_rows AS x WHERE x.deletion_id = n.deletion_id) END
            GROUP BY n.deletion_id ORDER BY n.deletion_id
        LOOP
            PERFORM @extschema@.discovery_require_own(TG_TABLE_SCHEMA, 'discovery_deletions');
            EXECUTE format('INSERT INTO %I.discovery_deletions AS known (id, login_role, acting_role, reason, sources)'
                           ' VALUES ($1, session_user, $2, $3, $4)'
                           ' ON CONFLICT (id) DO UPDATE SET sources = known.sources + excluded.sources',
                           TG_TABLE_SCHEMA)
                USING change.id, @extschema@.discovery_acting_role(),
                      nullif(current_setting('discovery.reason', true), ''), change.sources;
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_count_sources() IS
    'trigger on sources, after each statement: writes the counts of the notebooks and the deletion log';
REVOKE ALL ON FUNCTION @extschema@.discovery_count_sources() FROM PUBLIC;

CREATE FUNCTION @extschema@.check_source_counts()
    RETURNS TABLE (notebook_id uuid, name text, source_count integer, actual_count bigint)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    -- If row security hides sources, their number would not be the count.
    SET row_security TO off
AS $$
BEGIN
    RETURN QUERY EXECUTE pg_catalog.replace($sql$
        SELECT notebook.id, notebook.name::pg_catalog.text, notebook.source_count, counted.sources
        FROM @store@.notebooks AS notebook
        LEFT JOIN (SELECT notebook_id, pg_catalog.count(*) AS sources FROM @store@.sources WHERE deleted_at IS NULL
                   GROUP BY notebook_id) AS live ON live.notebook_id OPERATOR(pg_catalog.=) notebook.id,
             LATERAL (SELECT coalesce(live.sources, 0)) AS counted (sources)
        WHERE notebook.source_count OPERATOR(pg_catalog.<>) counted.sources
        ORDER BY notebook.id$sql$,
        '@store@', @extschema@.discovery_current_store(pg_catalog.current_schemas(false)));
END
$$;

CREATE FUNCTION @extschema@.repair_source_counts() RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    RETURN @extschema@.discovery_repair_counts(
        @extschema@.discovery_store_to_repair(pg_catalog.current_schemas(false)));
END
$$;

CREATE FUNCTION @extschema@.discovery_store_to_repair(path name[]) RETURNS name
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('repair_source_counts()');
    PERFORM @extschema@.discovery_require_read_committed('repair counts');
    RETURN (parse_ident(@extschema@.discovery_current_store(path)))[1];
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_store_to_repair(name[]) IS
    'internal: the store whose counts are to be repaired, if the transaction can do that';

-- With the rights of the owner, from whom row security hides nothing. The caller needs those that doing it by hand
-- would need.
CREATE FUNCTION @extschema@.discovery_repair_counts(schema name) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    notebook uuid;
    difference bigint;
    repaired bigint := 0;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'notebooks', 'sources');
    PERFORM @extschema@.discovery_require_right(schema, 'sources', 'SELECT');
    PERFORM @extschema@.discovery_require_right(schema, 'notebooks', 'UPDATE');
    FOR notebook IN EXECUTE replace(
        'SELECT notebook.id FROM @store@.notebooks AS notebook WHERE notebook.source_count <>'
        ' (SELECT count(*) FROM @store@.sources AS source'
        '  WHERE source.notebook_id = notebook.id AND source.deleted_at IS NULL) ORDER BY notebook.id',
        '@store@', quote_ident(schema))
    LOOP
        -- Once it is locked, nobody else changes its count, and the next statement sees what they have counted.
        EXECUTE format('SELECT FROM %I.notebooks WHERE id = $1 FOR NO KEY UPDATE', schema) USING notebook;
        EXECUTE replace(
            'SELECT (SELECT count(*) FROM @store@.sources WHERE notebook_id = $1 AND deleted_at IS NULL) - source_count'
            ' FROM @store@.notebooks WHERE id = $1', '@store@', quote_ident(schema))
            INTO difference USING notebook;
        IF difference <> 0 THEN
            PERFORM @extschema@.discovery_add_to_count(schema, notebook, difference, NULL);
            repaired := repaired + 1;
        END IF;
    END LOOP;
    RETURN repaired;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_repair_counts(name) IS
    'internal: corrects the counts of a store with the rights of its owner';

-- For functions that run with the rights of their owner: what the role that acts may not do itself, they do not do.
CREATE FUNCTION @extschema@.discovery_require_right(schema name, relation name, privilege text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT has_table_privilege(@extschema@.discovery_acting_role(), format('%I.%I', schema, relation), privilege) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('permission denied for table %s', relation);
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_right(name, name, text) IS
    'internal: raises 42501 unless the role that acts has a privilege on a table';
