--
-- Soft delete
--

-- Prevents the deletion of notebooks until the transaction ends: who deletes one locks it before its sources, and we
-- update a source before the count of its notebook. As in foreign keys, the caller needs no right on notebooks, and who
-- that is need not be proved: the lock is one that a foreign key of theirs could take.
CREATE FUNCTION @extschema@.discovery_lock_notebooks(schema name, ids uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'notebooks', 'sources');
    IF has_table_privilege(@extschema@.discovery_acting_role(), format('%I.sources', schema), 'INSERT, UPDATE') THEN
        EXECUTE format('SELECT FROM %I.notebooks WHERE id = ANY ($1) ORDER BY id FOR KEY SHARE', schema) USING ids;
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_lock_notebooks(name, uuid[]) IS
    'internal: prevents the deletion of notebooks, with the rights of the owner of the store';

-- The same for the notebooks of sources that the caller sees. `condition` is on $1 and qualifies every operator.
CREATE FUNCTION @extschema@.discovery_lock_notebooks_where(store text, condition text, which uuid, several uuid[])
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    notebooks pg_catalog.uuid[];
BEGIN
    EXECUTE pg_catalog.format(
        'SELECT coalesce(pg_catalog.array_agg(DISTINCT notebook_id), ''{}'') FROM %s.sources WHERE %s',
        store, condition)
        INTO notebooks USING which, several;
    PERFORM @extschema@.discovery_lock_notebooks((pg_catalog.parse_ident(store))[1], notebooks);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_lock_notebooks_where(text, text, uuid, uuid[]) IS
    'internal: prevents the deletion of the notebooks of sources';

CREATE FUNCTION @extschema@.discovery_refuse_unknown(ids text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = 'some sources do not exist',
        DETAIL = format('Unknown IDs: %s.', ids);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_unknown(text) IS 'internal: raises P0002 for sources';

CREATE FUNCTION @extschema@.discovery_require_source(store text, id uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    found_one pg_catalog.bool;
BEGIN
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s.sources WHERE id OPERATOR(pg_catalog.=) $1)', store)
        INTO found_one USING id;
    IF NOT found_one THEN PERFORM @extschema@.discovery_refuse_unknown(id::pg_catalog.text); END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_source(text, uuid) IS
    'internal: raises P0002 unless the caller sees a source';

-- The caller needs no right on the log, and need not prove who that is: it tells next to nothing.
CREATE FUNCTION @extschema@.discovery_require_deletion(schema name, deletion uuid) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    is_known boolean;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'discovery_deletions');
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.discovery_deletions WHERE id = $1)', schema)
        INTO is_known USING deletion;
    IF NOT is_known THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = format('deletion %s does not exist', deletion);
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_deletion(name, uuid) IS
    'internal: raises P0002 unless the log has a deletion';

-- As little as that.
CREATE FUNCTION @extschema@.discovery_has_sources(schema name, deletion uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    found_one boolean;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'sources');
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.sources WHERE deletion_id = $1)', schema)
        INTO found_one USING deletion;
    RETURN found_one;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_has_sources(name, uuid) IS
    'internal: whether a deletion has soft-deleted sources';

CREATE FUNCTION @extschema@.delete_source(id uuid, reason text DEFAULT NULL, OUT deletion_id uuid, OUT deleted integer)
    RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('delete_source()');
    PERFORM @extschema@.discovery_require_argument(id IS NULL, 'id');
    SELECT batch.deletion_id, batch.deleted INTO deletion_id, deleted
        FROM @extschema@.discovery_delete(ARRAY[id], reason) AS batch;
END
$$;

CREATE FUNCTION @extschema@.delete_sources(
        ids uuid[], reason text DEFAULT NULL, OUT deletion_id uuid, OUT deleted integer)
    RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('delete_sources()');
    PERFORM @extschema@.discovery_require_argument(ids IS NULL, 'ids');
    PERFORM @extschema@.discovery_require_elements(ids);
    SELECT batch.deletion_id, batch.deleted INTO deletion_id, deleted
        FROM @extschema@.discovery_delete(ids, reason) AS batch;
