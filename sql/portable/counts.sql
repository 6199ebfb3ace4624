--
-- Counts, and the deletion log
--
-- This edition counts a statement at a time, by transition tables; SQL has no hook at the end of a transaction.
--

-- Adds to the counts of one notebook, with the rights of the owner. Returns whether the notebook exists. A count that
-- stays is not named: at version 1.1 the client keeps output_count.
CREATE FUNCTION @extschema@.discovery_add_to_counts(
        schema name, notebook uuid, sources bigint, outputs bigint, newest timestamp without time zone)
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
    IF sources = 0 AND outputs = 0 AND newest IS NULL THEN RETURN true; END IF;
    PERFORM set_config('discovery_internal.counting', notebook::text, true);
    EXECUTE format('UPDATE ONLY %I.notebooks SET %s%s updated_at = GREATEST(updated_at, $4) WHERE id = $1', schema,
                   CASE WHEN sources <> 0 THEN 'source_count = source_count + $2,' END,
                   CASE WHEN outputs <> 0 THEN 'output_count = output_count + $3,' END)
        USING notebook, sources::integer, outputs::integer, newest;
    GET DIAGNOSTICS rows = ROW_COUNT;
    IF rows = 0 THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.notebooks WHERE id = $1)', schema)
            INTO is_prevented USING notebook;
        IF is_prevented AND (sources <> 0 OR outputs <> 0) THEN
            RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
                MESSAGE = format('cannot write the count of notebook %s', notebook),
                DETAIL = 'A trigger or rule on table "notebooks" prevents the update.';
        END IF;
    END IF;
    PERFORM set_config('discovery_internal.counting', coalesce(outer_notebook, ''), true);
    RETURN rows > 0;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_add_to_counts(name, uuid, bigint, bigint, timestamp without time zone) IS
    'internal: adds to the counts of a notebook';
REVOKE ALL ON FUNCTION @extschema@.discovery_add_to_counts(name, uuid, bigint, bigint, timestamp without time zone)
    FROM PUBLIC;

-- Adds to the count of the rows of a table in each notebook that `changes` returns: notebook, rows, newest
CREATE FUNCTION @extschema@.discovery_write_changes(schema name, relation name, changes refcursor) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    is_sources boolean := relation = 'sources';
    change record;
BEGIN
    LOOP
        FETCH changes INTO change;
        EXIT WHEN NOT FOUND;
        IF NOT @extschema@.discovery_add_to_counts(
               schema, change.notebook, CASE WHEN is_sources THEN change.rows ELSE 0 END,
               CASE WHEN is_sources THEN 0 ELSE change.rows END, change.newest)
           AND change.rows > 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('cannot count the %s of notebook %s before it exists', relation, change.notebook),
                DETAIL = 'The SQL-only edition counts at the end of each statement.',
                HINT = 'Insert the notebook first; a deferred foreign key does not help.';
        END IF;
    END LOOP;
    CLOSE changes;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_write_changes(name, name, refcursor) IS
    'internal: adds to the counts of notebooks';
REVOKE ALL ON FUNCTION @extschema@.discovery_write_changes(name, name, refcursor) FROM PUBLIC;

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
            SELECT notebook_id AS notebook, count(*) AS rows,
                   max(created_at) FILTER (WHERE isfinite(created_at)) AS newest
            FROM new_rows WHERE deleted_at IS NULL AND notebook_id IS NOT NULL
            GROUP BY notebook_id ORDER BY notebook_id;
    ELSIF TG_OP = 'DELETE' THEN
        OPEN changes FOR
            SELECT notebook_id AS notebook, -count(*) AS rows, timezone('UTC', now()) AS newest
            FROM old_rows WHERE deleted_at IS NULL AND notebook_id IS NOT NULL
            GROUP BY notebook_id ORDER BY notebook_id;
    ELSIF TG_OP = 'UPDATE' THEN
        OPEN changes FOR
            SELECT side.notebook, sum(side.live) AS rows, max(side.newest) AS newest
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
        -- Counts that others have written since the snapshot would stay.
        PERFORM @extschema@.discovery_require_read_committed(format('truncate %s', TG_TABLE_NAME));
        OPEN changes FOR EXECUTE format(
            'SELECT id AS notebook, -source_count::bigint AS rows, timezone(''UTC'', now()) AS newest'
            ' FROM %I.notebooks WHERE source_count <> 0 ORDER BY id FOR NO KEY UPDATE', TG_TABLE_SCHEMA);
    END IF;
    PERFORM @extschema@.discovery_write_changes(TG_TABLE_SCHEMA, TG_TABLE_NAME, changes);

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
            PERFORM @extschema@.discovery_log_deletion(TG_TABLE_SCHEMA, change.id, 'sources', change.sources);
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_count_sources() IS
    'trigger on sources, after each statement: writes the counts of the notebooks and the deletion log';
REVOKE ALL ON FUNCTION @extschema@.discovery_count_sources() FROM PUBLIC;

