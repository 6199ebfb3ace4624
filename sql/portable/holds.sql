--
-- Holds
--

CREATE FUNCTION @extschema@.hold_source(id uuid, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('hold_source()');
    PERFORM @extschema@.discovery_require_argument(reason IS NULL, 'reason');
    IF reason OPERATOR(pg_catalog.=) '' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'reason must not be empty';
    END IF;
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
