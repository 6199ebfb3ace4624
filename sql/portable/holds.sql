--
-- Holds
--

CREATE FUNCTION @extschema@.hold_source(id uuid, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('hold_source()');
    PERFORM @extschema@.discovery_require_reason(reason);
    PERFORM @extschema@.discovery_set_hold(id, reason);
END
$$;

CREATE FUNCTION @extschema@.release_source(id uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('release_source()');
    PERFORM @extschema@.discovery_set_hold(id, NULL);
END
$$;

CREATE FUNCTION @extschema@.discovery_set_hold(id uuid, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.text := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    rows pg_catalog.int8;
BEGIN
    PERFORM @extschema@.discovery_require_argument(id IS NULL, 'id');
    PERFORM @extschema@.discovery_require_source(store, id);
    EXECUTE pg_catalog.format('UPDATE %s.sources SET hold_reason = $2 WHERE id OPERATOR(pg_catalog.=) $1', store)
        USING id, reason;
    GET DIAGNOSTICS rows = ROW_COUNT;
    IF rows OPERATOR(pg_catalog.=) 0 THEN
        -- Another session has removed the source while we waited, or a policy prevents the update.
        PERFORM @extschema@.discovery_require_source(store, id);
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'permission denied for some of the sources';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_set_hold(uuid, text) IS 'internal: sets or removes a hold';

CREATE FUNCTION @extschema@.hold_deletion(deletion_id uuid, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('hold_deletion()');
    PERFORM @extschema@.discovery_require_reason(reason);
    PERFORM @extschema@.discovery_set_hold_of_deletion(deletion_id, reason);
END
$$;

CREATE FUNCTION @extschema@.release_deletion(deletion_id uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('release_deletion()');
    PERFORM @extschema@.discovery_set_hold_of_deletion(deletion_id, NULL);
END
$$;

CREATE FUNCTION @extschema@.discovery_set_hold_of_deletion(deletion uuid, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.text;
    rows pg_catalog.int8;
BEGIN
    PERFORM @extschema@.discovery_require_argument(deletion IS NULL, 'deletion_id');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    PERFORM @extschema@.discovery_require_deletion((pg_catalog.parse_ident(store))[1], deletion);
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM (%s) AS locked', @extschema@.discovery_lock_trash(
        store, 'row.deletion_id OPERATOR(pg_catalog.=) $1')) USING deletion;
    EXECUTE pg_catalog.format('UPDATE %s.discovery_trash SET hold_reason = $2'
                              ' WHERE deletion_id OPERATOR(pg_catalog.=) $1', store) USING deletion, reason;
    GET DIAGNOSTICS rows = ROW_COUNT;
    IF rows OPERATOR(pg_catalog.=) 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = 'the trash has nothing of this deletion',
            HINT = 'A source that was soft-deleted is held by hold_source().';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_set_hold_of_deletion(uuid, text) IS
    'internal: sets or removes the hold of a deletion';

-- The reason for a hold
CREATE FUNCTION @extschema@.discovery_require_reason(reason text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_argument(reason IS NULL, 'reason');
    IF reason = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'reason must not be empty';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_reason(text) IS
    'internal: raises an error if the reason for a hold is null or empty';