-- Which count of notebooks counts the rows of a table, and what those rows meet
CREATE FUNCTION @extschema@.discovery_count_of(relation name, OUT count name, OUT condition text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    CASE relation
        WHEN 'sources' THEN count := 'source_count'; condition := 'deleted_at IS NULL';
        WHEN 'outputs' THEN count := 'output_count'; condition := 'true';
    END CASE;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_count_of(name) IS
    'internal: the count of notebooks that counts the rows of a table, and the condition that they meet';

CREATE FUNCTION @extschema@.discovery_wrong_counts(store text, relation name) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT format($sql$
        SELECT notebook.id, notebook.name::pg_catalog.text, notebook.%3$I, actual.rows
        FROM %1$s.notebooks AS notebook
        LEFT JOIN (SELECT notebook_id, pg_catalog.count(*) AS rows FROM %1$s.%2$I WHERE %4$s
                   GROUP BY notebook_id) AS found ON found.notebook_id OPERATOR(pg_catalog.=) notebook.id,
             LATERAL (SELECT coalesce(found.rows, 0)) AS actual (rows)
        WHERE notebook.%3$I OPERATOR(pg_catalog.<>) actual.rows
        ORDER BY notebook.id$sql$, store, relation, counted.count, counted.condition)
    FROM @extschema@.discovery_count_of(relation) AS counted
$$;
COMMENT ON FUNCTION @extschema@.discovery_wrong_counts(text, name) IS
    'internal: the query for notebooks whose count of the rows of a table is wrong';

CREATE FUNCTION @extschema@.check_source_counts()
    RETURNS TABLE (notebook_id uuid, name text, source_count integer, actual_count bigint)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    -- If row security hides sources, their number would not be the count.
    SET row_security TO off
AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@.discovery_wrong_counts(
        @extschema@.discovery_current_store(pg_catalog.current_schemas(false)), 'sources');
END
$$;

CREATE FUNCTION @extschema@.check_output_counts()
    RETURNS TABLE (notebook_id uuid, name text, output_count integer, actual_count bigint)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET row_security TO off
AS $$
BEGIN
    RETURN QUERY EXECUTE @extschema@.discovery_wrong_counts(
        @extschema@.discovery_current_store(pg_catalog.current_schemas(false)), 'outputs');
END
$$;

CREATE FUNCTION @extschema@.repair_source_counts() RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    RETURN @extschema@.discovery_repair(
        @extschema@.discovery_store_to_repair('repair_source_counts()', pg_catalog.current_schemas(false)), 'sources');
END
$$;

CREATE FUNCTION @extschema@.repair_output_counts() RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    RETURN @extschema@.discovery_repair(
        @extschema@.discovery_store_to_repair('repair_output_counts()', pg_catalog.current_schemas(false)), 'outputs');
END
$$;

CREATE FUNCTION @extschema@.discovery_store_to_repair(function text, path name[]) RETURNS name
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable(function);
    PERFORM @extschema@.discovery_require_read_committed('repair counts');
    RETURN (parse_ident(@extschema@.discovery_current_store(path)))[1];
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_store_to_repair(text, name[]) IS
    'internal: the store whose counts are to be repaired, if the transaction can do that';

CREATE FUNCTION @extschema@.discovery_repair(schema name, relation name) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    RETURN @extschema@.discovery_repair_counts(@extschema@.discovery_call(), schema, relation);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_repair(name, name) IS 'internal: corrects the counts of a store';

-- With the rights of the owner, from whom row security hides nothing. The caller needs those that doing it by hand
-- would need.
CREATE FUNCTION @extschema@.discovery_repair_counts(call uuid, schema name, relation name) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    caller name;
    counted record := @extschema@.discovery_count_of(relation);
    wrong record;
    difference bigint;
    repaired bigint := 0;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'notebooks', relation);
    caller := @extschema@.discovery_caller(call);
    PERFORM @extschema@.discovery_require_right(caller, schema, relation, 'SELECT');
    PERFORM @extschema@.discovery_require_right(caller, schema, 'notebooks', 'UPDATE');
    FOR wrong IN EXECUTE @extschema@.discovery_wrong_counts(quote_ident(schema), relation) LOOP
        -- Once it is locked, nobody else changes its count, and the next statement sees what they have counted.
        EXECUTE format('SELECT FROM %I.notebooks WHERE id = $1 FOR NO KEY UPDATE', schema) USING wrong.id;
        EXECUTE format('SELECT (SELECT count(*) FROM %1$I.%2$I WHERE notebook_id = $1 AND %3$s) - %4$I'
                       ' FROM %1$I.notebooks WHERE id = $1', schema, relation, counted.condition, counted.count)
            INTO difference USING wrong.id;
        IF difference <> 0 THEN
            PERFORM @extschema@.discovery_add_to_counts(
                schema, wrong.id, CASE relation WHEN 'sources' THEN difference ELSE 0 END,
                CASE relation WHEN 'outputs' THEN difference ELSE 0 END, NULL);
            repaired := repaired + 1;
        END IF;
    END LOOP;
    RETURN repaired;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_repair_counts(uuid, name, name) IS
    'internal: corrects the counts of a store with the rights of its owner';