END
$$;

CREATE FUNCTION @extschema@.discovery_require_elements(ids uuid[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(ids) AS id WHERE id IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'ids must not have null elements';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_elements(uuid[]) IS 'internal: raises 22004 for null elements';

CREATE FUNCTION @extschema@.discovery_delete(
        ids uuid[], reason text, OUT deletion_id uuid, OUT deleted integer)
    RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.text := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    outer_reason pg_catalog.text := pg_catalog.current_setting('discovery.reason', true);
    outer_call pg_catalog.text := pg_catalog.current_setting('discovery_internal.call', true);
    locked pg_catalog.int8;
    unknown pg_catalog.text;
BEGIN
    -- The notebooks of all of them, live or not: a source may be restored before it is locked.
    PERFORM @extschema@.discovery_lock_notebooks_where(store, 'id OPERATOR(pg_catalog.=) ANY ($2)', NULL, ids);
    EXECUTE pg_catalog.format(
        'SELECT pg_catalog.count(*) FROM (SELECT FROM %s.sources WHERE id OPERATOR(pg_catalog.=) ANY ($1)'
        ' ORDER BY id FOR NO KEY UPDATE) AS locked', store) INTO locked USING ids;
    IF locked OPERATOR(pg_catalog.<>)
       (SELECT pg_catalog.count(DISTINCT given.id) FROM pg_catalog.unnest(ids) AS given (id)) THEN
        -- At most ten unknown ids
        EXECUTE pg_catalog.format($sql$
            SELECT pg_catalog.concat(pg_catalog.string_agg(id::pg_catalog.text, ', ' ORDER BY id)
                                         FILTER (WHERE number OPERATOR(pg_catalog.<=) 10),
                                     CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.>) 10
                                          THEN pg_catalog.concat(' and ', pg_catalog.count(*) OPERATOR(pg_catalog.-) 10,
                                                                 ' more') END)
            FROM (SELECT id, pg_catalog.row_number() OVER (ORDER BY id) AS number
                  FROM (SELECT id FROM pg_catalog.unnest($1) AS given (id)
                        EXCEPT SELECT id FROM %s.sources WHERE id OPERATOR(pg_catalog.=) ANY ($1)) AS missing)
                AS unknown HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0$sql$, store) INTO unknown USING ids;
        IF unknown IS NOT NULL THEN PERFORM @extschema@.discovery_refuse_unknown(unknown); END IF;
        -- All of them are visible, but policies prevent locking some.
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'permission denied for some of the sources';
    END IF;

    -- Each call is a deletion of its own, also inside another one.
    PERFORM pg_catalog.set_config('discovery_internal.call', pg_catalog.gen_random_uuid()::pg_catalog.text, true);
    IF reason OPERATOR(pg_catalog.<>) '' THEN PERFORM pg_catalog.set_config('discovery.reason', reason, true); END IF;
    EXECUTE pg_catalog.format(
        'WITH gone AS (UPDATE %s.sources SET deleted_at = pg_catalog.timezone(''UTC'', pg_catalog.now())'
        ' WHERE id OPERATOR(pg_catalog.=) ANY ($1) AND deleted_at IS NULL RETURNING deletion_id)'
        ' SELECT pg_catalog.count(*)::pg_catalog.int4, (pg_catalog.array_agg(gone.deletion_id))[1] FROM gone', store)
        INTO deleted, deletion_id USING ids;
    PERFORM pg_catalog.set_config('discovery.reason', coalesce(outer_reason, ''), true);
    PERFORM pg_catalog.set_config('discovery_internal.call', coalesce(outer_call, ''), true);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_delete(uuid[], text) IS
    'internal: soft-deletes sources as one batch';
