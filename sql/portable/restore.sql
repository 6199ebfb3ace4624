--
-- Restore
--

-- A query for the soft-deleted sources that satisfy a condition on $1 or $2, as preview_restore() returns them.
CREATE FUNCTION @extschema@.discovery_restore_plan(store text, condition text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT replace(replace($sql$
        SELECT batch.id, batch.notebook_id, batch.name::pg_catalog.text AS name,
               CASE WHEN duplicate.id IS NULL THEN 'restored'::pg_catalog.text ELSE 'kept_deleted'::pg_catalog.text
               END AS outcome,
               duplicate.id AS duplicate_id, duplicate.name AS duplicate_name, batch.content_hash
        FROM (SELECT id, notebook_id, name, content_hash, pg_catalog.first_value(id) OVER duplicates AS first_id,
                     pg_catalog.first_value(name) OVER duplicates AS first_name
              FROM @store@.sources
              WHERE @condition@ AND deleted_at IS NOT NULL
              WINDOW duplicates AS (
                  PARTITION BY notebook_id,
                      CASE WHEN content_hash OPERATOR(pg_catalog.=) ''::pg_catalog.text THEN id::pg_catalog.text
                      ELSE content_hash::pg_catalog.text END
                  ORDER BY created_at, id)) AS batch
        LEFT JOIN LATERAL (
            SELECT live.id, live.name::pg_catalog.text FROM @store@.sources AS live
                WHERE live.notebook_id OPERATOR(pg_catalog.=) batch.notebook_id
                  AND live.content_hash OPERATOR(pg_catalog.=) batch.content_hash
                  AND live.deleted_at IS NULL AND live.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
            UNION ALL
            SELECT batch.first_id, batch.first_name::pg_catalog.text
                WHERE batch.first_id OPERATOR(pg_catalog.<>) batch.id
            LIMIT 1) AS duplicate ON true$sql$, '@condition@', condition), '@store@', store)
$$;
COMMENT ON FUNCTION @extschema@.discovery_restore_plan(text, text) IS
    'internal: the query that says what a restore would do';

CREATE FUNCTION @extschema@.discovery_keeps_deleted(on_duplicate text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_argument(on_duplicate IS NULL, 'on_duplicate');
    IF on_duplicate NOT IN ('error', 'keep_deleted') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('invalid value for on_duplicate: "%s"', on_duplicate),
            HINT = 'It must be error or keep_deleted.';
    END IF;
    RETURN on_duplicate = 'keep_deleted';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_keeps_deleted(text) IS
    'internal: whether on_duplicate is keep_deleted, and not error';

CREATE FUNCTION @extschema@.discovery_refuse_identical(name text, detail text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation',
        MESSAGE = format('cannot restore source "%s" because an identical source already exists in the notebook', name),
        DETAIL = detail, HINT = 'Use on_duplicate => ''keep_deleted'' to leave such sources deleted.';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_identical(text, text) IS
    'internal: raises 23505 for a source that cannot be restored';

-- After a duplicate prevented an update although a query did not find it: above READ COMMITTED it stays outside the
-- snapshot, so another attempt cannot succeed.
CREATE FUNCTION @extschema@.discovery_require_new_snapshot() RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
            MESSAGE = 'could not serialize access due to concurrent update',
            DETAIL = 'Another transaction has added a source with the same content.';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_new_snapshot() IS 'internal: raises 40001 above READ COMMITTED';

CREATE FUNCTION @extschema@.discovery_is_duplicate(index text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN index OPERATOR(pg_catalog.=) 'ix_sources_notebook_hash';
COMMENT ON FUNCTION @extschema@.discovery_is_duplicate(text) IS
    'internal: whether a unique violation says that a second live source of a content is not possible';

CREATE FUNCTION @extschema@.discovery_restore_one(source uuid, on_duplicate text)
    RETURNS TABLE (id uuid, outcome text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1
AS $$
DECLARE
    store pg_catalog.text;
BEGIN
    PERFORM @extschema@.discovery_require_writable('restore_source()');
    PERFORM @extschema@.discovery_require_argument(source IS NULL, 'id');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    PERFORM @extschema@.discovery_require_source(store, source);
    RETURN QUERY SELECT restored.id, restored.outcome
        FROM @extschema@.discovery_restore(store, 'id OPERATOR(pg_catalog.=) $1', source, on_duplicate) AS restored;
    -- A source that is already live is no error; one that was removed while we waited for it is.
    IF NOT FOUND THEN PERFORM @extschema@.discovery_require_source(store, source); END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_restore_one(uuid, text) IS 'internal: restores a source';

-- PL/pgSQL does not allow the name of an argument in the result.
CREATE FUNCTION @extschema@.restore_source(id uuid, on_duplicate text DEFAULT 'error')
    RETURNS TABLE (id uuid, outcome text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1
AS $$
    SELECT restored.id, restored.outcome FROM @extschema@.discovery_restore_one($1, $2) AS restored
$$;

CREATE FUNCTION @extschema@.restore_sources(deletion_id uuid, on_duplicate text DEFAULT 'error')
    RETURNS TABLE (id uuid, outcome text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.text;
BEGIN
    PERFORM @extschema@.discovery_require_writable('restore_sources()');
    PERFORM @extschema@.discovery_require_argument(deletion_id IS NULL, 'deletion_id');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    PERFORM @extschema@.discovery_require_deletion((pg_catalog.parse_ident(store))[1], deletion_id);
    RETURN QUERY SELECT source.id, source.outcome
        FROM @extschema@.discovery_restore(store, 'deletion_id OPERATOR(pg_catalog.=) $1', deletion_id, on_duplicate)
            AS source;
END
$$;

-- Restores the soft-deleted sources that satisfy a condition on $1 and that the caller may update. Rows are locked in
-- the order of their ids and updated in that of the unique index, as by all writers of many rows.
CREATE FUNCTION @extschema@.discovery_restore(store text, condition text, which uuid, on_duplicate text)
    RETURNS TABLE (id uuid, outcome text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    keeps_deleted pg_catalog.bool := @extschema@.discovery_keeps_deleted(on_duplicate);
    plan pg_catalog.text := @extschema@.discovery_restore_plan(store, 'id OPERATOR(pg_catalog.=) ANY ($1)');
    ids pg_catalog.uuid[];
    restored pg_catalog.uuid[];
    changed pg_catalog.uuid[];
    outcomes pg_catalog.text[];
    before pg_catalog.uuid[];
    alike pg_catalog.int4 := 0;
    kept pg_catalog.uuid[];
    source pg_catalog.record;
    index pg_catalog.text;
    detail pg_catalog.text;
BEGIN
    PERFORM @extschema@.discovery_lock_notebooks_where(store, condition, which, NULL);
    LOOP
        EXECUTE pg_catalog.format(
            'SELECT coalesce(pg_catalog.array_agg(id ORDER BY notebook_id, content_hash COLLATE pg_catalog."C"),'
            ' ''{}'')'
            ' FROM (SELECT id, notebook_id, content_hash FROM %s.sources'
            ' WHERE %s AND deleted_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE) AS locked', store, condition)
            INTO ids USING which;
        restored := '{}';
        kept := '{}';
        FOR source IN EXECUTE pg_catalog.concat(
            'SELECT * FROM (', plan, ') AS plan ORDER BY notebook_id, content_hash COLLATE pg_catalog."C", id')
            USING ids
        LOOP
            IF source.duplicate_id IS NULL THEN
                restored := pg_catalog.array_append(restored, source.id);
            ELSIF NOT keeps_deleted THEN
                PERFORM @extschema@.discovery_refuse_identical(source.name, pg_catalog.format(
                    'Source %s is identical to source %s, "%s".', source.id, source.duplicate_id,
                    source.duplicate_name));
            ELSE
                kept := pg_catalog.array_append(kept, source.id);
            END IF;
        END LOOP;
        BEGIN
            -- Not by RETURN QUERY: rows that it has returned before the exception stay in the result.
            EXECUTE pg_catalog.format(
                'WITH changed AS (UPDATE %s.sources AS source SET deleted_at = NULL'
                ' FROM pg_catalog.unnest($1) AS chosen (id) WHERE source.id OPERATOR(pg_catalog.=) chosen.id'
                -- A user's trigger may have kept it deleted.
                ' RETURNING source.id, CASE WHEN source.deleted_at IS NULL THEN ''restored''::pg_catalog.text'
                ' ELSE ''kept_deleted''::pg_catalog.text END AS outcome)'
                ' SELECT pg_catalog.array_agg(changed.id), pg_catalog.array_agg(changed.outcome) FROM changed', store)
                INTO changed, outcomes USING restored;
            RETURN QUERY SELECT given.id, 'kept_deleted'::pg_catalog.text FROM pg_catalog.unnest(kept) AS given (id)
                UNION ALL SELECT given.id, given.outcome
                          FROM ROWS FROM (pg_catalog.unnest(changed), pg_catalog.unnest(outcomes))
                              AS given (id, outcome);
            RETURN;
        EXCEPTION WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS index = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
            IF NOT @extschema@.discovery_is_duplicate(index) THEN RAISE; END IF;
        END;
        PERFORM @extschema@.discovery_require_new_snapshot();
        -- If the looks find nothing more that is in the way, row security hides the duplicate. Fewer looks could be
        -- chance: others may delete the duplicate before we look, and add another.
        alike := CASE WHEN restored OPERATOR(pg_catalog.=) before THEN alike OPERATOR(pg_catalog.+) 1 ELSE 1 END;
        IF alike OPERATOR(pg_catalog.=) 10 THEN
            RAISE EXCEPTION USING ERRCODE = 'unique_violation',
                MESSAGE = 'cannot restore because an identical source already exists in the notebook',
                DETAIL = 'You do not have permission to see that source.';
        END IF;
        before := restored;
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_restore(text, text, uuid, text) IS
    'internal: restores the sources that satisfy a condition';

CREATE FUNCTION @extschema@.preview_restore(deletion_id uuid)
    RETURNS TABLE (id uuid, notebook_id uuid, name text, outcome text, duplicate_id uuid, duplicate_name text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.text;
BEGIN
    PERFORM @extschema@.discovery_require_argument(deletion_id IS NULL, 'deletion_id');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    PERFORM @extschema@.discovery_require_deletion((pg_catalog.parse_ident(store))[1], deletion_id);
    RETURN QUERY EXECUTE pg_catalog.concat(
        'SELECT id, notebook_id, name, outcome, duplicate_id, duplicate_name FROM (',
        @extschema@.discovery_restore_plan(store, 'deletion_id OPERATOR(pg_catalog.=) $1'), ') AS plan ORDER BY id')
        USING deletion_id;
END
$$;
